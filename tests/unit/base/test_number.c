/* SPDX-License-Identifier: Apache-2.0 */
/* The lesser and the greater: by table. */
#include "base/number.h"
#include "unit.h"

static const struct {
	const char *says;
	uint64_t a, b, min, max;
} rows[] = {
	{ "the first is less", 1, 2, 1, 2 },
	{ "the second is less", 2, 1, 1, 2 },
	{ "equal ones", 7, 7, 7, 7 },
	{ "the ends of the range", UINT64_MAX, 0, 0, UINT64_MAX },
};

static void orders(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		row_check(rows[i].says,
			  number_min(rows[i].a, rows[i].b) == rows[i].min);
		row_check(rows[i].says,
			  number_max(rows[i].a, rows[i].b) == rows[i].max);
	}
}

static void orders_signed(void **state)
{
	int64_t less = -5, more = 3;
	int small = -1;
	unsigned n = 7;
	uint64_t big = UINT64_MAX;

	assert_int_equal(number_min(more, less), -5);
	assert_int_equal(number_max(less, more), 3);
	assert_int_equal(number_max(less, 0), 0);
	assert_int_equal(number_min(small, 0), -1);
	assert_int_equal(number_min(less, n), -5);
	assert_true(number_max(big, 1) == UINT64_MAX);
}

static void powers(void **state)
{
	assert_int_equal(number_power_of_2(1), 1);
	assert_int_equal(number_power_of_2(4095), 2048);
	assert_int_equal(number_power_of_2(4096), 4096);
	assert_true(number_power_of_2(UINT64_MAX) == 1ULL << 63);
}

SUITE(number)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(orders_signed),
		cmocka_unit_test(powers),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
