/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are removed together. The first unlink in a directory is asked of
 * the store at once; those that follow in a burst (fs/burst/burst.h) go from
 * the tree, are gathered, and leave by store_remove_many() BURST_MS later, or
 * once the batch before is answered, and before anything that depends on them,
 * which waits here.
 *
 * One that the store does not remove is in the log, its name is there again,
 * and the directory's next rmdir or fsync has the error, once.
 *
 * No function is called with a lock held; those that wait end with -EINTR when
 * the calling operation is interrupted.
 */
#ifndef FS_REMOVALS_H
#define FS_REMOVALS_H

#include <stdbool.h>
#include <stdint.h>

struct fs;
struct inode;
struct removals;
struct stage;
struct store;

/* keep: marker_keep_empty(), for directories that would vanish. NULL without
 * memory. */
struct removals *removals_new(struct fs *fs,
			      int (*keep)(struct fs *fs, struct inode *dir));
/* What waits is sent first. After the last request. NULL is fine. */
void removals_free(struct removals *r);

/*
 * i, a file in dir that is claimed and published as key, is removed. 0: it has
 * gone from the tree; 1: the caller is to ask the store, and to say by
 * removals_asked() that it did. keeps: dir would vanish from the store with it.
 * ending: write_back_ending() of i; ends with the removal.
 */
int removals_add(struct removals *r, struct inode *dir, struct inode *i,
		 struct stage *stage, const char *key, bool keeps,
		 uint64_t ending);
/* The store has removed a name of dir. */
void removals_asked(struct removals *r, struct inode *dir);

/* Until no such name waits or is being removed: dir/name; names in dir; names
 * in and below dir. */
int removals_wait_name(struct removals *r, struct inode *dir, const char *name);
int removals_wait_dir(struct removals *r, struct inode *dir);
int removals_wait_below(struct removals *r, struct inode *dir);
/* The names in dir, and what was refused there since it was asked last. leaves:
 * dir itself is about to be removed. */
int removals_settle(struct removals *r, struct inode *dir, bool leaves);
/* All, interrupted or not. 0, or -ETIMEDOUT at until_ms. */
int removals_wait_all(struct removals *r, int64_t until_ms);
/* The same without a bound; the first refusal that no caller has taken yet. */
int removals_drain(struct removals *r);

/* Another front end of this process has put an object there: it stays. */
void removals_overtaken(struct removals *r, struct store *s, const char *key);

#endif
