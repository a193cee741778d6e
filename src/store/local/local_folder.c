/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in the folder of ours, opened without a way out.
 *
 * The folder belongs to the owner of the store, who may not be the user who
 * runs us: root serves stores of users. What they put there must not lead root
 * to files of others. So nothing is reached by a path of two names: a folder is
 * opened beneath the one that it lies in (no symbolic link, no mount), looked
 * at as it is open, and what is in it is named in that descriptor. A folder
 * counts when it is ours or of the owner of the one above it and no other user
 * may write to it; a file when it is a regular one, has one name, and belongs
 * to the owner of its folder: a hard link to the file of another does not.
 * Whatever else is there is -EUCLEAN, and is neither used nor removed.
 *
 * What root makes directly in the folder becomes the folder's owner's, before
 * it has its name, so that a store stays its owner's after one `sudo`.
 *
 * Its small files are read when they have changed, written aside, flushed and
 * renamed. Another process may do so at any time.
 */
#include "store/local/local_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "store/local/local_file.h"
#include "store/local/local_root.h"

#define FILE_TRIES 100 /* of a file that others replace */

/* What was made there becomes the folder's owner's. */
static int local_folder_own(struct local *l, int fd)
{
	struct stat st;

	if (geteuid())
		return 0;
	if (fstat(l->folder_fd, &st) ||
	    ((st.st_uid || st.st_gid) && fchown(fd, st.st_uid, st.st_gid)))
		return -errno;
	return 0;
}

/* An open folder in `at`: closed to others, and of an owner that it may
 * have? */
static int folder_check(int at, int fd)
{
	struct stat above, st;

	if (fstat(at, &above) || fstat(fd, &st))
		return -errno;
	if (st.st_uid != geteuid() && st.st_uid != above.st_uid)
		return -EUCLEAN;
	if (st.st_mode & 022 && fchmod(fd, 0700) && errno != EROFS)
		return -errno;
	return 0;
}

/* Why a name could not be opened: a symbolic link, or what is said. */
static int folder_open_error(int at, const char *name, int rc)
{
	struct stat st;

	if (rc == -ENOTDIR || rc == -ENXIO || rc == -ENODEV)
		return -EUCLEAN;
	if (rc == -EACCES && !fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISLNK(st.st_mode))
		return -EUCLEAN;
	return rc;
}

int local_folder_below(int at, const char *name)
{
	int fd = local_file_openat(at, name, O_RDONLY | O_DIRECTORY), rc;

	if (fd < 0)
		return folder_open_error(at, name, fd);
	rc = folder_check(at, fd);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

static int folder_make(struct local *l, const char *name)
{
	FD_LOCAL fd = -1;

	if (mkdirat(l->folder_fd, name, 0700))
		return errno == EEXIST ? 0 : -errno;
	fd = local_folder_below(l->folder_fd, name);
	return fd < 0 ? fd : local_folder_own(l, fd);
}

int local_folder_open(struct local *l, const char *name)
{
	int fd, rc;

	if (l->folder_fd < 0)
		return -ENOENT;
	fd = local_folder_below(l->folder_fd, name);
	if (fd != -ENOENT)
		return fd;
	rc = folder_make(l, name);
	return rc ? rc : local_folder_below(l->folder_fd, name);
}

/* -EAGAIN: it was replaced between the open and the look at it. */
static int folder_open_file(int at, const char *name, int flags,
			    struct stat *st)
{
	int fd = local_file_openat(at, name,
				   flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat folder;
	int rc = 0;

	if (fd < 0)
		return folder_open_error(at, name, fd);
	if (fstat(at, &folder) || fstat(fd, st))
		rc = -errno;
	else if (!st->st_nlink)
		rc = -EAGAIN;
	else if (!S_ISREG(st->st_mode) || st->st_nlink != 1 ||
		 st->st_uid != folder.st_uid)
		rc = -EUCLEAN;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int local_folder_file(int at, const char *name, int flags, struct stat *st)
{
	int fd = -EAGAIN;

	for (int i = 0; fd == -EAGAIN && i < FILE_TRIES; i++)
		fd = folder_open_file(at, name, flags, st);
	return fd == -EAGAIN ? -EUCLEAN : fd;
}

/* The file of locks, empty; it may be there. */
static int folder_make_locks(struct local *l)
{
	FD_LOCAL fd =
		openat(l->folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return -errno;
	rc = local_folder_own(l, fd);
	if (!rc)
		rc = local_file_link(fd, l->folder_fd, LOCAL_LOCKS);
	return rc == -EEXIST ? 0 : rc;
}

int local_folder_locks(struct local *l)
{
	struct stat st;
	int fd = local_folder_file(l->folder_fd, LOCAL_LOCKS, O_RDWR, &st);
	int rc;

	if (fd != -ENOENT)
		return fd;
	rc = folder_make_locks(l);
	return rc ? rc
		  : local_folder_file(l->folder_fd, LOCAL_LOCKS, O_RDWR, &st);
}

bool local_folder_same(const struct local_stamp *a, const struct local_stamp *b)
{
	return a->ino == b->ino && a->size == b->size &&
	       clock_is_same(&a->mtime, &b->mtime) &&
	       clock_is_same(&a->ctime, &b->ctime);
}

static void folder_stamp_of(const struct stat *st, struct local_stamp *out)
{
	*out = (struct local_stamp){ .ino = st->st_ino,
				     .size = st->st_size,
				     .mtime = st->st_mtim,
				     .ctime = st->st_ctim };
}

int local_folder_stamp(struct local *l, const char *name,
		       struct local_stamp *out)
{
	struct stat st;

	if (l->folder_fd < 0)
		return -ENOENT;
	if (fstatat(l->folder_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	folder_stamp_of(&st, out);
	return 0;
}

int local_folder_read(struct local *l, const char *name, struct buf *out,
		      struct local_stamp *stamp)
{
	struct stat st;
	int fd, rc;

	if (l->folder_fd < 0)
		return -ENOENT;
	fd = local_folder_file(l->folder_fd, name, O_RDONLY, &st);
	if (fd < 0)
		return fd;
	rc = st.st_mode & 077                     ? -EACCES
	     : st.st_size > LOCAL_FOLDER_FILE_MAX ? -EINVAL
						  : 0;
	if (!rc)
		rc = io_read_all(fd, out);
	close(fd);
	folder_stamp_of(&st, stamp);
	return rc;
}

static int folder_fill(struct local *l, int fd, const struct buf *text)
{
	int rc = local_folder_own(l, fd);

	if (!rc)
		rc = io_pwrite(fd, text->data, text->len, 0);
	if (!rc && fsync(fd))
		rc = -errno;
	return rc;
}

/* A file in tmp that takes its name in the folder. */
static int folder_put(struct local *l, int tmp, const char *name,
		      const struct buf *text, bool replace)
{
	char id[LOCAL_ID_SIZE];
	int fd, rc;

	local_file_random_id(id);
	fd = openat(tmp, id, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return -errno;
	rc = folder_fill(l, fd, text);
	close(fd);
	if (!rc && renameat2(tmp, id, l->folder_fd, name,
			     replace ? 0 : RENAME_NOREPLACE))
		rc = -errno;
	if (rc)
		unlinkat(tmp, id, 0);
	else if (fsync(l->folder_fd))
		rc = -errno;
	return rc;
}

int local_folder_write(struct local *l, const char *name,
		       const struct buf *text, bool replace)
{
	FD_LOCAL tmp = local_folder_open(l, LOCAL_TMP);

	return tmp < 0 ? tmp : folder_put(l, tmp, name, text, replace);
}
