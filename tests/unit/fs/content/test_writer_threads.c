/* SPDX-License-Identifier: Apache-2.0 */
/* Many writers, readers and publishers at once. */
#include "file_rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/budget.h"
#include "memstore.h"

#define PART (64 * KIB)

struct writer {
	pthread_t thread;
	struct rig *rig;
	struct file *file;
	char name[16];
	size_t size;
	int rc;
};

static void *write_file(void *arg)
{
	struct writer *w = arg;

	w->rc = file_rig_write(w->file, 0, w->size);
	if (!w->rc)
		w->rc = file_publish(w->file);
	file_close(w->file);
	return NULL;
}

/* A hundred writers, 32 MiB of memory, a slow store: all end. */
static void test_hundred_writers(void **state)
{
	static struct writer w[100];
	struct rig r;

	file_rig_open(&r, MIB, 32 * MIB);
	memstore_delay(r.store, 5);
	for (unsigned i = 0; i < COUNT(w); i++) {
		snprintf(w[i].name, sizeof(w[i].name), "f%u", i);
		w[i].rig = &r;
		w[i].size = MIB + 10000 * i;
		w[i].file = file_rig_create(&r, w[i].name);
	}
	for (unsigned i = 0; i < COUNT(w); i++)
		pthread_create(&w[i].thread, NULL, write_file, &w[i]);
	for (unsigned i = 0; i < COUNT(w); i++)
		pthread_join(w[i].thread, NULL);
	memstore_delay(r.store, 0);
	for (unsigned i = 0; i < COUNT(w); i++) {
		row_number(w[i].name, w[i].rc, 0);
		file_rig_check_object(&r, w[i].name, w[i].size);
	}
	assert_true(budget_peak(r.env.budget) <= 32 * MIB);
	file_rig_close(&r);
}

/* One writes, one reads, one publishes: every read is of what was written. */
struct crowd {
	struct file *file;
	bool stop;
	int rc;
};

static void *publish_often(void *arg)
{
	struct crowd *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
		int rc = file_publish(c->file);

		if (rc)
			__atomic_store_n(&c->rc, rc, __ATOMIC_RELEASE);
		usleep(1000);
	}
	return NULL;
}

static void *read_often(void *arg)
{
	struct crowd *c = arg;
	char *got = malloc(MIB);
	unsigned rnd = 1;

	while (!__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
		uint64_t at = (uint64_t)rand_r(&rnd) % (3 * MIB);
		long n = file_rig_read(c->file, at, got, 1 + rnd % MIB);

		if (n < 0)
			__atomic_store_n(&c->rc, (int)n, __ATOMIC_RELEASE);
		else if (memcmp(got, rig_bytes + at, (size_t)n) != 0)
			__atomic_store_n(&c->rc, -EBADMSG, __ATOMIC_RELEASE);
	}
	free(got);
	return NULL;
}

static void test_all_at_once(void **state)
{
	struct crowd c = { 0 };
	pthread_t t[3];
	struct rig r;

	file_rig_open(&r, PART, 16 * MIB);
	memstore_delay(r.store, 1);
	c.file = file_rig_create(&r, "a");
	pthread_create(&t[0], NULL, publish_often, &c);
	pthread_create(&t[1], NULL, read_often, &c);
	pthread_create(&t[2], NULL, read_often, &c);
	for (uint64_t at = 0; at < 3 * MIB; at += 30000) {
		uint64_t end = at + 30000 < 3 * MIB ? at + 30000 : 3 * MIB;

		assert_int_equal(file_rig_write(c.file, at, end), 0);
		assert_int_equal(file_rig_write(c.file, at / 2, at / 2 + 50),
				 0);
	}
	__atomic_store_n(&c.stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(c.rc, 0);
	memstore_delay(r.store, 0);
	assert_int_equal(file_publish(c.file), 0);
	file_rig_check_object(&r, "a", 3 * MIB);
	file_close(c.file);
	file_rig_close(&r);
}

SUITE(writer_threads)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hundred_writers),
		cmocka_unit_test(test_all_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
