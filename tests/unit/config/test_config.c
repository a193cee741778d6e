/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations that are right: defaults, what wins, which file is read.
 *
 * Covers: stage/conf/conn_open.c
 */
#include "unit.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "base/buf.h"
#include "config_fixture.h"
#include "config/config.h"

static struct config read_text(const char *text, const char *stage,
			       const char *const *settings)
{
	const struct config_request r = {
		.file = in_dir("good.conf"),
		.stage = stage,
		.settings = settings,
		.n_settings = settings ? count(settings) : 0,
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct config c;
	int rc;

	write_file(r.file, text, 0600);
	rc = config_read(&r, &c, &why);
	row_equal(text, buf_str(&why), "");
	row_number(text, rc, 0);
	buf_clear(&why);
	return c;
}

static void defaults(void **state)
{
	struct config c;

	clear_environment();
	c = read_text(S, NULL, NULL);
	row_equal("user", c.mount.user, getpwuid(getuid())->pw_name);
	row_number("metadata_ttl", c.mount.metadata_ttl, 5);
	row_number("memory", c.mount.memory, 512 << 20);
	row_number("uid", c.mount.uid, getuid());
	row_number("gid", c.mount.gid, getgid());
	row_number("file_mode", c.mount.file_mode, 0644);
	row_number("dir_mode", c.mount.dir_mode, 0755);
	row_number("umask", c.mount.umask, 0);
	row_number("presign", c.mount.presign, CONFIG_PRESIGN_BOTH);
	row_number("presign_expire", c.mount.presign_expire, 3600);
	row_number("presign_expire_max", c.mount.presign_expire_max, 604800);
	row_number("check", c.mount.check, CONFIG_CHECK_STORAGE);
	row_check("log", !c.mount.log);
	row_check("switches are off",
		  !c.mount.allow_other && !c.mount.ro && !c.mount.allow_suid);
	row_number("list_xattrs", c.mount.list_xattrs, CONFIG_LIST_STAGE);
	if (geteuid())
		row_check("spill_dir", strstr(c.mount.spill_dir, "/stagefs"));
	else
		row_equal("spill_dir", c.mount.spill_dir, "/var/cache/stagefs");
	row_check("storage", c.has_storage && !c.n_stages);
	row_number("connections", c.storage.lane.connections, 32);
	config_clear(&c);
}

/* A stage for a URL: its name by the bucket's, and what -o says is for it. */
static void url_of_a_source(void **state)
{
	static const struct {
		const char *url, *name, *place;
	} rows[] = {
		{ "s3://my-bucket/a/b", "my_bucket", "s3://my-bucket/a/b/" },
		{ "s3://1.data", "_1_data", "s3://1.data/" },
		{ "s3://health/", "health_", "s3://health/" },
		{ "fs:///srv/my files/", "my_files", "fs:///srv/my files/" },
		{ "fs:///tmp", "tmp", "fs:///tmp/" },
	};
	const char *const set[] = { "ro", "comment=mine" };

	clear_environment();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct config_request r = {
			.url = rows[i].url,
			.settings = set,
			.n_settings = 2,
		};
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct config c;
		int rc = config_read(&r, &c, &why);

		row_equal(rows[i].url, buf_str(&why), "");
		row_number(rows[i].url, rc, 0);
		row_equal(rows[i].url, c.url_stage, rows[i].name);
		row_number(rows[i].url, c.n_stages, 1);
		row_equal(rows[i].url, c.stages[0].conn.url, rows[i].place);
		row_equal(rows[i].url, c.stages[0].conn.comment, "mine");
		row_check(rows[i].url, c.mount.ro && !c.has_storage && !c.file);
		config_clear(&c);
		buf_clear(&why);
	}
}

/* Beside the stages of a file that is named. */
static void url_and_file(void **state)
{
	const struct config_request r = { .file = in_dir("good.conf"),
					  .url = "s3://my-bucket/" };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct config c;

	clear_environment();
	write_file(r.file, S "[stage my_bucket]\nurl = s3://other/\n", 0600);
	row_number("read", config_read(&r, &c, &why), 0);
	row_equal("the name is free", c.url_stage, "my_bucket_");
	row_number("both", c.n_stages, 2);
	config_clear(&c);
	buf_clear(&why);
}

