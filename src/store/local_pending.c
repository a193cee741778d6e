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
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "store/local_impl.h"

#define KEY "key"

static int make_file(int dir, const char *name, mode_t mode)
{
	int fd = openat(dir, name,
			O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			mode);

	return fd < 0 ? -errno : fd;
}

static int write_key(int dir, const char *key)
{
	size_t n = strlen(key);
	int fd = make_file(dir, KEY, 0600), err = 0;

	if (fd < 0)
		return fd;
	if (pwrite(fd, key, n, 0) != (ssize_t)n)
		err = errno ? -errno : -EIO;
	close(fd);
	return err;
}

static int make_files(int dir, const char *key, int *fd)
{
	int err = write_key(dir, key);

	if (err)
		return err;
	*fd = make_file(dir, LOCAL_DATA, 0666);
	if (*fd < 0)
		return *fd;
	return flock(*fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

static int drop_at(int uploads, const char *id)
{
	static const char *const names[] = { LOCAL_DATA, KEY };
	int dir = local_folder_below(uploads, id), err = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (unlinkat(dir, names[i], 0) && errno != ENOENT && !err)
			err = -errno;
	close(dir);
	if (unlinkat(uploads, id, AT_REMOVEDIR) && errno != ENOENT && !err)
		err = -errno;
	return err;
}

/* Not what another has put there meanwhile. */
static bool is_ours(int dir)
{
	struct stat st;

	return !fstat(dir, &st) && st.st_uid == geteuid();
}

static int make_at(int uploads, const char *key, char id[LOCAL_ID_SIZE],
		   int *dir, int *fd)
{
	char hidden[LOCAL_ID_SIZE + 1];
	int err;

	local_random_id(id);
	snprintf(hidden, sizeof(hidden), ".%s", id);
	if (mkdirat(uploads, hidden, 0700))
		return -errno;
	*dir = local_folder_below(uploads, hidden);
	err = *dir < 0 ? *dir : is_ours(*dir) ? 0 : -EUCLEAN;
	if (!err)
		err = make_files(*dir, key, fd);
	if (!err && renameat(uploads, hidden, uploads, id))
		err = -errno;
	if (err)
		drop_at(uploads, hidden);
	return err;
}

int local_pending_make(struct local *l, const char *key, char id[LOCAL_ID_SIZE],
		       int *dir, int *fd)
{
	int uploads = local_folder_open(l, LOCAL_UPLOADS), err;

	*dir = *fd = -1;
	if (uploads < 0)
		return uploads;
	err = make_at(uploads, key, id, dir, fd);
	close(uploads);
	if (err && *dir >= 0)
		close(*dir);
	if (err && *fd >= 0)
		close(*fd);
	if (err)
		*dir = *fd = -1;
	return err;
}

int local_pending_drop(struct local *l, const char *id)
{
	int uploads = local_folder_open(l, LOCAL_UPLOADS), err;

	if (uploads < 0)
		return uploads;
	err = drop_at(uploads, id);
	close(uploads);
	return err;
}

static bool is_id(const char *s)
{
	return strlen(s) == LOCAL_ID_SIZE - 1 &&
	       strspn(s, "0123456789abcdef") == LOCAL_ID_SIZE - 1;
}

/* The key of an upload that is whole; false: there is none. */
static bool read_key(int uploads, const char *id, char key[STORE_KEY_MAX + 1])
{
	int dir = local_folder_below(uploads, id), fd = -1;
	struct stat st;
	ssize_t n;

	if (dir < 0)
		return false;
	if (!faccessat(dir, LOCAL_DATA, F_OK, AT_SYMLINK_NOFOLLOW))
		fd = local_folder_file(dir, KEY, O_RDONLY, &st);
	close(dir);
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
	fd = local_folder_below(l->folder_fd, LOCAL_UPLOADS);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return local_failed(l, "list uploads", NULL, fd, NULL);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!rc && (e = readdir(dir))) {
		struct store_pending p = { .key = key, .id = e->d_name };

		if (is_id(e->d_name) && read_key(dirfd(dir), e->d_name, key) &&
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
