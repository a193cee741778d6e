/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that were read, in place: what they stand in is held until
 * fs_data_release().
 */
#ifndef FS_CONTENT_DATA_H
#define FS_CONTENT_DATA_H

#include <stddef.h>
#include <sys/uio.h>

struct pool;

#define FS_DATA_SEGMENTS 16
struct fs_data {
	struct iovec iov[FS_DATA_SEGMENTS];
	unsigned n;
	size_t len;
	void *hold[FS_DATA_SEGMENTS]; /* blocks, or memory of its own */
	unsigned n_hold;
	void *own; /* freed with it, or back to the pool that it is from */
	size_t own_size;
	struct pool *own_pool;
};

void data_release(struct fs_data *d);
/* The blocks alone: the bytes are copied elsewhere. */
void data_release_blocks(struct fs_data *d);

#endif
