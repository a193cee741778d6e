/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of names that are gathered for a moment (burst.h) and then asked of
 * their stores, each store's on threads of its own: one that does not answer
 * keeps no other's waiting. One that is refused after its program went on is
 * kept until gather_take_refusal() or gather_drain() asks for it.
 *
 * Functions that end with _locked are for the owner of a gather, which adds to
 * it. No other is called with a lock held.
 */
#ifndef FS_BURST_GATHER_H
#define FS_BURST_GATHER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/lock.h"
#include "base/thread.h"
#include "base/waiter.h"
#include "fs/burst/burst.h"

struct inode;
struct store;
struct tree;

/* A change; it stands first in its owner's structure. */
struct gathered {
	struct store *store; /* referenced */
	struct inode *inode; /* referenced: it is waited for by this one */
	const char *name; /* of a name in that directory; NULL: of itself */
	int rc; /* that of the store */
	int64_t since_ms;
	struct gathered *prev, *next;
};

struct gather_kind {
	const char *name; /* of the threads, base/thread.h */
	unsigned batch; /* changes that leave together at most */
	unsigned at_once; /* batches under way, of one store */
	/* Sets each one's rc. Blocks; not interrupted. */
	void (*send)(void *arg, struct gathered *list, unsigned n);
	/* The memory of e, whose references are gone. */
	void (*free)(struct gathered *e);
};

/* Changes of a queue that a thread asks the store for; the list is the owner's
 * to look through. */
struct gather_batch {
	struct gather *gather;
	struct gather_queue *queue;
	struct gathered *list;
	unsigned n;
	pthread_t thread;
	bool has_thread; /* else it is the task's */
	struct gather_batch *prev, *next;
};

/* One store's, while there is something of it. */
struct gather_queue {
	const struct store *store;
	struct gathered *waiting; /* the oldest first */
	struct burst burst; /* of those */
	struct gather_batch *leaving;
	unsigned n_leaving;
	struct gather_queue *prev, *next;
};

struct gather_locked {
	struct gather_queue *queues;
	struct gathered *alone; /* their callers ask the store themselves */
	struct gather_batch *over; /* their threads are to be joined */
	struct gathered *refused; /* the oldest first */
	unsigned n_refused;
	struct waiter_list waiters; /* for one to go */
	struct waiter_list idle; /* the task's */
};

struct gather {
	const struct gather_kind *kind;
	void *arg; /* of its functions */
	struct tree *tree;
	_Atomic(bool) any; /* something waits, leaves or was refused */
	struct thread_task task; /* begins with the first that is gathered */
	struct lock lock;
	struct gather_locked guarded_;
};

LOCK_GUARDS(gather_locked, gather, gather_locked);

void gather_init(struct gather *g, const struct gather_kind *kind, void *arg,
		 struct tree *t);
/* What waits was waited for (gather_drain()). */
void gather_destroy(struct gather *g);

/* May one of that store wait now? Then gather_put_locked() may follow. last_ms:
 * as for burst_gathers(). */
bool gather_takes_locked(struct gather *g, const struct store *s,
			 int64_t last_ms) REQUIRES(&g->lock);
/* It is the gather's. */
void gather_put_locked(struct gather *g, struct gathered *e) REQUIRES(&g->lock);
/* e, which waits, is the caller's again. */
void gather_take_back_locked(struct gather *g, struct gather_queue *l,
			     struct gathered *e) REQUIRES(&g->lock);
/* It is waited for while its caller asks the store; the caller then calls
 * gather_alone_end() and gather_drop(). */
void gather_alone_locked(struct gather *g, struct gathered *e)
	REQUIRES(&g->lock);
void gather_alone_end(struct gather *g, struct gathered *e);
/* The end of e, which is the caller's. */
void gather_drop(struct gather *g, struct gathered *e);

/* Which of them; all zeros: all. */
struct gather_want {
	struct inode *inode;
	const char *name; /* in inode */
	bool below; /* and what is below inode */
};

/* Until none of them waits or is asked of the store: it is sent first. 0 or
 * -EINTR. */
int gather_wait(struct gather *g, const struct gather_want *w);
/* Until none at all does, interrupted or not; 0, or -ETIMEDOUT at until_ms. */
int gather_wait_all(struct gather *g, int64_t until_ms);
/* The oldest refusal of one of them, which is forgotten; 0: there is none. */
int gather_take_refusal(struct gather *g, const struct gather_want *w);
/* Waits for all, without a bound; the first refusal that no caller has taken
 * yet. All are forgotten. */
int gather_drain(struct gather *g);

/* For what follows a change of the owner's under the lock. */
void gather_changed_locked(struct gather *g) REQUIRES(&g->lock);

#endif
