/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/content/file_fd.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/number.h"
#include "base/waiter.h"

struct file_fd *file_fd_new(int fd)
{
	struct file_fd *x = calloc(1, sizeof(*x));
	struct stat st;

	if (!x) {
		close(fd);
		return NULL;
	}
	x->fd = fd;
	x->refs = 1;
	x->size = -1;
	if (!fstat(fd, &st)) {
		x->size = st.st_size;
		x->mtime = st.st_mtim;
	}
	return x;
}

struct file_fd *file_fd_ref(struct file_fd *x)
{
	__atomic_add_fetch(&x->refs, 1, __ATOMIC_RELAXED);
	return x;
}

void file_fd_unref(struct file_fd *x)
{
	if (!x || __atomic_sub_fetch(&x->refs, 1, __ATOMIC_ACQ_REL))
		return;
	close(x->fd);
	free(x);
}

bool file_fd_unlinked_same(const struct file_fd *x)
{
	struct stat st;

	return !fstat(x->fd, &st) && !st.st_nlink && st.st_size == x->size &&
	       st.st_mtim.tv_sec == x->mtime.tv_sec &&
	       st.st_mtim.tv_nsec == x->mtime.tv_nsec;
}

/* A piece that is copied: [start, end), to where `to` says. */
struct fd_copy {
	int from, to;
	uint64_t start, end, at;
};

static void fd_copy_advance(struct fd_copy *c, uint64_t n)
{
	c->start += n;
	c->at += n;
}

/* A hole at its beginning is one of the target. 0, or -ESTALE when the source
 * ends before its end. */
static int fd_copy_hole(struct fd_copy *c)
{
	off_t data = lseek(c->from, (off_t)c->start, SEEK_DATA);
	struct stat st;
	uint64_t n;
	int rc;

	if (data < 0) {
		if (errno != ENXIO || fstat(c->from, &st))
			return 0; /* copied like any other bytes */
		if ((uint64_t)st.st_size < c->end)
			return -ESTALE;
		data = (off_t)c->end;
	}
	if ((uint64_t)data <= c->start)
		return 0;
	n = number_min((uint64_t)data, c->end) - c->start;
	rc = io_zero(c->to, c->at, c->at + n);
	if (!rc)
		fd_copy_advance(c, n);
	return rc;
}

/* How many bytes there are at its beginning, before a hole. */
static uint64_t fd_copy_length(const struct fd_copy *c)
{
	off_t hole = lseek(c->from, (off_t)c->start, SEEK_HOLE);

	return (hole > (off_t)c->start ? number_min((uint64_t)hole, c->end)
				       : c->end) -
	       c->start;
}

int file_fd_copy(int from, uint64_t start, uint64_t end, int to, uint64_t at)
{
	struct fd_copy c = { from, to, start, end, at };
	int rc;

	while (c.start < end) {
		uint64_t len;

		if (waiter_interrupted(waiter_self()))
			return -EINTR;
		rc = fd_copy_hole(&c);
		if (rc || c.start == end)
			return rc;
		len = fd_copy_length(&c);
		rc = io_copy(from, c.start, to, c.at, len);
		if (rc)
			return rc == -ENODATA ? -ESTALE : rc;
		fd_copy_advance(&c, len);
	}
	return 0;
}

int file_fd_clone(int from, int to)
{
	return ioctl(to, FICLONE, from) ? -EOPNOTSUPP : 0;
}
