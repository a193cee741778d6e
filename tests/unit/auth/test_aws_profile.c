/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles as people write them, by table.
 */
#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "auth/aws_profile.h"
#include "auth/cred_ask.h"
#include "auth/cred_chain.h"
#include "auth/creds.h"
#include "aws_home.h"
#include "base/buf.h"
#include "suite.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define NOBODY 65534

/* Longer than the line of Debian's inih, as session tokens are. */
#define HUNDRED \
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN" \
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM="
#define LONG HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

#define KEYS(id) "aws_access_key_id=" id "\naws_secret_access_key=S" id "\n"

struct row {
	const char *sentence;
	const char *credentials, *config;
	const char *variable; /* AWS_PROFILE */
	const char *name; /* asked for */
	int rc;
	const char *id, *secret, *token;
	const char *region, *endpoint;
	const char *why; /* a part of the message */
};

static const struct row rows[] = {
	{ .sentence = "the default profile of the credentials file",
	  .credentials = "[default]\n" KEYS("A"),
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "the default profile of the config file",
	  .config = "[default]\n" KEYS("A") "region = eu-west-1\n",
	  .id = "A",
	  .secret = "SA",
	  .region = "eu-west-1" },
	{ .sentence = "a named profile of each file, merged",
	  .credentials = "[default]\n" KEYS("A") "[dev]\n" KEYS("B"),
	  .config = "[profile dev]\nregion=r\nendpoint_url=http://h:9000\n"
		    "[default]\nregion=other\n",
	  .name = "dev",
	  .id = "B",
	  .secret = "SB",
	  .region = "r",
	  .endpoint = "http://h:9000" },
	{ .sentence = "AWS_PROFILE names the profile",
	  .credentials = "[default]\n" KEYS("A") "[dev]\n" KEYS("B"),
	  .variable = "dev",
	  .id = "B",
	  .secret = "SB" },
	{ .sentence = "a name that is asked for overrules AWS_PROFILE",
	  .credentials = "[default]\n" KEYS("A") "[dev]\n" KEYS("B"),
	  .variable = "dev",
	  .name = "default",
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "the credentials file wins",
	  .credentials = "[default]\n" KEYS("A") "region=one\n",
	  .config = "[default]\n" KEYS("B") "region=two\n",
	  .id = "A",
	  .secret = "SA",
	  .region = "one" },
	{ .sentence = "keys of one file never meet the token of the other",
	  .credentials = "[default]\n" KEYS("A"),
	  .config = "[default]\naws_session_token=T\n",
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "a quoted profile name, and one in single quotes",
	  .config = "[profile \"my dev\"]\n" KEYS("A") "[profile 'x']\n",
	  .name = "my dev",
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "a profile name in single quotes",
	  .config = "[profile 'x y']\n" KEYS("A"),
	  .name = "x y",
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "white space inside the brackets",
	  .credentials = "[ dev ]\n" KEYS("A"),
	  .config = "[  profile \t dev ]\nregion=r\n",
	  .name = "dev",
	  .id = "A",
	  .secret = "SA",
	  .region = "r" },
	{ .sentence = "[profile default] is the default profile too",
	  .config = "[profile default]\n" KEYS("A"),
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "a bare name in the config file is no profile",
	  .config = "[dev]\n" KEYS("A"),
	  .name = "dev",
	  .rc = -ENOENT,
	  .why = "there is no profile dev in " },
	{ .sentence = "[profile dev] in the credentials file is not dev",
	  .credentials = "[profile dev]\n" KEYS("A"),
	  .name = "dev",
	  .rc = -ENOENT,
	  .why = "there is no profile dev in " },
	{ .sentence = "sections of other kinds are no profiles",
	  .config = "[sso-session default]\nsso_start_url=u\n"
		    "[services default]\n[profiles]\n",
	  .rc = -ENOENT,
	  .why = "there is no profile default in " },
	{ .sentence = "no files at all",
	  .rc = -ENOENT,
	  .why = "there is no profile default in " },
	{ .sentence = "names of keys in any case",
	  .credentials = "[default]\nAWS_Access_Key_ID = A\n"
			 "AWS_SECRET_ACCESS_KEY = SA\n",
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "spaces round the value, equal signs and slashes in it",
	  .credentials = "[default]\naws_access_key_id =  A \t\n"
			 "aws_secret_access_key\t=\tS/+a=b==\n",
	  .id = "A",
	  .secret = "S/+a=b==" },
	{ .sentence = "comments on lines of their own and behind values",
	  .credentials = "# one\n; two\n[default]\naws_access_key_id=A # mine\n"
			 "aws_secret_access_key=S#A;B ; his\n",
	  .id = "A",
	  .secret = "S#A;B" },
	{ .sentence = "a token of 700 bytes comes whole",
	  .credentials = "[default]\n" KEYS("A") "aws_session_token=" LONG "\n",
	  .id = "A",
	  .secret = "SA",
	  .token = LONG },
	{ .sentence = "an empty token is none",
	  .credentials = "[default]\n" KEYS("A") "aws_session_token =\n",
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "indented lines are sub-keys, whatever they are called",
	  .credentials = "[default]\n" KEYS("A"),
	  .config = "[default]\nregion = r\ns3 =\n  region = wrong\n"
		    "  endpoint_url = http://wrong\n\toutput = x\n"
		    "output = json\n",
	  .id = "A",
	  .secret = "SA",
	  .region = "r" },
	{ .sentence = "a file with CR LF",
	  .credentials = "[default]\r\naws_access_key_id=A\r\n"
			 "aws_secret_access_key=SA\r\n",
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "a profile in two sections of a file is one profile",
	  .credentials = "[default]\naws_access_key_id=A\n[x]\n[default]\n"
			 "aws_secret_access_key=SA\n",
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "references are ours, not theirs",
	  .credentials = "[default]\naws_access_key_id=A\n"
			 "aws_secret_access_key=${env:HOME}\n",
	  .id = "A",
	  .secret = "${env:HOME}" },

	{ .sentence = "a profile without keys has none",
	  .config = "[default]\nregion=r\n",
	  .rc = -ENOENT,
	  .region = "r",
	  .why = "profile default: aws_access_key_id is missing" },
	{ .sentence = "an id without a secret",
	  .credentials = "[default]\naws_access_key_id=A\n",
	  .rc = -EINVAL,
	  .why = "profile default: aws_secret_access_key is missing" },
	{ .sentence = "a secret without an id",
	  .credentials = "[default]\naws_secret_access_key=S\n",
	  .rc = -EINVAL,
	  .why = "profile default: aws_access_key_id is missing" },
	{ .sentence = "an id in one file and a secret in the other",
	  .credentials = "[default]\naws_access_key_id=A\n",
	  .config = "[default]\naws_secret_access_key=S\n",
	  .rc = -EINVAL,
	  .why = "profile default: aws_secret_access_key is missing" },
	{ .sentence = "a key that is given twice",
	  .credentials = "[default]\n" KEYS("A") "aws_access_key_id=B\n",
	  .rc = -EINVAL,
	  .why = "credentials:4: aws_access_key_id: given twice" },
	{ .sentence = "a value that goes on in the next line",
	  .credentials = "[default]\n" KEYS("A") "  more\n",
	  .rc = -EINVAL,
	  .why = "credentials:4: aws_secret_access_key: given twice" },
	{ .sentence = "white space inside a secret",
	  .credentials = "[default]\naws_access_key_id=A\n"
			 "aws_secret_access_key=S A\n",
	  .rc = -EINVAL,
	  .why = "credentials:3: aws_secret_access_key: has white space" },
	{ .sentence = "a line that is none",
	  .credentials = "[default]\n" KEYS("A") "garbage\n",
	  .rc = -EINVAL,
	  .why = "credentials:4: " },

	{ .sentence = "a role comes before keys",
	  .credentials = "[default]\n" KEYS("A"),
	  .config = "[default]\nrole_arn=arn\nsource_profile=x\n",
	  .rc = -EINVAL,
	  .why = "profile default: source_profile = x: there is no profile" },
	{ .sentence = "single sign-on comes before keys",
	  .credentials = "[default]\n" KEYS("A"),
	  .config = "[default]\nsso_session=s\nsso_account_id=1\n",
	  .rc = -EINVAL,
	  .why = "profile default: there is no [sso-session s] in " },
	{ .sentence = "a web identity comes before keys",
	  .credentials = "[default]\n" KEYS("A") "web_identity_token_file=f\n",
	  .rc = -EINVAL,
	  .why = "neither AWS_ROLE_ARN nor role_arn" },
	{ .sentence = "a program comes before keys of the config file",
	  .config = "[default]\n" KEYS("A") "credential_process=/no/p\n",
	  .rc = -EACCES,
	  .why = "profile default, credential_process: /no/p: No such" },
	{ .sentence = "keys of the credentials file come before a program",
	  .credentials = "[default]\n" KEYS("A"),
	  .config = "[default]\ncredential_process=/bin/p --x ; y\n",
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "a session without keys",
	  .config = "[default]\nsso_session=s\n",
	  .rc = -EINVAL,
	  .why = "sso_role_name are missing beside sso_session" },
	{ .sentence = "keys come before a session that has no account",
	  .credentials = "[default]\n" KEYS("A"),
	  .config = "[default]\nsso_session=s\n",
	  .id = "A",
	  .secret = "SA" },
	{ .sentence = "what another profile needs is of no concern",
	  .credentials = "[default]\n" KEYS("A"),
	  .config = "[profile x]\nrole_arn=arn\n",
	  .id = "A",
	  .secret = "SA" },
};

