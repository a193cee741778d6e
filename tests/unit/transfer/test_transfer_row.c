/* SPDX-License-Identifier: Apache-2.0 */
/* PRESIGN rows that come from elsewhere, by tables. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "transfer/transfer_row.h"

#define U "https://h/b/k?X-Amz-Signature=1"

static const struct {
	const char *sentence, *text;
	unsigned n;
	const char *method, *headers; /* of the last row */
} good[] = {
	{ "our ndjson",
	  "{\"method\":\"PUT\",\"headers\":{\"content-type\":\"text/csv\"},"
	  "\"url\":\"" U "\",\"expires_at\":null,\"warnings\":[]}\n",
	  1, "PUT", "content-type: text/csv\n" },
	{ "our json", "[{\"method\":\"GET\",\"headers\":{},\"url\":\"" U "\"}]",
	  1, "GET", "" },
	{ "several in an array",
	  "[{\"method\":\"GET\",\"url\":\"" U "\"},"
	  "{\"method\":\"PUT\",\"url\":\"" U "\"}]",
	  2, "PUT", "" },
	{ "several lines",
	  "{\"method\":\"GET\",\"url\":\"" U "\"}\n\n"
	  "{\"method\":\"PUT\",\"url\":\"" U "\"} \n",
	  2, "PUT", "" },
	{ "headers as text",
	  "{\"method\":\"GET\",\"headers\":\"{\\\"x-a\\\":\\\"b\\\"}\","
	  "\"url\":\"" U "\"}",
	  1, "GET", "x-a: b\n" },
	{ "host and content-length are not replayed, in any case",
	  "{\"method\":\"PUT\",\"headers\":{\"host\":\"h\",\"Content-Length\":"
	  "\"5\",\"HOST\":\"h\",\"x-ms-blob-type\":\"BlockBlob\"},"
	  "\"url\":\"" U "\"}",
	  1, "PUT", "x-ms-blob-type: BlockBlob\n" },
	{ "a number as a header's value",
	  "{\"method\":\"GET\",\"headers\":{\"x-n\":7},\"url\":\"" U "\"}", 1,
	  "GET", "x-n: 7\n" },
	{ "Databend's row", "[\"PUT\",\"{\\\"host\\\":\\\"h\\\"}\",\"" U "\"]",
	  1, "PUT", "" },
	{ "Databend's HTTP answer",
	  "{\"id\":\"q\",\"schema\":[],\"data\":[[\"PUT\",\"{}\",\"" U "\"],"
	  "[\"GET\",\"{}\",\"" U "\"]],\"state\":\"Succeeded\"}",
	  2, "GET", "" },
	{ "TSV", "PUT\t{\"x-a\":\"b c\"}\t" U "\n", 1, "PUT", "x-a: b c\n" },
	{ "TSV with CR and no end of line", "GET\t{}\t" U "\r", 1, "GET", "" },
	{ "TSV with a header",
	  "url\tmethod\tname\theaders\n" U "\tPUT\ta\t{\"x-a\":\"b\"}\n", 1,
	  "PUT", "x-a: b\n" },
	{ "TSV with our escapes", "PUT\t{\"x-a\":\"b\\\\\\\\c\"}\t" U "\n", 1,
	  "PUT", "x-a: b\\c\n" },
	{ "TSV without headers", "GET\t\t" U "\n", 1, "GET", "" },
	{ "CSV", "\"PUT\",\"{\"\"x-a\"\":\"\"b,c\"\"}\",\"" U "\"\r\n", 1,
	  "PUT", "x-a: b,c\n" },
	{ "CSV with a header and without quotes",
	  "method,headers,url\nGET,{}," U "\n", 1, "GET", "" },
	{ "more columns", "GET\t{}\t" U "\tmore\n", 1, "GET", "" },
	{ "a URL alone", U "\n", 1, "DEFAULT", "" },
	{ "URLs, a line each", "\n" U "\n" U "\n", 2, "DEFAULT", "" },
	{ "plain HTTP", "GET\t{}\thttp://127.0.0.1:9000/b/k", 1, "GET", "" },
};

static void rows_are_read(void **state)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct transfer_rows rows;
		int rc = transfer_row_parse_all(good[i].text,
						strlen(good[i].text), "DEFAULT",
						&rows, &why);

		row_equal(good[i].sentence, buf_str(&why), "");
		row_number(good[i].sentence, rc, 0);
		row_number(good[i].sentence, rows.n, good[i].n);
		row_equal(good[i].sentence, rows.at[rows.n - 1].method,
			  good[i].method);
		row_equal(good[i].sentence, rows.at[rows.n - 1].headers,
			  good[i].headers);
		row_check(good[i].sentence,
			  strstr(rows.at[rows.n - 1].url, "://"));
		transfer_row_clear_all(&rows);
		buf_clear(&why);
	}
}

