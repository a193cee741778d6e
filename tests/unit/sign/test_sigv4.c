/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vectors that AWS publishes, those that its JavaScript SDK makes for
 * awkward keys, and the rules one by one. tests/vectors/sigv4-botocore.py
 * compares with another implementation by the thousand.
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
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define DAY 1369353600 /* 2013-05-24T00:00:00Z */
#define AMZ_DATE "20130524T000000Z"
#define BUCKET_HOST "examplebucket.s3.amazonaws.com"
#define CREDENTIAL KEY_ID "/20130524/us-east-1/s3/aws4_request"
#define CREDENTIAL_ENCODED KEY_ID "%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
#define WELCOME_HASH \
	"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FIELDS(a) (a), LEN(a)

static const struct sigv4_scope scope = {
	.access_key_id = KEY_ID,
	.region = "us-east-1",
	.service = "s3",
	.time = DAY,
};

static struct sigv4_key example_key(void)
{
	struct sigv4_key key;

	sigv4_derive(&key, SECRET, DAY, "us-east-1", "s3");
	return key;
}

static void check(const char *what, const char *want, const char *got)
{
	if (strcmp(want, got))
		fail_msg("%s:\n  want %s\n  got  %s", what, want, got);
}

static const struct field empty_and_date[] = {
	{ "x-amz-content-sha256", SIGV4_EMPTY_PAYLOAD },
	{ "x-amz-date", AMZ_DATE },
};

static const struct field range[] = {
	{ "Range", "bytes=0-9" },
	{ "x-amz-content-sha256", SIGV4_EMPTY_PAYLOAD },
	{ "x-amz-date", AMZ_DATE },
};

static const struct field put[] = {
	{ "Date", "Fri, 24 May 2013 00:00:00 GMT" },
	{ "x-amz-date", AMZ_DATE },
	{ "x-amz-storage-class", "REDUCED_REDUNDANCY" },
	{ "x-amz-content-sha256", WELCOME_HASH },
};

