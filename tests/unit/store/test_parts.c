/* SPDX-License-Identifier: Apache-2.0 */
/* The schedule of parts: its reach, its borders, and its inverse. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/parts.h"
#include "suite.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

struct row {
	const char *says;
	uint64_t part_size, offset;
	int rc;
	unsigned number;
	uint64_t start, len;
};

static const struct row rows[] = {
	{ "the first byte is in part 1", 0, 0, 0, 1, 0, 8 * MIB },
	{ "the last byte of part 1", 0, 8 * MIB - 1, 0, 1, 0, 8 * MIB },
	{ "the first byte of part 2", 0, 8 * MIB, 0, 2, 8 * MIB, 8 * MIB },
	{ "the last of the small ones", 0, GIB - 1, 0, 128, 1016 * MIB,
	  8 * MIB },
	{ "parts double at 1 GiB", 0, GIB, 0, 129, GIB, 16 * MIB },
	{ "a part of 64 MiB in the tenth GiB", 0, 10 * GIB, 0, 433, 10 * GIB,
	  64 * MIB },
	{ "a fixed size is kept", 5 * MIB, 12 * MIB, 0, 3, 10 * MIB, 5 * MIB },
	{ "a fixed size ends at 10,000 parts", 5 * MIB, 50000 * MIB - 1, 0,
	  10000, 49995 * MIB, 5 * MIB },
	{ "beyond that is too big", 5 * MIB, 50000 * MIB, -EFBIG, 0, 0, 0 },
	{ "the end of 64 bits is too big", 0, UINT64_MAX, -EFBIG, 0, 0, 0 },
	{ "a stream's parts are small for long", PART_SIZE_STREAM, 7 * GIB, 0,
	  897, 7 * GIB, 8 * MIB },
	{ "of 16 MiB where 10 GiB end", PART_SIZE_STREAM, 10 * GIB - 1, 0, 1140,
	  10224 * MIB, 16 * MIB },
	{ "parts of 5 GiB reach 48.8 TiB", 5 * GIB, 50000 * GIB - 1, 0, 10000,
	  49995 * GIB, 5 * GIB },
};

static void test_at(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct part_range p = { 0 };
		int rc = parts_at(r->part_size, r->offset, &p);

		if (rc != r->rc ||
		    (!rc && (p.number != r->number || p.start != r->start ||
			     p.len != r->len)))
			fail_msg("%s: %d, part %u", r->says, rc, p.number);
	}
}

/* Part by part: gapless, both directions agree, none above 5 GiB. */
static void walk(uint64_t part_size, uint64_t reach)
{
	struct part_range p, q;
	uint64_t at = 0;

	for (unsigned n = 1; n <= PARTS_MAX; n++) {
		assert_int_equal(parts_numbered(part_size, n, &p), 0);
		assert_int_equal(p.start, at);
		assert_true(p.len >= PART_SIZE_MIN && p.len <= 5 * GIB);
		at += p.len;
		assert_int_equal(parts_at(part_size, p.start, &q), 0);
		assert_int_equal(q.number, n);
		assert_int_equal(parts_at(part_size, at - 1, &q), 0);
		assert_int_equal(q.number, n);
		assert_int_equal(parts_count(part_size, at), n);
	}
	assert_true(at >= reach);
	assert_int_equal(parts_at(part_size, at, &q), -EFBIG);
	assert_int_equal(parts_count(part_size, at + 1), PARTS_MAX + 1);
	assert_int_equal(parts_numbered(part_size, PARTS_MAX + 1, &q), -EFBIG);
	assert_int_equal(parts_numbered(part_size, 0, &q), -EINVAL);
}

static void test_reach(void **state)
{
	walk(0, 50ULL * 1000 * 1000 * 1000 * 1000);
	walk(5 * GIB, 50000 * GIB);
	walk(PART_SIZE_STREAM, 5 * 1024 * GIB);
	walk(PART_SIZE_MIN, 50000 * MIB);
}

static void test_count(void **state)
{
	assert_int_equal(parts_count(0, 0), 1);
	assert_int_equal(parts_count(0, 1), 1);
	assert_int_equal(parts_count(0, 8 * MIB), 1);
	assert_int_equal(parts_count(0, 8 * MIB + 1), 2);
}

static const struct {
	const char *says;
	uint64_t wish, size;
	bool even;
	int rc;
	uint64_t part_size;
} plans[] = {
	{ "nothing is said", 0, 100 * MIB, false, 0, 0 },
	{ "50 TB", 0, 50ULL * 1000 * 1000 * 1000 * 1000, false, 0, 0 },
	{ "48.8 TiB", 0, 50000 * GIB, false, 0, 5 * GIB },
	{ "more than that", 0, 50000 * GIB + 1, false, -EFBIG, 0 },
	{ "of one length", 0, 100 * MIB, true, 0, 8 * MIB },
	{ "... as many as there are", 0, 80000 * MIB, true, 0, 8 * MIB },
	{ "... longer ones", 0, 80000 * MIB + 1, true, 0, 64 * MIB },
	{ "... 1 TiB", 0, 1024 * GIB, true, 0, 512 * MIB },
	{ "... 48.8 TiB", 0, 50000 * GIB, true, 0, 5 * GIB },
	{ "... more than that", 0, 50000 * GIB + 1, true, -EFBIG, 0 },
	{ "a wish", 5 * MIB, 50000 * MIB, false, 0, 5 * MIB },
	{ "... that does not reach", 5 * MIB, 50000 * MIB + 1, true, 0,
	  40 * MIB },
	{ "... a large one", 2 * GIB, 20000 * GIB + 1, false, 0, 5 * GIB },
	{ "... the largest", 5 * GIB, 50000 * GIB, false, 0, 5 * GIB },
	{ "nothing is there", 0, 0, true, 0, 8 * MIB },
};

static void test_plan(void **state)
{
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		uint64_t got = 0;
		int rc = parts_plan(plans[i].wish, plans[i].even, plans[i].size,
				    &got);

		if (rc != plans[i].rc || (!rc && got != plans[i].part_size))
			fail_msg("%s: %d, %llu", plans[i].says, rc,
				 (unsigned long long)got);
		if (!rc && plans[i].even && plans[i].size)
			assert_true(parts_are_even(got, plans[i].size));
	}
}

/* Of the schedules: until the first longer part is needed. */
static void test_even(void **state)
{
	assert_true(parts_are_even(0, 1));
	assert_true(parts_are_even(0, GIB));
	assert_true(parts_are_even(0, GIB + 8 * MIB));
	assert_false(parts_are_even(0, GIB + 8 * MIB + 1));
	assert_false(parts_are_even(0, GIB + 17 * MIB));
	assert_false(parts_are_even(0, 3 * GIB));
	assert_true(parts_are_even(5 * MIB, 50000 * MIB));
	assert_false(parts_are_even(5 * MIB, 50000 * MIB + 1));
}

SUITE(parts)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at),    cmocka_unit_test(test_reach),
		cmocka_unit_test(test_count), cmocka_unit_test(test_plan),
		cmocka_unit_test(test_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
