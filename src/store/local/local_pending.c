/*
 * Uploads that were begun: a folder each, `.stagefs/uploads/ID/`, with `key`
 * (the bytes of the key) and `data`, which becomes the object. The folder is
 * closed to others, so `data` may have the mode that the object will have. Who
 * uploads holds a lock on `data` (flock), by which a later start sees that
 * nobody does any more. Until all this is there the folder is called `.ID`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "store/local/local_impl.h"

static int make_file(int dir, const char *name, mode_t mode)
{
	int fd = openat(dir, name,
			O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			mode);

	return fd < 0 ? -errno : fd;
}

static int write_key(int dir, const char *key)
{
	int fd = make_file(dir, LOCAL_UPLOAD_KEY, 0600), err;

	if (fd < 0)
		return fd;
	err = io_pwrite(fd, key, strlen(key), 0);
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
	static const char *const names[] = { LOCAL_DATA, LOCAL_UPLOAD_KEY };
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