static void the_documents_example(void **state)
{
	struct config c;

	clear_environment();
	c = read_text("[stagefs]\n"
		      "user = root  ; whose stage @~ is\n"
		      "[storage]\n"
		      "url = s3://databend-toronto/\n"
		      "endpoint_url = https://s3.us-east-2.amazonaws.com\n"
		      "[stage my_external_stage]\n"
		      "url = s3://databend/\n"
		      "ENDPOINT_URL = http://minio.example:9000\n"
		      "aws_key_id = ROOTUSER\n"
		      "aws_secret_key = CHANGEME123\n"
		      "master_key = unused\n"
		      "enable_virtual_host_style = true\n"
		      "part_size = 8M\n",
		      NULL, NULL);
	row_equal("user", c.mount.user, "root");
	row_equal("storage", c.storage.url, "s3://databend-toronto/");
	row_number("stages", c.n_stages, 1);
	row_equal("name", c.stages[0].name, "my_external_stage");
	row_equal("url", c.stages[0].conn.url, "s3://databend/");
	row_equal("endpoint", c.stages[0].conn.s3.endpoint_url,
		  "http://minio.example:9000");
	row_equal("key", c.stages[0].conn.creds.access_key_id, "ROOTUSER");
	row_equal("secret", c.stages[0].conn.creds.secret_access_key,
		  "CHANGEME123");
	row_check("virtual host", c.stages[0].conn.s3.virtual_host);
	row_number("part size", c.stages[0].conn.part_size, 8 << 20);
	config_clear(&c);
}

static void long_tokens_arrive_whole(void **state)
{
	struct buf text = BUF_INIT(BUF_LINE + 1024);
	char token[15001];
	struct config c;

	clear_environment();
	memset(token, 'T', 15000);
	token[15000] = '\0';
	buf_adds(&text, S "aws_key_id = a\naws_secret_key = b\naws_token = ");
	buf_adds(&text, token);
	buf_addc(&text, '\n');
	c = read_text(buf_str(&text), NULL, NULL);
	row_equal("15,000 bytes", c.storage.creds.session_token, token);
	config_clear(&c);
	buf_clear(&text);
}

#define BOTH S "region = file\n[stage a]\nurl = s3://a/\nregion = file\n"

/* -o before the file before the environment; which connection -o is for. */
static const struct {
	const char *sentence;
	const char *text;
	const char *stage;
	const char *settings[SETTINGS_MAX];
	const char *storage_region, *stage_region; /* NULL: unset */
} order[] = {
	{ "the file before the environment",
	  BOTH,
	  NULL,
	  { 0 },
	  "file",
	  "file" },
	{ "-o before the file", BOTH, NULL, { "region=o" }, "o", "file" },
	{ "-o is for the stage that is the source",
	  BOTH,
	  "a",
	  { "region=o" },
	  "file",
	  "o" },
	{ "an internal stage is in the storage",
	  BOTH,
	  "x",
	  { "region=o" },
	  "o",
	  "file" },
	{ "the user stage as well", BOTH, "~", { "region=o" }, "o", "file" },
	{ "the last -o wins",
	  BOTH,
	  NULL,
	  { "region=o", "region=p" },
	  "p",
	  "file" },
	{ "the environment fills what is left",
	  "[storage]\nurl = s3://b/\n[stage a]\nurl = s3://a/\n",
	  NULL,
	  { 0 },
	  "env",
	  "env" },
	{ "-o makes a stage by its url",
	  S "region = file\n",
	  "a",
	  { "url=s3://a/", "region=o" },
	  "file",
	  "o" },
};

static void what_wins(void **state)
{
	clear_environment();
	setenv("AWS_REGION", "env", 1);
	for (size_t i = 0; i < COUNT(order); i++) {
		struct config c = read_text(order[i].text, order[i].stage,
					    order[i].settings);

		row_equal(order[i].sentence, c.storage.s3.region,
			  order[i].storage_region);
		row_number(order[i].sentence, c.n_stages, 1);
		row_equal(order[i].sentence, c.stages[0].conn.s3.region,
			  order[i].stage_region);
		config_clear(&c);
	}
}

static void mount_settings_by_command(void **state)
{
	static const char *const settings[] = { "ro", "metadata_ttl=0",
						"allow_other=no",
						"presign_expire_max=60", NULL };
	struct config c;

	clear_environment();
	c = read_text("[stagefs]\nmetadata_ttl = 7\nallow_other = yes\n" S,
		      NULL, settings);
	row_check("ro is the mount's", c.mount.ro && !c.storage.ro);
	row_number("metadata_ttl", c.mount.metadata_ttl, 0);
	row_check("allow_other", !c.mount.allow_other);
	row_number("a default expiry follows the maximum",
		   c.mount.presign_expire, 60);
	config_clear(&c);
}

/* ---- which file ---- */

enum where { NAMED, ENV, XDG, HOME, NONE };

static const struct {
	const char *sentence;
	enum where there; /* the first of them that is there */
	enum where read;
} searches[] = {
	{ "what --config names goes first", NAMED, NAMED },
	{ "then $STAGEFS_CONFIG", ENV, ENV },
	{ "then $XDG_CONFIG_HOME", XDG, XDG },
	{ "without one ~/.config", HOME, HOME },
};

