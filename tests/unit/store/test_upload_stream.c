/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An object from a stream into a store: cut into parts, bounded in memory, and
 * gone without a trace when it does not come to its end.
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/waiter.h"
#include "local_rig.h"
#include "memstore.h"
#include "store/parts.h"
#include "store/upload_stream.h"

#define MIB ((uint64_t)1 << 20)

/* Byte `at` of every file here. */
static unsigned char byte_at(uint64_t at)
{
	return (unsigned char)(at * 31 + (at >> 13) * 7 + (at >> 21));
}

static int feed(struct upload_stream *i, uint64_t from, uint64_t n,
		size_t piece)
{
	unsigned char *bytes = malloc(piece);
	int rc = 0;

	assert_non_null(bytes);
	for (uint64_t at = from; !rc && at < from + n;) {
		size_t len = from + n - at < piece ? from + n - at : piece;

		for (size_t k = 0; k < len; k++)
			bytes[k] = byte_at(at + k);
		rc = upload_stream_add(i, bytes, len);
		at += len;
	}
	free(bytes);
	return rc;
}

static bool is_there(struct store *s, const char *key, uint64_t size)
{
	unsigned char *bytes = malloc(MIB);
	struct object_info info = { 0 };
	struct object_details d;
	bool same = true;
	size_t n = 0;

	assert_non_null(bytes);
	if (store_head(s, key, &d) || d.info.size != size)
		same = false;
	for (uint64_t at = 0; same && at < size; at += n) {
		if (store_get_sync(s, key, NULL, at, bytes, MIB, &n, &info) ||
		    !n)
			same = false;
		for (size_t k = 0; same && k < n; k++)
			same = bytes[k] == byte_at(at + k);
	}
	free(bytes);
	return same;
}

static const struct {
	const char *sentence;
	uint64_t size, most, part_size;
	unsigned delay_ms, puts, parts;
	size_t peak; /* of the budget, at most */
} rows[] = {
	{ "an empty file", 0, 100, 0, 0, 1, 0, 0 },
	{ "an empty file of unknown length", 0, STORE_SIZE_UNKNOWN, 0, 0, 1, 0,
	  0 },
	{ "a small one takes little", 100, 300, 0, 0, 1, 0, 64 << 10 },
	{ "a small one of unknown length", 100, STORE_SIZE_UNKNOWN, 0, 0, 1, 0,
	  8 << 20 },
	{ "a part but for a byte", 8 * MIB - 1, 9 * MIB, 0, 0, 1, 0, 8 << 20 },
	{ "a part is one PUT", 8 * MIB, 9 * MIB, 0, 0, 1, 0, 8 << 20 },
	{ "a part and a byte", 8 * MIB + 1, 9 * MIB, 0, 0, 0, 2, 24 << 20 },
	{ "several parts", 30 * MIB + 5, STORE_SIZE_UNKNOWN, 0, 0, 0, 4,
	  32 << 20 },
	{ "several on a slow store", 30 * MIB + 5, 31 * MIB, 0, 20, 0, 4,
	  32 << 20 },
	{ "the stage's part size", 12 * MIB, STORE_SIZE_UNKNOWN, 5 * MIB, 5, 0,
	  3, 20 << 20 },
	{ "one that is odd", 12 * MIB, 13 * MIB, 5 * MIB + 1, 5, 0, 3,
	  24 << 20 },
	{ "one that is too large for the memory", 9 * MIB, STORE_SIZE_UNKNOWN,
	  1000 * MIB, 0, 0, 2, 24 << 20 },
};

