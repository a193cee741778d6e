/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a against the values of its authors. */
#include "base/hash.h"
#include "unit.h"

static const struct {
	const char *text;
	uint64_t hash;
} rows[] = {
	{ "", UINT64_C(0xcbf29ce484222325) },
	{ "a", UINT64_C(0xaf63dc4c8601ec8c) },
	{ "b", UINT64_C(0xaf63df4c8601f1a5) },
	{ "foobar", UINT64_C(0x85944171f73967e8) },
	{ "\xff", UINT64_C(0xaf64724c8602eb6e) },
};

static void vectors(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *s = rows[i].text;

		row_check(s, hash_string(HASH_START, s) == rows[i].hash);
		row_check(s,
			  hash_bytes(HASH_START, s, strlen(s)) == rows[i].hash);
	}
}

static void goes_on(void **state)
{
	assert_true(hash_string(hash_string(HASH_START, "foo"), "bar") ==
		    hash_string(HASH_START, "foobar"));
	assert_true(hash_bytes(HASH_START, "\0", 1) != HASH_START);
}

SUITE(hash)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(goes_on),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