static const struct {
	const char *sentence, *text, *why;
} bad[] = {
	{ "nothing", "", "row 1: there is none" },
	{ "blanks", " \n\t\n", "row 1: there is none" },
	{ "no JSON", "{\"method\":" U, "row 1: no JSON" },
	{ "no JSON later", "{\"method\":\"GET\",\"url\":\"" U "\"} x",
	  "row 2: no JSON" },
	{ "no URL", "{\"method\":\"GET\"}", "row 1: the URL is missing" },
	{ "no method", "{\"url\":\"" U "\"}", "row 1: the method is missing" },
	{ "a method with a blank", "GET /\t{}\t" U, "row 1: the method" },
	{ "another scheme", "GET\t{}\tfile:///etc/passwd", "row 1: the URL" },
	{ "a URL with a blank", "GET\t{}\thttp://h/a b", "row 1: the URL" },
	{ "a URL with a control byte",
	  "{\"method\":\"GET\",\"url\":\"http://h/\\n\"}", "row 1: the URL" },
	{ "a header with an end of line",
	  "{\"method\":\"GET\",\"headers\":{\"x\":\"a\\r\\nb: c\"},"
	  "\"url\":\"" U "\"}",
	  "row 1: a control byte in a header" },
	{ "a header's name with a colon",
	  "{\"method\":\"GET\",\"headers\":{\"x: y\":\"a\"},\"url\":\"" U "\"}",
	  "row 1: a header's name" },
	{ "a header that is an object",
	  "{\"method\":\"GET\",\"headers\":{\"x\":{}},\"url\":\"" U "\"}",
	  "row 1: a header's value" },
	{ "headers that are a list",
	  "{\"method\":\"GET\",\"headers\":[1],\"url\":\"" U "\"}",
	  "row 1: the headers are no object" },
	{ "headers that are no JSON", "GET\tx=1\t" U, "row 1: the headers" },
	{ "arrays without end", "[[[[[[[[]]]]]]]]", "row 1: arrays in arrays" },
	{ "an answer that is an error",
	  "{\"id\":\"q\",\"data\":[],\"state\":\"Failed\",\"error\":"
	  "{\"code\":3902,\"message\":\"no presign\"}}",
	  "row 1: the answer is an error, 3902: no presign" },
	{ "an error of HTTP", "{\"error\":{\"code\":\"401\"}}",
	  "row 1: the answer is an error, 401" },
	{ "an answer whose rows are on another page",
	  "{\"id\":\"q\",\"data\":[],\"error\":null}", "row 1: there is none" },
	{ "a number", "[1]", "row 1: neither" },
	{ "two cells", "GET\t" U, "row 1: the URL" },
	{ "the third row", "GET\t{}\t" U "\nGET\t{}\t" U "\nGET\t{}\tx",
	  "row 3: the URL" },
};

static void what_is_no_row_is_refused(void **state)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct transfer_rows rows;
		int rc = transfer_row_parse_all(
			bad[i].text, strlen(bad[i].text), "GET", &rows, &why);

		row_number(bad[i].sentence, rc, -EINVAL);
		row_check(bad[i].sentence, strstr(buf_str(&why), bad[i].why));
		row_check(bad[i].sentence, !strstr(buf_str(&why), "Signature"));
		transfer_row_clear_all(&rows);
		buf_clear(&why);
	}
}

static const struct {
	const char *sentence, *url, *key, *name;
} names[] = {
	{ "a key", "https://h/b/dir/k.csv?q=/x", "b/dir/k.csv", "k.csv" },
	{ "escapes", "https://h/b/a%20b%C3%BC%2Fc", "b/a b\xc3\xbc/c", "c" },
	{ "a directory", "https://h/b/dir/", "b/dir/", "" },
	{ "no path", "https://h", "", "" },
	{ "no path but a query", "https://h?a/b", "", "" },
	{ "a broken escape", "https://h/b/%zz", "", "" },
	{ "an encoded NUL", "https://h/b/%00", "", "" },
};

static void names_of_rows(void **state)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		struct transfer_row row = { .url = (char *)names[i].url };
		struct buf key = BUF_INIT(BUF_URL), name = BUF_INIT(BUF_URL);

		transfer_row_key(&row, &key);
		transfer_row_name(&row, &name);
		row_equal(names[i].sentence, buf_str(&key), names[i].key);
		row_equal(names[i].sentence, buf_str(&name), names[i].name);
		buf_clear(&key);
		buf_clear(&name);
	}
}

SUITE(transfer_row)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read),
		cmocka_unit_test(what_is_no_row_is_refused),
		cmocka_unit_test(names_of_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
