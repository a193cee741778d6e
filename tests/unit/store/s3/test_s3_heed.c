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

/* A rename of what was made here: its copy to where nothing is, its removal.
 * just: as of one who has looked at both names. */
static int move(const char *from, const char *etag, const char *to, bool just)
{
	const struct store_cond absent = { .if_absent = true, .looked = just };
	struct object_info out;
	int rc = store_copy(rig.s, from, etag, to, &absent, &out);

	if (rc)
		return rc;
	assert_string_equal(out.etag, etag);
	return just ? store_remove_seen(rig.s, from, etag)
		    : store_remove_same(rig.s, from, etag);
}

static const struct {
	const char *sentence;
	bool deaf;
	long looks, just; /* requests */
} rows[] = {
	{ "a server that heeds both", false, 4, 2 },
	{ "one that heeds neither", true, 4, 2 },
};

static long cost(size_t r, int k, bool just)
{
	struct object_info made;
	char from[16], to[16];
	long before;

	snprintf(from, sizeof(from), "from%d", k);
	snprintf(to, sizeof(to), "to%d", k);
	put(from, "text", &made);
	before = standin_stat(&rig.standin, "requests");
	row_number(rows[r].sentence, move(from, made.etag, to, just), 0);
	before = standin_stat(&rig.standin, "requests") - before;
	check_text(to, "text");
	row_number(rows[r].sentence,
		   s3_rig_get(&rig, from, NULL, (char[64]){ 0 }), -ENOENT);
	return before;
}

static void it_costs_what_it_must(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		begin(rows[r].deaf);
		for (int k = 0; k < 6; k++)
			row_number(rows[r].sentence, cost(r, k, k % 2),
				   k % 2 ? rows[r].just : rows[r].looks);
	}
}

/* Refusals are what it is learnt by. */
static void it_is_learnt(void **state)
{
	struct object_info made, other;

	for (size_t r = 0; r < COUNT(rows); r++) {
		begin(rows[r].deaf);
		put("from", "text", &made);
		put("to", "taken", &other);
		row_number(rows[r].sentence,
			   move("from", made.etag, "to", !rows[r].deaf),
			   -EEXIST);
		row_number(rows[r].sentence,
			   rows[r].deaf
				   ? -ESTALE
				   : store_remove_seen(rig.s, "to", made.etag),
			   -ESTALE);
		check_text("to", "taken");
		row_number(rows[r].sentence, s3_heed_copy(s3_of(rig.s)),
			   !rows[r].deaf);
		row_number(rows[r].sentence, s3_heed_remove(s3_of(rig.s)),
			   !rows[r].deaf);
		row_number(rows[r].sentence, cost(r, 7, false),
			   rows[r].deaf ? 4 : 2);
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
				   move("from", made.etag, "to", false),
				   -EEXIST);
			check_text("to", "taken");
			check_text("from", "text");
			row_number(rows[r].sentence,
				   store_remove_same(rig.s, "to", made.etag),
				   -ESTALE);
			check_text("to", "taken");
			assert_int_equal(store_remove(rig.s, "to"), 0);
			row_number(rows[r].sentence,
				   move("from", made.etag, "to", k == 1), 0);
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
	put("b", "text", &made);
	assert_int_equal(store_remove_seen(rig.s, "a", "\"other\""), -ESTALE);
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
		cmocka_unit_test(it_is_learnt),
		cmocka_unit_test(conditions_hold),
		cmocka_unit_test(etags_that_are_refused),
	};

	log_open("/dev/null", LOG_LEVEL_ERROR);
	return S3_SUITE_RUN("s3_heed", tests);
}
