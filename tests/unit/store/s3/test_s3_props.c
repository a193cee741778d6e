/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of an object over copies and edits, as they are asked of a server
 * and told to it.
 *
 * Covers: store/s3/s3_plain.c store/s3/s3_tags.c
 */
#include <errno.h>
#include <stdlib.h>

#include "s3_suite.h"
#include "store/store.h"

static int put(const char *key)
{
	struct store_body body = { .data = "text", .fd = -1, .len = 4 };

	return store_put(rig.s, key, &body, NULL, NULL, NULL);
}

static int fresh(void **state)
{
	standin_reset(&rig.standin);
	s3_rig_open(&rig, NULL);
	return 0;
}

static long requests(void)
{
	return standin_stat(&rig.standin, "requests");
}

#define SSE_KEY "arn:aws:kms:eu-west-1:111122223333:key/k"

/* An object that has everything, of a server that is told so. */
static const struct field everything[] = {
	{ PROP_TYPE, "text/css" },         { PROP_CACHE, "max-age=60" },
	{ "x-amz-meta-who", "me" },        { PROP_CLASS, "STANDARD_IA" },
	{ PROP_SSE, "aws:kms" },           { PROP_SSE_KEY, SSE_KEY },
	{ PROP_TAGGING, "a=1&b%20c=%2F" },
};

static void put_everything(const char *key)
{
	const struct store_body body = { .data = "text", .fd = -1, .len = 4 };
	const struct store_meta meta = { .headers = everything,
					 .n_headers = COUNT(everything) };

	assert_int_equal(store_put(rig.s, key, &body, &meta, NULL, NULL), 0);
}

static void assert_everything(const char *key)
{
	struct object_details d;

	assert_int_equal(store_props(rig.s, key, &d), 0);
	for (size_t i = 0; i < COUNT(everything); i++)
		row_equal(everything[i].name,
			  props_get(&d.props, everything[i].name) ?: "",
			  everything[i].value);
}

/* Neither class nor encryption comes with a copy by itself, and both are one
 * HEAD and one request as ever. */
static void copies_keep_everything(void **state)
{
	static const struct store_retype retype = { "text/css", "text/html" };
	struct s3_rig_options options = {
		.set = { .storage_class = "ONEZONE_IA", .sse = "AES256" },
	};
	struct object_details d;
	long before;

	s3_rig_open(&rig, &options);
	put_everything("k");
	before = requests();
	assert_int_equal(store_copy(rig.s, "k", NULL, "to", NULL, NULL), 0);
	assert_int_equal(requests(), before + 2);
	assert_everything("to");
	for (int i = 0; i < 2; i++) {
		before = requests();
		assert_int_equal(store_copy_named(rig.s, "k", NULL, "to",
						  &retype, NULL, NULL),
				 0);
		/* Once its tags, and whether the copy has them. */
		row_number("requests", requests() - before, i ? 2 : 4);
	}
	assert_int_equal(store_props(rig.s, "to", &d), 0);
	row_equal("type", props_get(&d.props, PROP_TYPE), "text/html");
	assert_int_equal(props_set(&d.props, PROP_TYPE, "text/css"), 0);
	for (size_t i = 0; i < COUNT(everything); i++)
		row_equal(everything[i].name,
			  props_get(&d.props, everything[i].name) ?: "",
			  everything[i].value);
}

/* What was put here like any new object needs no HEAD, and its copies neither;
 * what has another type by its name, what was given headers and what another
 * machine has put needs one. */
static void plain_copies(void **state)
{
	static const struct store_retype same = { "text/css", "text/css" };
	static const struct store_retype other = { "text/css", "text/html" };
	static const struct store_cond looked = { .if_absent = true,
						  .looked = true };
	struct s3_rig_options options = {
		.set = { .storage_class = "ONEZONE_IA" },
	};
	const struct store_body body = { .data = "x", .fd = -1, .len = 1 };
	struct object_details d;
	struct object_info info;
	long before;

	s3_rig_open(&rig, &options);
	assert_int_equal(store_put(rig.s, "plain-k", &body, NULL, NULL, &info),
			 0);
	before = requests();
	assert_int_equal(store_copy_named(rig.s, "plain-k", &info, "plain-to",
					  &same, &looked, &info),
			 0);
	assert_int_equal(requests(), before + 1);
	assert_int_equal(info.size, 1);
	assert_int_equal(store_head(rig.s, "plain-to", &d), 0);
	row_equal("class", props_get(&d.props, PROP_CLASS) ?: "", "ONEZONE_IA");
	before = requests();
	assert_int_equal(store_copy(rig.s, "plain-to", info.etag, "plain-to2",
				    NULL, NULL),
			 0);
	assert_int_equal(requests(), before + 1);
	assert_int_equal(store_copy_named(rig.s, "plain-to", &info, "plain-to3",
					  &other, NULL, NULL),
			 0);
	assert_int_equal(requests(), before + 3);
	assert_int_equal(store_copy(rig.s, "plain-to", "\"other\"", "plain-to4",
				    NULL, NULL),
			 -ESTALE);
	assert_int_equal(store_remove(rig.s, "plain-to2"), 0);
	assert_int_equal(store_copy(rig.s, "plain-to2", info.etag, "plain-to4",
				    NULL, NULL),
			 -ENOENT);
}

