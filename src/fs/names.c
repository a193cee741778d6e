/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel asks of one name.
 */
#include "fs/names.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fs/attr/attr_learn.h"
#include "stage/stage.h"

#define BLOCK_SIZE (128 << 10) /* what programs read and write at a time */

/* stat(2)'s view; how long the kernel may believe it, in seconds. */
static double names_fill_stat(struct fs *fs, struct inode *i,
			      const struct inode_view *v, struct stat *st)
{
	uint64_t size = v->kind == INODE_FILE ? v->info.size : 0;
	struct file *f = v->open ? inode_file_get(fs->tree, i) : NULL;

	if (f) {
		file_size(f, &size);
		file_close(f);
	}
	memset(st, 0, sizeof(*st));
	st->st_ino = v->ino;
	st->st_mode = v->mode | inode_view_type(v);
	st->st_nlink = v->orphan ? 0 : 1;
	st->st_uid = v->uid;
	st->st_gid = v->gid;
	st->st_size = size;
	st->st_blksize = BLOCK_SIZE;
	st->st_blocks = (size + 511) / 512;
	st->st_mtim = v->info.mtime;
	st->st_atim = v->atime;
	st->st_ctim = v->ctime;
	/* A publication changes times, and on a disk the number. */
	return v->dirty ? 0 : v->fresh_ms / 1000.0;
}

void names_stat(struct fs *fs, struct inode *i, struct stat *st)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	names_fill_stat(fs, i, &v, st);
}

double names_stat_kernel(struct fs *fs, struct inode *i, struct stat *st)
{
	struct inode_view v;

	inode_show(fs->tree, i, &v);
	return names_fill_stat(fs, i, &v, st);
}

void names_fill(struct fs *fs, struct inode *i, const struct inode_view *v,
		struct fs_entry *out)
{
	out->inode = i;
	out->version = inode_etag_hash(v);
	out->entry_timeout = out->attr_timeout =
		names_fill_stat(fs, i, v, &out->st);
}

void names_entry(struct fs *fs, struct inode *i, struct fs_entry *out)
{
	struct inode_view v;

	inode_enter(fs->tree, i, &v);
	names_fill(fs, i, &v, out);
}

/* The kernel looks up i, for a reference of the caller's. */
static int names_enter(struct fs *fs, struct inode *i, struct fs_entry *out)
{
	int rc = attr_learn(fs->tree, &i);

	if (rc)
		inode_unref(fs->tree, i);
	else
		names_entry(fs, i, out);
	return rc == -ENOENT ? 0 : rc;
}

int fs_lookup(struct fs *fs, struct inode *dir, const char *name,
	      struct fs_entry *out)
{
	unsigned absent_ms = 0;
	struct inode_view v;
	struct inode *i;
	int rc = resolve_check(name);

	if (rc)
		return rc;
	memset(out, 0, sizeof(*out));
	if (!names_is_root(fs, dir)) {
		switch (tree_lookup(fs->tree, dir, name, &i, &v, &absent_ms)) {
		case TREE_KNOWN:
			if (v.unlearned)
				return names_enter(fs, i, out);
			names_fill(fs, i, &v, out);
			return 0;
		case TREE_ABSENT:
			out->entry_timeout = absent_ms / 1000.0;
			return 0;
		case TREE_UNKNOWN:
			break;
		}
	}
	rc = resolve_learn(fs, dir, name, &i);
	/* Other programs make stages, which are seen at the next look. */
	if (rc == -ENOENT && !names_is_root(fs, dir))
		out->entry_timeout =
			tree_absent_ms(fs->tree, dir, name) / 1000.0;
	else if (!rc)
		rc = names_enter(fs, i, out);
	return rc == -ENOENT ? 0 : rc;
}

bool names_keep_open(struct fs *fs, struct inode *i, struct file **out)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	return v.policy->replaced_is_orphan && v.kind == INODE_FILE &&
	       v.published && !file_open(&fs->env, i, &v.info, out);
}

/* The kernel has forgotten i, whose content was kept for it. */
static void names_drop_open(struct fs *fs, struct inode *i)
{
	struct file *f = inode_file_get(fs->tree, i);

	file_close(f); /* the one of inode_file_get() */
	file_close(f);
}

void fs_forget(struct fs *fs, struct inode *i, uint64_t n)
{
	if (inode_forget(fs->tree, i, n))
		names_drop_open(fs, i);
}

/*
 * What has the name of i by now, when that is not i. The kernel would look the
 * name up again upon -ESTALE, but once only, and a name that is replaced again
 * and again is another by then: so it gets what stands there, to be believed
 * for this once, if that is of the same kind.
 */
static int names_stat_successor(struct fs *fs, const struct inode_view *was,
				struct inode *now, struct stat *st,
				double *timeout)
{
	struct inode_view is;

	inode_view(fs->tree, now, &is);
	if (inode_view_type(was) != inode_view_type(&is))
		return -ESTALE;
	names_fill_stat(fs, now, &is, st);
	*timeout = 0;
	return 0;
}

/* Another program has written into what is open: -ESTALE rather than a size
 * that was, for a program that waits for the file to grow. */
