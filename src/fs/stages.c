/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root of stages: a directory whose entries are stages. `~` and external
 * ones are the catalog's, which has them without a request. The internal ones
 * are in a store, so they are believed and stamped as names in any directory
 * are; but that there is none only after a listing, since any program makes
 * stages, and not at all where the store is a disk, which is quickly asked.
 */
#include "fs/names.h"

#include <errno.h>

#include "base/log.h"
#include "fs/cache/block.h"
#include "fs/dir_ahead.h"
#include "fs/file_ahead.h"
#include "fs/subtree.h"
#include "stage/catalog.h"
#include "stage/stage.h"

/* What was read ahead, or is kept, in stages that are no more would keep their
 * stores. Costs requests where it was of others. */
static void stages_drop_cached(struct fs *fs)
{
	unsigned left = tree_lru_stages_left(fs->tree);

	if (atomic_exchange(&fs->stages_left, left) == left)
		return;
	subtrees_forget(fs->subtrees);
	dir_ahead_forget(fs->dir_ahead);
	file_ahead_forget(fs->file_ahead);
	block_cache_forget(fs->blocks, NULL);
}

/* The inode of a stage, whose reference is taken over. 0, -ENOENT or
 * -ENOMEM. */
static int stages_enter(struct fs *fs, struct stage *stage, uint64_t asked,
			struct inode **out)
{
	*out = tree_put_stage(fs->tree, stage, asked, 0);
	stage_unref(stage);
	stages_drop_cached(fs);
	if (*out)
		stages_refresh_root(fs, *out);
	return *out ? 0 : -ENOENT;
}

/* What is in the tree is to be believed at all. */
static bool stages_remembered(struct fs *fs)
{
	struct store *storage = catalog_storage(fs->catalog);

	return storage && !storage->limits.files;
}

static bool stages_is_internal(struct fs *fs, struct inode *i)
{
	STAGE_LOCAL *stage = inode_stage(fs->tree, i);

	return stage && stage->kind == STAGE_INTERNAL;
}

/* Without a request: true, and what stands there, or NULL. */
static bool stages_believed(struct fs *fs, const char *name, struct inode **out)
{
	struct inode *root = tree_root(fs->tree);

	*out = NULL;
	if (!stages_remembered(fs))
		return false;
	switch (tree_find(fs->tree, root, name, out, NULL)) {
	case TREE_KNOWN:
		if (stages_is_internal(fs, *out))
			return true;
		inode_unref(fs->tree, *out);
		return false;
	case TREE_ABSENT:
		return dircache_complete(fs->tree, root);
	case TREE_UNKNOWN:
		break;
	}
	return false;
}

int stages_resolve(struct fs *fs, const char *name, struct inode **out)
{
	uint64_t asked = tree_clock(fs->tree);
	struct stage *stage;
	int rc = catalog_find(fs->catalog, name, &stage);

	if (rc && stages_believed(fs, name, out))
		return *out ? 0 : -ENOENT;
	if (rc)
		rc = catalog_ask(fs->catalog, name, &stage);
	if (rc == -ENOENT) {
		tree_forget_stage(fs->tree, name, asked);
		stages_drop_cached(fs);
	}
	return rc ? rc : stages_enter(fs, stage, asked, out);
}

/* ---- all of them ---- */

struct stages_show {
	struct fs *fs;
	int (*each)(void *arg, struct inode *i);
	void *arg;
};

/* An internal one that this mount has made meanwhile, or that a listing showed
 * a short while ago. */
static int stages_show_internal(void *arg, struct inode *i)
{
	const struct stages_show *s = arg;

	if (stages_is_internal(s->fs, i))
		return s->each(s->arg, i);
	inode_unref(s->fs->tree, i);
	return 0;
}

int stages_list(struct fs *fs, int (*each)(void *arg, struct inode *i),
		void *arg)
{
	struct stages_show show = { fs, each, arg };
	struct inode *i, *root = tree_root(fs->tree);
	bool ask = !stages_remembered(fs) || !dircache_lasts(fs->tree, root);
	int storage_rc = 0, rc;
	struct dir_merge merge;
	struct stage **stages;
	unsigned n;

	dircache_begin(fs->tree, root, &merge);
	rc = catalog_list(fs->catalog, &stages, &n, ask ? &storage_rc : NULL);
	if (rc)
		return rc;
	if (storage_rc)
		log_at(LOG_LEVEL_WARN, &(struct log_where){ .rc = storage_rc },
		       "cannot list the internal stages");
	for (unsigned k = 0; k < n && !rc; k++) {
		i = tree_put_stage(fs->tree, stages[k], merge.asked, merge.id);
		if (i)
			stages_refresh_root(fs, i);
		rc = each(arg, i);
	}
	catalog_list_free(stages, n);
	if (!rc && ask && !storage_rc)
		dircache_end(fs->tree, &merge);
	stages_drop_cached(fs);
	return rc ? rc
		  : dircache_children(fs->tree, root, &merge,
				      stages_show_internal, &show);
}

void stages_refresh_root(struct fs *fs, struct inode *i)
{
	struct inode_view v;
	struct name_info found;
	STAGE_LOCAL *stage = NULL;
	BUF_LOCAL key = NAMES_KEY;
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
}

int stages_mkdir(struct fs *fs, const char *name, struct inode **out)
{
	struct stage *stage;
	int rc = catalog_create(fs->catalog, name, NULL, &stage);

	return rc ? rc : stages_enter(fs, stage, TREE_LOCAL, out);
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
	struct inode_view v = { .pending_below = false };
	int rc = 0;

	if (i)
		rc = removals_wait_below(fs->removals, i);
	if (i && !rc)
		rc = marker_each_open(fs, i, stages_must_be_published);
	if (i && !rc)
		inode_view(fs->tree, i, &v);
	if (!rc && v.pending_below)
		rc = -ENOTEMPTY;
	if (!rc)
		rc = catalog_drop(fs->catalog, name);
	if (rc == -ENOTEMPTY && i)
		marker_empty(fs, i); /* names a key that is not shown */
	if (!rc)
		tree_forget_stage(fs->tree, name, TREE_LOCAL);
	inode_unref(fs->tree, i);
	stages_drop_cached(fs);
	return rc;
}
