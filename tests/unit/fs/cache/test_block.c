/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block cache: which readers share a GET, what is reclaimed, and how errors
 * come out. block.c, block_source.c, block_cache.c.
 */
#include "file_rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/waiter.h"
#include "fs/cache/block_cache.h"
#include "memstore.h"

#define SIZE sizeof(rig_bytes)

static struct block_source *open_source(struct rig *r, size_t memory)
{
	struct object_details d;
	struct block_source *s;

	file_rig_open(r, 0, memory);
	file_rig_poke(r, "a", rig_bytes, SIZE);
	assert_int_equal(store_head(r->store, "pre/a", &d), 0);
	s = block_source_new(r->env.blocks, r->store, "pre/a", d.info.etag,
			     SIZE);
	assert_non_null(s);
	return s;
}

static void close_source(struct rig *r, struct block_source *s)
{
	block_source_drop(s);
	file_rig_close(r);
}

/* The bytes of a block, as the object has them. */
static void check(struct block *b, uint64_t offset, size_t want)
{
	const char *bytes;
	size_t n;

	assert_int_equal(block_wait(b, offset, want, &bytes, &n), 0);
	assert_true(n <= want);
	assert_memory_equal(bytes, rig_bytes + offset, n);
}

struct ask {
	const char *says;
	uint64_t offset, low, len; /* of the block */
	uint64_t start, end; /* what it has */
	unsigned gets; /* so far */
};

/* One after the other; all are kept until the end. */
static const struct ask asks[] = {
	{ "a block is what was asked for", 4096, 4096, 8192, 4096, 12288, 1 },
	{ "what it holds is no new GET", 8000, 8000, 4096, 4096, 12288, 1 },
	{ "it begins lower if that is wanted", 20000, 16384, 8192, 16384, 24576,
	  2 },
	{ "it ends at the next one", 12288, 12288, 65536, 12288, 16384, 3 },
	{ "it begins after the one before", 30000, 0, 65536, 24576, 65536, 4 },
	{ "it ends with the object", SIZE - 10, SIZE - 10, MIB, SIZE - 10, SIZE,
	  5 },
	{ "a block that would end too low begins higher", 200000, 100000, 5,
	  200000, 200005, 6 },
	{ "none is larger than the largest", 300000, 300000, 1ULL << 40, 300000,
	  SIZE - 10, 7 },
};

static void test_ranges(void **state)
{
	struct rig r;
	struct block_source *s = open_source(&r, 64 * MIB);
	struct block *b[COUNT(asks)];
	uint64_t end;

	for (size_t i = 0; i < COUNT(asks); i++) {
		const struct ask *a = &asks[i];

		row_number(a->says,
			   block_get(s, a->offset, a->low, a->len, BLOCK_WAIT,
				     &b[i]),
			   0);
		check(b[i], a->offset, 100);
		check(b[i], a->start, 100);
		row_number(a->says, block_end(b[i]), a->end);
		row_number(a->says, memstore_calls(r.store, "get"), a->gets);
	}
	assert_true(block_present(s, 4096, &end));
	assert_int_equal(end, 65536);
	assert_false(block_present(s, 100000, &end));
	assert_int_equal(block_get(s, SIZE, SIZE, 1, BLOCK_WAIT, b), -EINVAL);
	for (size_t i = 0; i < COUNT(asks); i++)
		block_unref(b[i]);
	close_source(&r, s);
}

struct reader_thread {
	pthread_t thread;
	struct block_source *source;
	uint64_t offset;
	int rc;
};

static void *read_block(void *arg)
{
	struct reader_thread *t = arg;
	const char *bytes;
	struct block *b;
	size_t n;

	t->rc = block_get(t->source, 0, 0, MIB, BLOCK_WAIT, &b);
	if (t->rc)
		return NULL;
	t->rc = block_wait(b, t->offset, 1000, &bytes, &n);
	if (!t->rc &&
	    (n != 1000 || memcmp(bytes, rig_bytes + t->offset, n) != 0))
		t->rc = -EBADMSG;
	block_unref(b);
	return NULL;
}

