/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that are good enough but odd: answers without a size, listings in
 * other dialects, rights that are given in part, ETags that differ.
 *
 * Covers: store/s3/s3_list.c
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "s3_suite.h"
#include "store/store.h"

#define ALWAYS(m) "\"method\": \"" m "\", \"count\": 0"
#define TEXT "0123456789abcdef"

static struct object_info put(const char *key, const char *text)
{
	struct store_body body = { .data = text,
				   .fd = -1,
				   .len = strlen(text) };
	struct object_info info;

	assert_int_equal(store_put(rig.s, key, &body, NULL, NULL, &info), 0);
	return info;
}

/* Reads all of TEXT and more; what came is in `have`. */
static void assert_read(const char *key)
{
	char have[64];

	assert_int_equal(s3_rig_get(&rig, key, NULL, have), 0);
	assert_string_equal(have, TEXT);
}

static int fresh(void **state)
{
	free(standin_post(&rig.standin, "/_reset?objects=1", ""));
	s3_rig_open(&rig, NULL);
	put("k", TEXT);
	free(standin_post(&rig.standin, "/_reset", ""));
	return 0;
}

/* A store that gives up soon. */
static void impatient(void)
{
	struct s3_rig_options options = { .deadline_s = 4 };

	s3_rig_open(&rig, &options);
}

/* ---- answers that tell no size ---- */

#define NO_LENGTH "\"type\": \"no_length\""

static void assert_size(const char *key, uint64_t size)
{
	struct object_details d;
	struct name_info there;

	assert_int_equal(store_head(rig.s, key, &d), 0);
	assert_int_equal(d.info.size, size);
	assert_int_equal(store_stat(rig.s, key, &there), 0);
	assert_true(there.is_object);
	assert_int_equal(there.info.size, size);
}

static void head_has_no_length(void **state)
{
	put("empty", "");
	standin_fault(&rig.standin, ALWAYS("HEAD"), NO_LENGTH);
	assert_size("k", sizeof(TEXT) - 1);
	assert_size("empty", 0);
	assert_int_equal(store_copy(rig.s, "k", NULL, "copy", NULL, NULL), 0);
	/* ... of a server that knows no ranges either */
	standin_fault(&rig.standin, ALWAYS("GET") ", \"key\": \"k$\"",
		      NO_LENGTH ", \"as\": \"whole\"");
	assert_size("k", sizeof(TEXT) - 1);
}

static void nothing_tells_a_size(void **state)
{
	struct object_details d;

	standin_fault(&rig.standin, ALWAYS("HEAD"), NO_LENGTH);
	standin_fault(&rig.standin, ALWAYS("GET"),
		      "\"type\": \"status\", \"status\": 403, \"code\": "
		      "\"AccessDenied\"");
	assert_int_equal(store_head(rig.s, "k", &d), -EIO);
}

static void body_has_no_length(void **state)
{
	char have[64];
	size_t n;

	standin_fault(&rig.standin, "\"method\": \"GET\"", NO_LENGTH);
	assert_read("k"); /* a 206: its range tells */
	standin_fault(&rig.standin, ALWAYS("GET"),
		      NO_LENGTH ", \"as\": \"whole\"");
	assert_read("k");
	assert_int_equal(store_get_sync(rig.s, "k", NULL, 4, have, 5, &n, NULL),
			 0);
	assert_int_equal(n, 5);
	assert_memory_equal(have, &TEXT[4], 5);
	assert_int_equal(
		store_get_sync(rig.s, "k", NULL, 14, have, 5, &n, NULL), 0);
	assert_int_equal(n, 2);
}

static void end_cannot_be_told(void **state)
{
	char have[64];

	impatient();
	standin_fault(&rig.standin, ALWAYS("GET"),
		      NO_LENGTH ", \"as\": \"whole\", \"close\": true");
	assert_int_equal(s3_rig_get(&rig, "k", NULL, have), -EIO);
}

static void encoded_on_the_way(void **state)
{
	char have[64];

	impatient();
	standin_fault(&rig.standin, ALWAYS("GET"),
		      NO_LENGTH ", \"as\": \"whole\", \"headers\": "
				"{\"Content-Encoding\": \"gzip\"}");
	assert_int_equal(s3_rig_get(&rig, "k", NULL, have), -EIO);
	s3_rig_assert_log(&rig, "\"accept-encoding\": \"identity\"");
}

