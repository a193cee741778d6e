/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File content against an array of bytes: thousands of random writes,
 * truncations, reads and publications, of which a third meet a fault. A failed
 * one leaves the old object as it was and no upload, and a later one succeeds.
 *
 * Covers: fs/content/file_fd.c fs/content/file_map.c
 */
#include "file_rig.h"

#include <errno.h>
#include <stdlib.h>

#include "memstore.h"

#define SPAN 70000U

struct model {
	struct rig rig;
	struct file *file;
	unsigned rnd;
	char now[SPAN + 1], published[SPAN + 1];
	size_t size, published_size;
	bool exists;
};

static unsigned pick(struct model *m, unsigned below)
{
	return (unsigned)rand_r(&m->rnd) % below;
}

/* At the end, at a part's border, or anywhere. */
static size_t pick_offset(struct model *m)
{
	switch (pick(m, 4)) {
	case 0:
	case 1:
		return m->size;
	case 2:
		return pick(m, SPAN / 4096) * 4096;
	}
	return pick(m, SPAN);
}

static void model_write(struct model *m)
{
	size_t at = pick_offset(m), n = 1 + pick(m, 9000);

	if (at > SPAN)
		at = SPAN;
	if (n > SPAN - at)
		n = SPAN - at;
	if (!n)
		return;
	if (at > m->size)
		memset(m->now + m->size, 0, at - m->size);
	file_rig_pattern(m->now + at, n, m->rnd);
	assert_int_equal(file_write(m->file, at, m->now + at, n), 0);
	if (at + n > m->size)
		m->size = at + n;
}

static void model_truncate(struct model *m)
{
	size_t size = pick(m, 3) ? pick(m, SPAN) : pick_offset(m);

	if (size > SPAN)
		size = SPAN;
	assert_int_equal(file_truncate(m->file, size), 0);
	if (size > m->size)
		memset(m->now + m->size, 0, size - m->size);
	m->size = size;
}

static void model_read(struct model *m)
{
	static char got[SPAN + 1];
	size_t at = pick(m, SPAN), n = 1 + pick(m, SPAN);
	size_t want = at < m->size ? m->size - at : 0;

	if (want > n)
		want = n;
	assert_int_equal(file_rig_read(m->file, at, got, n), want);
	assert_memory_equal(got, m->now + at, want);
}

/* What the store has is what was published last. */
static void model_compare(struct model *m)
{
	static char got[SPAN + 1];
	long n = file_rig_object(&m->rig, "f", got, SPAN + 1);

	if (!m->exists) {
		assert_int_equal(n, -ENOENT);
		return;
	}
	assert_int_equal(n, m->published_size);
	assert_memory_equal(got, m->published, m->published_size);
}

static void model_publish(struct model *m)
{
	static const char *const ops[] = { "put",  "part",     "part_copy",
					   "open", "complete", "get" };
	const char *op = ops[pick(m, COUNT(ops))];
	bool fault = pick(m, 3) == 0;
	int rc;

	if (fault)
		memstore_fail(m->rig.store, op, 0, -EACCES);
	rc = file_publish(m->file);
	memstore_fail(m->rig.store, op, 1, 0);
	assert_true(!rc || (fault && rc == -EACCES));
	if (!rc) {
		memcpy(m->published, m->now, m->size);
		m->published_size = m->size;
		m->exists = true;
	}
	assert_int_equal(memstore_uploads(m->rig.store), 0);
	model_compare(m);
}

static void model_reset(struct model *m)
{
	assert_int_equal(file_reset(m->file), 0);
	m->size = 0;
}

static void model_reopen(struct model *m)
{
	model_publish(m);
	if (!file_size(m->file, &(uint64_t){ 0 })) {
		file_close(m->file);
		m->file = file_rig_find(&m->rig, "f");
	}
}

static void model_step(struct model *m)
{
	unsigned dice = pick(m, 100);

	if (dice < 50)
		model_write(m);
	else if (dice < 75)
		model_read(m);
	else if (dice < 85)
		model_truncate(m);
	else if (dice < 96)
		model_publish(m);
	else if (dice < 97)
		model_reset(m);
	else
		model_reopen(m);
}

static void run_model(unsigned seed, uint64_t part_size, size_t memory,
		      unsigned delay_ms, unsigned steps)
{
	struct model *m = calloc(1, sizeof(*m));

	m->rnd = seed;
	file_rig_open(&m->rig, part_size, memory);
	memstore_delay(m->rig.store, delay_ms);
	m->file = file_rig_create(&m->rig, "f");
	while (steps--)
		model_step(m);
	memstore_delay(m->rig.store, 0);
	model_publish(m);
	file_close(m->file);
	file_rig_close(&m->rig);
	free(m);
}

static void test_model(void **state)
{
	for (unsigned seed = 1; seed <= 12; seed++)
		run_model(seed, 4 * KIB, 64 * MIB, 0, 1500);
}

/* A tail has 16 KiB of a part's 20, so most goes through the spill file. */
static void test_model_no_memory(void **state)
{
	for (unsigned seed = 21; seed <= 26; seed++)
		run_model(seed, 20 * KIB, 128 * KIB, 0, 1500);
}

/* Parts are on their way while the next steps are done. */
static void test_model_late(void **state)
{
	for (unsigned seed = 31; seed <= 34; seed++)
		run_model(seed, 4 * KIB, 256 * KIB, 1, 400);
}

SUITE(file_model)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_model_no_memory),
		cmocka_unit_test(test_model_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
