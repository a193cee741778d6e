/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar: what Databend's documents and tests have, and what it must bear.
 *
 * Covers: sql/parser.c
 */
#include "unit.h"

#include <errno.h>

#include "sql_dump.h"

struct row {
	const char *sentence, *sql;
	const char *wanted; /* statements, one a line */
};

static const struct row rows[] = {
	{ "the documents' presign", "PRESIGN @my_stage/books.csv;",
	  "presign at=[@my_stage/books.csv]" },
	{ "download is the default", "PRESIGN DOWNLOAD @s/a",
	  "presign at=[@s/a]" },
	{ "the user stage", "PRESIGN UPLOAD @~/books.parquet EXPIRE = 7200",
	  "presign upload at=[@~/books.parquet] expire=7200" },
	{ "the canonical form",
	  "PRESIGN UPLOAD @my_stage/path/to/file EXPIRE = 7200 CONTENT_TYPE = "
	  "'application/octet-stream'",
	  "presign upload at=[@my_stage/path/to/file] expire=7200 "
	  "type=[application/octet-stream]" },
	{ "any case, any order",
	  "presign upLoad @s/a content_type='t/x' Expire=1",
	  "presign upload at=[@s/a] expire=1 type=[t/x]" },
	{ "the last option wins", "PRESIGN @s/a EXPIRE=1 EXPIRE=2 EXPIRE=3",
	  "presign at=[@s/a] expire=3" },
	{ "hex", "PRESIGN @s/a EXPIRE = 0x1C20; PRESIGN @s/a EXPIRE=x'ff'",
	  "presign at=[@s/a] expire=7200\npresign at=[@s/a] expire=255" },
	{ "64 bits", "PRESIGN @s/a EXPIRE = 0xffffffffffffffff",
	  "presign at=[@s/a] expire=18446744073709551615" },
	{ "zero is the grammar's", "PRESIGN @s/a EXPIRE=0",
	  "presign at=[@s/a] expire=0" },
	{ "comments and lines",
	  "-- one\nPRESIGN /* two\n */ DOWNLOAD\n\t@s/a -- three\n;-- end",
	  "presign at=[@s/a]" },
	{ "empty statements", ";; ;\n;", "" },
	{ "nothing", "", "" },
	{ "a stage alone", "LIST @my_stage", "list at=[@my_stage]" },
	{ "a directory", "LIST @my_stage/path/to/dir/",
	  "list at=[@my_stage/path/to/dir/]" },
	{ "an escaped space", "LIST @my_stage/my\\ file.csv",
	  "list at=[@my_stage/my file.csv]" },
	{ "the longest match", "LIST @~/a\\ b;", "list at=[@~/a b]" },
	{ "double quotes", "LIST @my_stage/\\\"file\\\".csv",
	  "list at=[@my_stage/\"file\".csv]" },
	{ "single quotes", "LIST @my_stage/\\'file\\'.csv",
	  "list at=[@my_stage/'file'.csv]" },
	{ "backslashes", "LIST @my_stage/\\\\file\\\\.csv",
	  "list at=[@my_stage/\\file\\.csv]" },
	{ "an escaped tab", "LIST @s/a\\\tb", "list at=[@s/a\tb]" },
	{ "another escape keeps both", "LIST @s/a\\.b", "list at=[@s/a\\.b]" },
	{ "plain marks", "LIST @s/a#b?c&d=e%20+\xc3\xa9",
	  "list at=[@s/a#b?c&d=e%20+\xc3\xa9]" },
	{ "a semicolon ends a location", "LIST @s/a;LIST @s/b",
	  "list at=[@s/a]\nlist at=[@s/b]" },
	{ "a backslash at the end", "LIST @s/a\\", "list at=[@s/a\\]" },
	{ "a quoted location", "PRESIGN '@my_stage/a (1), b.csv'",
	  "presign at=[@my_stage/a (1), b.csv]" },
	{ "a quoted one's escapes",
	  "PRESIGN '@s/\\b\\f\\n\\r\\t\\'\\\"\\\\\\u00e9\\x41\\101''.csv'",
	  "presign at=[@s/\b\f\n\r\t'\"\\\xc3\xa9"
	  "AA'.csv]" },
	{ "an unknown escape keeps both", "LIST @s PATTERN = '.*\\.csv'",
	  "list at=[@s] pattern=[.*\\.csv]" },
	{ "a pattern", "LIST @s PATTERN = '.*[.]log'",
	  "list at=[@s] pattern=[.*[.]log]" },
	{ "remove", "REMOVE @s/a.csv; remove @s/dir/ pattern='a[.]csv'",
	  "remove at=[@s/a.csv]\nremove at=[@s/dir/] pattern=[a[.]csv]" },
	{ "show", "SHOW STAGES; show stages like 'my%' limit 3",
	  "show\nshow like=[my%] limit=3" },
	{ "desc", "DESC STAGE s; DESCRIBE STAGE \"a-b\"; DESC STAGE ~",
	  "desc name=[s]\ndesc name=[a-b]\ndesc name=[~]" },
	{ "an internal stage", "CREATE STAGE my_internal_stage;",
	  "create name=[my_internal_stage]" },
	{ "if not exists, and names are not folded",
	  "CREATE STAGE IF NOT EXISTS My$tage1",
	  "create if_not_exists name=[My$tage1]" },
	{ "the documents' external stage",
	  "CREATE STAGE my_external_stage url = 's3://databend' CONNECTION = "
	  "(ENDPOINT_URL = 'http://127.0.0.1:9000' aws_key_id = 'ROOTUSER' "
	  "aws_secret_key = 'CHANGEME123');",
	  "create name=[my_external_stage] url=[s3://databend] "
	  "ENDPOINT_URL=[http://127.0.0.1:9000] aws_key_id=[ROOTUSER] "
	  "aws_secret_key=[CHANGEME123]" },
	{ "the older credentials",
	  "CREATE STAGE s url='s3://b/' credentials=(aws_key_id='a' "
	  "aws_secret_key='b')",
	  "create name=[s] url=[s3://b/] aws_key_id=[a] aws_secret_key=[b]" },
	{ "commas, a bare url, a boolean, no pairs",
	  "CREATE OR REPLACE STAGE s 's3://b/a/' CONNECTION = (region = 'x', "
	  "enable_virtual_host_style = true,), ENCRYPTION = ()",
	  "create or_replace name=[s] url=[s3://b/a/] region=[x] "
	  "enable_virtual_host_style=[true]" },
	{ "what is kept",
	  "CREATE STAGE s FILE_FORMAT = (type=CSV field_delimiter = ',', "
	  "skip_header=-1 null_if=('','NULL')) COPY_OPTIONS=(PURGE = TRUE) "
	  "COMMENT='it''s'",
	  "create name=[s] file_format=[type = CSV field_delimiter = ',', "
	  "skip_header = -1 null_if = ('', 'NULL')] copy_options=[PURGE = "
	  "TRUE] comment=[it's]" },
	{ "any order", "CREATE STAGE s COMMENTS = 'c' URL = 's3://b/'",
	  "create name=[s] url=[s3://b/] comment=[c]" },
	{ "alter",
	  "ALTER STAGE IF EXISTS s SET URL='s3://b/' CONNECTION=(region='r'), "
	  "COMMENT='c'",
	  "alter if_exists name=[s] url=[s3://b/] region=[r] comment=[c]" },
	{ "unset", "ALTER STAGE s UNSET COMMENT, FILE_FORMAT",
	  "alter name=[s] unset=3" },
	{ "drop", "DROP STAGE s; drop stage if exists s2",
	  "drop name=[s]\ndrop if_exists name=[s2]" },
};