static void files_are_searched_in_order(void **state)
{
	char path[4][300];

	snprintf(path[NAMED], sizeof(path[0]), "%s/named", dir);
	snprintf(path[ENV], sizeof(path[0]), "%s/env", dir);
	snprintf(path[XDG], sizeof(path[0]), "%s/xdg", dir);
	mkdir(path[XDG], 0700);
	strcat(path[XDG], "/stagefs");
	mkdir(path[XDG], 0700);
	strcat(path[XDG], "/stagefs.conf");
	snprintf(path[HOME], sizeof(path[0]), "%s/.config", dir);
	mkdir(path[HOME], 0700);
	strcat(path[HOME], "/stagefs");
	mkdir(path[HOME], 0700);
	strcat(path[HOME], "/stagefs.conf");
	for (int i = NAMED; i <= HOME; i++)
		write_file(path[i], S, 0600);
	for (size_t i = 0; i < COUNT(searches); i++) {
		struct config_request r = { 0 };
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct config c;

		clear_environment();
		if (searches[i].there <= NAMED)
			r.file = path[NAMED];
		if (searches[i].there <= ENV)
			setenv("STAGEFS_CONFIG", path[ENV], 1);
		if (searches[i].there <= XDG)
			setenv("XDG_CONFIG_HOME", in_dir("xdg"), 1);
		row_number(searches[i].sentence, config_read(&r, &c, &why), 0);
		row_equal(searches[i].sentence, c.file, path[searches[i].read]);
		config_clear(&c);
		buf_clear(&why);
	}
}

static void a_file_that_was_named_must_be_there(void **state)
{
	const struct config_request named = { .file = "/nonexistent/c" };
	const struct config_request any = { 0 };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct config c;

	clear_environment();
	row_number("by --config", config_read(&named, &c, &why), -ENOENT);
	row_equal("the file is named", buf_str(&why),
		  "/nonexistent/c: No such file or directory");
	buf_reset(&why);
	setenv("STAGEFS_CONFIG", "/nonexistent/e", 1);
	row_number("by the environment", config_read(&any, &c, &why), -ENOENT);
	row_equal("the file is named", buf_str(&why),
		  "/nonexistent/e: No such file or directory");
	buf_clear(&why);
}

static const char *const url_alone[] = { "url=s3://b/" };
static const char *const public_alone[] = {
	"public_endpoint_url=https://files.example"
};

/* What -o says where no file is, and where stages live then. root: for root
 * only; ours 0: the storage is not the embedded one. */
static const struct {
	const char *sentence;
	const char *data_home; /* XDG_DATA_HOME */
	const char *const *settings;
	const char *url;
	bool embedded;
} bare[] = {
	{ "-o url is a configuration", NULL, url_alone, "s3://b/", false },
	{ "nothing: XDG's folder", "/d/x y", NULL, "fs:///d/x%20y/stagefs/",
	  true },
	{ "nothing, and an XDG that is none", "d", NULL, NULL, true },
	{ "nothing: the folder of the system, or the user's", NULL, NULL, NULL,
	  true },
	{ "-o that only says how", "/d", public_alone, "fs:///d/stagefs/",
	  true },
};

static void without_any_file(void **state)
{
	const char *usual = geteuid() ? "fs:///home/u/.local/share/stagefs/"
				      : "fs:///var/lib/stagefs/";

	if (!access("/etc/stagefs/stagefs.conf", F_OK))
		skip();
	for (size_t i = 0; i < sizeof(bare) / sizeof(*bare); i++) {
		const char *sentence = bare[i].sentence;
		struct config_request r = { .settings = bare[i].settings,
					    .n_settings =
						    bare[i].settings != NULL };
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct config c;

		clear_environment();
		setenv("HOME", "/home/u", 1);
		unsetenv("XDG_DATA_HOME");
		if (bare[i].data_home)
			setenv("XDG_DATA_HOME", bare[i].data_home, 1);
		row_number(sentence, config_read(&r, &c, &why), 0);
		row_equal(sentence, c.storage.url,
			  bare[i].url ? bare[i].url : usual);
		row_number(sentence, c.embedded != NULL, bare[i].embedded);
		config_clear(&c);
		buf_clear(&why);
	}
	unsetenv("XDG_DATA_HOME");
}

SUITE(config)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(url_of_a_source),
		cmocka_unit_test(url_and_file),
		cmocka_unit_test(the_documents_example),
		cmocka_unit_test(long_tokens_arrive_whole),
		cmocka_unit_test(what_wins),
		cmocka_unit_test(mount_settings_by_command),
		cmocka_unit_test(files_are_searched_in_order),
		cmocka_unit_test(a_file_that_was_named_must_be_there),
		cmocka_unit_test(without_any_file),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