static void files_of_all_sizes(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct budget *b = budget_new(64 * MIB);
		struct store *s = memstore_new("mem");
		const struct upload_stream_settings f = {
			.store = s,
			.budget = b,
			.key = "a/b",
			.meta.content_type = "text/csv",
			.most = rows[i].most,
			.part_size = rows[i].part_size,
		};
		struct object_details d = { 0 };
		struct upload_stream *in = NULL;
		struct object_info info;

		memstore_delay(s, rows[i].delay_ms);
		row_number(rows[i].sentence, upload_stream_open(&f, &in), 0);
		row_number(rows[i].sentence, feed(in, 0, rows[i].size, 100001),
			   0);
		row_number("not there before its end", store_head(s, "a/b", &d),
			   -ENOENT);
		row_number(rows[i].sentence,
			   upload_stream_finish(in, NULL, &info), 0);
		row_number(rows[i].sentence, info.size, rows[i].size);
		upload_stream_free(in);
		row_check(rows[i].sentence, is_there(s, "a/b", rows[i].size));
		row_number("head", store_head(s, "a/b", &d), 0);
		row_equal(rows[i].sentence, props_get(&d.props, PROP_TYPE),
			  "text/csv");
		row_number(rows[i].sentence, memstore_calls(s, "put"),
			   rows[i].puts);
		row_number(rows[i].sentence, memstore_calls(s, "part"),
			   rows[i].parts);
		row_number(rows[i].sentence, memstore_uploads(s), 0);
		row_number(rows[i].sentence, budget_used(b), 0);
		row_check(rows[i].sentence,
			  budget_peak(b) <= rows[i].peak || !rows[i].peak);
		store_unref(s);
		budget_free(b);
	}
}

/* ---- what goes wrong ---- */

static const struct {
	const char *sentence, *op;
	unsigned nth;
	uint64_t size;
	bool finish;
	int rc;
} faults[] = {
	{ "given up before any part", NULL, 0, 5 * MIB, false, 0 },
	{ "given up between parts", NULL, 0, 20 * MIB, false, 0 },
	{ "a PUT that fails", "put", 1, 5 * MIB, true, -EIO },
	{ "an upload that cannot be begun", "open", 1, 20 * MIB, true, -EIO },
	{ "the first part fails", "part", 1, 20 * MIB, true, -EIO },
	{ "the last part fails", "part", 3, 20 * MIB, true, -EIO },
	{ "the completion fails", "complete", 1, 20 * MIB, true, -EIO },
};

static void nothing_remains(void **state)
{
	for (size_t i = 0; i < 2 * COUNT(faults); i++) {
		const char *sentence = faults[i / 2].sentence;
		struct budget *b = budget_new(64 * MIB);
		struct store *s = memstore_new("mem");
		const struct upload_stream_settings f = {
			.store = s,
			.budget = b,
			.key = "k",
			.most = STORE_SIZE_UNKNOWN
		};
		struct object_details d = { 0 };
		struct upload_stream *in = NULL;
		struct object_info info;
		int rc;

		memstore_delay(s, i % 2 ? 10 : 0);
		if (faults[i / 2].op)
			memstore_fail(s, faults[i / 2].op, faults[i / 2].nth,
				      -EIO);
		row_number(sentence, upload_stream_open(&f, &in), 0);
		rc = feed(in, 0, faults[i / 2].size, MIB);
		if (!rc && faults[i / 2].finish)
			rc = upload_stream_finish(in, NULL, &info);
		row_number(sentence, rc, faults[i / 2].rc);
		upload_stream_free(in);
		row_number(sentence, memstore_uploads(s), 0);
		row_number(sentence, budget_used(b), 0);
		row_number(sentence, store_head(s, "k", &d), -ENOENT);
		store_unref(s);
		budget_free(b);
	}
}

static void an_end_that_is_asked_for(void **state)
{
	struct budget *b = budget_new(64 * MIB);
	struct store *s = memstore_new("mem");
	const struct upload_stream_settings f = {
		.store = s, .budget = b, .key = "k", .most = STORE_SIZE_UNKNOWN
	};
	struct upload_stream *in = NULL;
	struct object_info info;
	int rc;

	waiter_begin(waiter_self());
	row_number("opened", upload_stream_open(&f, &in), 0);
	row_number("fed", feed(in, 0, 20 * MIB, MIB), 0);
	memstore_delay(s, 600000); /* no part ends by itself */
	waiter_interrupt(waiter_self());
	rc = feed(in, 20 * MIB, 40 * MIB, MIB);
	if (!rc)
		rc = upload_stream_finish(in, NULL, &info);
	row_number("interrupted", rc, -EINTR);
	upload_stream_free(in);
	row_number("no upload remains", memstore_uploads(s), 0);
	row_number("nor memory", budget_used(b), 0);
	store_unref(s);
	budget_free(b);
}

