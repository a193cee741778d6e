/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole file takes its place. Under the lock of its key, in this order:
 *
 *   what is there is looked at: a folder, a condition that does not hold
 *   owner and mode, then the record (bound to the content as it is now)
 *   fsync of the file
 *   its name: linkat where nothing stands; else a name of microseconds in
 *     .stagefs/tmp, and rename over what stands there
 *   fsync of the folder
 *
 * So a power cut leaves the old object or the new one, whole, and what was
 * answered is there. See local.c for why there are two flushes.
 */
#include "store/local/local_commit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/local/local_error.h"
#include "store/local/local_file.h"
#include "store/local/local_folder.h"
#include "store/local/local_lock.h"
#include "store/local/local_path.h"

#define BIG (1u << 20) /* bytes that are flushed before the lock is taken */
#define TRIES 8

/* Does the condition hold for what is there (st NULL: nothing)? */
static int local_commit_cond(const struct store_cond *cond,
			     const struct stat *st, const char *etag)
{
	if (!cond)
		return 0;
	if (cond->if_absent)
		return st ? -EEXIST : 0;
	if (cond->if_match && !st)
		return -ENOENT;
	if (cond->if_match && strcmp(cond->if_match, etag))
		return -ESTALE;
	return 0;
}

/* What a replaced object keeps; set-id bits are not for other bytes. */
static int commit_inherit(int fd, const struct stat *old)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
	    fchown(fd, old->st_uid, old->st_gid) && errno != EPERM)
		return -errno;
	if ((st.st_mode & 07777) != (old->st_mode & 01777) &&
	    fchmod(fd, old->st_mode & 01777))
		return -errno;
	return 0;
}

