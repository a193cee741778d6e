/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a good server never does, one test each, over the store's own calls.
 *
 * Covers: store/s3/s3_judge.c store/s3/s3_perform.c
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "s3_suite.h"
#include "store/store.h"

#define ONCE(m) "\"method\": \"" m "\""
#define ALWAYS(m) "\"method\": \"" m "\", \"count\": 0"
#define TEXT "0123456789abcdef"
#define COPIES_ONCE "\"header\": \"x-amz-copy-source\""
#define COPIES "\"header\": \"x-amz-copy-source\", \"count\": 0"
#define ENDS "\"query\": \"uploadId=\", " ALWAYS("POST")
#define FAILS "\"type\": \"status\", \"status\": 500"
#define SLOWS "\"type\": \"error_in_200\", \"code\": \"SlowDown\""

static struct object_info put(const char *key, const char *text)
{
	struct store_body body = { .data = text,
				   .fd = -1,
				   .len = strlen(text) };
	struct object_info info;

	assert_int_equal(store_put(rig.s, key, &body, NULL, NULL, &info), 0);
	return info;
}

static int put_if(const char *key, const char *text,
		  const struct store_cond *cond)
{
	struct store_body body = { .data = text,
				   .fd = -1,
				   .len = strlen(text) };

	return store_put(rig.s, key, &body, NULL, cond, NULL);
}

/* Reads all of TEXT and more; what came is in `have`. */
static void assert_read(const char *key)
{
	char have[64];

	assert_int_equal(s3_rig_get(&rig, key, NULL, have), 0);
	assert_string_equal(have, TEXT);
}

static int fresh(void **state)
{
	standin_reset(&rig.standin);
	s3_rig_open(&rig, NULL);
	put("k", TEXT);
	free(standin_post(&rig.standin, "/_reset", ""));
	return 0;
}

/* ---- a read goes on where it broke off ---- */

static void body_is_cut(void **state)
{
	standin_fault(&rig.standin, ONCE("GET"),
		      "\"type\": \"cut\", \"after\": 6");
	assert_read("k");
	s3_rig_assert_log(&rig, "\"range\": \"bytes=6-62\"");
	s3_rig_assert_log(&rig, "\"if-match\": \"\\\"");
}

static void body_is_reset(void **state)
{
	standin_fault(&rig.standin, ONCE("GET"),
		      "\"type\": \"reset\", \"when\": \"body\", \"after\": 3");
	assert_read("k");
}

static void connection_is_reset(void **state)
{
	standin_fault(&rig.standin, ONCE("GET"), "\"type\": \"reset\"");
	assert_read("k");
}

static void body_stalls(void **state)
{
	struct s3_rig_options options = { .idle_timeout_s = 1 };

	s3_rig_open(&rig, &options);
	standin_fault(&rig.standin, ONCE("GET"),
		      "\"type\": \"stall\", \"when\": \"body\", \"after\": 5, "
		      "\"seconds\": 4");
	assert_read("k");
	s3_rig_assert_log(&rig, "\"range\": \"bytes=5-62\"");
}

static void length_is_wrong(void **state)
{
	standin_fault(&rig.standin, ONCE("GET"),
		      "\"type\": \"wrong_length\", \"delta\": 9");
	assert_read("k");
	standin_fault(&rig.standin, ONCE("GET"),
		      "\"type\": \"wrong_length\", \"delta\": -9");
	assert_read("k");
	s3_rig_assert_log(&rig, "\"range\": \"bytes=7-62\"");
}

static void whole_object_comes(void **state)
{
	char have[64];
	size_t n;

	standin_fault(&rig.standin, ONCE("GET"),
		      "\"type\": \"status\", \"status\": 200, \"body\": "
		      "\"" TEXT "\", \"headers\": {\"ETag\": \"\\\"e\\\"\"}");
	assert_int_equal(store_get_sync(rig.s, "k", NULL, 4, have, 5, &n, NULL),
			 0);
	assert_int_equal(n, 5);
	assert_memory_equal(have, &TEXT[4], 5);
}

static void another_range_comes(void **state)
{
	standin_fault(&rig.standin, ONCE("GET"),
		      "\"type\": \"status\", \"status\": 206, \"body\": "
		      "\"zzz\", \"headers\": {\"Content-Range\": "
		      "\"bytes 5-7/16\"}");
	assert_read("k");
}

