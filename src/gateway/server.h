/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd's daemons, one for each listening socket.
 */
#ifndef GATEWAY_SERVER_H
#define GATEWAY_SERVER_H

#include <stdbool.h>

struct buf;
struct gateway;
struct server;

#define SERVER_SOCKETS_MAX 16

/*
 * Answers at the sockets, which it takes (also when it fails), as g->server.
 * 0, or -errno with why set.
 */
int server_new(struct gateway *g, const int *fds, unsigned n, struct buf *why);
/* No more connections; waits for requests under way, at most so long. true:
 * they have ended. */
bool server_stop(struct server *s, unsigned seconds);
void server_free(struct server *s); /* NULL is fine */

/* The version of libmicrohttpd. Static. */
const char *server_library(void);

#endif
