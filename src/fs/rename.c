/*
 * rename(2) of files, and the checks for both kinds. A store cannot rename: it
 * copies, and what was copied is removed. The order is such that at every
 * moment the bytes stand whole under one of the two names:
 *
 *   publish what is dirty -> copy, pinned to the ETag that we know -> the tree
 *   and the open content move -> remove the old object, if it still is the one
 *   that was copied
 *
 * What another machine puts under the old name meanwhile stays there, as if it
 * had come after the rename. Under the new name it is replaced, or with
 * RENAME_NOREPLACE it is what the rename fails for.
 *
 * A file that the store has never seen only moves in the tree. A store of
 * files moves a file, or a directory, in one step.
 */
#include "fs/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/waiter.h"
#include "fs/rename_keys.h"
#include "stage/catalog.h"
#include "stage/stage.h"

#define COPY_TRIES 3 /* when another machine writes to the source */
#define RENAME_TRIES 8

/* One rename, checked: both ends in one stage, kinds that fit. */
struct rename {
	struct fs *fs;
	struct stage *stage;
	struct inode *dir, *to_dir;
	const char *name, *to_name;
	struct inode *from; /* referenced */
	struct inode *to; /* what stands there, referenced, or NULL */
	struct buf key, to_key; /* a directory's without the '/' */
	bool no_replace;
};

static void rename_content(struct fs *fs, struct inode *i)
{
	struct file *f = inode_file_get(fs->tree, i);
	struct inode_view v;

	if (!f)
		return;
	inode_view(fs->tree, i, &v);
	if (v.published)
		file_moved(f, &v.info);
	file_close(f);
}

/*
 * Over an object that is there, unpublished bytes would leave a gap; and only
 * the store knows that there is none. What is accepted to be sent later leaves
 * none: the name moves, and what it is replaces what stands there.
 */
static bool rename_needs_store(struct rename *r, struct file *f)
{
	struct inode_view v;

	inode_view(r->fs->tree, r->from, &v);
	return (v.pending ? v.published : r->to || r->no_replace) ||
	       !file_unbind(f);
}

/* Afterwards the store has what one reads, or it has nothing and need not. */
static int rename_publish_content(struct rename *r)
{
	struct file *f = inode_file_get(r->fs->tree, r->from);
	uint64_t size;
	int rc = 0;

	if (!f)
		return 0;
	if (file_size(f, &size) && rename_needs_store(r, f))
		rc = file_publish(f);
	file_close(f);
	return rc;
}

/* The ETag of what is to be copied; a listing may not have told it. */
static int rename_source_etag(struct rename *r, char etag[STORE_ETAG_SIZE])
{
	struct object_details d;
	struct inode_view v;
	int rc;

	inode_view(r->fs->tree, r->from, &v);
	memcpy(etag, v.info.etag, STORE_ETAG_SIZE);
	if (*etag)
		return 0;
	rc = store_head(r->stage->store, buf_str(&r->key), &d);
	if (!rc)
		memcpy(etag, d.info.etag, STORE_ETAG_SIZE);
	return rc;
}

static int rename_copy_object(struct rename *r, char etag[STORE_ETAG_SIZE],
			      struct object_info *info)
{
	const struct store_retype retype = {
		store_type(r->stage->store, buf_str(&r->key)),
		store_type(r->stage->store, buf_str(&r->to_key)),
	};
	struct store_cond cond = { .if_absent = r->no_replace };
	struct inode *now;
	int rc = 0;

	for (int tries = 0; tries < COPY_TRIES; tries++) {
		rc = rename_source_etag(r, etag);
		if (rc)
			break;
		rc = store_copy_named(r->stage->store, buf_str(&r->key),
				      *etag ? etag : NULL, buf_str(&r->to_key),
				      r->stage->store->types ? &retype : NULL,
				      r->no_replace ? &cond : NULL, info);
		if (rc != -ESTALE)
			break;
		rc = resolve_ask(r->fs, r->dir, r->name, &now);
		if (rc)
			break;
		rc = now == r->from ? -ESTALE : -ENOENT;
		inode_unref(r->fs->tree, now);
		if (rc == -ENOENT)
			break;
	}
	return rc;
}

static int rename_move_name(struct rename *r)
{
	int rc = 0;

	if (r->dir != r->to_dir)
		rc = marker_keep(r->fs, r->dir, r->from);
	return rc ? rc : tree_move(r->fs->tree, r->from, r->to_dir, r->to_name);
}

