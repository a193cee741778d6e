/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of what is made, over every way of making it: the table of
 * s3_made.c, as a server sees it.
 *
 * Covers: store/s3/s3_made.c
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/digest.h"
#include "s3_rig.h"
#include "store/props.h"
#include "store/s3/s3_made.h"
#include "store/s3/s3_url.h"
#include "store/store.h"
#include "store/upload_parts.h"

static struct s3_rig rig;
static struct http_lane *lane;

#define KMS "arn:aws:kms:eu-west-1:111122223333:key/k"
/* 32 times '0', and what its MD5 is. */
#define CUSTOMER_KEY "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="
#define CUSTOMER_MD5 "zZ5FnqcIqUjVwvWmyog4zw=="

/* ---- the ways ---- */

static const struct store_body body = { .data = "text", .fd = -1, .len = 4 };

static void put_to(struct store *s, const char *key)
{
	assert_int_equal(store_put(s, key, &body, NULL, NULL, NULL), 0);
}

static void put(const char *key)
{
	put_to(rig.s, key);
}

static void marker(const char *key)
{
	const struct store_body empty = { .data = "", .fd = -1 };
	const struct store_meta meta = { .content_type =
						 "application/x-directory" };
	char dir[64];

	snprintf(dir, sizeof(dir), "%s/", key);
	assert_int_equal(store_put(rig.s, dir, &empty, &meta, NULL, NULL), 0);
}

static void upload_to(struct store *s, const char *key)
{
	const struct upload_part part = { .number = 1, .body = body };
	const struct store_range from = { .key = "source", .len = 4 };
	struct upload_parts *p;

	assert_int_equal(upload_parts_open(s, key, NULL, 1, &p), 0);
	assert_int_equal(upload_parts_send(p, &part), 0);
	assert_int_equal(upload_parts_wait(p, 0), 0);
	assert_int_equal(upload_parts_copy(p, 2, 4, &from), 0);
	assert_int_equal(upload_parts_complete(p, 2, NULL, NULL), 0);
	upload_parts_free(p);
}

static void upload(const char *key)
{
	upload_to(rig.s, key);
}

static void copy(const char *key)
{
	assert_int_equal(store_copy(rig.s, "source", NULL, key, NULL, NULL), 0);
}

/* An object of another machine's gets another type. */
static void edit_props(const char *key)
{
	struct object_details d;

	put(key);
	assert_int_equal(store_props(rig.s, key, &d), 0);
	assert_int_equal(props_set(&d.props, PROP_TYPE, "text/x-other"), 0);
	assert_int_equal(store_set_props(rig.s, key, &d, NULL), 0);
}

static struct store *open_url(void)
{
	const struct s3_url_settings set = { .lane = lane, .of = rig.s };
	struct store *s;

	assert_int_equal(s3_url_new(&set, &s), 0);
	return s;
}

static void put_by_url(const char *key)
{
	struct store *s = open_url();

	put_to(s, key);
	store_unref(s);
}

static void upload_by_url(const char *key)
{
	struct store *s = open_url();

	upload_to(s, key);
	store_unref(s);
}

static void get(const char *key)
{
	struct object_details d;
	char have[64];

	put(key);
	assert_int_equal(store_head(rig.s, key, &d), 0);
	assert_int_equal(s3_rig_get(&rig, key, NULL, have), 0);
	assert_string_equal(have, "text");
}

/* Which request of a way: the first that begins so in the stand-in's log. */
static const struct way {
	const char *sentence;
	void (*make)(const char *key);
	const char *method, *query; /* "": none */
	enum s3_request way;
	bool copies; /* and names a source */
	const char *tail; /* of the key */
} ways[] = {
	{ "put", put, "PUT", "", S3_REQUEST_NEW },
	{ "marker", marker, "PUT", "", S3_REQUEST_NEW, .tail = "/" },
	{ "begin", upload, "POST", "uploads=", S3_REQUEST_NEW },
	{ "part", upload, "PUT", "partNumber=1", S3_REQUEST_PART },
	{ "part copied", upload, "PUT", "partNumber=2", S3_REQUEST_PART, true },
	{ "complete", upload, "POST", "uploadId=", S3_REQUEST_COMPLETE },
	{ "copy", copy, "PUT", "", S3_REQUEST_COPY, true },
	{ "put by URL", put_by_url, "PUT", "X-Amz-Algorithm", S3_REQUEST_NEW },
	{ "begin, by URL", upload_by_url, "POST", "uploads=", S3_REQUEST_NEW },
	{ "part by URL", upload_by_url, "PUT", "partNumber=1",
	  S3_REQUEST_PART },
	{ "look", get, "HEAD", "", S3_REQUEST_READ },
	{ "read", get, "GET", "", S3_REQUEST_READ },
};

