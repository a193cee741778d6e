/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wrong configurations, by a table: each row is a file's text, what -o says,
 * and the line that tells what is wrong.
 *
 * Covers: config/config_builder.c config/config_command.c
 * Covers: config/config_file.c config/config_options.c
 */
#include "unit.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "config_fixture.h"
#include "config/config.h"

static const struct {
	const char *sentence;
	const char *text;
	const char *settings[SETTINGS_MAX];
	const char *tells; /* FILE stands for the file's path */
} refused[] = {
	{ "an empty file", "", { 0 }, "FILE: there is neither [storage]" },
	{ "a typo in a key",
	  S "endpont_url = http://h\n",
	  { 0 },
	  "FILE:3: unknown key endpont_url; did you mean endpoint_url?" },
	{ "an unknown key like no other",
	  S "qqqqqqqqqqqq = 1\n",
	  { 0 },
	  "FILE:3: unknown key qqqqqqqqqqqq" },
	{ "a key of ~/.aws/credentials",
	  S "aws_secret_access_key = x\n",
	  { 0 },
	  "FILE:3: unknown key aws_secret_access_key; did you mean "
	  "secret_access_key?" },
	{ "another program's, with a value",
	  S "Profile = prod\n",
	  { 0 },
	  "FILE:3: unknown key Profile; did you mean "
	  "credentials = profile:NAME?" },
	{ "a typo in a section",
	  "[stroage]\nurl = s3://b/\n",
	  { 0 },
	  "FILE:1: unknown section [stroage]: there are" },
	{ "an indented section with a typo",
	  "  [stroage]\nurl = s3://b/\n",
	  { 0 },
	  "FILE:1: unknown section [stroage]" },
	{ "an empty section with a typo",
	  S "[stage-x]\n",
	  { 0 },
	  "FILE:3: unknown section [stage-x]" },
	{ "a key before the first section",
	  "url = s3://b/\n",
	  { 0 },
	  "FILE:1: url: a key before the first section" },
	{ "a key twice",
	  S "region = a\nregion = b\n",
	  { 0 },
	  "FILE:4: region is given a second time (first in line 3)" },
	{ "a key and its alias",
	  S "access_key_id = a\naws_key_id = b\n",
	  { 0 },
	  "FILE:4: access_key_id is given a second time (first in line 3)" },
	{ "a section twice",
	  S "[storage]\nregion = a\n",
	  { 0 },
	  "FILE:3: [storage] is there a second time (first in line 1)" },
	{ "a stage twice",
	  "[stage a]\nurl = s3://a/\n" S "[stage a]\n",
	  { 0 },
	  "FILE:5: [stage a] is there a second time (first in line 1)" },
	{ "a number out of bounds",
	  "[stagefs]\nmetadata_ttl = -3\n" S,
	  { 0 },
	  "FILE:2: metadata_ttl = -3: seconds, or with s, m, h, d or w, of 0 "
	  "to 86400" },
	{ "too little memory",
	  "[stagefs]\nmemory = 31M\n" S,
	  { 0 },
	  "FILE:2: memory = 31M: " },
	{ "a choice that is none",
	  "[stagefs]\npresign = maybe\n" S,
	  { 0 },
	  "FILE:2: presign = maybe: one of off, download, upload or both" },
	{ "a directory that is relative",
	  "[storage]\nurl = fs://data/\n",
	  { 0 },
	  "FILE:2: [storage]: url = fs://data/: three slashes, and no host" },
	{ "a directory with dots",
	  S "[stage a]\nurl = fs:///srv/../etc/\n",
	  { 0 },
	  "FILE:4: [stage a]: url = fs:///srv/../etc/: `.` and `..`" },
	{ "a directory without its slash, from -o",
	  "",
	  { "url=fs:///srv" },
	  "-o: [storage]: url = fs:///srv: the path must end in '/'" },
	{ "a directory with a region",
	  "[storage]\nregion = x\nurl = fs:///srv/\n",
	  { 0 },
	  "FILE:2: [storage]: region: a local directory (fs://) has no use" },
	{ "a directory with keys, by an alias",
	  "[stage a]\nurl = fs:///srv/\naws_key_id = x\n",
	  { 0 },
	  "FILE:3: [stage a]: access_key_id: a local directory (fs://)" },
	{ "a directory with a deadline, from -o",
	  "[storage]\nurl = fs:///srv/\n",
	  { "deadline=3" },
	  "-o: [storage]: deadline: a local directory (fs://)" },
	{ "no connections",
	  S "connections = 0\n",
	  { 0 },
	  "FILE:3: connections = 0: " },
	{ "too many connections",
	  S "connections = 1025\n",
	  { 0 },
	  "FILE:3: connections = 1025: " },
	{ "a part that is too small",
	  S "part_size = 4M\n",
	  { 0 },
	  "FILE:3: part_size = 4M: " },
	{ "a stage's key in [stagefs]",
	  "[stagefs]\nregion = a\n" S,
	  { 0 },
	  "FILE:2: region: this key belongs in [storage] or a [stage NAME]" },
	{ "a mount's key in [storage]",
	  S "metadata_ttl = 5\n",
	  { 0 },
	  "FILE:3: metadata_ttl: this key belongs in [stagefs]" },
	{ "an external id and no role",
	  S "aws_external_id = x\n",
	  { 0 },
	  "FILE:3: [storage]: external_id without role_arn" },
	{ "an expiry over the maximum",
	  "[stagefs]\npresign_expire_max = 60\npresign_expire = 61\n" S,
	  { 0 },
	  "FILE:3: presign_expire = 61: more than presign_expire_max = 60" },
	{ "a week and a second",
	  "[stagefs]\npresign_expire = 604801\n" S,
	  { 0 },
	  "FILE:2: presign_expire = 604801: " },
	{ "an expiry of nought",
	  "[stagefs]\npresign_expire = 0\n" S,
	  { 0 },
	  "FILE:2: presign_expire = 0: " },
	{ "a user with a slash",
	  "[stagefs]\nuser = a/b\n" S,
	  { 0 },
	  "FILE:2: user: a name without slashes" },
	{ "a spill directory that is relative",
	  "[stagefs]\nspill_dir = tmp\n" S,
	  { 0 },
	  "FILE:2: spill_dir: the path must begin with /" },
	{ "a cache directory that is relative",
	  "[stagefs]\ncache_dir = tmp\n" S,
	  { 0 },
	  "FILE:2: cache_dir: the path must begin with /" },
	{ "a disk cache that is too small",
	  "[stagefs]\ncache_dir = /tmp/c\ncache_size = 1M\n" S,
	  { 0 },
	  "FILE:3: cache_size = 1M: " },
	{ "a log that is nowhere",
	  "[stagefs]\nlog = stdout\n" S,
	  { 0 },
	  "FILE:2: log: stderr, syslog or a path" },
	{ "a stage's bad name",
	  S "[stage my-stage]\nurl = s3://c/\n",
	  { 0 },
	  "FILE:3: [stage my-stage]: a stage's name has letters" },
	{ "a reserved name",
	  S "[stage v1]\nurl = s3://c/\n",
	  { 0 },
	  "FILE:3: [stage v1]: a stage's name" },
	{ "a stage without a url",
	  S "[stage a]\n",
	  { 0 },
	  "FILE:3: [stage a]: no url is given" },
	{ "a url without its slash",
	  "[stage a]\nregion = x\nurl = s3://c/d\n",
	  { 0 },
	  "FILE:3: [stage a]: url = s3://c/d: the path must end in" },
	{ "another scheme",
	  "[storage]\nurl = gcs://b/\n",
	  { 0 },
	  "FILE:2: [storage]: url = gcs://b/: Azure and Google are "
	  "not supported yet" },
	{ "a server with another scheme",
	  S "endpoint_url = ftp://h\n",
	  { 0 },
	  "FILE:3: [storage]: endpoint_url = ftp://h" },
	{ "half of a key pair",
	  S "region = x\naws_key_id = a\n",
	  { 0 },
	  "FILE:4: [storage]: access_key_id without secret_access_key" },
	{ "neither key nor section", S "region\n", { 0 }, "FILE:3: " },
	{ "an unset variable",
	  S "region = ${env:TEST_CONFIG_UNSET}\n",
	  { 0 },
	  "FILE:3: region: ${env:TEST_CONFIG_UNSET}: " },
	{ "a missing file",
	  S "region = ${file:/nonexistent/r}\n",
	  { 0 },
	  "FILE:3: region: ${file:/nonexistent/r}: No such file" },
	{ "an indented line",
	  S "region = a\n  b\n",
	  { 0 },
	  "FILE:4: region: a value is one line" },
	{ "-o with a typo",
	  S,
	  { "metadata_tll=3" },
	  "-o: unknown key metadata_tll; did you mean metadata_ttl?" },
	{ "-o with a stage's typo",
	  S,
	  { "endpont_url=http://h" },
	  "-o: unknown key endpont_url; did you mean endpoint_url?" },
	{ "-o with a bad value",
	  S,
	  { "metadata_ttl=x" },
	  "-o: metadata_ttl = x: seconds, or" },
	{ "-o with a secret",
	  S,
	  { "secret_access_key=sesame" },
	  "-o secret_access_key: a secret is not taken" },
	{ "-o with a secret by its alias",
	  S,
	  { "aws_secret_key=sesame" },
	  "-o aws_secret_key: a secret is not taken" },
	{ "-o with a token",
	  S,
	  { "security_token=sesame" },
	  "-o security_token: a secret is not taken" },
	{ "-o with a role and nobody to assume it",
	  S,
	  { "role_arn=x", "credentials=anonymous" },
	  "-o: [storage]: credentials = anonymous, and a role_arn" },
	{ "-o without a value",
	  S,
	  { "metadata_ttl" },
	  "-o metadata_ttl: a value is missing" },
	{ "-o with a bad url",
	  S,
	  { "url=s3://c/d" },
	  "-o: [storage]: url = s3://c/d: the path must end" },
};

