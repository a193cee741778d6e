/* SPDX-License-Identifier: Apache-2.0 */
/* What follows the `?` of an attribute's name. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "fs/xattr/xattr_args.h"

static const struct {
	const char *sentence;
	const char *text;
	int result;
	int64_t expire;
	const char *content_type, *path;
} rows[] = {
	{ "an expiry", "expire=600", 0, 600 },
	{ "the shortest", "expire=1", 0, 1 },
	{ "the longest", "expire=1000", 0, 1000 },
	{ "none", "expire=0", -EINVAL },
	{ "one longer than the longest", "expire=1001", -EINVAL },
	{ "a negative one", "expire=-1", -EINVAL },
	{ "a signed one", "expire=+1", -EINVAL },
	{ "a word", "expire=x", -EINVAL },
	{ "an empty one", "expire=", -EINVAL },
	{ "with a space", "expire= 60", -EINVAL },
	{ "with a space behind", "expire=60 ", -EINVAL },
	{ "a fraction", "expire=1.5", -EINVAL },
	{ "percent-encoded digits are not digits", "expire=%36%30", -EINVAL },
	{ "far too long", "expire=99999999999999999999", -EINVAL },
	{ "a content type", "content_type=text/csv", 0, 0, "text/csv" },
	{ "an empty one", "content_type=", -EINVAL },
	{ "one with a control byte", "content_type=a\nb", -EINVAL },
	{ "one with parameters", "content_type=text/csv; charset=utf-8", 0, 0,
	  "text/csv; charset=utf-8" },
	{ "nothing is decoded", "content_type=a%2Fb+c", 0, 0, "a%2Fb+c" },
	{ "two arguments", "expire=6&content_type=a/b", 0, 6, "a/b" },
	{ "in any order", "content_type=a/b&expire=6", 0, 6, "a/b" },
	{ "a path", "path=new/name.csv", 0, 0, NULL, "new/name.csv" },
	{ "a path takes all that follows", "expire=9&path=x y&expires?q=1", 0,
	  9, NULL, "x y&expires?q=1" },
	{ "an argument behind a path", "path=x y&expire=5", -EINVAL },
	{ "a type behind a path", "path=x&y&content_type=t", -EINVAL },
	{ "a name that looks like it", "expire=9&literal_path=x&expire=5", 0, 9,
	  NULL, "x&expire=5" },
	{ "a path that looks like another", "path=path=x", 0, 0, NULL,
	  "path=x" },
	{ "all three", "expire=9&content_type=t&path=p", 0, 9, "t", "p" },
	{ "an empty path", "path=", -EINVAL },
	{ "a path from the root", "path=/x", -EINVAL },
	{ "a path that ends in /", "path=x/", -EINVAL },
	{ "a path upwards", "path=../x", -EINVAL },
	{ "a path upwards in the middle", "path=a/../../x", -EINVAL },
	{ "a path that ends upwards", "path=a/..", -EINVAL },
	{ "a dot", "path=./x", -EINVAL },
	{ "an empty component", "path=a//b", -EINVAL },
	{ "names that only look like dots", "path=.../..a/.b", 0, 0, NULL,
	  ".../..a/.b" },
	{ "an unknown argument", "exp=5", -EINVAL },
	{ "one in another case", "Expire=5", -EINVAL },
	{ "a repeated one", "expire=5&expire=6", -EINVAL },
	{ "a repeated type", "content_type=a&content_type=b", -EINVAL },
	{ "one without a value", "expire", -EINVAL },
	{ "nothing", "", -EINVAL },
	{ "nothing behind an &", "expire=5&", -EINVAL },
	{ "nothing before an &", "&expire=5", -EINVAL },
};

static void test_rows(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		struct xattr_args a;

		row_number(rows[r].sentence,
			   xattr_args_parse(rows[r].text, 1000, &a),
			   rows[r].result);
		if (rows[r].result)
			continue;
		row_number(rows[r].sentence, a.expire, rows[r].expire);
		row_equal(rows[r].sentence,
			  a.content_type ? a.content_type : "(none)",
			  rows[r].content_type ? rows[r].content_type
					       : "(none)");
		row_equal(rows[r].sentence, a.path ? a.path : "(none)",
			  rows[r].path ? rows[r].path : "(none)");
	}
}

static void test_length(void **state)
{
	struct xattr_args a;
	char text[400] = "path=";

	memset(text + 5, 'x', sizeof(text) - 6);
	assert_int_equal(xattr_args_parse(text, 1000, &a), -ERANGE);
	text[255] = '\0';
	assert_int_equal(xattr_args_parse(text, 1000, &a), 0);
}

static void test_explained(void **state)
{
	static const struct {
		const char *sentence, *text, *form;
	} wrong[] = {
		{ "behind a path", "path=a b&expire=60",
		  "?expire=60&path=a b" },
		{ "several", "path=a&expire=60&content_type=t",
		  "?expire=60&content_type=t&path=a" },
		{ "and one in front", "content_type=t&path=a&expire=60",
		  "?content_type=t&expire=60&path=a" },
		{ "another mistake", "path=../x", "" },
		{ "no path", "expire=0&expire=60", "" },
	};

	for (size_t r = 0; r < COUNT(wrong); r++) {
		struct buf out = BUF_INIT(BUF_MESSAGE);

		row_number(wrong[r].sentence,
			   xattr_args_explain(wrong[r].text, &out),
			   *wrong[r].form != 0);
		row_equal(wrong[r].sentence, buf_str(&out), wrong[r].form);
		buf_clear(&out);
	}
}

SUITE(xattr_args)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_explained),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
