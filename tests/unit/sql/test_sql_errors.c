/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of the grammar: code, place and words; and that no secret is shown.
 *
 * Covers: sql/sql_lex.c sql/sql_stage.c
 */
#include "unit.h"

#include <errno.h>

#include "sql/sql.h"

#define SECRET "hush/Hush+123"

struct row {
	const char *sentence, *sql;
	int code;
	const char *at; /* what the caret is under; "" the end */
	const char *message; /* it begins with that */
};

static const struct row rows[] = {
	{ "no statement", "SELECT 1", 1005, "SELECT",
	  "unexpected `SELECT`, expecting `PRESIGN`, `LIST`, `REMOVE`, "
	  "`SHOW`, `DESC`, `DESCRIBE`, `CREATE`, `ALTER` or `DROP`" },
	{ "Databend's example", "PRESIGN INVALID @my_stage", 1005, "INVALID",
	  "unexpected `INVALID`, expecting `UPLOAD`, `DOWNLOAD`, a location "
	  "(@stage/path) or a string" },
	{ "no location", "PRESIGN UPLOAD", 1005, "",
	  "unexpected end of input, expecting a location" },
	{ "a location without a name", "LIST @ ", 1005, "@",
	  "a stage's name must follow the @" },
	{ "a uri", "PRESIGN 's3://b/a'", 1005, "'s3://b/a'",
	  "expect stage location, got uri location" },
	{ "no equals sign", "PRESIGN @s/a EXPIRE 3", 1005, "3",
	  "unexpected `3`, expecting `=`" },
	{ "an underscore", "PRESIGN @s/a EXPIRE = 3_600", 1005, "3_600",
	  "a number has digits only" },
	{ "too many bits", "PRESIGN @s/a EXPIRE=18446744073709551616", 1005,
	  "18446744073709551616", "this number has more than 64 bits" },
	{ "too many hex digits", "PRESIGN @s/a EXPIRE=0x10000000000000000",
	  1005, "0x10000000000000000", "this number has more than 64 bits" },
	{ "a negative number", "PRESIGN @s/a EXPIRE = -1", 1005, "-",
	  "unexpected `-`, expecting a whole number" },
	{ "a string for a number", "PRESIGN @s/a EXPIRE = '1'", 1005, "'1'",
	  "unexpected `'1'`, expecting a whole number" },
	{ "units", "PRESIGN @s/a EXPIRE = 1h", 1005, "h", "unexpected `h`" },
	{ "an open quote", "LIST @s PATTERN = 'a", 1005, "'a",
	  "this quote is not closed" },
	{ "an open comment", "LIST @s /* a", 1005, "/* a",
	  "this comment is not closed" },
	{ "a comma in a location", "LIST @s/a,b", 1005, ",",
	  "unexpected `,`, expecting `PATTERN` or `;`" },
	{ "parentheses in a location", "LIST @s/a(1)", 1005, "(1)",
	  "unexpected `(`" },
	{ "two statements", "LIST @s LIST @t", 1005, "LIST @t",
	  "unexpected `LIST`" },
	{ "a strange character", "LIST @s %", 1005, "%",
	  "no statement has this character" },
	{ "a broken escape", "LIST @s PATTERN='\\xZZ'", 1005, "'\\xZZ'",
	  "a broken escape" },
	{ "half a character", "LIST @s PATTERN='\\ud800'", 1005, "'\\ud800'",
	  "a broken escape" },
	{ "a NUL", "LIST @s PATTERN='\\0'", 1005, "'\\0'",
	  "a NUL byte in a string" },
	{ "or replace, if not exists",
	  "CREATE OR REPLACE STAGE IF NOT EXISTS s", 1005,
	  "OR REPLACE STAGE IF NOT EXISTS",
	  "OR REPLACE and IF NOT EXISTS exclude each other" },
	{ "a hyphen", "CREATE STAGE my-stage", 1005, "-stage",
	  "unexpected `-`" },
	{ "a quoted name", "CREATE STAGE \"s\"", 1005, "\"s\"",
	  "unexpected `\"s\"`, expecting `IF` or the name of a stage" },
	{ "a clause twice", "CREATE STAGE s URL='a' URL='b'", 1005, "URL='b'",
	  "this clause is given a second time" },
	{ "an unknown clause", "CREATE STAGE s DIRECTORY = (ENABLE = TRUE)",
	  1005, "DIRECTORY", "unexpected `DIRECTORY`, expecting a url, `URL`" },
	{ "a connection of nothing", "CREATE STAGE s CONNECTION=(region='r')",
	  1005, "s CONN", "CONNECTION without a URL" },
	{ "an open parenthesis", "CREATE STAGE s URL='a' CONNECTION=(", 1005,
	  "", "unexpected end of input, expecting `)` or a connection" },
	{ "a value without quotes",
	  "CREATE STAGE s URL='a' "
	  "CONNECTION=(region = r)",
	  1005, "r)", "unexpected `r`, expecting a string" },
	{ "alter nothing", "ALTER STAGE s SET", 1005, "",
	  "unexpected end of input" },
	{ "unset what is not there", "ALTER STAGE s UNSET URL", 1005, "URL",
	  "unexpected `URL`, expecting `COMMENT`" },
	{ "a control byte that is kept",
	  "CREATE STAGE s FILE_FORMAT=(field_delimiter='\t')", 1006,
	  "(field_delimiter", "a control byte in an option" },
	{ "the second statement", "LIST @s;\n\nLIST x", 1005, "x",
	  "unexpected `x`" },
};

/* The first error of the script. */
static void find_error(const char *sql, struct sql_error *error)
{
	struct sql_script script = { .text = sql, .len = strlen(sql) };
	struct sql_statement s;
	int rc;

	while ((rc = sql_next(&script, &s, error)) > 0)
		sql_statement_clear(&s);
	row_number(sql, rc, -EINVAL);
}

