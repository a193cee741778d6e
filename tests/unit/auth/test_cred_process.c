/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that give out credentials, the way their command lines are cut into
 * words, and the order in which providers may be asked for.
 */
#include "unit.h"

#include <errno.h>
#include <unistd.h>

#include "auth/cred_ask.h"
#include "auth/cred_process.h"
#include "base/clock.h"
#include "cred_rig.h"

static const struct {
	const char *line;
	int rc;
	const char *words[6];
} lines[] = {
	{ "a", 0, { "a" } },
	{ "  a \t b\nc ", 0, { "a", "b", "c" } },
	{ "'a b' c", 0, { "a b", "c" } },
	{ "\"a b\"c'd e'", 0, { "a bcd e" } },
	{ "a '' \"\"", 0, { "a", "", "" } },
	{ "a\\ b \\'", 0, { "a b", "'" } },
	{ "'a\\b'", 0, { "a\\b" } },
	{ "\"a\\\"b\\\\c\\d\"", 0, { "a\"b\\c\\d" } },
	{ "a$HOME `x` *|;&>#y", 0, { "a$HOME", "`x`", "*|;&>#y" } },
	{ "", -EINVAL, { 0 } },
	{ "   ", -EINVAL, { 0 } },
	{ "a 'b", -EINVAL, { 0 } },
	{ "a \"b", -EINVAL, { 0 } },
	{ "a\\", -EINVAL, { 0 } },
};

static void words(void **state)
{
	for (size_t i = 0; i < COUNT(lines); i++) {
		char **got;
		int rc = cred_process_words(lines[i].line, &got);
		size_t n = 0;

		row_number(lines[i].line, rc, lines[i].rc);
		for (; !rc && got[n]; n++)
			row_equal(lines[i].line, got[n],
				  lines[i].words[n] ? lines[i].words[n]
						    : "no word");
		row_check(lines[i].line, rc || !lines[i].words[n]);
		cred_process_words_free(got);
	}
}

#define GOOD \
	"{\"Version\": 1, \"AccessKeyId\": \"AK\", \"SecretAccessKey\": " \
	"\"sesame\""

static const struct {
	const char *sentence, *command;
	int rc;
	const char *token;
	int64_t end;
	const char *why;
} programs[] = {
	{ "keys without an end", "echo '" GOOD "}'", 0, NULL, 0, NULL },
	{ "a token and an end",
	  "echo '" GOOD ",\"SessionToken\":\"T\","
	  "\"Expiration\":\"2100-01-01T00:00:00Z\"}'",
	  0, "T", 4102444800, NULL },
	{ "a null is nothing",
	  "echo '" GOOD ",\"SessionToken\":null,\"Expiration\":null}'", 0, NULL,
	  0, NULL },
	{ "what it complains of does not matter while it succeeds",
	  "sh -c 'echo warning >&2; echo \"$0\"' '" GOOD "}'", 0, NULL, 0,
	  NULL },
	{ "it runs in the root directory",
	  "sh -c 'test $(pwd) = / && echo \"$0\"' '" GOOD "}'", 0, NULL, 0,
	  NULL },
	{ "it has none of our descriptors",
	  "sh -c 'for f in 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$f && "
	  "exit 9; done; echo \"$0\"' '" GOOD "}'",
	  0, NULL, 0, NULL },
	{ "its input is empty", "sh -c 'cat; echo \"$0\"' '" GOOD "}'", 0, NULL,
	  0, NULL },
	{ "a child of its own that lives on holds nobody up",
	  "sh -c 'sleep 20 & echo \"$0\"' '" GOOD "}'", 0, NULL, 0, NULL },
	{ "no such program", "/no/such x", -EACCES, NULL, 0,
	  "here: /no/such: No such file" },
	{ "it fails, and says why",
	  "sh -c 'echo no ticket >&2; echo sesame; exit 3'", -EACCES, NULL, 0,
	  "here: sh: exit status 3: no ticket" },
	{ "it dies", "sh -c 'kill -9 $$'", -EACCES, NULL, 0, "signal 9" },
	{ "it hangs", "sleep 30", -ETIMEDOUT, NULL, 0, "did not end in time" },
	{ "it hangs and hears nothing", "sh -c 'trap \"\" TERM; sleep 30'",
	  -ETIMEDOUT, NULL, 0, "did not end in time" },
	{ "it writes without an end", "yes sesame", -EMSGSIZE, NULL, 0,
	  "writes without an end" },
	{ "garbage", "echo sesame", -EBADMSG, NULL, 0, "not the JSON object" },
	{ "nothing", "true", -EBADMSG, NULL, 0, "not the JSON object" },
	{ "another version", "echo '{\"Version\": 2}'", -EBADMSG, NULL, 0,
	  "no `Version`: 1" },
	{ "no version", "echo '{\"AccessKeyId\":\"a\"}'", -EBADMSG, NULL, 0,
	  "no `Version`: 1" },
	{ "no secret", "echo '{\"Version\":1,\"AccessKeyId\":\"a\"}'", -EBADMSG,
	  NULL, 0, "answered without a secret key" },
	{ "expired", "echo '" GOOD ",\"Expiration\":\"2001-01-01T00:00:00Z\"}'",
	  -EACCES, NULL, 0, "have expired: 2001-01-01" },
	{ "expired at the beginning of all time",
	  "echo '" GOOD ",\"Expiration\":\"1970-01-01T00:00:00Z\"}'", -EACCES,
	  NULL, 0, "have expired" },
	{ "a quote that is not closed", "echo 'x", -EINVAL, NULL, 0,
	  "a quote that is not closed" },
};