/* 1: something is there, in *old; 0: nothing. */
static int commit_look(const struct local_path *p, struct stat *old,
		       const char **why)
{
	if (fstatat(p->dir, p->name, old, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(old->st_mode)) {
		*why = "a directory has that name";
		return -EISDIR;
	}
	if (!S_ISREG(old->st_mode)) {
		*why = "what has that name is no regular file";
		return -EACCES;
	}
	return 1;
}

/* By way of a name of microseconds in tmp. */
static int commit_replace_by(int fd, int tmp, const struct local_path *p,
			     unsigned flags)
{
	char id[LOCAL_ID_SIZE];
	int rc;

	local_file_random_id(id);
	rc = local_file_link(fd, tmp, id);
	if (rc)
		return rc;
	if (renameat2(tmp, id, p->dir, p->name, flags))
		rc = -errno;
	if (rc)
		unlinkat(tmp, id, 0);
	return rc;
}

/* Over what stands there, unless nothing may. */
static int commit_replace(const struct local_commit *c,
			  const struct local_path *p)
{
	unsigned flags = c->cond && c->cond->if_absent ? RENAME_NOREPLACE : 0;
	FD_LOCAL tmp = -1;

	if (c->from_name)
		return renameat2(c->from_dir, c->from_name, p->dir, p->name,
				 flags)
			       ? -errno
			       : 0;
	tmp = local_folder_open(c->l, LOCAL_TMP);
	return tmp < 0 ? tmp : commit_replace_by(c->fd, tmp, p, flags);
}

static int commit_put_in_place(const struct local_commit *c,
			       const struct local_path *p, bool there)
{
	int rc = 0;

	if (!there && !c->from_name) {
		rc = local_file_link(c->fd, p->dir, p->name);
		/* Another program made one meanwhile. */
		if (rc == -EEXIST && !(c->cond && c->cond->if_absent))
			rc = commit_replace(c, p);
	} else {
		rc = commit_replace(c, p);
	}
	if (!rc && fsync(p->dir))
		rc = -errno;
	return rc;
}

/* What is kept with the new file: record is that of what it replaces. */
static int commit_choose_kept(const struct local_commit *c,
			      const struct local_record *record,
			      struct local_props *kept)
{
	*kept = *c->kept;
	if (!c->inherit)
		return 0;
	kept->props = record->props;
	return props_add(&kept->props, &c->kept->props, PROP_CONTENT);
}

static int commit_finish_file(const struct local_commit *c,
			      const struct stat *old,
			      const struct local_props *kept,
			      struct object_info *out)
{
	char etag[STORE_ETAG_SIZE];
	struct stat st;
	int rc = old ? commit_inherit(c->fd, old)
		     : local_file_own(c->fd, c->owner, false);

	if (!rc && fstat(c->fd, &st))
		rc = -errno;
	if (!rc)
		rc = local_record_write(c->fd, &st, kept, false, 0, etag);
	if (!rc && !old && c->owner)
		rc = local_file_own(c->fd, c->owner, true);
	if (!rc && fsync(c->fd))
		rc = -errno;
	if (!rc && fstat(c->fd, &st))
		rc = -errno;
	if (!rc)
		local_record_info(&st, etag, out);
	return rc;
}

static int commit_at(const struct local_commit *c, const struct local_path *p,
		     struct object_info *out, const char **why)
{
	struct local_record record = { 0 };
	struct local_props kept;
	struct stat old;
	int there = commit_look(p, &old, why), rc;

	if (there < 0)
		return there;
	if (there && (c->inherit || (c->cond && c->cond->if_match)))
		local_record_read_at(p->dir, p->name, &old, &record);
	rc = local_commit_cond(c->cond, there ? &old : NULL, record.etag);
	if (!rc)
		rc = commit_choose_kept(c, &record, &kept);
	if (!rc)
		rc = commit_finish_file(c, there ? &old : NULL, &kept, out);
	return rc ? rc : commit_put_in_place(c, p, there);
}

/* Nothing is made for a condition that cannot hold. */
static int commit_open_place(const struct local_commit *c, struct local_path *p)
{
	if (c->cond && c->cond->if_match) {
		int rc = local_path_open(c->l, c->key, p);

		local_path_close(p);
		if (rc)
			return rc;
	}
	return local_path_make(c->l, c->key, c->owner, p);
}

static int commit_try(const struct local_commit *c, struct object_info *out,
		      const char **why, bool *pruned)
{
	LOCAL_PATH_LOCAL p = { .dir = -1 };
	struct stat st;
	int rc, lock;

	*pruned = false;
	lock = local_lock_keys(c->l, c->key, NULL);
	if (lock < 0)
		return lock;
	rc = commit_open_place(c, &p);
	if (!rc) {
		rc = commit_at(c, &p, out, why);
		*pruned = rc == -ENOENT && !fstat(p.dir, &st) && !st.st_nlink;
	} else if (rc == -ENOTDIR) {
		*why = "a file stands where a directory is needed";
	}
	close(lock);
	return rc;
}

int local_commit(const struct local_commit *c, struct object_info *out)
{
	const char *why = NULL;
	bool pruned = true;
	struct stat st;
	int rc = local_path_check(c->key, &why);

	if (rc)
		return local_error(c->l, c->what, c->key, rc, why);
	if (!fstat(c->fd, &st) && st.st_size > BIG && fdatasync(c->fd))
		rc = -errno;
	for (int i = 0; i < TRIES && !rc && pruned; i++) {
		rc = commit_try(c, out, &why, &pruned);
		if (pruned && i + 1 < TRIES)
			rc = 0;
	}
	if (!rc)
		return 0;
	local_path_prune(c->l, c->key);
	return local_error(c->l, c->what, c->key, rc, why);
}

/* ---- folders ---- */

static int commit_put_dir_at(struct local *l, const struct local_path *p,
			     const struct store_owner *owner,
			     const struct store_cond *cond,
			     const struct local_props *kept,
			     struct object_info *out)
{
	struct local_record record = { 0 };
	char etag[STORE_ETAG_SIZE];
	struct stat st;
	bool made, there;
	int fd, rc;

	if (cond && cond->if_match &&
	    fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	fd = local_file_mkdir(p->dir, p->name, owner, true, &made);
	if (fd < 0)
		return fd;
	rc = fstat(fd, &st) ? -errno : 0;
	if (!rc && !made)
		local_record_read(fd, &st, &record);
	/* What is there for keys below it is no object. */
	there = !made && !record.implied;
	if (!rc)
		rc = local_commit_cond(cond, there ? &st : NULL, record.etag);
	if (!rc)
		rc = local_record_write(fd, &st, kept, false, 0, etag);
	/* Its record has changed the ctime. */
	if (!rc && (fsync(fd) || fsync(p->dir) || fstat(fd, &st)))
		rc = -errno;
	if (!rc)
		local_record_info(&st, etag, out);
	close(fd);
	if (rc && made)
		unlinkat(p->dir, p->name, AT_REMOVEDIR);
	return rc;
}

int local_commit_dir(struct local *l, const char *key,
		     const struct store_meta *meta,
		     const struct store_cond *cond,
		     const struct local_props *kept, struct object_info *out)
{
	const struct store_owner *owner = meta ? meta->owner : NULL;
	LOCAL_PATH_LOCAL p = { .dir = -1 };
	const char *why = NULL;
	int rc = local_path_check(key, &why), lock = -1;

	if (!rc)
		lock = local_lock_keys(l, key, NULL);
	if (!rc && lock < 0)
		rc = lock;
	if (!rc)
		rc = local_path_make(l, key, owner, &p);
	if (!rc)
		rc = commit_put_dir_at(l, &p, owner, cond, kept, out);
	if (rc == -ENOTDIR)
		why = "a file stands where a directory is needed";
	if (lock >= 0)
		close(lock);
	if (!rc)
		return 0;
	local_path_prune(l, key);
	return local_error(l, "write", key, rc, why);
}
