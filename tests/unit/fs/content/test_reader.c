/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers over the block cache: what they fetch, what they copy, which of them
 * wait. reader.c, data.c.
 */
#include "file_rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/budget.h"
#include "fs/fs.h"
#include "memstore.h"

/* A cold sequential read keeps many ranges under way and copies nothing. */
static void test_sequential(void **state)
{
	size_t size = 64 * MIB, step = 128 * KIB;
	char *bytes = malloc(size), *got = malloc(step);
	unsigned most = 0;
	struct reader rd;
	struct file *f;
	struct rig r;

	file_rig_pattern(bytes, size, 9);
	file_rig_open(&r, 0, 512 * MIB);
	file_rig_poke(&r, "a", bytes, size);
	f = file_rig_find(&r, "a");
	reader_init(&rd, f);
	for (uint64_t at = 0; at < size; at += step) {
		unsigned before = memstore_calls(r.store, "get");
		struct fs_data d;

		assert_int_equal(reader_read(&rd, f, at, step, &d), 0);
		assert_null(d.own);
		assert_int_equal(file_rig_gather(&d, got), step);
		assert_memory_equal(got, bytes + at, step);
		data_release(&d);
		if (memstore_calls(r.store, "get") - before > most)
			most = memstore_calls(r.store, "get") - before;
	}
	assert_true(memstore_calls(r.store, "get") < 100);
	assert_true(most >= 2);
	reader_clear(&rd);
	file_close(f);
	file_rig_close(&r);
	free(bytes);
	free(got);
}

static void test_random_fetches_little(void **state)
{
	size_t size = 16 * MIB;
	char *bytes = malloc(size), got[4096];
	struct reader rd;
	struct file *f;
	struct rig r;

	file_rig_pattern(bytes, size, 9);
	file_rig_open(&r, 0, 512 * MIB);
	file_rig_poke(&r, "a", bytes, size);
	f = file_rig_find(&r, "a");
	reader_init(&rd, f);
	for (unsigned i = 1; i < 100; i++) {
		uint64_t at = (i * 7919 % 4000) * 4096 + 17;
		struct fs_data d;

		assert_int_equal(reader_read(&rd, f, at, 4000, &d), 0);
		assert_int_equal(file_rig_gather(&d, got), 4000);
		assert_memory_equal(got, bytes + at, 4000);
		data_release(&d);
	}
	assert_true(budget_used(r.env.budget) <= 100 * 8192);
	reader_clear(&rd);
	file_close(f);
	file_rig_close(&r);
	free(bytes);
}

struct stream {
	pthread_t thread;
	struct rig *rig;
	const char *bytes;
	size_t size;
	unsigned seed;
	int rc;
};

/* Reads of all sizes, mostly in order. */
static void *read_stream(void *arg)
{
	struct stream *s = arg;
	struct file *f = file_rig_find(s->rig, "a");
	char *got = malloc(MIB);
	struct reader rd;
	uint64_t at = 0;

	reader_init(&rd, f);
	while (at < s->size && !s->rc) {
		size_t n = 1 + (size_t)rand_r(&s->seed) % MIB;
		struct fs_data d;

		if (rand_r(&s->seed) % 8 == 0)
			at = (uint64_t)rand_r(&s->seed) % s->size;
		s->rc = reader_read(&rd, f, at, n, &d);
		if (s->rc)
			break;
		file_rig_gather(&d, got);
		if (memcmp(got, s->bytes + at, d.len) != 0)
			s->rc = -EBADMSG;
		at += d.len;
		data_release(&d);
	}
	reader_clear(&rd);
	file_close(f);
	free(got);
	return NULL;
}

/* Sixteen readers of 8 MiB with 2 MiB of memory: all end, none is wrong. */
static void test_little_memory(void **state)
{
	size_t size = 8 * MIB;
	struct stream s[16] = { 0 };
	char *bytes = malloc(size);
	struct rig r;

	file_rig_pattern(bytes, size, 9);
	file_rig_open(&r, 0, 2 * MIB);
	file_rig_poke(&r, "a", bytes, size);
	memstore_delay(r.store, 1);
	for (unsigned i = 0; i < COUNT(s); i++) {
		s[i] = (struct stream){
			.rig = &r, .bytes = bytes, .size = size, .seed = i + 1
		};
		pthread_create(&s[i].thread, NULL, read_stream, &s[i]);
	}
	for (unsigned i = 0; i < COUNT(s); i++) {
		pthread_join(s[i].thread, NULL);
		assert_int_equal(s[i].rc, 0);
	}
	assert_true(budget_peak(r.env.budget) <= 2 * MIB);
	file_rig_close(&r);
	free(bytes);
}

static void *empty_soon(void *arg)
{
	usleep(50000);
	return file_reset(arg) ? arg : NULL;
}

/* A file that is emptied while it is read ends early: no byte is one that it
 * never had. */
static void test_emptied_amid(void **state)
{
	size_t local = 300 * KIB, size = 400 * KIB;
	char *bytes = malloc(size), *got = malloc(size);
	struct reader rd;
	struct fs_data d;
	struct file *f;
	struct rig r;
	pthread_t t;
	void *failed;

	file_rig_pattern(bytes, size, 9);
	file_rig_open(&r, 0, 64 * MIB);
	file_rig_poke(&r, "a", bytes, size);
	f = file_rig_find(&r, "a");
	assert_int_equal(file_write(f, local, bytes + local, size - local), 0);
	memstore_delay(r.store, 300);
	reader_init(&rd, f);
	pthread_create(&t, NULL, empty_soon, f);
	assert_int_equal(reader_read(&rd, f, 0, size, &d), 0);
	pthread_join(t, &failed);
	assert_null(failed);
	assert_in_range(d.len, 0, size);
	assert_int_equal(file_rig_gather(&d, got), d.len);
	assert_memory_equal(got, bytes, d.len);
	data_release(&d);
	reader_clear(&rd);
	file_close(f);
	file_rig_close(&r);
	free(bytes);
	free(got);
}

SUITE(reader)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequential),
		cmocka_unit_test(test_random_fetches_little),
		cmocka_unit_test(test_little_memory),
		cmocka_unit_test(test_emptied_amid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
