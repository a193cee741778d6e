/*
 * The root of stages: its names are the catalog's.
 */
#include "fs/names.h"

#include <errno.h>

#include "stage/catalog.h"
#include "stage/stage.h"

/* The inode of a stage, whose reference is taken over. 0 or -ENOMEM. */
static int stages_enter(struct fs *fs, struct stage *stage, struct inode **out)
{
	*out = tree_put_stage(fs->tree, stage);
	stage_unref(stage);
	if (*out)
		stages_refresh_root(fs, *out);
	return *out ? 0 : -ENOMEM;
}

int stages_resolve(struct fs *fs, const char *name, struct inode **out)
{
	struct stage *stage;
	int rc = catalog_get(fs->catalog, name, &stage);

	if (rc) {
		if (rc == -ENOENT)
			tree_forget_stage(fs->tree, name);
		return rc;
	}
	return stages_enter(fs, stage, out);
}

void stages_refresh_root(struct fs *fs, struct inode *i)
{
	struct inode_view v;
	struct name_info found;
	struct stage *stage;
	struct buf key = NAMES_KEY;
	int rc;

	inode_view(fs->tree, i, &v);
	if (!v.policy->keeps_owner || !v.stage_root)
		return;
	stage = inode_stage(fs->tree, i);
	if (!stage)
		return;
	rc = stage_key(stage, "", &key);
	if (key.len)
		buf_truncate(&key, key.len - 1); /* its '/' */
	if (!rc && !store_stat(stage->store, buf_str(&key), &found) &&
	    found.is_prefix)
		tree_refresh_root(fs->tree, i, &found.info);
	stage_unref(stage);
	buf_clear(&key);
}

int stages_mkdir(struct fs *fs, const char *name, struct inode **out)
{
	struct stage *stage;
	int rc = catalog_create(fs->catalog, name, NULL, &stage);

	return rc ? rc : stages_enter(fs, stage, out);
}

/* What is not published yet would be lost. */
static int stages_must_be_published(struct fs *fs, struct inode *i)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	return v.published ? 0 : -ENOTEMPTY;
}

int stages_rmdir(struct fs *fs, const char *name)
{
	struct inode *i = tree_peek(fs->tree, tree_root(fs->tree), name);
	int rc = 0;

	if (i)
		rc = marker_each_open(fs, i, stages_must_be_published);
	if (!rc)
		rc = catalog_drop(fs->catalog, name);
	if (rc == -ENOTEMPTY && i)
		marker_empty(fs, i); /* names a key that is not shown */
	if (!rc)
		tree_forget_stage(fs->tree, name);
	inode_unref(fs->tree, i);
	return rc;
}
