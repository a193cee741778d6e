/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores that do not know a header, or demand one: what was asked for is done
 * all the same, and the next request does not ask again.
 *
 * Covers: store/s3/s3_lack.c
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/waiter.h"
#include "s3_suite.h"
#include "store/s3/s3_state.h"
#include "store/store.h"

#define NO_ABSENT \
	"\"header\": \"if-none-match: \\\\*\", \"count\": 0", \
		"\"type\": \"status\", \"status\": 501, " \
		"\"code\": \"NotImplemented\", \"message\": \"A header you " \
		"provided implies functionality that is not implemented\""
#define NO_MATCH \
	"\"method\": \"PUT\", \"header\": \"(?<!-)if-match: \", \"count\": 0", \
		"\"type\": \"status\", \"status\": 400, " \
		"\"code\": \"InvalidArgument\", \"message\": \"If-Match is " \
		"not supported\""
#define NO_CHECKSUM \
	"\"header\": \"x-amz-checksum-\", \"count\": 0", \
		"\"type\": \"status\", \"status\": 400, " \
		"\"code\": \"InvalidArgument\", \"message\": " \
		"\"x-amz-checksum-" \
		"crc32c is not supported\""
#define NO_CHECKSUM_VAGUE \
	"\"header\": \"x-amz-checksum-\", \"count\": 0", \
		"\"type\": \"status\", \"status\": 400, " \
		"\"code\": \"InvalidArgument\", \"message\": \"Invalid " \
		"Argument\""
#define NO_ABSENT_VAGUE \
	"\"header\": \"if-none-match: \\\\*\", \"count\": 0", \
		"\"type\": \"status\", \"status\": 400, " \
		"\"code\": \"InvalidRequest\", \"message\": \"Bad Request\""
#define NO_HEADER_501 \
	"\"header\": \"x-amz-checksum-|if-none-match: \", \"count\": 0", \
		"\"type\": \"status\", \"status\": 501, \"body\": \"\""
#define MD5_WANTED \
	"\"method\": \"PUT\", \"lacking\": \"content-md5|x-amz-checksum-\", " \
	"\"count\": 0", \
		"\"type\": \"status\", \"status\": 400, " \
		"\"code\": \"InvalidRequest\", \"message\": \"Content-MD5 OR " \
		"x-amz-checksum- HTTP header is required for Put Object " \
		"requests with Object Lock parameters\""

static int put(const char *key, const struct store_cond *cond)
{
	struct store_body body = { .data = "text", .fd = -1, .len = 4 };
	struct object_info out;

	return store_put(rig.s, key, &body, NULL, cond, &out);
}

struct sending {
	struct store_part part;
	struct waiter *waiter;
	int rc;
	bool done; /* atomic */
};

static void part_ended(struct store_part *part, int rc)
{
	struct sending *s = (struct sending *)part;

	s->rc = rc;
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
	waiter_unpark(s->waiter);
}

/* An object of one part. */
static int upload(const char *key, const struct store_cond *cond)
{
	struct sending s = {
		.part = { .number = 1,
			  .body = { .data = "part", .len = 4, .fd = -1 },
			  .done = part_ended },
		.waiter = waiter_self(),
	};
	struct store_part_done done = { .number = 1 };
	struct object_info out;
	int rc = store_upload_open(rig.s, key, NULL, &s.part.upload);

	if (rc)
		return rc;
	store_part(&s.part);
	while (!__atomic_load_n(&s.done, __ATOMIC_ACQUIRE))
		waiter_park(s.waiter, WAIT_FOREVER);
	memcpy(done.etag, s.part.etag, sizeof(done.etag));
	rc = s.rc ? s.rc
		  : store_upload_complete(s.part.upload, &done, 1, cond, &out);
	if (rc)
		store_upload_abort(s.part.upload);
	store_upload_free(s.part.upload);
	return rc;
}

static int copy(const char *key, const struct store_cond *cond)
{
	struct object_info out;

	return store_copy(rig.s, "there", NULL, key, cond, &out);
}

