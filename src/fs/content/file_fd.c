#include "fs/content/file_fd.h"

#include <errno.h>
#include <fcntl.h>
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

/* A hole of `from` at *start is one of `to`: *start is where it ends. 0, or
 * -ESTALE when `from` ends before `end`. */
static int file_fd_copy_hole(int from, int to, uint64_t *start, uint64_t end)
{
	off_t data = lseek(from, (off_t)*start, SEEK_DATA);
	struct stat st;
	int rc;

	if (data < 0) {
		if (errno != ENXIO || fstat(from, &st))
			return 0; /* copied like any other bytes */
		if ((uint64_t)st.st_size < end)
			return -ESTALE;
		data = (off_t)end;
	}
	if ((uint64_t)data > end)
		data = (off_t)end;
	if ((uint64_t)data <= *start)
		return 0;
	rc = file_fd_zero(to, *start, (uint64_t)data);
	if (rc)
		return rc;
	if (fstat(to, &st) || (st.st_size < data && ftruncate(to, data)))
		return -errno;
	*start = (uint64_t)data;
	return 0;
}

/* How many bytes there are at start, before a hole. */
static uint64_t file_fd_copy_length(int from, uint64_t start, uint64_t end)
{
	off_t hole = lseek(from, (off_t)start, SEEK_HOLE);

	return (hole > (off_t)start ? number_min((uint64_t)hole, end) : end) -
	       start;
}

int file_fd_copy(int from, int to, uint64_t start, uint64_t end)
{
	int rc;

	while (start < end) {
		uint64_t len;

		if (waiter_interrupted(waiter_self()))
			return -EINTR;
		rc = file_fd_copy_hole(from, to, &start, end);
		if (rc || start == end)
			return rc;
		len = file_fd_copy_length(from, start, end);
		rc = io_copy(from, start, to, start, len);
		if (rc)
			return rc == -ENODATA ? -ESTALE : rc;
		start += len;
	}
	return 0;
}

int file_fd_clone(int from, int to)
{
	return ioctl(to, FICLONE, from) ? -EOPNOTSUPP : 0;
}

int file_fd_zero(int fd, uint64_t start, uint64_t end)
{
	int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	if (!fallocate(fd, mode, (off_t)start, (off_t)(end - start)) ||
	    errno == EOPNOTSUPP)
		return 0;
	return -errno;
}
