/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the signer adds to sigv4: the three headers, the kept keys, the end of
 * a URL. The signatures themselves are compared with those that sigv4 makes
 * of the same request by a key that was derived for the occasion.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "auth/signer.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "suite.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FIELDS(a) (a), LEN(a)
#define DAY 86400
#define NOON 1369396800 /* 2013-05-24T12:00:00Z */

static const struct field meta[] = { { "x-amz-meta-a", "b" } };
static const struct field listing[] = { { "prefix", "a b/" } };
static const struct field many[SIGV4_FIELDS_MAX];

static struct signer *static_signer(const char *token)
{
	const struct cred_settings s = {
		.credentials = "static",
		.access_key_id = "AK",
		.secret_access_key = "SK",
		.session_token = token,
	};

	return signer_new(cred_cache_new(&s), "s3");
}

/* From the environment, which may bear an end. */
static struct signer *env_signer(const char *end)
{
	const struct cred_settings s = { .credentials = "env" };

	setenv("AWS_ACCESS_KEY_ID", "AK", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "SK", 1);
	setenv("AWS_SESSION_TOKEN", "TOK", 1);
	if (end)
		setenv("AWS_CREDENTIAL_EXPIRATION", end, 1);
	else
		unsetenv("AWS_CREDENTIAL_EXPIRATION");
	return signer_new(cred_cache_new(&s), "s3");
}

/* A URL for us-east-1. */
static int sign_url(struct signer *s, const struct sigv4_request *r,
		    int64_t time, int64_t expires, struct buf *query,
		    int64_t *expires_at, bool *by_creds, struct buf *why)
{
	const struct signer_terms terms = { .region = "us-east-1",
					    .time = time,
					    .expires = expires };
	struct signer_end end;
	int rc = signer_presign(s, r, &terms, query, &end, why);

	*expires_at = end.at;
	*by_creds = end.by_creds;
	return rc;
}

/* The Authorization value, by sigv4 alone. */
static char *expected(const char *token, const char *hash, const char *region,
		      int64_t time)
{
	char date[TIME_AMZ_SIZE];
	const struct field all[] = {
		meta[0],
		{ "x-amz-content-sha256", hash },
		{ "x-amz-date", date },
		{ "x-amz-security-token", token },
	};
	const struct sigv4_request r = {
		.method = "GET",
		.host = "h",
		.path = "/b/k",
		.headers = all,
		.n_headers = token ? 4 : 3,
		.payload_hash = hash,
	};
	const struct sigv4_scope scope = {
		.access_key_id = "AK",
		.session_token = token,
		.region = region,
		.service = "s3",
		.time = time,
	};
	struct buf out = BUF_INIT(BUF_LINE);
	struct sigv4_key key;

	clock_amz(time, date);
	sigv4_derive(&key, "SK", time, region, "s3");
	assert_int_equal(sigv4_authorize(&key, &scope, &r, &out), 0);
	return buf_detach(&out);
}

struct header_row {
	const char *sentence;
	const char *token, *hash, *region;
	int64_t time;
};

/* One signer serves them all, so that keys are kept, found and replaced. */
static const struct header_row header_rows[] = {
	{ "without a token", NULL, SIGV4_EMPTY_PAYLOAD, "us-east-1", NOON },
	{ "the kept key signs the same", NULL, SIGV4_EMPTY_PAYLOAD, "us-east-1",
	  NOON + 60 },
	{ "another region has another key", NULL, SIGV4_EMPTY_PAYLOAD,
	  "eu-west-1", NOON },
	{ "another day has another key", NULL, SIGV4_EMPTY_PAYLOAD, "us-east-1",
	  NOON + DAY },
	{ "the last second of a day is that day's", NULL, SIGV4_EMPTY_PAYLOAD,
	  "us-east-1", NOON + DAY / 2 - 1 },
	{ "the first second of a day is that day's", NULL, SIGV4_EMPTY_PAYLOAD,
	  "us-east-1", NOON + DAY / 2 },
	{ "a third region", NULL, SIGV4_EMPTY_PAYLOAD, "ap-south-1", NOON },
	{ "a fourth region", NULL, SIGV4_EMPTY_PAYLOAD, "auto", NOON },
	{ "a fifth region, more than are kept", NULL, SIGV4_EMPTY_PAYLOAD,
	  "sa-east-1", NOON },
	{ "the first again, after it was replaced", NULL, SIGV4_EMPTY_PAYLOAD,
	  "us-east-1", NOON },
	{ "a region with a very long name", NULL, SIGV4_EMPTY_PAYLOAD,
	  "a-region-whose-name-is-longer-than-any-that-a-cloud-has-ever-used-"
	  "or-will-ever-use",
	  NOON },
	{ "an empty region", NULL, SIGV4_EMPTY_PAYLOAD, "", NOON },
	{ "no hash is an unsigned payload", NULL, NULL, "us-east-1", NOON },
	{ "with a token", "TOK/+=", SIGV4_EMPTY_PAYLOAD, "us-east-1", NOON },
};

