/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May a caller do this to an inode? Pure, but for the caller's groups.
 */
#ifndef FS_ACCESS_H
#define FS_ACCESS_H

#include <sys/types.h>

struct fs_caller;

#define ACCESS_READ 4
#define ACCESS_WRITE 2
#define ACCESS_SEARCH 1

/*
 * 0, or -EACCES, also when the groups matter and cannot be read. Root may
 * read and write everything.
 */
int access_check(const struct fs_caller *c, mode_t mode, uid_t uid, gid_t gid,
		 unsigned want);

#endif