static void run_programs(void **state)
{
	int leak = dup(0);

	for (size_t i = 0; i < COUNT(programs); i++) {
		struct cred_ask ask = { .why = BUF_INIT(BUF_MESSAGE) };
		const char *name = programs[i].sentence;
		int64_t began_ms = clock_mono_ms();
		struct creds *c = NULL;
		int rc = cred_process_read(&ask, programs[i].command, 2000,
					   "here", "there", &c);

		if (rc != programs[i].rc)
			fail_msg("%s: %d, %s", name, rc, buf_str(&ask.why));
		if (rc && !strstr(buf_str(&ask.why), programs[i].why))
			fail_msg("%s: %s", name, buf_str(&ask.why));
		row_check(name, !strstr(buf_str(&ask.why), "sesame"));
		row_check(name, clock_mono_ms() - began_ms < 9000);
		if (!rc) {
			row_equal(name, c->secret_access_key, "sesame");
			row_equal(name, c->source, "there");
			row_number(name, c->expires_at, programs[i].end);
			row_equal(name,
				  c->session_token ? c->session_token : "none",
				  programs[i].token ? programs[i].token
						    : "none");
		}
		creds_unref(c);
		buf_clear(&ask.why);
	}
	close(leak);
}

#define PROGRAM \
	"credential_process = echo " \
	"'{\"Version\":1,\"AccessKeyId\":\"AKPROG\"," \
	"\"SecretAccessKey\":\"S\"}'\n"
#define KEYS(id) "aws_access_key_id=" id "\naws_secret_access_key=S" id "\n"

static const struct cred_row profiles[] = {
	{ .sentence = "a program comes before keys of the config file",
	  .settings = { "profile:dev" },
	  .config = "[profile dev]\n" KEYS("A") PROGRAM,
	  .id = "AKPROG",
	  .source = "profile dev, credential_process" },
	{ .sentence = "and behind those of the credentials file",
	  .settings = { "profile:dev" },
	  .credentials = "[dev]\n" KEYS("A"),
	  .config = "[profile dev]\n" PROGRAM,
	  .id = "A" },
	{ .sentence = "unless it is asked for",
	  .settings = { "process,profile:dev" },
	  .credentials = "[dev]\n" KEYS("A"),
	  .config = "[profile dev]\n" PROGRAM,
	  .id = "AKPROG" },
	{ .sentence = "the profile that is in use has one",
	  .settings = { "process" },
	  .env = { "AWS_PROFILE", "dev" },
	  .config = "[profile dev]\n" PROGRAM,
	  .id = "AKPROG" },
	{ .sentence = "it has none",
	  .settings = { "process" },
	  .credentials = "[default]\n" KEYS("A"),
	  .rc = -ENOENT,
	  .why = "profile default: credential_process is missing" },
	{ .sentence = "a program that fails is not followed by the next",
	  .settings = { "auto" },
	  .config = "[default]\n" KEYS("A") "credential_process = false\n",
	  .rc = -EACCES,
	  .why = "profile default, credential_process: false: exit status 1" },
	{ .sentence = "a session of `aws login` is refused by name",
	  .settings = { "auto" },
	  .config = "[default]\n" KEYS("A") "login_session = arn\n",
	  .rc = -EINVAL,
	  .why = "login_session is not supported: use `credential_process" },
};

static void run_profiles(void **state)
{
	cred_rig_run(profiles, COUNT(profiles));
}

#define BAD 0, { 0 }, NULL

static const struct {
	const char *text;
	unsigned n; /* 0: refused */
	enum cred_choice choices[4];
	const char *profile;
} orders[] = {
	{ "auto", 1, { CRED_AUTO }, "" },
	{ "static", 1, { CRED_STATIC }, "" },
	{ "anonymous", 1, { CRED_ANONYMOUS }, "" },
	{ "env", 1, { CRED_ENV }, "" },
	{ "profile:dev", 1, { CRED_PROFILE }, "dev" },
	{ "profile:a:b c", 1, { CRED_PROFILE }, "a:b c" },
	{ "process", 1, { CRED_PROCESS }, "" },
	{ "sso", 1, { CRED_SSO }, "" },
	{ "web_identity", 1, { CRED_WEB_IDENTITY }, "" },
	{ "env,container,imds",
	  3,
	  { CRED_ENV, CRED_CONTAINER, CRED_IMDS },
	  "" },
	{ " imds , profile:x y ,env",
	  3,
	  { CRED_IMDS, CRED_PROFILE, CRED_ENV },
	  "x y" },
	{ "profile:", BAD },
	{ "profile", BAD },
	{ "autos", BAD },
	{ "", BAD },
	{ "env,", BAD },
	{ ",env", BAD },
	{ "env,auto", BAD },
	{ "static,env", BAD },
	{ "anonymous,anonymous", BAD },
	{ "profile:a,profile:b", BAD },
	{ "env,env,env,env,env,env,env,env,env", BAD },
};

static void parse_orders(void **state)
{
	for (size_t i = 0; i < COUNT(orders); i++) {
		struct cred_order o;
		int rc = cred_chain_parse(orders[i].text, &o);

		row_number(orders[i].text, rc, orders[i].n ? 0 : -EINVAL);
		if (rc)
			continue;
		row_number(orders[i].text, o.n, orders[i].n);
		for (unsigned k = 0; k < o.n; k++)
			row_number(orders[i].text, o.choices[k],
				   orders[i].choices[k]);
		row_equal(orders[i].text, o.profile, orders[i].profile);
	}
}

SUITE(cred_process)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(run_programs),
		cmocka_unit_test(run_profiles),
		cmocka_unit_test(parse_orders),
	};

	return cmocka_run_group_tests_name("cred_process", tests,
					   cred_rig_start, cred_rig_stop);
}