static void longer_than_it_said(void **state)
{
	char have[64];

	standin_fault(&rig.standin, ALWAYS("GET"), NO_LENGTH ", \"append\": 5");
	assert_int_equal(s3_rig_get(&rig, "k", NULL, have), -EIO);
}

/* ---- listings in other dialects ---- */

#define LIST_AS(kind) "\"type\": \"list\", \"as\": \"" kind "\""

/* The listing of a prefix, "key|key|", or the error. */
static int list(const char *prefix, unsigned page, struct buf *out)
{
	struct list_query q = { .prefix = prefix,
				.delimiter = '/',
				.page = page };
	struct store_list *l;
	struct list_entry e;
	int rc;

	buf_reset(out);
	assert_int_equal(store_list_open(rig.s, &q, &l), 0);
	while ((rc = store_list_next(l, &e)) == 1)
		buf_addf(out, "%s|", e.key);
	if (rc < 0)
		assert_int_equal(store_list_next(l, &e), rc);
	if (l->lost)
		buf_addf(out, "%u lost", l->lost);
	store_list_close(l);
	return rc;
}

static void assert_lists(const char *prefix, unsigned page, const char *want)
{
	struct buf have = BUF_INIT(65536);

	assert_int_equal(list(prefix, page, &have), 0);
	assert_string_equal(buf_str(&have), want);
	buf_clear(&have);
}

static void assert_prefix(const char *key)
{
	struct name_info there;

	assert_int_equal(store_stat(rig.s, key, &there), 0);
	assert_true(there.is_prefix);
}

static void truncated_without_a_token(void **state)
{
	static const char *const kinds[] = { LIST_AS("v1"), LIST_AS("bare") };

	put("d/a", "1");
	put("d/b/x", "1");
	put("d/b/y", "1");
	put("d/b-", "1");
	put("d/c", "1");
	put("d/e/x", "1");
	for (int i = 0; i < 2; i++) {
		standin_fault(&rig.standin, ALWAYS("GET"), kinds[i]);
		for (unsigned page = 1; page < 4; page++)
			assert_lists("d/", page, "d/a|d/b-|d/b/|d/c|d/e/|");
		assert_prefix("d");
		standin_reset(&rig.standin);
	}
}

static void in_no_order(void **state)
{
	struct buf have = BUF_INIT(65536);
	char key[16];

	for (int i = 0; i < 24; i++) {
		snprintf(key, sizeof(key), "d/%02d%s", i / 2,
			 i % 2 ? "/x" : "");
		put(key, TEXT);
	}
	standin_fault(&rig.standin, ALWAYS("GET") ", \"query\": \"list-type\"",
		      LIST_AS("shuffled"));
	/* a caller that wants few has all pages, one by one, as they come */
	for (unsigned page = 1; page < 4; page++) {
		s3_rig_open(&rig, NULL);
		assert_int_equal(list("d/", page, &have), 0);
		for (int i = 0; i < 12; i++) {
			snprintf(key, sizeof(key), "d/%02d|", i);
			assert_non_null(strstr(buf_str(&have), key));
		}
	}
	buf_clear(&have);
	s3_rig_open(&rig, NULL);
	assert_lists("d/1", 0, "d/10|d/10/|d/11|d/11/|");
	/* not known before, and known */
	for (int i = 0; i < 2; i++)
		assert_lists("d/", 0,
			     "d/00|d/00/|d/01|d/01/|d/02|d/02/|d/03|d/03/|"
			     "d/04|d/04/|d/05|d/05/|d/06|d/06/|d/07|d/07/|"
			     "d/08|d/08/|d/09|d/09/|d/10|d/10/|d/11|d/11/|");
	assert_prefix("d");
	/* the size of one that is not the first that begins so */
	standin_fault(&rig.standin, ALWAYS("HEAD"), NO_LENGTH);
	standin_fault(&rig.standin, ALWAYS("GET") ", \"key\": \"d/\"",
		      NO_LENGTH ", \"as\": \"whole\"");
	for (int i = 0; i < 12; i++) {
		snprintf(key, sizeof(key), "d/%02d", i);
		assert_size(key, sizeof(TEXT) - 1);
	}
}