/* tells with the path for FILE. */
static const char *reported(const char *tells, const char *path)
{
	static char text[512];

	if (!strncmp(tells, "FILE", 4))
		snprintf(text, sizeof(text), "%s%s", path, tells + 4);
	else
		snprintf(text, sizeof(text), "%s", tells);
	return text;
}

static void bad_input_is_told(void **state)
{
	const char *path = in_dir("bad.conf");

	clear_environment();
	for (size_t i = 0; i < COUNT(refused); i++) {
		const struct config_request r = {
			.file = path,
			.settings = refused[i].settings,
			.n_settings = count(refused[i].settings),
		};
		struct buf why = BUF_INIT(BUF_MESSAGE);
		const char *want = reported(refused[i].tells, path);
		struct config c;

		write_file(path, refused[i].text, 0600);
		row_check(refused[i].sentence, config_read(&r, &c, &why) < 0);
		if (strncmp(buf_str(&why), want, strlen(want)))
			row_equal(refused[i].sentence, buf_str(&why), want);
		row_check("one line", !strchr(buf_str(&why), '\n'));
		row_check("no secret", !strstr(buf_str(&why), "sesame"));
		row_check("nothing is left",
			  !c.file && !c.n_stages && !c.mount.user);
		buf_clear(&why);
	}
}

