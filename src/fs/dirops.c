/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and removing names: mkdir, rmdir, unlink. Creating files is
 * fs_file.c's.
 *
 * The store is changed first, then the tree is told; after a failure the tree
 * does not know which of the two it was, and the next lookup asks. Files that
 * are removed in a row go from the tree first (removals.h). Each holds a
 * claim on what it changes (claims_publish_begin()), so that a directory above
 * is not moved meanwhile, and a file is not published while it is removed.
 */
#include "fs/names.h"
#include "fs/names/refusal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "fs/attr/attr_queue.h"
#include "fs/names/inode_meta.h"
#include "stage/stage.h"
#include "store/attr_meta.h"

/* 0 when nothing has this name. */
static int dirops_must_be_absent(struct fs *fs, struct inode *dir,
				 const char *name)
{
	struct inode *there;
	int rc = resolve_name(fs, dir, name, &there);

	if (!rc) {
		inode_unref(fs->tree, there);
		return -EEXIST;
	}
	return rc == -ENOENT ? 0 : rc;
}

static int dirops_make_dir(struct fs *fs, struct inode *dir, const char *name,
			   mode_t mode, const struct fs_caller *c,
			   struct inode **out)
{
	BUF_LOCAL key = NAMES_KEY;
	struct inode_place at;
	struct fs_caller owner;
	int rc = dirops_must_be_absent(fs, dir, name);

	inode_look(fs->tree, dir, &at);
	if (!rc)
		rc = inode_place_key(&at, name, &key);
	if (!rc && key.len >= STORE_KEY_MAX)
		rc = -ENAMETOOLONG; /* no room for the '/' */
	names_maker(&at.view, true, c, &owner, &mode);
	if (!rc)
		rc = tree_create(fs->tree, dir, name, INODE_DIR, mode,
				 owner.uid, owner.gid, out);
	inode_place_clear(&at);
	if (rc)
		return rc;
	rc = names_store_dir(fs, *out);
	if (!rc) {
		tree_dir_made(fs->tree, *out);
		return 0;
	}
	tree_remove(fs->tree, *out);
	tree_invalidate(fs->tree, dir, name);
	inode_unref(fs->tree, *out);
	return rc;
}

int fs_mkdir(struct fs *fs, struct inode *dir, const char *name, mode_t mode,
	     const struct fs_caller *c, struct fs_entry *out)
{
	struct inode *i;
	int rc;

	if (names_is_root(fs, dir)) {
		rc = fs->set.ro ? -EROFS : stages_mkdir(fs, name, &i);
		if (rc == -EINVAL)
			refusal_say(REFUSAL_STAGE_NAME, name, rc);
		else if (rc == -EROFS && !fs->set.ro)
			refusal_say(REFUSAL_NEW_STAGE, name, rc);
	} else {
		rc = names_writable(fs, dir);
		if (!rc)
			rc = claims_publish_begin(fs->tree, dir, NULL);
		if (!rc) {
			rc = NAMES_MAKE(fs, dir, name,
					dirops_make_dir(fs, dir, name, mode, c,
							&i));
			claims_publish_end(fs->tree, dir);
		}
	}
	if (!rc)
		names_entry(fs, i, out);
	return refusal_say_name(name, rc);
}

/* Resolves a name that is to be removed, and claims it. */
static int dirops_claim_name(struct fs *fs, struct inode *dir, const char *name,
			     enum inode_kind kind, struct inode **out,
			     struct buf *key)
{
	struct inode_view v;
	int rc = names_writable(fs, dir);

	if (!rc)
		rc = resolve_name(fs, dir, name, out);
	if (rc)
		return rc;
	inode_view(fs->tree, *out, &v);
	if (v.kind != kind)
		rc = kind == INODE_DIR ? -ENOTDIR : -EISDIR;
	if (!rc)
		rc = claims_publish_begin(fs->tree, *out, key);
	if (rc)
		inode_unref(fs->tree, *out);
	return rc;
}

