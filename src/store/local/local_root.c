/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk of a store, at start: is the root there, and can its disk hold what
 * we keep?
 *
 * A root that cannot be written is still read: ro_rc says why, and each write
 * looks again, for a disk may be made writable under a mount. `.stagefs` is
 * closed to others, and must belong to the user who runs us (or, where root
 * does, to the owner of the root): what lies in it is trusted. Root makes what
 * it makes there its owner's, so that a store stays its owner's after one
 * `sudo`.
 */
#include "store/local/local_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/log.h"
#include "store/local/local_error.h"
#include "store/local/local_file.h"
#include "store/local/local_pending.h"

#define PROBE "user.stagefs"
#define OLD_S 60

static const char *root_of(const struct local *l)
{
	return *l->root ? l->root : "/";
}

static int root_fault(struct local *l, struct buf *why, int rc,
		      const char *sentence)
{
	return buf_fail(why, rc, "%s: %s", root_of(l), sentence);
}

/* Is it in the folder of another store, whatever path led here? */
static int root_check_place(struct local *l, struct buf *why)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", l->root_fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");

		if (local_path_is_folder(p, len))
			return root_fault(l, why, -EPERM,
					  "it lies in the " LOCAL_FOLDER
					  " of another store");
		p += len + (p[len] == '/');
	}
	return 0;
}

