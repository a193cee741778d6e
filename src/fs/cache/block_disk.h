/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between blocks and the disk cache. A block that is on the disk is read from
 * there in place of its GET: at once, on the thread that wants it, or for
 * read-ahead by threads of this module's. One that a GET has brought is written
 * there by another thread, behind the reader's back: blocks wait for it in a
 * queue, and one that finds it full is not kept.
 */
#ifndef FS_CACHE_BLOCK_DISK_H
#define FS_CACHE_BLOCK_DISK_H

#include <stdbool.h>

struct block;
struct block_cache;
struct block_disk;
struct disk_cache;

/* Of all blocks of c from now on. The disk cache is borrowed. Starts threads. 0
 * or -errno. NULL is fine for the other two. */
int block_disk_new(struct block_cache *c, struct disk_cache *disk,
		   struct block_disk **out);
/* For when all readers have ended: writes what is in the queue and ends the
 * threads. */
void block_disk_stop(struct block_disk *d);
/* After that, and after the cache. */
void block_disk_free(struct block_disk *d);

/* ---- for block.c ---- */

/* In place of store_get(): true when the block's done() was called or will be.
 * ahead: does not wait for the disk. */
bool block_disk_fetch(struct block *b, bool ahead);
/* In place of store_get_cancel(): false: the store has the GET. */
bool block_disk_cancel(struct block *b);
/* Its GET has brought every byte. Does not block; on its done()'s thread. */
void block_disk_save(struct block *b);

#endif
