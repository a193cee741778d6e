/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of an object over what a mount does to it, and what asking for
 * them costs.
 *
 * Covers: fs/content/file_props.c
 */
#include "file_rig.h"

#include <errno.h>

#include "base/digest.h"
#include "base/mime.h"
#include "stage/stage.h"
#include "memstore.h"
#include "store/store.h"

static const struct field kept[] = {
	{ PROP_TYPE, "text/x-mine" },  { PROP_ENCODING, "gzip" },
	{ PROP_CACHE, "max-age=60" },  { "x-amz-meta-a", "b" },
	{ PROP_CLASS, "STANDARD_IA" }, { PROP_SSE, "aws:kms" },
};

/* An object of 2.5 MiB that has them all. */
static void put_kept(struct rig *r, size_t n)
{
	const struct store_body body = { .data = rig_bytes,
					 .fd = -1,
					 .len = n };
	const struct store_meta meta = { .headers = kept,
					 .n_headers = COUNT(kept) };

	assert_int_equal(store_put(r->store, "pre/a", &body, &meta, NULL, NULL),
			 0);
}

static void assert_kept(struct rig *r, const char *row)
{
	struct object_details d;

	assert_int_equal(store_head(r->store, "pre/a", &d), 0);
	for (size_t i = 0; i < COUNT(kept); i++)
		row_equal(row, props_get(&d.props, kept[i].name) ?: "(none)",
			  kept[i].value);
}

static const char *type_of(struct rig *r, const char *key)
{
	static struct object_details d;

	assert_int_equal(store_head(r->store, key, &d), 0);
	return props_get(&d.props, PROP_TYPE);
}

/* How a program may edit an object of some parts of 1 MiB. */
static int append(struct file *f)
{
	return file_write(f, 5 * MIB / 2, "more", 4);
}

static int append_parts(struct file *f)
{
	return file_write(f, 5 * MIB / 2, rig_bytes, 2 * MIB);
}

static int overwrite(struct file *f)
{
	return file_write(f, 10, "x", 1);
}

static int cut(struct file *f)
{
	return file_truncate(f, 5);
}

static int rewrite(struct file *f)
{
	int rc = file_truncate(f, 0);

	return rc ? rc : file_write(f, 0, "new", 3);
}

static int rewrite_parts(struct file *f)
{
	int rc = file_truncate(f, 0);

	return rc ? rc : file_write(f, 0, rig_bytes, 3 * MIB);
}

static const struct {
	const char *sentence;
	int (*edit)(struct file *f);
} edits[] = {
	{ "it is appended to", append },
	{ "whole parts are appended", append_parts },
	{ "a byte is changed", overwrite },
	{ "it is cut off", cut },
	{ "it is written anew", rewrite },
	{ "it is written anew in parts", rewrite_parts },
};

/* One HEAD for an open file, however often it is published. */
static void edits_keep_headers(void **state)
{
	for (size_t i = 0; i < COUNT(edits); i++) {
		const char *row = edits[i].sentence;
		struct rig r;
		struct file *f;
		unsigned heads;

		file_rig_open(&r, MIB, 64 * MIB);
		put_kept(&r, 5 * MIB / 2);
		f = file_rig_find(&r, "a");
		heads = memstore_calls(r.store, "head");
		row_number(row, edits[i].edit(f), 0);
		row_number(row, file_publish(f), 0);
		row_number(row, memstore_calls(r.store, "head"), heads + 1);
		assert_kept(&r, row);
		heads = memstore_calls(r.store, "head");
		row_number(row, file_write(f, 0, "again", 5), 0);
		row_number(row, file_publish(f), 0);
		row_number(row, memstore_calls(r.store, "head"), heads);
		assert_kept(&r, row);
		file_close(f);
		file_rig_close(&r);
	}
}

/* A new object asks for nothing, and its type is that of its name. */
static void new_objects_have_types(void **state)
{
	struct rig r;
	struct file *f;

	if (!mime_type("a.html"))
		skip();
	file_rig_open(&r, MIB, 64 * MIB);
	r.store->types = true;
	f = file_rig_create(&r, "a.html");
	assert_int_equal(file_write(f, 0, "<p>", 3), 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(file_write(f, 3, rig_bytes, 3 * MIB), 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_calls(r.store, "head"), 0);
	row_equal("by name", type_of(&r, "pre/a.html"), mime_type("a.html"));
	file_close(f);
	f = file_rig_create(&r, "big.html");
	assert_int_equal(file_write(f, 0, rig_bytes, 3 * MIB), 0);
	assert_int_equal(file_publish(f), 0);
	row_equal("in parts", type_of(&r, "pre/big.html"), mime_type("a.html"));
	file_close(f);
	r.store->types = false;
	f = file_rig_create(&r, "off.html");
	assert_int_equal(file_publish(f), 0);
	row_equal("off", type_of(&r, "pre/off.html"), "binary/octet-stream");
	file_close(f);
	file_rig_close(&r);
}

/* Another machine has put another object there. */
static void of_another_version(void **state)
{
	const struct store_body body = { .data = "theirs", .fd = -1, .len = 6 };
	const struct store_meta meta = { .content_type = "text/x-theirs" };
	struct rig r;
	struct file *f;

	file_rig_open(&r, MIB, 64 * MIB);
	put_kept(&r, 10);
	f = file_rig_find(&r, "a");
	assert_int_equal(file_write(f, 0, rig_bytes, 10), 0);
	assert_int_equal(store_put(r.store, "pre/a", &body, &meta, NULL, NULL),
			 0);
	assert_int_equal(file_publish(f), 0);
	row_equal("bytes of the old one", type_of(&r, "pre/a"),
		  "binary/octet-stream");
	assert_int_equal(store_put(r.store, "pre/a", &body, &meta, NULL, NULL),
			 0);
	file_close(f);
	f = file_rig_find(&r, "a");
	assert_int_equal(rewrite(f), 0);
	put_kept(&r, 10);
	assert_int_equal(file_publish(f), 0);
	assert_kept(&r, "no byte of the old one");
	file_close(f);
	file_rig_close(&r);
}

/* What cannot be asked for keeps no program from writing, unless the store does
 * not answer. */
static void refused(void **state)
{
	struct rig r;
	struct file *f;

	file_rig_open(&r, MIB, 64 * MIB);
	put_kept(&r, 20);
	f = file_rig_find(&r, "a");
	assert_int_equal(overwrite(f), 0);
	memstore_fail(r.store, "head", 1, -ETIMEDOUT);
	assert_int_equal(file_publish(f), -ETIMEDOUT);
	assert_int_equal(file_publish(f), 0);
	assert_kept(&r, "the next try");
	file_close(f);
	f = file_rig_find(&r, "a");
	assert_int_equal(overwrite(f), 0);
	memstore_fail(r.store, "head", 1, -EACCES);
	assert_int_equal(file_publish(f), 0);
	row_equal("refused", type_of(&r, "pre/a"), "binary/octet-stream");
	file_close(f);
	file_rig_close(&r);
}

SUITE(file_props)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_keep_headers),
		cmocka_unit_test(new_objects_have_types),
		cmocka_unit_test(of_another_version),
		cmocka_unit_test(refused),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("file_props", tests, NULL, NULL);
}
