/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may have been sent before, without an answer that says so: an attempt
 * whose answer was lost, or what an earlier process was sending when it ended.
 * The store has other bytes than the base says then, which are our own; so the
 * next publication begins with a look at what is there.
 */
#ifndef FS_CONTENT_SENT_H
#define FS_CONTENT_SENT_H

#include "fs/content/turn.h"

/* The content as it is now may be the store's, or may come to be. */
void sent_maybe(struct file *f) REQUIRES(f->turn);
/* [start, end) is another than what was sent. Under the file's lock or not. */
void sent_stale(struct file *f, uint64_t start, uint64_t end) REQUIRES(f->turn);
/* An attempt to publish has ended so. */
void sent_ended(struct file *f, int rc) REQUIRES(f->turn);
/* It does not count any more. */
void sent_forget(struct file *f) REQUIRES(f->turn);
/*
 * Is it the store's, at key? Then that is the base from now on, and what was
 * changed since can be published over it. What cannot be told stays so: 0,
 * -EINTR, or why the store cannot be asked.
 */
int sent_settle(struct file *f, const char *key) REQUIRES(f->turn);
/* The same for a reader that the store has refused the base. */
int sent_settle_base(struct file *f);

#endif
