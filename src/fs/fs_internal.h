/*
 * What the files of this folder share of struct fs, and handles.
 */
#ifndef FS_FS_INTERNAL_H
#define FS_FS_INTERNAL_H

#include <fcntl.h>

#include "base/lock.h"
#include "fs/names/dircache.h"
#include "fs/content/file.h"
#include "fs/fs.h"
#include "fs/names/inode.h"
#include "fs/content/reader.h"

/* Directories of which the log has said lately that they hold a hidden key. */
#define HIDDEN_SAID 16

struct fs_locked {
	struct handle *handles; /* that are open */
	struct dir_handle *dirs; /* the same */
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
	struct tree *tree;
	struct budget *budget;
	struct block_cache *blocks;
	struct pending *pending;
	struct inval_queue *inval_queue;
	struct observer *observer;
	struct file_env env;
	struct fs_processes processes;
	struct close_errors *close_errors;
	_Atomic(unsigned) n_writing; /* write requests under way */
	_Atomic(int64_t) wrote_ms; /* when the last one ended */
	struct lock lock; /* a leaf */
	struct fs_locked guarded_;
};

/* What a handle's next close does, if closing.h does not wait for another. */
enum handle_state {
	HANDLE_PLAIN, /* publishes */
	HANDLE_EMPTIED, /* nothing, unless it is known to be the last one:
			 * O_TRUNC, and nothing was written since */
	HANDLE_FAILED, /* tries again; the release does not: it was said */
	HANDLE_SHORT, /* nothing: a write failed, and bytes are missing */
};

#define HANDLE_MANY (-1)

struct handle {
	struct file *file;
	struct reader reader;
	int flags; /* of open(2) */
	uint64_t ino; /* st_ino as it was then */
	_Atomic(pid_t) opener; /* its process; 0: not known */
	/* Whose close was answered before what it meant was stored; 0: none's,
	 * HANDLE_MANY: those of several processes. */
	_Atomic(pid_t) waits;
	_Atomic(uint64_t) waits_program; /* what that one ran then */
	_Atomic(bool) written; /* it did more than to make or empty the file */
	_Atomic(enum handle_state) state;
	_Atomic(int) write_err; /* of the write that failed */
	/* The version whose pages the kernel has when it uses the handle, for
	 * it drops others at open; 0: that has been noted. */
	_Atomic(uint32_t) kernel_pages_etag;
	struct handle *prev, *next; /* of fs_locked.handles */
};

static inline bool handle_writing(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

static inline bool handle_writes(const struct handle *h)
{
	return handle_writing(h->flags);
}

/* ---- handles.c ---- */

/* Takes the reference to f. emptied: O_TRUNC, of an object that had bytes. */
int handle_new(struct fs *fs, struct file *f, int flags, bool emptied,
	       struct handle **out);
/* The openers of the other handles of h's content that write: how many there
 * are, the first max of them in out. */
unsigned handle_openers(struct fs *fs, const struct handle *h, pid_t *out,
			unsigned max);
/* Frees those that were not closed. */
void handle_clear(struct fs *fs);
/* dir.c: the same. Ends their listings. */
void fs_dir_clear(struct fs *fs);
/* What changes content, or publishes it, stands between these two: a writer
 * who waits for the store is not one who has gone quiet. */
void handle_write_begin(struct fs *fs);
void handle_write_end(struct fs *fs);

/* err of such a call. */
#define HANDLE_WRITE(fs, call) \
	({ \
		int write_err_; \
\
		handle_write_begin(fs); \
		write_err_ = (call); \
		handle_write_end(fs); \
		write_err_; \
	})

/* ---- closing.c ---- */

/* What the last publication of i, or of name in i, failed with when no close
 * could say so: once. An open with O_TRUNC does what was not done. */
int close_errors_tell(struct fs *fs, struct inode *i, const char *name,
		      int flags);
/* The publication of h's content has failed, and nothing will say so; it has
 * succeeded. */
void close_errors_failed(struct fs *fs, struct handle *h, int err);
void close_errors_done(struct fs *fs, struct handle *h);

/* open.c: the content was changed other than by a write. */
void handle_changed(struct handle *h);

/* names.c: shared with dir.c, rename.c and xattr.c. */

/* The inode of a name, asked of the store when need be. Referenced; -ENOENT. */
int resolve_name(struct fs *fs, struct inode *dir, const char *name,
		 struct inode **out);
/* stat(2)'s view: kind, times, and the size of what is open. */
void names_stat(struct fs *fs, struct inode *i, struct stat *st);
/* -EROFS when the mount or the stage is read-only. */
int names_writable(struct fs *fs, struct inode *i);
/* Fills an entry and raises the kernel's lookup count. */
void names_entry(struct fs *fs, struct inode *i, struct fs_entry *out);

#endif
