/* How much a read fetches, by what the handle has read before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fs/cache/block.h"
#include "fs/cache/prefetch.h"
#include "suite.h"

#define KIB (1ULL << 10)
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

struct access {
	uint64_t offset, len;
};

struct row {
	const char *says;
	uint64_t size;
	struct access reads[5]; /* the last one's plan is looked at */
	uint64_t start, block, ahead_end;
};

static const struct row rows[] = {
	{ "a small object comes by one GET",
	  300 * KIB,
	  { { 64 * KIB, 4096 } },
	  0,
	  300 * KIB,
	  300 * KIB },
	{ "the first read is for a fast first byte",
	  GIB,
	  { { 0, 4096 } },
	  0,
	  128 * KIB,
	  4096 + 128 * KIB },
	{ "a first read elsewhere brings what it asks for",
	  GIB,
	  { { 512 * MIB, 4096 } },
	  512 * MIB,
	  4096,
	  512 * MIB + 4096 },
	{ "... in whole pages",
	  GIB,
	  { { 512 * MIB + 10, 20 } },
	  512 * MIB,
	  4096,
	  512 * MIB + 30 },
	{ "the second read in a row doubles the window",
	  GIB,
	  { { 0, 128 * KIB }, { 128 * KIB, 128 * KIB } },
	  128 * KIB,
	  128 * KIB,
	  512 * KIB },
	{ "... the third again",
	  GIB,
	  { { 0, 128 * KIB },
	    { 128 * KIB, 128 * KIB },
	    { 256 * KIB, 128 * KIB } },
	  256 * KIB,
	  128 * KIB,
	  384 * KIB + 512 * KIB },
	{ "out of order by a little is in order",
	  GIB,
	  { { 0, 128 * KIB },
	    { 256 * KIB, 128 * KIB },
	    { 128 * KIB, 128 * KIB } },
	  128 * KIB,
	  128 * KIB,
	  256 * KIB + 256 * KIB },
	{ "a jump ends the window",
	  GIB,
	  { { 0, 128 * KIB }, { 128 * KIB, 128 * KIB }, { 700 * MIB, 4096 } },
	  700 * MIB,
	  4096,
	  700 * MIB + 4096 },
	{ "two reads in a row after a jump begin anew",
	  GIB,
	  { { 700 * MIB, 4096 }, { 700 * MIB + 4096, 4096 } },
	  700 * MIB + 4096,
	  128 * KIB,
	  700 * MIB + 8192 + 128 * KIB },
	{ "nothing is asked for beyond the end",
	  2 * MIB,
	  { { 0, MIB }, { MIB, MIB } },
	  MIB,
	  MIB,
	  2 * MIB },
	{ "a large read is one block",
	  GIB,
	  { { 0, MIB } },
	  0,
	  MIB,
	  MIB + 128 * KIB },
};

static void test_table(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct prefetch p = { 0 };
		struct prefetch_plan plan = { 0 };

		for (size_t k = 0; k < 5 && r->reads[k].len; k++)
			prefetch_plan(&p, r->reads[k].offset, r->reads[k].len,
				      r->size, &plan);
		if (plan.start != r->start || plan.block != r->block ||
		    plan.ahead_end != r->ahead_end)
			fail_msg("%s: start %llu block %llu ahead %llu",
				 r->says, (unsigned long long)plan.start,
				 (unsigned long long)plan.block,
				 (unsigned long long)plan.ahead_end);
	}
}

/* A cold dd: after the first few MiB 16 GETs of 8 MiB lie ahead. */
static void test_stream(void **state)
{
	struct prefetch p = { 0 };
	struct prefetch_plan plan = { 0 };
	uint64_t at, next;
	unsigned ahead = 0;

	for (at = 0; at < 4 * MIB; at += 128 * KIB)
		prefetch_plan(&p, at, 128 * KIB, GIB, &plan);
	assert_int_equal(plan.ahead_block, BLOCK_MAX);
	assert_int_equal(plan.block, BLOCK_MAX);
	while ((next = prefetch_next(&plan, at, GIB))) {
		assert_true(next - at <= BLOCK_MAX);
		at = next;
		ahead++;
	}
	assert_int_equal(ahead, 16);
}

/* A GET of read-ahead is started when a whole one fits, or at the end. */
static void test_next(void **state)
{
	struct prefetch_plan plan = { .ahead_end = 3 * MIB,
				      .ahead_block = MIB };

	assert_int_equal(prefetch_next(&plan, 0, GIB), MIB);
	assert_int_equal(prefetch_next(&plan, 2 * MIB, GIB), 3 * MIB);
	assert_int_equal(prefetch_next(&plan, 2 * MIB + 4096, GIB), 0);
	assert_int_equal(prefetch_next(&plan, 3 * MIB, GIB), 0);
	plan.ahead_end = 3 * MIB + 5;
	assert_int_equal(prefetch_next(&plan, 3 * MIB, 3 * MIB + 5),
			 3 * MIB + 5);
}

SUITE(prefetch)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