static void test_errors(void **state)
{
	for (const struct row *r = rows; r < rows + COUNT(rows); r++) {
		struct sql_error error = SQL_ERROR_INIT;
		const char *at;

		find_error(r->sql, &error);
		row_number(r->sentence, error.code, r->code);
		at = r->sql + error.span.at;
		row_check(r->sentence, strlen(r->sql) >= error.span.at);
		row_check(r->sentence,
			  *r->at ? !strncmp(at, r->at, strlen(r->at)) : !*at);
		if (strncmp(buf_str(&error.message), r->message,
			    strlen(r->message)))
			row_equal(r->sentence, buf_str(&error.message),
				  r->message);
		buf_clear(&error.message);
	}
}

static void test_carets(void **state)
{
	static const struct {
		const char *sentence, *sql, *wanted;
	} carets[] = {
		{ "under a word", "PRESIGN INVALID @my_stage",
		  "  |\n1 | PRESIGN INVALID @my_stage\n  |         ^^^^^^^\n" },
		{ "under the end", "LIST", "  |\n1 | LIST\n  |     ^\n" },
		{ "in the third line", "LIST @s;\n\n  LIST\tx -- so\n",
		  "  |\n3 |   LIST x -- so\n  |        ^\n" },
		{ "behind characters of two bytes", "LIST @\xc3\xa9\xc3\xa9 x",
		  "  |\n1 | LIST @\xc3\xa9\xc3\xa9 x\n  |          ^\n" },
		{ "behind a secret",
		  "CREATE STAGE s URL='s3://b/' "
		  "CONNECTION=(aws_secret_key='" SECRET "' x)",
		  "  |\n1 | CREATE STAGE s URL='s3://b/' "
		  "CONNECTION=(aws_secret_key=*** x)\n"
		  "  |                                         "
		  "                     ^\n" },
	};

	for (size_t i = 0; i < COUNT(carets); i++) {
		const char *sql = carets[i].sql;
		struct sql_error error = SQL_ERROR_INIT;
		struct buf got = BUF_INIT(BUF_MESSAGE);

		find_error(sql, &error);
		sql_show(sql, strlen(sql), error.span, &got);
		row_equal(carets[i].sentence, buf_str(&got), carets[i].wanted);
		buf_clear(&got);
		buf_clear(&error.message);
	}
}

/* Each has an error, and SECRET somewhere. */
static const char *const leaks[] = {
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key='" SECRET "' !)",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=" SECRET ")",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key '" SECRET "')",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key " SECRET ")",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key='" SECRET,
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=\"" SECRET "\")",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=`" SECRET "`)",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=@" SECRET ")",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key='a'" SECRET ")",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=-" SECRET ")",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=='" SECRET "')",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key:'" SECRET "')",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_kye='" SECRET "' !)",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=$$" SECRET "$$)",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=%" SECRET "%)",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=!" SECRET ")",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=+" SECRET ")",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=/" SECRET ")",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=*" SECRET ")",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=.\\" SECRET ")",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=(" SECRET "))",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=('" SECRET "'))",
	"CREATE STAGE s URL='a' CONNECTION=('" SECRET "')",
	"CREATE STAGE s URL='a' CONNECTION=(aws_secret_key=/*" SECRET,
	"CREATE STAGE s URL='https://k:" SECRET "@h/' !",
	"CREATE STAGE s URL='https://h/?X-Amz-Signature=" SECRET "' !",
	"CREATE STAGE s URL='a CONNECTION=(aws_secret_key='" SECRET "')",
	"CREATE STAGE s '" SECRET "' '" SECRET "'",
	"'" SECRET "'",
};

static void test_leaks(void **state)
{
	for (size_t i = 0; i < COUNT(leaks); i++) {
		const char *sql = leaks[i];
		struct sql_error error = SQL_ERROR_INIT;
		struct buf got = BUF_INIT(BUF_MESSAGE);

		find_error(sql, &error);
		sql_show(sql, strlen(sql), error.span, &got);
		row_check(sql, !strstr(buf_str(&got), "Hush+"));
		row_check(sql, !strstr(buf_str(&error.message), "Hush+"));
		buf_clear(&got);
		buf_clear(&error.message);
	}
}

static void test_long_line(void **state)
{
	struct buf sql = BUF_INIT(1 << 20), got = BUF_INIT(BUF_MESSAGE);
	struct sql_error error = SQL_ERROR_INIT;
	struct sql_script script;
	struct sql_statement s;

	buf_adds(&sql, "LIST @s/");
	for (int i = 0; i < 5000; i++)
		buf_adds(&sql, "0123456789");
	script = (struct sql_script){ .text = sql.data, .len = sql.len };
	row_number("too long a name", sql_next(&script, &s, &error), -EINVAL);
	row_equal("says so", buf_str(&error.message), "more than 16384 bytes");
	sql_show(sql.data, sql.len, error.span, &got);
	row_check("a window of it", got.len < 400);
	buf_clear(&sql);
	buf_clear(&got);
	buf_clear(&error.message);
}

static void test_place(void **state)
{
	const char *text = "a\n\xc3\xa9"
			   "b\n";
	unsigned line, column;

	sql_show_place(text, strlen(text), 4, &line, &column);
	row_number("lines count from 1", line, 2);
	row_number("columns are characters", column, 2);
	sql_show_place(text, strlen(text), 99, &line, &column);
	row_number("behind the end is the end", line, 3);
}

SUITE(sql_errors)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),    cmocka_unit_test(test_carets),
		cmocka_unit_test(test_leaks),     cmocka_unit_test(test_place),
		cmocka_unit_test(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
