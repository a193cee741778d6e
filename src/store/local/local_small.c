/*
 * The small files of the folder of ours: read when they have changed, written
 * aside, flushed and renamed. Another process may do so at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "store/local/local_impl.h"

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool local_stamp_same(const struct local_stamp *a, const struct local_stamp *b)
{
	return a->ino == b->ino && a->size == b->size &&
	       same_time(&a->mtime, &b->mtime) &&
	       same_time(&a->ctime, &b->ctime);
}

static void stamp_of(const struct stat *st, struct local_stamp *out)
{
	*out = (struct local_stamp){ .ino = st->st_ino,
				     .size = st->st_size,
				     .mtime = st->st_mtim,
				     .ctime = st->st_ctim };
}

int local_small_stamp(struct local *l, const char *name,
		      struct local_stamp *out)
{
	struct stat st;

	if (l->folder_fd < 0)
		return -ENOENT;
	if (fstatat(l->folder_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	stamp_of(&st, out);
	return 0;
}

int local_small_read(struct local *l, const char *name, struct buf *out,
		     struct local_stamp *stamp)
{
	struct stat st;
	int fd, err;

	if (l->folder_fd < 0)
		return -ENOENT;
	fd = local_folder_file(l->folder_fd, name, O_RDONLY, &st);
	if (fd < 0)
		return fd;
	err = st.st_mode & 077               ? -EACCES
	      : st.st_size > LOCAL_SMALL_MAX ? -EINVAL
					     : 0;
	err = err ? err : io_read_all(fd, out);
	close(fd);
	stamp_of(&st, stamp);
	return err;
}

static int fill(struct local *l, int fd, const struct buf *text)
{
	int err = local_folder_own(l, fd);

	err = err ? err : io_pwrite(fd, text->data, text->len, 0);
	if (!err && fsync(fd))
		err = -errno;
	return err;
}

/* A file in tmp that takes its name in the folder. */
static int put_by(struct local *l, int tmp, const char *name,
		  const struct buf *text, bool replace)
{
	char id[LOCAL_ID_SIZE];
	int fd, err;

	local_random_id(id);
	fd = openat(tmp, id, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return -errno;
	err = fill(l, fd, text);
	close(fd);
	if (!err && renameat2(tmp, id, l->folder_fd, name,
			      replace ? 0 : RENAME_NOREPLACE))
		err = -errno;
	if (err)
		unlinkat(tmp, id, 0);
	else if (fsync(l->folder_fd))
		err = -errno;
	return err;
}

int local_small_write(struct local *l, const char *name, const struct buf *text,
		      bool replace)
{
	int tmp = local_folder_open(l, LOCAL_TMP), err;

	if (tmp < 0)
		return tmp;
	err = put_by(l, tmp, name, text, replace);
	close(tmp);
	return err;
}
