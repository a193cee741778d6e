/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much to ask for, and how far ahead: a function of how one handle has
 * read so far, and of what is known of the way to the store. Pure.
 *
 * The first GET is small for a fast first byte; the window grows while reads
 * stay sequential and falls to nothing when they do not, so that a random
 * 4 KiB read fetches little more than 4 KiB. It grows to what the reader takes
 * while one GET is under way, twice.
 */
#ifndef FS_CACHE_PREFETCH_H
#define FS_CACHE_PREFETCH_H

#include <stdbool.h>
#include <stdint.h>

struct wire;

#define PREFETCH_FIRST (128U << 10) /* bytes of a first sequential GET */
/* Bytes ahead of a reader, when it has read for long: */
#define PREFETCH_WINDOW_MIN (16U << 20) /* at least, however near the store */
#define PREFETCH_WINDOW_MAX (112U << 20) /* at most */
#define PREFETCH_GETS 8 /* the least that the window is cut into */
#define PREFETCH_WHOLE (1U << 20) /* objects that come by one GET */

/* One handle's history; zero at open. Plain data, the handle's lock. */
struct prefetch {
	uint64_t next; /* where a sequential read would go on */
	uint64_t window; /* bytes to have ahead; 0: random */
	unsigned streak; /* sequential reads in a row */
	uint64_t rate; /* bytes a second that it takes; 0: not known */
	uint64_t since_us; /* what it has taken since then ... */
	uint64_t taken; /* ... in bytes */
};

/* A read of [offset, offset + len) of an object of `size` bytes. */
struct prefetch_read {
	uint64_t offset, len, size;
	uint64_t now_us; /* of a monotonic clock */
	const struct wire *wire;
};

/* What to do for a read. */
struct prefetch_plan {
	uint64_t start; /* where the GET of a missing block begins */
	uint64_t block; /* and how many bytes it asks for */
	bool sequential;
	uint64_t ahead_from, ahead_end; /* read ahead there (object offsets) */
	uint64_t ahead_block; /* in GETs of this many bytes at most */
};

/* The kernel's own read-ahead comes a little out of order: that is still
 * sequential. */
void prefetch_plan(struct prefetch *p, const struct prefetch_read *r,
		   struct prefetch_plan *out);

/* Where a read-ahead GET that would begin at `at` ends, or 0: not yet. */
uint64_t prefetch_next(const struct prefetch_plan *plan, uint64_t at,
		       uint64_t size);

#endif
