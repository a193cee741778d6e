/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk cache: bytes of objects that were fetched once, in a directory of
 * this machine, for later mounts and other daemons of the same user. Bytes are
 * found by (store, key, ETag, size), so a version that was replaced is never
 * read from it; whether a version is still the object is not its business.
 *
 * Nothing here is an error to a reader: what cannot be read from the disk is
 * fetched, and a disk that is full or fails is left alone for a while.
 *
 * Any thread; everything blocks on the disk but what says so.
 */
#ifndef FS_CACHE_DISK_CACHE_H
#define FS_CACHE_DISK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/cache/disk_segment.h"

struct buf;
struct disk_cache;

struct disk_settings {
	const char *dir; /* absolute; made if it is not there, 0700 */
	uint64_t limit; /* bytes of the disk, of all daemons together */
	unsigned retry_ms; /* how long a failing disk is left alone */
};

/* 0, or -errno and why: the directory cannot be used, or others could write
 * there (-EPERM). No thread is started. */
int disk_cache_open(const struct disk_settings *s, struct disk_cache **out,
		    struct buf *why);
void disk_cache_free(struct disk_cache *c); /* after the last call */
/* The end is near: nothing is loaded any more, and an eviction ends soon. */
void disk_cache_stop(struct disk_cache *c);

/* May there be bytes of the segment that holds `at`? Cheap. */
bool disk_cache_may_have(struct disk_cache *c, const struct disk_version *v,
			 uint64_t at);
/* True: all of [at, at + len) is in place, and is what was fetched. */
bool disk_cache_load(struct disk_cache *c, const struct disk_version *v,
		     uint64_t at, void *bytes, size_t len);
/* Is it worth while to save now? Does not block. */
bool disk_cache_saves(struct disk_cache *c);
/* Keeps the whole pages of it, if it can. May evict, for one thread at a time.
 */
void disk_cache_save(struct disk_cache *c, const struct disk_version *v,
		     uint64_t at, const void *bytes, size_t len);

struct disk_counts {
	uint64_t hits, misses; /* loads */
	uint64_t read, written, evicted; /* bytes */
	uint64_t damaged; /* files that did not match, and were removed */
};
void disk_cache_counts(const struct disk_cache *c, struct disk_counts *out);

#endif
