/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials from the environment, by table.
 *
 * Covers: auth/cred_plan.c auth/cred_profile.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "auth/cred_env.h"
#include "auth/creds.h"
#include "base/buf.h"
#include "suite.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char *const names[] = {
	"AWS_ACCESS_KEY_ID",  "AWS_SECRET_ACCESS_KEY",     "AWS_SESSION_TOKEN",
	"AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
};

struct row {
	const char *sentence;
	const char *env[LEN(names)]; /* in the order of `names` */
	int rc;
	const char *id, *secret, *token;
	int64_t expires_at;
	const char *why; /* a part of the message */
};

static const struct row rows[] = {
	{ .sentence = "an id and a secret are enough",
	  .env = { "AK", "SK" },
	  .id = "AK",
	  .secret = "SK" },
	{ .sentence = "a session token is taken",
	  .env = { "AK", "SK", "TOK" },
	  .id = "AK",
	  .secret = "SK",
	  .token = "TOK" },
	{ .sentence = "the token's old name is known",
	  .env = { "AK", "SK", NULL, "OLD" },
	  .id = "AK",
	  .secret = "SK",
	  .token = "OLD" },
	{ .sentence = "the token's new name wins",
	  .env = { "AK", "SK", "NEW", "OLD" },
	  .id = "AK",
	  .secret = "SK",
	  .token = "NEW" },
	{ .sentence = "an expiration is read",
	  .env = { "AK", "SK", "T", NULL, "2013-05-24T00:00:00Z" },
	  .id = "AK",
	  .secret = "SK",
	  .token = "T",
	  .expires_at = 1369353600 },
	{ .sentence = "an expiration with a zone is read",
	  .env = { "AK", "SK", "T", NULL, "2013-05-24T02:00:00+02:00" },
	  .id = "AK",
	  .secret = "SK",
	  .token = "T",
	  .expires_at = 1369353600 },
	{ .sentence = "nothing set is no credentials",
	  .rc = -ENOENT,
	  .why = "AWS_ACCESS_KEY_ID is not in the environment" },
	{ .sentence = "empty variables count as unset",
	  .env = { "", "", "", "", "" },
	  .rc = -ENOENT,
	  .why = "not in the environment" },
	{ .sentence = "a token alone is no credentials",
	  .env = { NULL, NULL, "TOK" },
	  .rc = -ENOENT,
	  .why = "not in the environment" },
	{ .sentence = "an id without a secret is an error",
	  .env = { "AK" },
	  .rc = -EINVAL,
	  .why = "AWS_SECRET_ACCESS_KEY in the environment: missing" },
	{ .sentence = "a secret without an id is an error",
	  .env = { "", "SK" },
	  .rc = -EINVAL,
	  .why = "AWS_ACCESS_KEY_ID in the environment: missing" },
	{ .sentence = "an expiration that is no time is an error",
	  .env = { "AK", "SK", "T", NULL, "tomorrow" },
	  .rc = -EINVAL,
	  .why = "AWS_CREDENTIAL_EXPIRATION in the environment" },
	{ .sentence = "an id with a newline is an error",
	  .env = { "AK\n", "SK" },
	  .rc = -EINVAL,
	  .why = "control byte" },
	{ .sentence = "a token with a newline is an error",
	  .env = { "AK", "SK", "T\r\nX: y" },
	  .rc = -EINVAL,
	  .why = "control byte" },
};

static void set_environment(const char *const *env)
{
	for (size_t i = 0; i < LEN(names); i++) {
		if (env[i])
			setenv(names[i], env[i], 1);
		else
			unsetenv(names[i]);
	}
}

static int same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void environment(void **state)
{
	for (size_t i = 0; i < LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct cred_ask ask = { .why = BUF_INIT(BUF_MESSAGE) };
		struct creds *c = NULL;
		int rc;

		set_environment(row->env);
		rc = cred_env_read(&ask, &c);
		if (rc != row->rc)
			fail_msg("%s: %d, %s", row->sentence, rc,
				 buf_str(&ask.why));
		if (rc && (!strstr(buf_str(&ask.why), row->why) ||
			   strstr(buf_str(&ask.why), "SK")))
			fail_msg("%s: %s", row->sentence, buf_str(&ask.why));
		if (!rc && (!same(c->access_key_id, row->id) ||
			    !same(c->secret_access_key, row->secret) ||
			    !same(c->session_token, row->token) ||
			    !same(c->source, "environment") ||
			    c->expires_at != row->expires_at || ask.why.len))
			fail_msg("%s: other values", row->sentence);
		creds_unref(c);
		buf_clear(&ask.why);
	}
}

static void equality(void **state)
{
	static const struct {
		const char *sentence, *id, *secret, *token;
		int64_t expires_at;
		const char *source;
		int equal;
	} table[] = {
		{ "the same are equal", "a", "b", "c", 7, "s", 1 },
		{ "the source does not matter", "a", "b", "c", 7, "t", 1 },
		{ "another id", "x", "b", "c", 7, "s", 0 },
		{ "another secret", "a", "x", "c", 7, "s", 0 },
		{ "a longer secret", "a", "bb", "c", 7, "s", 0 },
		{ "another token", "a", "b", "x", 7, "s", 0 },
		{ "no token", "a", "b", NULL, 7, "s", 0 },
		{ "another end", "a", "b", "c", 8, "s", 0 },
	};
	struct creds *a = creds_new("a", "b", "c", 7, "s");

	for (size_t i = 0; i < LEN(table); i++) {
		struct creds *b =
			creds_new(table[i].id, table[i].secret, table[i].token,
				  table[i].expires_at, table[i].source);

		if (creds_equal(a, b) != table[i].equal ||
		    creds_equal(b, a) != table[i].equal)
			fail_msg("%s", table[i].sentence);
		creds_unref(b);
	}
	assert_true(creds_equal(NULL, NULL));
	assert_false(creds_equal(a, NULL));
	assert_ptr_equal(creds_ref(a), a);
	creds_unref(a);
	assert_string_equal(a->access_key_id, "a");
	creds_unref(a);
	creds_unref(NULL);
}

SUITE(cred_env)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(environment),
		cmocka_unit_test(equality),
	};

	return cmocka_run_group_tests_name("cred_env", tests, NULL, NULL);
}
