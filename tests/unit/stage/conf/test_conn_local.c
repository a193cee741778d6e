/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories as stages: their URLs, the keys that they take, and which of
 * them are the same; by tables.
 *
 * Covers: stage/conf/conn_endpoint.c stage/conf/conn_keys.c
 * Covers: stage/conf/conn_location.c
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "stage/conf/conn.h"

/* ---- the place ---- */

static const struct {
	const char *sentence;
	const char *url;
	const char *root; /* NULL: refused */
	const char *tells;
} places[] = {
	{ "a directory", "fs:///var/lib/stagefs/", "/var/lib/stagefs", NULL },
	{ "the scheme in upper case", "FS:///a/", "/a", NULL },
	{ "empty segments are dropped", "fs:////a//b///", "/a/b", NULL },
	{ "escapes are decoded", "fs:///a%20b/%C3%A9%25/", "/a b/\xc3\xa9%",
	  NULL },
	{ "a slash that is encoded ends a segment", "fs:///a%2F", "/a", NULL },
	{ "a name of 300 bytes",
	  "fs:///xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xx/",
	  NULL, "longer than 255" },
	{ "dots in names", "fs:///...a/.b/", "/...a/.b", NULL },
	{ "no slash at the end", "fs:///a/b", NULL, "must end in '/'" },
	{ "the whole file system", "fs:///", NULL, "of its own" },
	{ "nothing but slashes", "fs://///", NULL, "of its own" },
	{ "a relative path", "fs://a/b/", NULL, "three slashes, and no host" },
	{ "localhost", "fs://localhost/a/", NULL, "no host" },
	{ "a user and a host", "fs://me@h/a/", NULL, "no host" },
	{ "nothing", "fs://", NULL, "three slashes" },
	{ "a slash too few", "fs:/a/", NULL, "three slashes" },
	{ "a path alone", "/var/lib/", NULL, "is written fs:///" },
	{ "file:", "file:///var/lib/", NULL, "not file:" },
	{ "dot dot", "fs:///a/../b/", NULL, "not names" },
	{ "dot dot at the end", "fs:///a/../", NULL, "not names" },
	{ "dot dot in disguise", "fs:///a/%2e%2E/b/", NULL, "not names" },
	{ "dot", "fs:///a/./b/", NULL, "not names" },
	{ "a store's own folder", "fs:///a/.stagefs/b/", NULL, "own folder" },
	{ "a query", "fs:///a/?x=1", NULL, "%3F" },
	{ "a fragment", "fs:///a/#x", NULL, "%23" },
	{ "a broken escape", "fs:///a%2/", NULL, "no escape" },
	{ "an encoded NUL", "fs:///a%00/", NULL, "no escape" },
	{ "a newline", "fs:///a%0a/", NULL, "control byte" },
};

static void places_are_found(void **state)
{
	for (size_t i = 0; i < COUNT(places); i++) {
		const struct conn c = { .url = (char *)places[i].url };
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct conn_location p;
		int rc = conn_location(&c, &p, &why);

		if (places[i].root) {
			row_number(places[i].sentence, rc, 0);
			row_equal(places[i].sentence, p.root, places[i].root);
			row_equal(places[i].sentence, p.prefix, "");
			row_check(places[i].sentence, !p.bucket);
			row_check(places[i].sentence, conn_is_local(&c));
		} else {
			row_number(places[i].sentence, rc, -EINVAL);
			row_check(places[i].sentence,
				  !strncmp(buf_str(&why), "url = ", 6));
			row_check(places[i].sentence,
				  strstr(buf_str(&why), places[i].tells));
		}
		conn_location_clear(&p);
		buf_clear(&why);
	}
}

/* ---- keys ---- */