static void truncated_and_empty(void **state)
{
	put("d/a", "1");
	standin_fault(&rig.standin, "\"method\": \"GET\"",
		      "\"type\": \"garbage\", \"body\": \"<ListBucketResult>"
		      "<IsTruncated>true</IsTruncated><NextContinuationToken>64"
		      "</NextContinuationToken></ListBucketResult>\"");
	/* by a path a second page is the first again, of another call */
	standin_fault(&rig.standin, "\"method\": \"GET\"",
		      "\"type\": \"garbage\", \"body\": \"<ListBucketResult>"
		      "<IsTruncated>true</IsTruncated><NextContinuationToken>64"
		      "</NextContinuationToken></ListBucketResult>\"");
	assert_prefix("d");
}

static void names_that_xml_cannot_carry(void **state)
{
	put("d/a", "1");
	put("d/b\x01", "1");
	put("e/\x02", "1");
	assert_lists("d/", 0, "d/a|d/b\x01|");
	standin_fault(&rig.standin, ALWAYS("GET"), LIST_AS("plain"));
	assert_lists("d/", 0, "d/a|1 lost");
	assert_prefix("e");
}

static void names_in_other_writing(void **state)
{
	static const char names[] = "d/a b|d/c+d|d/e%20f|d/g/|";

	put("d/a b", "1");
	put("d/c+d", "1");
	put("d/e%20f", "1");
	put("d/g/h", "1");
	put("e f/a+b", "1");
	put("p/a%20b", "1");
	put("s/a b", "1");
	put("s/a+/c", "1");
	assert_lists("d/", 0, names);
	standin_fault(&rig.standin, ALWAYS("GET"), LIST_AS("encodes"));
	assert_lists("e f/", 0, "e f/a+b|");
	assert_lists("s/", 0, "s/a b|s/a+/|");
	assert_lists("d/", 0, names);
	assert_prefix("e f");
	standin_reset(&rig.standin);
	s3_rig_open(&rig, NULL);
	standin_fault(&rig.standin, ALWAYS("GET"), LIST_AS("plain"));
	assert_lists("p/", 0, "p/a%20b|");
	assert_lists("d/", 0, names);
	standin_reset(&rig.standin);
	standin_fault(&rig.standin, ALWAYS("GET"), LIST_AS("claims"));
	assert_lists("d/", 0, names);
	assert_lists("e f/", 0, "e f/a+b|");
}

/* Names that were not asked for, by a page of our own. */
static void bad_entries(void **state)
{
#define PAGE_OF(entries) \
	"\"type\": \"garbage\", \"body\": \"<ListBucketResult>" entries \
	"</ListBucketResult>\""
#define ONE(key) "<Contents><Key>" key "</Key><Size>1</Size></Contents>"
#define MANY(key) "<CommonPrefixes><Prefix>" key "</Prefix></CommonPrefixes>"
	static const char *const pages[] = {
		PAGE_OF(ONE("d")),
		PAGE_OF(ONE("directory/") ONE("x")),
		PAGE_OF(MANY("d/")),
		PAGE_OF(MANY("directory/")),
		PAGE_OF(MANY("directory/x")),
		PAGE_OF("<IsTruncated>true</IsTruncated><NextContinuationToken>"
			"t</NextContinuationToken>" ONE("directory/b")),
	};
	struct buf have = BUF_INIT(65536);

	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		standin_fault(&rig.standin, ALWAYS("GET"), pages[i]);
		row_number(pages[i], list("directory/", 0, &have), -EIO);
		standin_reset(&rig.standin);
	}
	/* an object without a length is no empty one */
	standin_fault(&rig.standin, ALWAYS("GET"),
		      PAGE_OF(ONE("directory/a") "<Contents><Key>directory/b"
						 "</Key></Contents>"));
	assert_int_equal(list("directory/", 0, &have), -EIO);
	standin_reset(&rig.standin);
	/* backwards, from page to page */
	standin_fault(&rig.standin, "\"method\": \"GET\"", pages[5]);
	standin_fault(&rig.standin, ALWAYS("GET"), PAGE_OF(ONE("directory/a")));
	assert_int_equal(list("directory/", 0, &have), -EIO);
	buf_clear(&have);
}