/* What was copied, and nothing newer. Its ETag may be only a listing's. */
static int rename_remove_source(struct rename *r, const char *etag)
{
	struct store *s = r->stage->store;
	const char *key = buf_str(&r->key);
	struct object_info now;
	int rc = *etag ? store_remove_same(s, key, etag) : store_remove(s, key);

	if (rc == -ESTALE && !store_confirm(s, key, etag, &now))
		rc = store_remove_same(s, key, now.etag);
	if (rc)
		tree_invalidate(r->fs->tree, r->dir, r->name);
	if (rc != -ESTALE)
		return rc;
	log_at(LOG_LEVEL_INFO,
	       &(struct log_where){ .stage = r->stage->name, .key = key },
	       "another machine has written to it while it was renamed: what "
	       "it wrote stays");
	return 0;
}

static int rename_move_object(struct rename *r)
{
	struct store *s = r->stage->store;
	char etag[STORE_ETAG_SIZE];
	struct object_info info;
	int rc = rename_copy_object(r, etag, &info);
	bool copied = !rc;

	rc = rc ? rc : rename_move_name(r);
	/* From here on finishing is the shortest way, also when interrupted. */
	if (copied)
		waiter_begin(waiter_self());
	if (rc) {
		if (copied && !r->to)
			store_remove_same(s, buf_str(&r->to_key), info.etag);
		tree_invalidate(r->fs->tree, r->to_dir, r->to_name);
		return rc;
	}
	inode_etag_copied(r->fs->tree, r->from, &info);
	rename_content(r->fs, r->from);
	return rename_remove_source(r, etag);
}

static int rename_in_store(struct rename *r)
{
	struct store *s = r->stage->store;
	struct tree *t = r->fs->tree;
	int rc;

	claims_set_renaming(t, r->from, true);
	if (r->to)
		claims_set_renaming(t, r->to, true);
	rc = store_rename(s, buf_str(&r->key), buf_str(&r->to_key),
			  r->no_replace);
	if (!rc)
		rc = tree_move(t, r->from, r->to_dir, r->to_name);
	claims_set_renaming(t, r->from, false);
	if (r->to)
		claims_set_renaming(t, r->to, false);
	if (rc) {
		tree_invalidate(t, r->dir, r->name);
		tree_invalidate(t, r->to_dir, r->to_name);
	}
	return rc;
}

static int rename_move_file(struct rename *r)
{
	struct file *old = NULL;
	bool keep = r->to && names_keep_open(r->fs, r->to, &old);
	int rc = rename_in_store(r);

	if (!rc)
		rename_content(r->fs, r->from);
	if (keep && (rc || !inode_file_keep_open(r->fs->tree, r->to)))
		file_close(old);
	return rc;
}

/* While a thread waits for a claim the name may move. */
static int rename_still_there(struct rename *r)
{
	char name[256];

	return dircache_name(r->fs->tree, r->dir, r->from, name) &&
			       !strcmp(name, r->name)
		       ? 0
		       : -ENOENT;
}

/* What waits to be sent goes along, and what was replaced does not travel. */
static int rename_pending(struct rename *r)
{
	int rc = write_back_moved(r->fs->write_back, r->from);

	if (!rc && r->to)
		write_back_take(r->fs->write_back, r->to);
	return rc;
}

static int rename_file(struct rename *r)
{
	struct inode_view v;
	int rc = rename_still_there(r);

	rc = rc ? rc : rename_publish_content(r);

	if (rc)
		return rc;
	inode_view(r->fs->tree, r->from, &v);
	if (v.published)
		rc = v.policy->renames ? rename_move_file(r)
				       : rename_move_object(r);
	else
		rc = inode_file_supersede(r->fs->tree, r->from, r->to,
					  r->to_dir, r->to_name);
	if (!rc)
		rc = rename_pending(r);
	if (!rc && r->to)
		names_orphan(r->fs, r->to);
	return rc;
}

/* Claims both files, in the order that all threads keep. */
static int rename_file_claimed(struct rename *r)
{
	struct inode *one = r->from, *two = r->to;
	int rc;

	if (two && two < one) {
		one = r->to;
		two = r->from;
	}
	rc = claims_publish_begin(r->fs->tree, one, NULL);
	if (rc)
		return rc;
	if (two)
		rc = claims_publish_begin(r->fs->tree, two, NULL);
	if (!rc) {
		rc = rename_file(r);
		if (two)
			claims_publish_end(r->fs->tree, two);
	}
	claims_publish_end(r->fs->tree, one);
	return rc;
}

/*
 * Moving a directory: every key below it is copied, then the names move in the
 * tree, then the old keys are removed.
 *
 *   COPYING  a failure removes the copies that were made and leaves the old
 *            tree as it was; a daemon that is killed leaves the old tree whole
 *   MOVED    all copies stand; what cannot be removed stays at the old place
 *            and is reported
 *
 * What another machine does meanwhile is its own: the keys are collected first,
 * none is copied over one that has come, and only the objects that were copied,
 * or are its own copies, are removed. Nothing is published below meanwhile
 * (claims_move_begin()). Files that the store has never seen go with the names.
 */