static const struct {
	const char *key, *value;
	bool refused;
} keys[] = {
	{ "ro", "yes", false },
	{ "allow_overlap", "yes", false },
	{ "upload_api", "yes", false },
	{ "part_size", "16M", false },
	{ "comment", "mine", false },
	{ "file_format", "(type = CSV)", false },
	{ "copy_options", "(purge = true)", false },
	{ "created_on", "2026-01-01 00:00:00.000 +0000", false },
	{ "public_endpoint_url", "https://files.example/", false },
	{ "public_endpoint_url", "ftp://files.example/", true },
	{ "endpoint_url", "http://127.0.0.1:9000", true },
	{ "content_type", "off", false },
	{ "attributes", "posix", true },
	{ "region", "eu-west-1", true },
	{ "region", "", false },
	{ "access_key_id", "a", true },
	{ "secret_access_key", "sesame", true },
	{ "session_token", "sesame", true },
	{ "master_key", "sesame", true },
	{ "role_arn", "arn:x", true },
	{ "external_id", "x", true },
	{ "credentials", "anonymous", true },
	{ "credentials", "auto", false },
	{ "addressing", "virtual", true },
	{ "addressing", "path", false },
	{ "public_addressing", "path", true },
	{ "enable_virtual_host_style", "yes", true },
	{ "connections", "4", true },
	{ "connect_timeout", "4", true },
	{ "idle_timeout", "4", true },
	{ "deadline", "4", true },
	{ "upload_checksum", "md5", true },
	{ "ca_file", "/etc/passwd", true },
	{ "proxy", "http://h:1", true },
	{ "storage_class", "COLD", true },
	{ "sse", "AES256", true },
	{ "sse_kms_key_id", "k", true },
	{ "sse_kms_context", "{}", true },
	{ "sse_customer_key", "a2V5", true },
	{ "tagging", "a=b", true },
	{ "acl", "private", true },
	{ "disk_cache", "no", true },
	{ "write_back", "yes", true },
	{ "requester_pays", "yes", true },
};

static void keys_of_servers_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct conn c = { 0 };
		int rc;

		row_number("defaults", option_defaults(conn_options, &c), 0);
		row_number("url",
			   option_set(option_find(conn_options, "url"), &c,
				      "fs:///data/", &why),
			   0);
		row_number(keys[i].key,
			   option_set(option_find(conn_options, keys[i].key),
				      &c, keys[i].value, &why),
			   0);
		rc = conn_check(&c, &why);
		row_number(keys[i].key, rc, keys[i].refused ? -EINVAL : 0);
		row_check("the key comes first",
			  !rc || !strncmp(buf_str(&why), keys[i].key,
					  strlen(keys[i].key)));
		row_check("no secret is told",
			  !strstr(buf_str(&why), "sesame"));
		option_clear(conn_options, &c);
		buf_clear(&why);
	}
}

/* Each key of the table is one that a directory takes or refuses: a new one
 * has to be thought about. */
static void no_key_is_forgotten(void **state)
{
	for (const struct option *row = conn_options; row->name; row++) {
		bool found = row->alias_of || !strcmp(row->name, "url");

		for (size_t i = 0; i < COUNT(keys); i++)
			found = found || !strcmp(keys[i].key, row->name);
		row_check(row->name, found);
	}
}

static void the_environment_is_of_servers(void **state)
{
	struct conn c = { .url = (char *)"fs:///data/" };
	struct buf out = BUF_INIT(BUF_URL);

	setenv("AWS_REGION", "us-east-1", 1);
	setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1", 1);
	row_number("filled", conn_env_complete(&c), 0);
	row_check("no region", !c.s3.region);
	row_check("no endpoint", !c.s3.endpoint_url);
	conn_endpoint(&c, &out);
	conn_endpoint_region(&c, &out);
	row_equal("nor any that is in use", buf_str(&out), "");
	row_equal("nor credentials from SQL", conn_sql_credentials(&c), "auto");
	unsetenv("AWS_REGION");
	unsetenv("AWS_ENDPOINT_URL");
	buf_clear(&out);
}

/* ---- overlap: top/ has dir/sub, other, link -> dir, loop -> loop ---- */

static char top[] = "/tmp/test_conn_local.XXXXXX";

static void path_of(const char *name, char out[256])
{
	snprintf(out, 256, "%s/%s", top, name);
}

static int make_top(void **state)
{
	char path[256], to[256];
	static const char *const dirs[] = { "dir", "dir/sub", "other", "a b" };

	if (!mkdtemp(top))
		return -1;
	for (size_t i = 0; i < COUNT(dirs); i++) {
		path_of(dirs[i], path);
		if (mkdir(path, 0700))
			return -1;
	}
	path_of("dir", to);
	path_of("link", path);
	if (symlink(to, path))
		return -1;
	path_of("loop", path);
	return symlink("loop", path);
}

