/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer means, and what can be put right: pure, by table. */
#include "unit.h"

#include <stdio.h>

#include "s3_error_rows.h"

static void meanings(void **state)
{
	for (size_t i = 0; i < COUNT(error_rows); i++) {
		const struct error_row *r = &error_rows[i];
		struct s3_meaning m =
			s3_error_meaning(r->status, r->code, S3_USE_PLAIN);
		char name[100];

		snprintf(name, sizeof(name), "%ld %s", r->status, r->code);
		row_number(name, m.rc, r->rc);
		row_number(name, m.verdict, r->verdict);
		row_number(name, m.fix, r->fix);
	}
}

static void uses(void **state)
{
	static const struct {
		const char *sentence;
		long status;
		const char *code;
		enum s3_use use;
		int rc;
	} rows[] = {
		{ "a pinned read that finds another object", 412,
		  "PreconditionFailed", S3_USE_PINNED, -ESTALE },
		{ "a pinned read that finds nothing", 404, "NoSuchKey",
		  S3_USE_PINNED, -ESTALE },
		{ "a HEAD of a pinned object that is gone", 404, NULL,
		  S3_USE_PINNED, -ESTALE },
		{ "a pinned read of a bucket that is gone", 404, "NoSuchBucket",
		  S3_USE_PINNED, -ENODEV },
		{ "a create-only write over something", 412,
		  "PreconditionFailed", S3_USE_ABSENT, -EEXIST },
		{ "... without a code", 412, "", S3_USE_ABSENT, -EEXIST },
		{ "... told inside a 200", 200, "PreconditionFailed",
		  S3_USE_ABSENT, -EEXIST },
		{ "a write over another version", 412, "PreconditionFailed",
		  S3_USE_MATCH, -ESTALE },
		{ "a write over one that is gone", 404, "NoSuchKey",
		  S3_USE_MATCH, -ENOENT },
		{ "an error inside a 200 that nobody knows", 200, "New",
		  S3_USE_PLAIN, -EIO },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		row_number(rows[i].sentence,
			   s3_error_meaning(rows[i].status, rows[i].code,
					    rows[i].use)
				   .rc,
			   rows[i].rc);
}

static void clocks(void **state)
{
	/* 2013-05-24T00:00:00Z */
	static const int64_t now = 1369353600;
	static const struct {
		const char *sentence, *server, *date;
		bool ok;
		int64_t skew_s;
	} rows[] = {
		{ "the body's time", "2013-05-24T01:00:00Z",
		  "Fri, 24 May 2013 00:00:00 GMT", true, 3600 },
		{ "the header's time", "", "Thu, 23 May 2013 23:00:00 GMT",
		  true, -3600 },
		{ "the header's, when the body's is none", "noon",
		  "Fri, 24 May 2013 00:00:07 GMT", true, 7 },
		{ "a day ahead", "2013-05-25T00:00:00Z", NULL, true, 86400 },
		{ "more than a day ahead", "2013-05-25T00:00:01Z", NULL, false,
		  0 },
		{ "a day behind", "2013-05-23T00:00:00Z", NULL, true, -86400 },
		{ "more than a day behind", "2013-05-22T23:59:59Z", NULL, false,
		  0 },
		{ "no time at all", "", "", false, 0 },
		{ "garbage", "x", "y", false, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t skew_s = 0;
		bool ok = s3_error_skew(rows[i].server, rows[i].date, now,
					&skew_s);

		row_number(rows[i].sentence, ok, rows[i].ok);
		if (ok)
			row_number(rows[i].sentence, skew_s, rows[i].skew_s);
	}
}

static void regions(void **state)
{
	static const struct {
		const char *sentence, *header, *body, *want;
	} rows[] = {
		{ "the header's", "eu-west-1", "", "eu-west-1" },
		{ "the body's", "", "eu-west-1", "eu-west-1" },
		{ "the header before the body", "eu-west-1", "eu-west-2",
		  "eu-west-1" },
		{ "the one that we are in", "us-east-1", "", NULL },
		{ "none", "", "", NULL },
		{ "one that could be another host", "evil.example/", "", NULL },
		{ "one with a dot", "", "a.b", NULL },
		{ "one that is too long",
		  "a12345678901234567890123456789012345678901234567890123456789"
		  "0"
		  "12345",
		  "", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *out = NULL;
		bool moved = s3_error_region(rows[i].header, rows[i].body,
					     "us-east-1", &out);

		row_number(rows[i].sentence, moved, rows[i].want != NULL);
		if (moved)
			row_equal(rows[i].sentence, out, rows[i].want);
	}
}

SUITE(s3_error)
{
	const struct CMUnitTest tests[] = {
		{ "each status and code has its errno and verdict", meanings },
		{ "what a 404 and a 412 mean depends on the request", uses },
		{ "a clock's error is read, and bounded", clocks },
		{ "a region is gone to when it is one", regions },
	};

	return cmocka_run_group_tests_name("s3_error", tests, NULL, NULL);
}
