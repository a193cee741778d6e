/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories are asked for side by side where one listing of all that is below
 * them would bring too much (subtree.h): the next ones in the order of the
 * listing that a traversal goes by, beside the one that was opened, and beside
 * the one above it where that has no more.
 *
 * Only the first page of each is asked for, and it is read when the directory
 * is. As many are under way as the traversal has earned: two requests for each
 * directory that it has opened, AHEAD_MAX of them in all. One that is not
 * opened in half of metadata_ttl is given up.
 *
 * Not for stores of files. Only dir_ahead_forget() and the end may wait for the
 * store, as long as it takes to break a request off.
 */
#ifndef FS_DIR_AHEAD_H
#define FS_DIR_AHEAD_H

#include <stdbool.h>

struct dir_ahead;
struct dir_merge;
struct fs;
struct inode;
struct store_list;

/* A listing that began so long ago is not believed. */
bool dir_ahead_is_old(struct fs *fs, const struct dir_merge *m);

struct dir_ahead *dir_ahead_new(struct fs *fs); /* NULL: no memory */
/* Before the tree. No call is under way. NULL is fine. */
void dir_ahead_free(struct dir_ahead *a);

/* What no thread is about just now is given up. */
void dir_ahead_forget(struct dir_ahead *a);

/*
 * The listing of dir, which has this key, if it was asked for: the caller's,
 * with what it counts from. False: there is none.
 */
bool dir_ahead_take(struct dir_ahead *a, struct inode *dir, const char *key,
		    struct dir_merge *merge, struct store_list **out);
/* Is it asked for? */
bool dir_ahead_has(struct dir_ahead *a, struct inode *dir);
/* dir was opened, and is asked for: so are those behind it. */
void dir_ahead_go_on(struct dir_ahead *a, struct inode *dir);

#endif
