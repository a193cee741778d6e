/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a byte of the content is.
 */
#ifndef FS_CONTENT_FILE_MAP_H
#define FS_CONTENT_FILE_MAP_H

#include "fs/content/turn.h"

enum file_kind {
	FILE_ZERO, /* nothing was ever written there */
	FILE_TAIL, /* memory */
	FILE_SPILL, /* the spill file, or the scratch file */
	FILE_BASE, /* the store's object */
	FILE_NOT_RETAINED, /* -ENOSPC to a reader */
};

/* The bytes from some offset to `end` are in one place. */
struct file_run {
	enum file_kind kind;
	uint64_t end;
	uint64_t size; /* the file's, then */
	struct spill *spill; /* FILE_SPILL, a reference */
	struct block_source *source; /* FILE_BASE, a reference */
};

/* Its base, if that has this ETag, is read from s, all of which is held; both
 * are taken over. False when it is another version, or read from elsewhere. */
bool file_map_adopt(struct file *f, struct block_source *s, struct block *held,
		    const char *etag);
/* All bytes of the base, which has this ETag, are here, and stay while it is
 * open: 0. -EAGAIN, -ESTALE: the store has another version, -EINTR. May wait
 * for a GET that is under way. */
int file_map_hold(struct file *f, const char *etag);
/*
 * Where the bytes from offset (to end at most) are. With `to`, those of
 * FILE_ZERO and FILE_TAIL are copied there at once.
 */
int file_map(struct file *f, uint64_t offset, uint64_t end, char *to,
	     struct file_run *out);
/* What file_map() does, for a caller that has the lock; no references. */
enum file_kind file_map_kind_locked(struct file *f, uint64_t offset,
				    uint64_t end, uint64_t *run_end)
	REQUIRES(&f->lock);
/* What -ESTALE of a source means: that, or -EAGAIN when the base has been
 * published anew by ourselves, or -EINTR. */
int file_map_stale(struct file *f, const struct block_source *s);

#endif
