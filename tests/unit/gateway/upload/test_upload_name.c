/* SPDX-License-Identifier: Apache-2.0 */
/* What uploads call their files, and the paths that they become. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "gateway/upload/upload_name.h"

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16
#define X255 X64 X64 X64 X16 X16 X16 "xxxxxxxxxxxxxxx"

static const struct {
	const char *sentence, *folder, *filename;
	int rc;
	const char *path; /* or what the refusal says */
} rows[] = {
	{ "a name", NULL, "books.parquet", 0, "books.parquet" },
	{ "a folder", "a/b", "c", 0, "a/b/c" },
	{ "a folder with slashes round it", "//a/b//", "c", 0, "a/b/c" },
	{ "a folder of slashes alone", "///", "c", 0, "c" },
	{ "an empty folder", "", "c", 0, "c" },
	{ "a name with folders", "a", "b/c.csv", 0, "a/b/c.csv" },
	{ "an absolute name is below the stage", NULL, "/etc/passwd", 0,
	  "etc/passwd" },
	{ "signs", "a b", "c;d=\"e\".csv", 0, "a b/c;d=\"e\".csv" },
	{ "percent signs are themselves", "%2e%2e", "%2F", 0, "%2e%2e/%2F" },
	{ "dots in names", "..a", "b..", 0, "..a/b.." },
	{ "three dots", NULL, "...", 0, "..." },
	{ "UTF-8", "gr\xc3\xbc", "\xe2\x82\xac", 0, "gr\xc3\xbc/\xe2\x82\xac" },
	{ "a name of 255 bytes", NULL, X255, 0, X255 },

	{ "the folder above", NULL, "../x", -EPERM, "leads out" },
	{ "the folder above, at the end", NULL, "a/..", -EPERM, "leads out" },
	{ "the folder above alone", NULL, "..", -EPERM, "leads out" },
	{ "above, behind slashes", NULL, "//../x", -EPERM, "leads out" },
	{ "a way out and in again", NULL, "a/../b", -EPERM, "leads out" },
	{ "a folder above", "../other", "x", -EPERM, "leads out" },
	{ "a folder above in slashes", "/../", "x", -EPERM, "leads out" },
	{ "this folder", NULL, "./x", -EINVAL, "has `.`" },
	{ "this folder alone", NULL, ".", -EINVAL, "has `.`" },
	{ "no name", NULL, "", -EINVAL, "is no name" },
	{ "a slash alone", NULL, "/", -EINVAL, "is no name" },
	{ "a folder for a name", NULL, "a/", -EINVAL, "empty name" },
	{ "two slashes", NULL, "a//b", -EINVAL, "empty name" },
	{ "two slashes in the folder", "a//b", "c", -EINVAL, "empty name" },
	{ "a backslash", NULL, "a\\b", -EINVAL, "backslash" },
	{ "the folder above of another system", NULL, "..\\x", -EINVAL,
	  "backslash" },
	{ "a backslash in the folder", "a\\b", "c", -EINVAL, "backslash" },
	{ "a line end", NULL, "a\nb", -EINVAL, "control" },
	{ "a tab in the folder", "a\tb", "c", -EINVAL, "control" },
	{ "Latin-1", NULL, "gr\xfc\xdf", -EINVAL, "not UTF-8" },
	{ "a slash that is written too long", NULL,
	  "..\xc0\xaf"
	  "x",
	  -EINVAL, "not UTF-8" },
	{ "a name of 256 bytes", NULL, X255 "x", -EINVAL, "255 bytes" },
	{ "a folder of 256 bytes", X255 "x", "c", -EINVAL, "255 bytes" },
	{ "a path of 1,025 bytes", X255 "/" X255 "/" X255, X255 "/x", -EINVAL,
	  "too long" },
};

static void names(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = BUF_INIT(BUF_MESSAGE);
		struct buf why = BUF_INIT(BUF_MESSAGE);
		const char *said;

		buf_adds(&out, "p/");
		row_number(rows[i].sentence,
			   upload_name(rows[i].folder, rows[i].filename, &out,
				       &why),
			   rows[i].rc);
		said = rows[i].rc ? buf_str(&why) : buf_str(&out) + 2;
		if (rows[i].rc)
			row_check(rows[i].sentence, strstr(said, rows[i].path));
		else
			row_equal(rows[i].sentence, said, rows[i].path);
		buf_clear(&out);
		buf_clear(&why);
	}
}

static void a_full_prefix(void **state)
{
	struct buf out = BUF_INIT(8), why = BUF_INIT(BUF_MESSAGE);

	buf_adds(&out, "prefix/");
	row_number("no room", upload_name("a", "b", &out, &why), -EINVAL);
	row_check("said", strstr(buf_str(&why), "too long"));
	buf_clear(&out);
	buf_clear(&why);
}

SUITE(upload_name)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(a_full_prefix),
	};

	return cmocka_run_group_tests_name("upload_name", tests, NULL, NULL);
}
