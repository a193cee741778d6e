/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/number.h"
#include "base/waiter.h"

#define READ_STEP 16384
#define COPY_STEP (64u << 20) /* an interrupt is seen between two of them */
#define COPY_ROOM (256u << 10)

/* at: -1 where the file is now. */
static ssize_t io_fill(int fd, void *room, size_t n, off_t at)
{
	size_t done = 0;

	while (done < n) {
		char *to = (char *)room + done;
		ssize_t got =
			at < 0 ? read(fd, to, n - done)
			       : pread(fd, to, n - done, at + (off_t)done);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			break;
		done += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)done;
}

ssize_t io_read(int fd, void *room, size_t n)
{
	return io_fill(fd, room, n, -1);
}

ssize_t io_pread(int fd, void *room, size_t n, uint64_t at)
{
	return io_fill(fd, room, n, (off_t)at);
}

int io_pread_zeros(int fd, void *room, size_t n, uint64_t at)
{
	ssize_t got = io_pread(fd, room, n, at);

	if (got < 0)
		return (int)got;
	memset((char *)room + got, 0, n - (size_t)got);
	return 0;
}

/* early: what it is that the file ends early. */
static int io_give(int fd, uint64_t at, uint64_t n, io_take *take, void *arg,
		   int early)
{
	size_t size = number_min(n, COPY_ROOM);
	MEM_LOCAL char *room = malloc(size);
	int rc = room ? 0 : -ENOMEM;

	for (uint64_t end = at + n; !rc && at < end;) {
		ssize_t got =
			io_pread(fd, room, number_min(end - at, size), at);

		if (!got)
			return early;
		rc = got < 0 ? (int)got : take(arg, room, got);
		at += (uint64_t)got;
	}
	return rc;
}

int io_each(int fd, uint64_t at, uint64_t n, io_take *take, void *arg)
{
	return io_give(fd, at, n, take, arg, -EIO);
}

int io_each_there(int fd, uint64_t at, uint64_t n, io_take *take, void *arg)
{
	return io_give(fd, at, n, take, arg, 0);
}

int io_read_all(int fd, struct buf *out)
{
	for (;;) {
		size_t room = number_min(out->max - out->len, READ_STEP);
		char beyond, *to = room ? buf_reserve(out, room) : &beyond;
		ssize_t got;

		if (!to)
			return buf_err(out);
		got = io_read(fd, to, room ? room : 1);
		if (got <= 0)
			return (int)got;
		if (!room)
			return -EMSGSIZE;
		out->len += (size_t)got;
		if ((size_t)got < room)
			return 0;
	}
}

int io_read_file(const char *path, struct buf *out)
{
	FD_LOCAL fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : io_read_all(fd, out);
}

int io_write(int fd, const void *bytes, size_t n)
{
	const char *from = bytes;

	while (n) {
		ssize_t put = write(fd, from, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put ? -errno : -EIO;
		from += put;
		n -= (size_t)put;
	}
	return 0;
}

int io_pwrite_some(int fd, const void *bytes, size_t n, uint64_t at,
		   size_t *done)
{
	const char *from = bytes;

	for (*done = 0; *done < n;) {
		ssize_t put = pwrite(fd, from + *done, n - *done,
				     (off_t)(at + *done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put ? -errno : -EIO;
		*done += (size_t)put;
	}
	return 0;
}

int io_pwrite(int fd, const void *bytes, size_t n, uint64_t at)
{
	size_t done;

	return io_pwrite_some(fd, bytes, n, at, &done);
}

static int io_zero_by_hand(int fd, uint64_t from, uint64_t to)
{
	static const char zeros[16384];
	int rc = 0;

	for (size_t n; !rc && from < to; from += n) {
		n = number_min(to - from, sizeof(zeros));
		rc = io_pwrite(fd, zeros, n, from);
	}
	return rc;
}

int io_sync_dir(const char *path)
{
	FD_LOCAL fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

int io_zero(int fd, uint64_t from, uint64_t to)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (to > (uint64_t)st.st_size && ftruncate(fd, (off_t)to))
		return -errno;
	to = number_min(to, (uint64_t)st.st_size);
	if (from >= to)
		return 0;
	if (!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       (off_t)from, (off_t)(to - from)))
		return 0;
	return errno == EOPNOTSUPP || errno == ENOSYS
		       ? io_zero_by_hand(fd, from, to)
		       : -errno;
}

static int io_copy_by_hand(int from, uint64_t from_at, int to, uint64_t to_at,
			   uint64_t n)
{
	size_t size = number_min(n, COPY_ROOM);
	MEM_LOCAL char *room = malloc(size);
	int rc = room ? 0 : -ENOMEM;

	while (!rc && n) {
		ssize_t got =
			io_pread(from, room, number_min(n, size), from_at);

		if (got <= 0)
			rc = got ? (int)got : -ENODATA;
		else
			rc = io_pwrite(to, room, (size_t)got, to_at);
		if (!rc) {
			from_at += (uint64_t)got;
			to_at += (uint64_t)got;
			n -= (uint64_t)got;
		}
		if (!rc && n && waiter_interrupted(waiter_self()))
			rc = -EINTR;
	}
	return rc;
}

int io_copy(int from, uint64_t from_at, int to, uint64_t to_at, uint64_t n)
{
	while (n) {
		off_t in = (off_t)from_at, out = (off_t)to_at;
		ssize_t put = copy_file_range(from, &in, to, &out,
					      number_min(n, COPY_STEP), 0);

		if (put < 0 && errno == EINTR)
			continue;
		/* Whatever the matter is: a read or a write says it too. */
		if (put <= 0)
			return io_copy_by_hand(from, from_at, to, to_at, n);
		from_at += (uint64_t)put;
		to_at += (uint64_t)put;
		n -= (uint64_t)put;
		if (n && waiter_interrupted(waiter_self()))
			return -EINTR;
	}
	return 0;
}
