/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which credentials are in use, when they are read again, and what happens
 * when that fails.
 *
 * Covers: auth/cred_ask.c
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "auth/aws_profile.h"
#include "auth/cred_cache.h"
#include "aws_home.h"
#include "base/buf.h"
#include "base/clock.h"
#include "suite.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define KEYS(id) "aws_access_key_id=" id "\naws_secret_access_key=S" id "\n"
#define PROFILE(id) "[default]\n" KEYS(id)

struct row {
	const char *sentence;
	struct cred_settings settings;
	const char *env_id, *env_secret;
	const char *file;
	int rc;
	const char *id; /* NULL: anonymous */
	int peek; /* before get */
	const char *why;
};

static const struct row rows[] = {
	{ .sentence = "given keys are there without being read",
	  .settings = { "static", "G", "SG" },
	  .id = "G" },
	{ .sentence = "given keys come before all others",
	  .settings = { "auto", "G", "SG" },
	  .env_id = "E",
	  .env_secret = "SE",
	  .file = PROFILE("F"),
	  .id = "G" },
	{ .sentence = "an id without a secret is an error, not a next source",
	  .settings = { "auto", "G", NULL },
	  .env_id = "E",
	  .env_secret = "SE",
	  .rc = -EINVAL,
	  .peek = -EAGAIN,
	  .why = "one of them is missing" },
	{ .sentence = "a secret without an id is an error",
	  .settings = { "static", "", "S" },
	  .rc = -EINVAL,
	  .peek = -EAGAIN,
	  .why = "one of them is missing" },
	{ .sentence = "a token without keys is an error",
	  .settings = { "auto", NULL, NULL, "T" },
	  .rc = -EINVAL,
	  .peek = -EAGAIN,
	  .why = "one of them is missing" },
	{ .sentence = "static without keys is an error",
	  .settings = { "static" },
	  .env_id = "E",
	  .env_secret = "SE",
	  .rc = -EINVAL,
	  .peek = -EAGAIN,
	  .why = "one of them is missing" },
	{ .sentence = "anonymous is nobody, whatever there is",
	  .settings = { "anonymous" },
	  .env_id = "E",
	  .env_secret = "SE",
	  .file = PROFILE("F") },
	{ .sentence = "the environment comes before the profile",
	  .settings = { "auto" },
	  .env_id = "E",
	  .env_secret = "SE",
	  .file = PROFILE("F"),
	  .id = "E",
	  .peek = -EAGAIN },
	{ .sentence = "without an environment the profile",
	  .settings = { "auto" },
	  .file = PROFILE("F"),
	  .id = "F",
	  .peek = -EAGAIN },
	{ .sentence = "half an environment is an error, not a next source",
	  .settings = { "auto" },
	  .env_id = "E",
	  .file = PROFILE("F"),
	  .rc = -EINVAL,
	  .peek = -EAGAIN,
	  .why = "AWS_SECRET_ACCESS_KEY in the environment: missing" },
	{ .sentence = "a profile by name comes before the environment",
	  .settings = { "profile:dev" },
	  .env_id = "E",
	  .env_secret = "SE",
	  .file = "[dev]\n" KEYS("D"),
	  .id = "D",
	  .peek = -EAGAIN },
	{ .sentence = "nothing anywhere: both places are named",
	  .settings = { "auto" },
	  .rc = -ENOENT,
	  .peek = -EAGAIN,
	  .why = "AWS_ACCESS_KEY_ID is not in the environment; "
		 "there is no profile default in " },
	{ .sentence = "env asks the environment only",
	  .settings = { "env" },
	  .file = PROFILE("F"),
	  .rc = -ENOENT,
	  .peek = -EAGAIN,
	  .why = "AWS_ACCESS_KEY_ID is not in the environment" },
	{ .sentence = "profile asks the profile only",
	  .settings = { "profile:dev" },
	  .env_id = "E",
	  .env_secret = "SE",
	  .file = PROFILE("F"),
	  .rc = -ENOENT,
	  .peek = -EAGAIN,
	  .why = "there is no profile dev in " },
};

static void environment(const char *id, const char *secret, const char *end)
{
	setenv("AWS_ACCESS_KEY_ID", id ? id : "", 1);
	setenv("AWS_SECRET_ACCESS_KEY", secret ? secret : "", 1);
	setenv("AWS_CREDENTIAL_EXPIRATION", end ? end : "", 1);
}

