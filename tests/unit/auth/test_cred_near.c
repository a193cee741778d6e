/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers and instance metadata, against a server that follows their
 * protocols and fails on demand.
 *
 * Covers: auth/cred_fields.c auth/cred_imds.c
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/cred_container.h"
#include "base/buf.h"
#include "cred_rig.h"

#define FULL "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define BOX FULL, "http://127.0.0.1:PORT/container/a?b=c"
#define TOKEN "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define TOKEN_FILE "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"

static const struct cred_row containers[] = {
	{ .sentence = "a full URI with a query",
	  .settings = { "container" },
	  .env = { BOX },
	  .id = "ASIABOX1",
	  .source = "container endpoint",
	  .requests = SAW(1) },
	{ .sentence = "auto finds it behind the profile",
	  .settings = { "auto" },
	  .env = { BOX },
	  .id = "ASIABOX1" },
	{ .sentence = "an order that goes past it",
	  .settings = { "env,imds,container" },
	  .env = { BOX },
	  .id = "ASIABOX1" },
	{ .sentence = "a token from the environment",
	  .settings = { "container" },
	  .env = { BOX, TOKEN, "box-token" },
	  .auth = "{\"container_token\": \"box-token\"}",
	  .id = "ASIABOX1" },
	{ .sentence = "a wrong token",
	  .settings = { "container" },
	  .env = { BOX, TOKEN, "box-token-2" },
	  .auth = "{\"container_token\": \"box-token\"}",
	  .rc = -EACCES,
	  .why = "the container endpoint answered with status 401" },
	{ .sentence = "a token with a line end in it",
	  .settings = { "container" },
	  .env = { BOX, TOKEN, "box-token\r\nX: y" },
	  .rc = -EINVAL,
	  .why = TOKEN " has control bytes",
	  .requests = SAW(0) },
	{ .sentence = "a token file that is not there",
	  .settings = { "container" },
	  .env = { BOX, TOKEN_FILE, "/no/such" },
	  .rc = -EACCES,
	  .why = TOKEN_FILE ": /no/such: No such file",
	  .requests = SAW(0) },
	{ .sentence = "nothing set",
	  .settings = { "container" },
	  .rc = -ENOENT,
	  .why = "there is no container endpoint in the environment" },
	{ .sentence = "not found, which does not mean the next provider",
	  .settings = { "container,imds" },
	  .env = { BOX },
	  .action = "\"type\": \"status\", \"status\": 404",
	  .rc = -EACCES,
	  .why = "status 404" },
	{ .sentence = "a passing failure is tried again",
	  .settings = { "container" },
	  .env = { BOX },
	  .action = "\"type\": \"status\", \"status\": 503",
	  .id = "ASIABOX1",
	  .requests = SAW(2) },
	{ .sentence = "garbage",
	  .settings = { "container" },
	  .env = { BOX },
	  .action = "\"type\": \"garbage\", \"body\": \"secret/+ {\"",
	  .rc = -EBADMSG,
	  .why = "not the JSON object" },
	{ .sentence = "an array is no object",
	  .settings = { "container" },
	  .env = { BOX },
	  .action = "\"type\": \"garbage\", \"body\": \"[1]\"",
	  .rc = -EBADMSG,
	  .why = "not the JSON object" },
	{ .sentence = "an object without keys",
	  .settings = { "container" },
	  .env = { BOX },
	  .action = "\"type\": \"garbage\", \"body\": \"{}\"",
	  .rc = -EBADMSG,
	  .why = "answered without a key id" },
	{ .sentence = "a key that is a number is taken as text, an object is "
		      "not",
	  .settings = { "container" },
	  .env = { BOX },
	  .action = "\"type\": \"garbage\", \"body\": "
		    "\"{\\\"AccessKeyId\\\": {}}\"",
	  .rc = -EBADMSG,
	  .why = "AccessKeyId that is no text" },
	{ .sentence = "an end that is no time",
	  .settings = { "container" },
	  .env = { BOX },
	  .action = "\"type\": \"garbage\", \"body\": "
		    "\"{\\\"AccessKeyId\\\": \\\"a\\\","
		    "\\\"SecretAccessKey\\\": \\\"b\\\","
		    "\\\"Expiration\\\": \\\"soon\\\"}\"",
	  .rc = -EBADMSG,
	  .why = "an expiration that is no time" },
	{ .sentence = "keys that would be a header of their own",
	  .settings = { "container" },
	  .env = { BOX },
	  .action = "\"type\": \"garbage\", \"body\": "
		    "\"{\\\"AccessKeyId\\\": \\\"a\\\\r\\\\nb\\\","
		    "\\\"SecretAccessKey\\\": \\\"b\\\"}\"",
	  .rc = -EBADMSG,
	  .why = "white space or control" },
	{ .sentence = "keys that have expired",
	  .settings = { "container" },
	  .env = { BOX },
	  .auth = "{\"life\": -10}",
	  .rc = -EACCES,
	  .why = "the credentials of the container endpoint have expired" },
	{ .sentence = "a clock that is off is named",
	  .settings = { "container" },
	  .env = { BOX },
	  .auth = "{\"life\": -10}",
	  .action = "\"type\": \"skew\", \"seconds\": -7200",
	  .rc = -EACCES,
	  .why = "s ahead of the server's)" },
	{ .sentence = "silence ends",
	  .settings = { "container" },
	  .env = { BOX },
	  .match = "\"count\": 0",
	  .action = "\"type\": \"stall\", \"seconds\": 20",
	  .rc = -ETIMEDOUT,
	  .why = "does not answer",
	  .most_ms = 12000 },
};

