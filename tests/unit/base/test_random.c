/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes: as many as were asked for, and others each time. */
#include "unit.h"

#include "base/random.h"

static void test_bytes(void **state)
{
	unsigned char a[256] = { 0 }, b[256] = { 0 };

	random_bytes(a, sizeof(a) - 1);
	random_bytes(b, sizeof(b) - 1);
	row_check("they differ", memcmp(a, b, sizeof(a) - 1));
	row_number("no byte beyond", a[255] + b[255], 0);
}

static void test_hex(void **state)
{
	char a[66], b[66];

	memset(a, 'x', sizeof(a));
	random_hex(a, 32);
	random_hex(b, 32);
	row_number("digits", strspn(a, "0123456789abcdef"), 64);
	row_number("and their end", strlen(a), 64);
	row_number("nothing beyond", a[65], 'x');
	row_check("others each time", strcmp(a, b));
}

SUITE(random)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
