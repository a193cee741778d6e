/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of byte ranges: which bytes of a spill file are ours. Sorted, merged.
 * Pure; the caller's lock.
 */
#ifndef BASE_EXTENTS_H
#define BASE_EXTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct extent {
	uint64_t start, end; /* end excluded */
};

struct extents {
	struct extent *list;
	size_t n, cap;
};

void extents_clear(struct extents *x);
int extents_add(struct extents *x, uint64_t start, uint64_t end); /* -ENOMEM */
void extents_cut(struct extents *x, uint64_t size); /* nothing from size on */
bool extents_cover(const struct extents *x, uint64_t start, uint64_t end);
bool extents_touch(const struct extents *x, uint64_t start, uint64_t end);
/*
 * The first run within [start, end): *out, and whether it is inside the set
 * or a hole. For start < end.
 */
bool extents_run(const struct extents *x, uint64_t start, uint64_t end,
		 struct extent *out);

#endif