/* Cached names learn the ETags of the copies. */
static void rename_note_copies(struct rename *r, struct rename_keys *keys)
{
	struct tree *tree = r->fs->tree;
	const struct rename_copy *copies;
	size_t n = rename_keys_changed(keys, &copies);

	for (size_t c = 0; c < n; c++) {
		const char *rest = rename_keys_rest(keys, copies[c].k);
		struct inode *i;

		if (!*rest || rest[strlen(rest) - 1] == '/')
			continue; /* a marker */
		i = names_peek_path(r->fs, r->from, rest);
		if (i)
			inode_etag_copied(tree, i, &copies[c].info);
		inode_unref(tree, i);
	}
}

static int rename_publish_open(struct fs *fs, struct inode *i)
{
	struct file *f = inode_file_get(fs->tree, i);
	uint64_t size;
	int rc = 0;

	if (!f)
		return 0;
	if (file_size(f, &size) && !file_unbind(f))
		rc = file_publish(f);
	file_close(f);
	return rc;
}

static int rename_move_open(struct fs *fs, struct inode *i)
{
	rename_content(fs, i);
	return 0;
}

/* Every copy stands. */
static int rename_move_names(struct rename *r, struct rename_keys *keys)
{
	int rc = rename_move_name(r);

	if (rc)
		return rc;
	rename_note_copies(r, keys);
	return marker_each_open(r->fs, r->from, rename_move_open);
}

static void rename_log_failure(struct rename *r, struct rename_keys *keys,
			       int rc)
{
	struct buf key = NAMES_KEY;

	rename_keys_failed(keys, &key);
	log_at(LOG_LEVEL_ERROR,
	       &(struct log_where){ .stage = r->stage->name,
				    .key = buf_str(&key),
				    .err = rc },
	       "cannot move the directory \"%s\": it stays as it was", r->name);
	buf_clear(&key);
}

static int rename_move_tree(struct rename *r, struct rename_keys *keys)
{
	int rc = marker_each_open(r->fs, r->from, rename_publish_open);

	if (!rc)
		rc = rename_keys_collect(keys);
	if (!rc)
		rc = rename_keys_copy(keys);
	if (!rc)
		rc = rename_move_names(r, keys);
	if (rc == -EEXIST && !r->no_replace)
		rc = -ENOTEMPTY; /* since it was looked at */
	if (rc) {
		rename_keys_undo(keys);
		tree_invalidate(r->fs->tree, r->to_dir, r->to_name);
		if (rc != -EINTR)
			rename_log_failure(r, keys, rc);
		return rc;
	}
	rc = rename_keys_remove(keys);
	if (rc)
		tree_invalidate(r->fs->tree, r->dir, r->name);
	return rc;
}

/* The same in a store of files. */
static int rename_dir(struct rename *r)
{
	int rc;

	buf_addc(&r->key, '/');
	buf_addc(&r->to_key, '/');
	rc = buf_err(&r->key) ? buf_err(&r->key) : buf_err(&r->to_key);
	if (rc)
		return -ENAMETOOLONG;
	rc = rename_in_store(r);
	return rc ? rc : marker_each_open(r->fs, r->from, rename_move_open);
}

/* from is a directory, to NULL or an empty one. */
static int rename_tree(struct rename *r)
{
	struct rename_keys keys;
	int rc = rename_keys_init(&keys, r->stage->store, buf_str(&r->key),
				  buf_str(&r->to_key), r->to != NULL);

	if (!rc)
		rc = rename_move_tree(r, &keys);
	rename_keys_clear(&keys);
	return rc;
}

static int rename_tree_claimed(struct rename *r)
{
	bool in_store = policy_of(r->stage)->renames;
	int rc = r->to ? marker_empty(r->fs, r->to) : 0;

	if (!rc)
		rc = claims_move_begin(r->fs->tree, r->from);
	if (rc)
		return rc;
	rc = rename_still_there(r);
	rc = rc ? rc : removals_wait_below(r->fs->removals, r->from);
	rc = rc ? rc : in_store ? rename_dir(r) : rename_tree(r);
	if (!rc)
		rc = rename_pending(r);
	claims_move_end(r->fs->tree, r->from);
	return rc;
}

/* Do the kinds fit, and may the target be replaced? */
static int rename_check_kinds(struct rename *r, unsigned flags, bool *is_dir)
{
	struct inode_view from, to;

	inode_view(r->fs->tree, r->from, &from);
	*is_dir = from.kind == INODE_DIR;
	if (!r->to)
		return 0;
	if (flags & RENAME_NOREPLACE)
		return -EEXIST;
	inode_view(r->fs->tree, r->to, &to);
	if (*is_dir != (to.kind == INODE_DIR))
		return *is_dir ? -ENOTDIR : -EISDIR;
	return 0;
}

