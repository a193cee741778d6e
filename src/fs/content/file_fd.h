/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files on a store's own disk, of which objects are made: counted, because
 * readers go on with one that a publication has just replaced.
 */
#ifndef FS_CONTENT_FILE_FD_H
#define FS_CONTENT_FILE_FD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct file_fd {
	int fd;
	unsigned refs; /* atomic */
	/* When it was opened. */
	int64_t size;
	struct timespec mtime;
};

/* Takes over fd, also in failure. NULL without memory. */
struct file_fd *file_fd_new(int fd);
struct file_fd *file_fd_ref(struct file_fd *x);
void file_fd_unref(struct file_fd *x); /* NULL is fine */

/* It has no name any more, and size and time of when it was opened. */
bool file_fd_unlinked_same(const struct file_fd *x);

/* All of [start, end) to `at` there; the disk shares blocks if it can, and what
 * is a hole stays one.
 * -ESTALE when `from` is shorter, -EINTR between two pieces. */
int file_fd_copy(int from, uint64_t start, uint64_t end, int to, uint64_t at);
/* All of it in one step, where the disk can: else -EOPNOTSUPP. `to` is
 * empty. */
int file_fd_clone(int from, int to);

#endif