static const struct {
	const char *sentence, *match, *action;
	unsigned lacks;
	enum s3_checksum checksum;
} rows[] = {
	{ "no If-None-Match", NO_ABSENT, S3_LACKS_ABSENT, S3_CHECKSUM_CRC32C },
	{ "no If-Match", NO_MATCH, S3_LACKS_MATCH, S3_CHECKSUM_CRC32C },
	{ "no checksum", NO_CHECKSUM, S3_LACKS_CHECKSUM, S3_CHECKSUM_CRC32C },
	{ "no checksum, and it does not say so", NO_CHECKSUM_VAGUE,
	  S3_LACKS_CHECKSUM, S3_CHECKSUM_CRC32C },
	{ "no If-None-Match, and it does not say so", NO_ABSENT_VAGUE,
	  S3_LACKS_ABSENT, S3_CHECKSUM_CRC32C },
	{ "neither, and it does not say what", NO_HEADER_501,
	  S3_LACKS_ABSENT | S3_LACKS_CHECKSUM, S3_CHECKSUM_CRC32C },
	{ "Content-MD5 is demanded", MD5_WANTED, S3_WANTS_MD5,
	  S3_CHECKSUM_NONE },
};

/* Each way of writing, first as what meets the refusal and then again. */
static const struct {
	const char *sentence;
	int (*write)(const char *key, const struct store_cond *cond);
} ways[] = { { "put", put }, { "upload", upload }, { "copy", copy } };

static void row_is(const char *row, const char *way, const char *what, int got,
		   int want)
{
	char sentence[200];

	snprintf(sentence, sizeof(sentence), "%s: %s %s", row, way, what);
	row_number(sentence, got, want);
}

static void write_each(size_t r, size_t w)
{
	const struct store_cond absent = { .if_absent = true };
	const struct store_cond other = { .if_match = "\"other\"" };
	const char *row = rows[r].sentence, *way = ways[w].sentence;
	int (*write)(const char *, const struct store_cond *) = ways[w].write;
	struct s3_rig_options options = { .set.upload_checksum =
						  rows[r].checksum };
	struct object_details there;
	struct store_cond same = { .if_match = there.info.etag };

	free(standin_post(&rig.standin, "/_reset?objects=1", ""));
	s3_rig_open(&rig, &options);
	assert_int_equal(put("there", NULL), 0);
	s3_rig_open(&rig, &options);
	standin_fault(&rig.standin, rows[r].match, rows[r].action);
	row_is(row, way, "of a new name", write("new", &absent), 0);
	row_is(row, way, "of one that is taken", write("new", &absent),
	       -EEXIST);
	assert_int_equal(store_head(rig.s, "new", &there), 0);
	row_is(row, way, "over what is there", write("new", &same), 0);
	row_is(row, way, "over something else", write("new", &other), -ESTALE);
	row_is(row, way, "of anything", write("free", NULL), 0);
}

static void they_do_without(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++)
		for (size_t w = 0; w < COUNT(ways); w++)
			write_each(r, w);
}

/* What was learnt is not asked for again; what was not, is not given up. */
static void it_is_learnt(void **state)
{
	const struct store_cond absent = { .if_absent = true };
	const struct store_cond match = { .if_match = "\"other\"" };

	for (size_t r = 0; r < COUNT(rows); r++) {
		struct s3_rig_options options = { .set.upload_checksum =
							  rows[r].checksum };
		char key[16];
		long faults;

		free(standin_post(&rig.standin, "/_reset?objects=1", ""));
		s3_rig_open(&rig, &options);
		row_number(rows[r].sentence, put("there", NULL), 0);
		standin_fault(&rig.standin, rows[r].match, rows[r].action);
		row_number(rows[r].sentence, put("a", &absent), 0);
		put("there", &match);
		row_number("upload", upload("u", NULL), 0);
		row_number(rows[r].sentence, s3_of(rig.s)->guarded_.lacks,
			   rows[r].lacks & S3_LACKS_MATCH ? 0 : rows[r].lacks);
		faults = standin_stat(&rig.standin, "faults");
		for (int i = 0; i < 3; i++) {
			snprintf(key, sizeof(key), "k%d", i);
			row_number(rows[r].sentence, put(key, &absent), 0);
			row_number(rows[r].sentence, upload(key, NULL), 0);
		}
		row_number(rows[r].sentence,
			   standin_stat(&rig.standin, "faults"), faults);
	}
}

