/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract: copies and multipart uploads.
 */
#include "store_help.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/waiter.h"
#include "store/upload_stream.h"

#define PART (5u << 20)

/* A part or a get that the test waits for. */
struct pending_locked {
	bool done;
	int rc;
	struct object_info info;
	struct waiter_list waiters;
};

struct pending {
	struct lock lock;
	struct pending_locked guarded_;
};

LOCK_GUARDS(pending_locked, pending, pending_locked);

static void pending_finish(struct pending *p, int rc,
			   const struct object_info *info)
{
	lock_take(&p->lock);
	pending_locked(p)->done = true;
	pending_locked(p)->rc = rc;
	if (info)
		pending_locked(p)->info = *info;
	waiter_list_wake(&pending_locked(p)->waiters);
	lock_drop(&p->lock);
}

static int pending_wait(struct pending *p)
{
	struct waiter_entry e = { .waiter = waiter_self() };
	int64_t until_ms = clock_mono_ms() + 60000;
	int rc;

	lock_take(&p->lock);
	waiter_list_add(&pending_locked(p)->waiters, &e);
	while (!pending_locked(p)->done) {
		lock_drop(&p->lock);
		assert_int_not_equal(waiter_park_uninterrupted(e.waiter,
							       until_ms),
				     -ETIMEDOUT);
		lock_take(&p->lock);
	}
	waiter_list_remove(&pending_locked(p)->waiters, &e);
	rc = pending_locked(p)->rc;
	lock_drop(&p->lock);
	return rc;
}

struct test_part {
	struct store_part part;
	struct pending pending;
};

static void part_done(struct store_part *part, int rc)
{
	pending_finish(&((struct test_part *)part)->pending, rc, NULL);
}

static void part_start(struct test_part *t, struct store_upload *u,
		       unsigned number, uint64_t offset, const void *bytes,
		       size_t n)
{
	memset(t, 0, sizeof(*t));
	lock_init(&t->pending.lock, LOCK_TEST);
	t->part.upload = u;
	t->part.number = number;
	t->part.offset = offset;
	t->part.body = (struct store_body){ .data = bytes, .fd = -1, .len = n };
	t->part.done = part_done;
	store_part(&t->part);
}

static void part_end(struct test_part *t, struct store_part_done *out)
{
	assert_int_equal(pending_wait(&t->pending), 0);
	out->number = t->part.number;
	memcpy(out->etag, t->part.etag, sizeof(out->etag));
	assert_true(out->etag[0] != '\0');
}

static void copies(struct contract *c)
{
	struct object_info info, from = put(c, "c/from \xc3\xa9+", "copied");
	struct store_cond absent = { .if_absent = true };
	char *source = strdup(key(c, "c/from \xc3\xa9+"));

	assert_int_equal(store_copy(c->s, source, from.etag, key(c, "c/to"),
				    NULL, &info),
			 0);
	assert_int_equal(info.size, 6);
	assert_true(info.etag[0] == '"');
	assert_text(c, "c/to", "copied");
	assert_int_equal(store_copy(c->s, source, "\"other\"", key(c, "c/to2"),
				    NULL, NULL),
			 -ESTALE);
	assert_int_equal(store_copy(c->s, key(c, "c/none"), NULL,
				    key(c, "c/to2"), NULL, NULL),
			 -ENOENT);
	assert_int_equal(store_copy(c->s, source, NULL, key(c, "c/new"),
				    &absent, NULL),
			 0);
	free(source);
}

