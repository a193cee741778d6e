/*
 * Owner, mode and times, and moves. None of them changes an ETag: a note is
 * bound to the time before and after at once while the time changes, and a
 * file of another program gets a note with the ETag that it has.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/local/local_impl.h"
#include "store/store_check.h"

/* ---- attributes ---- */

static int set_times(int fd, const struct stat *st,
		     const struct local_note *note, const struct store_attr *a)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
				 { .tv_nsec = UTIME_OMIT } };
	struct stat now;
	int err;

	if (a->which & STORE_SET_ATIME)
		t[0] = a->atime;
	if (a->which & STORE_SET_MTIME)
		t[1] = a->mtime;
	if (t[1].tv_nsec == UTIME_NOW)
		t[1] = clock_now();
	if (a->which & STORE_SET_MTIME) {
		err = local_note_rebind(fd, st, note, t[1]);
		if (err)
			return err;
	}
	if (futimens(fd, t) || fstat(fd, &now))
		return -errno;
	/* A disk that keeps less of a time than was said. */
	if (a->which & STORE_SET_MTIME && now.st_mtim.tv_nsec != t[1].tv_nsec)
		return local_note_rebind(fd, &now, note, now.st_mtim);
	return 0;
}

static int change(int fd, const struct stat *st, const struct local_note *note,
		  const struct store_attr *a)
{
	uid_t uid = a->which & STORE_SET_UID ? a->uid : (uid_t)-1;
	gid_t gid = a->which & STORE_SET_GID ? a->gid : (gid_t)-1;
	int err = 0;

	/* ctime changes now, and with it an ETag that was made of it; and a
	 * folder whose mode was chosen does not go by itself. */
	if (!note->bound || note->implied)
		err = local_note_rebind(fd, st, note, st->st_mtim);
	if (!err && a->which & (STORE_SET_ATIME | STORE_SET_MTIME))
		err = set_times(fd, st, note, a);
	if (!err && a->which & (STORE_SET_UID | STORE_SET_GID) &&
	    fchown(fd, uid, gid))
		err = -errno;
	/* After the owner: chown clears what mode may set. */
	if (!err && a->which & STORE_SET_MODE && fchmod(fd, a->mode & 07777))
		err = -errno;
	return err;
}

/* The file of an owner who has closed it to himself: opened for a moment, in
 * which its note can be read too. */
static int open_closed(struct local *l, const char *key, struct stat *st,
		       struct local_note *note)
{
	int handle = local_openat(l->root_fd, key, O_PATH | O_NOFOLLOW);
	char path[32];
	int fd = -EACCES;

	if (handle < 0)
		return handle;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", handle);
	if (!fstat(handle, st) &&
	    (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)) &&
	    st->st_uid == geteuid() &&
	    !chmod(path, (st->st_mode | S_IRUSR | S_IWUSR) & 07777)) {
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
		if (fd >= 0)
			local_note_read(fd, st, note);
		if (chmod(path, st->st_mode & 07777) && fd >= 0) {
			close(fd);
			fd = -EACCES;
		}
	}
	close(handle);
	return fd;
}

static int open_for_change(struct local *l, const char *key, struct stat *st,
			   struct local_note *note)
{
	int fd = store_check_is_dir(key) ? local_open_dir(l, key, st)
					 : local_open_file(l, key, st);

	if (fd >= 0)
		local_note_read(fd, st, note);
	return fd == -EACCES ? open_closed(l, key, st, note) : fd;
}

int local_set_attr(struct store *s, const char *key, const struct store_attr *a,
		   struct object_info *out)
{
	struct local *l = local_of(s);
	struct local_note note;
	const char *why = NULL;
	struct stat st;
	int err = local_writable(l, "change", key), fd = -1, lock = -1;

	if (err)
		return err;
	err = *key ? local_key_check(key, &why) : 0;
	if (!err) {
		lock = local_lock_keys(l, key, NULL);
		err = lock < 0 ? lock : 0;
	}
	if (!err) {
		fd = open_for_change(l, key, &st, &note);
		err = fd < 0 ? fd : 0;
	}
	if (!err)
		err = change(fd, &st, &note, a);
	if (!err && fstat(fd, &st))
		err = -errno;
	if (!err)
		local_info(&st, note.etag, out);
	if (fd >= 0)
		close(fd);
	if (lock >= 0)
		close(lock);
	return err ? local_failed(l, "change", key, err, why) : 0;
}

/* ---- moves ---- */

/* The file of another program: nothing says that its bytes have reached the
 * disk, where the name that it gets must not come before them; and its ETag
 * has its ctime, which a move changes. */
static int settle(struct local *l, const char *key)
{
	struct local_note note;
	struct stat st;
	int fd = local_open_file(l, key, &st), err = 0;

	if (fd < 0)
		return 0;
	local_note_read(fd, &st, &note);
	if (!note.bound && fdatasync(fd) && errno != EROFS && errno != EINVAL)
		err = -errno;
	if (!err && !note.bound)
		local_note_rebind(fd, &st, &note, st.st_mtim);
	close(fd);
	return err;
}

/* What moves is what the key says, and so is what it replaces. */
static int check_move(const struct local_path *from,
		      const struct local_path *to, bool if_absent)
{
	struct stat st;

	if (fstatat(from->dir, from->name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (from->is_dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return -ENOENT;
	if (fstatat(to->dir, to->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (if_absent)
		return -EEXIST;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -EACCES;
	return 0;
}

static int move(const struct local_path *from, const struct local_path *to,
		bool if_absent)
{
	int err = check_move(from, to, if_absent);

	if (err)
		return err;
	if (renameat2(from->dir, from->name, to->dir, to->name,
		      if_absent ? RENAME_NOREPLACE : 0))
		err = errno == EEXIST && !if_absent ? -ENOTEMPTY : -errno;
	return err;
}

static int place_info(struct local *l, const struct local_path *to,
		      struct object_info *out)
{
	struct local_note note;
	struct stat st;

	if (fstatat(to->dir, to->name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	local_note_read_at(to->dir, to->name, &st, &note);
	local_info(&st, note.etag, out);
	return 0;
}

static int rename_locked(struct local *l, const char *from, const char *to,
			 bool if_absent, struct object_info *out)
{
	struct local_path a = { .dir = -1 }, b = { .dir = -1 };
	int err = local_path_open(l, from, &a);

	if (err == -ENOTDIR)
		err = -ENOENT;
	if (!err)
		err = local_path_make(l, to, NULL, &b);
	if (!err && !a.is_dir)
		err = settle(l, from);
	if (!err)
		err = move(&a, &b, if_absent);
	if (!err)
		err = place_info(l, &b, out);
	local_path_close(&a);
	local_path_close(&b);
	return err;
}

int local_rename(struct store *s, const char *from, const char *to,
		 bool if_absent, struct object_info *out)
{
	struct local *l = local_of(s);
	const char *why = NULL;
	int err = local_writable(l, "rename", from), lock = -1;

	if (err)
		return err;
	err = local_key_check(from, &why);
	if (!err)
		err = local_key_check(to, &why);
	if (err)
		return local_failed(l, "rename", from, err, why);
	lock = local_lock_keys(l, from, to);
	err = lock < 0 ? lock : rename_locked(l, from, to, if_absent, out);
	if (lock >= 0)
		close(lock);
	local_prune(l, err ? to : from);
	return err ? local_failed(l, "rename", from, err, NULL) : 0;
}
