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

SUITE(number)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
