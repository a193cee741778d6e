/* SPDX-License-Identifier: Apache-2.0 */
/* Headers out and in, and what the default judge makes of an answer. */
#include "unit.h"

#include <errno.h>

#include "net/http.h"

static const struct {
	const char *sentence;
	const char *name, *value;
	int rc;
	const char *line;
} headers_out[] = {
	{ "a header", "Range", "bytes=0-9", 0, "Range: bytes=0-9\n" },
	{ "bytes beyond ASCII pass", "x-amz-meta-n", "\xc3\xa9", 0,
	  "x-amz-meta-n: \xc3\xa9\n" },
	{ "an empty value", "x-amz-acl", "", 0, "x-amz-acl: \n" },
	{ "a line end in the value", "a", "b\r\nc: d", -EINVAL, "" },
	{ "a tab in the value", "a", "b\tc", -EINVAL, "" },
	{ "a control byte in the name", "a\n", "b", -EINVAL, "" },
	{ "a colon in the name", "a:", "b", -EINVAL, "" },
	{ "a space in the name", "a b", "b", -EINVAL, "" },
	{ "no name", "", "b", -EINVAL, "" },
};

static void test_wire_header(void **state)
{
	for (size_t i = 0; i < COUNT(headers_out); i++) {
		struct http_wire w = { .headers = BUF_INIT(1000) };

		row_number(headers_out[i].sentence,
			   http_wire_header(&w, headers_out[i].name,
					    headers_out[i].value),
			   headers_out[i].rc);
		row_equal(headers_out[i].sentence, buf_str(&w.headers),
			  headers_out[i].line);
		buf_clear(&w.headers);
	}
}

#define ANSWER \
	"etag: \"abc\"\ncontent-length: 42\nx: first\nx: second\n" \
	"empty: \nlast: 18446744073709551616"

static const struct {
	const char *sentence;
	const char *name;
	const char *value; /* NULL: absent */
	int64_t number; /* -1: none */
} headers_in[] = {
	{ "the first line", "etag", "\"abc\"", -1 },
	{ "a number", "content-length", "42", 42 },
	{ "the first of two", "x", "first", -1 },
	{ "an empty value", "empty", "", -1 },
	{ "a number that is too large", "last", "18446744073709551616", -1 },
	{ "a name that is the beginning of another", "content", NULL, -1 },
	{ "a name that stands in a value", "abc", NULL, -1 },
	{ "no such name", "date", NULL, -1 },
};

static void test_reply_header(void **state)
{
	struct http_reply r = { .headers = BUF_INIT(1000) };
	struct buf value = BUF_INIT(100);

	buf_adds(&r.headers, ANSWER);
	for (size_t i = 0; i < COUNT(headers_in); i++) {
		const char *sentence = headers_in[i].sentence;
		uint64_t number = 0;
		bool found = http_reply_header(&r, headers_in[i].name, &value);

		row_number(sentence, found, headers_in[i].value != NULL);
		row_equal(sentence, buf_str(&value),
			  headers_in[i].value ? headers_in[i].value : "");
		found = http_reply_number(&r, headers_in[i].name, &number);
		row_number(sentence, found, headers_in[i].number >= 0);
		if (found)
			row_number(sentence, number, headers_in[i].number);
	}
	buf_clear(&r.headers);
	assert_false(http_reply_header(&r, "etag", &value));
	buf_clear(&value);
}

static const struct {
	const char *sentence;
	int rc;
	long status;
	enum http_verdict verdict;
} verdicts[] = {
	{ "200", 0, 200, HTTP_DONE },
	{ "304", 0, 304, HTTP_DONE },
	{ "400", 0, 400, HTTP_DONE },
	{ "404", 0, 404, HTTP_DONE },
	{ "408", 0, 408, HTTP_RETRY },
	{ "429", 0, 429, HTTP_SLOW },
	{ "500", 0, 500, HTTP_RETRY },
	{ "501", 0, 501, HTTP_DONE },
	{ "503", 0, 503, HTTP_SLOW },
	{ "504", 0, 504, HTTP_RETRY },
	{ "505", 0, 505, HTTP_DONE },
	{ "507", 0, 507, HTTP_RETRY },
	{ "a timeout", -ETIMEDOUT, 0, HTTP_RETRY },
	{ "a refused connection", -ECONNREFUSED, 0, HTTP_RETRY },
	{ "a reset", -ECONNRESET, 0, HTTP_RETRY },
	{ "no such host", -EHOSTUNREACH, 0, HTTP_RETRY },
	{ "a body that ended early", -EPROTO, 200, HTTP_RETRY },
	{ "a wrong certificate", -EKEYREJECTED, 0, HTTP_DONE },
	{ "a cancellation", -ECANCELED, 0, HTTP_DONE },
	{ "a body that was too long", -EMSGSIZE, 200, HTTP_DONE },
};

static void test_judge(void **state)
{
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		struct http_reply r = { .rc = verdicts[i].rc,
					.status = verdicts[i].status };

		row_number(verdicts[i].sentence, http_judge_default(&r),
			   verdicts[i].verdict);
	}
}

static void test_verbs(void **state)
{
	assert_string_equal(http_verb_name(HTTP_GET), "GET");
	assert_string_equal(http_verb_name(HTTP_HEAD), "HEAD");
	assert_string_equal(http_verb_name(HTTP_PUT), "PUT");
	assert_string_equal(http_verb_name(HTTP_POST), "POST");
	assert_string_equal(http_verb_name(HTTP_DELETE), "DELETE");
}

SUITE(http)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire_header),
		cmocka_unit_test(test_reply_header),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_verbs),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
