/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of an object: which they are, and a record of them.
 */
#include <errno.h>

#include "store/store.h"
#include "unit.h"

static const struct {
	const char *name;
	unsigned kind;
} names[] = {
	{ "Content-Type", PROP_CONTENT },
	{ "expires", PROP_CONTENT },
	{ "X-Amz-Meta-a", PROP_CONTENT },
	{ "x-amz-meta-", 0 },
	{ "content-length", 0 },
	{ "etag", 0 },
	{ "x-amz-storage-class", PROP_SERVER },
	{ "x-amz-server-side-encryption", PROP_CRYPT },
	{ "x-amz-tagging", PROP_TAGS },
	{ "x-amz-tagging-count", PROP_ANSWER_ONLY },
};

static void kinds(void **state)
{
	for (size_t i = 0; i < COUNT(names); i++)
		row_number(names[i].name, props_kind(names[i].name),
			   names[i].kind);
}

static void record(void **state)
{
	struct props p = { 0 };
	struct field at = { NULL, NULL };

	assert_false(props_next(&p, &at));
	assert_int_equal(props_set(&p, "Cache-Control", "no-cache"), 0);
	assert_int_equal(props_set(&p, "x-amz-meta-A", ""), 0);
	assert_int_equal(props_set(&p, "expires", "0"), 0);
	row_equal("any case", props_get(&p, "CACHE-control"), "no-cache");
	row_equal("an empty value", props_get(&p, "x-amz-meta-a"), "");
	assert_int_equal(props_set(&p, "cache-control", "public"), 0);
	row_equal("replaced", props_get(&p, "cache-control"), "public");
	assert_int_equal(props_set(&p, "x-amz-meta-a", NULL), 0);
	assert_null(props_get(&p, "x-amz-meta-a"));
	assert_true(props_next(&p, &at));
	row_equal("first", at.name, "expires");
	assert_true(props_next(&p, &at));
	row_equal("second", at.name, "cache-control");
	assert_false(props_next(&p, &at));
}

static void refused(void **state)
{
	static char big[PROPS_BYTES];
	struct props p = { 0 };

	assert_int_equal(props_set(&p, "host", "x"), -EINVAL);
	assert_int_equal(props_set(&p, "expires", "a\nb"), -EINVAL);
	assert_int_equal(props_set(&p, "x-amz-meta-a\r", "b"), -EINVAL);
	memset(big, 'x', sizeof(big) - 1);
	assert_int_equal(props_set(&p, "expires", big), -E2BIG);
	assert_int_equal(p.len, 0);
	big[sizeof(big) - sizeof("expires") - 1] = '\0';
	assert_int_equal(props_set(&p, "expires", big), 0);
	assert_int_equal(p.len, PROPS_BYTES);
	assert_int_equal(props_set(&p, "cache-control", ""), -E2BIG);
}

static void of_a_write(void **state)
{
	struct props was = { 0 }, p;
	static const struct field headers[] = {
		{ "content-md5", "x" },
		{ "cache-control", "no-cache" },
		{ "expires", "\x01" },
	};
	const struct store_meta meta = { .props = &was,
					 .content_type = "text/csv",
					 .headers = headers,
					 .n_headers = COUNT(headers) };

	assert_int_equal(props_of_meta(&p, NULL), 0);
	assert_int_equal(p.len, 0);
	assert_int_equal(props_set(&was, PROP_TYPE, "text/css"), 0);
	assert_int_equal(props_set(&was, PROP_CACHE, "public"), 0);
	assert_int_equal(props_set(&was, PROP_ENCODING, "gzip"), 0);
	assert_int_equal(props_set(&was, PROP_TAG_COUNT, "2"), 0);
	assert_int_equal(props_of_meta(&p, &meta), 0);
	row_equal("type", props_get(&p, PROP_TYPE), "text/csv");
	row_equal("cache", props_get(&p, PROP_CACHE), "no-cache");
	row_equal("encoding", props_get(&p, PROP_ENCODING), "gzip");
	assert_null(props_get(&p, PROP_EXPIRES));
	assert_null(props_get(&p, PROP_TAG_COUNT));
}

/* The type of something whose name changes. */
static const struct {
	const char *sentence;
	const char *type, *was, *now, *after;
	bool changed;
} moves[] = {
	{ "x.tmp to x.html", "binary/octet-stream", NULL, "text/html",
	  "text/html", true },
	{ "... of another server", "application/octet-stream", NULL,
	  "text/html", "text/html", true },
	{ "... without a type", NULL, NULL, "text/html", "text/html", true },
	{ "x.txt to x.html", "text/plain", "text/plain", "text/html",
	  "text/html", true },
	{ "x.txt to x", "text/plain", "text/plain", NULL, NULL, true },
	{ "a type that was chosen", "text/x-mine", "text/plain", "text/html",
	  "text/x-mine", false },
	{ "... for a name without one", "text/x-mine", NULL, "text/html",
	  "text/x-mine", false },
	{ "x to y", "binary/octet-stream", NULL, NULL, "binary/octet-stream",
	  false },
	{ "a.txt to b.txt", "text/plain", "text/plain", "text/plain",
	  "text/plain", false },
};

static void types_of_moves(void **state)
{
	for (size_t i = 0; i < COUNT(moves); i++) {
		const char *row = moves[i].sentence;
		const struct store_retype r = { moves[i].was, moves[i].now };
		struct props p = { 0 };

		assert_int_equal(props_set(&p, PROP_TYPE, moves[i].type), 0);
		row_number(row, props_retype(&p, &r), moves[i].changed);
		row_equal(row, props_get(&p, PROP_TYPE) ?: "(none)",
			  moves[i].after ?: "(none)");
		row_number(row, props_retype(&p, NULL), false);
	}
}

SUITE(props)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),          cmocka_unit_test(record),
		cmocka_unit_test(refused),        cmocka_unit_test(of_a_write),
		cmocka_unit_test(types_of_moves),
	};

	return cmocka_run_group_tests_name("props", tests, NULL, NULL);
}