/* If-Match is refused as Ceph refuses it, for its quotes. */
static void wants_bare_etags(void **state)
{
	struct object_details there;
	struct store_cond same = { .if_match = there.info.etag };
	const struct store_cond other = { .if_match = "\"other\"" };

	free(standin_post(&rig.standin, "/_reset?objects=1", ""));
	s3_rig_open(&rig, NULL);
	assert_int_equal(put("k", NULL), 0);
	standin_fault(&rig.standin,
		      "\"method\": \"PUT\", \"header\": "
		      "\"(?<!-)if-match: \\\"\", \"count\": 0",
		      "\"type\": \"status\", \"status\": 412, \"code\": "
		      "\"PreconditionFailed\"");
	for (int k = 0; k < 3; k++) {
		assert_int_equal(store_head(rig.s, "k", &there), 0);
		assert_int_equal(put("k", &same), 0);
		assert_int_equal(standin_stat(&rig.standin, "faults"), 1);
	}
	assert_int_equal(put("k", &other), -ESTALE);
}

/* A server that numbers its requests as Ceph does is asked in that one's form
 * at once; where that is wrong, a single time. */
static void guesses_ceph(void **state)
{
	static const struct {
		const char *refused; /* an If-Match that begins so */
		long first, more; /* requests of a conditional PUT */
	} kinds[] = { { "\\\"", 1, 1 }, { "[^\\\"]", 3, 1 } };
	struct object_details there;
	struct store_cond same = { .if_match = there.info.etag };
	char match[160];
	long before;

	for (size_t r = 0; r < sizeof(kinds) / sizeof(*kinds); r++) {
		free(standin_post(&rig.standin, "/_reset?objects=1", ""));
		s3_rig_open(&rig, NULL);
		snprintf(match, sizeof(match),
			 "\"method\": \"PUT\", \"header\": "
			 "\"(?<!-)if-match: %s\", \"count\": 0",
			 kinds[r].refused);
		standin_fault(&rig.standin, match,
			      "\"type\": \"status\", \"status\": 412, "
			      "\"code\": \"PreconditionFailed\"");
		standin_fault(&rig.standin, "\"count\": 0",
			      "\"type\": \"rewrite\", \"header\": "
			      "\"x-amz-request-id\", \"from\": \"standin-\", "
			      "\"to\": \"tx\"");
		assert_int_equal(put("k", NULL), 0);
		for (int k = 0; k < 3; k++) {
			assert_int_equal(store_head(rig.s, "k", &there), 0);
			before = standin_stat(&rig.standin, "requests");
			assert_int_equal(put("k", &same), 0);
			assert_int_equal(
				standin_stat(&rig.standin, "requests") - before,
				k ? kinds[r].more : kinds[r].first);
		}
	}
}

/* A 501 for another reason teaches nothing. */
static void other_refusals(void **state)
{
	const struct store_cond absent = { .if_absent = true };

	free(standin_post(&rig.standin, "/_reset?objects=1", ""));
	s3_rig_open(&rig, NULL);
	standin_fault(&rig.standin, "\"method\": \"PUT\", \"count\": 0",
		      "\"type\": \"status\", \"status\": 501, \"code\": "
		      "\"NotImplemented\"");
	assert_int_equal(put("k", &absent), -ENOTSUP);
	assert_int_equal(s3_of(rig.s)->guarded_.lacks, 0);
}

static int first_behind(const char *after, unsigned page)
{
	struct list_query q = { .prefix = "d/", .after = after, .page = page };
	struct list_entry e;
	struct store_list *l;
	int rc = store_list_open(rig.s, &q, &l);

	if (!rc)
		rc = store_list_next(l, &e);
	store_list_close(l);
	return rc;
}

/* A listing is asked for without encoding-type then, and shows all names that
 * XML can carry. */
