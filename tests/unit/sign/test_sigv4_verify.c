/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sigv4_presign() signs is accepted, and nothing else: rows of requests
 * that differ from a right one in one thing, and every byte of one changed.
 */
#include "unit.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "sign/sigv4.h"
#include "sign/sigv4_verify.h"

#define KEY_ID "AKIDLOCAL0123456789"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define HOST "127.0.0.1:8000"
#define PATH "/storage/stage/internal/s/b%20%2B%C3%A9.csv"
#define SIGNED_AT 1369353600 /* 2013-05-24T00:00:00Z */
#define EXPIRES 3600
#define FIELDS 24

static const struct sigv4_trust trust = {
	KEY_ID, SECRET, "us-east-1", "s3", SIGNED_AT + 10,
};

/* The target of a request as sigv4_presign() signs it. */
static void sign_target(struct buf *out, const char *method, const char *path,
			const struct field *query, size_t n_query,
			const struct field *headers, size_t n_headers)
{
	const struct sigv4_scope scope = { KEY_ID, NULL, "us-east-1", "s3",
					   SIGNED_AT };
	const struct sigv4_request request = {
		.method = method,
		.host = HOST,
		.path = path,
		.query = query,
		.n_query = n_query,
		.headers = headers,
		.n_headers = n_headers,
	};
	struct sigv4_key key;

	buf_adds(out, path);
	buf_addc(out, '?');
	sigv4_derive(&key, SECRET, SIGNED_AT, "us-east-1", "s3");
	assert_int_equal(sigv4_presign(&key, &scope, &request, EXPIRES, out),
			 0);
}

static enum sigv4_verdict verify(const char *method, const char *target,
				 const struct field *headers, size_t n,
				 const struct sigv4_trust *t, struct buf *why)
{
	const struct sigv4_received r = { method, target, headers, n };

	return sigv4_verify(&r, t, why);
}

/* ---- rows: a signed request, and what came of it ---- */

struct row {
	const char *sentence;
	enum sigv4_verdict want;
	const char *method; /* that came; NULL: PUT, which was signed */
	const char *find, *replace; /* in the target, once */
	const char *append; /* to the target */
	struct field came[6]; /* headers; none: those signed */
	int64_t later; /* seconds after the signature */
	const char *key_id, *secret, *region; /* of the verifier */
};

/* What is signed: host and these. */
static const struct field signed_headers[] = {
	{ "content-type", "text/csv" },
	{ "x-amz-meta-a", "one  two" },
};
#define HOST_ROW \
	{ \
		"Host", HOST \
	}
#define TYPE_ROW \
	{ \
		"Content-Type", "text/csv" \
	}
#define META_ROW \
	{ \
		"X-Amz-Meta-A", " one two " \
	}

