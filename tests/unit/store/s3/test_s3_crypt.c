/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of what a listing has told of, which is not looked at before: nothing
 * that its source has is lost, and a HEAD is paid only where the answer does
 * not show that.
 *
 * Covers: store/s3/s3_crypt.c store/s3/s3_copy.c store/storage_class.c
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "s3_suite.h"
#include "store/storage_class.h"
#include "store/store.h"

#define KMS "arn:aws:kms:eu-west-1:111122223333:key/k"
#define KEY "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define CEPH "tx00000dd5035ea04c9c723-006b0d9a52-100e-default"
#define ON_COPY "\"method\": \"PUT\", \"header\": \"x-amz-copy-source: \""
#define IN_COPIES ON_COPY ", \"count\": 0"

static const struct store_cond looked = { .if_absent = true, .looked = true };

/* What the listing tells of a key. */
static void listed(const char *key, struct object_info *out)
{
	const struct list_query q = { .prefix = key };
	struct store_list *list;
	struct list_entry e;

	assert_int_equal(store_list_open(rig.s, &q, &list), 0);
	assert_int_equal(store_list_next(list, &e), 1);
	assert_string_equal(e.key, key);
	*out = e.info;
	store_list_close(list);
}

static void put(const char *key, const char *sse, const char *class)
{
	const struct store_body body = { .data = "text", .fd = -1, .len = 4 };
	struct field fields[3];
	struct store_meta meta = { .headers = fields };

	if (class)
		fields[meta.n_headers++] = (struct field){ PROP_CLASS, class };
	if (sse)
		fields[meta.n_headers++] = (struct field){ PROP_SSE, sse };
	if (sse && !strcmp(sse, "aws:kms"))
		fields[meta.n_headers++] = (struct field){ PROP_SSE_KEY, KMS };
	assert_int_equal(store_put(rig.s, key, &body, &meta, NULL, NULL), 0);
}

static void begin(bool encrypts)
{
	free(standin_post(&rig.standin, "/_reset?objects=1", ""));
	free(standin_post(&rig.standin, "/_lacks",
			  encrypts ? "{}" : "{\"default\": 0}"));
}

/* One copy of what another mount has put. */
static const struct {
	const char *sentence;
	bool encrypts; /* the server, all that is put, by its own key */
	const char *ceph; /* what one calls its release; NULL: it is none */
	const char *sse, *class; /* of the object */
	struct s3_settings set; /* of the copying mount */
	long first, later; /* requests */
	const char *copy; /* its encryption */
} rows[] = {
	{ "Amazon shows that nothing is lost",
	  true,
	  NULL,
	  NULL,
	  NULL,
	  { 0 },
	  1,
	  1,
	  "AES256" },
	{ "... of any class",
	  true,
	  NULL,
	  NULL,
	  "STANDARD_IA",
	  { 0 },
	  1,
	  1,
	  "AES256" },
	{ "a class that is not known is asked for",
	  true,
	  NULL,
	  NULL,
	  "MINE",
	  { 0 },
	  2,
	  2,
	  "AES256" },
	{ "what a key of the KMS encrypts is copied once more, with that",
	  true,
	  NULL,
	  "aws:kms",
	  NULL,
	  { 0 },
	  4,
	  2,
	  "aws:kms" },
	{ "... unless the settings say that very key",
	  true,
	  NULL,
	  "aws:kms",
	  NULL,
	  { .sse = "aws:kms", .sse_kms_key_id = KMS },
	  2,
	  2,
	  "aws:kms" },
	{ "what is plain gets the settings' key",
	  true,
	  NULL,
	  NULL,
	  NULL,
	  { .sse = "aws:kms", .sse_kms_key_id = KMS },
	  2,
	  2,
	  "aws:kms" },
	{ "a server that encrypts what it is told to: it may have been",
	  false,
	  NULL,
	  NULL,
	  NULL,
	  { 0 },
	  2,
	  2,
	  NULL },
	{ "... and was", false, NULL, "AES256", NULL, { 0 }, 4, 2, "AES256" },
	{ "... and is again",
	  false,
	  NULL,
	  "AES256",
	  NULL,
	  { .sse = "AES256" },
	  1,
	  1,
	  "AES256" },
	{ "Ceph's would have refused it",
	  false,
	  "(squid)",
	  NULL,
	  NULL,
	  { 0 },
	  1,
	  1,
	  NULL },
	{ "... up to a release that does not",
	  false,
	  "(tentacle)",
	  NULL,
	  NULL,
	  { 0 },
	  2,
	  2,
	  NULL },
};

static void copy_row(size_t r, int k)
{
	char from[16], to[16];
	struct object_info info, out;
	struct object_details d;
	long before;

	snprintf(from, sizeof(from), "from%d", k);
	snprintf(to, sizeof(to), "to%d", k);
	listed(from, &info);
	before = standin_stat(&rig.standin, "requests");
	row_number(rows[r].sentence,
		   store_copy_named(rig.s, from, &info, to, NULL, &looked,
				    &out),
		   0);
	row_number(rows[r].sentence,
		   standin_stat(&rig.standin, "requests") - before,
		   k ? rows[r].later : rows[r].first);
	row_number(rows[r].sentence, store_head(rig.s, to, &d), 0);
	row_equal(rows[r].sentence, d.info.etag, out.etag);
	row_equal(rows[r].sentence, props_get(&d.props, PROP_SSE) ?: "",
		  rows[r].copy ?: "");
	row_equal(rows[r].sentence, props_get(&d.props, PROP_CLASS) ?: "",
		  rows[r].class ?: "");
	if (rows[r].copy && !strcmp(rows[r].copy, "aws:kms"))
		row_equal(rows[r].sentence,
			  props_get(&d.props, PROP_SSE_KEY) ?: "", KMS);
}