/* ---- the settings ---- */

static const struct s3_rig_options settings = {
	.set = { .storage_class = "STANDARD_IA",
		 .sse = "aws:kms",
		 .sse_kms_key_id = KMS,
		 .sse_kms_context = "{\"a\":\"b\"}",
		 .acl = "bucket-owner-full-control",
		 .tagging = "one=1&two=%26" },
};
static const struct s3_rig_options customer = {
	.set = { .sse_customer_key = CUSTOMER_KEY },
};

#define MAKES (S3_REQUEST_NEW | S3_REQUEST_COPY)
#define ALL (MAKES | S3_REQUEST_PART | S3_REQUEST_COMPLETE | S3_REQUEST_READ)
#define CUSTOMER "server-side-encryption-customer-"

static const struct row {
	const struct s3_rig_options *options;
	const char *name, *value;
	unsigned ways;
	const char *source; /* its name in what names a source */
} rows[] = {
	{ &settings, "x-amz-storage-class", "STANDARD_IA", MAKES },
	{ &settings, "x-amz-server-side-encryption", "aws:kms", MAKES },
	{ &settings, "x-amz-server-side-encryption-aws-kms-key-id", KMS,
	  MAKES },
	{ &settings, "x-amz-server-side-encryption-context", "eyJhIjoiYiJ9",
	  MAKES },
	{ &settings, "x-amz-acl", "bucket-owner-full-control", MAKES },
	{ &settings, "x-amz-tagging", "one=1&two=%26", S3_REQUEST_NEW },
	{ &customer, "x-amz-" CUSTOMER "algorithm", "AES256", ALL,
	  "x-amz-copy-source-" CUSTOMER "algorithm" },
	{ &customer, "x-amz-" CUSTOMER "key", CUSTOMER_KEY, ALL,
	  "x-amz-copy-source-" CUSTOMER "key" },
	{ &customer, "x-amz-" CUSTOMER "key-md5", CUSTOMER_MD5, ALL,
	  "x-amz-copy-source-" CUSTOMER "key-md5" },
};

/* Cuts the log to that request of the way's; NULL: there is none. */
static char *request_of(char *log, const struct way *way, const char *key)
{
	char begin[200], *at, *end;

	snprintf(begin, sizeof(begin),
		 "{\"method\": \"%s\", \"path\": \"/" RIG_BUCKET
		 "/%s%s\", \"query\": \"%s%s",
		 way->method, key, way->tail ?: "", way->query,
		 *way->query ? "" : "\"");
	at = strstr(log, begin);
	end = at ? strstr(at + 1, "{\"method\"") : NULL;
	if (end)
		*end = '\0';
	return at;
}

static void check_header(const char *sentence, const char *request,
			 const char *name, const char *value, bool wanted)
{
	char header[300], what[400];

	snprintf(header, sizeof(header), "\"%s\": \"%s\"", name, value);
	snprintf(what, sizeof(what), "%s: %s", sentence, name);
	row_number(what, strstr(request, header) != NULL, wanted);
	if (wanted)
		return;
	snprintf(header, sizeof(header), "\"%s\"", name);
	row_check(what, !strstr(request, header));
}

static void check_way(const struct s3_rig_options *options,
		      const struct way *way)
{
	char *log, *request;

	standin_reset(&rig.standin);
	way->make("made");
	log = standin_get(&rig.standin, "/_requests");
	request = request_of(log, way, "made");
	row_check(way->sentence, request);
	for (size_t r = 0; r < COUNT(rows); r++) {
		bool of = rows[r].options == options;

		check_header(way->sentence, request, rows[r].name,
			     rows[r].value, of && rows[r].ways & way->way);
		if (rows[r].source)
			check_header(way->sentence, request, rows[r].source,
				     rows[r].value, of && way->copies);
	}
	free(log);
}

