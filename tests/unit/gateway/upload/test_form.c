/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms by a table; each is fed in two pieces, cut everywhere, and byte by
 * byte, and says the same.
 *
 * Covers: gateway/upload/form_head.c
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "form_text.h"

#define D "Content-Disposition: form-data; "
#define F D "name=\"upload\"; filename="
#define HEAD(filename) "--b\r\n" F filename "\r\n\r\n"
#define BROKEN "!the form is broken: "

static const struct {
	const char *sentence, *body, *says;
} rows[] = {
	{ "curl's form",
	  "--b\r\n" F "\"books.parquet\"\r\n"
	  "Content-Type: application/octet-stream\r\n\r\nPAR1\r\n--b--\r\n",
	  "[upload|books.parquet|application/octet-stream:PAR1]." },
	{ "two files", HEAD("\"a\"") "1\r\n" HEAD("\"b\"") "2\r\n--b--\r\n",
	  "[upload|a|-:1][upload|b|-:2]." },
	{ "no file at all", "--b--\r\n", "." },
	{ "no line end after the end", HEAD("\"a\"") "1\r\n--b--",
	  "[upload|a|-:1]." },
	{ "an empty file", HEAD("\"a\"") "\r\n--b--", "[upload|a|-:]." },
	{ "an empty file, the short way", HEAD("\"a\"") "--b--",
	  "[upload|a|-:]." },
	{ "a field", "--b\r\n" D "name=x\r\n\r\n1\r\n--b--", "[x|-|-:1]." },
	{ "a file without a field", "--b\r\n" D "filename=x\r\n\r\n1\r\n--b--",
	  "[|x|-:1]." },
	{ "something before and behind it",
	  "hello\r\n--c\r\n--bb\r\n-- b\r\n" HEAD("a") "1\r\n--b--\r\n--b\r\n",
	  BROKEN "something follows a boundary on its line" },
	{ "something harmless before and behind it",
	  "hello\r\n--c\r\n-b\r\n-- b\r\n" HEAD("a") "1\r\n--b--\r\n--b\r\nx",
	  "[upload|a|-:1]." },
	{ "white space behind a boundary",
	  "--b \t \r\n" F "a\r\n\r\n1\r\n--b--", "[upload|a|-:1]." },
	{ "bytes that nearly are a boundary",
	  HEAD("a") "\r\r\n-\r\n--\r\n--a\n--b\r--b\n\r\n\r\n--c\r\n--b--",
	  "[upload|a|-:\r\r\n-\r\n--\r\n--a\n--b\r--b\n\r\n\r\n--c]." },
	{ "bytes that begin as one", HEAD("a") "-\r\n--b--",
	  "[upload|a|-:-]." },
	{ "bytes that begin as one, nearly", HEAD("a") "--c--b\r\n--b--",
	  "[upload|a|-:--c--b]." },
	{ "bytes that begin with a line end", HEAD("a") "\r\n\r\n--b--",
	  "[upload|a|-:\r\n]." },
	{ "a boundary that goes on", HEAD("a") "1\r\n--bc\r\n--b--",
	  "[upload|a|-:1~" BROKEN "something follows a boundary on its line" },
	{ "half of an end", HEAD("a") "1\r\n--b-\r\n",
	  "[upload|a|-:1~" BROKEN "something follows a boundary on its line" },
	{ "an end behind white space", HEAD("a") "1\r\n--b --",
	  "[upload|a|-:1~" BROKEN "something follows a boundary on its line" },
	{ "a bare line end behind a boundary", "--b\n" F "a\r\n\r\n",
	  BROKEN "something follows a boundary on its line" },
	{ "a body that stops in a part", HEAD("a") "1\r\n--",
	  "[upload|a|-:1~" BROKEN "it ends before its last boundary" },
	{ "a body that stops behind a part", HEAD("a") "1\r\n--b",
	  "[upload|a|-:1~" BROKEN "it ends before its last boundary" },
	{ "a body that stops in headers", "--b\r\n" F "a\r\n",
	  BROKEN "it ends before its last boundary" },
	{ "nothing", "", BROKEN "it ends before its last boundary" },
	{ "something else", "{\"a\": 1}",
	  BROKEN "it ends before its last boundary" },
	{ "a path", HEAD("\"dir/a.csv\"") "1\r\n--b--",
	  "[upload|dir/a.csv|-:1]." },
	{ "an empty name", HEAD("\"\"") "1\r\n--b--", "[upload||-:1]." },
	{ "spaces, and signs of the grammar",
	  HEAD("\"a b; x=y.csv\"") "1\r\n--b--", "[upload|a b; x=y.csv|-:1]." },
	{ "a quote as RFC 2616 has it", HEAD("\"a\\\"b.csv\"") "1\r\n--b--",
	  "[upload|a\"b.csv|-:1]." },
	{ "a quote as HTML has it", HEAD("\"a%22b.csv\"") "1\r\n--b--",
	  "[upload|a\"b.csv|-:1]." },
	{ "a percent sign is one", HEAD("\"50%20.csv\"") "1\r\n--b--",
	  "[upload|50%20.csv|-:1]." },
	{ "two backslashes are one", HEAD("\"a\\\\b\"") "1\r\n--b--",
	  "[upload|a\\b|-:1]." },
	{ "one is one", HEAD("\"a\\b\"") "1\r\n--b--", "[upload|a\\b|-:1]." },
	{ "UTF-8 as it is",
	  HEAD("\"gr\xc3\xbc\xc3\x9f"
	       "e.csv\"") "1\r\n--b--",
	  "[upload|gr\xc3\xbc\xc3\x9f"
	  "e.csv|-:1]." },
	{ "filename* wins",
	  "--b\r\n" F "\"a\"; filename*=UTF-8''gr%C3%BC%20n\r\n\r\n1\r\n--b--",
	  "[upload|gr\xc3\xbc n|-:1]." },
	{ "filename* wins when it comes first",
	  "--b\r\n" D "filename*=utf-8'en'x; filename=a\r\n\r\n1\r\n--b--",
	  "[|x|-:1]." },
	{ "filename* of another alphabet",
	  "--b\r\n" D "filename*=ISO-8859-1''x\r\n\r\n1\r\n--b--",
	  BROKEN "filename* is not UTF-8''..." },
	{ "filename* with a NUL",
	  "--b\r\n" D "filename*=UTF-8''a%00b\r\n\r\n1\r\n--b--",
	  BROKEN "filename* has a bad escape" },
	{ "names in any case",
	  "--b\r\ncontent-disposition:FORM-DATA;NAME=x;FileName=\"a\";\r\n"
	  "CONTENT-TYPE:\ttext/csv \r\n\r\n1\r\n--b--",
	  "[x|a|text/csv:1]." },
	{ "other headers and parameters",
	  "--b\r\nContent-Length: 1\r\n" D "name=x; size=1; filename=a\r\n"
	  "X-A:\r\n\r\n1\r\n--b--",
	  "[x|a|-:1]." },
	{ "a name twice",
	  "--b\r\n" D "filename=a; filename=b\r\n\r\n1\r\n--b--",
	  BROKEN "a name is given twice" },
	{ "a header twice", "--b\r\n" F "a\r\n" F "b\r\n\r\n1\r\n--b--",
	  BROKEN "two Content-Dispositions" },
	{ "no headers", "--b\r\n\r\n1\r\n--b--",
	  BROKEN "a part without Content-Disposition" },
	{ "no name in them", "--b\r\nContent-Type: a/b\r\n\r\n1\r\n--b--",
	  BROKEN "a part without Content-Disposition" },
	{ "an attachment",
	  "--b\r\nContent-Disposition: attachment; filename=a\r\n\r\n",
	  BROKEN "a part is not form-data" },
	{ "a quote that is never closed", HEAD("\"a") "1\r\n--b--",
	  BROKEN "a Content-Disposition cannot be read" },
	{ "something behind a quoted name", HEAD("\"a\"b") "1\r\n--b--",
	  BROKEN "a Content-Disposition cannot be read" },
	{ "a folded header",
	  "--b\r\n" D "name=x;\r\n filename=a\r\n\r\n1\r\n--b--",
	  BROKEN "a part's header cannot be read" },
	{ "a line without a colon", "--b\r\nhello\r\n\r\n1\r\n--b--",
	  BROKEN "a part's header cannot be read" },
	{ "a space before the colon",
	  "--b\r\nContent-Disposition : form-data\r\n\r\n1\r\n--b--",
	  BROKEN "a part's header cannot be read" },
	{ "a bare line end in headers", "--b\r\n" F "a\nX: y\r\n\r\n1\r\n--b--",
	  BROKEN "a control character" },
	{ "an escape sequence in a name", HEAD("\"a\033[2J\"") "1\r\n--b--",
	  BROKEN "a control character" },
	{ "base64",
	  "--b\r\n" F "a\r\nContent-Transfer-Encoding: base64\r\n\r\n",
	  BROKEN "a part has a Content-Transfer-Encoding" },
	{ "an encoding that is none",
	  "--b\r\n" F "a\r\nContent-Transfer-Encoding: Binary\r\n\r\n1\r\n"
	  "--b--",
	  "[upload|a|-:1]." },
};