static void upload_in_parts(struct contract *c)
{
	char *bytes = filled(2 * PART + 1000, 7);
	struct store_upload *u;
	struct test_part t[3];
	struct store_part_done done[3];
	struct object_info info;
	struct object_details d;

	assert_int_equal(store_upload_open(c->s, key(c, "u/big"), NULL, &u), 0);
	part_start(&t[2], u, 3, 2 * PART, bytes + 2 * PART, 1000);
	part_start(&t[0], u, 1, 0, bytes, PART);
	part_start(&t[1], u, 2, PART, bytes + PART, PART);
	for (int i = 0; i < 3; i++)
		part_end(&t[i], &done[i]);
	assert_int_equal(store_head(c->s, key(c, "u/big"), &d), -ENOENT);
	assert_int_equal(store_upload_complete(u, done, 3, NULL, &info), 0);
	store_upload_free(u);
	assert_int_equal(info.size, 2 * PART + 1000);
	assert_true(info.etag[0] == '"');
	assert_bytes(c, "u/big", bytes, 2 * PART + 1000);
	assert_int_equal(store_head(c->s, key(c, "u/big"), &d), 0);
	assert_string_equal(d.info.etag, info.etag);
	free(bytes);
}

static void part_again(struct contract *c)
{
	struct store_upload *u;
	struct test_part t;
	struct store_part_done done;

	assert_int_equal(store_upload_open(c->s, key(c, "u/again"), NULL, &u),
			 0);
	part_start(&t, u, 1, 0, "first", 5);
	part_end(&t, &done);
	part_start(&t, u, 1, 0, "second", 6);
	part_end(&t, &done);
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), 0);
	store_upload_free(u);
	assert_text(c, "u/again", "second");
}

static void part_by_copy(struct contract *c)
{
	char *bytes = filled(PART + 10, 9), *want = malloc(PART + 8);
	struct store_body body = { .data = bytes, .fd = -1, .len = PART + 10 };
	struct store_range from = { .offset = 3, .len = 8 };
	struct store_upload *u;
	struct store_part_done done[2];
	struct object_info info;

	assert_non_null(want);
	assert_int_equal(
		store_put(c->s, key(c, "u/src"), &body, NULL, NULL, &info), 0);
	assert_int_equal(store_upload_open(c->s, key(c, "u/copy"), NULL, &u),
			 0);
	/* in any order */
	from.key = key(c, "u/src");
	from.etag = info.etag;
	assert_int_equal(store_part_copy(u, 2, PART, &from, &done[1]), 0);
	from.offset = 10;
	from.len = PART;
	assert_int_equal(store_part_copy(u, 1, 0, &from, &done[0]), 0);
	assert_int_equal(store_upload_complete(u, done, 2, NULL, NULL), 0);
	store_upload_free(u);
	memcpy(want, bytes + 10, PART);
	memcpy(want + PART, bytes + 3, 8);
	assert_bytes(c, "u/copy", want, PART + 8);
	free(bytes);
	free(want);
	assert_int_equal(store_upload_open(c->s, key(c, "u/stale"), NULL, &u),
			 0);
	from.etag = "\"x\"";
	from.len = 10;
	assert_int_equal(store_part_copy(u, 1, 0, &from, &done[0]), -ESTALE);
	assert_int_equal(store_upload_abort(u), 0);
	store_upload_free(u);
}

static void upload_aborted(struct contract *c)
{
	struct store_upload *u, *v;
	struct test_part t;
	struct store_part_done done;
	struct store_pending left;
	struct object_details d;

	assert_int_equal(store_upload_open(c->s, key(c, "ua/x y"), NULL, &u),
			 0);
	assert_int_equal(store_upload_open(c->s, key(c, "ua/z"), NULL, &v), 0);
	assert_string_not_equal(store_upload_id(u), store_upload_id(v));
	part_start(&t, u, 1, 0, "bytes", 5);
	part_end(&t, &done);
	assert_int_equal(store_upload_abort(u), 0);
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), -EIO);
	store_upload_free(u);

	/* what another process left, which its id tells */
	part_start(&t, v, 1, 0, "bytes", 5);
	part_end(&t, &done);
	left.key = (char *)key(c, "ua/z");
	left.id = (char *)store_upload_id(v);
	assert_int_equal(store_pending_abort(c->s, &left), 0);
	assert_int_equal(store_upload_complete(v, &done, 1, NULL, NULL), -EIO);
	store_upload_free(v);
	assert_int_equal(store_head(c->s, key(c, "ua/z"), &d), -ENOENT);
	assert_int_equal(store_head(c->s, key(c, "ua/x y"), &d), -ENOENT);
}

