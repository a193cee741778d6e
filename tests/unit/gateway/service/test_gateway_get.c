/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET, HEAD and OPTIONS of objects, at the server itself, on its own threads.
 *
 * Covers: gateway/answer.c gateway/callbacks.c gateway/counters.c
 * Covers: gateway/exchange.c gateway/file_body.c gateway/objects/object.c
 * Covers: gateway/objects/object_get.c gateway/objects/object_request.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <utime.h>

#include "base/clock.h"
#include "base/buf.h"
#include "gateway/objects/conditions.h"
#include "gateway_rig.h"

#define KEY "stage/user/root/a.txt"
#define TEXT "0123456789abcdefghij" /* 20 bytes */
#define APP "https://app.example.com"

static struct gateway_rig rig;
static struct object_info info;
static char date[TIME_HTTP_SIZE], later[TIME_HTTP_SIZE], before[TIME_HTTP_SIZE];

static int setup(void **state)
{
	static const struct field headers[] = {
		{ "x-amz-meta-color", "blue" },
	};
	const struct store_meta meta = { .content_type = "text/x-test",
					 .headers = headers,
					 .n_headers = 1 };
	const struct store_body body = { .data = TEXT,
					 .fd = -1,
					 .len = sizeof(TEXT) - 1 };

	gateway_rig_open(&rig, NULL);
	assert_int_equal(store_put(rig.disk.s, KEY, &body, &meta, NULL, &info),
			 0);
	clock_http(info.mtime.tv_sec, date);
	clock_http(info.mtime.tv_sec + 5, later);
	clock_http(info.mtime.tv_sec - 5, before);
	return 0;
}

static int teardown(void **state)
{
	gateway_rig_close(&rig);
	return 0;
}

/* A value of a row: what is only known when the object is there. */
static const char *value_of(const char *word)
{
	if (!strcmp(word, "ETAG"))
		return info.etag;
	if (!strcmp(word, "DATE"))
		return date;
	if (!strcmp(word, "LATER"))
		return later;
	if (!strcmp(word, "BEFORE"))
		return before;
	return word;
}

static const struct {
	const char *sentence;
	struct field sends[RIG_FIELDS];
	unsigned status;
	const char *body; /* of 200 and 206 */
	const char *range; /* Content-Range */
} rows[] = {
	{ "all of it", { { 0 } }, 200, TEXT, NULL },
	{ "a range",
	  { { "Range", "bytes=5-9" } },
	  206,
	  "56789",
	  "bytes 5-9/20" },
	{ "a suffix",
	  { { "Range", "bytes=-3" } },
	  206,
	  "hij",
	  "bytes 17-19/20" },
	{ "to the end",
	  { { "Range", "bytes=18-" } },
	  206,
	  "ij",
	  "bytes 18-19/20" },
	{ "past the end",
	  { { "Range", "bytes=18-99" } },
	  206,
	  "ij",
	  "bytes 18-19/20" },
	{ "behind the end",
	  { { "Range", "bytes=20-" } },
	  416,
	  NULL,
	  "bytes */20" },
	{ "two ranges", { { "Range", "bytes=0-1,4-5" } }, 200, TEXT, NULL },
	{ "If-Match, it is", { { "If-Match", "ETAG" } }, 200, TEXT, NULL },
	{ "If-Match, it is not", { { "If-Match", "\"x\"" } }, 412, NULL, NULL },
	{ "If-None-Match, it is",
	  { { "If-None-Match", "ETAG" } },
	  304,
	  NULL,
	  NULL },
	{ "If-None-Match, it is not",
	  { { "If-None-Match", "\"x\"" } },
	  200,
	  TEXT,
	  NULL },
	{ "If-Modified-Since, it was not",
	  { { "If-Modified-Since", "DATE" } },
	  304,
	  NULL,
	  NULL },
	{ "If-Modified-Since, it was",
	  { { "If-Modified-Since", "BEFORE" } },
	  200,
	  TEXT,
	  NULL },
	{ "If-Unmodified-Since, it was not",
	  { { "If-Unmodified-Since", "LATER" } },
	  200,
	  TEXT,
	  NULL },
	{ "If-Unmodified-Since, it was",
	  { { "If-Unmodified-Since", "BEFORE" } },
	  412,
	  NULL,
	  NULL },
	{ "If-Range, it is",
	  { { "If-Range", "ETAG" }, { "Range", "bytes=0-0" } },
	  206,
	  "0",
	  "bytes 0-0/20" },
	{ "If-Range, it is not",
	  { { "If-Range", "\"x\"" }, { "Range", "bytes=0-0" } },
	  200,
	  TEXT,
	  NULL },
	{ "If-Range by time",
	  { { "If-Range", "DATE" }, { "Range", "bytes=0-0" } },
	  206,
	  "0",
	  "bytes 0-0/20" },
};