/* ---- rights ---- */

#define DENIED \
	"\"type\": \"status\", \"status\": 403, \"code\": \"AccessDenied\""

/* Which of two requests is refused, and what a name is then. */
static void rights(void **state)
{
	static const struct {
		const char *sentence, *head, *list, *key;
		int rc;
		bool is_object, is_prefix, unlisted;
	} rows[] = {
		{ "a file that may not be listed", NULL, "", "k", 0, true,
		  false, false },
		{ "a directory whose name may not be looked up", "", NULL, "d",
		  0, false, true, false },
		{ "a file that may be listed alone", "", NULL, "k", 0, true,
		  false, false },
		{ "nothing, by the listing", "", NULL, "none", 0, false, false,
		  false },
		{ "neither", "", "", "k", -EACCES, false, false, true },
		{ "nothing, and no listing", NULL, "", "none", -EACCES, false,
		  false, true },
		{ "the listing of the name alone is refused", "", "k&", "k",
		  -EACCES, false, false, false },
	};

	put("d/e", "1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char match[128];
		struct name_info there;

		if (rows[i].head)
			standin_fault(&rig.standin, ALWAYS("HEAD"), DENIED);
		snprintf(match, sizeof(match),
			 ALWAYS("GET") ", \"query\": \"prefix=%s\"",
			 rows[i].list ? rows[i].list : "");
		if (rows[i].list)
			standin_fault(&rig.standin, match, DENIED);
		row_number(rows[i].sentence,
			   store_stat(rig.s, rows[i].key, &there), rows[i].rc);
		row_number(rows[i].sentence, there.is_object,
			   rows[i].is_object);
		row_number(rows[i].sentence, there.is_prefix,
			   rows[i].is_prefix);
		row_number(rows[i].sentence, there.unlisted, rows[i].unlisted);
		if (there.is_object)
			row_number(rows[i].sentence, there.info.size,
				   sizeof(TEXT) - 1);
		standin_reset(&rig.standin);
	}
}

/* HEAD says 403 of what is not there. */
static void absent_is_403(void **state)
{
	struct store_cond absent = { .if_absent = true };
	struct object_details d;

	standin_fault(&rig.standin, ALWAYS("HEAD") ", \"key\": \"new$\"",
		      DENIED);
	assert_int_equal(store_head(rig.s, "new", &d), -ENOENT);
	assert_int_equal(store_copy(rig.s, "k", NULL, "new", &absent, NULL), 0);
	standin_fault(&rig.standin, ALWAYS("HEAD") ", \"key\": \"other$\"",
		      DENIED);
	standin_fault(&rig.standin, ALWAYS("GET"), DENIED);
	assert_int_equal(store_copy(rig.s, "k", NULL, "other", &absent, NULL),
			 0);
	assert_int_equal(store_copy(rig.s, "k", NULL, "other", &absent, NULL),
			 -EEXIST);
}

static void keys_hold_but_may_not_list(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);

	standin_fault(&rig.standin, ALWAYS("GET"), DENIED);
	assert_int_equal(store_check(rig.s, "", &why), -EPERM);
	assert_non_null(strstr(buf_str(&why), "may not list"));
	buf_clear(&why);
}

#define LONG_ETAG \
	"\\\"0123456789012345678901234567890123456789" \
	"01234567890123456789012345678901234567890123456789\\\""