/* ---- memory ---- */

#define CROWD 24

struct crowd {
	struct budget *budget;
	struct store *store;
	unsigned number;
	int rc;
};

static void *one_of_a_crowd(void *arg)
{
	struct crowd *c = arg;
	char key[16];
	const struct upload_stream_settings f = { .store = c->store,
						  .budget = c->budget,
						  .key = key,
						  .most = STORE_SIZE_UNKNOWN };
	struct upload_stream *in = NULL;
	struct object_info info;

	snprintf(key, sizeof(key), "k%u", c->number);
	c->rc = upload_stream_open(&f, &in);
	c->rc = c->rc ? c->rc : feed(in, 0, 17 * MIB + c->number, 300007);
	c->rc = c->rc ? c->rc : upload_stream_finish(in, NULL, &info);
	upload_stream_free(in);
	return NULL;
}

static void many_in_little_memory(void **state)
{
	struct budget *b = budget_new(32 * MIB);
	struct store *s = memstore_new("mem");
	struct crowd crowd[CROWD];
	pthread_t threads[CROWD];

	memstore_delay(s, 2);
	for (unsigned i = 0; i < CROWD; i++) {
		crowd[i] = (struct crowd){ b, s, i, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL,
						one_of_a_crowd, &crowd[i]),
				 0);
	}
	for (unsigned i = 0; i < CROWD; i++) {
		char key[16];

		pthread_join(threads[i], NULL);
		snprintf(key, sizeof(key), "k%u", i);
		row_number("got through", crowd[i].rc, 0);
		row_check("whole", is_there(s, key, 17 * MIB + i));
	}
	row_check("within the memory", budget_peak(b) <= 32 * MIB);
	row_number("all given back", budget_used(b), 0);
	store_unref(s);
	budget_free(b);
}

/*
 * 64 KiB is the least that is taken: four seconds at the slowest rate. The
 * buffer was taken between `before` and `after`.
 */
#define SLOW_MS (500 + 4000)

static void a_sender_that_is_too_slow(void **state)
{
	struct budget *b = budget_new(64 * MIB);
	struct store *s = memstore_new("mem");
	const struct upload_stream_settings f = { .store = s,
						  .budget = b,
						  .key = "k",
						  .most = 64 << 10,
						  .patience_ms = 500 };
	int64_t before = clock_mono_ms(), after, now;
	struct upload_stream *in = NULL;
	int rc;

	row_number("opened", upload_stream_open(&f, &in), 0);
	rc = feed(in, 0, 1, 1);
	now = after = clock_mono_ms();
	for (uint64_t at = 1; !rc && now - after <= SLOW_MS; at++) {
		usleep(20000);
		now = clock_mono_ms();
		rc = feed(in, at, 1, 1);
	}
	row_number("too slow", rc, -ETIME);
	row_check("and not before", clock_mono_ms() - before > SLOW_MS);
	upload_stream_free(in);
	row_number("nor memory", budget_used(b), 0);
	store_unref(s);
	budget_free(b);
}

static const struct {
	const char *sentence;
	uint64_t wish, most, memory, size;
	int rc;
	bool even;
} sizes[] = {
	{ "unknown", 0, STORE_SIZE_UNKNOWN, 512 * MIB, PART_SIZE_STREAM, 0 },
	{ "small", 0, 10, 512 * MIB, 8 * MIB, 0 },
	{ "10 GiB", 0, 10240 * MIB, 512 * MIB, 8 * MIB, 0 },
	{ "100 GiB", 0, 102400 * MIB, 512 * MIB, 16 * MIB, 0 },
	{ "5 TiB", 0, 5 * MIB *MIB, 600 * MIB, 1024 * MIB, -EFBIG },
	{ "the stage's", 20 * MIB, STORE_SIZE_UNKNOWN, 512 * MIB, 20 * MIB, 0 },
	{ "the stage's is too large", 200 * MIB, STORE_SIZE_UNKNOWN, 512 * MIB,
	  PART_SIZE_STREAM, 0 },
	{ "the stage's is too small", 5 * MIB, 102400 * MIB, 512 * MIB,
	  16 * MIB, 0 },
	{ "little memory", 0, 10240 * MIB, 32 * MIB, 8 * MIB, 0 },
	{ "of one length", 0, STORE_SIZE_UNKNOWN, 512 * MIB, 32 * MIB, 0,
	  true },
	{ "... and little memory", 0, STORE_SIZE_UNKNOWN, 32 * MIB, 8 * MIB, 0,
	  true },
	{ "... the stage's", 20 * MIB, STORE_SIZE_UNKNOWN, 512 * MIB, 20 * MIB,
	  0, true },
	{ "... known", 0, 102400 * MIB, 512 * MIB, 16 * MIB, 0, true },
};

