/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getxattr(2) and its like. Each may block on the store.
 */
#ifndef FS_XATTR_FS_XATTR_H
#define FS_XATTR_FS_XATTR_H

#include "fs/fs.h"

/* The value, appended to out. -ENODATA, -EINVAL, -EACCES ... */
int fs_xattr_get(struct fs *fs, struct inode *i, const char *name,
		 const struct fs_caller *c, struct buf *out);
/* Names, each with its NUL, appended to out. */
int fs_xattr_list(struct fs *fs, struct inode *i, struct buf *out);
int fs_xattr_set(struct fs *fs, struct inode *i, const char *name,
		 const char *value, size_t len, int flags,
		 const struct fs_caller *c);
int fs_xattr_remove(struct fs *fs, struct inode *i, const char *name,
		    const struct fs_caller *c);

#endif
