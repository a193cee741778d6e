/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies and removals on a condition, of servers that heed it and of those that
 * do not: what they do is the same, and what they cost is not.
 */
#include "store/s3/s3_heed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "s3_suite.h"
#include "store/store.h"

#define DEAF_TO_COPY \
	"\"method\": \"PUT\", \"header\": \"x-amz-copy-source: \", " \
	"\"count\": 0"
#define DEAF_TO_REMOVE "\"method\": \"DELETE\", \"count\": 0"
#define DEAF "\"type\": \"deaf\""

static void begin(bool deaf)
{
	free(standin_post(&rig.standin, "/_reset?objects=1", ""));
	s3_rig_open(&rig, NULL);
	if (!deaf)
		return;
	standin_fault(&rig.standin, DEAF_TO_COPY, DEAF);
	standin_fault(&rig.standin, DEAF_TO_REMOVE, DEAF);
}

static void put(const char *key, const char *text, struct object_info *out)
{
	struct store_body body = { .data = text,
				   .fd = -1,
				   .len = strlen(text) };

	assert_int_equal(store_put(rig.s, key, &body, NULL, NULL, out), 0);
}

static void check_text(const char *key, const char *wanted)
{
	char have[64];

	row_number(key, s3_rig_get(&rig, key, NULL, have), 0);
	row_equal(key, have, wanted);
}

/* A rename of what was made here: its copy to where nothing is, its removal. */
static int move(const char *from, const char *etag, const char *to)
{
	const struct store_cond absent = { .if_absent = true };
	struct object_info out;
	int rc = store_copy(rig.s, from, etag, to, &absent, &out);

	if (!rc)
		assert_string_equal(out.etag, etag);
	return rc ? rc : store_remove_same(rig.s, from, etag);
}

static const struct {
	const char *sentence;
	bool deaf;
	long first, later; /* requests */
} rows[] = {
	{ "a server that heeds both", false, 6, 2 },
	{ "one that heeds neither", true, 5, 4 },
};

static void it_costs_what_it_must(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		struct object_info made;
		char from[16], to[16];
		long before, took;

		begin(rows[r].deaf);
		for (int k = 0; k < 4; k++) {
			snprintf(from, sizeof(from), "from%d", k);
			snprintf(to, sizeof(to), "to%d", k);
			put(from, "text", &made);
			before = standin_stat(&rig.standin, "requests");
			row_number(rows[r].sentence, move(from, made.etag, to),
				   0);
			took = standin_stat(&rig.standin, "requests") - before;
			row_number(rows[r].sentence, took,
				   k ? rows[r].later : rows[r].first);
			check_text(to, "text");
			row_number(rows[r].sentence,
				   s3_rig_get(&rig, from, NULL,
					      (char[64]){ 0 }),
				   -ENOENT);
		}
		row_number(rows[r].sentence, s3_heed_copy(s3_of(rig.s)),
			   !rows[r].deaf);
		row_number(rows[r].sentence, s3_heed_remove(s3_of(rig.s)),
			   !rows[r].deaf);
	}
}

/* Learnt or not: what is there is not replaced, what is another is not
 * removed. */
static void conditions_hold(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		struct object_info made, other;

		begin(rows[r].deaf);
		for (int k = 0; k < 3; k++) {
			put("from", "text", &made);
			put("to", "taken", &other);
			row_number(rows[r].sentence,
				   move("from", made.etag, "to"), -EEXIST);
			check_text("to", "taken");
			check_text("from", "text");
			row_number(rows[r].sentence,
				   store_remove_same(rig.s, "to", made.etag),
				   -ESTALE);
			check_text("to", "taken");
			/* and here it is learnt */
			assert_int_equal(store_remove(rig.s, "to"), 0);
			row_number(rows[r].sentence,
				   move("from", made.etag, "to"), 0);
			check_text("to", "text");
			row_number(rows[r].sentence,
				   store_remove_same(rig.s, "from", made.etag),
				   0);
		}
	}
}

/* A server that takes the right ETag for another one is not believed. */
static void etags_that_are_refused(void **state)
{
	struct object_info made;

	begin(false);
	put("a", "text", &made);
	assert_int_equal(move("a", made.etag, "b"), 0);
	assert_true(s3_heed_remove(s3_of(rig.s)));
	put("c", "text", &made);
	standin_fault(&rig.standin,
		      "\"method\": \"DELETE\", \"header\": \"if-match: \", "
		      "\"count\": 1",
		      "\"type\": \"status\", \"status\": 412, \"code\": "
		      "\"PreconditionFailed\"");
	assert_int_equal(store_remove_same(rig.s, "c", made.etag), 0);
	assert_false(s3_heed_remove(s3_of(rig.s)));
	assert_int_equal(s3_rig_get(&rig, "c", NULL, (char[64]){ 0 }), -ENOENT);
}

SUITE(s3_heed)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_costs_what_it_must),
		cmocka_unit_test(conditions_hold),
		cmocka_unit_test(etags_that_are_refused),
	};

	log_open("/dev/null", LOG_LEVEL_ERROR);
	return S3_SUITE_RUN("s3_heed", tests);
}