static void says(const char *sentence, const char *body, size_t n, size_t first,
		 size_t next, const char *wanted)
{
	struct buf out = BUF_INIT(BUF_LINE);

	form_text("b", body, n, first, next, &out);
	row_equal(sentence, buf_str(&out), wanted);
	buf_clear(&out);
}

static void forms_in_pieces(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = strlen(rows[i].body);

		for (size_t cut = 0; cut <= n; cut++)
			says(rows[i].sentence, rows[i].body, n, cut, n,
			     rows[i].says);
		says(rows[i].sentence, rows[i].body, n, 1, 1, rows[i].says);
		says(rows[i].sentence, rows[i].body, n, 2, 3, rows[i].says);
	}
}

static void a_nul_in_bytes_and_in_headers(void **state)
{
	static const char body[] = HEAD("a") "1\0002\r\n--b--";
	static const char head[] = "--b\r\n" D "name=\0\r\n\r\n1\r\n--b--";
	struct buf out = BUF_INIT(BUF_LINE);

	for (size_t cut = 0; cut < sizeof(body); cut++) {
		buf_reset(&out);
		form_text("b", body, sizeof(body) - 1, cut, 100, &out);
		assert_int_equal(out.len, 17);
		assert_memory_equal(out.data, "[upload|a|-:1\0002].", 17);
	}
	buf_clear(&out);
	says("in headers", head, sizeof(head) - 1, 100, 1,
	     BROKEN "a control character");
}