static void knows_no_encoding(void **state)
{
	static const struct {
		const char *sentence, *action;
	} refusals[] = {
		{ "501", "\"type\": \"status\", \"status\": 501, \"code\": "
			 "\"NotImplemented\"" },
		{ "400 that names it",
		  "\"type\": \"status\", \"status\": 400, \"code\": "
		  "\"InvalidArgument\", \"message\": \"Invalid Encoding "
		  "Method\"" },
		{ "400 that does not",
		  "\"type\": \"status\", \"status\": 400, \"code\": "
		  "\"InvalidRequest\"" },
	};
	struct list_query q = { .prefix = "e/" };
	struct list_entry e;
	struct name_info info;
	struct store_list *l;
	struct buf said = BUF_INIT(BUF_MESSAGE);

	for (size_t r = 0; r < COUNT(refusals); r++) {
		const char *row = refusals[r].sentence;

		free(standin_post(&rig.standin, "/_reset?objects=1", ""));
		s3_rig_open(&rig, NULL);
		row_number(row, put("e/a b+%41", NULL), 0);
		standin_fault(&rig.standin,
			      "\"query\": \"encoding-type\", \"count\": 0",
			      refusals[r].action);
		for (int k = 0; k < 3; k++) {
			row_number(row, store_list_open(rig.s, &q, &l), 0);
			row_number(row, store_list_next(l, &e), 1);
			row_equal(row, e.key, "e/a b+%41");
			store_list_close(l);
			row_number(row, store_stat(rig.s, "e", &info), 0);
			row_check(row, info.is_prefix);
		}
		row_number(row, standin_stat(&rig.standin, "faults"), 1);
		row_number(row, s3_of(rig.s)->guarded_.lacks,
			   S3_LACKS_ENCODING);
	}
	assert_int_equal(store_describe(rig.s, &said), 0);
	assert_non_null(strstr(buf_str(&said), "does not know encoding-type"));
	buf_clear(&said);
	/* A refusal for another reason teaches nothing. */
	free(standin_post(&rig.standin, "/_reset?objects=1", ""));
	s3_rig_open(&rig, NULL);
	standin_fault(&rig.standin, "\"query\": \"list-type\", \"count\": 0",
		      refusals[0].action);
	assert_int_equal(store_list_open(rig.s, &q, &l), 0);
	assert_int_equal(store_list_next(l, &e), -ENOTSUP);
	store_list_close(l);
	assert_int_equal(s3_of(rig.s)->guarded_.lacks, 0);
}

/* A caller that asks for what is behind a name does not get all pages before
 * it. */
static void knows_no_start(void **state)
{
	char key[16];

	standin_reset(&rig.standin);
	s3_rig_open(&rig, NULL);
	for (int i = 0; i < 12; i++) {
		snprintf(key, sizeof(key), "d/%02d", i);
		assert_int_equal(put(key, NULL), 0);
	}
	standin_fault(&rig.standin,
		      "\"method\": \"GET\", \"query\": \"list-type\", "
		      "\"count\": 0",
		      "\"type\": \"list\", \"as\": \"shuffled\"");
	assert_int_equal(first_behind("d/05", 3), -EOPNOTSUPP);
	standin_reset(&rig.standin);
	assert_int_equal(first_behind("d/05", 3), -EOPNOTSUPP); /* known */
	s3_rig_open(&rig, NULL);
	assert_int_equal(first_behind("d/05", 3), 1);
	standin_fault(&rig.standin, "\"method\": \"GET\"",
		      "\"type\": \"garbage\", \"body\": \"<ListBucketResult>"
		      "<IsTruncated>true</IsTruncated><NextContinuationToken>64"
		      "</NextContinuationToken><Contents><Key>d/00</Key>"
		      "<Size>1</Size></Contents></ListBucketResult>\"");
	assert_int_equal(first_behind("d/05", 3), -EOPNOTSUPP);
}

SUITE(s3_lack)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_do_without),
		cmocka_unit_test(it_is_learnt),
		cmocka_unit_test(wants_bare_etags),
		cmocka_unit_test(guesses_ceph),
		cmocka_unit_test(other_refusals),
		cmocka_unit_test(knows_no_encoding),
		cmocka_unit_test(knows_no_start),
	};

	log_open("/dev/null", LOG_LEVEL_ERROR);
	return S3_SUITE_RUN("s3_lack", tests);
}
