/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The URLs that a configuration names: endpoints and proxies. Pure.
 */
#ifndef NET_URL_H
#define NET_URL_H

struct buf;

struct url {
	char *scheme; /* lower-case: http, https, s3 ... */
	char *host; /* lower-case; an IPv6 address with its brackets */
	unsigned port; /* 0: the scheme's own */
	char *path; /* percent-decoding not applied; "" or begins with / */
};

/*
 * Parses SCHEME://HOST[:PORT][/PATH]. Without a scheme, `scheme` (or an error
 * when that is NULL). User information, a query or a fragment is an error. 0,
 * -EINVAL or -ENOMEM, why set. url_clear() frees, after a failure too.
 */
int url_parse(const char *text, const char *scheme, struct url *out,
	      struct buf *why);
void url_clear(struct url *u);
#define URL_LOCAL __attribute__((cleanup(url_clear))) struct url

/* HOST or HOST:PORT as the Host header has it: no port that is the default. */
void url_authority(const struct url *u, struct buf *out);
/* SCHEME://HOST[:PORT]. */
void url_origin(const struct url *u, struct buf *out);

#endif
