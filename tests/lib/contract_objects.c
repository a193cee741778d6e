/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract: objects.
 */
#include "store_help.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

static void put_then_get(struct contract *c)
{
	struct object_info info = put(c, "o/a", "hello");
	int64_t age = clock_now_s() - info.mtime.tv_sec;

	assert_int_equal(info.size, 5);
	assert_true(info.etag[0] == '"');
	assert_in_range(age + 3600, 0, 7200);
	assert_text(c, "o/a", "hello");
}

static void put_replaces(struct contract *c)
{
	struct object_info a = put(c, "o/r", "one"), b = put(c, "o/r", "three");

	assert_string_not_equal(a.etag, b.etag);
	assert_text(c, "o/r", "three");
}

static void put_empty(struct contract *c)
{
	struct object_details d;
	char text[8];

	assert_int_equal(put(c, "o/empty", "").size, 0);
	assert_int_equal(store_head(c->s, key(c, "o/empty"), &d), 0);
	assert_int_equal(d.info.size, 0);
	assert_int_equal(get(c, "o/empty", NULL, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void put_from_file(struct contract *c)
{
	struct store_body body = { .offset = 3, .len = 4 };
	FILE *f = tmpfile();

	assert_non_null(f);
	fputs("0123456789", f);
	fflush(f);
	body.fd = fileno(f);
	assert_int_equal(
		store_put(c->s, key(c, "o/file"), &body, NULL, NULL, NULL), 0);
	fclose(f);
	assert_text(c, "o/file", "3456");
}

/* Can a file system hold it, as an object with bytes? */
static bool is_file_key(const char *k)
{
	return !strstr(k, "//") && !strstr(k, "/.") && k[strlen(k) - 1] != '/';
}

static void odd_keys(struct contract *c)
{
	static const char *const odd[] = {
		"o/sp ace", "o/pl+us",     "o/per%cent", "o/a//b",
		"o/til~de", "o/q?x=1&y#z", "o/\xc3\xa9", "o/./x/../y",
		"o/dir/",   "o/tab\there", "o/<&>\"'",   "o/\xe2\x82\xac",
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		char line[64];

		if (c->s->limits.files && !is_file_key(odd[i]))
			continue;
		snprintf(line, sizeof(line), "%s\n", odd[i]);
		put(c, odd[i], odd[i]);
		assert_text(c, odd[i], odd[i]);
		assert_list(c, odd[i], 0, 0, line);
		assert_int_equal(store_remove(c->s, key(c, odd[i])), 0);
	}
}

static void get_missing(struct contract *c)
{
	char text[8];

	assert_int_equal(get(c, "o/none", NULL, 0, text, sizeof(text)),
			 -ENOENT);
}

static void get_ranges(struct contract *c)
{
	char text[4];

	put(c, "o/range", "0123456789");
	assert_int_equal(get(c, "o/range", NULL, 4, text, 4), 0);
	assert_string_equal(text, "456");
	assert_int_equal(get(c, "o/range", NULL, 8, text, 4), 0);
	assert_string_equal(text, "89");
	assert_int_equal(get(c, "o/range", NULL, 10, text, 4), 0);
	assert_string_equal(text, "");
	assert_int_equal(get(c, "o/range", NULL, 1 << 20, text, 4), 0);
	assert_string_equal(text, "");
}

static void get_tells_info(struct contract *c)
{
	struct object_info put_info = put(c, "o/info", "0123456789"), info;
	char text[3];
	size_t n;

	assert_int_equal(store_get_sync(c->s, key(c, "o/info"), NULL, 2, text,
					3, &n, &info),
			 0);
	assert_int_equal(info.size, 10);
	assert_string_equal(info.etag, put_info.etag);
}

static void get_pinned(struct contract *c)
{
	struct object_info old = put(c, "o/pin", "first");
	char text[16];

	assert_int_equal(get(c, "o/pin", old.etag, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "first");
	put(c, "o/pin", "second");
	assert_int_equal(get(c, "o/pin", old.etag, 0, text, sizeof(text)),
			 -ESTALE);
	assert_int_equal(store_remove(c->s, key(c, "o/pin")), 0);
	assert_int_equal(get(c, "o/pin", old.etag, 0, text, sizeof(text)),
			 -ESTALE);
}

static void head_tells(struct contract *c)
{
	struct store_body body = { .data = "x", .fd = -1, .len = 1 };
	struct store_meta meta = { .content_type = "text/csv" };
	struct object_info info;
	struct object_details d;

	assert_int_equal(
		store_put(c->s, key(c, "o/h"), &body, &meta, NULL, &info), 0);
	assert_int_equal(store_head(c->s, key(c, "o/h"), &d), 0);
	assert_int_equal(d.info.size, 1);
	assert_string_equal(d.info.etag, info.etag);
	assert_string_equal(props_get(&d.props, PROP_TYPE), "text/csv");
	assert_int_equal(store_head(c->s, key(c, "o/none"), &d), -ENOENT);
}

static void stat_tells(struct contract *c)
{
	struct name_info i;

	put(c, "s/a/b", "22");
	put(c, "s/d/", "");
	/* In a file system a name is one or the other. */
	if (!c->s->limits.files) {
		put(c, "s/a", "1");
		assert_int_equal(store_stat(c->s, key(c, "s/a"), &i), 0);
		assert_true(i.is_object && i.is_prefix);
		assert_int_equal(i.info.size, 1);
	}
	assert_int_equal(store_stat(c->s, key(c, "s/a/b"), &i), 0);
	assert_true(i.is_object && !i.is_prefix);
	assert_int_equal(store_stat(c->s, key(c, "s/d"), &i), 0);
	assert_true(!i.is_object && i.is_prefix);
	assert_int_equal(store_stat(c->s, key(c, "s/n"), &i), 0);
	assert_true(!i.is_object && !i.is_prefix);
	/* "s/a" is no directory of "s/ab" */
	put(c, "s/abc", "1");
	assert_int_equal(store_stat(c->s, key(c, "s/ab"), &i), 0);
	assert_true(!i.is_object && !i.is_prefix);
}

static void put_conditions(struct contract *c)
{
	struct store_cond absent = { .if_absent = true }, match = { 0 };
	struct object_info old;

	assert_int_equal(put_if(c, "o/cond", "1", &absent), 0);
	assert_int_equal(put_if(c, "o/cond", "2", &absent), -EEXIST);
	assert_text(c, "o/cond", "1");
	old = put(c, "o/cond", "3");
	match.if_match = old.etag;
	assert_int_equal(put_if(c, "o/cond", "4", &match), 0);
	assert_int_equal(put_if(c, "o/cond", "5", &match), -ESTALE);
	assert_text(c, "o/cond", "4");
}

static void removes(struct contract *c)
{
	struct object_info old = put(c, "o/rm", "x"), new;
	struct object_details d;

	new = put(c, "o/rm", "y");
	assert_int_equal(store_remove_same(c->s, key(c, "o/rm"), old.etag),
			 -ESTALE);
	assert_text(c, "o/rm", "y");
	assert_int_equal(store_remove_same(c->s, key(c, "o/rm"), new.etag), 0);
	assert_int_equal(store_head(c->s, key(c, "o/rm"), &d), -ENOENT);
	assert_int_equal(store_remove_same(c->s, key(c, "o/rm"), new.etag), 0);
	put(c, "o/rm", "x");
	assert_int_equal(store_remove(c->s, key(c, "o/rm")), 0);
	assert_int_equal(store_head(c->s, key(c, "o/rm"), &d), -ENOENT);
	assert_int_equal(store_remove(c->s, key(c, "o/rm")), 0);
}

static const struct field of_content[] = {
	{ "content-type", "text/css" },
	{ "content-encoding", "gzip" },
	{ "content-disposition", "attachment; filename=\"a b.css\"" },
	{ "content-language", "de, en" },
	{ "cache-control", "max-age=60, public" },
	{ "expires", "Thu, 01 Dec 2044 16:00:00 GMT" },
	{ "x-amz-meta-contract-one", "a%20b" },
	{ "x-amz-meta-contract-two", "c" },
};
#define N_OF_CONTENT (sizeof(of_content) / sizeof(*of_content))

static void assert_props(struct contract *c, const char *name, const char *type)
{
	struct object_details d;
	size_t metadata = 0;
	struct field at = { NULL, NULL };

	assert_int_equal(store_head(c->s, name, &d), 0);
	assert_string_equal(props_get(&d.props, PROP_TYPE), type);
	for (size_t i = 1; i < N_OF_CONTENT; i++)
		assert_string_equal(props_get(&d.props, of_content[i].name)
					    ?: "",
				    of_content[i].value);
	while (props_next(&d.props, &at))
		metadata += text_starts_with(at.name, PROP_META);
	assert_int_equal(metadata, 2);
}

/* All headers of the content stay, come with a copy, go with a replacement, and
 * are what an edit says again. */
static void keeps_props(struct contract *c)
{
	static const struct store_retype other = { "text/html", "text/xml" },
					 named = { "text/css", "text/xml" };
	const struct store_meta meta = { .headers = of_content,
					 .n_headers = N_OF_CONTENT };
	const struct store_body body = { .data = "x", .fd = -1, .len = 1 };
	struct object_details d;
	struct store_meta edit = { .props = &d.props };
	char *from = strdup(key(c, "o/props"));
	char *to = strdup(key(c, "o/props-copy"));

	assert_int_equal(store_put(c->s, from, &body, &meta, NULL, NULL), 0);
	assert_props(c, from, "text/css");
	assert_int_equal(store_copy(c->s, from, NULL, to, NULL, NULL), 0);
	assert_props(c, to, "text/css");
	assert_int_equal(
		store_copy_named(c->s, from, NULL, to, &other, NULL, NULL), 0);
	assert_props(c, to, "text/css");
	assert_int_equal(
		store_copy_named(c->s, from, NULL, to, &named, NULL, NULL), 0);
	assert_props(c, to, "text/xml");
	put(c, "o/props", "");
	assert_int_equal(store_head(c->s, from, &d), 0);
	assert_null(props_get(&d.props, "x-amz-meta-contract-one"));
	assert_null(props_get(&d.props, PROP_ENCODING));
	assert_int_equal(store_props(c->s, to, &d), 0);
	assert_int_equal(store_put(c->s, from, &body, &edit, NULL, NULL), 0);
	assert_props(c, from, "text/xml");
	free(from);
	free(to);
}

/* Other headers for the bytes that are there, and for no others. */
static void sets_props(struct contract *c)
{
	const struct store_meta meta = { .headers = of_content,
					 .n_headers = N_OF_CONTENT };
	const struct store_body body = { .data = "x", .fd = -1, .len = 1 };
	struct object_info old, info;
	struct object_details d;
	char *name = strdup(key(c, "o/set-props"));

	assert_int_equal(store_put(c->s, name, &body, &meta, NULL, &old), 0);
	assert_int_equal(store_props(c->s, name, &d), 0);
	assert_int_equal(props_set(&d.props, PROP_TYPE, "text/xml"), 0);
	assert_int_equal(store_set_props(c->s, name, &d, &info), 0);
	assert_props(c, name, "text/xml");
	assert_text(c, "o/set-props", "x");
	assert_int_equal(store_props(c->s, name, &d), 0);
	assert_string_equal(d.info.etag, info.etag);
	assert_int_equal(props_set(&d.props, PROP_CACHE, NULL), 0);
	assert_int_equal(store_set_props(c->s, name, &d, &info), 0);
	assert_int_equal(store_head(c->s, name, &d), 0);
	assert_null(props_get(&d.props, PROP_CACHE));
	put(c, "o/set-props", "other");
	assert_int_equal(store_set_props(c->s, name, &d, NULL), -ESTALE);
	assert_text(c, "o/set-props", "other");
	assert_int_equal(store_remove(c->s, name), 0);
	assert_int_equal(store_set_props(c->s, name, &d, NULL), -ENOENT);
	free(name);
}

static void removes_many(struct contract *c)
{
	static const char *const left = "";
	const char *keys[5];
	char *own[5];
	int results[5];

	put(c, "rm/a", "1");
	put(c, "rm/b&<c>", "2");
	put(c, "rm/d e", "3");
	put(c, "rm/\xc3\xa9", "4");
	own[0] = strdup(key(c, "rm/a"));
	own[1] = strdup(key(c, "rm/b&<c>"));
	own[2] = strdup(key(c, "rm/d e"));
	own[3] = strdup(key(c, "rm/\xc3\xa9"));
	own[4] = strdup(key(c, "rm/never was"));
	for (int i = 0; i < 5; i++) {
		keys[i] = own[i];
		results[i] = 1;
	}
	assert_int_equal(store_remove_many(c->s, keys, 5, results), 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(results[i], 0);
		free(own[i]);
	}
	assert_list(c, "rm/", 0, 0, left);
}

const struct contract_test contract_objects[] = {
	{ "what was put is there", put_then_get },
	{ "a put replaces, and the ETag changes", put_replaces },
	{ "an empty object is an object", put_empty },
	{ "a put sends a range of a file", put_from_file },
	{ "odd bytes in keys stay as they are", odd_keys },
	{ "a get of nothing is ENOENT", get_missing },
	{ "a get answers the range, and less at the end", get_ranges },
	{ "a ranged get tells the object's size and ETag", get_tells_info },
	{ "a get pinned to an ETag is ESTALE after a change", get_pinned },
	{ "head tells type, size and ETag", head_tells },
	{ "headers stay with an object until it is replaced", keeps_props },
	{ "an object gets other headers, if it is still that one", sets_props },
	{ "stat tells object and prefix", stat_tells },
	{ "conditional puts hold", put_conditions },
	{ "remove removes, and again is fine", removes },
	{ "many keys are removed at once", removes_many },
	{ NULL, NULL },
};
