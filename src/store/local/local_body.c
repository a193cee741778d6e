/*
 * Bytes into a file. The kernel copies from file to file (copy_file_range: on
 * disks that share blocks nothing is copied at all); where it cannot, as from
 * a pipe's or another kind of disk's, a buffer does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wait.h"
#include "store/local/local_impl.h"

#define STEP (64u << 20) /* an interrupt is seen between two of them */
#define ROOM (256u << 10)

static int write_all(int to, const char *bytes, size_t n, uint64_t at)
{
	while (n) {
		ssize_t done = pwrite(to, bytes, n, at);

		if (done < 0)
			return -errno;
		bytes += done;
		at += done;
		n -= done;
	}
	return 0;
}

static int copy_by_hand(int from, uint64_t from_at, int to, uint64_t to_at,
			uint64_t len)
{
	char *room = malloc(ROOM);
	int err = room ? 0 : -ENOMEM;

	while (!err && len) {
		ssize_t n = pread(from, room, len < ROOM ? len : ROOM, from_at);

		if (n <= 0)
			err = n ? -errno : -EIO;
		else
			err = write_all(to, room, n, to_at);
		if (!err && waiter_interrupted(waiter_self()))
			err = -EINTR;
		if (!err) {
			from_at += n;
			to_at += n;
			len -= n;
		}
	}
	free(room);
	return err;
}

static bool cannot(int err)
{
	return err == EXDEV || err == EINVAL || err == EOPNOTSUPP ||
	       err == ENOSYS || err == EBADF || err == EPERM;
}

int local_copy_range(int from, uint64_t from_at, int to, uint64_t to_at,
		     uint64_t len)
{
	while (len) {
		off_t in = from_at, out = to_at;
		ssize_t n = copy_file_range(from, &in, to, &out,
					    len < STEP ? len : STEP, 0);

		if (n < 0 && cannot(errno))
			return copy_by_hand(from, from_at, to, to_at, len);
		if (n <= 0)
			return n ? -errno : -EIO;
		from_at += n;
		to_at += n;
		len -= n;
		if (len && waiter_interrupted(waiter_self()))
			return -EINTR;
	}
	return 0;
}

int local_write_body(const struct store_body *body, int to, uint64_t to_at)
{
	if (body->data)
		return write_all(to, body->data, body->len, to_at);
	return local_copy_range(body->fd, body->offset, to, to_at, body->len);
}

/* A folder that was removed since it was opened: ext4 says EPERM of it. */
static bool is_dead(int dir)
{
	struct stat st;

	return !fstat(dir, &st) && !st.st_nlink;
}

int local_tmpfile(struct local *l, const char *key)
{
	const int flags = O_TMPFILE | O_RDWR | O_CLOEXEC;
	char path[STORE_KEY_MAX + 1];
	int fd = -ENOENT;

	/* In the folder where it will be, or in the nearest that there is. */
	strcpy(path, key);
	while (fd == -ENOENT && *path) {
		char *slash = strrchr(path, '/');
		int dir;

		*(slash ? slash : path) = '\0';
		dir = local_openat(l->root_fd, path, O_PATH | O_DIRECTORY);
		fd = dir;
		if (dir < 0)
			continue;
		fd = openat(dir, ".", flags, 0666);
		if (fd < 0)
			fd = is_dead(dir) ? -ENOENT : -errno;
		close(dir);
	}
	/* Not even the root. */
	return fd == -ENOENT ? -ENODEV : fd;
}

int local_scratch(struct store *s, const char *key, int *fd)
{
	struct local *l = local_of(s);
	const char *why = NULL;
	int err = local_writable(l, "write", key);

	if (err)
		return err;
	err = local_key_check(key, &why);
	*fd = err ? err : local_tmpfile(l, key);
	if (*fd >= 0)
		return 0;
	err = *fd;
	*fd = -1;
	return local_failed(l, "write", key, err, why);
}
