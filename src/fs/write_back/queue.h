/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share: the queue of changes.
 */
#ifndef FS_WRITE_BACK_QUEUE_H
#define FS_WRITE_BACK_QUEUE_H

#include <stdatomic.h>
#include <uthash.h>

#include "base/lock.h"
#include "base/thread.h"
#include "base/waiter.h"
#include "fs/write_back/write_back.h"

/* A change. Its inode, file and number stay as long as a reference does. */
struct queued {
	struct inode *inode; /* referenced */
	struct file *file; /* a use of the inode's content; NULL: a directory */
	uint64_t id;
	unsigned refs; /* the queue's and workers'; under the lock */
	bool sending, failed, gone;
	bool wanted; /* a flush waits for it, or for its failure */
	int rc; /* of the last attempt; 0: there was none since */
	unsigned tries;
	int64_t due_ms;
	uint64_t bytes;
	bool spilled;
	/* What the store had there when an earlier daemon was about to remove
	 * or replace it (record.h), or NULL. Changed under the lock by the
	 * thread that claimed the inode. */
	char *ending;
	UT_hash_handle hh;
	struct queued *prev, *next; /* of waiting or failed */
};

struct queue_locked {
	struct queued *index; /* by inode */
	struct queued *waiting, *failed; /* the first one is due first */
	unsigned n, n_failed, n_sending, n_wanted;
	unsigned n_spilled; /* with a file of their own, which is open */
	uint64_t bytes;
	unsigned n_workers;
	bool opening; /* a thread opens the journal */
	bool said; /* that it could not be opened */
	unsigned n_stranded; /* changes that stay in the journal */
	bool stopped; /* no more is sent */
	bool ends; /* a store that does not answer stops it */
	struct waiter_list idle; /* workers */
	struct waiter_list changed; /* those that wait for room or the end */
};

struct write_back {
	struct write_back_settings set; /* strings are its own */
	struct journal *journal; /* once opened */
	/* What a worker does; it blocks on the store. */
	int (*send)(struct write_back *w, struct queued *q);
	unsigned files_max; /* that may be open at once */
	_Atomic(bool) opened;
	_Atomic(unsigned) any; /* changes in the queue */
	struct thread_task workers[WRITE_BACK_WIDTH];
	struct lock lock;
	struct queue_locked guarded_;
};

LOCK_GUARDS(queue_locked, write_back, queue_locked);

/* The journal is open, or -errno; -EOPNOTSUPP: there is to be none. */
int write_back_open(struct write_back *w);
/* Where the stage's keys are. */
void write_back_place(const struct stage *s, struct buf *out);

/* A change that enters, or that the one there is becomes. */
struct queue_change {
	struct inode *inode;
	struct file *file; /* a use, taken over; or NULL */
	uint64_t id;
	uint64_t bytes;
	bool spilled; /* they are in a file of their own */
	const char *ending; /* copied; or NULL */
	int64_t delay_ms; /* until it is due */
};

/* -ENOMEM. */
int queue_put(struct write_back *w, const struct queue_change *c);
/* The number of the change of i that waits; 0: none does. */
uint64_t queue_find(struct write_back *w, struct inode *i);
/* It leaves the queue; its number, for journal_gone(). 0: none did. */
uint64_t queue_leave(struct write_back *w, struct inode *i);
/* It leaves the queue, and the journal. */
void queue_remove(struct write_back *w, struct inode *i);
/* Each change at or below i, referenced, in an array to be freed. */
int queue_list(struct write_back *w, struct inode *i, struct queued ***out,
	       size_t *n);
/* Another worker looks: one that sleeps, or a new one. */
void queue_call_locked(struct write_back *w) REQUIRES(&w->lock);
void queue_unref(struct write_back *w, struct queued *q);
/* Until no worker is at the change of i; true: there is one, never tried. */
bool queue_wait_sent(struct write_back *w, struct inode *i);
/* Until there is room for a change of i; 0 or -EINTR. */
int queue_wait_room(struct write_back *w, struct inode *i, uint64_t bytes);
/* Workers end; what is left leaves memory. */
void queue_stop(struct write_back *w);

#endif
