/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the disk all daemons keep in a cache's directory, and what has to
 * go for it to stay below the limit: what was not used for longest.
 *
 * The count is a file of the directory, `usage`, changed under a lock of the
 * kernel's that ends with its daemon. Bytes are added before they are
 * written, so a daemon that is killed leaves it too high, which the next
 * eviction puts right; a write of another daemon's that is under way when an
 * eviction begins may be missed until the next. Everything blocks on the disk.
 */
#ifndef FS_CACHE_DISK_USAGE_H
#define FS_CACHE_DISK_USAGE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Adds bytes (or takes off: then there is no limit). 0 and the count in *now;
 * -EDQUOT: it would be more than the limit, and is as it was; -ENODATA: the
 * count is not known; -EAGAIN: other daemons kept it locked; else the disk's.
 */
int disk_usage_add(int dir, int64_t bytes, uint64_t limit, uint64_t *now);

/* Is it time to evict? A sixteenth before the limit, so that what is written
 * meanwhile still has room. */
bool disk_usage_is_high(uint64_t now, uint64_t limit);

struct disk_evicted {
	uint64_t files, bytes; /* that were removed */
	uint64_t kept; /* bytes that are there */
};
/*
 * Counts anew, and if that is too much removes files until an eighth of the
 * limit is free. 0; -EAGAIN: another daemon is at it; -ECANCELED: *stop became
 * true; else the disk's.
 */
int disk_usage_evict(int dir, uint64_t limit, const _Atomic(bool) *stop,
		     struct disk_evicted *out);

#endif
