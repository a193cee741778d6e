/*
 * What the files of this folder share of struct fs, and handles.
 */
#ifndef FS_FS_INTERNAL_H
#define FS_FS_INTERNAL_H

#include "base/lock.h"
#include "fs/dircache.h"
#include "fs/file.h"
#include "fs/fs.h"
#include "fs/inode.h"
#include "fs/reader.h"

struct fs_locked {
	struct handle *handles; /* that are open */
};

struct fs {
	struct fs_settings set; /* strings are its own */
	struct catalog *catalog;
	struct stage *only; /* NULL: all stages */
	struct tree *tree;
	struct budget *budget;
	struct block_cache *blocks;
	struct pending *pending;
	struct notices *notices;
	struct watches *watches;
	struct file_env env;
	struct lock lock; /* a leaf */
	struct fs_locked guarded_;
};

/* What a handle's next close does. */
enum handle_state {
	HANDLE_PLAIN, /* publishes */
	HANDLE_EMPTIED, /* nothing: O_TRUNC, and nothing was written since */
	HANDLE_FAILED, /* tries again; the release does not: it was said */
	HANDLE_SHORT, /* nothing: a write failed, and bytes are missing */
};

struct handle {
	struct file *file;
	struct reader reader;
	int flags; /* of open(2) */
	_Atomic(enum handle_state) state;
	_Atomic(int) write_err; /* of the write that failed */
	struct handle *prev, *next; /* of fs_locked.handles */
};

/* open.c: frees what nobody closed, of a mount that was detached. */
void handles_clear(struct fs *fs);

/* open.c: the content was changed other than by a write. */
void handle_changed(struct handle *h);

/* names.c: shared with dir.c, rename.c and xattr.c. */

/* The inode of a name, asked of the store when need be. Referenced; -ENOENT. */
int names_resolve(struct fs *fs, struct inode *dir, const char *name,
		  struct inode **out);
/* stat(2)'s view: kind, times, and the size of what is open. */
void names_stat(struct fs *fs, struct inode *i, struct stat *st);
/* -EROFS when the mount or the stage is read-only. */
int names_writable(struct fs *fs, struct inode *i);
/* Fills an entry and raises the kernel's lookup count. */
void names_entry(struct fs *fs, struct inode *i, struct fs_entry *out);

#endif
