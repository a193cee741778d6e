/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content types by name, from a table of the system's form.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mime.h"
#include "unit.h"

static char path[] = "/tmp/test_mime.XXXXXX";

static void write_table(const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static const char table[] = "# a comment\n"
			    "\n"
			    "text/html\thtml htm\n"
			    "text/plain txt # not: text/html\n"
			    "application/gzip gz\r\n"
			    "text/x-c++src\tc++\n"
			    "application/x-none\n"
			    "no-type foo\n"
			    "text/second txt bar";

static const struct {
	const char *name, *type;
} rows[] = {
	{ "a.html", "text/html" },
	{ "d/e.f/A.HTM", "text/html" },
	{ "a.txt", "text/plain" },
	{ "a.bar", "text/second" },
	{ "a.tar.gz", "application/gzip" },
	{ "a.c++", "text/x-c++src" },
	{ "a.foo", NULL },
	{ "a.not:", NULL },
	{ "a", NULL },
	{ "a.", NULL },
	{ ".html", NULL },
	{ "x.html/a", NULL },
	{ "x.html/", NULL },
	{ "", NULL },
};

static void finds_types(void **state)
{
	struct mime_table *t;

	write_table(table, strlen(table));
	assert_int_equal(mime_read(path, &t), 0);
	for (size_t i = 0; i < COUNT(rows); i++)
		row_equal(rows[i].name, mime_find(t, rows[i].name) ?: "(none)",
			  rows[i].type ?: "(none)");
	mime_free(t);
}

static void odd_tables(void **state)
{
	size_t n = (1u << 20) + 1;
	char *big = calloc(1, n);
	struct mime_table *t;

	assert_non_null(big);
	write_table("", 0);
	assert_int_equal(mime_read(path, &t), 0);
	assert_null(mime_find(t, "a.html"));
	mime_free(t);
	write_table(big, n);
	assert_int_equal(mime_read(path, &t), -EFBIG);
	free(big);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mime_read(path, &t), -ENOENT);
	assert_int_equal(mime_read("/", &t), -EISDIR);
}

SUITE(mime)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_types),
		cmocka_unit_test(odd_tables),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests_name("mime", tests, NULL, NULL);
	unlink(path);
	return failed;
}