/* What was there wins over what the stage is set to. */
static void edits_keep_everything(void **state)
{
	struct s3_rig_options options = {
		.set = { .storage_class = "ONEZONE_IA", .sse = "AES256" },
	};
	const struct store_body body = { .data = "new", .fd = -1, .len = 3 };
	struct object_details d;
	const struct store_meta edit = { .props = &d.props };

	s3_rig_open(&rig, &options);
	put_everything("k");
	assert_int_equal(store_props(rig.s, "k", &d), 0);
	assert_int_equal(store_put(rig.s, "k", &body, &edit, NULL, NULL), 0);
	assert_everything("k");
	/* a plain object stays in the server's own class */
	s3_rig_open(&rig, NULL);
	assert_int_equal(put("plain"), 0);
	s3_rig_open(&rig, &options);
	assert_int_equal(store_props(rig.s, "plain", &d), 0);
	assert_int_equal(store_put(rig.s, "plain", &body, &edit, NULL, NULL),
			 0);
	assert_int_equal(store_props(rig.s, "plain", &d), 0);
	assert_null(props_get(&d.props, PROP_CLASS));
	/* ... but is encrypted as the bucket may demand it */
	row_equal("sse", props_get(&d.props, PROP_SSE) ?: "", "AES256");
}

/* An upload of parts is told all of it when it begins. */
static void uploads_keep_everything(void **state)
{
	const struct store_range from = { .key = "k", .len = 4 };
	struct store_part_done done;
	struct object_details d;
	const struct store_meta edit = { .props = &d.props };
	struct store_upload *u;

	put_everything("k");
	assert_int_equal(store_props(rig.s, "k", &d), 0);
	assert_int_equal(store_upload_open(rig.s, "to", &edit, &u), 0);
	assert_int_equal(store_part_copy(u, 1, 0, &from, &done), 0);
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), 0);
	store_upload_free(u);
	assert_everything("to");
}

/* As Ceph 16 does it: the first upload is looked at, the others are not. */
static void tags_that_are_forgotten(void **state)
{
	static const char *const args[] = { "--forget-tags", NULL };
	struct s3_rig usual = rig;

	memset(&rig, 0, sizeof(rig));
	s3_rig_start(&rig, args);
	for (int i = 0; i < 2; i++) {
		long before = requests();

		uploads_keep_everything(state);
		/* PUT, HEAD, tags; begin, part and its source's HEAD,
		 * end, tags; HEAD, tags; and once a HEAD */
		row_number("requests", requests() - before, 10 + !i);
	}
	for (int i = 0; i < 2; i++) {
		static const struct store_retype retype = { "text/css",
							    "text/html" };
		struct object_details d;

		/* Another name, or other headers. */
		put_everything("k");
		assert_int_equal(store_copy_named(rig.s, "k", NULL, "to",
						  &retype, NULL, NULL),
				 0);
		assert_int_equal(store_props(rig.s, "to", &d), 0);
		assert_int_equal(props_set(&d.props, PROP_TYPE, "text/css"), 0);
		assert_int_equal(store_set_props(rig.s, "to", &d, NULL), 0);
		assert_everything("to");
	}
	s3_rig_stop(&rig);
	rig = usual;
}

static void tags_that_are_refused(void **state)
{
	struct object_details d;

	put_everything("k");
	standin_fault(&rig.standin, "\"query\": \"tagging\"",
		      "\"type\": \"status\", \"status\": 403, "
		      "\"code\": \"AccessDenied\"");
	assert_int_equal(store_props(rig.s, "k", &d), 0);
	assert_null(props_get(&d.props, PROP_TAGGING));
	row_equal("class", props_get(&d.props, PROP_CLASS), "STANDARD_IA");
}