static void etag_is_long(void **state)
{
	struct object_details d;
	struct object_info info;
	struct store_cond cond = { 0 };
	struct store_body body = { .data = "2", .fd = -1, .len = 1 };
	char have[64];
	static const char rewrite[] =
		"\"type\": \"rewrite\", \"header\": \"ETag\", \"from\": "
		"\"^.*$\", \"to\": \"" LONG_ETAG "\"";

	standin_fault(&rig.standin, ALWAYS("HEAD"), rewrite);
	standin_fault(&rig.standin, ALWAYS("GET"), rewrite);
	assert_int_equal(store_head(rig.s, "k", &d), 0);
	assert_true(strlen(d.info.etag) > 64);
	assert_int_equal(s3_rig_get(&rig, "k", d.info.etag, have), 0);
	assert_string_equal(have, TEXT);
	assert_int_equal(
		store_copy(rig.s, "k", d.info.etag, "copy", NULL, NULL), 0);
	cond.if_match = d.info.etag;
	assert_int_equal(store_put(rig.s, "k", &body, NULL, &cond, &info), 0);
	standin_reset(&rig.standin);
	/* now it has another */
	assert_int_equal(s3_rig_get(&rig, "k", d.info.etag, have), -ESTALE);
	assert_int_equal(store_put(rig.s, "k", &body, NULL, &cond, &info),
			 -ESTALE);
	assert_int_equal(store_copy(rig.s, "k", d.info.etag, "copy", NULL,
				    NULL),
			 -ESTALE);
}

/* ---- ETags of listings ---- */

#define OTHER_ETAGS \
	"\"type\": \"rewrite\", \"from\": \"<ETag>.\", \"to\": \"<ETag>X-\""

static void first_entry(const char *prefix, struct object_info *out)
{
	struct list_query q = { .prefix = prefix };
	struct store_list *l;
	struct list_entry e;

	assert_int_equal(store_list_open(rig.s, &q, &l), 0);
	assert_int_equal(store_list_next(l, &e), 1);
	*out = e.info;
	store_list_close(l);
}

static void listings_have_other_etags(void **state)
{
	struct object_info listed, old, now;
	struct object_details d;

	first_entry("k", &old);
	standin_fault(&rig.standin, ALWAYS("GET") ", \"query\": \"list-type\"",
		      OTHER_ETAGS);
	first_entry("k", &listed);
	assert_int_equal(store_head(rig.s, "k", &d), 0);
	assert_string_not_equal(listed.etag, d.info.etag);
	assert_int_equal(store_confirm(rig.s, "k", old.etag, &now), 0);
	assert_int_equal(store_confirm(rig.s, "k", "\"none\"", &now), -ESTALE);
	assert_int_equal(store_confirm(rig.s, "none", "\"none\"", &now),
			 -ESTALE);
	/* a copy that is bound to the listing's */
	assert_int_equal(
		store_copy(rig.s, "k", listed.etag, "copy", NULL, NULL), 0);
	assert_int_equal(store_confirm(rig.s, "k", listed.etag, &now), 0);
	assert_string_equal(now.etag, d.info.etag);
	/* which does not count from now on */
	first_entry("k", &now);
	assert_string_equal(now.etag, "");
	/* and does not hide that there is another object */
	put("k", "another");
	assert_int_equal(store_confirm(rig.s, "k", listed.etag, &now), -ESTALE);
	assert_int_equal(store_copy(rig.s, "k", listed.etag, "copy", NULL,
				    NULL),
			 -ESTALE);
}

SUITE(s3_odd)
{
	const struct CMUnitTest tests[] = {
		ROW("a HEAD without a length", head_has_no_length),
		ROW("a size that nothing tells is EIO", nothing_tells_a_size),
		ROW("a body without a length", body_has_no_length),
		ROW("a body whose end cannot be told is EIO",
		    end_cannot_be_told),
		ROW("a body that was encoded on the way is EIO",
		    encoded_on_the_way),
		ROW("a body that is longer than it said is EIO",
		    longer_than_it_said),
		ROW("a page that is truncated and has no token",
		    truncated_without_a_token),
		ROW("listings in no order", in_no_order),
		ROW("a page that is truncated and empty", truncated_and_empty),
		ROW("names that XML cannot carry", names_that_xml_cannot_carry),
		ROW("names in another writing than was asked for",
		    names_in_other_writing),
		ROW("entries that were not asked for are EIO", bad_entries),
		ROW("listings with ETags of their own",
		    listings_have_other_etags),
		ROW("what is permitted counts", rights),
		ROW("a HEAD that says 403 of what is not there", absent_is_403),
		ROW("keys that hold and may not list",
		    keys_hold_but_may_not_list),
		ROW("an ETag that is too long pins all the same", etag_is_long),
	};

	return S3_SUITE_RUN("s3_odd", tests);
}
