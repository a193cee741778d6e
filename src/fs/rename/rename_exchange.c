/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RENAME_EXCHANGE: two names, files or directories, for each other.
 *
 * A disk does that in one step. A store of objects has none, so there are three
 * renames, each of which leaves its bytes whole under one of its two names:
 *
 *   one -> aside, other -> one, aside -> other
 *
 * with a new name beside the one (`.exchange-` and a random number). A failure
 * or an interrupt takes back what was done. A daemon that is killed amid them
 * leaves what stood at `one` there, or at `aside`, or both.
 */
#include "fs/rename/rename.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "base/waiter.h"
#include "stage/stage.h"

/* Both are known, and referenced. */
struct exchange {
	struct rename *r;
	struct inode *one, *other;
	char aside[32];
};

/* ---- by three renames ---- */

static int exchange_move(const struct exchange *x, struct inode *dir,
			 const char *name, struct inode *to_dir,
			 const char *to_name)
{
	struct rename r = {
		.fs = x->r->fs,
		.stage = x->r->stage,
		.to_stage = x->r->stage,
		.dir = dir,
		.name = name,
		.to_dir = to_dir,
		.to_name = to_name,
	};

	return rename_step(&r, RENAME_NOREPLACE);
}

/* What cannot be taken back is under another name now. */
static void exchange_left(const struct exchange *x, const char *name, int rc)
{
	log_at(LOG_LEVEL_ERROR,
	       &(struct log_where){ .stage = x->r->stage->name, .rc = rc },
	       "an exchange of two names has failed, and what stood at \"%s\" "
	       "is at \"%s\" in its directory now",
	       x->r->name, name);
}

static void exchange_back(const struct exchange *x)
{
	const struct rename *r = x->r;
	int rc;

	waiter_finish(waiter_self()); /* an interrupt does not end this */
	rc = exchange_move(x, r->dir, x->aside, r->dir, r->name);
	if (rc)
		exchange_left(x, x->aside, rc);
}

/* The first copy may stand, though what was copied could not be removed. */
static void exchange_check_aside(const struct exchange *x, int rc)
{
	struct inode *i = tree_peek(x->r->fs->tree, x->r->dir, x->aside);

	if (i)
		exchange_left(x, x->aside, rc);
	inode_unref(x->r->fs->tree, i);
}

static int exchange_by_renames(struct exchange *x)
{
	const struct rename *r = x->r;
	int rc = exchange_move(x, r->dir, r->name, r->dir, x->aside);

	if (rc) {
		exchange_check_aside(x, rc);
		return rc;
	}
	rc = exchange_move(x, r->to_dir, r->to_name, r->dir, r->name);
	if (rc) {
		exchange_back(x);
		return rc;
	}
	waiter_finish(waiter_self()); /* to finish is the shortest way */
	rc = exchange_move(x, r->dir, x->aside, r->to_dir, r->to_name);
	if (!rc)
		return 0;
	if (!exchange_move(x, r->dir, r->name, r->to_dir, r->to_name))
		exchange_back(x);
	else
		exchange_left(x, x->aside, rc);
	return rc;
}

/* ---- by the disk ---- */

static bool exchange_is_dir(const struct exchange *x, struct inode *i)
{
	struct inode_view v;

	inode_view(x->r->fs->tree, i, &v);
	return v.kind == INODE_DIR;
}

static int exchange_claim(const struct exchange *x, struct inode *i)
{
	struct tree *t = x->r->fs->tree;

	return exchange_is_dir(x, i) ? claims_move_begin(t, i)
				     : claims_publish_begin(t, i, NULL);
}

static void exchange_release(const struct exchange *x, struct inode *i)
{
	struct tree *t = x->r->fs->tree;

	if (exchange_is_dir(x, i))
		claims_move_end(t, i);
	else
		claims_publish_end(t, i);
}

