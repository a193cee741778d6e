/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rename whose stages are known: what stands at both names, whether the one
 * can take the place of the other, and again when that was another's by then.
 */
#include "fs/rename/rename.h"

#include <errno.h>
#include <stdio.h>

#define RENAME_TRIES 8

/* Do the kinds fit, and may the target be replaced? */
static int step_check_kinds(struct rename *r, unsigned flags, bool *is_dir)
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

static int step_resolve_both(struct rename *r)
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

static int step_checked(struct rename *r, unsigned flags)
{
	bool is_dir;
	int rc = removals_wait_name(r->fs->removals, r->to_dir, r->to_name);

	if (!rc)
		rc = step_resolve_both(r);
	if (rc || r->from == r->to)
		return rc;
	rc = step_check_kinds(r, flags, &is_dir);
	if (!rc && is_dir && inode_is_below(r->fs->tree, r->to_dir, r->from))
		rc = -EINVAL;
	if (!rc)
		rc = inode_key_of(r->fs->tree, r->dir, r->name, &r->key);
	if (!rc)
		rc = inode_key_of(r->fs->tree, r->to_dir, r->to_name,
				  &r->to_key);
	if (!rc)
		rc = is_dir ? rename_dir_claimed(r) : rename_file_claimed(r);
	return rc;
}

/* One of the two was another inode by the time that it was claimed: another
 * thread had put another file under its name, or removed one there. */
static bool step_was_outrun(const struct rename *r, int rc)
{
	if (rc == -EINPROGRESS)
		return true;
	return rc == -ENOENT &&
	       ((r->from && inode_is_orphan(r->fs->tree, r->from)) ||
		(r->to && inode_is_orphan(r->fs->tree, r->to)));
}

static int step_names(struct rename *r, unsigned flags)
{
	int rc = step_checked(r, flags);

	for (int k = 0; k < RENAME_TRIES && step_was_outrun(r, rc); k++) {
		inode_unref(r->fs->tree, r->from);
		inode_unref(r->fs->tree, r->to);
		r->from = r->to = NULL;
		buf_reset(&r->key);
		buf_reset(&r->to_key);
		rc = step_checked(r, flags);
	}
	return rc == -EINPROGRESS ? -EBUSY : rc;
}

int rename_step(struct rename *r, unsigned flags)
{
	int rc;

	r->from = r->to = r->left = NULL;
	r->key = r->to_key = (struct buf)NAMES_KEY;
	r->no_replace = flags & RENAME_NOREPLACE;
	/* No directory above the target is moved while we move there. */
	rc = claims_publish_begin(r->fs->tree, r->to_dir, NULL);
	if (!rc) {
		rc = step_names(r, flags);
		claims_publish_end(r->fs->tree, r->to_dir);
	}
	inode_unref(r->fs->tree, r->from);
	inode_unref(r->fs->tree, r->to);
	buf_clear(&r->key);
	buf_clear(&r->to_key);
	return rc;
}