/* Each waits for another part of the same block, which comes in pieces. */
static void run_readers(struct block_source *s, int rc)
{
	struct reader_thread t[8];

	for (unsigned i = 0; i < COUNT(t); i++) {
		t[i].source = s;
		t[i].offset = 500 + i * 100 * KIB;
		pthread_create(&t[i].thread, NULL, read_block, &t[i]);
	}
	for (unsigned i = 0; i < COUNT(t); i++) {
		pthread_join(t[i].thread, NULL);
		assert_int_equal(t[i].rc, rc);
	}
}

static void test_shared(void **state)
{
	struct rig r;
	struct block_source *s = open_source(&r, 64 * MIB);

	memstore_delay(r.store, 100);
	run_readers(s, 0);
	assert_int_equal(memstore_calls(r.store, "get"), 1);
	close_source(&r, s);
}

/* All that wait get the error; a later reader asks anew. */
static void test_failed(void **state)
{
	struct rig r;
	struct block_source *s = open_source(&r, 64 * MIB);
	uint64_t end;

	memstore_delay(r.store, 100);
	memstore_fail(r.store, "get", 0, -EACCES);
	run_readers(s, -EACCES);
	assert_false(block_present(s, 0, &end));
	memstore_fail(r.store, "get", 1, 0);
	run_readers(s, 0);
	close_source(&r, s);
}

static void test_replaced(void **state)
{
	struct rig r;
	struct block_source *s = open_source(&r, 64 * MIB);
	const char *bytes;
	struct block *b;
	size_t n;

	file_rig_poke(&r, "a", "other", 5);
	assert_int_equal(block_get(s, 0, 0, 4096, BLOCK_WAIT, &b), 0);
	assert_int_equal(block_wait(b, 0, 1, &bytes, &n), -ESTALE);
	block_unref(b);
	close_source(&r, s);
}

/* The object is shorter than it was said to be. */
static void test_short(void **state)
{
	struct rig r;
	struct block_source *s, *longer = open_source(&r, 64 * MIB);
	const char *bytes;
	struct block *b;
	size_t n;

	s = block_source_new(r.env.blocks, r.store, "pre/a", NULL, SIZE + 10);
	assert_non_null(s);
	assert_int_equal(block_get(s, SIZE - 4, SIZE - 4, 100, BLOCK_WAIT, &b),
			 0);
	assert_int_equal(block_wait(b, SIZE + 2, 1, &bytes, &n), -ESTALE);
	block_unref(b);
	block_source_drop(s);
	close_source(&r, longer);
}

static void test_moved(void **state)
{
	struct rig r;
	struct block_source *s = open_source(&r, 64 * MIB);
	struct object_info info;
	struct block *b;

	assert_int_equal(
		store_copy(r.store, "pre/a", NULL, "pre/b", NULL, &info), 0);
	assert_int_equal(store_remove(r.store, "pre/a"), 0);
	assert_int_equal(block_source_move(s, "pre/b", info.etag), 0);
	assert_int_equal(block_get(s, 0, 0, 4096, BLOCK_WAIT, &b), 0);
	check(b, 0, 4096);
	block_unref(b);
	close_source(&r, s);
}

static void touch(struct block_source *s, uint64_t at, size_t len, bool passed)
{
	struct block *b;

	assert_int_equal(block_get(s, at, at, len, BLOCK_TRY, &b), 0);
	check(b, at, len);
	if (passed)
		block_passed(b);
	else
		block_used(b);
	block_unref(b);
}

/* What a sequential reader has passed goes first, then the least recent. */
static void test_reclaim(void **state)
{
	struct rig r;
	size_t len = 64 * KIB;
	struct block_source *s = open_source(&r, 4 * len);
	uint64_t end;

	touch(s, 0, len, false);
	touch(s, len, len, false);
	touch(s, 2 * len, len, true);
	touch(s, 3 * len, len, false);
	touch(s, 4 * len, len, false);
	assert_false(block_present(s, 2 * len, &end));
	assert_true(block_present(s, 0, &end));
	touch(s, 0, len, false);
	touch(s, 5 * len, len, false);
	assert_false(block_present(s, len, &end));
	assert_true(block_present(s, 0, &end));
	close_source(&r, s);
}