static int remove_top(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", top);
	return system(command);
}

static const struct {
	const char *sentence;
	const char *a, *a_below, *b, *b_below;
	bool overlap;
} overlaps[] = {
	{ "the same", "dir", "", "dir", "", true },
	{ "one in the other", "dir", "", "dir/sub", "", true },
	{ "the other way round", "dir/sub", "", "dir", "", true },
	{ "side by side", "dir", "", "other", "", false },
	{ "a longer name of the same beginning", "dir", "", "dirty", "",
	  false },
	{ "by a symbolic link", "link", "", "dir", "", true },
	{ "below a symbolic link", "link/sub", "", "dir", "", true },
	{ "what is not there yet, below a link", "link/new/one", "", "dir/new",
	  "", true },
	{ "what is not there yet, beside", "link/new", "", "dir/old", "",
	  false },
	{ "a link that leads nowhere is itself", "loop", "", "dir", "", false },
	{ "... and the same as itself", "loop/x", "", "loop", "", true },
	{ "a storage and what is beside its stages", "dir", "stage/", "dir/sub",
	  "", false },
	{ "a storage and one of its stages", "dir", "stage/",
	  "link/stage/internal/x", "", true },
	{ "a storage and what is around it", "dir", "stage/", ".", "", true },
	{ "a blank in a name", "a b", "", "a b/c", "", true },
};

static void add_keys(const char *name, const char *below, struct buf *out)
{
	struct buf url = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);
	struct conn c = { 0 };

	buf_addf(&url, "fs://%s/", top);
	if (strcmp(name, "."))
		for (; *name; name++)
			*name == ' ' ? buf_adds(&url, "%20")
				     : buf_addc(&url, *name);
	buf_addc(&url, '/');
	c.url = url.data;
	row_number(buf_str(&url), conn_keys(&c, below, out, &why), 0);
	buf_clear(&url);
	buf_clear(&why);
}

static void overlaps_are_seen(void **state)
{
	for (size_t i = 0; i < COUNT(overlaps); i++) {
		struct buf a = BUF_INIT(BUF_URL), b = BUF_INIT(BUF_URL);

		add_keys(overlaps[i].a, overlaps[i].a_below, &a);
		add_keys(overlaps[i].b, overlaps[i].b_below, &b);
		row_number(overlaps[i].sentence,
			   conn_keys_overlap(buf_str(&a), buf_str(&b)),
			   overlaps[i].overlap);
		row_number("the other way round",
			   conn_keys_overlap(buf_str(&b), buf_str(&a)),
			   overlaps[i].overlap);
		buf_clear(&a);
		buf_clear(&b);
	}
}

static void servers_and_directories_are_apart(void **state)
{
	const struct conn s3 = { .url = (char *)"s3://data/" };
	const struct conn fs = { .url = (char *)"fs:///data/" };
	struct buf a = BUF_INIT(BUF_URL), b = BUF_INIT(BUF_URL);
	struct buf why = BUF_INIT(BUF_MESSAGE);

	row_number("a bucket", conn_keys(&s3, "", &a, &why), 0);
	row_number("a directory", conn_keys(&fs, "", &b, &why), 0);
	row_check("of one name", !conn_keys_overlap(buf_str(&a), buf_str(&b)));
	buf_clear(&a);
	buf_clear(&b);
	buf_clear(&why);
}

static void places_are_shown(void **state)
{
	const struct conn c = { .url = (char *)"fs:///a%20b/c/" };
	struct buf out = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);
	struct conn_location p;

	row_number("a place", conn_location(&c, &p, &why), 0);
	conn_location_show(&p, "stage/", &out);
	row_equal("as a person writes it", buf_str(&out), "fs:///a b/c/stage/");
	conn_location_clear(&p);
	buf_clear(&out);
	buf_clear(&why);
}

SUITE(conn_local)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_found),
		cmocka_unit_test(keys_of_servers_are_refused),
		cmocka_unit_test(no_key_is_forgotten),
		cmocka_unit_test(the_environment_is_of_servers),
		cmocka_unit_test(overlaps_are_seen),
		cmocka_unit_test(servers_and_directories_are_apart),
		cmocka_unit_test(places_are_shown),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
