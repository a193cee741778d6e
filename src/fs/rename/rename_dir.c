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
 * What another machine does meanwhile is its own: the keys are collected first,
 * none is copied over one that has come, and only the objects that were copied,
 * or are its own copies, are removed. Nothing is published below meanwhile
 * (claims_move_begin()). Files that the store has never seen go with the names.
 */
#include "fs/rename/rename.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fs/rename/rename_keys.h"
#include "stage/stage.h"

/* Cached names learn the ETags of the copies. */
static void rename_dir_note_copies(struct rename *r, struct rename_keys *keys)
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

static int rename_dir_move(struct rename *r, struct rename_keys *keys)
{
	int rc = marker_each_open(r->fs, r->from, rename_dir_publish_open);

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
		rename_keys_undo(keys);
		tree_invalidate(r->fs->tree, r->to_dir, r->to_name);
		if (rc != -EINTR && rc != -EXDEV)
			rename_dir_log_failure(r, keys, rc);
		return rc;
	}
	write_back_sync(r->fs->write_back);
	rc = rename_keys_remove(keys);
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
