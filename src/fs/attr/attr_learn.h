/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the store for attributes that it keeps in the metadata of objects
 * (fs/names/inode_meta.h): a HEAD for each name, once for each version. Of a
 * name that is asked for by itself one; when names are asked for in the order
 * of a listing (`ls -l`, rsync) those that follow, ATTR_LEARN_AT_ONCE together.
 */
#ifndef FS_ATTR_ATTR_LEARN_H
#define FS_ATTR_ATTR_LEARN_H

#include "fs/names/inode.h"

#define ATTR_LEARN_AT_ONCE 64

/*
 * *i, a reference, is learned, if it was not. It may be another inode
 * afterwards, when the name is another's by now. Blocks. -ENOENT when nothing
 * stands there, and *i stays as it was; -EINTR; else why the store cannot be
 * asked.
 */
int attr_learn(struct tree *t, struct inode **i);

#endif
