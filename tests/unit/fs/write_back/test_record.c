/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records as bytes, there and back; and that nothing else is taken for one.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "fs/write_back/record.h"
#include "unit.h"

static const struct extent two[] = { { 0, 5 }, { 4096, 5000 } };

static const struct {
	const char *sentence;
	struct record record;
} rows[] = {
	{ "a small file has its bytes with it",
	  { .kind = RECORD_FILE,
	    .id = 7,
	    .seq = 9,
	    .stage = "s",
	    .place = "s3://b/p/",
	    .key = "p/a b/\303\274",
	    .skip = 2,
	    .mode = 0640,
	    .uid = 1000,
	    .gid = 4294967294u,
	    .data = "",
	    .seal = { .size = 5,
		      .base_etag = "",
		      .base_key = "",
		      .mtime = { 1700000000, 999999999 },
		      .atime = { -5, 1 },
		      .extents = two,
		      .n = 1,
		      .bytes = "hello",
		      .len = 5 } } },
	{ "a change of an object says of which version",
	  { .kind = RECORD_FILE,
	    .id = UINT64_MAX,
	    .seq = 1,
	    .stage = "~",
	    .place = "",
	    .key = "k",
	    .data = "data-1-2",
	    .seal = { .size = 1ULL << 40,
		      .has_base = true,
		      .base_limit = 3,
		      .base_size = 4,
		      .base_etag = "\"e\"",
		      .base_key = "other",
		      .replaces = true,
		      .props = "a\0b\0",
		      .props_len = 4,
		      .props_beside = true,
		      .extents = two,
		      .n = 2,
		      .bytes = "" } } },
	{ "an empty file has none",
	  { .kind = RECORD_FILE,
	    .id = 1,
	    .seq = 1,
	    .stage = "s",
	    .place = "x",
	    .key = "k",
	    .data = "",
	    .seal = { .base_etag = "", .base_key = "", .bytes = "" } } },
	{ "a directory",
	  { .kind = RECORD_DIR,
	    .id = 2,
	    .seq = 3,
	    .stage = "s",
	    .place = "x",
	    .key = "d/",
	    .mode = 0755,
	    .seal = { .mtime = { 1700000000, 5 }, .atime = { 7, 9 } } } },
	{ "a move", { .kind = RECORD_MOVE, .id = 2, .seq = 4, .key = "e/" } },
	{ "an end that is near",
	  { .kind = RECORD_ENDING,
	    .id = 2,
	    .seq = 4,
	    .key = "k",
	    .ending = "\"e\"" } },
	{ "of what the store does not have",
	  { .kind = RECORD_ENDING,
	    .id = 2,
	    .seq = 4,
	    .key = "k",
	    .ending = "" } },
	{ "an end", { .kind = RECORD_GONE, .id = 2, .seq = 5 } },
};

static void same_seal(const char *row, const struct seal *a,
		      const struct seal *b)
{
	row_number(row, a->size, b->size);
	row_number(row, a->has_base, b->has_base);
	row_number(row, a->base_limit, b->base_limit);
	row_number(row, a->base_size, b->base_size);
	row_equal(row, a->base_etag, b->base_etag);
	row_equal(row, a->base_key, b->base_key);
	row_number(row, a->replaces, b->replaces);
	row_number(row, a->mtime.tv_sec, b->mtime.tv_sec);
	row_number(row, a->mtime.tv_nsec, b->mtime.tv_nsec);
	row_number(row, a->atime.tv_sec, b->atime.tv_sec);
	row_number(row, a->atime.tv_nsec, b->atime.tv_nsec);
	row_number(row, !a->props, !b->props);
	row_number(row, a->props_len, b->props_len);
	row_number(row, a->props_beside, b->props_beside);
	if (a->props)
		row_check(row, !memcmp(a->props, b->props, a->props_len));
	row_number(row, a->n, b->n);
	for (size_t k = 0; k < a->n; k++) {
		row_number(row, a->extents[k].start, b->extents[k].start);
		row_number(row, a->extents[k].end, b->extents[k].end);
	}
	row_number(row, a->len, b->len);
	row_check(row, !memcmp(a->bytes, b->bytes, a->len));
}

static void same(const char *row, const struct record *a,
		 const struct record *b)
{
	row_number(row, a->kind, b->kind);
	row_number(row, a->id, b->id);
	row_number(row, a->seq, b->seq);
	if (b->kind == RECORD_GONE)
		return;
	row_equal(row, a->key, b->key);
	row_number(row, !a->ending, !b->ending);
	if (b->ending)
		row_equal(row, a->ending, b->ending);
	if (b->kind == RECORD_MOVE || b->kind == RECORD_ENDING)
		return;
	row_equal(row, a->stage, b->stage);
	row_equal(row, a->place, b->place);
	row_number(row, a->skip, b->skip);
	row_number(row, a->mode, b->mode);
	row_number(row, a->uid, b->uid);
	row_number(row, a->gid, b->gid);
	row_number(row, a->seal.mtime.tv_sec, b->seal.mtime.tv_sec);
	row_number(row, a->seal.atime.tv_nsec, b->seal.atime.tv_nsec);
	if (b->kind == RECORD_DIR)
		return;
	row_equal(row, a->data, b->data);
	same_seal(row, &a->seal, &b->seal);
}

static void there_and_back(void **state)
{
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct buf b = BUF_INIT(RECORD_MAX);
		struct extent *extents;
		struct record r;

		row_number(rows[k].sentence, record_write(&rows[k].record, &b),
			   0);
		row_number(rows[k].sentence, b.len % RECORD_ALIGN, 0);
		row_number(rows[k].sentence,
			   record_read(b.data, b.len, &r, &extents), b.len);
		same(rows[k].sentence, &r, &rows[k].record);
		free(extents);
		buf_clear(&b);
	}
}

/* One that is cut anywhere, or has another bit anywhere, is none. */
static void damaged(void **state)
{
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct buf b = BUF_INIT(RECORD_MAX);
		struct extent *extents;
		struct record r;

		assert_int_equal(record_write(&rows[k].record, &b), 0);
		for (size_t n = 0; n < b.len; n++)
			row_number(rows[k].sentence,
				   record_read(b.data, n, &r, &extents), 0);
		for (size_t n = 0; n < b.len * 8; n++) {
			b.data[n / 8] ^= (char)(1 << n % 8);
			row_number(rows[k].sentence,
				   record_read(b.data, b.len, &r, &extents), 0);
			b.data[n / 8] ^= (char)(1 << n % 8);
		}
		buf_clear(&b);
	}
}

SUITE(record)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
