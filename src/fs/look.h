/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One name, and what is below it, by one request. What is found below goes into
 * the tree, so that a path of several names is asked for once.
 */
#ifndef FS_LOOK_H
#define FS_LOOK_H

#include "fs/names/ask.h"

struct fs;

/*
 * What is at the name in dir that has this key: as store_stat(). A small
 * directory is complete then. May block on the store.
 */
int look_name(struct fs *fs, const struct ask *ask, const char *key,
	      struct inode *dir, struct name_info *out);

#endif