struct there {
	unsigned n;
	struct store_part_there part[2];
};

static int note_there(void *arg, struct store_upload *u,
		      const struct store_part_there *part)
{
	struct there *t = arg;

	assert_non_null(store_upload_id(u));
	assert_true(t->n < 2);
	t->part[t->n++] = *part;
	return 0;
}

static int refuse_there(void *arg, struct store_upload *u,
			const struct store_part_there *part)
{
	return -EINTR;
}

static void upload_resumed(struct contract *c)
{
	char *bytes = filled(2 * PART + 10, 3);
	struct store_upload *u, *again;
	struct test_part t;
	struct store_part_done done[3];
	struct there there = { 0 };
	struct store_pending left;

	assert_int_equal(store_upload_open(c->s, key(c, "ur/x"), NULL, &u), 0);
	left.key = (char *)key(c, "ur/x");
	left.id = (char *)store_upload_id(u);
	if (c->s->limits.files) {
		assert_int_equal(store_upload_resume(c->s, &left, note_there,
						     &there, &again),
				 -EOPNOTSUPP);
		assert_int_equal(store_upload_abort(u), 0);
		store_upload_free(u);
		free(bytes);
		return;
	}
	for (int i = 2; i >= 0; i -= 2) {
		part_start(&t, u, i + 1, i * PART, bytes + i * PART,
			   i ? 10 : PART);
		part_end(&t, &done[i]);
	}
	assert_int_equal(store_upload_resume(c->s, &left, refuse_there, NULL,
					     &again),
			 -EINTR);
	assert_null(again);
	assert_int_equal(store_upload_resume(c->s, &left, note_there, &there,
					     &again),
			 0);
	assert_int_equal(there.n, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(there.part[i].number, 1 + 2 * i);
		assert_int_equal(there.part[i].size, i ? 10 : PART);
		assert_string_equal(there.part[i].etag, done[2 * i].etag);
	}
	store_upload_free(u);
	part_start(&t, again, 2, PART, bytes + PART, PART);
	part_end(&t, &done[1]);
	assert_int_equal(store_upload_complete(again, done, 3, NULL, NULL), 0);
	assert_bytes(c, "ur/x", bytes, 2 * PART + 10);
	left.id = strdup(store_upload_id(again));
	store_upload_free(again);
	assert_int_equal(store_upload_resume(c->s, &left, note_there, &there,
					     &again),
			 -ENOENT);
	assert_null(again);
	free(left.id);
	free(bytes);
}

static void complete_conditions(struct contract *c)
{
	struct store_cond absent = { .if_absent = true };
	struct store_upload *u;
	struct test_part t;
	struct store_part_done done;

	put(c, "uc/there", "old");
	assert_int_equal(store_upload_open(c->s, key(c, "uc/there"), NULL, &u),
			 0);
	part_start(&t, u, 1, 0, "new", 3);
	part_end(&t, &done);
	assert_int_equal(store_upload_complete(u, &done, 1, &absent, NULL),
			 -EEXIST);
	assert_text(c, "uc/there", "old");
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), 0);
	store_upload_free(u);
	assert_text(c, "uc/there", "new");
}

