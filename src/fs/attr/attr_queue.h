/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changed attributes of names whose bytes are stored (attr_send.h). The first
 * one is stored at once, so that a refusal reaches its program. Those that
 * follow in a burst (fs/burst/burst.h), and those of a name that this mount has
 * just made, are gathered: many changes of one name are one request, BURST_MS
 * later at the latest, and before what depends on them, which waits here.
 *
 * One that the store then refuses is in the log, the name has its old
 * attributes again, and the next fsync of it or of its directory has the error,
 * once.
 *
 * No function is called with a lock held.
 */
#ifndef FS_ATTR_ATTR_QUEUE_H
#define FS_ATTR_ATTR_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct attr_queue;
struct inode;
struct tree;

struct attr_queue *attr_queue_new(struct tree *t); /* NULL: no memory */
/* What waits is stored first. After the last request. NULL is fine. */
void attr_queue_free(struct attr_queue *q);

/* i, which was not dirty, is (inode_meta_set()). made: it was made, or written,
 * here just now. 0 or why it is not stored. */
int attr_queue_add(struct attr_queue *q, struct inode *i, bool made);
/* Until none of i, and of what is below it, waits or is being stored. 0,
 * -EINTR, or what was refused there since it was asked last. */
int attr_queue_settle(struct attr_queue *q, struct inode *i);
/* All, interrupted or not. 0, or -ETIMEDOUT at until_ms. */
int attr_queue_wait_all(struct attr_queue *q, int64_t until_ms);
/* The same without a bound; the first refusal that no caller has taken yet. */
int attr_queue_drain(struct attr_queue *q);

#endif