static int names_check_open(struct fs *fs, struct inode *i)
{
	struct file *f = inode_file_get(fs->tree, i);
	int rc = f ? file_look(f) : 0;

	if (f)
		file_close(f);
	if (rc == -ESTALE)
		inode_invalidate(fs->tree, i); /* the next lookup is to ask */
	return rc == -ESTALE ? rc : 0;
}

int fs_getattr(struct fs *fs, struct inode *i, struct handle *h,
	       struct stat *st, double *timeout)
{
	struct inode *now = NULL;
	struct inode_view v;
	int rc = 0;

	/* An open file is what it was at open; its readers learn by ESTALE. */
	if (h)
		inode_view(fs->tree, i, &v);
	else
		rc = resolve_now(fs, i, &v, &now);
	if (!h && !rc && v.policy->in_metadata) {
		if (!now)
			now = inode_ref(fs->tree, i);
		rc = attr_learn(fs->tree, &now);
	}
	if (!h && v.stage_root)
		stages_refresh_root(fs, i);
	/* Without its name it is still what is open. */
	if (rc == -ESTALE || (rc == -ENOENT && v.open))
		rc = 0;
	if (!rc && now && now != i && !v.open) {
		rc = names_stat_successor(fs, &v, now, st, timeout);
	} else {
		if (!rc && !v.policy->asked_by_etag && v.open)
			rc = names_check_open(fs, i);
		if (!rc)
			*timeout = names_stat_kernel(fs, i, st);
	}
	inode_unref(fs->tree, now);
	return rc;
}

void names_maker(const struct inode_view *dir, bool is_dir,
		 const struct fs_caller *c, struct fs_caller *owner,
		 mode_t *mode)
{
	*owner = *c;
	/* On a disk only root gives files away. */
	if (dir->policy->keeps_owner && geteuid()) {
		owner->uid = geteuid();
		owner->gid = getegid();
	}
	if (!(dir->mode & S_ISGID))
		return;
	owner->gid = dir->gid;
	if (is_dir)
		*mode |= S_ISGID;
}

int names_sync(struct fs *fs, struct inode *i)
{
	BUF_LOCAL key = NAMES_KEY;
	struct stage *stage;
	struct inode_view v;
	int rc;

	inode_view(fs->tree, i, &v);
	if (!v.policy->flushes_names || v.orphan)
		return 0;
	/* Its name is its own until it is flushed. */
	rc = claims_publish_begin(fs->tree, i, &key);
	if (!rc) {
		stage = inode_stage(fs->tree, i);
		if (stage)
			rc = store_sync(stage->store, buf_str(&key));
		stage_unref(stage);
		claims_publish_end(fs->tree, i);
	}
	return rc == -ENOENT ? 0 : rc; /* it has gone meanwhile */
}

static bool names_sends_later(const struct fs *fs, const struct stage *s,
			      bool fsync)
{
	if (!s || !policy_of(s)->sent_later || !fs->set.mount_name)
		return false;
	return s->store->write_back == STORE_WRITE_BACK ||
	       (s->store->write_back == STORE_WRITE_BACK_FSYNC && !fsync);
}

int names_store(struct fs *fs, struct file *f, bool fsync)
{
	int rc = -EOPNOTSUPP;

	if (names_sends_later(fs, file_stage(f), fsync))
		rc = write_back_file(fs->write_back, f);
	if (rc != -EOPNOTSUPP)
		return rc;
	rc = file_publish(f);
	/* What had been accepted before must not replace it after a power
	 * cut. */
	return rc ? rc : write_back_sync(fs->write_back);
}

int names_store_dir(struct fs *fs, struct inode *dir)
{
	STAGE_LOCAL *s = inode_stage(fs->tree, dir);
	int rc = -EOPNOTSUPP;

	if (names_sends_later(fs, s, false))
		rc = write_back_dir(fs->write_back, dir);
	return rc == -EOPNOTSUPP ? marker_put(fs, dir) : rc;
}

void names_orphan(struct fs *fs, struct inode *i)
{
	FILE_LOCAL *f = inode_file_get(fs->tree, i);

	if (f)
		file_orphan(f);
}

int names_hold(struct fs *fs, struct inode *i)
{
	FILE_LOCAL *f = inode_file_get(fs->tree, i);
	int rc;

	if (!f)
		return 0;
	rc = file_hold(f);
	if (rc && rc != -EINTR)
		file_log(
			f, LOG_LEVEL_WARN, rc,
			"it goes while programs have it open, and they may not "
			"be able to read it to its end");
	return rc == -EINTR ? rc : 0;
}

int names_writable(struct fs *fs, struct inode *i)
{
	STAGE_LOCAL *stage = fs->set.ro ? NULL : inode_stage(fs->tree, i);

	return names_writable_stage(fs, stage);
}

struct inode *names_peek_path(struct fs *fs, struct inode *dir,
			      const char *path)
{
	struct inode *at = inode_ref(fs->tree, dir);
	char name[256];

	while (at && *path) {
		size_t len = strcspn(path, "/");
		struct inode *below = NULL;

		if (len && len < sizeof(name)) {
			memcpy(name, path, len);
			name[len] = '\0';
			below = tree_peek(fs->tree, at, name);
		}
		inode_unref(fs->tree, at);
		at = below;
		path += len + (path[len] == '/');
	}
	return at;
}
