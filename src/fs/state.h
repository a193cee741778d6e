/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system as the files of this folder see it.
 */
#ifndef FS_STATE_H
#define FS_STATE_H

#include "base/lock.h"
#include "base/pool.h"
#include "fs/content/file.h"
#include "fs/fs.h"
#include "fs/names/dircache.h"
#include "fs/names/inode.h"

/* Directories of which the log has said lately that they hold a hidden key. */
#define HIDDEN_SAID 16

struct fs_locked {
	struct handle *handles; /* that are open */
	struct dir_handle *dirs; /* the same */
	struct dir_handle *dir_left; /* the last one closed amid its listing */
	unsigned n_writers; /* of them that write */
	struct {
		uint32_t dir; /* hash of its key */
		int64_t until_ms; /* 0: none */
	} hidden[HIDDEN_SAID];
	unsigned n_hidden; /* said so far: the next place, in a circle */
};

struct fs {
	struct fs_settings set; /* strings are its own */
	struct catalog *catalog;
	struct stage *only; /* NULL: all stages */
	int64_t began_ms; /* clock_mono_ms() */
	struct tree *tree;
	struct block_cache *blocks;
	struct block_disk *disk; /* NULL: none */
	struct pending *pending;
	struct inval_queue *inval_queue;
	struct questions *questions;
	struct traversals *traversals;
	struct subtrees *subtrees;
	struct dir_ahead *dir_ahead;
	struct file_ahead *file_ahead;
	_Atomic(unsigned) stages_left; /* when they were last made to forget */
	struct removals *removals;
	struct attr_queue *attr_queue;
	struct write_back *write_back;
	struct pool_share sealed; /* of memory, of what waits there */
	struct file_env env;
	struct fs_processes processes;
	struct close_errors *close_errors;
	_Atomic(unsigned) n_writing; /* write requests under way */
	_Atomic(int64_t)
		explained_ms; /* when the log last said what is EINVAL */
	_Atomic(int64_t) wrote_ms; /* when the last one ended */
	struct lock lock; /* a leaf */
	struct fs_locked guarded_;
};

LOCK_GUARDS(fs_locked, fs, fs_locked);

/* Has it bytes that the store has not? */
static inline bool fs_is_dirty(struct fs *fs, struct inode *i)
{
	struct file *f = inode_file_get(fs->tree, i);
	uint64_t size;
	bool dirty = f && file_size(f, &size);

	if (f)
		file_close(f);
	return dirty;
}

#endif
