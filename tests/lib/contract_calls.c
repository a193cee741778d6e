/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract: listings, and what the wrapper does for all stores.
 */
#include "store_help.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

static void list_names(struct contract *c)
{
	/* In a file system a name is an object or a folder. */
	const char *a = c->s->limits.files ? "l/a-" : "l/a";
	char want[128];

	put(c, a, "1");
	put(c, "l/a.b", "1");
	put(c, "l/a/x", "1");
	put(c, "l/a/y", "1");
	put(c, "l/b", "1");
	put(c, "l/c d/z", "1");
	put(c, "l/\xc3\xa9", "1");
	snprintf(want, sizeof(want),
		 "%s\nl/a.b\nl/a/x\nl/a/y\nl/b\nl/c d/z\nl/\xc3\xa9\n", a);
	assert_list(c, "l/", 0, 0, want);
	snprintf(want, sizeof(want),
		 "%s\nl/a.b\nl/a/\nl/b\nl/c d/\nl/\xc3\xa9\n", a);
	assert_list(c, "l/", '/', 0, want);
	assert_list(c, "l/a/", '/', 0, "l/a/x\nl/a/y\n");
	assert_list(c, "l/nothing", '/', 0, "");
}

static void list_odd_groups(struct contract *c)
{
	put(c, "g/%41/x", "1");
	put(c, "g/%zz", "1");
	put(c, "g/a+b/x", "1");
	put(c, "g/a+c", "1");
	put(c, "g/d e/x", "1");
	put(c, "g/d&<e>/x", "1");
	put(c, "g/\xc3\xa9/x", "1");
	assert_list(c, "g/", '/', 0,
		    "g/%41/\ng/%zz\ng/a+b/\ng/a+c\ng/d e/\ng/d&<e>/\n"
		    "g/\xc3\xa9/\n");
	assert_list(c, "g/a+", '/', 0, "g/a+b/\ng/a+c\n");
	assert_list(c, "g/%41/", '/', 0, "g/%41/x\n");
}

static void list_pages(struct contract *c)
{
	char name[32];
	struct buf want = BUF_INIT(65536);

	for (int i = 0; i < 23; i++) {
		snprintf(name, sizeof(name), i % 3 ? "p/%02d" : "p/%02d/x", i);
		put(c, name, "1");
		buf_addf(&want, i % 3 ? "p/%02d\n" : "p/%02d/\n", i);
	}
	assert_list(c, "p/", '/', 1, buf_str(&want));
	assert_list(c, "p/", '/', 2, buf_str(&want));
	assert_list(c, "p/", '/', 5, buf_str(&want));
	assert_list(c, "p/", '/', 23, buf_str(&want));
	assert_list(c, "p/", '/', 0, buf_str(&want));
	buf_clear(&want);
}

static void list_closed_early(struct contract *c)
{
	struct list_query q = { .delimiter = '/', .page = 1, .ahead = true };
	struct store_list *l;
	struct list_entry e;

	put(c, "le/a", "1");
	put(c, "le/b", "1");
	put(c, "le/c", "1");
	q.prefix = key(c, "le/");
	assert_int_equal(store_list_open(c->s, &q, &l), 0);
	store_list_close(l);
	assert_int_equal(store_list_open(c->s, &q, &l), 0);
	assert_int_equal(store_list_next(l, &e), 1);
	assert_int_equal(e.info.size, 1);
	store_list_close(l);
}

/* A listing begins behind any key, one that is there or not, or a group. */
static void list_from(struct contract *c)
{
	static const struct {
		const char *after;
		char delimiter;
		const char *want;
	} rows[] = {
		{ "", 0, "lf/a lf/d/x lf/d/y lf/e " },
		{ "a", 0, "lf/d/x lf/d/y lf/e " },
		{ "d.\xf4\x8f\xbf\xbf", 0, "lf/d/x lf/d/y lf/e " },
		{ "d/x", 0, "lf/d/y lf/e " },
		{ "a", '/', "lf/d/ lf/e " },
		{ "d/\xf4\x8f\xbf\xbf", '/', "lf/e " },
		{ "z", 0, "" },
	};

	put(c, "lf/a", "1");
	put(c, "lf/d/x", "1");
	put(c, "lf/d/y", "1");
	put(c, "lf/e", "1");
	for (size_t r = 0; r < COUNT(rows); r++) {
		struct buf got = BUF_INIT(1000), name = BUF_INIT(100);
		struct list_query q = { .delimiter = rows[r].delimiter,
					.page = 1 };
		struct list_entry e;
		struct store_list *l;
		char *after;

		buf_addf(&name, "lf/%s", rows[r].after);
		after = strdup(key(c, buf_str(&name)));
		q.after = after;
		q.prefix = key(c, "lf/");
		assert_int_equal(store_list_open(c->s, &q, &l), 0);
		while (store_list_next(l, &e) == 1)
			buf_addf(&got, "%s ", e.key + strlen(c->prefix));
		store_list_close(l);
		assert_string_equal(buf_str(&got), rows[r].want);
		free(after);
		buf_clear(&got);
		buf_clear(&name);
	}
}

