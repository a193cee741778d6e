/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts that leave while the program writes: writer.c, upload.c, turn.c.
 *
 * Covers: fs/content/publish.c fs/content/upload.c fs/content/writer.c
 */
#include "file_rig.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/waiter.h"
#include "fs/content/spill.h"
#include "fs/content/turn.h"
#include "memstore.h"

#define PART (64 * KIB)

static int setup(void **state)
{
	signal(SIGXFSZ, SIG_IGN);
	return 0;
}

static void test_leave_before_close(void **state)
{
	struct rig r;
	struct file *f;

	file_rig_open(&r, PART, 64 * MIB);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_rig_write(f, 0, PART), 0);
	assert_int_equal(memstore_calls(r.store, "open"), 0);
	assert_int_equal(file_rig_write(f, PART, 20 * PART), 0);
	assert_int_equal(memstore_uploads(r.store), 1);
	assert_int_equal(memstore_calls(r.store, "part"), 19);
	file_rig_check_read(f, 0, 20 * PART);
	file_rig_check_read(f, 5 * PART - 100, 200);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_calls(r.store, "part"), 20);
	assert_int_equal(memstore_calls(r.store, "put"), 0);
	file_rig_check_object(&r, "a", 20 * PART);
	file_close(f);
	file_rig_close(&r);
}

/* What is exactly one part is one PUT. */
static void test_exactly_one_part(void **state)
{
	struct rig r;
	struct file *f;

	file_rig_open(&r, PART, 64 * MIB);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_rig_write(f, 0, PART), 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_calls(r.store, "put"), 1);
	assert_int_equal(memstore_calls(r.store, "open"), 0);
	file_rig_check_object(&r, "a", PART);
	file_close(f);
	file_rig_close(&r);
}

/* A part that is written to after it has left is sent again, once. */
static void test_sent_again(void **state)
{
	struct rig r;
	struct file *f;

	file_rig_open(&r, PART, 64 * MIB);
	memstore_delay(r.store, 20);
	f = file_rig_create(&r, "a");
	rig_bytes[PART + 7] ^= 1;
	assert_int_equal(file_rig_write(f, 0, 4 * PART + 1), 0);
	rig_bytes[PART + 7] ^= 1;
	assert_int_equal(file_rig_write(f, PART, PART + 10), 0);
	file_rig_check_read(f, 0, 4 * PART);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_calls(r.store, "part"), 6);
	memstore_delay(r.store, 0);
	file_rig_check_object(&r, "a", 4 * PART + 1);
	file_close(f);
	file_rig_close(&r);
}

/* A part that fails is told by the next write, and sent again by publish. */
static void test_part_fails(void **state)
{
	struct rig r;
	struct file *f;

	file_rig_open(&r, PART, 64 * MIB);
	f = file_rig_create(&r, "a");
	memstore_fail(r.store, "part", 2, -EACCES);
	assert_int_equal(file_rig_write(f, 0, 4 * PART), -EACCES);
	assert_int_equal(file_write(f, 2 * PART, "x", 1), -EACCES);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(file_rig_write(f, 2 * PART, 4 * PART), 0);
	assert_int_equal(file_publish(f), 0);
	file_rig_check_object(&r, "a", 4 * PART);
	file_close(f);
	file_rig_close(&r);
}

/* The store refuses for good: the old object stays, no upload is left, and
 * later all is well again. */
static void test_refused(void **state)
{
	static const char *const ops[] = { "open", "part", "complete" };

	for (size_t i = 0; i < COUNT(ops); i++) {
		struct rig r;
		struct file *f;
		char got[8];

		file_rig_open(&r, PART, 64 * MIB);
		file_rig_poke(&r, "a", "old", 3);
		f = file_rig_find(&r, "a");
		assert_int_equal(file_reset(f), 0);
		memstore_fail(r.store, ops[i], 0, -EACCES);
		if (file_rig_write(f, 0, 4 * PART) && i == 2)
			fail_msg("a write failed before the completion");
		row_number(ops[i], file_publish(f), i == 0 ? 0 : -EACCES);
		row_number(ops[i], memstore_uploads(r.store), 0);
		if (i > 0)
			assert_int_equal(file_rig_object(&r, "a", got, 8), 3);
		memstore_fail(r.store, ops[i], 1, 0);
		assert_int_equal(file_rig_write(f, 0, 4 * PART), 0);
		assert_int_equal(file_publish(f), 0);
		file_rig_check_object(&r, "a", 4 * PART);
		file_close(f);
		file_rig_close(&r);
	}
}

