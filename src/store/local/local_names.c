/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that go, move and are flushed.
 *
 * A removed name goes under its key's lock; the folders that only it needed go
 * with it. It is not flushed: a power cut may bring back what was removed last,
 * as with any file, unless its folder is flushed.
 *
 * A folder that is not empty stays, -ENOTEMPTY, when it is removed alone.
 * Among many keys it becomes one that is there for its keys only, and goes with
 * the last of them: a listing names a folder before what it holds.
 *
 * A flush promises what fsync(2) of a directory or a file does: names that were
 * made, moved and removed there are so on the disk, and bytes and attributes of
 * a file, also of one that another program wrote, with its name. A folder
 * that went with its last key is none to flush: the one above has that change.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "store/local/local_error.h"
#include "store/local/local_file.h"
#include "store/local/local_lock.h"
#include "store/local/local_ops.h"
#include "store/local/local_path.h"
#include "store/local/local_record.h"
#include "store/local/local_root.h"
#include "store/store_check.h"

/* etag NULL: whatever is there. */
static int names_unlink_at(const struct local_path *p, const char *etag)
{
	struct local_record record = { 0 };
	struct stat st;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	/* What is something else than the key says is not there. */
	if (p->is_dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return 0;
	if (etag) {
		local_record_read_at(p->dir, p->name, &st, &record);
		if (strcmp(record.etag, etag))
			return -ESTALE;
	}
	if (unlinkat(p->dir, p->name, p->is_dir ? AT_REMOVEDIR : 0) &&
	    errno != ENOENT)
		return errno == EEXIST ? -ENOTEMPTY : -errno;
	return 0;
}

/* A folder that is not empty is there for its keys from now on. */
static int names_make_implied(const struct local_path *p)
{
	FD_LOCAL fd =
		local_file_openat(p->dir, p->name, O_RDONLY | O_DIRECTORY);
	struct local_props none = { 0 };
	char etag[STORE_ETAG_SIZE];
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return fstat(fd, &st)
		       ? -errno
		       : local_record_write(fd, &st, &none, true, 0, etag);
}

/* A folder that no listing shows anything of is not empty all the same. */
static void names_say_hidden(struct local *l, const struct local_path *p,
			     const char *key)
{
	int fd = local_file_openat(p->dir, p->name, O_RDONLY | O_DIRECTORY);
	BUF_LOCAL what = BUF_INIT(STORE_KEY_MAX + NAME_MAX);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && !what.len && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
		    e->d_type != DT_REG && e->d_type != DT_DIR)
			buf_addf(&what, "%s%s", key, e->d_name);
	if (what.len && !buf_err(&what))
		log_at(LOG_LEVEL_WARN,
		       &(struct log_where){ .stage = l->base.name,
					    .key = buf_str(&what) },
		       "a directory is not empty: it holds this name, which is "
		       "neither a file's nor a directory's");
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

static int names_remove_one(struct local *l, const char *key, const char *etag,
			    bool imply)
{
	LOCAL_PATH_LOCAL p = { .dir = -1 };
	const char *why = NULL;
	int rc = local_root_writable(l, "remove", key), lock = -1;

	if (rc)
		return rc;
	rc = local_path_check(key, &why);
	if (!rc) {
		lock = local_lock_keys(l, key, NULL);
		rc = lock < 0 ? lock : local_path_open(l, key, &p);
	}
	if (!rc)
		rc = names_unlink_at(&p, etag);
	if (rc == -ENOTEMPTY && imply)
		rc = names_make_implied(&p);
	else if (rc == -ENOTEMPTY)
		names_say_hidden(l, &p, key);
	if (lock >= 0)
		close(lock);
	if (rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	if (rc)
		return local_error(l, "remove", key, rc, why);
	local_path_prune(l, key);
	return 0;
}

int local_names_remove(struct store *s, const char *key,
		       const struct store_cond *cond)
{
	return names_remove_one(local_of(s), key, cond ? cond->if_match : NULL,
				false);
}

static int names_backwards(const void *a, const void *b)
{
	const char *const *const *x = a, *const *const *y = b;

	return strcmp(**y, **x);
}

/* Files first, then folders, those that lie in others before them. */
int local_names_remove_many(struct store *s, const char *const *keys,
			    unsigned n, int *results)
{
	struct local *l = local_of(s);
	const char *const **dirs = calloc(n, sizeof(*dirs));
	unsigned n_dirs = 0;
	int rc = 0;

	if (!dirs)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		if (keys[i][strlen(keys[i]) - 1] == '/')
			dirs[n_dirs++] = &keys[i];
		else
			results[i] = names_remove_one(l, keys[i], NULL, true);
	}
	qsort(dirs, n_dirs, sizeof(*dirs), names_backwards);
	for (unsigned i = 0; i < n_dirs; i++)
		results[dirs[i] - keys] =
			names_remove_one(l, *dirs[i], NULL, true);
	for (unsigned i = 0; i < n && !rc; i++)
		rc = results[i];
	free(dirs);
	return rc;
}

/* ---- moves ---- */

/* The file of another program: nothing says that its bytes have reached the
 * disk, where the name that it gets must not come before them; and its ETag
 * has its ctime, which a move changes. */
static int names_settle(struct local *l, const char *key)
{
	struct local_record record;
	struct stat st;
	int fd = local_path_open_file(l, key, &st), rc = 0;

	if (fd < 0)
		return 0;
	local_record_read(fd, &st, &record);
	if (!record.bound && fdatasync(fd) && errno != EROFS && errno != EINVAL)
		rc = -errno;
	if (!rc && !record.bound)
		local_record_rebind(fd, &st, &record, st.st_mtim);
	close(fd);
	return rc;
}

/* What moves is what the key says, and so is what it replaces. */
static int names_check_move(const struct local_path *from,
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

static int names_move(const struct local_path *from,
		      const struct local_path *to, bool if_absent)
{
	int rc = names_check_move(from, to, if_absent);

	if (rc)
		return rc;
	if (renameat2(from->dir, from->name, to->dir, to->name,
		      if_absent ? RENAME_NOREPLACE : 0))
		rc = errno == EEXIST && !if_absent ? -ENOTEMPTY : -errno;
	return rc;
}

static int names_rename_locked(struct local *l, const char *from,
			       const char *to, bool if_absent)
{
	LOCAL_PATH_LOCAL a = { .dir = -1 }, b = { .dir = -1 };
	int rc = local_path_open(l, from, &a);

	if (rc == -ENOTDIR)
		rc = -ENOENT;
	if (!rc)
		rc = local_path_make(l, to, NULL, &b);
	if (!rc && !a.is_dir)
		rc = names_settle(l, from);
	return rc ? rc : names_move(&a, &b, if_absent);
}

int local_names_rename(struct store *s, const char *from, const char *to,
		       bool if_absent)
{
	struct local *l = local_of(s);
	const char *why = NULL;
	int rc = local_root_writable(l, "rename", from), lock = -1;

	if (rc)
		return rc;
	rc = local_path_check(from, &why);
	if (!rc)
		rc = local_path_check(to, &why);
	if (rc)
		return local_error(l, "rename", from, rc, why);
	lock = local_lock_keys(l, from, to);
	rc = lock < 0 ? lock : names_rename_locked(l, from, to, if_absent);
	if (lock >= 0)
		close(lock);
	local_path_prune(l, rc ? to : from);
	return rc ? local_error(l, "rename", from, rc, NULL) : 0;
}

static int names_exchange_locked(struct local *l, const char *one,
				 const char *other)
{
	struct local_path a = { .dir = -1 }, b = { .dir = -1 };
	int rc = local_path_open(l, one, &a);

	if (!rc)
		rc = local_path_open(l, other, &b);
	rc = rc == -ENOTDIR ? -ENOENT : rc;
	if (!rc && !a.is_dir)
		rc = names_settle(l, one);
	if (!rc && !b.is_dir)
		rc = names_settle(l, other);
	if (!rc && renameat2(a.dir, a.name, b.dir, b.name, RENAME_EXCHANGE))
		rc = errno == EINVAL || errno == ENOSYS ? -ENOTSUP : -errno;
	local_path_close(&a);
	local_path_close(&b);
	return rc;
}

int local_names_exchange(struct store *s, const char *one, const char *other)
{
	struct local *l = local_of(s);
	const char *why = NULL;
	FD_LOCAL lock = -1;
	int rc = local_root_writable(l, "exchange", one);

	if (rc)
		return rc;
	rc = local_path_check(one, &why);
	if (!rc)
		rc = local_path_check(other, &why);
	if (rc)
		return local_error(l, "exchange", one, rc, why);
	lock = local_lock_keys(l, one, other);
	rc = lock < 0 ? lock : names_exchange_locked(l, one, other);
	return rc && rc != -ENOTSUP ? local_error(l, "exchange", one, rc, NULL)
				    : rc;
}

/* ---- flushes ---- */

/* A disk that is read-only, or keeps nothing, has nothing to flush. */
static int names_flush(int fd)
{
	if (!fsync(fd) || errno == EROFS || errno == EINVAL)
		return 0;
	return -errno;
}

/* The nearest folder that is there, from the first n bytes of key upwards. */
static int names_flush_folder(struct local *l, const char *key, size_t n)
{
	char path[STORE_KEY_MAX + 1];
	FD_LOCAL fd = -1;

	memcpy(path, key, n);
	for (;;) {
		path[n] = '\0';
		fd = local_file_openat(l->root_fd, path,
				       O_RDONLY | O_DIRECTORY);
		if (!n || (fd != -ENOENT && fd != -ENOTDIR))
			break;
		for (n--; n && path[n - 1] != '/'; n--)
			;
	}
	return fd < 0 ? fd : names_flush(fd);
}

static int names_flush_file(struct local *l, const char *key)
{
	struct stat st;
	FD_LOCAL fd = local_path_open_file(l, key, &st);

	if (fd == -ENOENT)
		return 0; /* removed: its folder has that */
	return fd < 0 ? fd : names_flush(fd);
}

int local_names_sync(struct store *s, const char *key)
{
	struct local *l = local_of(s);
	const char *why = NULL, *slash = strrchr(key, '/');
	int rc = *key ? local_path_check(key, &why) : 0;

	if (!rc && *key && !store_check_is_dir(key))
		rc = names_flush_file(l, key);
	if (!rc)
		rc = names_flush_folder(l, key, slash ? slash + 1 - key : 0);
	return rc ? local_error(l, "flush", key, rc, why) : 0;
}