static void dump_script(const struct row *r, struct buf *out)
{
	struct sql_script script = { .text = r->sql, .len = strlen(r->sql) };
	struct sql_error error = SQL_ERROR_INIT;
	struct sql_statement s;
	int rc;

	while ((rc = sql_next(&script, &s, &error)) > 0) {
		if (out->len)
			buf_addc(out, '\n');
		sql_dump(&s, out);
		sql_statement_clear(&s);
	}
	if (rc)
		buf_addf(out, "error: %s", buf_str(&error.message));
	buf_clear(&error.message);
}

static void test_grammar(void **state)
{
	for (const struct row *r = rows; r < rows + COUNT(rows); r++) {
		struct buf got = BUF_INIT(BUF_MESSAGE);

		dump_script(r, &got);
		row_equal(r->sentence, buf_str(&got), r->wanted);
		buf_clear(&got);
	}
}

static int expand(const char *value, struct buf *out, struct buf *why)
{
	if (!strcmp(value, "${bad}")) {
		buf_adds(why, "it is not set");
		return -ENOENT;
	}
	buf_addf(out, "<%s>", value);
	return 0;
}

static void test_references(void **state)
{
	const char *sql = "CREATE STAGE s URL='u' CONNECTION=(aws_key_id='k') "
			  "COMMENT='c'; LIST @s PATTERN='p'; "
			  "CREATE STAGE s URL='${bad}'";
	struct sql_script script = { sql, strlen(sql), .expand = expand };
	struct sql_error error = SQL_ERROR_INIT;
	struct sql_statement s;

	row_number("the first", sql_next(&script, &s, &error), 1);
	row_equal("a url", s.url.s, "<u>");
	row_equal("a key", s.connection[0].value.s, "<k>");
	row_equal("a comment", s.comment.s, "<c>");
	sql_statement_clear(&s);
	row_number("the second", sql_next(&script, &s, &error), 1);
	row_equal("not a pattern", s.pattern.s, "p");
	sql_statement_clear(&s);
	row_number("the third", sql_next(&script, &s, &error), -EINVAL);
	row_equal("what is wrong", buf_str(&error.message), "it is not set");
	row_number("its code", error.code, 1006);
	row_equal("its place", sql + error.span.at, "'${bad}'");
	buf_clear(&error.message);
}

static void test_like(void **state)
{
	static const struct {
		const char *sentence, *pattern, *name;
		bool wanted;
	} likes[] = {
		{ "itself", "my_stage", "my_stage", true },
		{ "case counts", "my_stage", "My_stage", false },
		{ "any run", "my%", "my_stage", true },
		{ "an empty run", "my_stage%", "my_stage", true },
		{ "in the middle", "m%g%", "my_stage", true },
		{ "any one", "m__stage", "my_stage", true },
		{ "a character of two bytes", "_", "\xc3\xa9", true },
		{ "an escape", "my\\_stage", "myxstage", false },
		{ "nothing", "", "", true },
		{ "too short", "ab_", "ab", false },
		{ "going back", "%ab", "aab", true },
		{ "the end counts", "%a", "ab", false },
	};

	for (size_t i = 0; i < COUNT(likes); i++)
		row_number(likes[i].sentence,
			   sql_like(likes[i].pattern, likes[i].name),
			   likes[i].wanted);
}

SUITE(sql)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
