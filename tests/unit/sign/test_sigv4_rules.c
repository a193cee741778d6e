/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of signing one by one: which bytes are encoded, how headers and
 * parameters are spelled and ordered, what is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/digest.h"
#include "sign/sigv4.h"
#include "sign/sigv4_canonical.h"
#include "suite.h"

#define KEY_ID "AKIAIOSFODNN7EXAMPLE"
#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FIELDS(a) (a), LEN(a)

static const struct sigv4_scope scope = {
	.access_key_id = KEY_ID,
	.region = "us-east-1",
	.service = "s3",
	.time = 1369353600,
};

static struct sigv4_key example_key(void)
{
	struct sigv4_key key;

	sigv4_derive(&key, "secret", scope.time, "us-east-1", "s3");
	return key;
}

static void check(const char *what, const char *want, const char *got)
{
	if (strcmp(want, got))
		fail_msg("%s:\n  want %s\n  got  %s", what, want, got);
}

struct text_row {
	const char *sentence, *in, *out;
};

static const struct text_row path_rows[] = {
	{ "a space is %20, never +", "a b", "a%20b" },
	{ "a plus sign is encoded", "a+b", "a%2Bb" },
	{ "a percent sign is encoded, even before two digits", "%41%",
	  "%2541%25" },
	{ "the unreserved bytes stay", "AZaz09-._~", "AZaz09-._~" },
	{ "other punctuation is encoded", "!*'()&=?#:@,;$[]|\\^`\"<>{}",
	  "%21%2A%27%28%29%26%3D%3F%23%3A%40%2C%3B%24%5B%5D%7C%5C%5E%60%22%3C"
	  "%3E%7B%7D" },
	{ "UTF-8 is encoded byte by byte", "\xc3\xa9\xe2\x82\xac",
	  "%C3%A9%E2%82%AC" },
	{ "bytes that are no UTF-8 are encoded as well", "\xff\x80", "%FF%80" },
	{ "control bytes are encoded", "\x01\t\n\r\x1f\x7f",
	  "%01%09%0A%0D%1F%7F" },
	{ "two slashes stay two", "a//b", "a//b" },
	{ "dot segments stay", "a/./b/../c", "a/./b/../c" },
	{ "a slash at either end stays", "/a/", "/a/" },
	{ "no key is no path", "", "" },
};

static void key_bytes(void **state)
{
	for (size_t i = 0; i < LEN(path_rows); i++) {
		struct buf got = BUF_INIT(BUF_URL);

		sigv4_encode_path(&got, path_rows[i].in);
		check(path_rows[i].sentence, path_rows[i].out, buf_str(&got));
		buf_clear(&got);
	}
}

static void wire_query(void **state)
{
	static const struct field query[] = {
		{ "prefix", "a/b +" },
		{ "delimiter", "/" },
		{ "uploads", "" },
		{ "a=b", "c&d" },
	};
	struct buf got = BUF_INIT(BUF_URL);

	sigv4_encode_query(&got, query, LEN(query));
	check("the query keeps its order; slashes and all are encoded",
	      "prefix=a%2Fb%20%2B&delimiter=%2F&uploads=&a%3Db=c%26d",
	      buf_str(&got));
	buf_reset(&got);
	sigv4_encode_query(&got, NULL, 0);
	check("no parameters are no bytes", "", buf_str(&got));
	buf_clear(&got);
}

struct canonical_header_row {
	const char *sentence;
	struct field headers[4];
	size_t n;
	const char *lines, *names;
};

