/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections there are: how many, what each is at, and which of them may
 * be cut off. A client that has not said yet what it wants, or whose request
 * was refused, has a deadline; and it goes first when others need the place.
 * A request that was let in has to move CONNECTION_BYTES in each
 * CONNECTION_LOOK_S during which the server waits for its client, and many
 * times that as the house fills up; when it is full the slowest of those that
 * are too slow for a full house goes for the next that comes. And once half of
 * the places are taken no object may have more than a quarter of them at work,
 * and no address of another machine more than half. So no client keeps others
 * out by opening connections and being slow, whatever one URL or one machine
 * allows.
 *
 * Programs of this machine are not told apart by address: a proxy is one, and
 * stands for many.
 */
#ifndef GATEWAY_CONNECTIONS_H
#define GATEWAY_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct connections;
struct waiter;

#define CONNECTION_BYTES 16384
#define CONNECTION_LOOK_S 60

enum connection_phase {
	CONNECTION_IDLE, /* headers are awaited: deadline, may be cut */
	CONNECTION_REFUSED, /* the rest of a refused body: the same */
	CONNECTION_AT_WORK, /* a request that was let in */
	CONNECTION_CUT, /* its socket was shut down */
};

/* One connection; the server's own fields are for its own thread. */
struct connection {
	int fd;
	enum connection_phase phase; /* under the list's lock */
	int64_t deadline_ms; /* CONNECTION_IDLE, CONNECTION_REFUSED */
	/* CONNECTION_AT_WORK: what it had moved then; 0: not looked at yet */
	int64_t looked_ms;
	uint64_t moved;
	/* CONNECTION_AT_WORK: since when, and what it had moved before */
	int64_t began_ms;
	uint64_t began_at;
	uint64_t object, peer; /* what it is counted with, hashed; 0: nothing */
	struct waiter *waiter; /* the thread to wake at the end */
	struct connection *prev, *next;
	char *target; /* raw, of the request under way */
	struct sockaddr_storage local; /* AF_UNSPEC: not asked yet */
};

/* patience_ms: how long headers may take; look_ms: see above, 0 is
 * CONNECTION_LOOK_S. NULL without memory or a thread. */
struct connections *connections_new(unsigned limit, unsigned patience_ms,
				    unsigned look_ms);
/* All connections have gone by then. */
void connections_free(struct connections *l);

/* A connection came. NULL: there is no room for it, or no memory. */
struct connection *connections_add(struct connections *l, int fd);
void connections_remove(struct connections *l,
			struct connection *k); /* frees; NULL is fine */

/* A request shall be let in, for an object (its path; NULL: none) and from an
 * address. false: these have their share of a house that fills up. */
bool connections_share(struct connections *l, struct connection *k,
		       const char *object, const struct sockaddr_storage *peer);
/* false: it was cut off meanwhile. */
bool connections_set(struct connections *l, struct connection *k,
		     enum connection_phase phase);
/* The deadline starts again. */
void connections_touch(struct connections *l, struct connection *k);
/* The thread that works for it now, NULL: none. */
void connections_set_waiter(struct connections *l, struct connection *k,
			    struct waiter *w);

struct connections_counts {
	unsigned now, at_work;
	uint64_t cut; /* since the start */
};
struct connections_counts connections_count(struct connections *l);
/* Cuts the idle ones now; all: every one, and wakes their threads. */
void connections_cut(struct connections *l, bool all);

#endif
