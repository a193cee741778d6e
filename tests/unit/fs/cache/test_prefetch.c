/* SPDX-License-Identifier: Apache-2.0 */
/* How much a read fetches, by what the handle has read before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fs/cache/block.h"
#include "fs/cache/prefetch.h"
#include "fs/cache/wire.h"
#include "suite.h"
#include "unit.h"

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
	{ "the window is for two more such reads at least",
	  GIB,
	  { { 0, 128 * KIB } },
	  0,
	  128 * KIB,
	  3 * 128 * KIB },
	{ "the second read in a row doubles it",
	  GIB,
	  { { 0, 128 * KIB }, { 128 * KIB, 128 * KIB } },
	  128 * KIB,
	  128 * KIB,
	  768 * KIB },
	{ "... the third again",
	  GIB,
	  { { 0, 128 * KIB },
	    { 128 * KIB, 128 * KIB },
	    { 256 * KIB, 128 * KIB } },
	  256 * KIB,
	  128 * KIB,
	  384 * KIB + MIB },
	{ "out of order by a little is in order",
	  GIB,
	  { { 0, 128 * KIB },
	    { 256 * KIB, 128 * KIB },
	    { 128 * KIB, 128 * KIB } },
	  128 * KIB,
	  128 * KIB,
	  256 * KIB + 512 * KIB },
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
	{ "a large read is one block", GIB, { { 0, MIB } }, 0, MIB, 3 * MIB },
};

static const struct wire unknown;

static void read_at(struct prefetch *p, uint64_t offset, uint64_t len,
		    uint64_t size, const struct wire *wire, uint64_t now_us,
		    struct prefetch_plan *plan)
{
	const struct prefetch_read r = {
		.offset = offset,
		.len = len,
		.size = size,
		.now_us = now_us,
		.wire = wire,
	};

	prefetch_plan(p, &r, plan);
}

static void test_table(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct prefetch p = { 0 };
		struct prefetch_plan plan = { 0 };

		for (size_t k = 0; k < 5 && r->reads[k].len; k++)
			read_at(&p, r->reads[k].offset, r->reads[k].len,
				r->size, &unknown, 0, &plan);
		if (plan.start != r->start || plan.block != r->block ||
		    plan.ahead_end != r->ahead_end)
			fail_msg("%s: start %llu block %llu ahead %llu",
				 r->says, (unsigned long long)plan.start,
				 (unsigned long long)plan.block,
				 (unsigned long long)plan.ahead_end);
	}
}

/* A reader of a GiB that gets `rate` bytes a second, whatever it asks for. */
struct stream {
	const char *says;
	struct wire wire;
	uint64_t rate;
	uint64_t window, block;
	unsigned gets; /* if all of the window were begun at once */
};

static const struct stream streams[] = {
	{ "nothing is known of the way",
	  { 0, 0 },
	  100 * MIB,
	  PREFETCH_WINDOW_MIN,
	  2 * MIB,
	  12 },
	{ "next door, fast: the least window",
	  { 300, 2000 * MIB },
	  1500 * MIB,
	  PREFETCH_WINDOW_MIN,
	  2 * MIB,
	  12 },
	{ "20 ms away, 500 MiB/s: twice what comes in 20 ms and a GET's time",
	  { 20000, 1000 * MIB },
	  500 * MIB,
	  (20 + 4) * MIB,
	  2 * MIB,
	  16 },
	{ "100 ms away, 200 MiB/s",
	  { 100000, 800 * MIB },
	  200 * MIB,
	  42 * MIB,
	  4 * MIB,
	  14 },
	{ "100 ms away, 1 GiB/s: the largest window",
	  { 100000, 800 * MIB },
	  GIB,
	  PREFETCH_WINDOW_MAX,
	  4 * MIB,
	  32 },
	{ "100 ms away, a slow reader: the least",
	  { 100000, 800 * MIB },
	  10 * MIB,
	  PREFETCH_WINDOW_MIN,
	  2 * MIB,
	  12 },
	{ "one GET has 40 MiB/s, and many side by side 500",
	  { 20000, 40 * MIB },
	  500 * MIB,
	  PREFETCH_WINDOW_MAX,
	  4 * MIB,
	  32 },
};

/* Reads of 128 KiB, one after another, for ten seconds. */
static void run_stream(const struct stream *s, struct prefetch *p,
		       struct prefetch_plan *plan, uint64_t *at)
{
	uint64_t us = 0;

