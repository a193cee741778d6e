/* SPDX-License-Identifier: Apache-2.0 */
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
#include "fs/rename/rename.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/waiter.h"
#include "stage/stage.h"

#define COPY_TRIES 3 /* when another machine writes to the source */

void rename_file_content(struct fs *fs, struct inode *i)
{
	FILE_LOCAL *f = inode_file_get(fs->tree, i);
	struct inode_view v;

	if (!f)
		return;
	inode_view(fs->tree, i, &v);
	if (v.published)
		file_moved(f, &v.info);
}

/* ---- between two stages ---- */

/* A file that a program has closed may be released a moment later. */
#define CLOSED_WAIT_MS 50

/* What is closed and waits to be sent is sent; what cannot be is copied, which
 * lets it wait there. */
static int rename_file_across_close(struct fs *fs, struct inode *i)
{
	FILE_LOCAL *f = inode_file_get(fs->tree, i);
	int rc;

	if (!f)
		return 0;
	rc = inode_file_wait_alone(fs->tree, i, CLOSED_WAIT_MS)
		     ? file_publish(f)
		     : -EXDEV;
	if (!rc && !inode_file_wait_alone(fs->tree, i, CLOSED_WAIT_MS))
		rc = -EXDEV;
	return !rc || rc == -EINTR ? rc : -EXDEV;
}

int rename_file_across(struct rename *r)
{
	if (r->stage == r->to_stage)
		return 0;
	if (!store_is_near(r->to_stage->store, r->stage->store))
		return -EXDEV;
	return marker_each_open(r->fs, r->from, rename_file_across_close);
}

int rename_file_copy_error(const struct rename *r, int rc)
{
	bool refused = rc == -EACCES || rc == -ENOTSUP || rc == -ENODEV;

	return refused && r->stage != r->to_stage ? -EXDEV : rc;
}

/* ---- one file ---- */

/*
 * Over an object that is there, unpublished bytes would leave a gap; and only
 * the store knows that there is none. What is accepted to be sent later leaves
 * none: the name moves, and what it is replaces what stands there.
 */
static bool rename_file_needs_store(struct rename *r, struct file *f)
{
	struct inode_view v;

	inode_view(r->fs->tree, r->from, &v);
	return (v.pending ? v.published : r->to || r->no_replace) ||
	       !file_unbind(f);
}

/* Afterwards the store has what one reads, or it has nothing and need not. */
static int rename_file_publish_content(struct rename *r)
{
	FILE_LOCAL *f = inode_file_get(r->fs->tree, r->from);
	uint64_t size;
	int rc = 0;

	if (!f)
		return 0;
	if (file_size(f, &size) && rename_file_needs_store(r, f))
		rc = file_publish(f);
	return rc;
}

/* What is to be copied; a listing may not have told its ETag. */
static int rename_file_source(struct rename *r, struct object_info *source)
{
	struct object_details d;
	struct inode_view v;
	int rc;

	inode_view(r->fs->tree, r->from, &v);
	*source = v.info;
	if (*source->etag)
		return 0;
	rc = store_head(r->stage->store, buf_str(&r->key), &d);
	if (!rc)
		*source = d.info;
	return rc;
}

/* source: what was copied. */
static int rename_file_copy_object(struct rename *r, struct object_info *source,
				   struct object_info *info)
{
	struct store *s = r->stage->store, *to = r->to_stage->store;
	const struct store_retype retype = {
		store_type(s, buf_str(&r->key)),
		store_type(to, buf_str(&r->to_key)),
	};
	const struct store_cond cond = {
		.if_absent = r->no_replace,
		.looked = tree_absent_just(r->fs->tree, r->to_dir, r->to_name,
					   STORE_JUST_MS),
	};
	struct inode *now;
	int rc = 0;

