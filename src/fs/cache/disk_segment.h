/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the disk cache. One has what is kept of a segment, 8 MiB at
 * most, of one version of one object; any pages of it, in any order.
 *
 *   head    magic, format, the version (a SHA-256 of store, key, ETag and
 * size), the segment's number, and a CRC-32C of these sums    the CRC-32C of
 * each page of 4 KiB; 0: it is not here pages   from the next multiple of 4 KiB
 * on, each at its place
 *
 * A file is made aside and renamed. Pages are added in place, first their bytes
 * and then their sums, and never change: all daemons write the same bytes, and
 * need no lock. What a power cut or a killed daemon leaves is not there, or
 * does not match its sum; so nothing is flushed.
 *
 * Numbers are in the machine's byte order. Everything blocks on the disk.
 */
#ifndef FS_CACHE_DISK_SEGMENT_H
#define FS_CACHE_DISK_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

#define DISK_PAGE 4096U
#define DISK_SEGMENT (8U << 20)
#define DISK_USED_S 60 /* a use is noted (mtime) as often as that */

/* One version of one object: what a file is for. */
struct disk_version {
	unsigned char hash[SHA256_SIZE];
	uint64_t size; /* the object's */
};

/* store: what tells its objects from those of others. 0 or -ENOMEM. */
int disk_segment_version(struct disk_version *v, const char *store,
			 const char *key, const char *etag, uint64_t size);

/* Path below the cache's directory of the segment that holds offset `at`. */
#define DISK_PATH_SIZE 96
void disk_segment_path(const struct disk_version *v, uint64_t at,
		       char out[DISK_PATH_SIZE]);
/* Is that a file's name, without its folder? */
bool disk_segment_is_name(const char *name);
/* One that is being made, or was by a daemon that was killed? */
bool disk_segment_is_aside(const char *name);

/*
 * [at, at + len) lies in one segment; it begins at a page, and ends at one or
 * with the object. dir: the cache's directory.
 *
 * read: 0: every byte is in place and matches its sum. -ENOENT: not all are
 * there. -EBADMSG: the file was damaged, and has been removed. Else the disk's
 * error.
 */
int disk_segment_read(int dir, const struct disk_version *v, uint64_t at,
		      void *bytes, size_t len);
/* 0 or the disk's error. *grown, also then: bytes of the disk that it takes
 * more than before. */
int disk_segment_write(int dir, const struct disk_version *v, uint64_t at,
		       const void *bytes, size_t len, int64_t *grown);

#endif
