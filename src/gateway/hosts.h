/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request may name as its host, and which pages may send one. Pure.
 */
#ifndef GATEWAY_HOSTS_H
#define GATEWAY_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/*
 * Does a Host header name us? It does when its name (the port aside) is
 * `localhost`, the address that the connection came in at, the host of an
 * entry of `listen`, or an entry of `allowed` (with a port: that port too).
 * Lists are separated by blanks and commas; letters of any case.
 */
bool hosts_allowed(const char *host, const struct sockaddr_storage *local,
		   const char *listen, const char *allowed);

enum origin_verdict {
	ORIGIN_NONE, /* no browser, or an address that was typed */
	ORIGIN_LISTED,
	ORIGIN_ANY, /* let in by `*` alone */
	ORIGIN_FOREIGN,
};

/* origin and site (Sec-Fetch-Site): NULL when they did not come. */
enum origin_verdict hosts_judge_origin(const char *origin, const char *site,
				       const char *origins);

/* The next word of a list: its length; 0 at the end. *s moves to it. */
size_t hosts_list_next(const char **s);

#endif