static void object_changes_between(void **state)
{
	char have[64];

	standin_fault(&rig.standin, ONCE("GET"),
		      "\"type\": \"cut\", \"after\": 6");
	standin_fault(&rig.standin, "\"method\": \"GET\", \"nth\": 1",
		      "\"type\": \"status\", \"status\": 412, \"code\": "
		      "\"PreconditionFailed\"");
	assert_int_equal(s3_rig_get(&rig, "k", NULL, have), -ESTALE);
	standin_reset(&rig.standin);
	standin_fault(&rig.standin, ONCE("GET"),
		      "\"type\": \"cut\", \"after\": 6");
	standin_fault(&rig.standin, ONCE("GET"),
		      "\"type\": \"status\", \"status\": 404, \"code\": "
		      "\"NoSuchKey\"");
	assert_int_equal(s3_rig_get(&rig, "k", NULL, have), -ESTALE);
}

static void condition_is_ignored(void **state)
{
	char have[64];

	standin_fault(&rig.standin, ONCE("GET"),
		      "\"type\": \"status\", \"status\": 206, \"body\": "
		      "\"other\", \"headers\": {\"Content-Range\": "
		      "\"bytes 0-4/5\", \"ETag\": \"\\\"other\\\"\"}");
	assert_int_equal(s3_rig_get(&rig, "k", "\"mine\"", have), -ESTALE);
}

/* ---- answers that get lost ---- */

static void lost_put(void **state)
{
	struct store_cond absent = { .if_absent = true }, match = { 0 };
	struct object_info old;

	standin_fault(&rig.standin, ONCE("PUT"), "\"type\": \"lose\"");
	assert_int_equal(put_if("lost", "1", &absent), 0);
	old = put("lost", "2");
	match.if_match = old.etag;
	standin_fault(&rig.standin, "\"method\": \"PUT\", \"nth\": 1",
		      "\"type\": \"lose\"");
	assert_int_equal(put_if("lost", "3", &match), 0);
	/* lost, but another machine's is there */
	put("lost", "other");
	standin_fault(&rig.standin, ONCE("PUT"), "\"type\": \"reset\"");
	assert_int_equal(put_if("lost", "4", &absent), -EEXIST);
}

static struct store_upload *upload(const char *key,
				   struct store_part_done *done)
{
	const struct store_range from = { .key = "k", .len = sizeof(TEXT) - 1 };
	struct store_upload *u;

	assert_int_equal(store_upload_open(rig.s, key, NULL, &u), 0);
	assert_int_equal(store_part_copy(u, 1, 0, &from, done), 0);
	return u;
}

static void lost_completion(void **state)
{
	struct store_part_done done;
	struct store_upload *u = upload("lost-u", &done);
	struct object_info info;

	standin_fault(&rig.standin,
		      "\"method\": \"POST\", \"query\": \"uploadId\"",
		      "\"type\": \"lose\"");
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, &info), 0);
	assert_int_equal(info.size, sizeof(TEXT) - 1);
	store_upload_free(u);
	assert_read("lost-u");
}

static void error_in_200(void **state)
{
	static const char post[] =
		"\"method\": \"POST\", \"query\": \"uploadId\"";
	struct store_part_done done;
	struct store_upload *u = upload("e200", &done);

	standin_fault(&rig.standin, post,
		      "\"type\": \"error_in_200\", \"code\": \"AccessDenied\"");
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL),
			 -EACCES);
	standin_fault(
		&rig.standin, post,
		"\"type\": \"error_in_200\", \"code\": \"InternalError\"");
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), 0);
	store_upload_free(u);
	standin_fault(&rig.standin, ONCE("PUT"),
		      "\"type\": \"error_in_200\", \"code\": \"SlowDown\"");
	assert_int_equal(store_copy(rig.s, "k", NULL, "e200", NULL, NULL), 0);
	standin_fault(&rig.standin, ONCE("PUT"),
		      "\"type\": \"error_in_200\", \"code\": \"AccessDenied\"");
	assert_int_equal(store_copy(rig.s, "k", NULL, "e200", NULL, NULL),
			 -EACCES);
}

/* ---- beginnings whose answer is lost ---- */

#define BEGINS "\"method\": \"POST\", \"query\": \"uploads\""

static unsigned count_text(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void lost_beginning(void **state)
{
	static const struct {
		const char *fault;
		bool said;
	} rows[] = {
		{ "\"type\": \"lose\"", true },
		{ "\"type\": \"cut\", \"after\": 9", true },
		{ "\"type\": \"garbage\"", true },
		{ FAILS, true },
		{ "\"type\": \"latency\", \"seconds\": 0", false },
	};
	char path[] = "/tmp/stagefs-test-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char said[8192] = "";
		struct store_upload *u;

		assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
		standin_fault(&rig.standin, BEGINS, rows[i].fault);
		row_number(rows[i].fault,
			   store_upload_open(rig.s, "k", NULL, &u), 0);
		row_number(rows[i].fault, store_upload_abort(u), 0);
		store_upload_free(u);
		log_close();
		assert_true(pread(fd, said, sizeof(said) - 1, 0) >= 0);
		assert_int_equal(ftruncate(fd, 0), 0);
		row_number(rows[i].fault, count_text(said, "one may be left"),
			   rows[i].said);
		standin_reset(&rig.standin);
	}
	close(fd);
	unlink(path);
}

