/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an object is cut into parts. Pure.
 *
 * Parts grow with the offset, so that a small file has small parts while 10,000
 * of them reach beyond 50 TB: see parts.c for the schedule. What grows further
 * is cut anew (parts_plan()), at last into parts of 5 GiB, which reach the
 * store's largest object (48.8 TiB, Amazon S3 User Guide, "Amazon S3 multipart
 * upload limits").
 */
#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#define PARTS_MAX 10000
/*
 * In place of a size: for an upload that fills its parts in memory however
 * large it becomes. They double every 1,000 parts, so that they are of 16 MiB
 * at 10 GiB and reach 7.8 TiB.
 */
#define PART_SIZE_STREAM 1
#define PART_SIZE_MIN (5ULL << 20)
#define PART_SIZE_AUTO (8ULL << 20)
#define PART_SIZE_MAX (5ULL << 30)

struct part_range {
	unsigned number; /* from 1 */
	uint64_t start;
	uint64_t len; /* of a full part */
};

/* The part that holds byte `offset`; part_size 0: auto, or PART_SIZE_STREAM.
 * -EFBIG beyond. */
int parts_at(uint64_t part_size, uint64_t offset, struct part_range *out);
/* The part of that number. -EFBIG beyond PARTS_MAX. */
int parts_numbered(uint64_t part_size, unsigned number, struct part_range *out);
/* How many parts an object of that size has (1 for 0 bytes); more than
 * PARTS_MAX when it cannot be. */
unsigned parts_count(uint64_t part_size, uint64_t size);
/*
 * The part size for an object of at least that size: the wish (0: auto) as far
 * as it reaches, then larger ones. even: all parts but the last are to have one
 * length. -EFBIG: no parts reach that.
 */
int parts_plan(uint64_t wish, bool even, uint64_t size, uint64_t *part_size);
/* Have all parts but the last one length, which the last one does not exceed?
 */
bool parts_are_even(uint64_t part_size, uint64_t size);

#endif