static int dirops_remove_key(struct fs *fs, struct inode *dir, const char *key)
{
	STAGE_LOCAL *stage = inode_stage(fs->tree, dir);

	return stage ? store_remove(stage->store, key) : -ENOENT;
}

/* 0: i is removed with others; 1: by itself. */
static int dirops_remove_later(struct fs *fs, struct inode *dir,
			       struct inode *i, const char *key,
			       uint64_t ending)
{
	struct inode_view v;
	STAGE_LOCAL *stage = NULL;
	int rc = 1;
	bool keeps;

	inode_view(fs->tree, i, &v);
	if (v.kind != INODE_FILE || !v.published ||
	    !v.policy->removed_together || !marker_can_wait(fs, dir, i, &keeps))
		return 1;
	stage = inode_stage(fs->tree, dir);
	if (stage)
		rc = removals_add(fs->removals, dir, i, stage, key, keeps,
				  ending);
	return rc;
}

/* A directory that the store does not have yet, and whose names are known, is
 * not asked for. */
static int dirops_empty(struct fs *fs, struct inode *dir,
			const struct inode_view *v)
{
	int rc;

	if (!v->pending || !dircache_complete(fs->tree, dir))
		return marker_empty(fs, dir);
	rc = removals_settle(fs->removals, dir, true);
	if (!rc && inode_has_child(fs->tree, dir, NULL))
		rc = -ENOTEMPTY;
	return rc;
}

static int dirops_remove_now(struct fs *fs, struct inode *dir, const char *name,
			     struct inode *i, const char *key)
{
	struct inode_view v;
	bool never_sent = false;
	int rc = 0;

	inode_view(fs->tree, i, &v);
	/* None is to be stored behind it, which would bring it back. */
	if (v.kind == INODE_DIR &&
	    attr_queue_settle(fs->attr_queue, i) == -EINTR)
		rc = -EINTR;
	if (!rc && v.kind == INODE_DIR)
		rc = dirops_empty(fs, i, &v);
	if (!rc)
		rc = marker_keep(fs, dir, i);
	if (!rc && v.kind == INODE_DIR)
		never_sent = write_back_take(fs->write_back, i);
	if (!rc && !never_sent && (v.kind == INODE_DIR || v.published)) {
		write_back_sync(fs->write_back);
		rc = dirops_remove_key(fs, dir, key);
		if (!rc)
			removals_asked(fs->removals, dir);
	}
	if (!rc)
		tree_remove(fs->tree, i);
	else if (rc != -ENOTEMPTY)
		tree_invalidate(fs->tree, dir, name);
	return rc;
}

static int dirops_remove_file(struct fs *fs, struct inode *dir,
			      const char *name, struct inode *i,
			      const char *key)
{
	uint64_t ending = 0;
	struct inode_view v;
	bool later;
	int rc;

	inode_view(fs->tree, i, &v);
	if (v.published)
		ending = write_back_ending(fs->write_back, i);
	rc = dirops_remove_later(fs, dir, i, key, ending);
	later = !rc;
	if (rc > 0)
		rc = dirops_remove_now(fs, dir, name, i, key);
	if (!rc)
		names_orphan(fs, i);
	if (rc && ending)
		write_back_stays(fs->write_back, i);
	else if (later)
		write_back_leave(fs->write_back, i);
	else if (!rc)
		write_back_gone(fs->write_back, i);
	return rc;
}

static int dirops_remove(struct fs *fs, struct inode *dir, const char *name,
			 enum inode_kind kind)
{
	BUF_LOCAL key = NAMES_KEY;
	struct inode *i;
	int rc = dirops_claim_name(fs, dir, name, kind, &i, &key);

	if (rc)
		return rc;
	if (kind == INODE_DIR) {
		rc = dirops_remove_now(fs, dir, name, i, buf_str(&key));
	} else {
		rc = names_hold(fs, i);
		if (!rc)
			rc = dirops_remove_file(fs, dir, name, i,
						buf_str(&key));
	}
	claims_publish_end(fs->tree, i);
	inode_unref(fs->tree, i);
	return rc;
}