static void sources(void **state)
{
	for (size_t i = 0; i < LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct cred_cache *c;
		struct creds *seen;
		int rc;

		environment(row->env_id, row->env_secret, NULL);
		aws_home_write("credentials", row->file);
		c = cred_cache_new(&row->settings);
		rc = cred_cache_peek(c, &seen);
		if (rc != row->peek)
			fail_msg("%s: peek %d", row->sentence, rc);
		creds_unref(seen);
		rc = cred_cache_get(c, &seen, &why);
		if (rc != row->rc)
			fail_msg("%s: %d, %s", row->sentence, rc,
				 buf_str(&why));
		if (rc && !strstr(buf_str(&why), row->why))
			fail_msg("%s: %s", row->sentence, buf_str(&why));
		if (!rc && strcmp(seen ? seen->access_key_id : "nobody",
				  row->id ? row->id : "nobody"))
			fail_msg("%s: somebody else", row->sentence);
		creds_unref(seen);
		if (!rc) {
			assert_int_equal(why.len, 0);
			assert_int_equal(cred_cache_peek(c, &seen), 0);
			creds_unref(seen);
		}
		cred_cache_free(c);
		buf_clear(&why);
	}
}

/* What happens to the file between two looks, and what is then in use. */
struct change {
	const char *sentence;
	const char *file; /* afterwards */
	const char *id; /* in use after get */
	bool refused; /* cred_cache_refused(those of before) */
	bool same_address; /* get gives the same object as before */
};

static const struct change changes[] = {
	{ "nothing changed", PROFILE("A"), "A", false, true },
	{ "other keys", PROFILE("B"), "B", true, false },
	{ "the same keys and something else", PROFILE("A") "region=r\n", "A",
	  false, true },
	{ "a new secret for the same id",
	  "[default]\naws_access_key_id=A\naws_secret_access_key=X\n", "A",
	  true, false },
	{ "the file is gone", NULL, "A", false, true },
	{ "the file is broken", "[default]\ngarbage\n", "A", false, true },
	{ "the profile is gone", "[other]\n" KEYS("B"), "A", false, true },
	{ "the secret is gone", "[default]\naws_access_key_id=B\n", "A", false,
	  true },
};

static struct creds *in_use(struct cred_cache *c)
{
	struct creds *seen;

	assert_int_equal(cred_cache_get(c, &seen, NULL), 0);
	return seen;
}

static void file_changes(void **state)
{
	const struct cred_settings settings = { .credentials = "auto" };

	environment(NULL, NULL, NULL);
	for (int by_refused = 0; by_refused < 2; by_refused++) {
		for (size_t i = 0; i < LEN(changes); i++) {
			const struct change *row = &changes[i];
			struct cred_cache *c = cred_cache_new(&settings);
			struct creds *before, *after;

			aws_home_write("credentials", PROFILE("A"));
			before = in_use(c);
			if (strcmp(row->sentence, "nothing changed"))
				aws_home_write("credentials", row->file);
			if (by_refused &&
			    cred_cache_refused(c, before, true) != row->refused)
				fail_msg("%s: refused", row->sentence);
			if (by_refused)
				assert_int_equal(cred_cache_peek(c, &after), 0);
			else
				after = in_use(c);
			if (strcmp(after->access_key_id, row->id) ||
			    (after == before) != row->same_address)
				fail_msg("%s: %s", row->sentence,
					 after->access_key_id);
			creds_unref(before);
			creds_unref(after);
			cred_cache_free(c);
		}
	}
}

static void repair(void **state)
{
	const struct cred_settings settings = { .credentials =
							"profile:default" };
	struct cred_cache *c = cred_cache_new(&settings);
	struct creds *old, *now;

	environment(NULL, NULL, NULL);
	aws_home_write("credentials", PROFILE("A"));
	old = in_use(c);
	aws_home_write("credentials", "[default]\ngarbage\n");
	now = in_use(c);
	assert_ptr_equal(now, old);
	creds_unref(now);
	aws_home_write("credentials", PROFILE("B"));
	now = in_use(c);
	assert_string_equal(now->access_key_id, "B");
	/* Another caller refreshed already: those of before are worth a
	 * retry. */
	assert_true(cred_cache_refused(c, old, true));
	assert_false(cred_cache_refused(c, now, true));
	creds_unref(now);
	creds_unref(old);
	cred_cache_free(c);
}

static void unchanging(void **state)
{
	const struct cred_settings given = { "static", "G", "SG" };
	const struct cred_settings nobody = { "anonymous" };
	const struct cred_settings env = { "env" };
	struct cred_cache *c = cred_cache_new(&given);
	struct creds *seen = in_use(c);

	aws_home_write("credentials", PROFILE("F"));
	assert_false(cred_cache_refused(c, seen, true));
	creds_unref(seen);
	cred_cache_free(c);

	c = cred_cache_new(&nobody);
	assert_false(cred_cache_refused(c, NULL, true));
	cred_cache_free(c);

	environment("E", "SE", NULL);
	c = cred_cache_new(&env);
	seen = in_use(c);
	assert_false(cred_cache_refused(c, seen, true));
	creds_unref(seen);
	cred_cache_free(c);
}

