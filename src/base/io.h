/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of file descriptors: read(2), write(2) and their kin until all is
 * done, whatever part one call does and whichever signal breaks it off.
 * Everything here blocks; failures are -errno.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;

/* How many bytes: short only at the end of the file. */
ssize_t io_read(int fd, void *room, size_t n);
ssize_t io_pread(int fd, void *room, size_t n, uint64_t at);
/* What lies beyond the end is zeros. 0 or -errno. */
int io_pread_zeros(int fd, void *room, size_t n, uint64_t at);

/* All that is still to come, added to `out`. -EMSGSIZE: it is longer than
 * out's limit; what fits has been added. */
int io_read_all(int fd, struct buf *out);
int io_read_file(const char *path, struct buf *out);

/* 0 when all is written. *done, also after a failure: how many bytes are. */
int io_write(int fd, const void *bytes, size_t n);
int io_pwrite(int fd, const void *bytes, size_t n, uint64_t at);
int io_pwrite_some(int fd, const void *bytes, size_t n, uint64_t at,
		   size_t *done);

/* [at, at + n) in pieces, each given to take(): 0, what that failed with, or
 * -EIO, the file ends early; which io_each_there() does not mind. */
typedef int io_take(void *arg, const void *bytes, size_t n);
int io_each(int fd, uint64_t at, uint64_t n, io_take *take, void *arg);
int io_each_there(int fd, uint64_t at, uint64_t n, io_take *take, void *arg);

/* The names in a directory outlive a power cut: 0 or -errno. */
int io_sync_dir(const char *path);

/* [from, to) are zeros from now on, of a file that becomes as long as that: a
 * hole, where the file system knows such. */
int io_zero(int fd, uint64_t from, uint64_t to);

/*
 * From file to file: by the kernel, which may share blocks, or through a buffer
 * where it cannot. -ENODATA: the source ends early. -EINTR: the operation was
 * interrupted between two pieces (waiter_interrupted()).
 */
int io_copy(int from, uint64_t from_at, int to, uint64_t to_at, uint64_t n);

#endif