static void check_headers(struct signer *s, const struct header_row *row)
{
	const struct sigv4_request r = {
		.method = "GET",
		.host = "h",
		.path = "/b/k",
		.headers = meta,
		.n_headers = 1,
		.payload_hash = row->hash,
	};
	const char *hash = row->hash ? row->hash : SIGV4_UNSIGNED_PAYLOAD;
	char *want = expected(row->token, hash, row->region, row->time);
	char date[TIME_AMZ_SIZE];
	struct signer_headers h;

	clock_amz(row->time, date);
	assert_int_equal(signer_authorize(s, &r, row->region, row->time, &h),
			 0);
	if (strcmp(h.authorization, want))
		fail_msg("%s:\n  want %s\n  got  %s", row->sentence, want,
			 h.authorization);
	assert_string_equal(h.amz_date, date);
	assert_string_equal(h.payload_hash, hash);
	assert_string_equal(h.session_token ? h.session_token : "",
			    row->token ? row->token : "");
	assert_string_equal(h.used->access_key_id, "AK");
	signer_headers_clear(&h);
	assert_null(h.authorization);
	free(want);
}

static void headers(void **state)
{
	struct signer *plain = static_signer(NULL);
	struct signer *with_token = static_signer("TOK/+=");

	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < LEN(header_rows); i++)
			check_headers(header_rows[i].token ? with_token : plain,
				      &header_rows[i]);
	signer_free(plain);
	signer_free(with_token);
}

static void unsigned_requests(void **state)
{
	const struct cred_settings anonymous = { .credentials = "anonymous" };
	struct sigv4_request r = { "GET", "h", "/b/k", FIELDS(listing) };
	struct signer *s = signer_new(cred_cache_new(&anonymous), "s3");
	struct buf query = BUF_INIT(BUF_URL);
	struct signer_headers h;
	int64_t expires_at = -1;
	bool by_creds = true;

	assert_int_equal(signer_authorize(s, &r, "us-east-1", NOON, &h), 0);
	assert_null(h.authorization);
	assert_null(h.used);
	assert_null(h.session_token);
	signer_headers_clear(&h);
	assert_int_equal(sign_url(s, &r, NOON, 60, &query, &expires_at,
				  &by_creds, NULL),
			 0);
	assert_string_equal(buf_str(&query), "prefix=a%20b%2F");
	assert_int_equal(expires_at, 0);
	assert_false(by_creds);
	buf_reset(&query);
	r.n_query = 0;
	assert_int_equal(sign_url(s, &r, NOON, 60, &query, &expires_at,
				  &by_creds, NULL),
			 0);
	assert_string_equal(buf_str(&query), "");
	buf_clear(&query);
	signer_free(s);
}

static void refusals(void **state)
{
	struct sigv4_request r = { "GET", "h", "/b/k" };
	struct signer *s = static_signer(NULL);
	struct signer_headers h;

	r.headers = many;
	r.n_headers = LEN(many) - 2;
	assert_int_equal(signer_authorize(s, &r, "us-east-1", NOON, &h),
			 -EINVAL);
	assert_null(h.used);
	r.n_headers = 0;
	r.path = "/not encoded";
	assert_int_equal(signer_authorize(s, &r, "us-east-1", NOON, &h),
			 -EINVAL);
	assert_null(h.used);
	signer_free(s);

	r.path = "/b/k";
	s = env_signer(NULL);
	assert_int_equal(signer_authorize(s, &r, "us-east-1", NOON, &h),
			 -EAGAIN);
	assert_null(h.used);
	signer_free(s);
}

struct presign_row {
	const char *sentence;
	int64_t life; /* of the credentials from now; 0: no end */
	int64_t expires;
	int rc;
	int64_t ends_in;
	bool by_creds;
	const char *why;
};

static const struct presign_row presign_rows[] = {
	{ "credentials without an end", 0, 3600, 0, 3600, false, NULL },
	{ "credentials that outlive the URL", 7200, 3600, 0, 3600, false,
	  NULL },
	{ "credentials that end with the URL", 3600, 3600, 0, 3600, false,
	  NULL },
	{ "credentials that end before the URL", 600, 3600, 0, 600, true,
	  NULL },
	{ "credentials that have ended", -5, 3600, -EACCES, 0, false,
	  "no credentials: the credentials from environment have expired" },
	{ "a week", 0, 604800, 0, 604800, false, NULL },
	{ "no time at all", 0, 0, -EINVAL, 0, false,
	  "expire = 0: 1 to 604800 seconds" },
	{ "more than a week", 0, 604801, -EINVAL, 0, false,
	  "expire = 604801: 1 to 604800 seconds" },
	{ "the past", 0, -1, -EINVAL, 0, false,
	  "expire = -1: 1 to 604800 seconds" },
};

