/* SPDX-License-Identifier: Apache-2.0 */
/* A line of what a person typed, or a program sent: by table. */
#include "cli/prompt.h"
#include "unit.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"

static const struct {
	const char *sentence, *input;
	size_t n; /* of the input, when it has a NUL */
	int rc;
	const char *line, *rest;
} rows[] = {
	{ "a line", "abc\n", 0, 0, "abc", "" },
	{ "what follows stays", "abc\ndef\n", 0, 0, "abc", "def\n" },
	{ "an end without a line end", "abc", 0, 0, "abc", "" },
	{ "a line of Windows", "abc\r\nx", 0, 0, "abc", "x" },
	{ "an empty line", "\nabc", 0, 0, "", "abc" },
	{ "nothing at all", "", 0, -ENODATA, "", "" },
	{ "more than there is room for", "0123456789\nx", 0, -EMSGSIZE, NULL,
	  NULL },
	{ "a control byte", "a\tb\n", 0, -EINVAL, NULL, NULL },
	{ "a NUL", "a\0b\n", 4, -EINVAL, NULL, NULL },
};

static void test_lines(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = rows[i].n ? rows[i].n : strlen(rows[i].input);
		BUF_LOCAL line = BUF_INIT(8);
		char rest[16] = "";
		int ends[2];

		assert_int_equal(pipe(ends), 0);
		assert_int_equal(write(ends[1], rows[i].input, n), n);
		close(ends[1]);
		row_number(rows[i].sentence, prompt_read_line(ends[0], &line),
			   rows[i].rc);
		if (rows[i].line) {
			row_equal(rows[i].sentence, buf_str(&line),
				  rows[i].line);
			row_check(rows[i].sentence,
				  read(ends[0], rest, sizeof(rest) - 1) >= 0);
			row_equal(rows[i].sentence, rest, rows[i].rest);
		}
		close(ends[0]);
	}
}

static void test_nothing_to_read(void **state)
{
	BUF_LOCAL line = BUF_INIT(8);

	assert_int_equal(prompt_read_line(-1, &line), -EBADF);
}

SUITE(prompt)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nothing_to_read),
	};

	return cmocka_run_group_tests_name("prompt", tests, NULL, NULL);
}
