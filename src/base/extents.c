/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sorted array of ranges that neither touch nor overlap, so that whether a
 * range is wholly inside is one binary search. Adding merges what it touches.
 * A sequential writer has one range however much it writes; a random one has
 * as many as it left holes.
 */
#include "base/extents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* The first range that ends after `at`; n when there is none. */
static size_t extents_find(const struct extents *x, uint64_t at)
{
	size_t lo = 0, hi = x->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (x->list[mid].end > at)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

void extents_clear(struct extents *x)
{
	free(x->list);
	memset(x, 0, sizeof(*x));
}

static int extents_insert(struct extents *x, size_t at, uint64_t start,
			  uint64_t end)
{
	if (ARRAY_RESERVE(x->list, x->cap, x->n + 1))
		return -ENOMEM;
	memmove(x->list + at + 1, x->list + at, (x->n - at) * sizeof(*x->list));
	x->list[at] = (struct extent){ start, end };
	x->n++;
	return 0;
}

int extents_add(struct extents *x, uint64_t start, uint64_t end)
{
	size_t first, last;

	if (start >= end)
		return 0;
	/* A range that ends where this one starts is merged too. */
	first = extents_find(x, start ? start - 1 : 0);
	last = first;
	while (last < x->n && x->list[last].start <= end)
		last++;
	if (first == last)
		return extents_insert(x, first, start, end);
	if (x->list[first].start < start)
		start = x->list[first].start;
	if (x->list[last - 1].end > end)
		end = x->list[last - 1].end;
	x->list[first] = (struct extent){ start, end };
	memmove(x->list + first + 1, x->list + last,
		(x->n - last) * sizeof(*x->list));
	x->n -= last - first - 1;
	return 0;
}

void extents_cut(struct extents *x, uint64_t size)
{
	size_t at = extents_find(x, size);

	if (at < x->n && x->list[at].start < size)
		x->list[at++].end = size;
	x->n = at;
}

bool extents_cover(const struct extents *x, uint64_t start, uint64_t end)
{
	size_t at = extents_find(x, start);

	return start >= end || (at < x->n && x->list[at].start <= start &&
				x->list[at].end >= end);
}

bool extents_touch(const struct extents *x, uint64_t start, uint64_t end)
{
	size_t at = extents_find(x, start);

	return start < end && at < x->n && x->list[at].start < end;
}

bool extents_run(const struct extents *x, uint64_t start, uint64_t end,
		 struct extent *out)
{
	size_t at = extents_find(x, start);
	bool inside = at < x->n && x->list[at].start <= start;

	*out = (struct extent){ start, end };
	if (inside && x->list[at].end < end)
		out->end = x->list[at].end;
	else if (!inside && at < x->n && x->list[at].start < end)
		out->end = x->list[at].start;
	return inside;
}