static const struct {
	const char *sentence, *type, *boundary;
	int rc;
} boundaries[] = {
	{ "curl's",
	  "multipart/form-data; "
	  "boundary=------------------------d74496d66958873e",
	  "------------------------d74496d66958873e", 0 },
	{ "in quotes", "multipart/form-data; boundary=\"a b(c)\"", "a b(c)",
	  0 },
	{ "in other letters", "Multipart/Form-Data;charset=x;BOUNDARY=b", "b",
	  0 },
	{ "of 70 characters",
	  "multipart/form-data; boundary=1234567890123456789012345678901234567"
	  "890123456789012345678901234567890",
	  "12345678901234567890123456789012345678901234567890123456789012345"
	  "67890",
	  0 },
	{ "of 71",
	  "multipart/form-data; boundary=1234567890123456789012345678901234567"
	  "8901234567890123456789012345678901",
	  NULL, -EINVAL },
	{ "none", "multipart/form-data", NULL, -EINVAL },
	{ "an empty one", "multipart/form-data; boundary=", NULL, -EINVAL },
	{ "an empty one in quotes", "multipart/form-data; boundary=\"\"", NULL,
	  -EINVAL },
	{ "two", "multipart/form-data; boundary=a; boundary=b", NULL, -EINVAL },
	{ "a space at its end", "multipart/form-data; boundary=\"a \"", NULL,
	  -EINVAL },
	{ "a line end in it", "multipart/form-data; boundary=\"a\r\nb\"", NULL,
	  -EINVAL },
	{ "a sign that is not for it", "multipart/form-data; boundary=a;b",
	  NULL, -EINVAL },
	{ "an open quote", "multipart/form-data; boundary=\"a", NULL, -EINVAL },
	{ "another type", "application/octet-stream; boundary=b", NULL,
	  -EMEDIUMTYPE },
	{ "a type that goes on", "multipart/form-data-x; boundary=b", NULL,
	  -EMEDIUMTYPE },
	{ "no type", NULL, NULL, -EMEDIUMTYPE },
};