static const struct canonical_header_row canonical_header_rows[] = {
	{ "host alone", { { 0 } }, 0, "host:h\n", "host" },
	{ "names are sorted by their lower case",
	  { { "X-Amz-Date", "d" }, { "Accept", "a" }, { "x-amz-Acl", "p" } },
	  3,
	  "accept:a\nhost:h\nx-amz-acl:p\nx-amz-date:d\n",
	  "accept;host;x-amz-acl;x-amz-date" },
	{ "values are trimmed, white space within becomes one space",
	  { { "a", " \t x  y\t\tz \t" }, { "b", "\"q  r\"" }, { "c", "  " } },
	  3,
	  "a:x y z\nb:\"q r\"\nc:\nhost:h\n",
	  "a;b;c;host" },
	{ "a repeated name is joined by commas in the order of the request",
	  { { "p", "z" }, { "a", "1" }, { "P", "a" }, { "p", "" } },
	  4,
	  "a:1\nhost:h\np:z,a,\n",
	  "a;host;p" },
	{ "bytes above ASCII stay as they are",
	  { { "a", "\xc3\xa9" } },
	  1,
	  "a:\xc3\xa9\nhost:h\n",
	  "a;host" },
};

static void header_rules(void **state)
{
	for (size_t i = 0; i < LEN(canonical_header_rows); i++) {
		const struct canonical_header_row *row =
			&canonical_header_rows[i];
		struct sigv4_request r = { .method = "GET",
					   .host = "h",
					   .path = "/",
					   .headers = row->headers,
					   .n_headers = row->n };
		struct buf lines = BUF_INIT(4096), names = BUF_INIT(4096);

		assert_int_equal(sigv4_canonical_headers(&r, &lines, &names),
				 0);
		check(row->sentence, row->lines, buf_str(&lines));
		check(row->sentence, row->names, buf_str(&names));
		buf_clear(&lines);
		buf_clear(&names);
	}
}

static void query_rules(void **state)
{
	static const struct field query[] = {
		{ "b", "2" }, { "b", "10" }, { "a b", "" },
		{ "a", "~" }, { "a-", "x" }, { "B", "/" },
	};
	struct buf got = BUF_INIT(4096);

	assert_int_equal(sigv4_canonical_query(FIELDS(query), &got), 0);
	check("sorted by encoded name, then by encoded value",
	      "B=%2F&a=~&a%20b=&a-=x&b=10&b=2", buf_str(&got));
	buf_clear(&got);
}

struct bad_row {
	const char *sentence;
	struct sigv4_request request;
	const char *key_id;
	int64_t expires;
};

static const struct field newline_value[] = { { "a", "b\nhost:evil" } };
static const struct field return_value[] = { { "a", "b\rc" } };
static const struct field delete_value[] = { { "a", "b\x7f" } };
static const struct field newline_name[] = { { "a\nb", "c" } };
static const struct field colon_name[] = { { "a:b", "c" } };
static const struct field empty_name[] = { { "", "c" } };
static const struct field second_host[] = { { "Host", "evil" } };
static const struct field many[SIGV4_FIELDS_MAX + 1] = { { "", "" } };

static const struct bad_row bad_rows[] = {
	{ "a newline in a header's value is refused",
	  { "GET", "h", "/", NULL, 0, FIELDS(newline_value) },
	  KEY_ID,
	  60 },
	{ "a carriage return in a header's value is refused",
	  { "GET", "h", "/", NULL, 0, FIELDS(return_value) },
	  KEY_ID,
	  60 },
	{ "a DEL in a header's value is refused",
	  { "GET", "h", "/", NULL, 0, FIELDS(delete_value) },
	  KEY_ID,
	  60 },
	{ "a newline in a header's name is refused",
	  { "GET", "h", "/", NULL, 0, FIELDS(newline_name) },
	  KEY_ID,
	  60 },
	{ "a colon in a header's name is refused",
	  { "GET", "h", "/", NULL, 0, FIELDS(colon_name) },
	  KEY_ID,
	  60 },
	{ "a header without a name is refused",
	  { "GET", "h", "/", NULL, 0, FIELDS(empty_name) },
	  KEY_ID,
	  60 },
	{ "a second host is refused",
	  { "GET", "h", "/", NULL, 0, FIELDS(second_host) },
	  KEY_ID,
	  60 },
	{ "too many headers are refused",
	  { "GET", "h", "/", NULL, 0, FIELDS(many) },
	  KEY_ID,
	  60 },
	{ "too many parameters are refused",
	  { "GET", "h", "/", FIELDS(many) },
	  KEY_ID,
	  60 },
	{ "a host with a newline is refused",
	  { "GET", "h\nx", "/" },
	  KEY_ID,
	  60 },
	{ "no host is refused", { "GET", "", "/" }, KEY_ID, 60 },
	{ "a method with a newline is refused",
	  { "GET\n", "h", "/" },
	  KEY_ID,
	  60 },
	{ "no method is refused", { "", "h", "/" }, KEY_ID, 60 },
	{ "a path that is not encoded is refused",
	  { "GET", "h", "/a b" },
	  KEY_ID,
	  60 },
	{ "a path with a query in it is refused",
	  { "GET", "h", "/a?b" },
	  KEY_ID,
	  60 },
	{ "a path with raw UTF-8 is refused",
	  { "GET", "h", "/\xc3\xa9" },
	  KEY_ID,
	  60 },
	{ "a key id with a newline is refused",
	  { "GET", "h", "/" },
	  "AK\nX",
	  60 },
	{ "no key id is refused", { "GET", "h", "/" }, "", 60 },
	{ "a payload hash with a newline is refused",
	  { "GET", "h", "/", NULL, 0, NULL, 0, "a\nb" },
	  KEY_ID,
	  60 },
};

