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

#include "base/io.h"
#include "store/local/local_impl.h"

int local_copy_range(int from, uint64_t from_at, int to, uint64_t to_at,
		     uint64_t len)
{
	int err = io_copy(from, from_at, to, to_at, len);

	return err == -ENODATA ? -EIO : err;
}

int local_write_body(const struct store_body *body, int to, uint64_t to_at)
{
	if (body->data)
		return io_pwrite(to, body->data, body->len, to_at);
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