	for (int tries = 0; tries < COPY_TRIES; tries++) {
		rc = rename_file_source(r, source);
		if (rc)
			break;
		rc = rename_attr_copy(r, source, info);
		if (rc > 0)
			rc = store_copy_from(to, s, buf_str(&r->key), source,
					     buf_str(&r->to_key),
					     to->types ? &retype : NULL,
					     r->no_replace ? &cond : NULL,
					     info);
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
	return rename_file_copy_error(r, rc);
}

int rename_file_move_name(struct rename *r)
{
	int rc = 0;

	if (r->dir != r->to_dir)
		rc = marker_keep(r->fs, r->dir, r->from);
	return rc ? rc
		  : tree_move_ahead(r->fs->tree, r->from, r->to_dir, r->to_name,
				    r->stage != r->to_stage, &r->left);
}

void rename_file_left(struct rename *r, bool removed)
{
	if (r->left)
		tree_removed(r->fs->tree, r->left, removed);
	else if (!removed)
		tree_invalidate(r->fs->tree, r->dir, r->name);
	r->left = NULL;
}

/* What was copied, and nothing newer, by a copy that began then. Its ETag may
 * be only a listing's. */
static int rename_file_remove_source(struct rename *r, const char *etag,
				     int64_t began_ms)
{
	bool just = clock_mono_ms() - began_ms < STORE_JUST_MS;
	struct store *s = r->stage->store;
	const char *key = buf_str(&r->key);
	struct object_info now;
	int rc;

	if (!*etag)
		rc = store_remove(s, key);
	else
		rc = just ? store_remove_seen(s, key, etag)
			  : store_remove_same(s, key, etag);

	if (rc == -ESTALE && !store_confirm(s, key, etag, &now))
		rc = store_remove_same(s, key, now.etag);
	rename_file_left(r, !rc);
	if (rc != -ESTALE)
		return rc;
	log_at(LOG_LEVEL_INFO,
	       &(struct log_where){ .stage = r->stage->name, .key = key },
	       "another machine has written to it while it was renamed: what "
	       "it wrote stays");
	return 0;
}

static int rename_file_move_object(struct rename *r)
{
	struct object_info source, info;
	int64_t began_ms;
	bool copied;
	int rc;

	if (r->to)
		write_back_ending(r->fs->write_back, r->to);
	/* What has been sent is not sent again after a power cut. */
	write_back_sync(r->fs->write_back);
	began_ms = clock_mono_ms();
	rc = rename_file_copy_object(r, &source, &info);
	copied = !rc;
	if (!rc)
		rc = rename_file_move_name(r);
	rename_attr_end(r, !rc);
	/* From here on finishing is the shortest way, also when interrupted. */
	if (copied)
		waiter_finish(waiter_self());
	if (rc) {
		if (copied && !r->to)
			store_remove_same(r->to_stage->store,
					  buf_str(&r->to_key), info.etag);
		if (r->to)
			write_back_stays(r->fs->write_back, r->to);
		tree_invalidate(r->fs->tree, r->to_dir, r->to_name);
		return rc;
	}
	inode_etag_copied(r->fs->tree, r->from, &info);
	rename_file_content(r->fs, r->from);
	return rename_file_remove_source(r, source.etag, began_ms);
}

int rename_file_in_store(struct rename *r)
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

static int rename_file_move(struct rename *r)
{
	struct file *old = NULL;
	bool keep = r->to && names_keep_open(r->fs, r->to, &old);
	int rc = rename_file_in_store(r);

	if (!rc)
		rename_file_content(r->fs, r->from);
	if (keep && (rc || !inode_file_keep_open(r->fs->tree, r->to)))
		file_close(old);
	return rc;
}

/* While a thread waits for a claim the name may move. */
int rename_file_still_there(struct rename *r)
{
	char name[256];

	return dircache_name(r->fs->tree, r->dir, r->from, name) &&
			       !strcmp(name, r->name)
		       ? 0
		       : -ENOENT;
}

int rename_file_pending(struct rename *r)
{
	struct write_back *w = r->fs->write_back;
	int rc = write_back_moved(w, r->from);
	struct inode_view v;

	if (rc || !r->to)
		return rc;
	inode_view(r->fs->tree, r->to, &v);
	/* A worker that is about to send a file waits for our claim of it. */
	if (v.kind == INODE_FILE)
		write_back_gone(w, r->to);
	else
		write_back_take(w, r->to);
	return 0;
}

/* The names have moved, though the source may not have been removed. */
static int rename_file_moved(struct rename *r, int rc)
{
	int kept = rename_file_pending(r);

	if (r->to)
		names_orphan(r->fs, r->to);
	return rc ? rc : kept;
}

static int rename_file(struct rename *r)
{
	struct tree *t = r->fs->tree;
	struct inode_view v;
	int rc = rename_file_still_there(r);

	if (!rc)
		rc = rename_file_across(r);
	if (!rc)
		rc = rename_file_publish_content(r);
	if (!rc && r->to)
		rc = names_hold(r->fs, r->to);
	if (rc)
		return rc;
	inode_view(t, r->from, &v);
	if (v.published)
		rc = v.policy->renames ? rename_file_move(r)
				       : rename_file_move_object(r);
	else
		rc = inode_file_supersede(t, r->from, r->to, r->to_dir,
					  r->to_name);
	return !rc || (r->to && inode_is_orphan(t, r->to))
		       ? rename_file_moved(r, rc)
		       : rc;
}

/* Claims both files, in the order that all threads keep. */
int rename_file_claimed(struct rename *r)
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