static void check_headers(const char *sentence, const struct reply *r)
{
	row_equal(sentence, reply_header(r, "ETag"), info.etag);
	row_equal(sentence, reply_header(r, "Last-Modified"), date);
	if (r->status != 200 && r->status != 206)
		return;
	row_equal(sentence, reply_header(r, "Content-Type"), "text/x-test");
	row_equal(sentence, reply_header(r, "Accept-Ranges"), "bytes");
	row_equal(sentence, reply_header(r, "x-amz-meta-color"), "blue");
}

static void check_row(size_t i, const char *method)
{
	struct ask a = { .method = method, .key = KEY };
	const bool head = !strcmp(method, "HEAD");
	const char *sentence = rows[i].sentence, *range;
	struct reply r;

	for (size_t j = 0; j < RIG_FIELDS && rows[i].sends[j].name; j++)
		a.sends[j] = (struct field){
			rows[i].sends[j].name,
			value_of(rows[i].sends[j].value),
		};
	rig_ask(&rig, &a, NULL, &r);
	row_number(sentence, r.status, rows[i].status);
	check_headers(sentence, &r);
	range = reply_header(&r, "Content-Range");
	row_equal(sentence, range ? range : "none",
		  rows[i].range ? rows[i].range : "none");
	if (rows[i].body) {
		row_equal(sentence, r.body, head ? "" : rows[i].body);
		row_number(sentence,
			   strtol(reply_header(&r, "Content-Length"), NULL, 10),
			   strlen(rows[i].body));
	}
	if (rows[i].status == 304)
		row_equal(sentence, reply_header(&r, "Content-Length"), "20");
	if (rows[i].status == 304 || head)
		row_number(sentence, r.len, 0);
	reply_clear(&r);
}

static void test_get(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(i, "GET");
}

static void test_head(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(i, "HEAD");
}

/* ---- what the answer shall say ---- */

static void test_overrides(void **state)
{
	static const struct {
		const char *parameter, *header, *value;
	} all[] = {
		{ "response-content-type", "Content-Type", "text/csv" },
		{ "response-content-language", "Content-Language", "de" },
		{ "response-content-encoding", "Content-Encoding", "br" },
		{ "response-content-disposition", "Content-Disposition",
		  "attachment; filename=\"a b.csv\"" },
		{ "response-cache-control", "Cache-Control", "no-store" },
		{ "response-expires", "Expires",
		  "Thu, 01 Jan 1970 00:00:00 GMT" },
	};
	struct ask a = { .key = KEY };
	struct reply r;

	for (size_t i = 0; i < COUNT(all); i++)
		a.query[i] = (struct field){ all[i].parameter, all[i].value };
	rig_ask(&rig, &a, NULL, &r);
	reply_expect("all of them", &r, 200, NULL);
	for (size_t i = 0; i < COUNT(all); i++)
		row_equal(all[i].parameter, reply_header(&r, all[i].header),
			  all[i].value);
	reply_clear(&r);
	a = (struct ask){
		.key = KEY,
		.query = { { "response-content-type", "a\r\nSet-Cookie: b" } },
	};
	rig_expect(&rig, "a header within a header", &a, 400,
		   "InvalidArgument");
}

/* Added by the holder of the URL: not signed. */
static void test_unsigned_override(void **state)
{
	const struct ask a = { .key = KEY };
	char *target = rig_target(&rig, &a), *more = NULL;
	struct reply r;

	assert_true(asprintf(&more, "%s&response-content-type=text/html",
			     target) > 0);
	rig_ask(&rig, &a, more, &r);
	reply_expect("an override that is not signed", &r, 403,
		     "SignatureDoesNotMatch");
	reply_clear(&r);
	free(more);
	free(target);
}

/* ---- files of others, directories ---- */

static void test_foreign_file(void **state)
{
	const struct ask a = { .key = "stage/mine.txt" };
	struct reply r;

	assert_int_equal(mkdir(local_rig_path(&rig.disk, "stage"), 0755) != 0,
			 1);
	local_rig_write(&rig.disk, "stage/mine.txt", "by hand");
	rig_ask(&rig, &a, NULL, &r);
	reply_expect("a file that somebody put there", &r, 200, NULL);
	row_equal("its bytes", r.body, "by hand");
	assert_non_null(reply_header(&r, "ETag"));
	reply_clear(&r);
}

static void test_directory(void **state)
{
	struct ask a = { .key = "stage/user" };

	rig_expect(&rig, "a directory is no object", &a, 404, "NoSuchKey");
	local_rig_put(rig.disk.s, "stage/dir/", "");
	a = (struct ask){ .key = "stage/dir/" };
	rig_expect(&rig, "a marker is an empty one", &a, 200, NULL);
	a.method = "HEAD";
	rig_expect(&rig, "its HEAD", &a, 200, NULL);
	a = (struct ask){ .key = KEY "/" };
	rig_expect(&rig, "below a file", &a, 404, "NoSuchKey");
}