/* Closed without publishing, as after SIGKILL of the program: nothing is. */
static void test_given_up(void **state)
{
	struct rig r;
	struct file *f;
	char got[8];

	file_rig_open(&r, PART, 64 * MIB);
	memstore_delay(r.store, 2000);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_rig_write(f, 0, 4 * PART), 0);
	file_close(f);
	memstore_delay(r.store, 0);
	assert_int_equal(memstore_uploads(r.store), 0);
	assert_int_equal(file_rig_object(&r, "a", got, 8), -ENOENT);
	file_rig_close(&r);
}

/* No memory is left: parts are filled in the spill file and leave from it. */
static void test_no_memory(void **state)
{
	size_t memory = 64 * MIB;
	struct rig r;
	struct file *f;

	file_rig_open(&r, PART, memory);
	assert_true(budget_try(r.env.budget, memory));
	f = file_rig_create(&r, "a");
	assert_int_equal(file_rig_write(f, 0, 6 * PART), 0);
	assert_int_equal(memstore_calls(r.store, "part"), 5);
	assert_int_equal(file_publish(f), 0);
	file_rig_check_object(&r, "a", 6 * PART);
	file_close(f);
	budget_give(r.env.budget, memory);
	file_rig_close(&r);
}

struct limit {
	struct rlimit old;
};

/* From now on files may not grow: a disk that is full. */
static struct limit full_disk(void)
{
	struct limit l;
	struct rlimit small;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l.old), 0);
	small = l.old;
	small.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	return l;
}

/* What is kept behind the writer's back has been written, or is lost. */
static void kept(struct file *f)
{
	spill_wait(f->content_.spill, 0, UINT64_MAX);
}

static void disk_again(const struct limit *l)
{
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l->old), 0);
}

/* A full disk does not end sequential writing, only what needs the disk. */
static void test_full_disk(void **state)
{
	struct limit l;
	struct rig r;
	struct file *f;
	char got[8];

	file_rig_open(&r, PART, 64 * MIB);
	f = file_rig_create(&r, "a");
	l = full_disk();
	assert_int_equal(file_rig_write(f, 0, 10 * PART + 5), 0);
	kept(f);
	file_rig_check_read(f, 10 * PART, 5);
	assert_int_equal(file_rig_read(f, PART, got, 8), -ENOSPC);
	assert_int_equal(file_write(f, PART, "x", 1), -ENOSPC);
	assert_int_equal(file_truncate(f, PART + 5), -ENOSPC);
	assert_int_equal(file_write(f, 40 * PART, "x", 1), -ENOSPC);
	disk_again(&l);
	assert_int_equal(file_write(f, PART, "x", 1), -ENOSPC);
	assert_int_equal(file_publish(f), 0);
	file_rig_check_object(&r, "a", 10 * PART + 5);
	file_rig_check_read(f, PART, 100);
	file_close(f);
	file_rig_close(&r);
}

/* Parts that only the store had, and it refused the whole: final. */
static void test_lost_for_good(void **state)
{
	struct limit l;
	struct rig r;
	struct file *f;

	file_rig_open(&r, PART, 64 * MIB);
	f = file_rig_create(&r, "a");
	l = full_disk();
	assert_int_equal(file_rig_write(f, 0, 4 * PART), 0);
	kept(f);
	disk_again(&l);
	memstore_fail(r.store, "complete", 1, -EACCES);
	assert_int_equal(file_publish(f), -EACCES);
	assert_int_equal(file_publish(f), -EIO);
	assert_int_equal(file_publish(f), -EIO);
	assert_int_equal(file_reset(f), 0);
	assert_int_equal(file_rig_write(f, 0, 4 * PART), 0);
	assert_int_equal(file_publish(f), 0);
	file_rig_check_object(&r, "a", 4 * PART);
	file_close(f);
	file_rig_close(&r);
}

static void *interrupt_soon(void *waiter)
{
	usleep(50000);
	waiter_interrupt(waiter);
	return NULL;
}

