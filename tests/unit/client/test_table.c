/* SPDX-License-Identifier: Apache-2.0 */
/* Rows in every format, by tables. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/table.h"

static const struct table_column columns[] = {
	{ "name", TABLE_TEXT },
	{ "size", TABLE_NUMBER },
	{ "at", TABLE_TIME },
	{ "note", TABLE_TIME_TEXT },
};

static const struct table_value plain[] = {
	{ .text = "a.csv" },
	{ .number = 998 },
	{ .time = { 1687925595, 178000000 } },
	{ .text = NULL },
};

static const struct table_value timed[] = {
	{ .text = "" },
	{ .number = 0 },
	{ .time = { 0, 0 } },
	{ .text = "2026-11-21 06:33:12.186 +0000" },
};

static const struct table_value hardly_timed[] = {
	{ .text = "" },
	{ .number = 0 },
	{ .time = { 0, 0 } },
	{ .text = "2026-11-21 06:33:12.186 +0000 or so" },
};

static const struct table_value odd[] = {
	{ .text = "t\ta,\"b\"\n\\\xc3\xa9\x1b" },
	{ .number = UINT64_MAX },
	{ .time = { 0, 0 } },
	{ .text = "x" },
};

static const struct table_value *const all[] = { plain, odd, timed,
						 hardly_timed };

static const struct table_value none[] = {
	{ .text = "dir/" },
	{ .number = 1, .none = true },
	{ .none = true },
	{ .text = NULL },
};
static const struct table_value *const nones[] = { none };

static const struct {
	const char *sentence;
	enum table_format format;
	bool header;
	unsigned rows; /* of all */
	const char *wanted;
	const struct table_value *const *values; /* NULL: all */
} outputs[] = {
	{ "what has none, in JSON", TABLE_NDJSON, false, 1,
	  "{\"name\":\"dir/\",\"size\":null,\"at\":null,\"note\":null}\n",
	  nones },
	{ "... in TSV", TABLE_TSV, false, 1, "dir/\t\t\t\n", nones },
	{ "... in a table", TABLE_TABLE, false, 1,
	  "name  size  at  note\ndir/     -  -\n", nones },
	{ "JSON", TABLE_JSON, false, 2,
	  "[{\"name\":\"a.csv\",\"size\":998,"
	  "\"at\":\"2023-06-28T04:13:15.178Z\",\"note\":null},\n"
	  " {\"name\":\"t\\ta,\\\"b\\\"\\n\\\\\xc3\xa9\\u001b\","
	  "\"size\":18446744073709551615,\"at\":\"1970-01-01T00:00:00Z\","
	  "\"note\":\"x\"}]\n" },
	{ "JSON without rows", TABLE_JSON, true, 0, "[]\n" },
	{ "an object a line", TABLE_NDJSON, true, 1,
	  "{\"name\":\"a.csv\",\"size\":998,"
	  "\"at\":\"2023-06-28T04:13:15.178Z\",\"note\":null}\n" },
	{ "a time that comes as text", TABLE_NDJSON, false, 4,
	  "{\"name\":\"a.csv\",\"size\":998,"
	  "\"at\":\"2023-06-28T04:13:15.178Z\",\"note\":null}\n"
	  "{\"name\":\"t\\ta,\\\"b\\\"\\n\\\\\xc3\xa9\\u001b\","
	  "\"size\":18446744073709551615,\"at\":\"1970-01-01T00:00:00Z\","
	  "\"note\":\"x\"}\n"
	  "{\"name\":\"\",\"size\":0,\"at\":\"1970-01-01T00:00:00Z\","
	  "\"note\":\"2026-11-21T06:33:12.186Z\"}\n"
	  "{\"name\":\"\",\"size\":0,\"at\":\"1970-01-01T00:00:00Z\","
	  "\"note\":\"2026-11-21 06:33:12.186 +0000 or so\"}\n" },
	{ "TSV", TABLE_TSV, false, 2,
	  "a.csv\t998\t2023-06-28 04:13:15.178 +0000\t\n"
	  "t\\ta,\"b\"\\n\\\\\xc3\xa9\x1b\t18446744073709551615\t"
	  "1970-01-01 00:00:00.000 +0000\tx\n" },
	{ "TSV with a header", TABLE_TSV, true, 0, "name\tsize\tat\tnote\n" },
	{ "TSV without anything", TABLE_TSV, false, 0, "" },
	{ "CSV", TABLE_CSV, true, 2,
	  "name,size,at,note\r\n"
	  "a.csv,998,2023-06-28 04:13:15.178 +0000,\r\n"
	  "\"t\ta,\"\"b\"\"\n\\\xc3\xa9\x1b\",18446744073709551615,"
	  "1970-01-01 00:00:00.000 +0000,x\r\n" },
	{ "a table", TABLE_TABLE, false, 1,
	  "name   size  at                             note\n"
	  "a.csv   998  2023-06-28 04:13:15.178 +0000\n" },
	{ "a table without rows", TABLE_TABLE, false, 0,
	  "name  size  at  note\n" },
	{ "a pipe is no terminal", TABLE_AUTO, false, 1,
	  "a.csv\t998\t2023-06-28 04:13:15.178 +0000\t\n" },
};