static void test_empty(void **state)
{
	struct ask a = { .key = "stage/empty" };
	struct reply r;

	local_rig_put(rig.disk.s, "stage/empty", "");
	rig_ask(&rig, &a, NULL, &r);
	reply_expect("no bytes", &r, 200, NULL);
	row_equal("its length", reply_header(&r, "Content-Length"), "0");
	reply_clear(&r);
	a.sends[0] = (struct field){ "Range", "bytes=0-" };
	rig_expect(&rig, "a range of none", &a, 416, "InvalidRange");
}

/* ---- browsers ---- */

static const struct {
	const char *sentence, *origin;
	unsigned status;
	const char *allowed; /* Access-Control-Allow-Origin, or none */
} preflights[] = {
	{ "an origin of the list", APP, 204, APP },
	{ "another origin", "https://evil.example.com", 403, "none" },
	{ "a page without an origin", "null", 403, "none" },
};

static void test_options(void **state)
{
	for (size_t i = 0; i < COUNT(preflights); i++) {
		const struct ask a = {
			.method = "OPTIONS",
			.key = KEY,
			.sends = {
				{ "Origin", preflights[i].origin },
				{ "Access-Control-Request-Method", "PUT" },
				{ "Access-Control-Request-Headers",
				  "content-type, x-amz-meta-a" },
			},
		};
		const char *sentence = preflights[i].sentence, *value;
		struct reply r;

		rig_ask(&rig, &a, "/storage/stage/x", &r);
		row_number(sentence, r.status, preflights[i].status);
		value = reply_header(&r, "Access-Control-Allow-Origin");
		row_equal(sentence, value ? value : "none",
			  preflights[i].allowed);
		if (r.status == 204) {
			row_equal(sentence,
				  reply_header(&r,
					       "Access-Control-Allow-Headers"),
				  "content-type, x-amz-meta-a");
			value = reply_header(&r,
					     "Access-Control-Allow-Methods");
			assert_non_null(strstr(value, "PUT"));
		}
		reply_clear(&r);
	}
}

static void test_cors(void **state)
{
	struct ask a = { .key = KEY, .sends = { { "Origin", APP } } };
	struct reply r;

	rig_ask(&rig, &a, NULL, &r);
	reply_expect("a page of the list", &r, 200, NULL);
	row_equal("may read it",
		  reply_header(&r, "Access-Control-Allow-Origin"), APP);
	row_equal("a cache knows", reply_header(&r, "Vary"), "Origin");
	reply_clear(&r);
	a.sends[0].value = "https://evil.example.com";
	rig_ask(&rig, &a, NULL, &r);
	reply_expect("another page", &r, 200, NULL);
	assert_null(reply_header(&r, "Access-Control-Allow-Origin"));
	reply_clear(&r);
}

static void any_origin(struct gateway_settings *set)
{
	set->cors_origins = "*";
}

/* `*` is for pre-signed URLs, whose pages know them: no page of another site
 * reads what operators read. */
static void test_any_origin(void **state)
{
	struct ask a = { .key = KEY, .sends = { { "Origin", APP } } };
	struct reply r;

	gateway_rig_close(&rig);
	gateway_rig_open(&rig, any_origin);
	local_rig_put(rig.disk.s, KEY, TEXT);
	rig_ask(&rig, &a, NULL, &r);
	reply_expect("an object", &r, 200, NULL);
	row_equal("is any page's to read",
		  reply_header(&r, "Access-Control-Allow-Origin"), APP);
	reply_clear(&r);
	rig_ask(&rig, &a, "/metrics", &r);
	reply_expect("metrics", &r, 200, NULL);
	assert_null(reply_header(&r, "Access-Control-Allow-Origin"));
	reply_clear(&r);
}

static void test_methods(void **state)
{
	static const char *const methods[] = { "POST",  "DELETE",  "PATCH",
					       "TRACE", "CONNECT", "BREW" };

	for (size_t i = 0; i < COUNT(methods); i++) {
		const struct ask a = { .method = methods[i], .key = KEY };
		struct reply r;

		rig_ask(&rig, &a, NULL, &r);
		if (r.status != 405 && r.status != 501 && r.status != 400)
			fail_msg("%s: %u", methods[i], r.status);
		reply_clear(&r);
	}
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

SUITE(gateway_get)
{
	const struct CMUnitTest tests[] = {
		WITH(test_get),          WITH(test_head),
		WITH(test_overrides),    WITH(test_unsigned_override),
		WITH(test_foreign_file), WITH(test_directory),
		WITH(test_empty),        WITH(test_options),
		WITH(test_cors),         WITH(test_any_origin),
		WITH(test_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
