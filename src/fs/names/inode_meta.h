/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes that a store keeps in the metadata of its objects
 * (policy.in_metadata). A listing does not tell them: a name that is listed is
 * unlearned (inode_view), until a HEAD has told them or this mount has set
 * them. They count as long as a listing shows the ETag and the time that the
 * HEAD did; of a directory, of which a listing shows neither, as long as a
 * name.
 *
 *   unlearned --HEAD, made here--> known --changed here--> dirty
 *                                        <---stored-------
 *
 * What is dirty goes with the next publication of the file, or by a request of
 * its own (fs/attr/attr_queue.h). No I/O.
 */
#ifndef FS_NAMES_INODE_META_H
#define FS_NAMES_INODE_META_H

#include "fs/names/inode.h"

/* What is to be asked for when i is, which is unlearned: i, and if names were
 * asked for in the order of a listing, those that follow. Referenced; how
 * many. */
unsigned inode_meta_ahead(struct tree *t, struct inode *i, struct inode **out,
			  unsigned max);
/*
 * What a HEAD of dir/name told, asked when the clock stood at `asked`: a->which
 * is what of it. info NULL: a directory that has no object. What stands there
 * now, as tree_refresh(); a file that is found to be a symbolic link, or is
 * none any more, is another inode if the kernel knows it.
 */
struct inode *inode_meta_learn(struct tree *t, struct inode *dir,
			       const char *name, enum inode_kind kind,
			       const struct object_info *info,
			       const struct store_attr *a, uint64_t asked);
/* It is unlearned from now on. */
void inode_meta_forget(struct tree *t, struct inode *i);
/* A caller changes them. False: it was dirty already, or all of it was so. */
bool inode_meta_set(struct tree *t, struct inode *i,
		    const struct store_attr *a);
/* All of them, to be stored, of an unlearned one the times of its bytes; what
 * is changed from now on is to be stored again. False: it is not dirty. */
bool inode_meta_take(struct tree *t, struct inode *i, struct store_attr *out);
/* What was taken was stored by itself; rc: it was not, and is forgotten. */
void inode_meta_stored(struct tree *t, struct inode *i, int rc);
/* What was taken was not stored, and is still to be. */
void inode_meta_untake(struct tree *t, struct inode *i);
/* How old what is known of an object may be. */
unsigned inode_meta_age_ms(struct tree *t, const struct inode *i);
bool inode_meta_is_dirty(struct tree *t, struct inode *i);

#endif