static const struct row rows[] = {
	{ "the request that was signed", SIGV4_VALID },
	{ "in its last second", SIGV4_VALID, .later = EXPIRES },
	{ "a second after that", SIGV4_EXPIRED, .later = EXPIRES + 1 },
	{ "a clock that is 15 minutes behind", SIGV4_VALID, .later = -900 },
	{ "one that is more behind", SIGV4_NOT_YET, .later = -901 },
	{ "another method", SIGV4_MISMATCH, .method = "GET" },
	{ "a method in lower case", SIGV4_MISMATCH, .method = "put" },
	{ "another key id", SIGV4_UNKNOWN_KEY, .key_id = "AKIDOTHER" },
	{ "a key id that begins the same", SIGV4_UNKNOWN_KEY,
	  .key_id = KEY_ID "9" },
	{ "a key that was rotated", SIGV4_MISMATCH, .secret = "other" },
	{ "another region", SIGV4_MALFORMED, .region = "eu-west-1" },
	{ "a credential of another day", SIGV4_MALFORMED, .find = "%2F20130524",
	  .replace = "%2F20130525" },
	{ "a credential of another service", SIGV4_MALFORMED,
	  .find = "%2Fs3%2F", .replace = "%2Fs4%2F" },
	{ "a credential without a key", SIGV4_MALFORMED, .find = KEY_ID "%2F",
	  .replace = "" },
	{ "slashes of the credential as they are", SIGV4_VALID,
	  .find = "%2Fus-east-1%2F", .replace = "/us-east-1/" },
	{ "escapes of the query in lower case", SIGV4_VALID, .find = "%2Fs3",
	  .replace = "%2fs3" },
	{ "escapes of the path in lower case", SIGV4_MISMATCH, .find = "%2B",
	  .replace = "%2b" },
	{ "an escape of the path decoded", SIGV4_MISMATCH, .find = "%2B",
	  .replace = "+" },
	{ "a letter of the path encoded", SIGV4_MISMATCH, .find = "/s/b",
	  .replace = "/s/%62" },
	{ "a doubled slash in the path", SIGV4_MISMATCH, .find = "/s/b",
	  .replace = "/s//b" },
	{ "a dot segment in the path", SIGV4_MISMATCH, .find = "/s/b",
	  .replace = "/s/./b" },
	{ "an encoded NUL in the path", SIGV4_MALFORMED, .find = "/s/b",
	  .replace = "/s%00/b" },
	{ "a broken escape in the path", SIGV4_MALFORMED, .find = "/s/b",
	  .replace = "/s%2/b" },
	{ "a byte above ASCII in the path", SIGV4_MALFORMED, .find = "%C3%A9",
	  .replace = "\xc3\xa9" },
	{ "an encoded NUL in the query", SIGV4_MALFORMED, .append = "&a=%00" },
	{ "a parameter more", SIGV4_MISMATCH, .append = "&a=b" },
	{ "a parameter more without a value", SIGV4_MISMATCH,
	  .append = "&acl" },
	{ "an empty pair more", SIGV4_MALFORMED, .append = "&" },
	{ "a pair without a name", SIGV4_MALFORMED, .append = "&=a" },
	{ "the expiry given again", SIGV4_MALFORMED,
	  .append = "&X-Amz-Expires=604800" },
	{ "and in other letters", SIGV4_MALFORMED,
	  .append = "&x-amz-expires=604800" },
	{ "and with an escape in its name", SIGV4_MALFORMED,
	  .append = "&X%2DAmz-Expires=604800" },
	{ "the signature given again", SIGV4_MALFORMED,
	  .append = "&X-Amz-Signature=00" },
	{ "the signature cut", SIGV4_MISMATCH,
	  .find = "X-Amz-Signature=", .replace = "X-Amz-Signature=&b=" },
	{ "no signature", SIGV4_MALFORMED,
	  .find = "X-Amz-Signature=", .replace = "a=" },
	{ "no algorithm", SIGV4_MALFORMED,
	  .find = "X-Amz-Algorithm=", .replace = "a=" },
	{ "another algorithm", SIGV4_MALFORMED, .find = "HMAC-SHA256",
	  .replace = "HMAC-SHA1" },
	{ "no date", SIGV4_MALFORMED, .find = "X-Amz-Date=", .replace = "a=" },
	{ "a date that there is not", SIGV4_MALFORMED, .find = "Date=20130524",
	  .replace = "Date=20130230" },
	{ "a date with a sign", SIGV4_MALFORMED, .find = "Date=2013",
	  .replace = "Date=+013" },
	{ "a later date of the same day", SIGV4_MISMATCH, .find = "T000000Z",
	  .replace = "T000001Z" },
	{ "a longer life", SIGV4_MISMATCH, .find = "Expires=3600",
	  .replace = "Expires=7200" },
	{ "a life that is too long", SIGV4_MALFORMED, .find = "Expires=3600",
	  .replace = "Expires=604801" },
	{ "no life", SIGV4_MALFORMED, .find = "Expires=3600",
	  .replace = "Expires=0" },
	{ "a life with a sign", SIGV4_MALFORMED, .find = "Expires=3600",
	  .replace = "Expires=-1" },
	{ "the host not among the signed headers", SIGV4_MALFORMED,
	  .find = "%3Bhost%3B", .replace = "%3B" },
	{ "a signed header taken off the list", SIGV4_UNSIGNED_HEADER,
	  .find = "%3Bx-amz-meta-a", .replace = "" },
	{ "one that need not be signed taken off", SIGV4_MISMATCH,
	  .find = "content-type%3B", .replace = "" },
	{ "the list in another order", SIGV4_MALFORMED,
	  .find = "content-type%3Bhost", .replace = "host%3Bcontent-type" },
	{ "a name on the list twice", SIGV4_MALFORMED, .find = "host",
	  .replace = "host%3Bhost" },
	{ "an empty name on the list", SIGV4_MALFORMED, .find = "%3Bhost",
	  .replace = "%3B%3Bhost" },
	{ "the list in upper case", SIGV4_MALFORMED, .find = "host",
	  .replace = "Host" },
	{ "a signed header that did not come", SIGV4_MISMATCH,
	  .came = { HOST_ROW, TYPE_ROW } },
	{ "a signed header with another value", SIGV4_MISMATCH,
	  .came = { HOST_ROW, { "Content-Type", "text/html" }, META_ROW } },
	{ "a signed header that came twice", SIGV4_MISMATCH,
	  .came = { HOST_ROW,
		    TYPE_ROW,
		    META_ROW,
		    { "x-amz-meta-a", "three" } } },
	{ "a header with a control byte", SIGV4_MALFORMED,
	  .came = { HOST_ROW, { "Content-Type", "text/csv\x01" }, META_ROW } },
	{ "another host", SIGV4_MISMATCH,
	  .came = { { "Host", "localhost:8000" }, TYPE_ROW, META_ROW } },
	{ "two hosts", SIGV4_MALFORMED,
	  .came = { HOST_ROW, TYPE_ROW, META_ROW, HOST_ROW } },
	{ "no host", SIGV4_MISMATCH, .came = { TYPE_ROW, META_ROW } },
	{ "headers that nobody signs", SIGV4_VALID,
	  .came = { { "Accept", "*/*" },
		    HOST_ROW,
		    TYPE_ROW,
		    META_ROW,
		    { "Range", "bytes=0-1" } } },
	{ "an x-amz- header that nobody signed", SIGV4_UNSIGNED_HEADER,
	  .came = { HOST_ROW,
		    TYPE_ROW,
		    META_ROW,
		    { "X-Amz-Meta-B", "evil" } } },
	{ "whatever it is for", SIGV4_UNSIGNED_HEADER,
	  .came = { HOST_ROW,
		    TYPE_ROW,
		    META_ROW,
		    { "x-AMZ-copy-source", "/a/b" } } },
};