/* A stream goes round in a 32nd of the memory, however much is free. */
static void test_passed_are_recycled(void **state)
{
	struct rig r;
	size_t len = 64 * KIB;
	struct block_source *s = open_source(&r, 128 * len);
	uint64_t end;

	for (unsigned i = 0; i < 40; i++)
		touch(s, i * len, len, true);
	assert_false(block_present(s, 35 * len, &end));
	assert_true(block_present(s, 36 * len, &end));
	assert_int_equal(budget_used(r.env.budget), 4 * len);
	close_source(&r, s);
}

/* Read-ahead takes no memory that others read from, and none too much. */
static void test_ahead_yields(void **state)
{
	struct rig r;
	size_t len = 64 * KIB;
	struct block_source *s = open_source(&r, 6 * len);
	struct block *held[3], *b;

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(block_get(s, i * len, i * len, len, BLOCK_TRY,
					   &held[i]),
				 0);
	assert_int_equal(block_get(s, 3 * len, 3 * len, len, BLOCK_AHEAD, &b),
			 -EAGAIN);
	touch(s, 3 * len, len, false);
	touch(s, 4 * len, len, false);
	for (unsigned i = 0; i < 3; i++) {
		check(held[i], i * len, len);
		block_used(held[i]);
		block_unref(held[i]);
	}
	assert_int_equal(block_get(s, 9 * len, 9 * len, len, BLOCK_AHEAD, &b),
			 0);
	block_unref(b);
	close_source(&r, s);
}

/* What a reader is amid is no room for the read-ahead of others. */
static void test_amid(void **state)
{
	struct rig r;
	size_t len = 64 * KIB;
	struct block_source *s = open_source(&r, 6 * len);
	struct block *b;

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(
			block_get(s, i * len, i * len, len, BLOCK_TRY, &b), 0);
		check(b, i * len, len / 2);
		block_unref(b);
	}
	assert_int_equal(block_get(s, 3 * len, 3 * len, len, BLOCK_AHEAD, &b),
			 -EAGAIN);
	touch(s, len, len, true);
	assert_int_equal(block_get(s, 3 * len, 3 * len, len, BLOCK_AHEAD, &b),
			 0);
	block_unref(b);
	assert_int_equal(memstore_calls(r.store, "get"), 4);
	close_source(&r, s);
}

/* A source that is dropped while GETs are under way has none afterwards. */
static void test_drop(void **state)
{
	struct rig r;
	struct block_source *s = open_source(&r, 64 * MIB);
	struct block *b;
	int64_t began;

	memstore_delay(r.store, 60000);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(block_get(s, i * 65536, i * 65536, 65536,
					   BLOCK_AHEAD, &b),
				 0);
		block_unref(b);
	}
	began = clock_mono_ms();
	block_source_drop(s);
	assert_true(clock_mono_ms() - began < 40000);
	assert_int_equal(budget_used(r.env.budget), 0);
	file_rig_close(&r);
}

static void *interrupt_soon(void *waiter)
{
	usleep(50000);
	waiter_interrupt(waiter);
	return NULL;
}

static void test_interrupt(void **state)
{
	struct rig r;
	struct block_source *s = open_source(&r, 64 * MIB);
	const char *bytes;
	struct block *b;
	pthread_t t;
	size_t n;

	memstore_delay(r.store, 5000);
	waiter_begin(waiter_self());
	pthread_create(&t, NULL, interrupt_soon, waiter_self());
	assert_int_equal(block_get(s, 0, 0, 4096, BLOCK_WAIT, &b), 0);
	assert_int_equal(block_wait(b, 0, 1, &bytes, &n), -EINTR);
	block_unref(b);
	pthread_join(t, NULL);
	waiter_begin(waiter_self());
	close_source(&r, s);
}

SUITE(block)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_reclaim),
		cmocka_unit_test(test_passed_are_recycled),
		cmocka_unit_test(test_ahead_yields),
		cmocka_unit_test(test_amid),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_interrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
