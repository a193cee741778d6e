/* SPDX-License-Identifier: Apache-2.0 */
/* What GETs tell of the way to a store. */
#include "unit.h"

#include "fs/cache/wire.h"

#define MIB (1ULL << 20)

struct row {
	const char *says;
	uint64_t first_us, whole_us, bytes; /* of one more GET */
	uint64_t rtt_us, speed; /* by then */
};

static const struct row rows[] = {
	{ "a short one tells the time to its first byte", 3000, 3100, 4096,
	  3000, 0 },
	{ "a long one its speed too", 4000, 14000, MIB, 3000, 100 * MIB },
	{ "a slower one changes nothing", 50000, 150000, MIB, 3000, 100 * MIB },
	{ "a better one both", 2000, 4000, MIB, 2000, 500 * MIB },
	{ "what takes no time is not divided by it", 0, 0, MIB, 1,
	  1000000 * MIB },
};

static void test_rows(void **state)
{
	struct wire w = { 0 };

	assert_int_equal(wire_takes_us(&w, MIB), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *r = &rows[i];

		wire_saw(&w, r->first_us, r->whole_us, r->bytes);
		row_number(r->says, w.rtt_us, r->rtt_us);
		row_number(r->says, w.speed, r->speed);
	}
}

static void test_first(void **state)
{
	struct wire w = { 0 };

	wire_saw_first(&w, 200000);
	assert_int_equal(w.rtt_us, 200000);
	wire_saw_first(&w, 100000);
	wire_saw_first(&w, 300000);
	assert_int_equal(w.rtt_us, 100000);
	assert_int_equal(w.speed, 0);
}

static void test_takes(void **state)
{
	struct wire w = { .rtt_us = 20000 };

	assert_int_equal(wire_takes_us(&w, 4 * MIB), 20000);
	w.speed = 100 * MIB;
	assert_int_equal(wire_takes_us(&w, 4 * MIB), 60000);
}

SUITE(wire)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
