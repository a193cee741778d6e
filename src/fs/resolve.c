/*
 * From a name to an inode: from what is known while that is fresh, else by one
 * question to the store, whose answer goes into the tree and is read from
 * there, since the tree may know better (write stamps).
 */
#include "fs/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/inval_queue.h"
#include "fs/observer.h"
#include "stage/catalog.h"
#include "stage/location.h"
#include "stage/stage.h"

#define FILES_TTL_MS 1000

unsigned names_ttl_ms(struct fs *fs, bool files)
{
	unsigned ttl_ms = fs->set.metadata_ttl_s * 1000;

	return files && ttl_ms > FILES_TTL_MS ? FILES_TTL_MS : ttl_ms;
}

/* The question is about a key; the answer is what now stands in the tree. */
static int resolve_ask_key(struct fs *fs, struct store *store, const char *key,
			   struct inode *dir, const char *name,
			   struct inode **out)
{
	uint64_t asked = tree_clock(fs->tree);
	struct name_info found;
	int err = store_stat(store, key, &found);

	/* What may not be listed may have something below that may be read:
	 * a directory, which says so when it is read. */
	if (err == -EACCES && found.unlisted) {
		found.is_prefix = true;
		err = 0;
	}
	if (err)
		return err;
	if (found.is_prefix) {
		*out = tree_refresh(fs->tree, dir, name, INODE_DIR, &found.info,
				    found.has_marker, asked);
	} else if (found.is_object) {
		*out = tree_refresh(fs->tree, dir, name, INODE_FILE,
				    &found.info, false, asked);
	} else {
		tree_refresh_absent(fs->tree, dir, name, asked);
		*out = tree_peek(fs->tree, dir, name);
	}
	return *out ? 0 : -ENOENT;
}

static int resolve_ask_dir(struct fs *fs, struct inode *dir, const char *name,
			   struct inode **out)
{
	struct buf key = NAMES_KEY;
	struct stage *stage;
	int err;

	stage = inode_stage(fs->tree, dir);
	err = stage ? inode_key_of(fs->tree, dir, name, &key) : -ENOENT;
	if (err == -EILSEQ) /* the store has no such key */
		err = -ENOENT;
	if (!err)
		err = resolve_ask_key(fs, stage->store, buf_str(&key), dir,
				      name, out);
	stage_unref(stage);
	buf_clear(&key);
	return err;
}

/* A store of files renames in one step, before the tree does: who asks waits
 * for that, and it for him. */
static int resolve_between_renames(struct fs *fs, struct inode *dir,
				   const char *name, struct inode **out)
{
	struct buf unused = NAMES_KEY;
	struct inode *known;
	bool claimed = false;
	int err = claims_publish_begin(fs->tree, dir, &unused);

	if (err)
		return err;
	known = tree_peek(fs->tree, dir, name);
	if (known) {
		err = claims_publish_begin(fs->tree, known, &unused);
		claimed = !err;
		err = err == -ENOENT ? 0 : err; /* it has gone meanwhile */
	}
	if (!err)
		err = resolve_ask_dir(fs, dir, name, out);
	if (claimed)
		claims_publish_end(fs->tree, known);
	inode_unref(fs->tree, known);
	claims_publish_end(fs->tree, dir);
	buf_clear(&unused);
	return err;
}

int resolve_ask(struct fs *fs, struct inode *dir, const char *name,
		struct inode **out)
{
	struct inode_view v;

	if (names_is_root(fs, dir))
		return stages_resolve(fs, name, out);
	inode_view(fs->tree, dir, &v);
	return v.files ? resolve_between_renames(fs, dir, name, out)
		       : resolve_ask_dir(fs, dir, name, out);
}

int resolve_name(struct fs *fs, struct inode *dir, const char *name,
		 struct inode **out)
{
	if (strlen(name) > NAME_BYTES_MAX) /* which the kernel lets through */
		return -ENAMETOOLONG;
	if (names_is_root(fs, dir))
		return stages_resolve(fs, name, out);
	switch (tree_find(fs->tree, dir, name, out)) {
	case TREE_KNOWN:
		return 0;
	case TREE_ABSENT:
		return -ENOENT;
	default:
		return resolve_ask(fs, dir, name, out);
	}
}

/* What the store says is at the name of i now. */
static int resolve_ask_again(struct fs *fs, struct inode *i, struct inode **now)
{
	struct inode *dir = inode_parent(fs->tree, i);
	char name[256];
	int err = -ESTALE;

	if (dir && dircache_name(fs->tree, dir, i, name))
		err = resolve_ask(fs, dir, name, now);
	/* The kernel, which has i under that name, is to look again. */
	if (err == -ENOENT || (!err && *now != i))
		inval_queue_entry(fs->inval_queue, dir, name);
	inode_unref(fs->tree, dir);
	return err;
}

int resolve_now(struct fs *fs, struct inode *i, struct inode **now)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	if (!v.fresh && !v.orphan)
		return resolve_ask_again(fs, i, now);
	*now = inode_ref(fs->tree, i);
	return 0;
}

/* err of one of the two: is it i? */
static int resolve_must_be(struct fs *fs, int err, struct inode *now,
			   struct inode *i)
{
	if (err)
		return err == -ENOENT ? -ESTALE : err;
	inode_unref(fs->tree, now);
	return now == i ? 0 : -ESTALE;
}

int resolve_refresh(struct fs *fs, struct inode *i)
{
	struct inode *now = NULL;
	int err = resolve_now(fs, i, &now);

	return resolve_must_be(fs, err, now, i);
}

int resolve_renew(struct fs *fs, struct inode *i)
{
	struct inode_view v;
	struct inode *now = NULL;
	int err;

	inode_view(fs->tree, i, &v);
	if (!v.files || v.orphan)
		return 0;
	if (v.stage_root) {
		stages_refresh_root(fs, i);
		return 0;
	}
	err = resolve_ask_again(fs, i, &now);
	return resolve_must_be(fs, err, now, i);
}
