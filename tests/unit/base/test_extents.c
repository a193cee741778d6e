/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of byte ranges: by table, and against an array of flags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/extents.h"
#include "suite.h"

struct row {
	const char *says;
	struct extent add[4];
	uint64_t cut; /* 0: none */
	struct extent want[4];
};

static const struct row rows[] = {
	{ "one range is one range", { { 5, 9 } }, 0, { { 5, 9 } } },
	{ "an empty range adds nothing", { { 5, 5 } }, 0, { { 0, 0 } } },
	{ "ranges that touch are one",
	  { { 0, 4 }, { 4, 8 } },
	  0,
	  { { 0, 8 } } },
	{ "one that touches from below is merged",
	  { { 4, 8 }, { 0, 4 } },
	  0,
	  { { 0, 8 } } },
	{ "a hole of one byte stays",
	  { { 0, 4 }, { 5, 8 } },
	  0,
	  { { 0, 4 }, { 5, 8 } } },
	{ "a range in the middle joins three",
	  { { 0, 4 }, { 8, 12 }, { 4, 8 } },
	  0,
	  { { 0, 12 } } },
	{ "a range inside another changes nothing",
	  { { 0, 12 }, { 3, 4 } },
	  0,
	  { { 0, 12 } } },
	{ "a large one swallows small ones",
	  { { 2, 3 }, { 5, 6 }, { 8, 9 }, { 0, 20 } },
	  0,
	  { { 0, 20 } } },
	{ "they are sorted whatever the order",
	  { { 8, 9 }, { 2, 3 }, { 5, 6 } },
	  0,
	  { { 2, 3 }, { 5, 6 }, { 8, 9 } } },
	{ "a cut inside a range shortens it",
	  { { 0, 4 }, { 8, 12 } },
	  9,
	  { { 0, 4 }, { 8, 9 } } },
	{ "a cut in a hole drops what is behind",
	  { { 0, 4 }, { 8, 12 } },
	  6,
	  { { 0, 4 } } },
	{ "a cut at an end keeps the range", { { 0, 4 } }, 4, { { 0, 4 } } },
	{ "the far end of 64 bits works",
	  { { UINT64_MAX - 1, UINT64_MAX } },
	  0,
	  { { UINT64_MAX - 1, UINT64_MAX } } },
};

static void test_table(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct extents x = { 0 };
		size_t n = 0;

		for (size_t k = 0; k < 4; k++)
			assert_int_equal(extents_add(&x, r->add[k].start,
						     r->add[k].end),
					 0);
		if (r->cut)
			extents_cut(&x, r->cut);
		while (n < 4 && r->want[n].end)
			n++;
		if (x.n != n ||
		    (n && memcmp(x.list, r->want, n * sizeof(*x.list)) != 0))
			fail_msg("%s", r->says);
		extents_clear(&x);
	}
}

#define SPAN 200

static bool all(const char *flags, size_t from, size_t to, char value)
{
	for (; from < to; from++)
		if (flags[from] != value)
			return false;
	return true;
}

/* Every question about [a, b) answered by the flags. */
static void compare(const struct extents *x, const char *flags, size_t a,
		    size_t b)
{
	struct extent run;
	bool inside;

	assert_int_equal(extents_cover(x, a, b), all(flags, a, b, 1));
	assert_int_equal(extents_touch(x, a, b), !all(flags, a, b, 0));
	if (a == b)
		return;
	inside = extents_run(x, a, b, &run);
	assert_int_equal(inside, flags[a]);
	assert_int_equal(run.start, a);
	assert_true(run.end > a && run.end <= b);
	assert_true(all(flags, a, run.end, flags[a]));
	assert_true(run.end == b || flags[run.end] != flags[a]);
}

static void test_model(void **state)
{
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct extents x = { 0 };
		char flags[SPAN + 1] = { 0 };
		unsigned rnd = seed;

		for (int step = 0; step < 500; step++) {
			size_t a = (size_t)rand_r(&rnd) % SPAN;
			size_t b = a + (size_t)rand_r(&rnd) % (SPAN - a) / 8;

			if (rand_r(&rnd) % 20 == 0) {
				extents_cut(&x, a);
				memset(flags + a, 0, SPAN - a);
			} else {
				assert_int_equal(extents_add(&x, a, b), 0);
				memset(flags + a, 1, b - a);
			}
			a = (size_t)rand_r(&rnd) % SPAN;
			b = a + (size_t)rand_r(&rnd) % (SPAN - a);
			compare(&x, flags, a, b);
		}
		extents_clear(&x);
	}
}

SUITE(extents)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