#define ATTRIBUTES \
	{ PROP_META "mode", "33188" }, { PROP_META "uid", "1" }, \
	{ \
		PROP_META "mtime", "1.000000000" \
	}
#define AGE_MS 3600000

/* What was stored here with nothing but attributes is known, for a while, as
 * long as nothing else is set. */
static void known_headers(void **state)
{
	static const struct field fields[] = { ATTRIBUTES,
					       { "x-amz-meta-who", "me" } };
	static const struct {
		const char *sentence, *key, *type, *class;
		size_t n;
		bool attributes, known;
	} rows[] = {
		{ "attributes", "k", NULL, NULL, 3, true, true },
		{ "... and the type of the name", "k.css", "text/css", NULL, 3,
		  true, true },
		{ "another type", "k.css", "text/html", NULL, 3, true, false },
		{ "no type", "k.css", NULL, NULL, 3, true, false },
		{ "more than attributes", "k", NULL, NULL, 4, true, false },
		{ "a class for all that is new", "k", NULL, "ONEZONE_IA", 3,
		  true, false },
		{ "a store that keeps none", "k", NULL, NULL, 3, false, false },
	};
	const struct store_body body = { .data = "text", .fd = -1, .len = 4 };
	struct s3_rig_options options = { .set = { .storage_class = NULL } };
	struct object_details d;
	struct object_info info;

	for (size_t r = 0; r < COUNT(rows); r++) {
		const struct store_meta meta = { .content_type = rows[r].type,
						 .headers = fields,
						 .n_headers = rows[r].n };

		options.set.storage_class = rows[r].class;
		s3_rig_open(&rig, &options);
		rig.s->attributes = rows[r].attributes;
		rig.s->types = true;
		assert_int_equal(store_put(rig.s, rows[r].key, &body, &meta,
					   NULL, &info),
				 0);
		row_number(rows[r].sentence,
			   store_props_known(rig.s, rows[r].key, info.etag,
					     AGE_MS, &d),
			   rows[r].known);
		if (!rows[r].known)
			continue;
		row_number("its size", (long)d.info.size, 4);
		row_equal("its ETag", d.info.etag, info.etag);
		row_equal("its type", props_get(&d.props, PROP_TYPE) ?: "",
			  rows[r].type ?: "");
		assert_false(store_props_known(rig.s, rows[r].key, "\"other\"",
					       AGE_MS, &d));
		assert_false(store_props_known(rig.s, rows[r].key, info.etag, 0,
					       &d));
	}
}

static void known_headers_change(void **state)
{
	static const struct field fields[] = { ATTRIBUTES };
	const struct store_meta meta = { .headers = fields,
					 .n_headers = COUNT(fields) };
	const struct store_body body = { .data = "text", .fd = -1, .len = 4 };
	struct object_details d;
	struct object_info info;
	long before;

	rig.s->attributes = true;
	assert_int_equal(store_put(rig.s, "k", &body, &meta, NULL, &info), 0);
	for (int k = 0; k < 3; k++) {
		before = requests();
		assert_true(
			store_props_known(rig.s, "k", info.etag, AGE_MS, &d));
		assert_int_equal(props_set(&d.props, PROP_META "mode", "33152"),
				 0);
		assert_int_equal(store_set_props(rig.s, "k", &d, &info), 0);
		assert_int_equal(requests(), before + 1);
	}
	assert_int_equal(props_set(&d.props, "x-amz-meta-who", "me"), 0);
	assert_int_equal(store_set_props(rig.s, "k", &d, &info), 0);
	assert_false(store_props_known(rig.s, "k", info.etag, AGE_MS, &d));
}

SUITE(s3_props)
{
	const struct CMUnitTest tests[] = {
		ROW("a copy has all headers, class, encryption and tags",
		    copies_keep_everything),
		ROW("... for no HEAD if it is as new ones are", plain_copies),
		ROW("... an edit too, whatever the settings are",
		    edits_keep_everything),
		ROW("... in parts too", uploads_keep_everything),
		ROW("... where the server forgets the tags of that",
		    tags_that_are_forgotten),
		ROW("tags that may not be read are left out",
		    tags_that_are_refused),
		ROW("what was stored here need not be asked for",
		    known_headers),
		ROW("... until it has other headers", known_headers_change),
	};

	return S3_SUITE_RUN("s3_props", tests);
}
