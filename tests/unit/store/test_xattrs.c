/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes as s3fs-fuse writes them into an object's metadata.
 */
#include <errno.h>

#include "base/buf.h"
#include "store/xattrs.h"
#include "unit.h"

/* What s3fs 1.9x writes of user.a=one and user.b= (nothing). */
#define OF_S3FS "%7B%22user.a%22%3A%22b25l%22%2C%22user.b%22%3A%22%22%7D"

static void get_is(const struct props *p, const char *name, int rc,
		   const char *value)
{
	struct buf out = BUF_INIT(PROPS_BYTES);

	row_number(name, xattrs_get(p, name, &out), rc);
	row_equal(name, buf_str(&out), value);
	buf_clear(&out);
}

static void list_is(const struct props *p, const char *names, size_t n)
{
	struct buf out = BUF_INIT(PROPS_BYTES);

	assert_int_equal(xattrs_list(p, &out), 0);
	assert_int_equal(out.len, n);
	assert_true(!n || !memcmp(out.data, names, n));
	buf_clear(&out);
}

static void reads_what_s3fs_wrote(void **state)
{
	struct props p = { 0 };

	get_is(&p, "user.a", -ENODATA, "");
	list_is(&p, "", 0);
	assert_int_equal(props_set(&p, XATTRS_HEADER, OF_S3FS), 0);
	get_is(&p, "user.a", 0, "one");
	get_is(&p, "user.b", 0, "");
	get_is(&p, "user.c", -ENODATA, "");
	list_is(&p, "user.a\0user.b", 14);
}

static void writes_what_s3fs_reads(void **state)
{
	struct props p = { 0 };

	assert_int_equal(xattrs_set(&p, "user.a", "one", 3, XATTRS_ANY), 0);
	assert_int_equal(xattrs_set(&p, "user.b", "", 0, XATTRS_CREATE), 0);
	assert_string_equal(props_get(&p, XATTRS_HEADER), OF_S3FS);
	assert_int_equal(xattrs_set(&p, "user.a", NULL, 0, XATTRS_ANY), 0);
	list_is(&p, "user.b", 7);
	assert_int_equal(xattrs_set(&p, "user.b", NULL, 0, XATTRS_ANY), 0);
	assert_null(props_get(&p, XATTRS_HEADER));
}

static void conditions(void **state)
{
	struct props p = { 0 };

	assert_int_equal(xattrs_set(&p, "user.a", "1", 1, XATTRS_REPLACE),
			 -ENODATA);
	assert_int_equal(xattrs_set(&p, "user.a", NULL, 0, XATTRS_ANY),
			 -ENODATA);
	assert_int_equal(xattrs_set(&p, "user.a", "1", 1, XATTRS_CREATE), 0);
	assert_int_equal(xattrs_set(&p, "user.a", "2", 1, XATTRS_CREATE),
			 -EEXIST);
	assert_int_equal(xattrs_set(&p, "user.a", "2", 1, XATTRS_REPLACE), 0);
	get_is(&p, "user.a", 0, "2");
}

static void odd_names_and_values(void **state)
{
	static const char bytes[] = "\0\xff\n\"";
	char large[PROPS_BYTES] = "";
	struct buf out = BUF_INIT(64);
	struct props p = { 0 };

	assert_int_equal(xattrs_set(&p, "user.\"\\,{}\xc3\xa9", bytes, 4,
				    XATTRS_ANY),
			 0);
	assert_int_equal(xattrs_get(&p, "user.\"\\,{}\xc3\xa9", &out), 0);
	assert_int_equal(out.len, 4);
	assert_memory_equal(out.data, bytes, 4);
	buf_clear(&out);
	assert_int_equal(xattrs_set(&p, "user.\xff", "1", 1, XATTRS_ANY),
			 -EINVAL);
	assert_int_equal(xattrs_set(&p, "user.large", large, sizeof(large),
				    XATTRS_ANY),
			 -E2BIG);
	assert_int_equal(xattrs_get(&p, "user.large", &out), -ENODATA);
}

static void other_forms(void **state)
{
	static const char *const values[] = {
		"%7",
		"[]",
		"%22a%22",
		"{",
		"%7B%22user.a%22%3A1%7D",
		"%7B%22user.a%22%3A%22%3F%22%7D"
	};

	for (size_t i = 0; i < COUNT(values); i++) {
		struct props p = { 0 };

		assert_int_equal(props_set(&p, XATTRS_HEADER, values[i]), 0);
		get_is(&p, "user.a", -EIO, "");
	}
}

SUITE(xattrs)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_s3fs_wrote),
		cmocka_unit_test(writes_what_s3fs_reads),
		cmocka_unit_test(conditions),
		cmocka_unit_test(odd_names_and_values),
		cmocka_unit_test(other_forms),
	};

	return cmocka_run_group_tests_name("xattrs", tests, NULL, NULL);
}