/* A writer that waits for its parts can be interrupted; it took nothing. */
static void test_interrupted(void **state)
{
	uint64_t at = 0;
	struct rig r;
	struct file *f;
	pthread_t t;
	int rc = 0;

	file_rig_open(&r, PART, 64 * MIB);
	memstore_delay(r.store, 3000);
	f = file_rig_create(&r, "a");
	waiter_begin(waiter_self());
	pthread_create(&t, NULL, interrupt_soon, waiter_self());
	for (; !rc && at < 4 * MIB - 10000; at += rc ? 0 : 10000)
		rc = file_write(f, at, rig_bytes + at, 10000);
	assert_int_equal(rc, -EINTR);
	pthread_join(t, NULL);
	waiter_begin(waiter_self());
	assert_int_equal(file_size(f, &(uint64_t){ 0 }), true);
	memstore_delay(r.store, 0);
	assert_int_equal(file_rig_write(f, at, 2 * MIB), 0);
	assert_int_equal(file_publish(f), 0);
	file_rig_check_object(&r, "a", 2 * MIB);
	file_close(f);
	file_rig_close(&r);
}

/* Parts of this file alone go on while a publish is interrupted. */
static void test_lost_ones_go_on(void **state)
{
	struct limit l;
	struct rig r;
	struct file *f;
	pthread_t t;

	file_rig_open(&r, PART, 64 * MIB);
	f = file_rig_create(&r, "a");
	l = full_disk();
	memstore_delay(r.store, 300);
	assert_int_equal(file_rig_write(f, 0, 4 * PART), 0);
	kept(f);
	disk_again(&l);
	waiter_begin(waiter_self());
	pthread_create(&t, NULL, interrupt_soon, waiter_self());
	assert_int_equal(file_publish(f), -EINTR);
	pthread_join(t, NULL);
	waiter_begin(waiter_self());
	assert_int_equal(file_publish(f), 0);
	memstore_delay(r.store, 0);
	file_rig_check_object(&r, "a", 4 * PART);
	file_close(f);
	file_rig_close(&r);
}

/* A part that was cut off while it was being sent, and written anew, is not
 * sent a second time before the first has ended. */
static void test_cut_while_sent(void **state)
{
	struct rig r;
	struct file *f;
	char *got = malloc(PART + 1);

	file_rig_open(&r, PART, 64 * MIB);
	f = file_rig_create(&r, "a");
	memstore_delay(r.store, 200);
	assert_int_equal(file_rig_write(f, 0, PART + 1), 0);
	assert_int_equal(memstore_calls(r.store, "part"), 1);
	assert_int_equal(file_truncate(f, 0), 0);
	assert_int_equal(file_write(f, 0, rig_bytes + 7, PART + 1), 0);
	assert_int_equal(memstore_calls(r.store, "part"), 1);
	assert_int_equal(file_publish(f), 0);
	memstore_delay(r.store, 0);
	assert_int_equal(file_rig_object(&r, "a", got, PART + 1), PART + 1);
	assert_memory_equal(got, rig_bytes + 7, PART + 1);
	free(got);
	file_close(f);
	file_rig_close(&r);
}

/* Two writers at once, of memory that is less than either could use. */
static void test_shares(void **state)
{
	struct rig r;
	struct file *f, *g;

	file_rig_open(&r, PART, 8 * PART);
	memstore_delay(r.store, 10);
	f = file_rig_create(&r, "a");
	g = file_rig_create(&r, "b");
	assert_int_equal(file_rig_write(f, 0, 5 * PART), 0);
	for (uint64_t at = 0; at < 30 * PART; at += PART) {
		assert_int_equal(
			file_rig_write(f, at + 5 * PART, at + 6 * PART), 0);
		assert_int_equal(file_rig_write(g, at, at + PART), 0);
	}
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(file_publish(g), 0);
	memstore_delay(r.store, 0);
	file_rig_check_object(&r, "a", 35 * PART);
	file_rig_check_object(&r, "b", 30 * PART);
	file_close(f);
	file_close(g);
	file_rig_close(&r);
}

