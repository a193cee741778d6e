/*
 * What fsync(2) of a directory or a file promises: names that were made, moved
 * and removed there are so on the disk, and the bytes and attributes of a file,
 * also of one that another program wrote, with its name. A folder that went
 * with its last key is none to flush: the one above it has that change.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/local/local_impl.h"
#include "store/store_check.h"

/* A disk that is read-only, or keeps nothing, has nothing to flush. */
static int flush(int fd)
{
	if (!fsync(fd) || errno == EROFS || errno == EINVAL)
		return 0;
	return -errno;
}

/* The nearest folder that is there, from the first n bytes of key upwards. */
static int flush_folder(struct local *l, const char *key, size_t n)
{
	char path[STORE_KEY_MAX + 1];
	int fd, err;

	memcpy(path, key, n);
	for (;;) {
		path[n] = '\0';
		fd = local_openat(l->root_fd, path, O_RDONLY | O_DIRECTORY);
		if (!n || (fd != -ENOENT && fd != -ENOTDIR))
			break;
		for (n--; n && path[n - 1] != '/'; n--)
			;
	}
	if (fd < 0)
		return fd;
	err = flush(fd);
	close(fd);
	return err;
}

static int flush_file(struct local *l, const char *key)
{
	struct stat st;
	int fd = local_open_file(l, key, &st), err;

	if (fd == -ENOENT)
		return 0; /* removed: its folder has that */
	if (fd < 0)
		return fd;
	err = flush(fd);
	close(fd);
	return err;
}

int local_sync(struct store *s, const char *key)
{
	struct local *l = local_of(s);
	const char *why = NULL, *slash = strrchr(key, '/');
	int err = *key ? local_key_check(key, &why) : 0;

	if (!err && *key && !store_check_is_dir(key))
		err = flush_file(l, key);
	if (!err)
		err = flush_folder(l, key, slash ? slash + 1 - key : 0);
	return err ? local_failed(l, "flush", key, err, why) : 0;
}
