/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changed attributes. Under `attributes = server` an object has a size and a
 * time of its own; mode, owner and other times are kept here while the name is
 * known. A store of files, and the metadata of objects under `attributes =
 * posix`, keep them all: they go there at once or in a burst, or with the bytes
 * when those are yet to be published; but a setting that a user made wins over
 * what is kept there, so what it hides is kept here as well.
 */
#include "fs/names.h"

#include <errno.h>

#include "base/log.h"
#include "fs/attr/attr_learn.h"
#include "fs/attr/attr_queue.h"
#include "fs/content/seal.h"
#include "fs/names/inode_meta.h"
#include "fs/inval_queue.h"
#include "stage/stage.h"

#define TIMES (FS_SET_ATIME | FS_SET_MTIME)

/* Which of them the store keeps. */
static unsigned attributes_kept_there(struct fs *fs, const struct inode_view *v,
				      unsigned which)
{
	unsigned fixed = fs->set.fixed;
	unsigned mode = v->kind == INODE_FILE ? TREE_FIXED_FILE_MODE
					      : TREE_FIXED_DIR_MODE;

	if (!policy_has_owners(v->policy) || v->orphan ||
	    (v->policy->in_metadata && v->stage_root))
		return 0;
	which &= FS_SET_MODE | FS_SET_UID | FS_SET_GID | TIMES;
	if (fixed & mode)
		which &= ~FS_SET_MODE;
	if (fixed & TREE_FIXED_UID)
		which &= ~FS_SET_UID;
	if (fixed & TREE_FIXED_GID)
		which &= ~FS_SET_GID;
	return which;
}

static unsigned attributes_store_bits(unsigned which)
{
	return (which & FS_SET_MODE ? STORE_SET_MODE : 0) |
	       (which & FS_SET_UID ? STORE_SET_UID : 0) |
	       (which & FS_SET_GID ? STORE_SET_GID : 0) |
	       (which & FS_SET_ATIME ? STORE_SET_ATIME : 0) |
	       (which & FS_SET_MTIME ? STORE_SET_MTIME : 0);
}

static int attributes_to_store(struct fs *fs, struct inode *i,
			       const struct store_attr *a)
{
	STAGE_LOCAL *stage = inode_stage(fs->tree, i);
	BUF_LOCAL key = NAMES_KEY;
	int rc = stage ? inode_open_key(fs->tree, i, &key) : -ENOENT;

	return rc ? rc : store_set_attr(stage->store, buf_str(&key), a, NULL);
}

/* What waits to be sent has them over a crash too. */
static int attributes_keep_pending(struct fs *fs, struct inode *i)
{
	FILE_LOCAL *f = inode_file_get(fs->tree, i);

	if (!f)
		return write_back_dir_changed(fs->write_back, i);
	file_seal_stale(f);
	return names_store(fs, f, false);
}

/* What is to be published takes them along. */
static int attributes_keep_in_metadata(struct fs *fs, struct inode *i,
				       const struct store_attr *a)
{
	bool is_new = inode_meta_set(fs->tree, i, a);
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	if (v.pending && (v.dirty || v.kind == INODE_DIR))
		return attributes_keep_pending(fs, i);
	if (!is_new || v.dirty)
		return 0;
	return attr_queue_add(fs->attr_queue, i, v.made);
}

static int attributes_keep_there(struct fs *fs, struct inode *i,
				 const struct inode_view *v,
				 const struct stat *st, unsigned which)
{
	struct store_attr a = {
		.which = attributes_store_bits(which),
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.atime = st->st_atim,
		.mtime = st->st_mtim,
	};
	struct store_attr now = a;
	int rc = 0;

	if (v->policy->in_metadata)
		return attributes_keep_in_metadata(fs, i, &a);
	if (v->kind == INODE_FILE && !v->published)
		now.which = 0;
	/* What is written and not published takes its times along. */
	else if ((which & TIMES) && fs_is_dirty(fs, i))
		now.which &= ~(STORE_SET_ATIME | STORE_SET_MTIME);
	if (now.which)
		rc = attributes_to_store(fs, i, &now);
	if (rc == -ENOENT && v->stage_root) /* nothing lies in it yet */
		rc = 0;
	if (!rc)
		inode_attr_keep(fs->tree, i, &a);
	return rc;
}

static int attributes_keep_here(struct fs *fs, struct inode *i,
				const struct stat *st, unsigned which)
{
	int rc = 0;

	if (which & FS_SET_MODE)
		rc = inode_attr_set_mode(fs->tree, i, st->st_mode);
	if (!rc && (which & (FS_SET_UID | FS_SET_GID)))
		rc = inode_attr_set_owner(
			fs->tree, i,
			which & FS_SET_UID ? st->st_uid : (uid_t)-1,
			which & FS_SET_GID ? st->st_gid : (gid_t)-1);
	if (!rc && (which & TIMES))
		rc = inode_attr_set_times(
			fs->tree, i, which & FS_SET_ATIME ? &st->st_atim : NULL,
			which & FS_SET_MTIME ? &st->st_mtim : NULL);
	return rc;
}

void attributes_say_pins(struct fs *fs)
{
	if (tree_lru_pins_full(fs->tree))
		log_warn("changed attributes of %d names are kept in memory, "
			 "which is the limit: chmod, chown and touch of more "
			 "names fail until some are removed or the mount ends; "
			 "new files lose theirs when memory is needed",
			 INODE_PINS_MAX);
}

/* Those that are not changed are to stay. -ESTALE: the name is another's. */
static int attributes_learn(struct fs *fs, struct inode *i)
{
	struct inode *now = inode_ref(fs->tree, i);
	int rc = attr_learn(fs->tree, &now);

	if (rc == -ENOENT || (!rc && now != i))
		rc = -ESTALE;
	inode_unref(fs->tree, now);
	return rc;
}

/* Each where it is kept. */
int attributes_keep(struct fs *fs, struct inode *i, const struct stat *st,
		    unsigned which)
{
	struct inode_view v;
	unsigned there;
	int rc = attributes_learn(fs, i);

	if (rc)
		return rc;
	inode_view(fs->tree, i, &v);
	there = attributes_kept_there(fs, &v, which);
	if (there)
		rc = attributes_keep_there(fs, i, &v, st, there);
	if (!rc)
		rc = attributes_keep_here(fs, i, st, which & ~there);
	attributes_say_pins(fs);
	return rc;
}

int fs_drop_setid(struct fs *fs, struct inode *i)
{
	struct inode_view v;
	mode_t drop = S_ISUID;
	struct stat st;
	int rc;

	inode_view(fs->tree, i, &v);
	if (v.mode & S_IXGRP)
		drop |= S_ISGID;
	if (v.kind != INODE_FILE || !(v.mode & drop))
		return 0;
	st = (struct stat){ .st_mode = v.mode & ~drop };
	rc = attributes_keep(fs, i, &st, FS_SET_MODE);
	/* A write's answer has no mode: the kernel would go on with the old
	 * one, and give a program that is executed next the old rights. */
	inval_queue_inode(fs->inval_queue, i, false);
	inval_queue_settle(fs->inval_queue);
	return rc;
}