/* What outgrows 10,000 parts is cut into longer ones, and sent anew. */
static void test_outgrows(void **state)
{
	struct rig r;
	struct file *f;

	file_rig_open(&r, 4 * KIB, 64 * MIB);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_rig_write(f, 0, 10 * 4 * KIB + 5), 0);
	assert_int_equal(memstore_calls(r.store, "part"), 10);
	assert_int_equal(file_truncate(f, 40960001), 0);
	assert_int_equal(memstore_uploads(r.store), 0);
	file_rig_check_read(f, 0, 10 * 4 * KIB + 5);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_calls(r.store, "part"), 10 + 1251);
	file_rig_check_read(f, 0, 10 * 4 * KIB + 5);
	/* as long as that is enough, they are as short as is wished */
	assert_int_equal(file_truncate(f, 3 * 4 * KIB), 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_calls(r.store, "part_copy"), 3);
	file_rig_check_object(&r, "a", 3 * 4 * KIB);
	file_close(f);
	file_rig_close(&r);
}

/* A store that says when the upload is to be completed that it wants parts of
 * one length has the whole of it once more. */
static void test_uneven(void **state)
{
	struct rig r;
	struct file *f;

	file_rig_open(&r, PART, 64 * MIB);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_rig_write(f, 0, 4 * PART + 1), 0);
	memstore_fail(r.store, "complete", 1, -EDOM);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_calls(r.store, "open"), 2);
	assert_int_equal(memstore_calls(r.store, "abort"), 1);
	assert_int_equal(memstore_calls(r.store, "part"), 10);
	file_rig_check_object(&r, "a", 4 * PART + 1);
	/* one that never has enough */
	assert_int_equal(file_write(f, 0, rig_bytes, 1), 0);
	memstore_fail(r.store, "complete", 0, -EDOM);
	assert_int_equal(file_publish(f), -EIO);
	memstore_fail(r.store, "complete", 0, 0);
	assert_int_equal(file_publish(f), 0);
	file_rig_check_object(&r, "a", 4 * PART + 1);
	file_close(f);
	file_rig_close(&r);
}

/* How often a write of 4 KiB by a program that wrote before takes the file's
 * lock. */
static unsigned long write_locks(struct file *f, uint64_t offset)
{
	unsigned long before;

	file_writer_add(f, 7, 7);
	before = f->lock.taken;
	assert_int_equal(file_write(f, offset, rig_bytes + offset, 4096), 0);
	assert_true(file_writer_known(f, 7));
	return f->lock.taken - before;
}

/* Parts that have left have given their memory back. */
static void all_given_back(struct file *f)
{
	unsigned pinned, tries = 0;

	do {
		usleep(tries ? 1000 : 0);
		lock_take(&f->lock);
		pinned = f->guarded_.n_pinned;
		lock_drop(&f->lock);
	} while (pinned && tries++ < 60000);
	assert_int_equal(pinned, 0);
}

/* To begin with the change, and to make the content whole again. */
static void test_few_locks(void **state)
{
	struct rig r;
	struct file *f;

	file_rig_open(&r, PART, 64 * MIB);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_rig_write(f, 0, 3 * PART + 1), 0);
	all_given_back(f);
	assert_int_equal(write_locks(f, 3 * PART + 1), 2); /* the tail */
	assert_int_equal(write_locks(f, 3 * PART + 1), 2);
	assert_int_equal(write_locks(f, PART), 2); /* the spill file */
	assert_int_equal(file_publish(f), 0);
	file_rig_check_object(&r, "a", 3 * PART + 4097);
	file_close(f);
	file_rig_close(&r);
	file_rig_open_local(&r);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_rig_write(f, 0, 4096), 0);
	assert_int_equal(write_locks(f, 4096), 2);
	assert_int_equal(write_locks(f, 0), 2);
	assert_int_equal(file_publish(f), 0);
	file_rig_check_object(&r, "a", 8192);
	file_close(f);
	file_rig_close(&r);
}

SUITE(writer)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leave_before_close),
		cmocka_unit_test(test_exactly_one_part),
		cmocka_unit_test(test_sent_again),
		cmocka_unit_test(test_part_fails),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_lost_for_good),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_lost_ones_go_on),
		cmocka_unit_test(test_cut_while_sent),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_outgrows),
		cmocka_unit_test(test_uneven),
		cmocka_unit_test(test_few_locks),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