static void replace(struct buf *b, const char *find, const char *by)
{
	const char *at = strstr(buf_str(b), find);
	struct buf out = BUF_INIT(BUF_URL);

	assert_non_null(at);
	buf_add(&out, b->data, (size_t)(at - b->data));
	buf_adds(&out, by);
	buf_adds(&out, at + strlen(find));
	buf_clear(b);
	*b = out;
}

static void try_row(const struct row *row)
{
	static const struct field all[] = { HOST_ROW, TYPE_ROW, META_ROW };
	struct sigv4_trust t = trust;
	struct buf target = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);
	const struct field *came = row->came;
	enum sigv4_verdict got;
	size_t n = 0;

	sign_target(&target, "PUT", PATH, NULL, 0, signed_headers,
		    COUNT(signed_headers));
	if (row->find)
		replace(&target, row->find, row->replace);
	buf_adds(&target, row->append ? row->append : "");
	t.now = SIGNED_AT + row->later;
	t.access_key_id = row->key_id ? row->key_id : KEY_ID;
	t.secret = row->secret ? row->secret : SECRET;
	t.region = row->region ? row->region : "us-east-1";
	while (n < COUNT(row->came) && came[n].name)
		n++;
	if (!n) {
		came = all;
		n = COUNT(all);
	}
	got = verify(row->method ? row->method : "PUT", buf_str(&target), came,
		     n, &t, &why);
	row_number(row->sentence, got, row->want);
	row_check(row->sentence, !got == !why.len);
	row_check(row->sentence, !strstr(buf_str(&why), SECRET));
	row_check(row->sentence, !got == !sigv4_verify_code(got));
	buf_clear(&target);
	buf_clear(&why);
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		try_row(&rows[i]);
}