static void refuses_keys(struct contract *c)
{
	struct object_details d;
	struct name_info i;
	char text[8], big[STORE_KEY_MAX + 2];
	size_t n;

	memset(big, 'k', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(store_head(c->s, "", &d), -EINVAL);
	assert_int_equal(store_head(c->s, big, &d), -ENAMETOOLONG);
	assert_int_equal(store_stat(c->s, big, &i), -ENAMETOOLONG);
	assert_int_equal(store_remove(c->s, ""), -EINVAL);
	assert_int_equal(store_get_sync(c->s, big, NULL, 0, text, 1, &n, NULL),
			 -ENAMETOOLONG);
	assert_int_equal(store_get_sync(c->s, "k", NULL, 0, text, 0, &n, NULL),
			 -EINVAL);
	assert_int_equal(store_get_sync(c->s, "k", NULL, UINT64_MAX, text, 1,
					&n, NULL),
			 -EINVAL);
	assert_int_equal(store_get_sync(c->s, "k", "\"a\nb\"", 0, text, 1, &n,
					NULL),
			 -EINVAL);
}

static void presigns(struct contract *c)
{
	const struct field type = { "content-type", "text/csv" };
	const struct field version = { "versionId", "a/b" };
	struct store_presign req = { .action = PRESIGN_UPLOAD,
				     .expire = 600,
				     .headers = &type,
				     .n_headers = 1 };
	struct store_presigned p;
	struct buf why = BUF_INIT(BUF_MESSAGE);

	req.key = key(c, "pre/a b.csv");
	assert_int_equal(store_presign(c->s, &req, &p, &why), 0);
	assert_string_equal(p.method, "PUT");
	assert_non_null(strstr(p.url, "pre/a%20b.csv?"));
	assert_string_equal(p.headers, "{\"content-type\":\"text/csv\"}");
	assert_string_equal(p.header_lines, "content-type: text/csv\n");
	assert_in_range(p.expires_at - clock_now_s(), 590, 600);
	store_presign_clear(&p);
	req.action = PRESIGN_DOWNLOAD;
	req.n_headers = 0;
	req.query = &version;
	req.n_query = 1;
	assert_int_equal(store_presign(c->s, &req, &p, &why), 0);
	assert_string_equal(p.method, "GET");
	assert_string_equal(p.headers, "{}");
	assert_string_equal(p.header_lines, "");
	assert_non_null(strstr(p.url, "versionId=a%2Fb"));
	store_presign_clear(&p);
	req.expire = 604801;
	assert_int_equal(store_presign(c->s, &req, &p, &why), -EINVAL);
	assert_string_equal(buf_str(&why),
			    "EXPIRE is 604801: it must be 1 to 604800 seconds");
	assert_null(p.url);
	buf_clear(&why);
}

static void checks(struct contract *c)
{
	struct buf why = BUF_INIT(BUF_MESSAGE), text = BUF_INIT(BUF_MESSAGE);

	assert_int_equal(store_check(c->s, "", &why), 0);
	assert_int_equal(store_describe(c->s, &text), 0);
	assert_true(text.len > 0);
	buf_reset(&text);
	store_locate(c->s, "a/b c", &text);
	assert_non_null(strstr(buf_str(&text), "/a/b c"));
	buf_clear(&why);
	buf_clear(&text);
}

const struct contract_test contract_calls[] = {
	{ "a listing is in key order, grouped", list_names },
	{ "odd names of groups stay as they are", list_odd_groups },
	{ "a listing is the same for every page size", list_pages },
	{ "a listing may be closed early", list_closed_early },
	{ "a listing begins behind any key", list_from },
	{ "keys and ranges that cannot be are refused", refuses_keys },
	{ "URLs are signed", presigns },
	{ "the store answers a check", checks },
	{ NULL, NULL },
};
