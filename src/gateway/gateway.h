/*
 * The HTTP gateway: pre-signed URLs of local stages, the upload API, health and
 * metrics (docs/gateway.md). In the mounting daemon, or alone (`stagefs serve`).
 *
 * It answers on threads of its own, one for each connection, in straight-line
 * code; every limit is in struct gateway_settings.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct catalog;
struct gateway;

/* A [user NAME]. Borrowed. */
struct gateway_user {
	const char *name;
	const char *password_hash; /* `stagefs passwd` made it */
	const char *read, *write; /* lists of stages, `*` all; "" none */
};

/* Borrowed during gateway_new() only; lists are separated by spaces or
 * commas. */
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
	const char *user; /* [stagefs] user: who acts without Authorization */
	const struct gateway_user *users;
	unsigned n_users;
	uint64_t memory; /* bytes of all uploads under way together */
	unsigned connections; /* 0: 1500 */
	unsigned header_timeout_s,
		body_timeout_s; /* 0: 20, 60 with next to no byte */
	int64_t (*now_s)(void); /* NULL: clock_now_s(); for tests */
	/* Adds to what /metrics says, in Prometheus' text format; any thread.
	 * NULL: nothing. metrics_arg outlives the gateway. */
	void (*metrics)(void *arg, struct buf *out);
	void *metrics_arg;
};

/*
 * Checks, binds, and answers from then on. 0, or -errno with why in err:
 * -EINVAL a setting, -EADDRINUSE, -EACCES. The catalog outlives it. Threads
 * start here: after the fork.
 */
int gateway_new(const struct gateway_settings *set, struct catalog *catalog,
		struct gateway **out, struct buf *err);
/* `http://127.0.0.1:8000`: the first address that it answers at. */
void gateway_origin(const struct gateway *g, struct buf *out);
/* Takes no more connections and lets requests under way end, at most so many
 * seconds: true when they have. May be called again. */
bool gateway_stop(struct gateway *g, unsigned seconds);
/* NULL is fine. Ends what is still under way. */
void gateway_free(struct gateway *g);

#endif
