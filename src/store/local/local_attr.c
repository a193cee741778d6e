/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owner, mode, times and headers. None of them changes an ETag: a record is
 * bound to the time before and after at once while the time changes, and a file
 * of another program gets a record with the ETag that it has.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/local/local_error.h"
#include "store/local/local_file.h"
#include "store/local/local_lock.h"
#include "store/local/local_ops.h"
#include "store/local/local_path.h"
#include "store/local/local_record.h"
#include "store/local/local_root.h"
#include "store/store_check.h"

static int attr_set_times(int fd, const struct stat *st,
			  const struct local_record *record,
			  const struct store_attr *a)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
				 { .tv_nsec = UTIME_OMIT } };
	struct stat now;
	int rc;

	if (a->which & STORE_SET_ATIME)
		t[0] = a->atime;
	if (a->which & STORE_SET_MTIME)
		t[1] = a->mtime;
	if (t[1].tv_nsec == UTIME_NOW)
		t[1] = clock_now();
	if (a->which & STORE_SET_MTIME) {
		rc = local_record_rebind(fd, st, record, t[1]);
		if (rc)
			return rc;
	}
	if (futimens(fd, t) || fstat(fd, &now))
		return -errno;
	/* A disk that keeps less of a time than was said. */
	if (a->which & STORE_SET_MTIME && now.st_mtim.tv_nsec != t[1].tv_nsec)
		return local_record_rebind(fd, &now, record, now.st_mtim);
	return 0;
}

static int attr_change(int fd, const struct stat *st,
		       const struct local_record *record,
		       const struct store_attr *a)
{
	uid_t uid = a->which & STORE_SET_UID ? a->uid : (uid_t)-1;
	gid_t gid = a->which & STORE_SET_GID ? a->gid : (gid_t)-1;
	int rc = 0;

	/* ctime changes now, and with it an ETag that was made of it; and a
	 * folder whose mode was chosen does not go by itself. */
	if (!record->bound || record->implied)
		rc = local_record_rebind(fd, st, record, st->st_mtim);
	if (!rc && a->which & (STORE_SET_ATIME | STORE_SET_MTIME))
		rc = attr_set_times(fd, st, record, a);
	if (!rc && a->which & (STORE_SET_UID | STORE_SET_GID) &&
	    fchown(fd, uid, gid))
		rc = -errno;
	/* After the owner: chown clears what mode may set. */
	if (!rc && a->which & STORE_SET_MODE && fchmod(fd, a->mode & 07777))
		rc = -errno;
	return rc;
}

/* The file of an owner who has closed it to himself: opened for a moment, in
 * which its record can be read too. */
static int attr_open_closed(struct local *l, const char *key, struct stat *st,
			    struct local_record *record)
{
	int handle = local_file_openat(l->root_fd, key, O_PATH | O_NOFOLLOW);
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
			local_record_read(fd, st, record);
		if (chmod(path, st->st_mode & 07777) && fd >= 0) {
			close(fd);
			fd = -EACCES;
		}
	}
	close(handle);
	return fd;
}

static int attr_open_for_change(struct local *l, const char *key,
				struct stat *st, struct local_record *record)
{
	int fd = store_check_is_dir(key) ? local_path_open_dir(l, key, st)
					 : local_path_open_file(l, key, st);

	if (fd >= 0)
		local_record_read(fd, st, record);
	return fd == -EACCES ? attr_open_closed(l, key, st, record) : fd;
}

/* Changes one file or folder, which is open, and whose record is `was`. */
struct attr_edit {
	int (*change)(const struct attr_edit *e, int fd, const struct stat *st,
		      struct local_record *was);
	const struct store_attr *attr;
	const struct object_details *now;
};

static int attr_edit_key(struct store *s, const char *key,
			 const struct attr_edit *e, struct object_info *out)
{
	struct local *l = local_of(s);
	struct local_record record;
	const char *why = NULL;
	struct stat st;
	FD_LOCAL lock = -1, fd = -1;
	int rc = local_root_writable(l, "change", key);

	if (rc)
		return rc;
	rc = *key ? local_path_check(key, &why) : 0;
	if (!rc) {
		lock = local_lock_keys(l, key, NULL);
		rc = lock < 0 ? lock : 0;
	}
	if (!rc) {
		fd = attr_open_for_change(l, key, &st, &record);
		rc = fd < 0 ? fd : 0;
	}
	if (!rc)
		rc = e->change(e, fd, &st, &record);
	if (!rc && fstat(fd, &st))
		rc = -errno;
	if (!rc)
		local_record_info(&st, record.etag, out);
	return rc ? local_error(l, "change", key, rc, why) : 0;
}

static int attr_edit_attr(const struct attr_edit *e, int fd,
			  const struct stat *st, struct local_record *was)
{
	return attr_change(fd, st, was, e->attr);
}

int local_attr_set(struct store *s, const char *key, const struct store_attr *a,
		   struct object_info *out)
{
	const struct attr_edit e = { .change = attr_edit_attr, .attr = a };

	return attr_edit_key(s, key, &e, out);
}

/* The ETag is kept in words: it may have been made of the ctime, which changes
 * now. */
static int attr_edit_props(const struct attr_edit *e, int fd,
			   const struct stat *st, struct local_record *was)
{
	const struct store_meta meta = { .props = &e->now->props };
	struct local_props kept;
	int rc = strcmp(was->etag, e->now->info.etag) ? -ESTALE : 0;

	if (!rc)
		rc = local_record_props(&kept, &meta);
	if (rc)
		return rc;
	was->props = kept.props;
	return local_record_rebind(fd, st, was, st->st_mtim);
}

int local_attr_set_props(struct store *s, const char *key,
			 const struct object_details *now,
			 struct object_info *out)
{
	const struct attr_edit e = { .change = attr_edit_props, .now = now };

	return attr_edit_key(s, key, &e, out);
}