static int root_open(struct local *l, struct buf *why)
{
	FD_LOCAL fd = -1;

	l->root_fd = open(root_of(l), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->root_fd < 0 && errno == ENOENT) {
		int rc = dirs_make(root_of(l), 0777, 0777);

		if (rc)
			return root_fault(l, why, rc, strerror(-rc));
		l->root_fd = open(root_of(l), O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (l->root_fd < 0)
		return root_fault(l, why, -errno, strerror(errno));
	fd = local_file_openat(l->root_fd, "", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return root_fault(
			l, why, fd,
			fd == -ENOSYS
				? "this kernel has no openat2(), Linux 5.6 "
				  "or later is needed"
				: strerror(-fd));
	return root_check_place(l, why);
}

/* ---- the folder of ours ---- */

static bool root_cannot_write(int rc)
{
	return rc == -EROFS || rc == -EACCES || rc == -EPERM;
}

/* Whose is it, and which other users may look into it? */
static int root_check_folder(struct local *l, struct buf *why)
{
	struct stat st, root;

	if (fstat(l->folder_fd, &st) || fstat(l->root_fd, &root))
		return root_fault(l, why, -errno, strerror(errno));
	if (st.st_uid != geteuid() &&
	    !(geteuid() == 0 && st.st_uid == root.st_uid))
		return root_fault(l, why, -EACCES,
				  LOCAL_FOLDER " belongs to somebody else");
	if (st.st_mode & 077 && fchmod(l->folder_fd, 0700) && errno != EROFS)
		return root_fault(l, why, -errno,
				  LOCAL_FOLDER " is open to others");
	return 0;
}

/* 0 also when there is none and none can be made: ro_rc. */
static int root_open_folder(struct local *l, struct buf *why)
{
	struct stat st;

	if (mkdirat(l->root_fd, LOCAL_FOLDER, 0700) && errno != EEXIST)
		l->ro_rc = -errno;
	if (fstatat(l->root_fd, LOCAL_FOLDER, &st, AT_SYMLINK_NOFOLLOW)) {
		int rc = l->ro_rc ? l->ro_rc : -errno;

		return root_cannot_write(rc)
			       ? 0
			       : root_fault(l, why, rc, strerror(-rc));
	}
	if (!S_ISDIR(st.st_mode))
		return root_fault(l, why, -ENOTDIR,
				  LOCAL_FOLDER " is not a directory");
	l->folder_fd = local_file_openat(l->root_fd, LOCAL_FOLDER,
					 O_RDONLY | O_DIRECTORY);
	if (l->folder_fd >= 0)
		return root_check_folder(l, why);
	l->ro_rc = l->folder_fd;
	l->folder_fd = -1;
	if (!root_cannot_write(l->ro_rc))
		return root_fault(l, why, l->ro_rc, strerror(-l->ro_rc));
	return 0;
}

/* A file without a name that has an attribute: all that a PUT needs. */
static int root_probe(struct local *l, struct buf *why)
{
	FD_LOCAL fd =
		openat(l->folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd < 0) {
		rc = -errno;
		if (rc == -EOPNOTSUPP || rc == -EISDIR || rc == -ENOENT)
			return root_fault(
				l, why, -EOPNOTSUPP,
				"its disk has no files without a name "
				"(O_TMPFILE)");
		return rc;
	}
	if (fsetxattr(fd, PROBE, "", 0, 0))
		rc = -errno;
	if (rc == -EOPNOTSUPP)
		return root_fault(
			l, why, rc,
			"its disk keeps no user extended attributes "
			"(tmpfs does from Linux 6.6 on, ext3 with the "
			"mount option user_xattr)");
	return rc;
}

/* ---- all of it ---- */

/* Is it there, and what it should be? */
static int root_prepare_one(struct local *l, const char *name, struct buf *why)
{
	int fd = strcmp(name, LOCAL_LOCKS) ? local_folder_open(l, name)
					   : local_folder_locks(l);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (fd == -EUCLEAN)
		buf_addf(why,
			 "%s: %s/%s is not the store's own: a %s of the owner "
			 "of %s",
			 root_of(l), LOCAL_FOLDER, name,
			 strcmp(name, LOCAL_LOCKS) ? "directory"
						   : "file with one name",
			 LOCAL_FOLDER);
	return fd;
}

static int root_prepare(struct local *l, struct buf *why)
{
	static const char *const names[] = { LOCAL_TMP, LOCAL_UPLOADS,
					     LOCAL_LOCKS };
	int rc = root_probe(l, why);

	for (size_t i = 0; !rc && i < sizeof(names) / sizeof(*names); i++)
		rc = root_prepare_one(l, names[i], why);
	/* A disk that is full is one to read, and to remove from. */
	return rc == -ENOSPC || rc == -EDQUOT ? 0 : rc;
}

static int root_try_to_write(struct local *l, struct buf *why)
{
	int rc = root_prepare(l, why);

	if (root_cannot_write(rc)) {
		l->ro_rc = rc;
		return 0;
	}
	if (rc && !why->len)
		root_fault(l, why, rc, strerror(-rc));
	return rc;
}

int local_root_open(struct local *l, struct buf *why)
{
	int rc = root_open(l, why);

	if (!rc)
		rc = root_open_folder(l, why);
	if (!rc && l->folder_fd >= 0 && !l->ro_rc)
		rc = root_try_to_write(l, why);
	if (rc)
		return rc;
	if (l->ro_rc) {
		const struct log_where where = { .stage = l->base.name,
						 .rc = l->ro_rc };

		log_at(LOG_LEVEL_WARN, &where, "%s is only read", root_of(l));
		return 0;
	}
	local_pending_sweep(l, OLD_S);
	return 0;
}

/* Where nothing could be written: can it now? 0 or why not. */
static int local_root_again(struct local *l)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = l->ro_rc;

	if (l->folder_fd >= 0)
		rc = root_prepare(l, &why);
	if (rc)
		return rc;
	/* Of several threads that look at once one logs it. */
	if (atomic_exchange(&l->ro_rc, 0))
		log_at(LOG_LEVEL_INFO,
		       &(struct log_where){ .stage = l->base.name },
		       "%s can be written again", root_of(l));
	return 0;
}

int local_root_writable(struct local *l, const char *what, const char *key)
{
	int rc = l->ro_rc ? local_root_again(l) : 0;

	return rc ? local_error(l, what, key, rc, "the store is read-only") : 0;
}