static void container_rows(void **state)
{
	cred_rig_run(containers, COUNT(containers));
}

/* The file changes between two fetches, and the new token is sent. */
static void token_file_is_read_anew(void **state)
{
	static const struct cred_row row = {
		.sentence = "a token file",
		.settings = { "container" },
		.env = { BOX, TOKEN_FILE, "/tmp/stagefs-box-token" },
		.auth = "{\"container_token\": \"box-token-1\", \"life\": 2}",
	};
	FILE *f = fopen("/tmp/stagefs-box-token", "w");
	struct cred_cache *cache;
	struct creds *c;

	assert_non_null(f);
	fputs("box-token-1\n", f);
	fclose(f);
	cache = cred_rig_open(&row);
	assert_int_equal(cred_cache_get(cache, &c, NULL), 0);
	creds_unref(c);
	f = fopen("/tmp/stagefs-box-token", "w");
	assert_non_null(f);
	fputs("box-token-2\r\n", f);
	fclose(f);
	free(standin_post(&cred_server, "/_auth",
			  "{\"container_token\": \"box-token-2\", "
			  "\"life\": 3600}"));
	sleep(3);
	assert_int_equal(cred_cache_get(cache, &c, NULL), 0);
	assert_string_equal(c->access_key_id, "ASIABOX2");
	creds_unref(c);
	cred_cache_free(cache);
	unlink("/tmp/stagefs-box-token");
}

static const struct {
	const char *relative, *full, *url;
} urls[] = {
	{ "/v2/x?id=1", NULL, "http://169.254.170.2/v2/x?id=1" },
	{ "/v2/x", "https://h/", "http://169.254.170.2/v2/x" },
	{ "@evil/x", NULL, NULL },
	{ "x", NULL, NULL },
	{ "/a b", NULL, NULL },
	{ NULL, "https://anything.example/x", "https://anything.example/x" },
	{ NULL, "http://anything.example/x", NULL },
	{ NULL, "http://localhost/x", "http://localhost/x" },
	{ NULL, "http://127.0.0.1:99/x", "http://127.0.0.1:99/x" },
	{ NULL, "http://127.1.2.3/x", "http://127.1.2.3/x" },
	{ NULL, "http://127.0.0.1.evil.example/x", NULL },
	{ NULL, "http://127.0.0.1@evil.example/x", NULL },
	{ NULL, "http://evil.example?@localhost/x", NULL },
	{ NULL, "http://128.0.0.1/x", NULL },
	{ NULL, "http://169.254.170.2/x", "http://169.254.170.2/x" },
	{ NULL, "http://169.254.170.23/v1/c", "http://169.254.170.23/v1/c" },
	{ NULL, "http://[fd00:ec2::23]/x", "http://[fd00:ec2::23]/x" },
	{ NULL, "http://[::1]/x", "http://[::1]/x" },
	{ NULL, "http://[fd00:ec2::24]/x", NULL },
	{ NULL, "http://169.254.169.254/x", NULL },
	{ NULL, "ftp://localhost/x", NULL },
	{ NULL, "localhost/x", NULL },
	{ NULL, "http://localhost/x\r\nA: b", NULL },
};

static void container_urls(void **state)
{
	for (size_t i = 0; i < COUNT(urls); i++) {
		struct buf out = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);
		int rc = cred_container_url(urls[i].relative, urls[i].full,
					    &out, &why);
		const char *name =
			urls[i].relative ? urls[i].relative : urls[i].full;

		row_number(name, rc, urls[i].url ? 0 : -EINVAL);
		row_equal(name, rc ? "" : buf_str(&out),
			  urls[i].url ? urls[i].url : "");
		buf_clear(&out);
		buf_clear(&why);
	}
}

#define ENDPOINT "AWS_EC2_METADATA_SERVICE_ENDPOINT"
#define EC2 ENDPOINT, "http://127.0.0.1:PORT/", "AWS_EC2_METADATA_DISABLED", ""
#define OLD "{\"tokens\": false, \"token_status\": "