/* An upload is told its headers when it begins. */
static void upload_headers(struct contract *c)
{
	static const struct field headers[] = {
		{ "cache-control", "no-cache" },
		{ "x-amz-meta-contract", "a b" },
	};
	const struct store_meta meta = { .content_type = "text/csv",
					 .headers = headers,
					 .n_headers = 2 };
	struct object_details d;
	struct store_upload *u;
	struct test_part t;
	struct store_part_done done;

	assert_int_equal(store_upload_open(c->s, key(c, "uh/x"), &meta, &u), 0);
	part_start(&t, u, 1, 0, "new", 3);
	part_end(&t, &done);
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), 0);
	store_upload_free(u);
	assert_int_equal(store_head(c->s, key(c, "uh/x"), &d), 0);
	row_equal("type", props_get(&d.props, PROP_TYPE), "text/csv");
	for (size_t i = 0; i < COUNT(headers); i++)
		row_equal(headers[i].name,
			  props_get(&d.props, headers[i].name) ?: "",
			  headers[i].value);
}

static void wrong_parts(struct contract *c)
{
	struct store_upload *u;
	struct test_part t;
	struct store_part_done done[2] = { { .number = 2, .etag = "\"a\"" },
					   { .number = 1, .etag = "\"b\"" } };

	assert_int_equal(store_upload_open(c->s, key(c, "uw/x"), NULL, &u), 0);
	assert_int_equal(store_upload_complete(u, done, 2, NULL, NULL),
			 -EINVAL);
	assert_int_equal(store_upload_complete(u, done, 0, NULL, NULL),
			 -EINVAL);
	part_start(&t, u, 0, 0, "x", 1);
	assert_int_equal(pending_wait(&t.pending), -EINVAL);
	part_start(&t, u, 10001, 0, "x", 1);
	assert_int_equal(pending_wait(&t.pending), -EFBIG);
	/* the first of two is under the least size of a part */
	for (unsigned i = 0; i < 2; i++) {
		part_start(&t, u, i + 1, i, "x", 1);
		part_end(&t, &done[i]);
	}
	if (c->s->limits.part_min > 1)
		assert_int_equal(store_upload_complete(u, done, 2, NULL, NULL),
				 -EINVAL);
	assert_int_equal(store_upload_abort(u), 0);
	store_upload_free(u);
}

/* Of parts, and, in a store of files, by its path. */
static void stream(struct contract *c)
{
	const size_t lengths[] = { 0, 1000, 2 * PART + 3 };
	struct budget *b = budget_new(8 * PART);
	struct store_cond absent = { .if_absent = true };
	char *bytes = filled(2 * PART + 3, 5);
	struct object_info info;

	for (size_t i = 0; i < 2 * COUNT(lengths); i++) {
		const struct upload_stream_settings set = {
			.store = c->s,
			.key = key(c, i % 2 ? "us/y" : "us/x"),
			.meta.content_type = "text/csv",
			.budget = b,
			.most = i % 2 ? lengths[i / 2] : STORE_SIZE_UNKNOWN,
			.part_size = PART,
		};
		struct upload_stream *s;

		assert_int_equal(upload_stream_open(&set, &s), 0);
		for (size_t at = 0; at < lengths[i / 2]; at += 700001) {
			size_t left = lengths[i / 2] - at;

			assert_int_equal(upload_stream_add(
						 s, bytes + at,
						 left < 700001 ? left : 700001),
					 0);
		}
		assert_int_equal(upload_stream_finish(s, i < 2 ? &absent : NULL,
						      &info),
				 0);
		upload_stream_free(s);
		assert_int_equal(info.size, lengths[i / 2]);
		assert_bytes(c, i % 2 ? "us/y" : "us/x", bytes, lengths[i / 2]);
	}
	free(bytes);
	budget_free(b);
}

const struct contract_test contract_uploads[] = {
	{ "a copy copies, if the source is the same", copies },
	{ "parts in any order make an object", upload_in_parts },
	{ "the same part number again replaces", part_again },
	{ "a part is copied by the server", part_by_copy },
	{ "an aborted upload leaves nothing", upload_aborted },
	{ "an upload that was left is gone on with", upload_resumed },
	{ "completion holds only if", complete_conditions },
	{ "an upload's headers are its object's", upload_headers },
	{ "parts that cannot be are refused", wrong_parts },
	{ "a stream becomes an object", stream },
	{ NULL, NULL },
};