/* The whole table, times every way of writing. */
static void every_way_has_them(void **state)
{
	const struct s3_rig_options *all[] = { &settings, &customer };

	for (size_t i = 0; i < COUNT(all); i++) {
		s3_rig_open(&rig, all[i]);
		put("source");
		for (size_t w = 0; w < COUNT(ways); w++)
			check_way(all[i], &ways[w]);
	}
}

/* A URL has them as headers that are signed, and must be sent. */
static void urls_have_them(void **state)
{
	const struct store_presign req = { .action = PRESIGN_UPLOAD,
					   .key = "k",
					   .expire = 600 };
	struct store_presign down = req;
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store_presigned p;
	char line[200];

	s3_rig_open(&rig, &settings);
	assert_int_equal(store_presign(rig.s, &req, &p, &why), 0);
	for (size_t r = 0; r < COUNT(rows); r++) {
		snprintf(line, sizeof(line), "%s: %s\n", rows[r].name,
			 rows[r].value);
		row_number(rows[r].name, strstr(p.header_lines, line) != NULL,
			   rows[r].options == &settings);
		snprintf(line, sizeof(line), "%s", rows[r].name);
		row_number(rows[r].name, strstr(p.url, line) != NULL,
			   rows[r].options == &settings);
	}
	store_presign_clear(&p);
	down.action = PRESIGN_DOWNLOAD;
	assert_int_equal(store_presign(rig.s, &down, &p, &why), 0);
	row_equal("a download", p.header_lines, "");
	store_presign_clear(&p);
	s3_rig_open(&rig, &customer);
	assert_int_equal(store_presign(rig.s, &req, &p, &why), -ENOTSUP);
	assert_int_equal(store_presign(rig.s, &down, &p, &why), -ENOTSUP);
	assert_non_null(strstr(buf_str(&why), "sse_customer_key"));
	assert_null(strstr(buf_str(&why), CUSTOMER_KEY));
	buf_clear(&why);
}

/* An edit is of what was there: neither its tags nor its class change, and its
 * encryption is the setting's where that is the same or a server's choice. */
static void edits_keep_what_was(void **state)
{
	static const struct {
		const char *sentence;
		const struct field headers[2];
		const char *sse, *key, *context;
	} edits[] = {
		{ "no encryption",
		  { { "x-amz-meta-a", "b" } },
		  "aws:kms",
		  KMS,
		  "eyJhIjoiYiJ9" },
		{ "the server's own",
		  { { PROP_SSE, "AES256" } },
		  "aws:kms",
		  KMS,
		  "eyJhIjoiYiJ9" },
		{ "the same",
		  { { PROP_SSE, "aws:kms" }, { PROP_SSE_KEY, KMS } },
		  "aws:kms",
		  KMS,
		  "eyJhIjoiYiJ9" },
		{ "another key",
		  { { PROP_SSE, "aws:kms" }, { PROP_SSE_KEY, "other" } },
		  "aws:kms",
		  "other",
		  NULL },
	};
	struct object_details d;
	const struct store_meta edit = { .props = &d.props };
	char *log;

	for (size_t e = 0; e < COUNT(edits); e++) {
		const struct store_meta meta = {
			.headers = edits[e].headers,
			.n_headers = 1 + !!edits[e].headers[1].name
		};

		s3_rig_open(&rig, NULL);
		assert_int_equal(
			store_put(rig.s, "e", &body, &meta, NULL, NULL), 0);
		s3_rig_open(&rig, &settings);
		assert_int_equal(store_props(rig.s, "e", &d), 0);
		standin_reset(&rig.standin);
		assert_int_equal(
			store_put(rig.s, "e", &body, &edit, NULL, NULL), 0);
		log = standin_get(&rig.standin, "/_requests");
		check_header(edits[e].sentence, log, PROP_SSE, edits[e].sse,
			     true);
		check_header(edits[e].sentence, log, PROP_SSE_KEY, edits[e].key,
			     true);
		check_header(edits[e].sentence, log,
			     "x-amz-server-side-encryption-context",
			     "eyJhIjoiYiJ9", edits[e].context != NULL);
		check_header(edits[e].sentence, log, PROP_TAGGING, "", false);
		check_header(edits[e].sentence, log, PROP_CLASS, "", false);
		free(log);
	}
}

