/* SPDX-License-Identifier: Apache-2.0 */
/* What the environment and AWS' files add to connection settings. */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "stage/conf/conn.h"

static void set(struct conn *c, const char *key, const char *value)
{
	const struct option *row = option_find(conn_options, key);
	struct buf why = BUF_INIT(BUF_MESSAGE);

	row_check(key, row != NULL);
	row_number(key, option_set(row, c, value, &why), 0);
	buf_clear(&why);
}

static const struct {
	const char *sentence;
	const char *env[4]; /* name, value, name, value */
	const char *settings[4];
	const char *endpoint, *region; /* NULL: none */
} environments[] = {
	{ "nothing", { 0 }, { 0 }, NULL, NULL },
	{ "an endpoint",
	  { "AWS_ENDPOINT_URL", "http://e" },
	  { 0 },
	  "http://e",
	  NULL },
	{ "S3's own goes first",
	  { "AWS_ENDPOINT_URL", "http://e", "AWS_ENDPOINT_URL_S3",
	    "http://s3" },
	  { 0 },
	  "http://s3",
	  NULL },
	{ "a region", { "AWS_REGION", "r" }, { 0 }, NULL, "r" },
	{ "the default region goes second",
	  { "AWS_DEFAULT_REGION", "d", "AWS_REGION", "r" },
	  { 0 },
	  NULL,
	  "r" },
	{ "what is given stands",
	  { "AWS_REGION", "r", "AWS_ENDPOINT_URL", "http://e" },
	  { "region", "mine", "endpoint_url", "http://mine" },
	  "http://mine",
	  "mine" },
	{ "the default profile",
	  { "AWS_CONFIG_FILE", "[default]\nregion = p\n"
			       "endpoint_url = http://p\n" },
	  { 0 },
	  "http://p",
	  "p" },
	{ "the environment before the profile",
	  { "AWS_CONFIG_FILE", "[default]\nregion = p\n", "AWS_REGION", "r" },
	  { 0 },
	  NULL,
	  "r" },
	{ "a profile by name",
	  { "AWS_CONFIG_FILE",
	    "[default]\nregion = p\n[profile dev]\nregion = d\n" },
	  { "credentials", "profile:dev" },
	  NULL,
	  "d" },
	{ "keys of one's own take nothing from a profile",
	  { "AWS_CONFIG_FILE", "[default]\nregion = p\n" },
	  { "access_key_id", "a", "secret_access_key", "b" },
	  NULL,
	  NULL },
	{ "nor does an anonymous stage",
	  { "AWS_CONFIG_FILE", "[default]\nregion = p\n" },
	  { "credentials", "anonymous" },
	  NULL,
	  NULL },
};

static void clear_environment(void)
{
	static const char *const names[] = {
		"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION",
		"AWS_DEFAULT_REGION",  "AWS_PROFILE",      "AWS_CONFIG_FILE",
	};

	for (size_t i = 0; i < COUNT(names); i++)
		unsetenv(names[i]);
	setenv("HOME", "/nonexistent", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
	setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
}

/* AWS_CONFIG_FILE stands for a file with that text. */
static void set_env(const char *name, const char *value, char *path)
{
	if (!strcmp(name, "AWS_CONFIG_FILE")) {
		int fd = mkstemp(path);

		row_number(name, write(fd, value, strlen(value)),
			   strlen(value));
		close(fd);
		value = path;
	}
	setenv(name, value, 1);
}

static void the_environment_fills_gaps(void **state)
{
	for (size_t i = 0; i < COUNT(environments); i++) {
		const char *const *e = environments[i].env;
		const char *const *s = environments[i].settings;
		char path[] = "/tmp/test_conn.XXXXXX";
		struct conn c = { 0 };

		clear_environment();
		for (int j = 0; j < 4 && e[j]; j += 2)
			set_env(e[j], e[j + 1], path);
		row_number("defaults", option_defaults(conn_options, &c), 0);
		for (int j = 0; j < 4 && s[j]; j += 2)
			set(&c, s[j], s[j + 1]);
		row_number(environments[i].sentence, conn_env_complete(&c), 0);
		row_equal(environments[i].sentence,
			  c.s3.endpoint_url ? c.s3.endpoint_url : "none",
			  environments[i].endpoint ? environments[i].endpoint
						   : "none");
		row_equal(environments[i].sentence,
			  c.s3.region ? c.s3.region : "none",
			  environments[i].region ? environments[i].region
						 : "none");
		option_clear(conn_options, &c);
		unlink(path);
	}
}

SUITE(conn_env)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_fills_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
