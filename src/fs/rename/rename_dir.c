/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving a directory: every key below it is copied, then the names move in the
 * tree, then the old keys are removed.
 *
 *   COPYING  a failure removes the copies that were made and leaves the old
 *            tree as it was; a daemon that is killed leaves the old tree whole
 *   MOVED    all copies stand; what cannot be removed stays at the old place
 *            and is reported
 *
 * Files that are known are copied before the keys are listed, so that the
 * listing is of right before the removal; the others after it.
 *
 * What another machine does meanwhile is its own: none is copied over one that
 * has come, and only the objects that were copied, or are its own copies, are
 * removed. Nothing is published below meanwhile
 * (claims_move_begin()). Files that the store has never seen go with the names.
 */
#include "fs/rename/rename.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fs/names/dircache.h"
#include "fs/rename/rename_removal.h"
#include "stage/stage.h"

/* Cached names learn the ETags of the copies. */
static void rename_dir_note_copies(struct rename *r, struct rename_keys *keys)
{
	struct tree *tree = r->fs->tree;
	const struct rename_copy *copies;
	size_t n = rename_keys_changed(keys, &copies);

	for (size_t c = 0; c < n; c++) {
		const char *rest = rename_keys_text(keys, copies[c].at);
		struct inode *i;

		if (!*rest || rest[strlen(rest) - 1] == '/')
			continue; /* a marker */
		i = names_peek_path(r->fs, r->from, rest);
		if (i)
			inode_etag_copied(tree, i, &copies[c].info);
		inode_unref(tree, i);
	}
}

static int rename_dir_publish_open(struct fs *fs, struct inode *i)
{
	FILE_LOCAL *f = inode_file_get(fs->tree, i);
	uint64_t size;
	int rc = 0;

	if (!f)
		return 0;
	if (file_size(f, &size) && !file_unbind(f))
		rc = file_publish(f);
	return rc;
}

static int dir_move_open(struct fs *fs, struct inode *i)
{
	rename_file_content(fs, i);
	return 0;
}

int rename_dir_content(struct fs *fs, struct inode *i)
{
	return marker_each_open(fs, i, dir_move_open);
}

/* Every copy stands. */
static int rename_dir_move_names(struct rename *r, struct rename_keys *keys)
{
	int rc = rename_file_move_name(r);

	if (rc)
		return rc;
	rename_dir_note_copies(r, keys);
	return rename_dir_content(r->fs, r->from);
}

static void rename_dir_log_failure(struct rename *r, struct rename_keys *keys,
				   int rc)
{
	BUF_LOCAL key = NAMES_KEY;

	rename_keys_failed(keys, &key);
	log_at(LOG_LEVEL_ERROR,
	       &(struct log_where){ .stage = r->stage->name,
				    .key = buf_str(&key),
				    .rc = rc },
	       "cannot move the directory \"%s\": it stays as it was", r->name);
}

/* ---- what is known of it ---- */

#define KNOWN_MAX 1000 /* a page of a listing */

struct dir_known {
	struct tree *tree;
	struct inode *dir;
	struct rename_keys *keys;
	struct buf rest; /* of dir's key, with its '/' */
};

static int rename_dir_note_below(struct dir_known *k);

static int rename_dir_note_known(void *arg, struct inode *i)
{
	struct dir_known *k = arg;
	size_t len = k->rest.len;
	struct inode *dir = k->dir;
	struct inode_view v;
	char name[256];
	int rc = 0;

	inode_view(k->tree, i, &v);
	if (k->keys->n < KNOWN_MAX && dircache_name(k->tree, dir, i, name)) {
		buf_adds(&k->rest, name);
		if (v.kind == INODE_FILE && v.published && v.fresh &&
		    !v.dirty && !v.pending && *v.info.etag) {
			rc = rename_keys_note(k->keys, buf_str(&k->rest),
					      &v.info);
		} else if (v.kind == INODE_DIR) {
			buf_addc(&k->rest, '/');
			k->dir = i;
			rc = rename_dir_note_below(k);
			k->dir = dir;
		}
		buf_truncate(&k->rest, len);
	}
	inode_unref(k->tree, i);
	return rc ? rc : buf_err(&k->rest);
}

static int rename_dir_note_below(struct dir_known *k)
{
	if (!dircache_complete(k->tree, k->dir))
		return 0;
	return dircache_children(k->tree, k->dir, NULL, rename_dir_note_known,
				 k);
}

/* The files of a directory that was listed are copied as they are known, if
 * nothing stands where they shall be. */
static int rename_dir_copy_known(struct rename *r, struct rename_keys *keys)
{
	struct dir_known k = { .tree = r->fs->tree,
			       .dir = r->from,
			       .keys = keys,
			       .rest = BUF_INIT(STORE_KEY_MAX) };
	int rc;

	if (r->to)
		return 0;
	if (tree_absent_just(r->fs->tree, r->to_dir, r->to_name, STORE_JUST_MS))
		keys->free_until_ms = clock_mono_ms() + STORE_JUST_MS;
	rc = rename_dir_note_below(&k);
	buf_clear(&k.rest);
	if (keys->n == KNOWN_MAX) /* there may be more */
		keys->n = 0;
	return rc ? rc : rename_keys_copy_known(keys);
}

/* ---- the move ---- */

static int rename_dir_move(struct rename *r, struct rename_keys *keys)
{
	int rc = marker_each_open(r->fs, r->from, rename_dir_publish_open);

	if (!rc)
		rc = rename_dir_copy_known(r, keys);
	if (!rc)
		rc = rename_keys_collect(keys);
	if (!rc)
		rc = rename_keys_copy(keys);
	if (!rc)
		rc = rename_dir_move_names(r, keys);
	rc = rename_file_copy_error(r, rc);
	if (rc == -EEXIST && !r->no_replace)
		rc = -ENOTEMPTY; /* since it was looked at */
	if (rc) {
		if (r->left)
			rename_file_left(r, false);
		rename_removal_undo(keys);
		tree_invalidate(r->fs->tree, r->to_dir, r->to_name);
		if (rc != -EINTR && rc != -EXDEV)
			rename_dir_log_failure(r, keys, rc);
		return rc;
	}
	write_back_sync(r->fs->write_back);
	rc = rename_removal_run(keys);
	rename_file_left(r, !rc);
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
	rc = rename_file_in_store(r);
	return rc ? rc : rename_dir_content(r->fs, r->from);
}

/* from is a directory, to NULL or an empty one. */
static int rename_dir_run(struct rename *r)
{
	struct rename_keys keys;
	int rc = rename_keys_init(&keys, r->stage->store, buf_str(&r->key),
				  r->to_stage->store, buf_str(&r->to_key),
				  r->to != NULL);

	if (!rc)
		rc = rename_dir_move(r, &keys);
	rename_keys_clear(&keys);
	return rc;
}

int rename_dir_claimed(struct rename *r)
{
	bool in_store = policy_of(r->stage)->renames;
	int rc = r->to ? marker_empty(r->fs, r->to) : 0;

	if (!rc)
		rc = claims_move_begin(r->fs->tree, r->from);
	if (rc)
		return rc;
	rc = rename_file_still_there(r);
	if (!rc)
		rc = rename_file_across(r);
	if (!rc)
		rc = removals_wait_below(r->fs->removals, r->from);
	if (!rc)
		rc = in_store ? rename_dir(r) : rename_dir_run(r);
	if (!rc)
		rc = rename_file_pending(r);
	claims_move_end(r->fs->tree, r->from);
	return rc;
}