static int same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* A profile by name, or the one in use; no environment, no network. */
static int read_profile(const char *name, struct creds **out, int64_t *stamp,
			struct buf *why)
{
	struct cred_order order = { .choices = { CRED_PROFILE }, .n = 1 };
	struct cred_ask ask = { .why = BUF_INIT(BUF_MESSAGE) };
	int rc;

	if (name)
		strcpy(order.profile, name);
	rc = cred_chain_read(&ask, &order, stamp, out);
	if (why)
		buf_adds(why, buf_str(&ask.why));
	buf_clear(&ask.why);
	return rc;
}

static void check_settings(const struct row *row)
{
	struct aws_profile p;
	int rc = aws_profile_read(row->name, &p, NULL);

	if (!rc && (!same(p.values[AWS_KEY_REGION], row->region) ||
		    !same(p.values[AWS_KEY_ENDPOINT], row->endpoint)))
		fail_msg("%s: region %s, endpoint %s", row->sentence,
			 p.values[AWS_KEY_REGION], p.values[AWS_KEY_ENDPOINT]);
	assert_true(p.stamp == aws_profile_stamp() && p.stamp);
	aws_profile_clear(&p);
}

static void profiles(void **state)
{
	for (size_t i = 0; i < LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct creds *c = NULL;
		int64_t stamp = 0;
		int rc;

		aws_home_write("credentials", row->credentials);
		aws_home_write("config", row->config);
		setenv("AWS_PROFILE", row->variable ? row->variable : "", 1);
		rc = read_profile(row->name, &c, &stamp, &why);
		if (rc != row->rc)
			fail_msg("%s: %d, %s", row->sentence, rc,
				 buf_str(&why));
		if (rc && !strstr(buf_str(&why), row->why))
			fail_msg("%s: %s", row->sentence, buf_str(&why));
		if (!rc && (!same(c->access_key_id, row->id) ||
			    !same(c->secret_access_key, row->secret) ||
			    !same(c->session_token, row->token) ||
			    c->expires_at || why.len))
			fail_msg("%s: %s, %s", row->sentence, c->access_key_id,
				 buf_str(&why));
		assert_true(stamp == aws_profile_stamp());
		creds_unref(c);
		buf_clear(&why);
		check_settings(row);
	}
}

