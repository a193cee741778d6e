/*
 * Uploads that were begun: a folder each, `.stagefs/uploads/ID/`, with `key`
 * (the bytes of the key) and `data`, which becomes the object. The folder is
 * closed to others, so `data` may have the mode that the object will have. Who
 * uploads holds a lock on `data` (flock), by which a later start sees that
 * nobody does any more. Until all this is there the folder is called `.ID`.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/text.h"
#include "store/local_impl.h"

#define PATH_SIZE (sizeof(LOCAL_UPLOADS) + LOCAL_ID_SIZE + 9)

static void path_of(const char *id, const char *name, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s/%s%s%s", LOCAL_UPLOADS, id,
		 *name ? "/" : "", name);
}

static int make_file(struct local *l, const char *id, const char *name,
		     mode_t mode)
{
	char path[PATH_SIZE];
	int fd;

	path_of(id, name, path);
	fd = openat(l->folder_fd, path,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	return fd < 0 ? -errno : fd;
}

static int write_key(struct local *l, const char *id, const char *key)
{
	size_t n = strlen(key);
	int fd = make_file(l, id, "key", 0600), err = 0;

	if (fd < 0)
		return fd;
	if (pwrite(fd, key, n, 0) != (ssize_t)n)
		err = errno ? -errno : -EIO;
	close(fd);
	return err;
}

static int make_files(struct local *l, const char *id, const char *key, int *fd)
{
	int err = write_key(l, id, key);

	if (err)
		return err;
	*fd = make_file(l, id, "data", 0666);
	if (*fd < 0)
		return *fd;
	return flock(*fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

int local_pending_make(struct local *l, const char *key, char id[LOCAL_ID_SIZE],
		       int *fd)
{
	char path[PATH_SIZE], hidden[LOCAL_ID_SIZE + 1], from[PATH_SIZE];
	int err;

	*fd = -1;
	local_random_id(id);
	snprintf(hidden, sizeof(hidden), ".%s", id);
	path_of(hidden, "", from);
	path_of(id, "", path);
	if (mkdirat(l->folder_fd, from, 0700))
		return -errno;
	err = make_files(l, hidden, key, fd);
	if (!err && renameat(l->folder_fd, from, l->folder_fd, path))
		err = -errno;
	if (err)
		local_pending_drop(l, hidden);
	return err;
}

int local_pending_drop(struct local *l, const char *id)
{
	static const char *const names[] = { "data", "key", "" };
	int err = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[PATH_SIZE];

		path_of(id, names[i], path);
		if (unlinkat(l->folder_fd, path,
			     *names[i] ? 0 : AT_REMOVEDIR) &&
		    errno != ENOENT && !err)
			err = -errno;
	}
	return err;
}

static bool is_id(const char *s)
{
	return strlen(s) == LOCAL_ID_SIZE - 1 &&
	       strspn(s, "0123456789abcdef") == LOCAL_ID_SIZE - 1;
}

/* The key of an upload that is whole; false: there is none. */
static bool read_key(struct local *l, const char *id,
		     char key[STORE_KEY_MAX + 1])
{
	char path[PATH_SIZE];
	ssize_t n;
	int fd;

	path_of(id, "data", path);
	if (faccessat(l->folder_fd, path, F_OK, AT_SYMLINK_NOFOLLOW))
		return false;
	path_of(id, "key", path);
	fd = openat(l->folder_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	n = read(fd, key, STORE_KEY_MAX + 1);
	close(fd);
	if (n <= 0 || n > STORE_KEY_MAX || memchr(key, '\0', n))
		return false;
	key[n] = '\0';
	return true;
}

int local_pending(struct store *s, const char *prefix,
		  int (*each)(void *arg, const struct store_pending *p),
		  void *arg)
{
	struct local *l = local_of(s);
	char key[STORE_KEY_MAX + 1];
	struct dirent *e;
	int fd, rc = 0;
	DIR *dir;

	if (l->folder_fd < 0)
		return 0;
	fd = openat(l->folder_fd, LOCAL_UPLOADS,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return local_failed(l, "list uploads", NULL, -errno, NULL);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!rc && (e = readdir(dir))) {
		struct store_pending p = { .key = key, .id = e->d_name };

		if (is_id(e->d_name) && read_key(l, e->d_name, key) &&
		    text_starts_with(key, prefix))
			rc = each(arg, &p);
	}
	closedir(dir);
	return rc;
}

int local_pending_abort(struct store *s, const struct store_pending *p)
{
	struct local *l = local_of(s);
	int err = local_writable(l, "abort an upload of", p->key);

	if (err)
		return err;
	if (!is_id(p->id))
		return -EINVAL;
	err = local_pending_drop(l, p->id);
	return err ? local_failed(l, "abort an upload of", p->key, err, NULL)
		   : 0;
}