/* What the disk has not seen has no name there. */
static int exchange_publish(const struct exchange *x, struct inode *i)
{
	FILE_LOCAL *f = inode_file_get(x->r->fs->tree, i);

	return f ? file_publish(f) : 0;
}

static int exchange_key(const struct exchange *x, struct inode *i,
			struct buf *key)
{
	int rc = inode_key(x->r->fs->tree, i, key);

	return rc == -ENOENT ? -EINPROGRESS : rc; /* it has just gone */
}

static int exchange_in_tree(const struct exchange *x)
{
	const struct rename *r = x->r;
	struct tree *t = r->fs->tree;
	int rc = tree_move(t, x->one, r->dir, x->aside);

	if (!rc)
		rc = tree_move(t, x->other, r->dir, r->name);
	if (!rc)
		rc = tree_move(t, x->one, r->to_dir, r->to_name);
	if (rc)
		tree_invalidate(t, r->dir, x->aside);
	return rc;
}

/* Both are claimed. -ENOTSUP: the disk cannot. */
static int exchange_in_store(const struct exchange *x)
{
	const struct rename *r = x->r;
	struct tree *t = r->fs->tree;
	BUF_LOCAL one = NAMES_KEY, other = NAMES_KEY;
	int rc = exchange_publish(x, x->one);

	if (!rc)
		rc = exchange_publish(x, x->other);
	if (!rc)
		rc = exchange_key(x, x->one, &one);
	if (!rc)
		rc = exchange_key(x, x->other, &other);
	claims_set_renaming(t, x->one, true);
	claims_set_renaming(t, x->other, true);
	if (!rc)
		rc = store_exchange(r->stage->store, buf_str(&one),
				    buf_str(&other));
	if (!rc)
		rc = exchange_in_tree(x);
	claims_set_renaming(t, x->one, false);
	claims_set_renaming(t, x->other, false);
	if (!rc)
		rc = rename_dir_content(r->fs, x->one);
	if (!rc)
		rc = rename_dir_content(r->fs, x->other);
	if (rc && rc != -ENOTSUP) {
		tree_invalidate(t, r->dir, r->name);
		tree_invalidate(t, r->to_dir, r->to_name);
	}
	return rc;
}

/* Claims both, in the order that all threads keep. */
static int exchange_claimed(const struct exchange *x)
{
	struct inode *a = x->one < x->other ? x->one : x->other;
	struct inode *b = x->one < x->other ? x->other : x->one;
	int rc = exchange_claim(x, a);

	if (rc)
		return rc;
	rc = exchange_claim(x, b);
	if (!rc) {
		rc = exchange_in_store(x);
		exchange_release(x, b);
	}
	exchange_release(x, a);
	return rc;
}

/* ---- either ---- */

static int exchange_check(const struct exchange *x)
{
	const struct rename *r = x->r;
	struct tree *t = r->fs->tree;

	return inode_is_below(t, r->to_dir, x->one) ||
			       inode_is_below(t, r->dir, x->other)
		       ? -EINVAL
		       : 0;
}

int rename_exchange(struct rename *r)
{
	struct exchange x = { .r = r };
	char random[17];
	int rc = resolve_name(r->fs, r->dir, r->name, &x.one);

	random_hex(random, 8);
	snprintf(x.aside, sizeof(x.aside), ".exchange-%s", random);
	if (!rc)
		rc = resolve_name(r->fs, r->to_dir, r->to_name, &x.other);
	if (!rc && x.one != x.other) {
		rc = exchange_check(&x);
		if (!rc && policy_of(r->stage)->renames)
			rc = exchange_claimed(&x);
		else if (!rc)
			rc = -ENOTSUP;
		if (rc == -ENOTSUP)
			rc = exchange_by_renames(&x);
	}
	inode_unref(r->fs->tree, x.one);
	inode_unref(r->fs->tree, x.other);
	return rc == -EINPROGRESS ? -EBUSY : rc;
}
