/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel is to be told of changes that it did not ask for. A queue: a
 * thread that finds a change puts it there, and one thread (fuse/notify.c)
 * takes it from there, because the kernel may make that thread wait for
 * requests of its own to be answered.
 */
#ifndef INVAL_QUEUE_H
#define INVAL_QUEUE_H

#include <stdbool.h>

enum inval_kind {
	INVAL_ENTRY, /* inode is a directory: name is not what it was */
	INVAL_ATTR, /* attributes of inode */
	INVAL_BYTES, /* its attributes and bytes */
};
struct inval {
	enum inval_kind kind;
	struct inode *inode; /* the kernel's number: perhaps gone */
	char name[256];
};
struct inode;
struct inval_queue;

struct inval_queue *inval_queue_new(void); /* NULL without memory */
void inval_queue_free(struct inval_queue *q);

/* From now on there is a listener; before, nothing is kept. */
void inval_queue_begin(struct inval_queue *q);
/* inval_queue_next() returns false from now on. */
void inval_queue_end(struct inval_queue *q);

/* dir/name is not what it was. */
void inval_queue_entry(struct inval_queue *q, struct inode *dir,
		       const char *name);
/* The attributes of i, or its bytes too, are not what they were. False when the
 * kernel will not be told: there is no listener, or too much is queued. */
bool inval_queue_inode(struct inval_queue *q, struct inode *i, bool bytes);

/*
 * Sleeps until the listener has dealt with all that was added before, so that a
 * thread that changed something may answer its caller; not for long, since the
 * kernel may keep the listener waiting. False when that time was too short, or
 * there is no listener.
 */
bool inval_queue_settle(struct inval_queue *q);

/* The next one, waited for; the one before it has been dealt with. */
bool inval_queue_next(struct inval_queue *q, struct inval *out);

#endif