static void sizes_of_parts(void **state)
{
	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint64_t size;

		row_number(sizes[i].sentence,
			   upload_stream_part_size(sizes[i].wish, sizes[i].most,
						   sizes[i].even,
						   sizes[i].memory, &size),
			   sizes[i].rc);
		row_number(sizes[i].sentence, size, sizes[i].size);
	}
}

/* ---- a store of files ---- */

static void into_a_folder(void **state)
{
	struct budget *b = budget_new(MIB);
	struct local_rig rig = { 0 };
	struct upload_stream_settings f = { .budget = b,
					    .key = "a/b",
					    .most = 9 * MIB };
	struct object_details d = { 0 };
	struct upload_stream *in = NULL;
	struct object_info info;

	local_rig_open(&rig);
	f.store = rig.s;
	row_number("opened", upload_stream_open(&f, &in), 0);
	row_number("fed", feed(in, 0, 9 * MIB, 77777), 0);
	row_number("not there before its end", store_head(rig.s, "a/b", &d),
		   -ENOENT);
	row_number("finished", upload_stream_finish(in, NULL, &info), 0);
	upload_stream_free(in);
	row_check("whole", is_there(rig.s, "a/b", 9 * MIB));
	row_number("opened", upload_stream_open(&f, &in), 0);
	row_number("fed", feed(in, 100, MIB, 77777), 0);
	upload_stream_free(in);
	row_check("given up: the old one", is_there(rig.s, "a/b", 9 * MIB));
	row_number("no memory", budget_peak(b), 0);
	local_rig_close(&rig);
	budget_free(b);
}

/* ---- what is there already ---- */

static void only_if(void **state)
{
	const struct store_cond absent = { .if_absent = true };
	const uint64_t sizes_of_two[] = { 100, 9 * MIB };

	for (size_t i = 0; i < 2 * COUNT(sizes_of_two); i++) {
		uint64_t size = sizes_of_two[i / 2];
		struct budget *b = budget_new(64 * MIB);
		struct store *s = memstore_new("mem");
		const struct upload_stream_settings f = {
			.store = s,
			.budget = b,
			.key = "k",
			.most = STORE_SIZE_UNKNOWN
		};
		struct upload_stream *in = NULL;
		struct object_info info;

		if (i % 2)
			row_number("another", memstore_poke(s, "k", "x", 1), 0);
		row_number("opened", upload_stream_open(&f, &in), 0);
		row_number("fed", feed(in, 0, size, MIB), 0);
		row_number("finished", upload_stream_finish(in, &absent, &info),
			   i % 2 ? -EEXIST : 0);
		upload_stream_free(in);
		row_check("what is there", is_there(s, "k", size) == !(i % 2));
		row_number("no upload remains", memstore_uploads(s), 0);
		store_unref(s);
		budget_free(b);
	}
}

SUITE(upload_stream)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_all_sizes),
		cmocka_unit_test(nothing_remains),
		cmocka_unit_test(an_end_that_is_asked_for),
		cmocka_unit_test(many_in_little_memory),
		cmocka_unit_test(a_sender_that_is_too_slow),
		cmocka_unit_test(sizes_of_parts),
		cmocka_unit_test(into_a_folder),
		cmocka_unit_test(only_if),
	};

	digest_init();
	return cmocka_run_group_tests_name("upload_stream", tests, NULL, NULL);
}
