/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File content, by example: file.c, file_map.c, publish.c, content_remote.c. It
 * is at random in test_file_model.c; content_local.c is tested where the store
 * of files is, in ../test_fs_files.c.
 *
 * Covers: fs/content/content_local.c fs/content/content_remote.c
 */
#include "file_rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/waiter.h"
#include "fs/fs.h"
#include "memstore.h"

static void test_small_is_one_put(void **state)
{
	struct rig r;
	struct file *f;
	char got[16];

	file_rig_open(&r, 0, 512 * MIB);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_write(f, 0, "hello", 5), 0);
	assert_int_equal(file_rig_read(f, 0, got, 16), 5);
	assert_memory_equal(got, "hello", 5);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_calls(r.store, "put"), 1);
	assert_int_equal(memstore_calls(r.store, "open"), 0);
	assert_int_equal(file_rig_object(&r, "a", got, 16), 5);
	assert_memory_equal(got, "hello", 5);
	file_close(f);
	file_rig_close(&r);
}

static void test_empty(void **state)
{
	struct rig r;
	struct file *f;
	char got[4];

	file_rig_open(&r, 0, 512 * MIB);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(file_rig_object(&r, "a", got, 4), 0);
	file_close(f);
	file_rig_close(&r);
}

static void test_unwritten_is_never_rewritten(void **state)
{
	struct rig r;
	struct file *f;
	char got[8];

	file_rig_open(&r, 0, 512 * MIB);
	file_rig_poke(&r, "a", "content", 7);
	f = file_rig_find(&r, "a");
	assert_int_equal(file_rig_read(f, 3, got, 8), 4);
	assert_memory_equal(got, "tent", 4);
	assert_int_equal(file_truncate(f, 7), 0);
	assert_int_equal(file_publish(f), 0);
	file_close(f);
	assert_int_equal(memstore_calls(r.store, "put"), 0);
	file_rig_close(&r);
}

/* A megabyte of an object of four is changed: one part travels. */
static void test_server_copies(void **state)
{
	struct rig r;
	struct file *f;
	size_t n = 8 * MIB;
	char *want = malloc(n), *got = malloc(n);

	file_rig_open(&r, MIB, 64 * MIB);
	file_rig_pattern(want, n, 1);
	file_rig_poke(&r, "a", want, n);
	f = file_rig_find(&r, "a");
	file_rig_pattern(want + 3 * MIB + 5, 1000, 2);
	assert_int_equal(file_write(f, 3 * MIB + 5, want + 3 * MIB + 5, 1000),
			 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_calls(r.store, "part_copy"), 7);
	assert_int_equal(memstore_calls(r.store, "part"), 1);
	assert_int_equal(file_rig_object(&r, "a", got, n), n);
	assert_memory_equal(got, want, n);
	file_close(f);
	file_rig_close(&r);
	free(want);
	free(got);
}

struct scattered_row {
	const char *sentence;
	unsigned writes;
	size_t len; /* of each */
	size_t step; /* from one to the next; 0: anywhere */
	size_t memory;
	unsigned gets; /* at most */
};

/* Two parts of 8 MiB are written to here and there: what is the base's between
 * the writes comes by few GETs, and nothing of ours is lost to it. */
static void test_scattered(void **state)
{
	static const struct scattered_row rows[] = {
		{ "a page here and there", 200, 4096, 0, 64 * MIB, 4 },
		{ "a byte in each page", 4096, 1, 4096, 64 * MIB, 4 },
		{ "all but a byte a page", 4096, 4095, 4096, 64 * MIB, 4 },
		{ "two far apart", 2, 10, 12 * MIB, 64 * MIB, 4 },
		{ "1.5 of every 3 MiB", 5, 3 * MIB / 2, 3 * MIB, 64 * MIB, 6 },
		{ "no memory to be had", 200, 4096, 0, 64 * KIB, 64 },
	};
	size_t n = 16 * MIB;
	char *want = malloc(n), *got = malloc(n);

	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		const struct scattered_row *row = &rows[k];
		unsigned seed = 7;
		struct file *f;
		struct rig r;

		file_rig_open(&r, 8 * MIB, row->memory);
		file_rig_pattern(want, n, 1);
		file_rig_poke(&r, "a", want, n);
		f = file_rig_find(&r, "a");
		for (size_t w = 0; w < row->writes; w++) {
			size_t at = w * row->step;

			seed = seed * 1103515245 + 12345;
			if (!row->step)
				at = seed % (n - row->len);
			file_rig_pattern(want + at, row->len, seed);
			assert_int_equal(file_write(f, at, want + at, row->len),
					 0);
		}
		assert_int_equal(file_publish(f), 0);
		row_number(row->sentence,
			   memstore_calls(r.store, "get") <= row->gets, true);
		row_number(row->sentence, memstore_calls(r.store, "part"), 2);
		assert_int_equal(file_rig_object(&r, "a", got, n), n);
		row_number(row->sentence, memcmp(got, want, n), 0);
		file_close(f);
		file_rig_close(&r);
	}
	free(want);
	free(got);
}

