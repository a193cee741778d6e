/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an open file: what is dirty comes from the file, the rest from
 * blocks of its base, with read-ahead.
 */
#ifndef FS_CONTENT_READER_H
#define FS_CONTENT_READER_H

#include <stdint.h>

#include "base/lock.h"
#include "fs/cache/prefetch.h"
#include "fs/cache/wire.h"

struct file;
struct fs_data;

/* How one handle has read so far. */
struct reader_locked {
	struct prefetch prefetch;
	struct wire wire; /* what the last read's base has told */
};
struct reader {
	struct lock lock;
	struct reader_locked guarded_;
};

void reader_init(struct reader *r, struct file *f);
void reader_clear(struct reader *r);
/* Fewer bytes than asked only at the end of the file. -ESTALE when another
 * machine has replaced the object since the open. */
int reader_read(struct reader *r, struct file *f, uint64_t offset, size_t len,
		struct fs_data *out);
/*
 * Before the first read: starts the GET that it would, and waits for its first
 * byte. 0: the object is still the file's base, and the bytes are here or on
 * their way. -ESTALE: it is another. -EALREADY: they are here, or another
 * reader is fetching them. -EAGAIN: the store was not asked, as there is
 * nothing to get, or no memory for it, or the disk has it. Only for stores that
 * are not of files.
 */
int reader_first(struct file *f);

/* Reading of content that is kept remotely, as struct content_ops has it. */
int reader_read_blocks(struct reader *r, struct file *f, uint64_t offset,
		       size_t len, struct fs_data *out);

#endif