static void only_files_are_read(void **state)
{
	const char *fifo = in_dir("fifo");
	const struct {
		const char *path, *tells;
		int rc;
	} rows[] = {
		{ fifo, "fifo: not a file", -ENOTSUP },
		{ "/dev/zero", "/dev/zero: not a file", -ENOTSUP },
		{ dir, ": Is a directory", -EISDIR },
	};

	clear_environment();
	assert_int_equal(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct config_request r = { .file = rows[i].path };
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct config c;

		row_number(rows[i].tells, config_read(&r, &c, &why),
			   rows[i].rc);
		row_check(rows[i].tells, strstr(buf_str(&why), rows[i].tells));
		buf_clear(&why);
	}
	unlink(fifo);
}

/* ---- secrets and modes ---- */

static const struct {
	const char *sentence;
	const char *text;
	mode_t mode;
	int rc;
} secrets[] = {
	{ "a secret in a closed file",
	  S "aws_key_id = a\n"
	    "aws_secret_key = sesame\n",
	  0600, 0 },
	{ "a secret that all may read",
	  S "aws_key_id = a\n"
	    "aws_secret_key = sesame\n",
	  0644, -EPERM },
	{ "a secret that others may write",
	  S "aws_key_id = a\n"
	    "aws_secret_key = sesame\n",
	  0602, -EPERM },
	{ "a token", S "session_token = sesame\n", 0604, -EPERM },
	{ "no secret", S "region = a\n", 0644, 0 },
	{ "a key id is no secret",
	  S "aws_key_id = a\n"
	    "aws_secret_key = ${env:TEST_SECRET}\n",
	  0644, 0 },
	{ "half a reference is a secret",
	  S "aws_key_id = a\n"
	    "aws_secret_key = x${env:TEST_SECRET}\n",
	  0644, -EPERM },
	{ "a reference and more is a secret",
	  S "aws_key_id = a\naws_secret_key = ${env:TEST_SECRET}x\n", 0644,
	  -EPERM },
};

static void secrets_need_a_closed_file(void **state)
{
	const char *path = in_dir("secret.conf");

	clear_environment();
	setenv("TEST_SECRET", "sesame", 1);
	for (size_t i = 0; i < COUNT(secrets); i++) {
		const struct config_request r = { .file = path };
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct config c;

		write_file(path, secrets[i].text, secrets[i].mode);
		row_number(secrets[i].sentence, config_read(&r, &c, &why),
			   secrets[i].rc);
		row_check(secrets[i].sentence,
			  !secrets[i].rc || strstr(buf_str(&why), path));
		row_check("no secret", !strstr(buf_str(&why), "sesame"));
		if (c.storage.creds.secret_access_key)
			row_equal(secrets[i].sentence,
				  c.storage.creds.secret_access_key, "sesame");
		config_clear(&c);
		buf_clear(&why);
	}
}

SUITE(config_bad)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_input_is_told),
		cmocka_unit_test(only_files_are_read),
		cmocka_unit_test(secrets_need_a_closed_file),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