static const struct field chunked[] = {
	{ "content-encoding", "aws-chunked" },
	{ "content-length", "66824" },
	{ "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
	{ "x-amz-date", AMZ_DATE },
	{ "x-amz-decoded-content-length", "66560" },
	{ "x-amz-storage-class", "REDUCED_REDUNDANCY" },
};

static const struct field trailer[] = {
	{ "content-encoding", "aws-chunked" },
	{ "x-amz-content-sha256",
	  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" },
	{ "x-amz-date", AMZ_DATE },
	{ "x-amz-decoded-content-length", "66560" },
	{ "x-amz-storage-class", "REDUCED_REDUNDANCY" },
	{ "x-amz-trailer", "x-amz-checksum-crc32c" },
};

static const struct field lifecycle[] = { { "lifecycle", "" } };
static const struct field listing[] = {
	{ "prefix", "J" },
	{ "max-keys", "2" },
};

struct header_row {
	const char *sentence;
	struct sigv4_request request;
	const char *canonical_hash; /* NULL: not published */
	const char *signed_headers;
	const char *signature;
};

static const struct header_row header_rows[] = {
	{ "AWS' example: a GET of the first ten bytes",
	  { "GET", BUCKET_HOST, "/test.txt", NULL, 0, FIELDS(range),
	    SIGV4_EMPTY_PAYLOAD },
	  "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
	  "host;range;x-amz-content-sha256;x-amz-date",
	  "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
	{ "AWS' example: a PUT of a key with a dollar sign",
	  { "PUT", BUCKET_HOST, "/test%24file.text", NULL, 0, FIELDS(put),
	    WELCOME_HASH },
	  "9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
	  "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
	  "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
	{ "AWS' example: a parameter without a value",
	  { "GET", BUCKET_HOST, "/", FIELDS(lifecycle), FIELDS(empty_and_date),
	    SIGV4_EMPTY_PAYLOAD },
	  "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
	  "host;x-amz-content-sha256;x-amz-date",
	  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
	{ "AWS' example: two parameters, sorted, and an empty path",
	  { "GET", BUCKET_HOST, "", FIELDS(listing), FIELDS(empty_and_date),
	    SIGV4_EMPTY_PAYLOAD },
	  "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
	  "host;x-amz-content-sha256;x-amz-date",
	  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
	{ "AWS' example: the seed of a chunked upload",
	  { "PUT", "s3.amazonaws.com", "/examplebucket/chunkObject.txt", NULL,
	    0, FIELDS(chunked), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
	  NULL,
	  "content-encoding;content-length;host;x-amz-content-sha256;"
	  "x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
	  "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9" },
	{ "AWS' example: the seed of a chunked upload with a trailer",
	  { "PUT", "s3.amazonaws.com", "/examplebucket/chunkObject.txt", NULL,
	    0, FIELDS(trailer), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" },
	  NULL,
	  "content-encoding;host;x-amz-content-sha256;x-amz-date;"
	  "x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
	  "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e" },
};

static void check_canonical_hash(const struct header_row *row)
{
	struct buf lines = BUF_INIT(CANONICAL_MAX);
	struct buf names = BUF_INIT(CANONICAL_MAX);
	struct buf text = BUF_INIT(CANONICAL_MAX);
	char hash[SHA256_HEX_SIZE];

	assert_int_equal(sigv4_canonical_headers(&row->request, &lines, &names),
			 0);
	check(row->sentence, row->signed_headers, buf_str(&names));
	assert_int_equal(sigv4_canonical_request(&row->request, buf_str(&lines),
						 buf_str(&names),
						 row->request.query,
						 row->request.n_query, &text),
			 0);
	sha256_hex(text.data, text.len, hash);
	if (row->canonical_hash)
		check(row->sentence, row->canonical_hash, hash);
	buf_clear(&lines);
	buf_clear(&names);
	buf_clear(&text);
}

static void published_headers(void **state)
{
	struct sigv4_key key = example_key();

	for (size_t i = 0; i < LEN(header_rows); i++) {
		const struct header_row *row = &header_rows[i];
		struct buf got = BUF_INIT(BUF_LINE);
		struct buf want = BUF_INIT(BUF_LINE);

		check_canonical_hash(row);
		assert_int_equal(
			sigv4_authorize(&key, &scope, &row->request, &got), 0);
		buf_addf(&want,
			 "AWS4-HMAC-SHA256 Credential=" CREDENTIAL
			 ", SignedHeaders=%s, Signature=%s",
			 row->signed_headers, row->signature);
		check(row->sentence, buf_str(&want), buf_str(&got));
		buf_clear(&got);
		buf_clear(&want);
	}
}

static const struct field sdk_get[] = {
	{ "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD" },
	{ "response-content-disposition", "attachment; filename=\"a b.txt\"" },
	{ "x-amz-checksum-mode", "ENABLED" },
	{ "x-id", "GetObject" },
};

static const struct field sdk_token[] = {
	{ "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD" },
	{ "x-amz-checksum-mode", "ENABLED" },
	{ "x-id", "GetObject" },
};

static const struct field sdk_put[] = {
	{ "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD" },
	{ "x-id", "PutObject" },
};

static const struct field pinned[] = {
	{ "Content-Length", "5" },
	{ "Content-Type", "text/plain" },
	{ "x-amz-meta-foo", "bar" },
};

#define AUTH_QUERY(expires) \
	"X-Amz-Algorithm=AWS4-HMAC-SHA256" \
	"&X-Amz-Credential=" CREDENTIAL_ENCODED "&X-Amz-Date=" AMZ_DATE \
	"&X-Amz-Expires=" expires

struct query_row {
	const char *sentence;
	struct sigv4_request request;
	const char *token;
	int64_t expires;
	const char *query;
};

static const struct query_row query_rows[] = {
	{ "AWS' example: a download URL for a day",
	  { "GET", BUCKET_HOST, "/test.txt" },
	  NULL,
	  86400,
	  AUTH_QUERY("86400") "&X-Amz-SignedHeaders=host&X-Amz-Signature="
			      "aeeed9bbccd4d02ee5c0109b86d86835"
			      "f995330da4c265957d157751f604d404" },
	{ "the JavaScript SDK's: every special byte in a key, path-style",
	  { "GET", "127.0.0.1:9000",
	    "/b/a%20b%2Bc/d..e/%C3%A9~%21%2A%27%28%29%26%3D%3F%23%2541%3A%40"
	    "%2C%3B%24/./x//y",
	    FIELDS(sdk_get) },
	  NULL,
	  600,
	  "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"
	  "&response-content-disposition="
	  "attachment%3B%20filename%3D%22a%20b.txt%22"
	  "&x-amz-checksum-mode=ENABLED&x-id=GetObject"
	  "&" AUTH_QUERY("600") "&X-Amz-SignedHeaders=host&X-Amz-Signature="
				"188789987c40b881908d06df274ed226"
				"76a21dc1906ea96fcb604fb8dcef5aa2" },
	{ "the JavaScript SDK's: an upload with its length and type pinned",
	  { "PUT", "127.0.0.1:9000", "/b/k", FIELDS(sdk_put), FIELDS(pinned) },
	  NULL,
	  600,
	  "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&x-id=PutObject"
	  "&" AUTH_QUERY("600") "&X-Amz-SignedHeaders=content-length%3B"
				"content-type%3Bhost%3Bx-amz-meta-foo"
				"&X-Amz-Signature="
				"68774c999cddbddb180ccdf41ad1891a"
				"fb42c25f10412bf753bb4dad5dedac1c" },
	{ "the JavaScript SDK's: a session token is signed, before the headers",
	  { "GET", "s3.us-east-1.amazonaws.com", "/b/k", FIELDS(sdk_token) },
	  "TOK/EN+=",
	  600,
	  "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&x-amz-checksum-mode=ENABLED"
	  "&x-id=GetObject"
	  "&" AUTH_QUERY("600") "&X-Amz-Security-Token=TOK%2FEN%2B%3D"
				"&X-Amz-SignedHeaders=host&X-Amz-Signature="
				"70d29145ee1c7620a29fbce2b4615f7f"
				"132d3e9e6106d0033271700d7b6fad13" },
};

static void published_queries(void **state)
{
	struct sigv4_key key = example_key();

	for (size_t i = 0; i < LEN(query_rows); i++) {
		const struct query_row *row = &query_rows[i];
		struct sigv4_scope s = scope;
		struct buf got = BUF_INIT(BUF_URL);

		s.session_token = row->token;
		assert_int_equal(sigv4_presign(&key, &s, &row->request,
					       row->expires, &got),
				 0);
		check(row->sentence, row->query, buf_str(&got));
		buf_clear(&got);
	}
}

static void derived_key(void **state)
{
	/* AWS General Reference, "Examples of how to derive a signing key". */
	static const unsigned char published[] = {
		0xc4, 0xaf, 0xb1, 0xcc, 0x57, 0x71, 0xd8, 0x71,
		0x76, 0x3a, 0x39, 0x3e, 0x44, 0xb7, 0x03, 0x57,
		0x1b, 0x55, 0xcc, 0x28, 0x42, 0x4d, 0x1a, 0x5e,
		0x86, 0xda, 0x6e, 0xd3, 0xc1, 0x54, 0xa4, 0xb9,
	};
	unsigned char got[SHA256_SIZE], want[SHA256_SIZE];
	struct sigv4_key key;

	/* 2015-08-30T12:36:00Z */
	sigv4_derive(&key, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		     1440938160, "us-east-1", "iam");
	hmac_key_sign(&key.hmac, "text", 4, got);
	hmac_sha256(published, sizeof(published), "text", 4, want);
	assert_memory_equal(got, want, sizeof(want));
}

SUITE(sigv4)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derived_key),
		cmocka_unit_test(published_headers),
		cmocka_unit_test(published_queries),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);
}