/* Everything written so far; the caller frees it. */
static char *written(FILE *f)
{
	long n = ftell(f);
	char *text = calloc(1, n + 1);

	rewind(f);
	assert_int_equal(fread(text, 1, n, f), n);
	return text;
}

static void formats(void **state)
{
	for (size_t i = 0; i < COUNT(outputs); i++) {
		FILE *f = tmpfile();
		struct table *t =
			table_new(f, outputs[i].format, outputs[i].header,
				  columns, COUNT(columns));
		char *got;
		const struct table_value *const *values =
			outputs[i].values ? outputs[i].values : all;

		for (unsigned r = 0; r < outputs[i].rows; r++)
			row_number(outputs[i].sentence, table_row(t, values[r]),
				   0);
		row_number(outputs[i].sentence, table_end(t), 0);
		got = written(f);
		row_equal(outputs[i].sentence, got, outputs[i].wanted);
		free(got);
		fclose(f);
	}
}

static void a_terminal_gets_no_control_bytes(void **state)
{
	FILE *f = tmpfile();
	struct table *t =
		table_new(f, TABLE_TABLE, false, columns, COUNT(columns));
	char *got;

	row_number("a row", table_row(t, odd), 0);
	row_number("the end", table_end(t), 0);
	got = written(f);
	row_check("no escape", !strchr(got, '\x1b'));
	row_check("two lines", strchr(strchr(got, '\n') + 1, '\n')[1] == '\0');
	free(got);
	fclose(f);
}

/* Widths are those of the first rows; all rows come, in their order. */
static void many_rows(void **state)
{
	FILE *f = tmpfile();
	struct table *t =
		table_new(f, TABLE_TABLE, false, columns, COUNT(columns));
	char name[16], *got, *p;

	for (unsigned i = 0; i < 1000; i++) {
		struct table_value row[COUNT(columns)];

		memcpy(row, plain, sizeof(row));
		snprintf(name, sizeof(name), "file-%04u", i);
		row[0].text = name;
		row_number("a row", table_row(t, row), 0);
	}
	row_number("the end", table_end(t), 0);
	got = written(f);
	p = strchr(got, '\n') + 1;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "file-%04u ", i);
		row_check(name, !strncmp(p, name, strlen(name)));
		p = strchr(p, '\n') + 1;
	}
	row_check("no more", !*p);
	free(got);
	fclose(f);
}

static void a_full_disk_is_told(void **state)
{
	FILE *f = fopen("/dev/full", "w");
	struct table *t =
		table_new(f, TABLE_TSV, false, columns, COUNT(columns));

	table_row(t, plain);
	row_number("at the end at the latest", table_end(t), -ENOSPC);
	fclose(f);
}

SUITE(table)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(a_terminal_gets_no_control_bytes),
		cmocka_unit_test(many_rows),
		cmocka_unit_test(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
