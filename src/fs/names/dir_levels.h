/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listing without a delimiter, on its way into the tree: it fills the
 * directories below one, each as it comes to it.
 *
 *   keys of the listing     d/a/x  d/a/y  d/b/c/z  d/e
 *   levels of directories   [d/a/] [d/a/] [d/b/ d/b/c/] []
 *
 * A level is a directory that the listing stands in; one that it leaves is
 * complete. Of the top itself it says only that files are still there.
 */
#ifndef FS_NAMES_DIR_LEVELS_H
#define FS_NAMES_DIR_LEVELS_H

#include "base/buf.h"
#include "fs/names/dir_filler.h"

struct dir_level;

/* One thread at a time; no call blocks. */
struct dir_levels {
	struct tree *tree;
	struct inode *top; /* the caller holds it */
	char *prefix; /* top's key */
	struct buf path; /* of the innermost level: a key with its '/' */
	struct dir_level *levels;
	size_t n, cap;
	struct dir_merge page; /* since when what comes counts: the caller's */
	bool lost; /* the listing has not shown some key: the caller's */
};

/* at: where top stands. To be cleared also after an error. */
int dir_levels_init(struct dir_levels *l, struct tree *t, struct inode *top,
		    const struct inode_place *at);
/* What has not come to its end stays as it is known. */
void dir_levels_clear(struct dir_levels *l);
/* The next entry, in the order of keys. */
int dir_levels_take(struct dir_levels *l, const struct list_entry *e);
/* Leaves the levels that the key is not in; NULL: all. */
int dir_levels_leave(struct dir_levels *l, const char *key);

#endif
