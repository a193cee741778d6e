/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single sign-on: the token that `aws sso login` leaves behind, and the portal
 * that takes it.
 *
 * Covers: auth/cred_sso.c
 */
#include "unit.h"

#include <errno.h>

#include "cred_rig.h"

#define PORTAL "AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:PORT"
/* SHA-1 of `my-sso`, and of the start URL. */
#define BY_NAME "0ad374308c5a4e22f723adf10145eafad7c4031c"
#define BY_URL "55c02a1a8c664f3ccee9e3f10486a33b4b3eaef0"
#define URL "https://d-1.awsapps.example/start"
#define TOKEN(token, end) \
	"{\"startUrl\": \"" URL "\", \"region\": \"eu-west-1\", " \
	"\"accessToken\": \"" token "\", \"expiresAt\": \"" end "\"}"
#define GOOD TOKEN("sso-token-1", "2100-01-01T00:00:00Z")
#define ACCOUNT "sso_account_id=123456789012\nsso_role_name=Reader+1\n"
#define WHERE "sso_start_url=" URL "\nsso_region=eu-west-1\n"
#define SESSION "[sso-session my-sso]\n" WHERE
#define KEYS "aws_access_key_id=A\naws_secret_access_key=S\n"

static const struct cred_row rows[] = {
	{ .sentence = "by a session",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_session=my-sso\n" ACCOUNT SESSION,
	  .sso_name = BY_NAME,
	  .sso = GOOD,
	  .id = "ASIASSO1",
	  .source = "profile default, single sign-on as Reader+1 in "
		    "123456789012",
	  .requests = SAW(1) },
	{ .sentence = "the older form",
	  .settings = { "profile:dev" },
	  .env = { PORTAL },
	  .config = "[profile dev]\n" ACCOUNT WHERE,
	  .sso_name = BY_URL,
	  .sso = GOOD,
	  .id = "ASIASSO1" },
	{ .sentence = "auto: it comes before the profile's keys",
	  .settings = { "auto" },
	  .env = { PORTAL },
	  .credentials = "[default]\n" KEYS,
	  .config = "[default]\nsso_session=my-sso\n" ACCOUNT SESSION,
	  .sso_name = BY_NAME,
	  .sso = GOOD,
	  .id = "ASIASSO1" },
	{ .sentence = "a token that has expired",
	  .settings = { "sso" },
	  .env = { PORTAL, "AWS_PROFILE", "dev" },
	  .config = "[profile dev]\nsso_session=my-sso\n" ACCOUNT SESSION,
	  .sso_name = BY_NAME,
	  .sso = TOKEN("sso-token-1", "2020-01-01T00:00:00Z"),
	  .rc = -EACCES,
	  .why = "profile dev: the session has expired: run `aws sso login "
		 "--profile dev`",
	  .requests = SAW(0) },
	{ .sentence = "nobody has signed on",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_session=my-sso\n" ACCOUNT SESSION,
	  .rc = -EACCES,
	  .why = "profile default: nobody has signed on: run `aws sso login`" },
	{ .sentence = "a token that the portal no longer takes",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_session=my-sso\n" ACCOUNT SESSION,
	  .sso_name = BY_NAME,
	  .sso = TOKEN("sso-token-0", "2100-01-01T00:00:00UTC"),
	  .rc = -EACCES,
	  .why = "run `aws sso login`" },
	{ .sentence = "refused by the portal",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_session=my-sso\n" ACCOUNT SESSION,
	  .sso_name = BY_NAME,
	  .sso = TOKEN("sso-token-0", "2100-01-01T00:00:00Z"),
	  .rc = -EACCES,
	  .why = "the session has ended: run `aws sso login`",
	  .requests = SAW(1) },
	{ .sentence = "a role that is not ours",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_session=my-sso\nsso_account_id=1\n"
		    "sso_role_name=Admin\n" SESSION,
	  .sso_name = BY_NAME,
	  .sso = GOOD,
	  .rc = -EACCES,
	  .why = "refuses role Admin in account 1" },
	{ .sentence = "a cache that is garbage",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_session=my-sso\n" ACCOUNT SESSION,
	  .sso_name = BY_NAME,
	  .sso = "sso-token-1",
	  .rc = -EBADMSG,
	  .why = "the cache of single sign-on answered something that is not",
	  .requests = SAW(0) },
	{ .sentence = "a cache without a token",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_session=my-sso\n" ACCOUNT SESSION,
	  .sso_name = BY_NAME,
	  .sso = "{\"expiresAt\": \"2100-01-01T00:00:00Z\"}",
	  .rc = -EACCES,
	  .why = "the token in the cache is broken: run `aws sso login`" },
	{ .sentence = "an answer that is garbage",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_session=my-sso\n" ACCOUNT SESSION,
	  .sso_name = BY_NAME,
	  .sso = GOOD,
	  .action = "\"type\": \"garbage\", \"body\": \"{}\"",
	  .rc = -EBADMSG,
	  .why = "not the JSON object" },
	{ .sentence = "keys that have expired",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_session=my-sso\n" ACCOUNT SESSION,
	  .sso_name = BY_NAME,
	  .sso = GOOD,
	  .auth = "{\"life\": -60}",
	  .rc = -EACCES,
	  .why = "the credentials of single sign-on have expired" },
	{ .sentence = "a session that is not described",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_session=other\n" ACCOUNT SESSION,
	  .rc = -EINVAL,
	  .why = "there is no [sso-session other] in " },
	{ .sentence = "a session and a profile that disagree",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_session=my-sso\nsso_region=x\n" ACCOUNT
		  SESSION,
	  .rc = -EINVAL,
	  .why = "profile default and sso-session my-sso disagree" },
	{ .sentence = "an account without a role",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_account_id=1\n" WHERE,
	  .rc = -EINVAL,
	  .why = "sso_role_name is missing beside sso_account_id" },
	{ .sentence = "no region",
	  .settings = { "sso" },
	  .env = { PORTAL },
	  .config = "[default]\nsso_start_url=" URL "\n" ACCOUNT,
	  .rc = -EINVAL,
	  .why = "sso_region is missing" },
	{ .sentence = "a profile without any of it",
	  .settings = { "sso" },
	  .credentials = "[default]\n" KEYS,
	  .rc = -ENOENT,
	  .why = "profile default: sso_account_id is missing" },
};

static void sso_rows(void **state)
{
	cred_rig_run(rows, COUNT(rows));
}

SUITE(cred_sso)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sso_rows),
	};

	return cmocka_run_group_tests_name("cred_sso", tests, cred_rig_start,
					   cred_rig_stop);
}
