/*
 * The connections there are: how many, what each is at, and which of them may
 * be cut off. A client that has not said yet what it wants, or whose request
 * was refused, has a deadline; and it goes first when others need the place.
 * A request that was let in has to move LINK_BYTES in each LINK_LOOK_S during
 * which the server waits for its client, and many times that as the house fills
 * up; when it is full the slowest of those that are too slow for a full house
 * goes for the next that comes. And once half of the places are taken no object
 * may have more than a quarter of them at work, and no address of another
 * machine more than half. So nobody keeps others out by opening connections
 * and being slow, whatever one URL or one machine allows.
 *
 * Programs of this machine are not told apart by address: a proxy is one, and
 * stands for many.
 */
#ifndef GATEWAY_LINKS_H
#define GATEWAY_LINKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct links;
struct waiter;

#define LINK_BYTES 16384
#define LINK_LOOK_S 60

enum link_phase {
	LINK_IDLE, /* headers are awaited: deadline, may be cut */
	LINK_REFUSED, /* the rest of a refused body: the same */
	LINK_AT_WORK, /* a request that was let in */
	LINK_CUT, /* its socket was shut down */
};

/* One connection; the server's own fields are for its own thread. */
struct link {
	int fd;
	enum link_phase phase; /* under the list's lock */
	int64_t deadline_ms; /* LINK_IDLE, LINK_REFUSED */
	/* LINK_AT_WORK: what it had moved then; 0: nobody has looked yet */
	int64_t looked_ms;
	uint64_t moved;
	/* LINK_AT_WORK: since when, and what it had moved before */
	int64_t began_ms;
	uint64_t began_at;
	uint64_t object, peer; /* what it is counted with, hashed; 0: nothing */
	struct waiter *waiter; /* whom to wake at the end */
	struct link *prev, *next;
	char *target; /* raw, of the request under way */
	struct sockaddr_storage local; /* AF_UNSPEC: not asked yet */
};

/* patience_ms: how long headers may take; look_ms: see above, 0 is LINK_LOOK_S.
 * NULL without memory or a thread. */
struct links *links_new(unsigned limit, unsigned patience_ms, unsigned look_ms);
/* All connections have gone by then. */
void links_free(struct links *l);

/* A connection came. NULL: there is no room for it, or no memory. */
struct link *links_add(struct links *l, int fd);
void links_remove(struct links *l, struct link *k); /* frees; NULL is fine */

/* A request shall be let in, for an object (its path; NULL: none) and from an
 * address. false: these have their share of a house that fills up. */
bool links_share(struct links *l, struct link *k, const char *object,
		 const struct sockaddr_storage *peer);
/* false: it was cut off meanwhile. */
bool links_set(struct links *l, struct link *k, enum link_phase phase);
/* The deadline starts again. */
void links_touch(struct links *l, struct link *k);
/* The thread that works for it now, NULL: none. */
void links_set_waiter(struct links *l, struct link *k, struct waiter *w);

/* How many there are, work, and were cut off since the start. */
unsigned links_count(struct links *l);
unsigned links_at_work(struct links *l);
uint64_t links_cut_total(struct links *l);
/* Cuts the idle ones now; all: every one, and wakes who waits. */
void links_cut(struct links *l, bool all);

#endif