static int rename_resolve_both(struct rename *r)
{
	int rc = resolve_name(r->fs, r->dir, r->name, &r->from);

	if (rc)
		return rc;
	rc = resolve_name(r->fs, r->to_dir, r->to_name, &r->to);
	if (rc != -ENOENT)
		return rc;
	r->to = NULL;
	return 0;
}

static int rename_checked(struct rename *r, unsigned flags)
{
	bool is_dir;
	int rc = removals_wait_name(r->fs->removals, r->to_dir, r->to_name);

	rc = rc ? rc : rename_resolve_both(r);
	if (rc || r->from == r->to)
		return rc;
	rc = rename_check_kinds(r, flags, &is_dir);
	if (!rc && is_dir && inode_is_below(r->fs->tree, r->to_dir, r->from))
		rc = -EINVAL;
	if (!rc)
		rc = inode_key_of(r->fs->tree, r->dir, r->name, &r->key);
	if (!rc)
		rc = inode_key_of(r->fs->tree, r->to_dir, r->to_name,
				  &r->to_key);
	if (!rc)
		rc = is_dir ? rename_tree_claimed(r) : rename_file_claimed(r);
	return rc;
}

/* One of the two was another inode by the time that it was claimed: another
 * thread had put another file under its name, or removed one there. */
static bool rename_was_outrun(const struct rename *r, int rc)
{
	if (rc == -EINPROGRESS)
		return true;
	return rc == -ENOENT &&
	       ((r->from && inode_is_orphan(r->fs->tree, r->from)) ||
		(r->to && inode_is_orphan(r->fs->tree, r->to)));
}

static int rename_names(struct rename *r, unsigned flags)
{
	int rc = rename_checked(r, flags);

	for (int k = 0; k < RENAME_TRIES && rename_was_outrun(r, rc); k++) {
		inode_unref(r->fs->tree, r->from);
		inode_unref(r->fs->tree, r->to);
		r->from = r->to = NULL;
		buf_reset(&r->key);
		buf_reset(&r->to_key);
		rc = rename_checked(r, flags);
	}
	return rc == -EINPROGRESS ? -EBUSY : rc;
}

/*
 * -EXDEV makes mv(1) copy all and then remove what it copied: so it is not the
 * answer where the removal would be refused, which leaves everything twice, or
 * of a stage that cannot go an empty one.
 */
static int rename_leave_stage(const struct rename *r)
{
	struct stage *stage;
	int rc;

	if (!names_is_root(r->fs, r->dir)) {
		rc = names_writable(r->fs, r->dir);
		return rc ? rc : -EXDEV;
	}
	rc = catalog_get(r->fs->catalog, r->name, &stage);
	if (rc)
		return rc;
	rc = stage->kind == STAGE_INTERNAL ? names_writable_stage(r->fs, stage)
					   : -EPERM;
	stage_unref(stage);
	return rc ? rc : -EXDEV;
}

/* Both ends must stand in one stage. */
static int rename_find_stage(struct rename *r)
{
	struct stage *other;
	int rc;

	if (names_is_root(r->fs, r->dir) || names_is_root(r->fs, r->to_dir))
		return rename_leave_stage(r);
	r->stage = inode_stage(r->fs->tree, r->dir);
	other = inode_stage(r->fs->tree, r->to_dir);
	rc = r->stage && other ? 0 : -ENOENT;
	if (!rc && r->stage != other)
		rc = rename_leave_stage(r);
	stage_unref(other);
	return rc ? rc : names_writable(r->fs, r->dir);
}

int fs_rename(struct fs *fs, struct inode *dir, const char *name,
	      struct inode *to_dir, const char *to_name, unsigned flags)
{
	struct rename r = {
		.fs = fs,
		.dir = dir,
		.to_dir = to_dir,
		.name = name,
		.to_name = to_name,
		.key = NAMES_KEY,
		.to_key = NAMES_KEY,
	};
	int rc;

	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	r.no_replace = flags & RENAME_NOREPLACE;
	rc = rename_find_stage(&r);
	/* No directory above the target is moved while we move there. */
	if (!rc)
		rc = claims_publish_begin(fs->tree, to_dir, NULL);
	if (!rc) {
		rc = rename_names(&r, flags);
		claims_publish_end(fs->tree, to_dir);
	}
	inode_unref(fs->tree, r.from);
	inode_unref(fs->tree, r.to);
	stage_unref(r.stage);
	buf_clear(&r.key);
	buf_clear(&r.to_key);
	return rc;
}