static void boundaries_of_content_types(void **state)
{
	for (size_t i = 0; i < COUNT(boundaries); i++) {
		char out[FORM_BOUNDARY_MAX + 1] = "";
		struct buf why = BUF_INIT(BUF_MESSAGE);

		row_number(boundaries[i].sentence,
			   form_boundary(boundaries[i].type, out, &why),
			   boundaries[i].rc);
		if (!boundaries[i].rc)
			row_equal(boundaries[i].sentence, out,
				  boundaries[i].boundary);
		row_check(boundaries[i].sentence,
			  !why.len == !boundaries[i].rc);
		buf_clear(&why);
	}
}

/* Bytes that go on and on: each is refused within its bound. */
static const struct {
	const char *sentence, *begin, *more;
	size_t most;
	const char *says;
} endless[] = {
	{ "before the first part", "", "x", FORM_REST_MAX + 100,
	  "no boundary at its beginning" },
	{ "behind the last one", "--b--", "x", FORM_REST_MAX + 100,
	  "too much follows its end" },
	{ "a boundary's line", "--b", " ", 200, "line is too long" },
	{ "a part's headers", "--b\r\n", "X: y\r\n", FORM_HEAD_MAX + 100,
	  "headers are too long" },
	{ "a name", "--b\r\n" D "filename=", "x", FORM_HEAD_MAX + 100,
	  "headers are too long" },
	{ "parts", "--b\r\n", D "name=x\r\n\r\n\r\n--b\r\n",
	  FORM_PARTS_MAX * 60, "too many parts" },
};

static void bounds_hold(void **state)
{
	for (size_t i = 0; i < COUNT(endless); i++) {
		struct form *f = form_new("b");
		struct buf why = BUF_INIT(BUF_MESSAGE);
		size_t more = strlen(endless[i].more), fed = 0;
		struct form_item item;
		int rc = 0;

		form_feed(f, endless[i].begin, strlen(endless[i].begin));
		while (fed < endless[i].most && rc >= 0) {
			while ((rc = form_next(f, &item, &why)) > 0)
				;
			form_feed(f, endless[i].more, more);
			fed += more;
		}
		row_number(endless[i].sentence, rc, -EINVAL);
		row_check(endless[i].sentence,
			  strstr(buf_str(&why), endless[i].says));
		buf_reset(&why);
		row_number("and stays so", form_next(f, &item, &why), -EINVAL);
		row_number("to its end", form_finish(f, &why), -EINVAL);
		buf_clear(&why);
		form_free(f);
	}
}

static void a_name_of_1025_bytes(void **state)
{
	char body[2048], name[1026];
	struct buf out = BUF_INIT(BUF_LINE);

	memset(name, 'x', 1025);
	name[1025] = '\0';
	snprintf(body, sizeof(body), "--b\r\n" F "%s\r\n\r\n\r\n--b--", name);
	form_text("b", body, strlen(body), 9999, 1, &out);
	row_equal("too long", buf_str(&out), BROKEN "a name is too long");
	buf_reset(&out);
	name[1024] = '\0';
	snprintf(body, sizeof(body), "--b\r\n" F "%s\r\n\r\n\r\n--b--", name);
	form_text("b", body, strlen(body), 9999, 1, &out);
	row_check("the longest", !strncmp(buf_str(&out), "[upload|xxx", 11));
	buf_clear(&out);
}

SUITE(form)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_in_pieces),
		cmocka_unit_test(a_nul_in_bytes_and_in_headers),
		cmocka_unit_test(boundaries_of_content_types),
		cmocka_unit_test(bounds_hold),
		cmocka_unit_test(a_name_of_1025_bytes),
	};

	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