	for (*at = 0; us < 10000000; *at += 128 * KIB) {
		us = *at * 1000000 / s->rate;
		read_at(p, *at, 128 * KIB, 1024 * GIB, &s->wire, us, plan);
	}
}

static void test_streams(void **state)
{
	for (size_t i = 0; i < COUNT(streams); i++) {
		const struct stream *s = &streams[i];
		struct prefetch p = { 0 };
		struct prefetch_plan plan = { 0 };
		uint64_t at, next;
		unsigned gets = 0;

		run_stream(s, &p, &plan, &at);
		/* as near as the measured rate is */
		row_check(s->says, p.window <= s->window + MIB);
		row_check(s->says, p.window + MIB >= s->window);
		row_number(s->says, plan.ahead_block, s->block);
		while ((next = prefetch_next(&plan, at, 1024 * GIB))) {
			row_number(s->says, next - at <= BLOCK_MAX, 1);
			at = next;
			gets++;
		}
		row_number(s->says, gets, s->gets);
	}
}

/*
 * A cold dd, 100 ms away: of each answer that comes as much as fits is read at
 * once, a MiB at a time. With the second of them the whole window is asked for.
 */
static void test_far_start(void **state)
{
	const struct wire wire = { 100000, 0 };
	struct prefetch p = { 0 };
	struct prefetch_plan plan = { .ahead_end = MIB };
	uint64_t at = 0;
	unsigned trips = 0;

	while (p.window < PREFETCH_WINDOW_MAX) {
		uint64_t here = plan.ahead_end;

		for (; at < here; at += MIB)
			read_at(&p, at, MIB, GIB, trips ? &wire : &unknown,
				trips * 100000, &plan);
		trips++;
	}
	assert_int_equal(trips, 2);
}

/* The best of late counts: one slow moment costs an eighth of the rate. */
static void test_rate_decays(void **state)
{
	const struct wire wire = { 100000, 0 };
	struct prefetch p = { .next = MIB, .streak = 1, .rate = 800 * MIB };
	struct prefetch_plan plan;

	read_at(&p, MIB, MIB, GIB, &wire, 1000000, &plan);
	assert_int_equal(p.rate, 700 * MIB);
	read_at(&p, 2 * MIB, MIB, GIB, &wire, 1000001, &plan);
	assert_int_equal(p.rate, 700 * MIB);
	for (unsigned i = 3; i < 100; i++)
		read_at(&p, i * MIB, MIB, GIB, &wire, 1000000 * i, &plan);
	assert_int_equal(p.rate, MIB);
	for (unsigned i = 0; i < 150; i++)
		read_at(&p, (100 + i) * MIB, MIB, GIB, &wire,
			99000000 + i * 1000, &plan);
	assert_true(p.rate > 900 * MIB && p.rate < 1100 * MIB);
}

/* A GET of read-ahead is started when a whole one fits, or at the end. */
static void test_next(void **state)
{
	struct prefetch_plan plan = { .ahead_end = 3 * MIB,
				      .ahead_block = MIB };

	assert_int_equal(prefetch_next(&plan, 2 * MIB, GIB), 3 * MIB);
	assert_int_equal(prefetch_next(&plan, 2 * MIB + 4096, GIB), 0);
	assert_int_equal(prefetch_next(&plan, 3 * MIB, GIB), 0);
	plan.ahead_end = 3 * MIB + 5;
	assert_int_equal(prefetch_next(&plan, 3 * MIB, 3 * MIB + 5),
			 3 * MIB + 5);
}

/* What is wanted first comes by smaller GETs than what lies far ahead. */
static void test_near(void **state)
{
	const struct prefetch_plan plan = { .ahead_from = 7 * MIB,
					    .ahead_end = 100 * MIB,
					    .ahead_block = 4 * MIB };
	static const uint64_t ends[] = {
		8, 9, 10, 11, 13, 15, 19, 23, 27
	}; /* MiB */
	uint64_t at = plan.ahead_from;

	for (size_t i = 0; i < COUNT(ends); i++) {
		at = prefetch_next(&plan, at, GIB);
		assert_int_equal(at, ends[i] * MIB);
	}
}

SUITE(prefetch)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_far_start),
		cmocka_unit_test(test_rate_decays),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