/* Every byte of the target, each replaced by some other ones. */
static void test_every_byte(void **state)
{
	static const struct field query[] = {
		{ "response-content-type", "text/plain; charset=utf-8" },
		{ "versionId", "null" },
	};
	static const struct field came[] = { HOST_ROW };
	static const char others[] = "x/Z0=&%;";
	struct buf target = BUF_INIT(BUF_URL), why = BUF_INIT(1 << 20);

	sign_target(&target, "GET", PATH, query, COUNT(query), NULL, 0);
	assert_int_equal(verify("GET", buf_str(&target), came, 1, &trust, &why),
			 0);
	for (size_t i = 0; i < target.len; i++) {
		char was = target.data[i];

		for (const char *c = others; *c; c++) {
			char sentence[64];

			target.data[i] = *c;
			snprintf(sentence, sizeof(sentence),
				 "byte %zu is %c, was %c", i, *c, was);
			row_check(sentence,
				  *c == was || verify("GET", buf_str(&target),
						      came, 1, &trust, &why));
			buf_reset(&why);
		}
		target.data[i] = was;
	}
	buf_clear(&target);
	buf_clear(&why);
}

/* Every order of parameters is the same request. */
static void test_order(void **state)
{
	static const struct field came[] = { HOST_ROW };
	struct buf target = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);
	struct buf turned = BUF_INIT(BUF_URL);
	const char *query, *amp;

	sign_target(&target, "GET", PATH, NULL, 0, NULL, 0);
	query = strchr(buf_str(&target), '?') + 1;
	amp = strchr(query, '&');
	buf_addf(&turned, "%s?%s&%.*s", PATH, amp + 1, (int)(amp - query),
		 query);
	assert_int_equal(verify("GET", buf_str(&turned), came, 1, &trust, &why),
			 0);
	buf_clear(&target);
	buf_clear(&turned);
	buf_clear(&why);
}

/* As "Authenticating Requests: Using Query Parameters" has it. */
static void test_published(void **state)
{
	static const struct sigv4_trust aws = {
		"AKIAIOSFODNN7EXAMPLE",
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"us-east-1",
		"s3",
		SIGNED_AT,
	};
	static const char target[] =
		"/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1"
		"%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
		"&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
		"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c"
		"265957d157751f604d404";
	static const struct field came[] = {
		{ "Host", "examplebucket.s3.amazonaws.com" },
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);

	assert_int_equal(verify("GET", target, came, 1, &aws, &why), 0);
	buf_clear(&why);
}

static const struct {
	const char *sentence, *target;
	enum sigv4_verdict want;
} bare[] = {
	{ "no query at all", "/storage/a", SIGV4_NO_SIGNATURE },
	{ "an empty query", "/storage/a?", SIGV4_NO_SIGNATURE },
	{ "a query of something else", "/storage/a?b=c", SIGV4_NO_SIGNATURE },
	{ "the signature alone", "/storage/a?X-Amz-Signature=00",
	  SIGV4_MALFORMED },
	{ "the parameters of SigV2",
	  "/storage/a?AWSAccessKeyId=a&Signature=b&Expires=1",
	  SIGV4_NO_SIGNATURE },
};

static void test_bare(void **state)
{
	static const struct field came[] = { HOST_ROW };
	struct buf why = BUF_INIT(BUF_MESSAGE);

	for (size_t i = 0; i < COUNT(bare); i++) {
		row_number(bare[i].sentence,
			   verify("GET", bare[i].target, came, 1, &trust, &why),
			   bare[i].want);
		row_check(bare[i].sentence, why.len);
		buf_reset(&why);
	}
	buf_clear(&why);
}

/* More than any client signs: refused, not a crash. */
static void test_many(void **state)
{
	static const struct field came[] = { HOST_ROW };
	struct buf target = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);

	sign_target(&target, "GET", PATH, NULL, 0, NULL, 0);
	for (int i = 0; i < 100; i++)
		buf_addf(&target, "&p%d=1", i);
	assert_int_equal(verify("GET", buf_str(&target), came, 1, &trust, &why),
			 SIGV4_MALFORMED);
	buf_clear(&target);
	buf_clear(&why);
}

SUITE(sigv4_verify)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),  cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_order), cmocka_unit_test(test_published),
		cmocka_unit_test(test_bare),  cmocka_unit_test(test_many),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