struct grown_row {
	const char *sentence;
	size_t zeros; /* that the base of 4 MiB ends in */
	size_t size; /* that it grows to */
	bool emptied; /* before that */
	unsigned sent, copied; /* parts of 1 MiB */
};

/* The server makes zeros of zeros, where it has as many as a part. */
static void test_grown(void **state)
{
	static const struct grown_row rows[] = {
		{ "a base that ends in a part of zeros", MIB, 20 * MIB, false,
		  0, 20 },
		{ "one that has more", 3 * MIB, 20 * MIB, false, 0, 20 },
		{ "the last part is a short one", MIB, 20 * MIB - 5, false, 0,
		  20 },
		{ "one that ends in fewer", MIB - 1, 20 * MIB, false, 16, 4 },
		{ "one that ends in none", 0, 20 * MIB, false, 16, 4 },
		{ "a single part of zeros", MIB, 5 * MIB, false, 1, 4 },
		{ "a base that is nobody's any more", MIB, 8 * MIB, true, 8,
		  0 },
	};
	size_t n = 4 * MIB, max = 20 * MIB;
	char *want = malloc(max), *got = malloc(max);

	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		const struct grown_row *row = &rows[k];
		struct file *f;
		struct rig r;

		file_rig_open(&r, MIB, 64 * MIB);
		memset(want, 0, max);
		file_rig_pattern(want, n - row->zeros, 1);
		want[n - row->zeros - 1] = 'x';
		file_rig_poke(&r, "a", want, n);
		f = file_rig_find(&r, "a");
		if (row->emptied) {
			assert_int_equal(file_reset(f), 0);
			memset(want, 0, n);
		}
		assert_int_equal(file_truncate(f, row->size), 0);
		assert_int_equal(file_publish(f), 0);
		row_number(row->sentence, memstore_calls(r.store, "part"),
			   row->sent);
		row_number(row->sentence, memstore_calls(r.store, "part_copy"),
			   row->copied);
		assert_int_equal(file_rig_object(&r, "a", got, max),
				 (long)row->size);
		row_number(row->sentence, memcmp(got, want, row->size), 0);
		file_close(f);
		file_rig_close(&r);
	}
	free(want);
	free(got);
}

static void test_store_without_copies(void **state)
{
	struct rig r;
	struct file *f;
	size_t n = 4 * MIB;
	char *want = malloc(n), *got = malloc(n);

	file_rig_open(&r, MIB, 64 * MIB);
	memstore_fail(r.store, "part_copy", 0, -ENOTSUP);
	file_rig_pattern(want, n, 1);
	file_rig_poke(&r, "a", want, n);
	f = file_rig_find(&r, "a");
	want[n - 1] ^= 1;
	assert_int_equal(file_write(f, n - 1, want + n - 1, 1), 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(file_rig_object(&r, "a", got, n), n);
	assert_memory_equal(got, want, n);
	file_close(f);
	file_rig_close(&r);
	free(want);
	free(got);
}

/* Another machine replaced the object: the base is not there to be kept. */
static void test_base_changed(void **state)
{
	struct rig r;
	struct file *f;
	char got[16];

	file_rig_open(&r, 0, 64 * MIB);
	file_rig_poke(&r, "a", "0123456789", 10);
	f = file_rig_find(&r, "a");
	file_rig_poke(&r, "a", "abcdefghij", 10);
	assert_int_equal(file_rig_read(f, 0, got, 10), -ESTALE);
	assert_int_equal(file_write(f, 4, "x", 1), 0);
	assert_int_equal(file_publish(f), -ESTALE);
	file_close(f);
	assert_int_equal(file_rig_object(&r, "a", got, 16), 10);
	assert_memory_equal(got, "abcdefghij", 10);
	file_rig_close(&r);
}

/* Another machine puts another object in its place: the name gets an inode of
 * its own, and what is open stays what it was, and writes to nothing. */
static void test_replaced(void **state)
{
	struct rig r;
	struct file *f, *now;
	char got[16];

	file_rig_open(&r, 0, 64 * MIB);
	file_rig_poke(&r, "a", "0123456789", 10);
	f = file_rig_find(&r, "a");
	assert_int_equal(file_rig_read(f, 0, got, 10), 10);
	file_rig_poke(&r, "a", "abc", 3);
	now = file_rig_find(&r, "a");
	assert_ptr_not_equal(now, f);
	assert_int_equal(file_rig_read(now, 0, got, 16), 3);
	assert_memory_equal(got, "abc", 3);
	assert_int_equal(file_rig_read(f, 0, got, 16), 10);
	assert_memory_equal(got, "0123456789", 10);
	assert_int_equal(file_write(f, 0, "x", 1), -ESTALE);
	assert_int_equal(file_truncate(f, 5), -ESTALE);
	assert_int_equal(file_reset(f), -ESTALE);
	assert_int_equal(file_publish(f), 0);
	file_close(f);
	assert_int_equal(file_rig_object(&r, "a", got, 16), 3);
	/* Our own publication is the same file. */
	assert_int_equal(file_write(now, 3, "d", 1), 0);
	assert_int_equal(file_publish(now), 0);
	f = file_rig_find(&r, "a");
	assert_ptr_equal(now, f);
	file_close(f);
	file_close(now);
	file_rig_close(&r);
}

static void test_orphan(void **state)
{
	struct rig r;
	struct file *f;
	char got[16];

	file_rig_open(&r, 4 * KIB, 64 * MIB);
	f = file_rig_create(&r, "a");
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(file_write(f, i * 4096, got, 16), 0);
	file_orphan(f);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_uploads(r.store), 0);
	assert_int_equal(file_rig_object(&r, "a", got, 16), -ENOENT);
	assert_int_equal(file_write(f, 0, "hello", 5), 0);
	assert_int_equal(file_rig_read(f, 0, got, 5), 5);
	assert_memory_equal(got, "hello", 5);
	file_close(f);
	file_rig_close(&r);
}

