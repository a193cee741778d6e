/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a listing says of one directory, on its way into the tree.
 *
 * The store lists keys in byte order, so an object `a` comes before the prefix
 * `a/`, but not right before it: `a-b` and `a.txt` stand between them. Since
 * the directory hides the file, an object is held back until no `a/` can come.
 * What is held back is short: each of its names begins with the one before.
 */
#ifndef FS_NAMES_DIR_FILLER_H
#define FS_NAMES_DIR_FILLER_H

#include <stdbool.h>
#include <stddef.h>

#include "fs/names/dircache.h"

/* A file whose name may yet turn out to be a directory's as well. */
struct dir_filler_held {
	char name[256];
	struct object_info info;
};

/* One thread at a time; no call blocks. */
struct dir_filler {
	struct tree *tree;
	struct dir_merge merge;
	struct dir_filler_held *held; /* each begins with the one before */
	unsigned n_held;
	size_t cap_held;
	unsigned invisible; /* keys that no path can name */
	/* A name that has come in; takes the reference. 0 or -errno. */
	int (*show)(void *arg, struct inode *i);
	void *arg;
};

void dir_filler_init(struct dir_filler *f, struct tree *t,
		     const struct dir_merge *merge,
		     int (*show)(void *arg, struct inode *i), void *arg);
/* Frees; what has not come to its end leaves the directory as it is known. */
void dir_filler_clear(struct dir_filler *f);
/* The first len bytes as a name; false when no path can have it, which f counts
 * (NULL: it is not counted). */
bool dir_filler_name(struct dir_filler *f, const char *bytes, size_t len,
		     char name[256]);
/* In the order of a listing. info may be NULL; *out is referenced, or NULL when
 * it is not to be shown, and is not passed to show(). */
int dir_filler_file(struct dir_filler *f, const char *name,
		    const struct object_info *info);
int dir_filler_dir(struct dir_filler *f, const char *name,
		   const struct object_info *info, struct inode **out);
/* Says in the log how many keys are not shown, `lost` more among them. */
void dir_filler_tell(const struct dir_filler *f, const char *key,
		     unsigned lost);
/* All has come: the directory is complete (dircache_end()). lost: but for keys
 * that the store could not show. */
int dir_filler_end(struct dir_filler *f, bool lost);

#endif
