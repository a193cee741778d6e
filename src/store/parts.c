/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schedule of parts. An upload has 10,000 parts of at most 5 GiB, and how
 * large it will become is not known while its first part leaves. So parts
 * begin small, that a program's bytes leave early and small files cost little
 * memory, and grow in steps:
 *
 *   size      parts   reaching          size      parts   reaching
 *     8 MiB     128      1 GiB           512 MiB     12     29 GiB
 *    16 MiB     128      3 GiB             1 GiB     12     41 GiB
 *    32 MiB     128      7 GiB             2 GiB     12     65 GiB
 *    64 MiB     192     19 GiB             4 GiB     12    113 GiB
 *   128 MiB      12   20.5 GiB             5 GiB   9352   45.8 TiB
 *   256 MiB      12   23.5 GiB
 *
 * Every part below 5 GiB costs reach: 48.8 TiB, the store's largest object, is
 * 10,000 parts of 5 GiB and nothing else. The first 19 GiB keep parts that are
 * filled in memory, after them growth is steep, and the end is beyond 50 TB
 * (45.5 TiB). What grows into the last 3 TiB is cut anew into parts of 5 GiB.
 *
 * Where all parts but the last must have one length, an object that outgrows
 * 10,000 of them is cut anew into longer ones: eight times as long, so that all
 * that was sent in vain is a seventh of it.
 */
#include "store/parts.h"

#include <errno.h>
#include <stddef.h>

#define MIB (1ULL << 20)
#define LONGER 8
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct step {
	uint64_t len;
	unsigned count;
};

static const struct step steps[] = {
	{ PART_SIZE_AUTO, 128 }, { 16 * MIB, 128 },       { 32 * MIB, 128 },
	{ 64 * MIB, 192 },       { 128 * MIB, 12 },       { 256 * MIB, 12 },
	{ 512 * MIB, 12 },       { 1024 * MIB, 12 },      { 2048 * MIB, 12 },
	{ 4096 * MIB, 12 },      { PART_SIZE_MAX, 9352 },
};

static const struct step stream[] = {
	{ PART_SIZE_AUTO, 1000 }, { 16 * MIB, 1000 },   { 32 * MIB, 1000 },
	{ 64 * MIB, 1000 },       { 128 * MIB, 1000 },  { 256 * MIB, 1000 },
	{ 512 * MIB, 1000 },      { 1024 * MIB, 1000 }, { 2048 * MIB, 1000 },
	{ 4096 * MIB, 1000 },
};

/* A fixed size is a schedule of one step. */
static const struct step *parts_schedule(uint64_t part_size, struct step *fixed,
					 size_t *n)
{
	*n = COUNT(steps);
	if (!part_size)
		return steps;
	*n = COUNT(stream);
	if (part_size == PART_SIZE_STREAM)
		return stream;
	*fixed = (struct step){ part_size, PARTS_MAX };
	*n = 1;
	return fixed;
}

int parts_at(uint64_t part_size, uint64_t offset, struct part_range *out)
{
	struct step fixed;
	size_t n;
	const struct step *s = parts_schedule(part_size, &fixed, &n);
	uint64_t start = 0;
	unsigned number = 1;

	for (size_t i = 0; i < n; i++) {
		uint64_t k = (offset - start) / s[i].len;

		if (k < s[i].count) {
			out->number = number + (unsigned)k;
			out->start = start + k * s[i].len;
			out->len = s[i].len;
			return 0;
		}
		start += s[i].count * s[i].len;
		number += s[i].count;
	}
	return -EFBIG;
}

int parts_numbered(uint64_t part_size, unsigned number, struct part_range *out)
{
	struct step fixed;
	size_t n;
	const struct step *s = parts_schedule(part_size, &fixed, &n);
	uint64_t start = 0;
	unsigned first = 1;

	if (!number)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (number - first < s[i].count) {
			out->number = number;
			out->start = start + (number - first) * s[i].len;
			out->len = s[i].len;
			return 0;
		}
		start += s[i].count * s[i].len;
		first += s[i].count;
	}
	return -EFBIG;
}

unsigned parts_count(uint64_t part_size, uint64_t size)
{
	struct part_range last;

	if (!size)
		return 1;
	if (parts_at(part_size, size - 1, &last))
		return PARTS_MAX + 1;
	return last.number;
}

int parts_plan(uint64_t wish, bool even, uint64_t size, uint64_t *part_size)
{
	uint64_t len = wish || !even ? wish : PART_SIZE_AUTO;

	while (parts_count(len, size) > PARTS_MAX) {
		if (len == PART_SIZE_MAX)
			return -EFBIG;
		len = !len || len > PART_SIZE_MAX / LONGER ? PART_SIZE_MAX
							   : LONGER * len;
	}
	*part_size = len;
	return 0;
}

bool parts_are_even(uint64_t part_size, uint64_t size)
{
	struct part_range first, last;

	/* The lengths only grow: if the last part starts at a multiple of the
	 * first one's length, all have that length. */
	return size && !parts_at(part_size, 0, &first) &&
	       !parts_at(part_size, size - 1, &last) &&
	       last.start % first.len == 0 &&
	       last.start / first.len == last.number - 1 &&
	       size - last.start <= first.len;
}