static void bad_requests(void **state)
{
	struct sigv4_key key = example_key();

	for (size_t i = 0; i < LEN(bad_rows); i++) {
		const struct bad_row *row = &bad_rows[i];
		struct sigv4_scope s = scope;
		struct buf got = BUF_INIT(BUF_URL);

		s.access_key_id = row->key_id;
		buf_adds(&got, "x");
		if (sigv4_authorize(&key, &s, &row->request, &got) != -EINVAL ||
		    sigv4_presign(&key, &s, &row->request, row->expires,
				  &got) != -EINVAL)
			fail_msg("%s", row->sentence);
		check(row->sentence, "x", buf_str(&got));
		buf_clear(&got);
	}
}

static void expiry_bounds(void **state)
{
	static const struct {
		const char *sentence;
		int64_t expires;
		int rc;
	} rows[] = {
		{ "one second is enough", 1, 0 },
		{ "a week is the most", 604800, 0 },
		{ "nothing is no time", 0, -EINVAL },
		{ "a second more than a week is refused", 604801, -EINVAL },
		{ "the past is refused", -1, -EINVAL },
		{ "the far future is refused", INT64_MAX, -EINVAL },
	};
	const struct sigv4_request request = { "GET", "h", "/k" };
	struct sigv4_key key = example_key();

	for (size_t i = 0; i < LEN(rows); i++) {
		struct buf got = BUF_INIT(BUF_URL);
		int rc = sigv4_presign(&key, &scope, &request, rows[i].expires,
				       &got);

		if (rc != rows[i].rc)
			fail_msg("%s: %d", rows[i].sentence, rc);
		buf_clear(&got);
	}
}

static void limits(void **state)
{
	static char token[20000];
	struct sigv4_request request = { "GET", "h", "/k" };
	struct sigv4_key key = example_key();
	struct sigv4_scope s = scope;
	struct buf small = BUF_INIT(64);
	struct buf large = BUF_INIT(CANONICAL_MAX);

	buf_adds(&small, "before");
	assert_int_equal(sigv4_presign(&key, &s, &request, 60, &small),
			 -EMSGSIZE);
	check("a URL that does not fit leaves nothing of itself", "before",
	      buf_str(&small));
	memset(token, '/', sizeof(token) - 1);
	s.session_token = token;
	assert_int_equal(sigv4_presign(&key, &s, &request, 60, &large), 0);
	assert_true(large.len > 3 * strlen(token));
	buf_clear(&small);
	buf_clear(&large);
}

SUITE(sigv4_rules)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_bytes),    cmocka_unit_test(wire_query),
		cmocka_unit_test(header_rules), cmocka_unit_test(query_rules),
		cmocka_unit_test(bad_requests), cmocka_unit_test(expiry_bounds),
		cmocka_unit_test(limits),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("sigv4 rules", tests, NULL, NULL);
}