/* What other headers are put in the place of takes the settings along as an
 * edit does. */
static void other_headers_keep_the_rest(void **state)
{
	const struct s3_rig_options *all[] = { &settings, &customer };
	struct object_details d;

	for (size_t i = 0; i < COUNT(all); i++) {
		s3_rig_open(&rig, all[i]);
		edit_props("props");
		assert_int_equal(store_props(rig.s, "props", &d), 0);
		row_equal("type", props_get(&d.props, PROP_TYPE),
			  "text/x-other");
		if (all[i] != &settings)
			continue;
		row_equal("class", props_get(&d.props, PROP_CLASS) ?: "",
			  "STANDARD_IA");
		row_equal("key", props_get(&d.props, PROP_SSE_KEY) ?: "", KMS);
		row_equal("tags", props_get(&d.props, PROP_TAGGING) ?: "",
			  "one=1&two=%26");
	}
}

/* An answer is lost after the object was made: its ETag is no MD5 under a key,
 * so the time tells that it was us. */
static void lost_answers(void **state)
{
	const struct store_cond absent = { .if_absent = true };
	const struct s3_rig_options *all[] = { &settings, &customer };
	struct object_details d;
	char name[16];

	for (size_t i = 0; i < COUNT(all); i++) {
		s3_rig_open(&rig, all[i]);
		snprintf(name, sizeof(name), "lost%zu", i);
		standin_fault(&rig.standin, "\"method\": \"PUT\"",
			      "\"type\": \"lose\"");
		assert_int_equal(
			store_put(rig.s, name, &body, NULL, &absent, NULL), 0);
	}
	/* The same of a copy onto itself, whose condition fails then. */
	s3_rig_open(&rig, NULL);
	put("source");
	upload("lost");
	standin_fault(&rig.standin,
		      "\"method\": \"PUT\", \"header\": \"REPLACE\"",
		      "\"type\": \"lose\"");
	assert_int_equal(store_props(rig.s, "lost", &d), 0);
	assert_int_equal(props_set(&d.props, PROP_TYPE, "text/x-other"), 0);
	assert_int_equal(store_set_props(rig.s, "lost", &d, NULL), 0);
	/* ... unless it is another that stands there now. */
	put("lost");
	assert_int_equal(store_set_props(rig.s, "lost", &d, NULL), -ESTALE);
}

static void keys_that_are_none(void **state)
{
	const struct s3_settings set = { .name = "bad",
					 .endpoint_url = rig.url,
					 .bucket = RIG_BUCKET,
					 .sse_customer_key = "c2hvcnQ=" };
	const struct cred_settings none = { .credentials = "anonymous" };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store *s;

	assert_int_equal(s3_new(&set, NULL,
				signer_new(cred_cache_new(&none), "s3"), &s,
				&why),
			 -EINVAL);
	assert_non_null(strstr(buf_str(&why), "sse_customer_key"));
	buf_clear(&why);
}

static int setup(void **state)
{
	const struct http_lane_settings set = { .connections = 4,
						.connect_timeout_s = 5,
						.idle_timeout_s = 20,
						.deadline_s = 30 };

	s3_rig_start(&rig, NULL);
	lane = http_lane_new(rig.engine, &set);
	return lane ? 0 : -1;
}

static int teardown(void **state)
{
	http_lane_free(lane);
	s3_rig_stop(&rig);
	return 0;
}

SUITE(s3_made)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_has_them),
		cmocka_unit_test(urls_have_them),
		cmocka_unit_test(edits_keep_what_was),
		cmocka_unit_test(other_headers_keep_the_rest),
		cmocka_unit_test(lost_answers),
		cmocka_unit_test(keys_that_are_none),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("s3_made", tests, setup, teardown);
}
