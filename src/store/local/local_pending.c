/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uploads that were begun: a folder each, `.stagefs/uploads/ID/`, with `key`
 * (the bytes of the key) and `data`, which becomes the object. The folder is
 * closed to others, so `data` may have the mode that the object will have. The
 * process that uploads holds a lock on `data` (flock), by which a later start
 * sees whether one still does. Until all this is there the folder is called
 * `.ID`.
 *
 * An upload is dead when no process holds the lock on its data. A name in
 * `tmp`, or of an upload in the making, stands for microseconds, so an old one
 * is dead; old enough that a process which was stopped meanwhile has been
 * noticed.
 */
#include "store/local/local_pending.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "store/local/local_folder.h"

static int pending_make_file(int dir, const char *name, mode_t mode)
{
	int fd = openat(dir, name,
			O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			mode);

	return fd < 0 ? -errno : fd;
}

static int pending_write_key(int dir, const char *key)
{
	FD_LOCAL fd = pending_make_file(dir, LOCAL_UPLOAD_KEY, 0600);

	return fd < 0 ? fd : io_pwrite(fd, key, strlen(key), 0);
}

static int pending_make_files(int dir, const char *key, int *fd)
{
	int rc = pending_write_key(dir, key);

	if (rc)
		return rc;
	*fd = pending_make_file(dir, LOCAL_DATA, 0666);
	if (*fd < 0)
		return *fd;
	return flock(*fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

static int pending_drop_at(int uploads, const char *id)
{
	static const char *const names[] = { LOCAL_DATA, LOCAL_UPLOAD_KEY };
	int dir = local_folder_below(uploads, id), rc = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (unlinkat(dir, names[i], 0) && errno != ENOENT && !rc)
			rc = -errno;
	close(dir);
	if (unlinkat(uploads, id, AT_REMOVEDIR) && errno != ENOENT && !rc)
		rc = -errno;
	return rc;
}

/* Not what another has put there meanwhile. */
static bool pending_is_ours(int dir)
{
	struct stat st;

	return !fstat(dir, &st) && st.st_uid == geteuid();
}

static int pending_make_at(int uploads, const char *key, char id[LOCAL_ID_SIZE],
			   int *dir, int *fd)
{
	char hidden[LOCAL_ID_SIZE + 1];
	int rc;

	local_file_random_id(id);
	snprintf(hidden, sizeof(hidden), ".%s", id);
	if (mkdirat(uploads, hidden, 0700))
		return -errno;
	*dir = local_folder_below(uploads, hidden);
	rc = *dir < 0 ? *dir : pending_is_ours(*dir) ? 0 : -EUCLEAN;
	if (!rc)
		rc = pending_make_files(*dir, key, fd);
	if (!rc && renameat(uploads, hidden, uploads, id))
		rc = -errno;
	if (rc)
		pending_drop_at(uploads, hidden);
	return rc;
}

int local_pending_make(struct local *l, const char *key, char id[LOCAL_ID_SIZE],
		       int *dir, int *fd)
{
	int uploads = local_folder_open(l, LOCAL_UPLOADS), rc;

	*dir = *fd = -1;
	if (uploads < 0)
		return uploads;
	rc = pending_make_at(uploads, key, id, dir, fd);
	close(uploads);
	if (rc && *dir >= 0)
		close(*dir);
	if (rc && *fd >= 0)
		close(*fd);
	if (rc)
		*dir = *fd = -1;
	return rc;
}

int local_pending_drop(struct local *l, const char *id)
{
	FD_LOCAL uploads = local_folder_open(l, LOCAL_UPLOADS);

	return uploads < 0 ? uploads : pending_drop_at(uploads, id);
}

/* ---- what a process that was killed has left ---- */

struct sweep {
	struct local *l;
	int dir; /* the folder that is swept */
	int64_t old_s;
};

/* When the name, or what is in it, changed last: over old_s ago? */
static bool pending_is_old(const struct sweep *s, const char *name)
{
	struct stat st;

	return !fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       clock_now_s() - st.st_ctim.tv_sec >= s->old_s;
}

static void pending_sweep_tmp(const struct sweep *s, const char *name)
{
	if (pending_is_old(s, name))
		unlinkat(s->dir, name, 0);
}

/* Does no process hold its data any more? */
static bool pending_is_dead(const struct sweep *s, const char *name, int upload)
{
	FD_LOCAL fd = local_file_openat(upload, LOCAL_DATA,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
						O_NOCTTY);

	/* Without data it is being completed, or dropped, or half of it was. */
	if (fd < 0)
		return fd == -ENOENT && pending_is_old(s, name);
	return !flock(fd, LOCK_EX | LOCK_NB);
}

static void pending_sweep_upload(const struct sweep *s, const char *name)
{
	int upload;
	bool dead;

	if (strlen(name) > LOCAL_ID_SIZE ||
	    (name[0] == '.' && !pending_is_old(s, name)))
		return;
	upload = local_folder_below(s->dir, name);
	if (upload < 0)
		return;
	dead = pending_is_dead(s, name, upload);
	close(upload);
	if (dead)
		local_pending_drop(s->l, name);
}

static void pending_sweep_each(struct local *l, const char *name, int64_t old_s,
			       void (*each)(const struct sweep *s,
					    const char *name))
{
	struct sweep s = { .l = l, .old_s = old_s };
	int fd = local_folder_open(l, name);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	s.dir = fd;
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			each(&s, e->d_name);
	closedir(dir);
}

void local_pending_sweep(struct local *l, int64_t old_s)
{
	pending_sweep_each(l, LOCAL_TMP, old_s, pending_sweep_tmp);
	pending_sweep_each(l, LOCAL_UPLOADS, old_s, pending_sweep_upload);
}
