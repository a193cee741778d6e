/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that grow: by table. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "unit.h"

static const struct {
	const char *says;
	size_t cap, need, size;
	int rc;
	size_t want; /* cap afterwards */
} rows[] = {
	{ "the first has room for some", 0, 1, 4, 0, 8 },
	{ "there is room", 8, 8, 4, 0, 8 },
	{ "none is needed", 0, 0, 4, 0, 0 },
	{ "it doubles", 8, 9, 4, 0, 16 },
	{ "and again, until all fit", 8, 100, 4, 0, 128 },
	{ "more than memory has", 8, SIZE_MAX / 4, 4, -ENOMEM, 8 },
	{ "more bytes than can be counted", 8, SIZE_MAX, 16, -ENOMEM, 8 },
};

static void reserves(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t cap = rows[i].cap, bytes = cap * rows[i].size;
		char *list = cap ? malloc(bytes) : NULL;

		if (list)
			memset(list, 'x', bytes);
		row_number(rows[i].says,
			   array_reserve(&list, &cap, rows[i].need,
					 rows[i].size),
			   rows[i].rc);
		row_number(rows[i].says, cap, rows[i].want);
		for (size_t k = 0; k < cap * rows[i].size; k++)
			row_check(rows[i].says,
				  list[k] == (k < bytes ? 'x' : 0));
		free(list);
	}
}

static void typed(void **state)
{
	struct {
		int a;
		char b[9];
	} *list = NULL;
	size_t cap = 0;

	for (size_t n = 0; n < 100; n++) {
		assert_int_equal(ARRAY_RESERVE(list, cap, n + 1), 0);
		assert_int_equal(list[n].a, 0);
		list[n].a = (int)n;
	}
	for (size_t n = 0; n < 100; n++)
		assert_int_equal(list[n].a, n);
	free(list);
}

SUITE(array)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserves),
		cmocka_unit_test(typed),
	};

	return cmocka_run_group_tests_name("array", tests, NULL, NULL);
}
