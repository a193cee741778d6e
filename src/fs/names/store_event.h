/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What another part of this process did to a store's object, and where it
 * stands in the tree. Part of the tree (inode.h); no I/O.
 */
#ifndef FS_NAMES_STORE_EVENT_H
#define FS_NAMES_STORE_EVENT_H

#include <stdbool.h>

#include "fs/names/inode.h"

struct store_event {
	struct inode *dir; /* a number only */
	const char *name; /* in dir */
	struct inode *inode; /* referenced meanwhile; NULL: none that we know */
	/* What the kernel should forget: the name, the bytes and attributes of
	 * inode, the attributes of dir. */
	bool tell_entry, tell_inode, tell_dir;
};

/*
 * key of that store was put. The tree learns it, in each stage that shows the
 * key, and a listing under way does not undo it; what is dirty stays. each() is
 * called without the lock.
 */
void store_event_apply(struct tree *t, struct store *s, const char *key,
		       const struct object_info *info,
		       void (*each)(void *arg, const struct store_event *a),
		       void *arg);

#endif
