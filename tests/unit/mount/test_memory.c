/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a daemon: the file system and the gateway share one budget.
 * Both write and read at once in 32 MiB, get through, and stay within it.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/budget.h"
#include "base/buf.h"
#include "fs_fixture.h"
#include "upload_rig.h"

#define MIB ((size_t)1 << 20)
#define MEMORY (32 * MIB)
#define SIZE (12 * MIB)
#define EACH 4 /* threads of a kind */
#define IN_MEM BOB FORM_TYPE "stage_name: mem\r\n"

static struct upload_rig rig;
static struct mount m;
static struct budget *share;
static char *content;

struct worker {
	pthread_t thread;
	unsigned number;
	bool good;
};

static void with_share(struct gateway_settings *set)
{
	set->share = share;
}

static void open_both(void)
{
	struct fs_settings set = mount_settings;

	share = budget_new(MEMORY / 4);
	upload_rig_open(&rig, with_share);
	set.budget = rig.base.budget;
	mount_on(&m, store_ref(rig.mem), "p/", false, &set);
	content = malloc(SIZE);
	assert_non_null(content);
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (char)(i * 31 + (i >> 12));
}

static void close_both(void)
{
	mount_down(&m);
	row_number("all memory is given back", budget_used(rig.base.budget), 0);
	row_number("all of the uploads' too", budget_used(share), 0);
	upload_rig_close(&rig);
	budget_free(share);
	free(content);
}

static void *write_one(void *arg)
{
	struct worker *w = arg;
	struct handle *h;
	char name[16];
	int rc;

	snprintf(name, sizeof(name), "w%u", w->number);
	rc = mount_create(&m, name, &h);
	for (size_t at = 0; !rc && at < SIZE; at += MIB / 8)
		rc = fs_file_write(m.fs, h, (off_t)at, content + at, MIB / 8);
	w->good = !rc && !fs_file_flush(m.fs, h);
	fs_release(m.fs, h);
	return NULL;
}

static void *read_one(void *arg)
{
	struct worker *w = arg;
	char *got = malloc(SIZE + 1);
	char name[16];

	snprintf(name, sizeof(name), "r%u", w->number);
	w->good = got && mount_cat(&m, name, got, SIZE + 1) == (int)SIZE &&
		  !memcmp(got, content, SIZE);
	free(got);
	return NULL;
}

static void *upload_one(void *arg)
{
	struct worker *w = arg;
	struct buf form = BUF_INIT(2 * SIZE);
	struct reply r;
	char name[16];

	snprintf(name, sizeof(name), "u%u", w->number);
	upload_rig_form(&form, name, SIZE, 0);
	upload_rig_send(&rig, IN_MEM, form.data, form.len, &r);
	w->good = r.status == 200;
	reply_clear(&r);
	buf_clear(&form);
	return NULL;
}

static void put_objects(void)
{
	const struct store_body body = { .data = content,
					 .fd = -1,
					 .len = SIZE };
	struct object_info info;

	for (unsigned i = 0; i < EACH; i++) {
		char key[16];

		snprintf(key, sizeof(key), "p/r%u", i);
		assert_int_equal(
			store_put(rig.mem, key, &body, NULL, NULL, &info), 0);
	}
}

static void test_mount_and_gateway(void **state)
{
	void *(*const kinds[])(void *) = { write_one, read_one, upload_one };
	static const char *const names[] = { "written", "read", "uploaded" };
	struct worker workers[COUNT(kinds)][EACH] = { 0 };

	open_both();
	put_objects();
	memstore_delay(rig.mem, 5);
	for (unsigned i = 0; i < COUNT(kinds) * EACH; i++) {
		struct worker *w = &workers[i % COUNT(kinds)][i / COUNT(kinds)];

		w->number = i / COUNT(kinds);
		assert_int_equal(pthread_create(&w->thread, NULL,
						kinds[i % COUNT(kinds)], w),
				 0);
	}
	for (unsigned i = 0; i < COUNT(kinds) * EACH; i++)
		pthread_join(workers[i % COUNT(kinds)][i / COUNT(kinds)].thread,
			     NULL);
	for (unsigned k = 0; k < COUNT(kinds); k++)
		for (unsigned i = 0; i < EACH; i++)
			row_check(names[k], workers[k][i].good);
	memstore_delay(rig.mem, 0);
	for (unsigned i = 0; i < EACH; i++) {
		char key[16];

		snprintf(key, sizeof(key), "p/w%u", i);
		row_check(key, upload_rig_there(rig.mem, key, SIZE, 0));
		snprintf(key, sizeof(key), "p/u%u", i);
		row_check(key, upload_rig_there(rig.mem, key, SIZE, 0));
	}
	row_check("within the memory", budget_peak(rig.base.budget) <= MEMORY);
	row_check("which is used", budget_peak(rig.base.budget) > MEMORY / 2);
	row_check("uploads have a quarter of it",
		  budget_peak(share) <= MEMORY / 4);
	close_both();
}

/* A store that does not answer: what is on its way there leaves others room. */
static void test_uploads_that_do_not_end(void **state)
{
	struct worker uploads[EACH] = { 0 }, reader = { 0 };

	open_both();
	put_objects();
	memstore_delay(rig.mem, 2000);
	for (unsigned i = 0; i < EACH; i++) {
		uploads[i].number = i;
		assert_int_equal(pthread_create(&uploads[i].thread, NULL,
						upload_one, &uploads[i]),
				 0);
	}
	while (!memstore_uploads(rig.mem))
		sched_yield();
	memstore_delay(rig.mem, 0);
	read_one(&reader);
	row_check("a reader gets through", reader.good);
	row_check("uploads have a quarter of it",
		  budget_peak(share) <= MEMORY / 4);
	for (unsigned i = 0; i < EACH; i++) {
		pthread_join(uploads[i].thread, NULL);
		row_check("and they end", uploads[i].good);
	}
	close_both();
}

/* Programs that keep files open and write no more hold memory for ever. */
static void test_writers_that_pause(void **state)
{
	struct worker upload = { 0 };
	struct handle *h[2 * EACH];

	open_both();
	for (unsigned i = 0; i < COUNT(h); i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%u", i);
		assert_int_equal(mount_create(&m, name, &h[i]), 0);
		assert_int_equal(fs_file_write(m.fs, h[i], 0, content, MIB), 0);
	}
	row_check("they hold half of it",
		  budget_used(rig.base.budget) > MEMORY / 3);
	upload_one(&upload);
	row_check("an upload gets through", upload.good);
	for (unsigned i = 0; i < COUNT(h); i++) {
		row_number("and so do they", fs_file_flush(m.fs, h[i]), 0);
		fs_release(m.fs, h[i]);
	}
	close_both();
}

SUITE(memory)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mount_and_gateway),
		cmocka_unit_test(test_uploads_that_do_not_end),
		cmocka_unit_test(test_writers_that_pause),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