static void expiry(void **state)
{
	const struct cred_settings env = { "env" };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct cred_cache *c = cred_cache_new(&env);
	char end[TIME_RFC3339_SIZE];
	struct creds *seen, *stale;

	/* A slow machine gets them after their end: once more, with a later. */
	for (int s = 1, rc = -EACCES; rc; s *= 2) {
		assert_true(s < 64);
		clock_rfc3339(clock_now_s() + s, end);
		environment("E", "SE", end);
		rc = cred_cache_get(c, &seen, NULL);
	}
	while (clock_now_s() < seen->expires_at)
		usleep(100000);
	assert_int_equal(cred_cache_get(c, &stale, &why), -EACCES);
	assert_null(stale);
	assert_string_equal(buf_str(&why),
			    "the credentials from environment have expired");
	assert_int_equal(cred_cache_peek(c, &stale), 0);
	assert_ptr_equal(stale, seen);
	creds_unref(stale);
	creds_unref(seen);

	environment("E", "SE", "2100-01-01T00:00:00Z");
	seen = in_use(c);
	assert_string_equal(seen->access_key_id, "E");
	creds_unref(seen);
	buf_clear(&why);
	cred_cache_free(c);
}

static void stamps(void **state)
{
	int64_t stamp[6];
	const char *path;

	aws_home_write("credentials", NULL);
	aws_home_write("config", NULL);
	stamp[0] = aws_profile_stamp();
	path = aws_home_write("credentials", "[default]\n" KEYS("A"));
	stamp[1] = aws_profile_stamp();
	aws_home_write("credentials", "[default]\n" KEYS("B"));
	stamp[2] = aws_profile_stamp();
	assert_int_equal(truncate(path, 5), 0);
	stamp[3] = aws_profile_stamp();
	aws_home_write("config", "[default]\n");
	stamp[4] = aws_profile_stamp();
	assert_true(stamp[4] == aws_profile_stamp());
	aws_home_write("credentials", NULL);
	stamp[5] = aws_profile_stamp();
	for (size_t i = 0; i < LEN(stamp); i++) {
		assert_true(stamp[i] > 0);
		for (size_t k = 0; k < i; k++)
			if (stamp[i] == stamp[k])
				fail_msg("stamps %zu and %zu are equal", i, k);
	}
}

#define READERS 4
#define ROUNDS 300

/* 0, or how many looks showed a secret that is not the id's. */
static void *look_often(void *arg)
{
	struct cred_cache *c = arg;
	uintptr_t wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct creds *seen;

		if (i % 3 ? cred_cache_get(c, &seen, NULL)
			  : cred_cache_peek(c, &seen)) {
			wrong++;
			continue;
		}
		if (seen->secret_access_key[0] != 'S' ||
		    strcmp(seen->secret_access_key + 1, seen->access_key_id))
			wrong++;
		if (i % 5 == 0)
			cred_cache_refused(c, seen, true);
		creds_unref(seen);
	}
	return (void *)wrong;
}

static void many_threads(void **state)
{
	const struct cred_settings settings = { .credentials =
							"profile:default" };
	struct cred_cache *c = cred_cache_new(&settings);
	pthread_t threads[READERS];
	struct creds *last;

	environment(NULL, NULL, NULL);
	aws_home_write("credentials", PROFILE("A"));
	creds_unref(in_use(c));
	for (int i = 0; i < READERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, look_often, c), 0);
	for (int i = 0; i < 50; i++) {
		aws_home_write("credentials",
			       i % 2 ? PROFILE("A") : PROFILE("B"));
		usleep(1000);
	}
	for (int i = 0; i < READERS; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	aws_home_write("credentials", PROFILE("Z"));
	last = in_use(c);
	assert_string_equal(last->access_key_id, "Z");
	creds_unref(last);
	cred_cache_free(c);
}

SUITE(cred_cache)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources), cmocka_unit_test(file_changes),
		cmocka_unit_test(repair),  cmocka_unit_test(unchanging),
		cmocka_unit_test(expiry),  cmocka_unit_test(many_threads),
		cmocka_unit_test(stamps),
	};
	int failed;

	aws_home_init();
	failed = cmocka_run_group_tests_name("cred_cache", tests, NULL, NULL);
	aws_home_clear();
	return failed;
}
