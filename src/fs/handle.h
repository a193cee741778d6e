/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files: a use of an inode's content, and a way of reading it.
 */
#ifndef FS_HANDLE_H
#define FS_HANDLE_H

#include <fcntl.h>
#include <stdatomic.h>

#include "fs/content/reader.h"
#include "fs/state.h"

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
	_Atomic(int) write_rc; /* of the write that failed */
	/* The version whose pages the kernel has when it uses the handle, for
	 * it drops others at open; 0: that has been noted. */
	_Atomic(uint32_t) kernel_pages_etag;
	_Atomic(unsigned) releases; /* that are to come, at least one */
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

/* Takes the reference to f, whose st_ino is ino. emptied: O_TRUNC, of an object
 * that had bytes. */
int handle_new(struct fs *fs, struct file *f, int flags, bool emptied,
	       uint64_t ino, struct handle **out);
/* The openers of the other handles of h's content that write: how many there
 * are, the first max of them in out. */
unsigned handle_openers(struct fs *fs, const struct handle *h, pid_t *out,
			unsigned max);
/* Frees those that were not closed. */
void handle_clear(struct fs *fs);
/* What changes content, or publishes it, stands between these two: a writer
 * that waits for the store is not idle. */
void handle_write_begin(struct fs *fs);
void handle_write_end(struct fs *fs);

/* rc of such a call. */
#define HANDLE_WRITE(fs, call) \
	({ \
		int write_rc_; \
\
		handle_write_begin(fs); \
		write_rc_ = (call); \
		handle_write_end(fs); \
		write_rc_; \
	})

/* The content was changed other than by a write. */
void handle_changed(struct handle *h);

#endif
