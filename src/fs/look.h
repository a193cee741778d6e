/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One name, and what is below it, by one request. What is found below goes into
 * the tree, so that a path of several names is asked for once.
 */
#ifndef FS_LOOK_H
#define FS_LOOK_H

#include "fs/names/ask.h"

struct fs;

struct look_file {
	struct name_info at; /* as store_stat() has it */
	bool has_attr; /* attr is what the object's metadata say */
	struct store_attr attr;
};

/*
 * A name of which nothing is known, and which is expected to be a file that
 * will be opened (dircache_way()): by the GET that the open needs. 0:
 * it is one, but keys may lie below it as well; -EAGAIN: the name is to be
 * asked for; -EINTR. May block on the store.
 */
int look_file(struct fs *fs, const struct ask *ask, const char *key,
	      struct inode *dir, struct look_file *out);
/*
 * What is at the name in dir that has this key: as store_stat(). A small
 * directory is complete then. May block on the store.
 */
int look_name(struct fs *fs, const struct ask *ask, const char *key,
	      struct inode *dir, struct name_info *out);

#endif