static const struct cred_row instances[] = {
	{ .sentence = "a token, the role, its keys",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .id = "ASIAEC21",
	  .source = "instance role instance-role",
	  .requests = SAW(3) },
	{ .sentence = "auto ends there",
	  .settings = { "auto" },
	  .env = { EC2 },
	  .id = "ASIAEC21" },
	{ .sentence = "disabled",
	  .settings = { "imds" },
	  .env = { ENDPOINT, "http://127.0.0.1:PORT",
		   "AWS_EC2_METADATA_DISABLED", "TRUE" },
	  .rc = -ENOENT,
	  .why = "AWS_EC2_METADATA_DISABLED is set",
	  .requests = SAW(0) },
	{ .sentence = "the first version, by 404",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .auth = OLD "404}",
	  .id = "ASIAEC21",
	  .requests = SAW(3) },
	{ .sentence = "the first version, by 403",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .auth = OLD "403}",
	  .id = "ASIAEC21" },
	{ .sentence = "the first version, by 405",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .auth = OLD "405}",
	  .id = "ASIAEC21" },
	{ .sentence = "400 is a refusal, and no first version",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .auth = OLD "400}",
	  .rc = -EACCES,
	  .why = "refuses a token: status 400",
	  .requests = SAW(1) },
	{ .sentence = "the first version is forbidden",
	  .settings = { "imds" },
	  .env = { EC2, "AWS_EC2_METADATA_V1_DISABLED", "true" },
	  .auth = OLD "403}",
	  .rc = -ENOENT,
	  .why = "AWS_EC2_METADATA_V1_DISABLED is set",
	  .requests = SAW(1) },
	{ .sentence = "no role",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .auth = "{\"role\": \"\"}",
	  .rc = -ENOENT,
	  .why = "no role is attached to this instance" },
	{ .sentence = "a role whose name is none",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .auth = "{\"role\": \"../../x y\"}",
	  .rc = -EBADMSG,
	  .why = "a role's name that is none" },
	{ .sentence = "a role without keys",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .auth = "{\"code\": \"AssumeRoleUnauthorizedAccess\"}",
	  .rc = -EACCES,
	  .why = "instance-role: AssumeRoleUnauthorizedAccess" },
	{ .sentence = "keys that have expired",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .auth = "{\"life\": -1}",
	  .rc = -EACCES,
	  .why = "have expired" },
	{ .sentence = "a token that is garbage",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .match = "\"method\": \"PUT\"",
	  .action = "\"type\": \"garbage\", \"body\": \"<html>\\n\"",
	  .rc = -EBADMSG,
	  .why = "a token that is none" },
	{ .sentence = "keys that are garbage",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .match = "\"method\": \"GET\", \"nth\": 2",
	  .action = "\"type\": \"garbage\"",
	  .rc = -EBADMSG,
	  .why = "not the JSON object" },
	{ .sentence = "a server's failure",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .match = "\"method\": \"GET\"",
	  .action = "\"type\": \"status\", \"status\": 500",
	  .rc = -EACCES,
	  .why = "does not name the role: status 500",
	  .requests = SAW(2) },
	{ .sentence = "silence ends after a second",
	  .settings = { "imds" },
	  .env = { EC2 },
	  .action = "\"type\": \"stall\", \"seconds\": 20",
	  .rc = -ENOENT,
	  .why = "does not answer at http://127.0.0.1:PORT",
	  .most_ms = 3000 },
	{ .sentence = "nobody is there",
	  .settings = { "auto" },
	  .env = { ENDPOINT, "http://127.0.0.1:1", "AWS_EC2_METADATA_DISABLED",
		   "" },
	  .rc = -ENOENT,
	  .why = "does not answer at http://127.0.0.1:1",
	  .most_ms = 3000 },
	{ .sentence = "an endpoint that is none",
	  .settings = { "imds" },
	  .env = { ENDPOINT, "http://a@b", "AWS_EC2_METADATA_DISABLED", "" },
	  .rc = -EINVAL,
	  .why = ENDPOINT ": " },
	{ .sentence = "the environment's proxy is not for it",
	  .settings = { "imds" },
	  .env = { EC2, "http_proxy", "http://127.0.0.1:1", "HTTP_PROXY",
		   "http://127.0.0.1:1" },
	  .id = "ASIAEC21" },
	{ .sentence = "nor is the stage's",
	  .settings = { .credentials = "imds", .proxy = "http://127.0.0.1:1" },
	  .env = { EC2 },
	  .id = "ASIAEC21" },
};

static void instance_rows(void **state)
{
	cred_rig_run(instances, COUNT(instances));
}

SUITE(cred_near)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(container_rows),
		cmocka_unit_test(container_urls),
		cmocka_unit_test(token_file_is_read_anew),
		cmocka_unit_test(instance_rows),
	};

	return cmocka_run_group_tests_name("cred_near", tests, cred_rig_start,
					   cred_rig_stop);
}