static void sources(void **state)
{
	struct creds *c;
	char want[256];
	int64_t stamp;

	unsetenv("AWS_PROFILE");
	aws_home_write("config", NULL);
	snprintf(want, sizeof(want), "profile dev (%s)",
		 aws_home_write("credentials", "[dev]\n" KEYS("A")));
	assert_int_equal(read_profile("dev", &c, &stamp, NULL), 0);
	assert_string_equal(c->source, want);
	creds_unref(c);
	setenv("AWS_DEFAULT_PROFILE", "dev", 1);
	assert_int_equal(read_profile(NULL, &c, &stamp, NULL), 0);
	assert_string_equal(c->source, want);
	creds_unref(c);
	unsetenv("AWS_DEFAULT_PROFILE");
}

static void paths(void **state)
{
	const char *home = getenv("HOME");
	const struct passwd *me = getpwuid(geteuid());
	char *kept = strdup(home);
	const struct {
		const char *sentence, *variable, *home, *dir, *rest;
	} table[] = {
		{ "HOME is the home", NULL, kept, kept, "/.aws/credentials" },
		{ "without HOME the user database knows", NULL, NULL,
		  me->pw_dir, "/.aws/credentials" },
		{ "an empty HOME is none", NULL, "", me->pw_dir,
		  "/.aws/credentials" },
		{ "a path from the environment", "/x/y", kept, "", "/x/y" },
		{ "a path in the home directory", "~/x", kept, kept, "/x" },
	};

	for (size_t i = 0; i < LEN(table); i++) {
		char want[512], *got;

		if (table[i].variable)
			setenv("AWS_SHARED_CREDENTIALS_FILE", table[i].variable,
			       1);
		if (table[i].home)
			setenv("HOME", table[i].home, 1);
		else
			unsetenv("HOME");
		snprintf(want, sizeof(want), "%s%s", table[i].dir,
			 table[i].rest);
		got = aws_profile_file(AWS_CREDENTIALS);
		if (!same(want, got))
			fail_msg("%s: %s", table[i].sentence, got);
		free(got);
	}
	unsetenv("AWS_SHARED_CREDENTIALS_FILE");
	setenv("HOME", kept, 1);
	free(kept);
}