static void call_it_ceph(const char *release)
{
	char action[256];

	snprintf(action, sizeof(action),
		 "\"type\": \"rewrite\", \"server\": \"Ceph Object Gateway "
		 "%s\", \"header\": \"x-amz-request-id\", \"from\": \"^.*$\", "
		 "\"to\": \"" CEPH "\"",
		 release);
	standin_fault(&rig.standin, IN_COPIES, action);
}

static void copies(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		const struct s3_rig_options options = { .set = rows[r].set };

		begin(rows[r].encrypts);
		s3_rig_open(&rig, NULL);
		for (int k = 0; k < 3; k++) {
			char from[16];

			snprintf(from, sizeof(from), "from%d", k);
			put(from, rows[r].sse, rows[r].class);
		}
		s3_rig_open(&rig, &options);
		if (rows[r].ceph)
			call_it_ceph(rows[r].ceph);
		for (int k = 0; k < 3; k++)
			copy_row(r, k);
	}
}

/* The settings' own key is each copy's. */
static void customer_key(void **state)
{
	const struct s3_rig_options options = {
		.set = { .sse_customer_key = KEY },
	};
	struct object_info info;
	long before;

	begin(true);
	s3_rig_open(&rig, &options);
	put("from", NULL, NULL);
	s3_rig_open(&rig, &options);
	listed("from", &info);
	before = standin_stat(&rig.standin, "requests");
	assert_int_equal(store_copy_named(rig.s, "from", &info, "to", NULL,
					  &looked, NULL),
			 0);
	assert_int_equal(standin_stat(&rig.standin, "requests"), before + 1);
}

/* What stands there would be lost, before such copies are known to be whole. */
static void replacing(void **state)
{
	struct object_info info;
	long before;

	begin(true);
	s3_rig_open(&rig, NULL);
	put("from", NULL, NULL);
	put("to", NULL, NULL);
	s3_rig_open(&rig, NULL);
	listed("from", &info);
	for (int k = 0; k < 3; k++) {
		before = standin_stat(&rig.standin, "requests");
		assert_int_equal(store_copy_named(rig.s, "from", &info,
						  k == 1 ? "free" : "to", NULL,
						  k == 1 ? &looked : NULL,
						  NULL),
				 0);
		assert_int_equal(standin_stat(&rig.standin, "requests") -
					 before,
				 k ? 1 : 2);
	}
}

/* The copy that lacks something does not stay. */
static void refused(void **state)
{
	struct object_info info;
	char text[64];

	begin(true);
	s3_rig_open(&rig, NULL);
	put("from", "aws:kms", NULL);
	s3_rig_open(&rig, NULL);
	listed("from", &info);
	standin_fault(&rig.standin, ON_COPY ", \"nth\": 2",
		      "\"type\": \"status\", \"status\": 403, \"code\": "
		      "\"AccessDenied\"");
	assert_int_equal(store_copy_named(rig.s, "from", &info, "to", NULL,
					  &looked, NULL),
			 -EACCES);
	assert_int_equal(s3_rig_get(&rig, "to", NULL, text), -ENOENT);
	assert_int_equal(s3_rig_get(&rig, "from", NULL, text), 0);
}

/* What was listed is another object by now, or its source is another once it
 * has been copied. */
static void other_source(void **state)
{
	const struct store_body body = { .data = "other", .fd = -1, .len = 5 };
	struct object_info info;
	char text[64];

	begin(false);
	s3_rig_open(&rig, NULL);
	put("from", NULL, NULL);
	listed("from", &info);
	assert_int_equal(store_put(rig.s, "from", &body, NULL, NULL, NULL), 0);
	s3_rig_open(&rig, NULL);
	assert_int_equal(store_copy_named(rig.s, "from", &info, "to", NULL,
					  &looked, NULL),
			 -ESTALE);
	assert_int_equal(s3_rig_get(&rig, "to", NULL, text), -ENOENT);
	assert_int_equal(store_remove(rig.s, "from"), 0);
	assert_int_equal(store_copy_named(rig.s, "from", &info, "to", NULL,
					  &looked, NULL),
			 -ENOENT);
}

static void classes(void **state)
{
	static const char *const names[] = { "STANDARD", "STANDARD_IA",
					     "GLACIER", "EXPRESS_ONEZONE" };

	for (size_t i = 0; i < COUNT(names); i++)
		row_equal(names[i], storage_class_name(storage_class(names[i])),
			  names[i]);
	assert_int_equal(storage_class("STANDARD"), STORAGE_CLASS_STANDARD);
	assert_int_equal(storage_class("MINE"), 0);
	assert_int_equal(storage_class(""), 0);
	assert_null(storage_class_name(0));
	assert_null(storage_class_name(255));
}

SUITE(s3_crypt)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies),       cmocka_unit_test(customer_key),
		cmocka_unit_test(replacing),    cmocka_unit_test(refused),
		cmocka_unit_test(other_source), cmocka_unit_test(classes),
	};

	log_open("/dev/null", LOG_LEVEL_ERROR);
	return S3_SUITE_RUN("s3_crypt", tests);
}