/* A copy is done, its answer unreadable, and then its condition does not hold:
 * by the copy itself. */
static void garbled_copy(void **state)
{
	static const struct store_cond absent = { .if_absent = true,
						  .looked = true };
	struct object_info info;

	put("to", TEXT);
	standin_fault(&rig.standin, COPIES_ONCE, "\"type\": \"garbage\"");
	standin_fault(&rig.standin, COPIES_ONCE,
		      "\"type\": \"status\", \"status\": 412, \"code\": "
		      "\"PreconditionFailed\"");
	assert_int_equal(store_copy(rig.s, "k", NULL, "to", &absent, &info), 0);
	assert_int_equal(info.size, sizeof(TEXT) - 1);
}

/* ---- what the server does by itself ends with the deadline ---- */

static int work(struct store_upload *u, const char *what,
		const struct store_part_done *first)
{
	const struct store_range from = { .key = "k", .len = sizeof(TEXT) - 1 };
	struct store_part_done done;

	if (!strcmp(what, "copy"))
		return store_copy(rig.s, "k", NULL, "k2", NULL, NULL);
	if (!strcmp(what, "part"))
		return store_part_copy(u, 2, 0, &from, &done);
	return store_upload_complete(u, first, 1, NULL, NULL);
}

static void work_fails_always(void **state)
{
	static const struct {
		const char *what, *match, *fault;
	} rows[] = {
		{ "copy", COPIES, FAILS },
		{ "copy", COPIES, SLOWS },
		{ "copy", COPIES, "\"type\": \"reset\"" },
		{ "part", COPIES, FAILS },
		{ "completion", ENDS, FAILS },
		{ "completion", ENDS, SLOWS },
	};
	struct s3_rig_options options = { .deadline_s = 1 };
	struct store_part_done done;
	struct store_upload *u;

	s3_rig_open(&rig, &options);
	u = upload("u", &done);
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t began = clock_mono_ms();

		standin_fault(&rig.standin, rows[i].match, rows[i].fault);
		row_number(rows[i].what, work(u, rows[i].what, &done), -EIO);
		row_check(rows[i].what, clock_mono_ms() - began < 60000);
		standin_reset(&rig.standin);
	}
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), 0);
	store_upload_free(u);
}

/* ---- listings ---- */

static int count(const char *prefix)
{
	struct list_query q = { .prefix = prefix, .delimiter = '/' };
	struct store_list *l;
	struct list_entry e;
	int more, n = 0;

	assert_int_equal(store_list_open(rig.s, &q, &l), 0);
	while ((more = store_list_next(l, &e)) == 1)
		n++;
	if (more < 0)
		assert_int_equal(store_list_next(l, &e), more);
	store_list_close(l);
	return more < 0 ? more : n;
}

static void garbage(void **state)
{
	struct s3_rig_options options = { .deadline_s = 1 };

	standin_fault(&rig.standin, ONCE("GET"), "\"type\": \"garbage\"");
	assert_int_equal(count("k"), 1);
	s3_rig_open(&rig, &options);
	standin_fault(&rig.standin, ALWAYS("GET"), "\"type\": \"garbage\"");
	assert_int_equal(count("k"), -EIO);
}

static void same_token_again(void **state)
{
	standin_fault(&rig.standin, ALWAYS("GET"),
		      "\"type\": \"garbage\", \"body\": \"<ListBucketResult>"
		      "<IsTruncated>true</IsTruncated><NextContinuationToken>t"
		      "</NextContinuationToken><Contents><Key>k</Key>"
		      "<Size>1</Size></Contents></ListBucketResult>\"");
	assert_int_equal(count("k"), -EIO);
}

/* ---- removing ---- */

static void removal_fails_for_some(void **state)
{
	static const char *const keys[] = { "r1", "r2", "r3" };
	int results[3];

	put("r1", "x");
	put("r2", "x");
	put("r3", "x");
	standin_fault(&rig.standin, ONCE("POST"),
		      "\"type\": \"garbage\", \"body\": \"<DeleteResult><Error>"
		      "<Key>r2</Key><Code>AccessDenied</Code></Error><Error>"
		      "<Key>r3</Key><Code>SlowDown</Code></Error>"
		      "</DeleteResult>\"");
	assert_int_equal(store_remove_many(rig.s, keys, 3, results), -EACCES);
	assert_int_equal(results[0], 0);
	assert_int_equal(results[1], -EACCES);
	assert_int_equal(results[2], 0);
	assert_int_equal(count("r3"), 0);
}

