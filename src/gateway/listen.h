/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets: `HOST:PORT, [::1]:PORT, ...`, and what they are called.
 */
#ifndef GATEWAY_LISTEN_H
#define GATEWAY_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

struct buf;

#define LISTEN_MAX 16

struct listen_address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* A name may be several addresses. 0, or -EINVAL with why set. Asks the
 * resolver for names. */
int listen_parse(const char *list, struct listen_address out[LISTEN_MAX],
		 unsigned *n, struct buf *why);
void listen_set_port(struct listen_address *a, unsigned port);
unsigned listen_port(const struct listen_address *a);
/* 0, -EADDRINUSE, -EACCES, -EADDRNOTAVAIL ... */
int listen_open(const struct listen_address *a, int *fd);
/* Is fd a listening TCP socket? Its address. 0 or -EINVAL. */
int listen_inherited(int fd, struct listen_address *out);
/* `127.0.0.1:8000`, `[::1]:8000`. Appends. */
void listen_name(const struct listen_address *a, struct buf *out);
/* `http://127.0.0.1:8000` of the socket; any address is the loopback one. */
void listen_origin(int fd, bool tls, struct buf *out);

#endif
