/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which stages a rename is of, and whether it can be made there.
 */
#include "fs/rename/rename.h"

#include <errno.h>
#include <stdio.h>

#include "base/waiter.h"
#include "fs/inval_queue.h"
#include "stage/catalog.h"
#include "stage/stage.h"

/*
 * -EXDEV makes mv(1) copy all and then remove what it copied: so it is not the
 * answer where the removal would be refused, which leaves everything twice, or
 * of a stage that cannot go an empty one.
 */
static int rename_leave_stage(const struct rename *r)
{
	STAGE_LOCAL *stage = NULL;
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
	return rc ? rc : -EXDEV;
}

/* Another stage of the same server can take what moves (rename_file_across()),
 * if it may be written to. */
static int rename_between_stages(const struct rename *r)
{
	int rc = rename_leave_stage(r);

	if (rc != -EXDEV || !store_is_near(r->to_stage->store, r->stage->store))
		return rc;
	return names_writable(r->fs, r->to_dir);
}

static int rename_find_stages(struct rename *r)
{
	if (names_is_root(r->fs, r->dir) || names_is_root(r->fs, r->to_dir))
		return rename_leave_stage(r);
	r->stage = inode_stage(r->fs->tree, r->dir);
	r->to_stage = inode_stage(r->fs->tree, r->to_dir);
	if (!r->stage || !r->to_stage)
		return -ENOENT;
	return r->stage == r->to_stage ? names_writable(r->fs, r->dir)
				       : rename_between_stages(r);
}

/* A caller who was let go was told of a failure: the kernel is to look. */
static void rename_end(struct fs *fs, struct rename *r)
{
	if (waiter_left(waiter_self())) {
		inval_queue_entry(fs->inval_queue, r->dir, r->name);
		inval_queue_entry(fs->inval_queue, r->to_dir, r->to_name);
	}
	stage_unref(r->stage);
	stage_unref(r->to_stage);
	inode_unref(fs->tree, r->dir);
	inode_unref(fs->tree, r->to_dir);
}

int fs_rename(struct fs *fs, struct inode *dir, const char *name,
	      struct inode *to_dir, const char *to_name, unsigned flags)
{
	struct rename r = {
		.fs = fs,
		.dir = inode_ref(fs->tree, dir),
		.to_dir = inode_ref(fs->tree, to_dir),
		.name = name,
		.to_name = to_name,
	};
	int rc = flags && flags != RENAME_NOREPLACE && flags != RENAME_EXCHANGE
			 ? -EINVAL
			 : rename_find_stages(&r);

	if (!rc && flags != RENAME_EXCHANGE)
		rc = rename_step(&r, flags);
	else if (!rc)
		rc = r.stage == r.to_stage ? rename_exchange(&r) : -EXDEV;
	rename_end(fs, &r);
	return rc;
}
