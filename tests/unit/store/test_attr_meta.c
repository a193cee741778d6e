/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes in metadata, in s3fs' form and in its odd ones.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "store/attr_meta.h"
#include "unit.h"

#define NO_TIME \
	{ \
		0, 0 \
	}

static const struct {
	const char *sentence;
	const char *headers; /* NAME=VALUE, a space between */
	bool is_dir;
	struct store_attr want;
} reads[] = {
	{ "all of a file",
	  "mode=33188 uid=1000 gid=100 mtime=1700000000.123456789 "
	  "ctime=1700000001.000000002 atime=1700000002.5",
	  false,
	  { ATTR_META_ALL,
	    S_IFREG | 0644,
	    1000,
	    100,
	    { 1700000002, 500000000 },
	    { 1700000000, 123456789 },
	    { 1700000001, 2 } } },
	{ "a directory",
	  "mode=16877 uid=0 gid=0",
	  true,
	  { STORE_SET_MODE | STORE_SET_UID | STORE_SET_GID, S_IFDIR | 0755, 0,
	    0, NO_TIME, NO_TIME, NO_TIME } },
	{ "a symbolic link",
	  "mode=41471",
	  false,
	  { STORE_SET_MODE, S_IFLNK | 0777, 0, 0, NO_TIME, NO_TIME, NO_TIME } },
	{ "a mode without type bits is of the key's kind",
	  "mode=420",
	  false,
	  { STORE_SET_MODE, S_IFREG | 0644, 0, 0, NO_TIME, NO_TIME, NO_TIME } },
	{ "... a directory's",
	  "mode=493",
	  true,
	  { STORE_SET_MODE, S_IFDIR | 0755, 0, 0, NO_TIME, NO_TIME, NO_TIME } },
	{ "a type that a key cannot be of",
	  "mode=16877",
	  false,
	  { STORE_SET_MODE, S_IFREG | 0755, 0, 0, NO_TIME, NO_TIME, NO_TIME } },
	{ "a directory that calls itself a file",
	  "mode=33188",
	  true,
	  { STORE_SET_MODE, S_IFDIR | 0644, 0, 0, NO_TIME, NO_TIME, NO_TIME } },
	{ "set-id bits",
	  "mode=36333",
	  false,
	  { STORE_SET_MODE, S_IFREG | S_ISUID | S_ISGID | 0755, 0, 0, NO_TIME,
	    NO_TIME, NO_TIME } },
	{ "seconds without a fraction",
	  "mtime=1700000000",
	  false,
	  { STORE_SET_MTIME, 0, 0, 0, NO_TIME, { 1700000000, 0 }, NO_TIME } },
	{ "a point without a fraction",
	  "mtime=7.",
	  false,
	  { STORE_SET_MTIME, 0, 0, 0, NO_TIME, { 7, 0 }, NO_TIME } },
	{ "more than nine digits (rclone, from a float)",
	  "mtime=7.1234567899",
	  false,
	  { STORE_SET_MTIME, 0, 0, 0, NO_TIME, { 7, 123456789 }, NO_TIME } },
	{ "before 1970",
	  "mtime=-5.000000000",
	  false,
	  { STORE_SET_MTIME, 0, 0, 0, NO_TIME, { -5, 0 }, NO_TIME } },
	{ "no keys at all", "", false, { 0 } },
	{ "another program's keys", "md5=aa color=blue", false, { 0 } },
	{ "what is no number",
	  "mode=rw uid=-1 gid=99999999999 mtime=x ctime=1.x atime=",
	  false,
	  { 0 } },
};

static void set_headers(struct props *p, const char *text)
{
	char copy[400], name[80], *save, *at;

	snprintf(copy, sizeof(copy), "%s", text);
	for (at = strtok_r(copy, " ", &save); at;
	     at = strtok_r(NULL, " ", &save)) {
		char *value = strchr(at, '=');

		*value++ = '\0';
		snprintf(name, sizeof(name), PROP_META "%s", at);
		assert_int_equal(props_set(p, name, value), 0);
	}
}

static void assert_time(const char *row, struct timespec got,
			struct timespec want)
{
	row_number(row, got.tv_sec, want.tv_sec);
	row_number(row, got.tv_nsec, want.tv_nsec);
}

static void assert_attr(const char *row, const struct store_attr *got,
			const struct store_attr *want)
{
	row_number(row, got->which, want->which);
	row_number(row, got->mode, want->mode);
	row_number(row, got->uid, want->uid);
	row_number(row, got->gid, want->gid);
	assert_time(row, got->atime, want->atime);
	assert_time(row, got->mtime, want->mtime);
	assert_time(row, got->ctime, want->ctime);
}

static void is_read(void **state)
{
	for (size_t i = 0; i < COUNT(reads); i++) {
		struct props p = { 0 };
		struct store_attr a;

		set_headers(&p, reads[i].headers);
		attr_meta_read(&p, reads[i].is_dir, &a);
		a.mode = a.which & STORE_SET_MODE ? a.mode : 0;
		assert_attr(reads[i].sentence, &a, &reads[i].want);
	}
}

static void is_written(void **state)
{
	static const char *const want[] = { "33188",
					    "1000",
					    "100",
					    "1.000000002",
					    "1700000000.123456789",
					    "-5.000000000" };
	const struct store_attr a = { ATTR_META_ALL, S_IFREG | 0644,
				      1000,          100,
				      { 1, 2 },      { 1700000000, 123456789 },
				      { -5, 0 } };
	struct attr_meta m;

	attr_meta_write(&a, &m);
	assert_int_equal(m.n, ATTR_META_FIELDS);
	for (unsigned i = 0; i < m.n; i++)
		row_equal(m.fields[i].name, m.fields[i].value, want[i]);
	row_equal("the first name", m.fields[0].name, "x-amz-meta-mode");
}

static void only_what_is_set(void **state)
{
	const struct store_attr a = { .which = STORE_SET_GID, .gid = 7 };
	struct attr_meta m;

	attr_meta_write(&a, &m);
	assert_int_equal(m.n, 1);
	row_equal("name", m.fields[0].name, "x-amz-meta-gid");
	row_equal("value", m.fields[0].value, "7");
}

static void replaces_in_headers(void **state)
{
	struct store_attr a = { .which = STORE_SET_MODE,
				.mode = S_IFREG | 0600 };
	struct props p = { 0 };

	set_headers(&p, "mode=33188 mtime=5 atime=6 color=blue");
	assert_int_equal(attr_meta_set(&p, &a), 0);
	row_equal("replaced", props_get(&p, "x-amz-meta-mode"), "33152");
	row_equal("kept", props_get(&p, "x-amz-meta-color"), "blue");
	attr_meta_drop_times(&p);
	assert_null(props_get(&p, "x-amz-meta-mtime"));
	assert_null(props_get(&p, "x-amz-meta-atime"));
	row_equal("no time", props_get(&p, "x-amz-meta-mode"), "33152");
}

SUITE(attr_meta)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_read),
		cmocka_unit_test(is_written),
		cmocka_unit_test(only_what_is_set),
		cmocka_unit_test(replaces_in_headers),
	};

	return cmocka_run_group_tests_name("attr_meta", tests, NULL, NULL);
}