int fs_rmdir(struct fs *fs, struct inode *dir, const char *name)
{
	if (names_is_root(fs, dir))
		return fs->set.ro ? -EROFS : stages_rmdir(fs, name);
	return dirops_remove(fs, dir, name, INODE_DIR);
}

int fs_unlink(struct fs *fs, struct inode *dir, const char *name)
{
	return names_is_root(fs, dir)
		       ? -EPERM
		       : dirops_remove(fs, dir, name, INODE_FILE);
}

/* ---- symbolic links: objects whose bytes are their target ---- */

static int dirops_put_link(struct fs *fs, struct inode *i, const char *key,
			   const struct stage *stage, const char *target)
{
	static const struct store_cond absent = { .if_absent = true };
	const struct store_body body = { .data = target,
					 .fd = -1,
					 .len = strlen(target) };
	struct attr_meta attributes;
	struct store_meta meta = { .headers = attributes.fields };
	struct object_info info;
	struct store_attr a;
	int rc;

	inode_meta_take(fs->tree, i, &a);
	attr_meta_write(&a, &attributes);
	meta.n_headers = attributes.n;
	rc = store_put(stage->store, key, &body, &meta, &absent, &info);
	if (!rc)
		inode_etag_published(fs->tree, i, &info);
	return rc;
}

static int dirops_make_link(struct fs *fs, struct inode *dir, const char *name,
			    const char *target, const struct fs_caller *c,
			    struct inode **out)
{
	BUF_LOCAL key = NAMES_KEY;
	INODE_PLACE_LOCAL at;
	struct fs_caller owner;
	mode_t mode = 0;
	int rc = dirops_must_be_absent(fs, dir, name);

	inode_look(fs->tree, dir, &at);
	if (!rc)
		rc = inode_place_key(&at, name, &key);
	names_maker(&at.view, false, c, &owner, &mode);
	if (!rc)
		rc = tree_create(fs->tree, dir, name, INODE_FILE,
				 S_IFLNK | 0777, owner.uid, owner.gid, out);
	if (!rc) {
		rc = dirops_put_link(fs, *out, buf_str(&key), at.stage, target);
		if (rc) {
			tree_remove(fs->tree, *out);
			tree_invalidate(fs->tree, dir, name);
			inode_unref(fs->tree, *out);
		}
	}
	return rc;
}

int fs_symlink(struct fs *fs, struct inode *dir, const char *name,
	       const char *target, const struct fs_caller *c,
	       struct fs_entry *out)
{
	struct inode_view v;
	struct inode *i;
	int rc = resolve_check(name);

	if (rc)
		return rc;
	inode_view(fs->tree, dir, &v);
	if (!v.policy->in_metadata)
		return refusal_say(REFUSAL_SYMLINK, name, -EPERM);
	rc = names_writable(fs, dir);
	if (!rc)
		rc = claims_publish_begin(fs->tree, dir, NULL);
	if (rc)
		return rc;
	rc = NAMES_MAKE(fs, dir, name,
			dirops_make_link(fs, dir, name, target, c, &i));
	claims_publish_end(fs->tree, dir);
	if (!rc)
		names_entry(fs, i, out);
	return refusal_say_name(name, rc);
}

int fs_readlink(struct fs *fs, struct inode *i, char target[PATH_MAX])
{
	struct inode_object o;
	struct inode_view v;
	size_t n = 0;
	int rc;

	inode_view(fs->tree, i, &v);
	if (!v.is_link)
		return -EINVAL;
	rc = inode_object(fs->tree, i, &o);
	if (!rc)
		rc = store_get_sync(o.stage->store, buf_str(&o.key),
				    *v.info.etag ? v.info.etag : NULL, 0,
				    target, PATH_MAX - 1, &n, NULL);
	inode_object_clear(&o);
	target[n] = '\0';
	if (rc == -ENOENT || rc == -ESTALE) { /* the next lookup is to ask */
		inode_invalidate(fs->tree, i);
		rc = -ESTALE;
	}
	return rc;
}

int fs_link(const char *name)
{
	return refusal_say(REFUSAL_LINK, name, -EPERM);
}