static void modes(void **state)
{
	static const struct {
		const char *sentence;
		mode_t mode;
		int rc;
		bool open_to_others;
	} table[] = {
		{ "a closed file", 0600, 0, false },
		{ "a file for the group", 0640, 0, true },
		{ "a file for everybody", 0644, 0, true },
		{ "a file that nobody may read", 0000, -EACCES, false },
	};
	uid_t me = geteuid();

	aws_home_write("config", NULL);
	for (size_t i = 0; i < LEN(table); i++) {
		const char *path =
			aws_home_write("credentials", "[default]\n" KEYS("A"));
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct aws_profile p;
		int rc;

		if (!me)
			assert_int_equal(chown(path, NOBODY, 0), 0);
		assert_int_equal(chmod(path, table[i].mode), 0);
		/* Root may read everything: be another user. */
		assert_int_equal(me || !seteuid(NOBODY), 1);
		rc = aws_profile_read(NULL, &p, &why);
		assert_int_equal(me || !seteuid(0), 1);
		if (rc != table[i].rc ||
		    p.open_to_others != table[i].open_to_others)
			fail_msg("%s: %d, %s", table[i].sentence, rc,
				 buf_str(&why));
		if (rc && !strstr(buf_str(&why), path))
			fail_msg("%s: %s", table[i].sentence, buf_str(&why));
		aws_profile_clear(&p);
		buf_clear(&why);
	}
}

SUITE(aws_profile)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles),
		cmocka_unit_test(sources),
		cmocka_unit_test(paths),
		cmocka_unit_test(modes),
	};
	int failed;

	aws_home_init();
	failed = cmocka_run_group_tests_name("aws_profile", tests, NULL, NULL);
	aws_home_clear();
	return failed;
}
