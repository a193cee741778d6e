/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway is told when it starts. The lists are separated by spaces or
 * commas.
 */
#ifndef GATEWAY_SETTINGS_H
#define GATEWAY_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct budget;
struct buf;
struct object_info;
struct store;

/* A [user NAME]. Borrowed. */
struct gateway_user {
	const char *name;
	const char *password_hash; /* `stagefs passwd` made it */
	const char *read, *write; /* lists of stages, `*` all; "" none */
};

/* An object has been put. By the thread that did it, before the client has its
 * answer. */
typedef void gateway_changed_fn(void *arg, struct store *s, const char *key,
				const struct object_info *info);

/* All that it points to is borrowed until gateway_free(), the sockets until
 * gateway_new() has returned. */
struct gateway_settings {
	const char *listen; /* HOST:PORT[, HOST:PORT]; NULL: 127.0.0.1:8000 */
	/* The default address, so the next free port is taken when it is held
	 * by something else, and remembered; else a held one is an error. */
	bool any_port;
	/* fds from a socket unit (LISTEN_FDS), used instead; NULL: none */
	const int *inherited;
	unsigned n_inherited;
	const char *tls_certificate, *tls_key; /* PEM files; NULL: plain HTTP */
	bool allow_plain_http; /* beyond loopback without TLS */
	bool alone; /* `stagefs serve`: may go beyond loopback */
	const char *allowed_hosts, *cors_origins; /* lists */
	const char *user; /* [stagefs] user: acts without Authorization */
	const struct gateway_user *users;
	unsigned n_users;
	/* Bytes of object data, and the share that uploads may hold of them
	 * (NULL: all). */
	struct budget *budget, *share;
	gateway_changed_fn
		*changed; /* NULL: the stores are shown nowhere else */
	void *changed_arg;
	/* Appends to /metrics what else the daemon does; NULL: nothing. */
	void (*metrics)(void *arg, struct buf *out);
	/* How many servers of stages do not answer; NULL: none is asked. */
	unsigned (*down)(void *arg);
	void *metrics_arg; /* of both */
	unsigned connections; /* 0: 1500 */
	unsigned header_timeout_s,
		body_timeout_s; /* 0: 20, 60 with next to no byte */
	int64_t (*now_s)(void); /* NULL: clock_now_s(); for tests */
};

#endif