static void presigned(void **state)
{
	const struct sigv4_request r = { "GET", "h", "/b/k", FIELDS(listing),
					 FIELDS(meta) };
	const int64_t now = clock_now_s();

	for (size_t i = 0; i < LEN(presign_rows); i++) {
		const struct presign_row *row = &presign_rows[i];
		struct buf query = BUF_INIT(BUF_URL);
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct buf want = BUF_INIT(BUF_URL);
		char end[TIME_RFC3339_SIZE];
		struct sigv4_scope scope = { "AK", "TOK", "us-east-1", "s3",
					     now };
		struct signer *s;
		struct sigv4_key key;
		int64_t expires_at;
		bool by_creds;
		int rc;

		clock_rfc3339(now + row->life, end);
		s = env_signer(row->life ? end : NULL);
		rc = sign_url(s, &r, now, row->expires, &query, &expires_at,
			      &by_creds, &why);
		if (rc != row->rc)
			fail_msg("%s: %d", row->sentence, rc);
		if (rc && strcmp(buf_str(&why), row->why))
			fail_msg("%s: %s", row->sentence, buf_str(&why));
		if (!rc && (expires_at != now + row->ends_in ||
			    by_creds != row->by_creds))
			fail_msg("%s: the end", row->sentence);
		sigv4_derive(&key, "SK", now, "us-east-1", "s3");
		if (!rc)
			sigv4_presign(&key, &scope, &r, row->expires, &want);
		if (strcmp(buf_str(&query), buf_str(&want)))
			fail_msg("%s: %s", row->sentence, buf_str(&query));
		signer_free(s);
		buf_clear(&query);
		buf_clear(&why);
		buf_clear(&want);
	}
}

static void too_long(void **state)
{
	const struct sigv4_request r = { "GET", "h", "/b/k" };
	struct signer *s = static_signer(NULL);
	struct buf query = BUF_INIT(100), why = BUF_INIT(BUF_MESSAGE);
	int64_t expires_at;
	bool by_creds;

	assert_int_equal(sign_url(s, &r, NOON, 60, &query, &expires_at,
				  &by_creds, &why),
			 -EMSGSIZE);
	assert_string_equal(buf_str(&why), "the URL would be too long");
	assert_int_equal(query.len, 0);
	buf_clear(&query);
	buf_clear(&why);
	signer_free(s);
}

#define THREADS 4
#define ROUNDS 200

static void *sign_many(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		for (size_t row = 0; row < LEN(header_rows); row++)
			if (!header_rows[row].token)
				check_headers(arg, &header_rows[row]);
	return NULL;
}

static void many_threads(void **state)
{
	struct signer *s = static_signer(NULL);
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, sign_many, s), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	signer_free(s);
}

/* --strict: credentials that end first are no warning but an error. */
static void strictly(void **state)
{
	const struct sigv4_request r = { "GET", "h", "/b/k" };
	struct signer_terms terms = { .region = "us-east-1",
				      .time = clock_now_s(),
				      .expires = 3600,
				      .strict = true };
	struct buf query = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);
	char early[TIME_RFC3339_SIZE], late[TIME_RFC3339_SIZE];
	struct signer_end end;
	struct signer *s;

	clock_rfc3339(terms.time + 60, early);
	clock_rfc3339(terms.time + 7200, late);
	s = env_signer(early);
	assert_int_equal(signer_presign(s, &r, &terms, &query, &end, &why),
			 -EACCES);
	assert_non_null(strstr(buf_str(&why), "the credentials end at "));
	assert_int_equal(query.len, 0);
	terms.expires = 60;
	assert_int_equal(signer_presign(s, &r, &terms, &query, &end, &why), 0);
	signer_free(s);
	/* Others are asked for before anything is refused. */
	s = env_signer(early);
	assert_int_equal(signer_presign(s, &r, &terms, &query, &end, &why), 0);
	setenv("AWS_CREDENTIAL_EXPIRATION", late, 1);
	terms.expires = 3600;
	assert_int_equal(signer_presign(s, &r, &terms, &query, &end, &why), 0);
	assert_int_equal(end.at, terms.time + 3600);
	buf_clear(&query);
	buf_clear(&why);
	signer_free(s);
}

SUITE(signer)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strictly),          cmocka_unit_test(headers),
		cmocka_unit_test(unsigned_requests), cmocka_unit_test(refusals),
		cmocka_unit_test(presigned),         cmocka_unit_test(too_long),
		cmocka_unit_test(many_threads),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("signer", tests, NULL, NULL);
}