/* A new name may move before it is published; what was sent is sent again. */
static void test_unbind(void **state)
{
	struct rig r;
	struct file *f;
	char want[20000], got[20000];

	file_rig_open(&r, 4 * KIB, 64 * MIB);
	file_rig_pattern(want, sizeof(want), 3);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_write(f, 0, want, sizeof(want)), 0);
	assert_int_equal(memstore_uploads(r.store), 1);
	assert_true(file_unbind(f));
	assert_int_equal(memstore_uploads(r.store), 0);
	assert_int_equal(tree_move(r.env.tree, file_inode(f),
				   tree_root(r.env.tree), "b"),
			 0);
	assert_int_equal(file_publish(f), 0);
	assert_false(file_unbind(f));
	assert_int_equal(file_rig_object(&r, "a", got, 1), -ENOENT);
	assert_int_equal(file_rig_object(&r, "b", got, sizeof(got)),
			 sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	file_close(f);
	file_rig_close(&r);
}

static void test_moved(void **state)
{
	struct rig r;
	struct file *f;
	struct object_info info;
	char got[16];

	file_rig_open(&r, 0, 64 * MIB);
	file_rig_poke(&r, "a", "0123456789", 10);
	f = file_rig_find(&r, "a");
	assert_int_equal(file_rig_read(f, 0, got, 2), 2);
	assert_int_equal(
		store_copy(r.store, "pre/a", NULL, "pre/b", NULL, &info), 0);
	assert_int_equal(store_remove(r.store, "pre/a"), 0);
	assert_int_equal(tree_move(r.env.tree, file_inode(f),
				   tree_root(r.env.tree), "b"),
			 0);
	file_moved(f, &info);
	assert_int_equal(file_write(f, 1, "x", 1), 0);
	assert_int_equal(file_rig_read(f, 0, got, 16), 10);
	assert_memory_equal(got, "0x23456789", 10);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(file_rig_object(&r, "b", got, 16), 10);
	assert_memory_equal(got, "0x23456789", 10);
	file_close(f);
	file_rig_close(&r);
}

static void test_too_big(void **state)
{
	struct rig r;
	struct file *f;

	file_rig_open(&r, 4 * KIB, 64 * MIB);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_truncate(f, r.store->limits.object_max), 0);
	assert_int_equal(file_truncate(f, r.store->limits.object_max + 1),
			 -EFBIG);
	assert_int_equal(file_write(f, r.store->limits.object_max, "x", 1),
			 -EFBIG);
	assert_int_equal(file_write(f, UINT64_MAX, "x", 1), -EFBIG);
	assert_int_equal(file_truncate(f, 0), 0);
	file_close(f);
	file_rig_close(&r);
}

static void *interrupt_soon(void *waiter)
{
	usleep(50000);
	waiter_interrupt(waiter);
	return NULL;
}

/* An interrupted publish keeps the bytes; the next one goes on. */
static void test_interrupted(void **state)
{
	struct rig r;
	struct file *f;
	pthread_t t;
	char want[20000], got[20000];

	file_rig_open(&r, 4 * KIB, 64 * MIB);
	file_rig_pattern(want, sizeof(want), 3);
	f = file_rig_create(&r, "a");
	memstore_delay(r.store, 300);
	assert_int_equal(file_write(f, 0, want, sizeof(want)), 0);
	waiter_begin(waiter_self());
	pthread_create(&t, NULL, interrupt_soon, waiter_self());
	assert_int_equal(file_publish(f), -EINTR);
	pthread_join(t, NULL);
	waiter_begin(waiter_self());
	memstore_delay(r.store, 0);
	want[19999] ^= 1;
	assert_int_equal(file_write(f, 19999, want + 19999, 1), 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(file_rig_object(&r, "a", got, sizeof(got)),
			 sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	file_close(f);
	file_rig_close(&r);
}

SUITE(file)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_is_one_put),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_unwritten_is_never_rewritten),
		cmocka_unit_test(test_server_copies),
		cmocka_unit_test(test_scattered),
		cmocka_unit_test(test_grown),
		cmocka_unit_test(test_store_without_copies),
		cmocka_unit_test(test_base_changed),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_unbind),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