static void no_batch_removal(void **state)
{
	static const char *const keys[] = { "r1", "r2", "r3" };
	static const struct {
		const char *sentence, *fault;
		int rc;
		bool learnt;
	} rows[] = {
		{ "it is not implemented",
		  "\"type\": \"status\", \"status\": 501, \"code\": "
		  "\"NotImplemented\"",
		  0, true },
		{ "the method is not allowed",
		  "\"type\": \"status\", \"status\": 405, \"body\": \"\"", 0,
		  true },
		{ "an argument is invalid (Google)",
		  "\"type\": \"status\", \"status\": 400, \"code\": "
		  "\"InvalidArgument\"",
		  0, true },
		{ "it is refused",
		  "\"type\": \"status\", \"status\": 403, \"code\": "
		  "\"AccessDenied\"",
		  -EACCES, false },
	};
	int results[3];
	long faults;

	for (size_t r = 0; r < COUNT(rows); r++) {
		struct s3_rig_options options = { .deadline_s = 2 };

		free(standin_post(&rig.standin, "/_reset?objects=1", ""));
		s3_rig_open(&rig, &options);
		put("r1", "x");
		put("r2", "x");
		put("r3", "x");
		standin_fault(&rig.standin, ALWAYS("POST"), rows[r].fault);
		row_number(rows[r].sentence,
			   store_remove_many(rig.s, keys, 3, results),
			   rows[r].rc);
		row_number(rows[r].sentence, count("r"), rows[r].rc ? 3 : 0);
		faults = standin_stat(&rig.standin, "faults");
		store_remove_many(rig.s, keys, 3, results);
		row_number(rows[r].sentence,
			   standin_stat(&rig.standin, "faults"),
			   faults + !rows[r].learnt);
	}
}

/* ---- copies ---- */

static void big_copy(void **state)
{
	struct object_info info;
	char *log;
	unsigned parts = 0;

	standin_fault(&rig.standin, ALWAYS("HEAD"),
		      "\"type\": \"status\", \"status\": 200, \"body\": \"\", "
		      "\"headers\": {\"Content-Length\": \"6442450944\", "
		      "\"ETag\": \"\\\"big\\\"\", \"x-amz-meta-mode\": "
		      "\"33188\", \"Content-Type\": \"text/csv\"}");
	standin_fault(
		&rig.standin,
		"\"method\": \"PUT\", \"query\": \"partNumber\", "
		"\"count\": 0",
		"\"type\": \"garbage\", \"body\": \"<CopyPartResult><ETag>"
		"p</ETag></CopyPartResult>\"");
	standin_fault(&rig.standin,
		      "\"method\": \"POST\", \"query\": \"uploadId\"",
		      "\"type\": \"garbage\", \"body\": "
		      "\"<CompleteMultipartUploadResult><ETag>big</ETag>"
		      "</CompleteMultipartUploadResult>\"");
	assert_int_equal(store_copy(rig.s, "k", NULL, "big", NULL, &info), 0);
	assert_int_equal(info.size, 6442450944);
	log = standin_get(&rig.standin, "/_requests");
	for (const char *s = log; (s = strstr(s, "partNumber=")); s++)
		parts++;
	assert_int_equal(parts, 12);
	assert_non_null(strstr(log, "bytes=5905580032-6442450943"));
	assert_non_null(strstr(log, "\"x-amz-meta-mode\": \"33188\""));
	free(log);
}

SUITE(s3_faults)
{
	const struct CMUnitTest tests[] = {
		ROW("a cut body goes on where it broke off", body_is_cut),
		ROW("a body that is reset goes on", body_is_reset),
		ROW("a reset is tried again", connection_is_reset),
		ROW("a stalled body goes on", body_stalls),
		ROW("a wrong length is noticed", length_is_wrong),
		ROW("a range out of a whole object", whole_object_comes),
		ROW("another range is asked for again", another_range_comes),
		ROW("an object that changes under a read is ESTALE",
		    object_changes_between),
		ROW("a server that ignores If-Match is noticed",
		    condition_is_ignored),
		ROW("a conditional PUT whose answer is lost was ours",
		    lost_put),
		ROW("a completion whose answer is lost was ours",
		    lost_completion),
		ROW("an error inside a 200 is an error", error_in_200),
		ROW("an upload that nobody knows of is said", lost_beginning),
		ROW("a copy whose answer is garbage was ours", garbled_copy),
		ROW("a copy, a part or a completion that fails always ends",
		    work_fails_always),
		ROW("garbage is tried again, then EIO", garbage),
		ROW("a listing that does not move ends", same_token_again),
		ROW("keys that are not removed are told",
		    removal_fails_for_some),
		ROW("a server without batch removal", no_batch_removal),
		ROW("a copy beyond 5 GiB goes by parts", big_copy),
	};

	return S3_SUITE_RUN("s3_faults", tests);
}
