/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another machine replaces an object while this mount believes what it knows of
 * it: what an open sees, what was opened before, and what that costs.
 *
 * Covers: fs/content/file_base.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "fs/inval_queue.h"

static int cost_now(struct mount *m)
{
	static const char *const ops[] = { "stat",   "head", "list", "put",
					   "remove", "copy", "get" };
	int sum = 0;

	for (size_t k = 0; k < COUNT(ops); k++)
		sum += memstore_calls(m->store, ops[k]);
	return sum;
}

static void *listen(void *arg)
{
	struct mount *m = arg;
	struct inval n;

	while (inval_queue_next(fs_inval_queue(m->fs), &n))
		;
	return NULL;
}

static off_t size_of(struct mount *m, struct inode *i)
{
	struct stat st;
	double timeout;

	assert_int_equal(fs_getattr(m->fs, i, NULL, &st, &timeout), 0);
	return st.st_size;
}

/* An edit keeps what the object has, for the one GET that its open makes. */
static void test_headers(void **state)
{
	const struct store_body body = { .data = "x", .fd = -1, .len = 1 };
	const struct store_meta meta = { .content_type = "text/x-mine" };
	struct object_details d;
	struct mount m;
	struct handle *h;
	struct stat st;
	unsigned asked;

	mount_up(&m, "", 60, false);
	assert_int_equal(store_put(m.store, "f", &body, &meta, NULL, NULL), 0);
	assert_int_equal(mount_stat(&m, "f", &st), 0);
	asked = cost_now(&m);
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_APPEND, &h), 0);
	assert_int_equal(fs_file_write(m.fs, h, 1, "y", 1), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	assert_int_equal(cost_now(&m), asked + 2); /* and the PUT */
	assert_int_equal(store_head(m.store, "f", &d), 0);
	assert_int_equal(d.info.size, 2);
	row_equal("type", props_get(&d.props, PROP_TYPE), "text/x-mine");
	mount_down(&m);
}

/* What an open for appending has fetched goes over no other object. */
static void test_appended_elsewhere(void **state)
{
	char text[64];
	struct mount m;
	struct handle *h;

	mount_up(&m, "", 60, false);
	for (int gone = 0; gone < 2; gone++) {
		store_has(&m, "f", "old");
		assert_int_equal(mount_open(&m, "f", O_WRONLY | O_APPEND, &h),
				 0);
		assert_int_equal(fs_file_write(m.fs, h, 3, "!", 1), 0);
		if (gone)
			assert_int_equal(memstore_poke_remove(m.store, "f"), 0);
		else
			store_has(&m, "f", "other");
		assert_int_equal(fs_file_flush(m.fs, h), -ESTALE);
		fs_release(m.fs, h);
		if (!gone)
			assert_int_equal(mount_cat(&m, "f", text, sizeof(text)),
					 5);
	}
	assert_int_equal(mount_stat(&m, "f", &(struct stat){ 0 }), -ENOENT);
	mount_down(&m);
}

/* Another machine replaces what is open: what was opened before is an orphan,
 * and neither reads nor writes what stands under its name now. */
static void test_stale(void **state)
{
	struct mount m;
	struct handle *h, *k;
	struct inode *i, *now;
	bool keep;
	char text[64];

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_write(&m, "f", "old"), 0);
	assert_int_equal(mount_open(&m, "f", O_RDWR, &h), 0);
	i = mount_find(&m, "f", NULL);
	store_has(&m, "f", "newer");
	/* the kernel finds the other inode when it looks again */
	assert_int_equal(fs_file_open(m.fs, i, O_RDONLY, &k, &keep), -ESTALE);
	now = mount_find(&m, "f", NULL);
	assert_ptr_not_equal(now, i);
	assert_int_equal(size_of(&m, now), 5);
	assert_int_equal(size_of(&m, i), 3);
	assert_int_equal(fs_file_open(m.fs, now, O_RDONLY, &k, &keep), 0);
	assert_false(keep);
	assert_int_equal(mount_read(&m, k, text, sizeof(text)), 5);
	assert_string_equal(text, "newer");
	assert_int_equal(mount_read(&m, h, text, sizeof(text)), -ESTALE);
	assert_int_equal(fs_file_write(m.fs, h, 0, "X", 1), -ESTALE);
	assert_int_equal(fs_file_flush(m.fs, h), -ESTALE);
	fs_release(m.fs, h);
	fs_release(m.fs, k);
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 5);
	assert_string_equal(text, "newer");

	/* a listing finds out as well, and shows the new size */
	assert_int_equal(mount_open(&m, "f", O_RDONLY, &h), 0);
	assert_int_equal(mount_read(&m, h, text, sizeof(text)), 5);
	store_has(&m, "f", "the newest");
	store_has(&m, "g", "");
	usleep(1000);
	assert_int_equal(mount_ls(&m, "", text, sizeof(text)), 0);
	mount_forget(&m, i);
	i = mount_find(&m, "f", NULL);
	assert_ptr_not_equal(now, i);
	assert_int_equal(size_of(&m, i), 10);
	assert_int_equal(mount_read(&m, h, text, sizeof(text)), 5);
	fs_release(m.fs, h);

	/* what was written to stays, and wins */
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_APPEND, &h), 0);
	assert_int_equal(fs_file_write(m.fs, h, 0, "!", 1), 0);
	store_has(&m, "f", "other");
	mount_forget(&m, now);
	now = mount_find(&m, "f", NULL);
	assert_ptr_equal(now, i);
	assert_int_equal(size_of(&m, i), 11);
	assert_int_equal(fs_file_flush(m.fs, h),
			 -ESTALE); /* its base is gone */
	fs_release(m.fs, h);
	mount_forget(&m, i);
	mount_forget(&m, now);
	mount_down(&m);
}

/* Nothing is open: the inode stays, and open sees what is there, as does the
 * kernel, which has the old size. */
static void test_replaced(void **state)
{
	struct mount m;
	struct handle *h;
	struct inode *i;
	struct stat st;
	pthread_t listener;
	double timeout;
	bool keep;
	char text[64];

	mount_up(&m, "", 60, false);
	store_has(&m, "f", "old");
	i = mount_find(&m, "f", NULL);
	store_has(&m, "f", "newer");
	/* the kernel cannot be told yet: so it is to look again */
	assert_int_equal(fs_file_open(m.fs, i, O_RDONLY, &h, &keep), -ESTALE);
	assert_int_equal(fs_file_open(m.fs, i, O_RDONLY, &h, &keep), -ESTALE);
	assert_ptr_equal(mount_find(&m, "f", NULL), i);
	mount_forget(&m, i);
	assert_int_equal(fs_file_open(m.fs, i, O_RDONLY, &h, &keep), 0);
	assert_int_equal(mount_read(&m, h, text, sizeof(text)), 5);
	fs_release(m.fs, h);

	inval_queue_begin(fs_inval_queue(m.fs));
	pthread_create(&listener, NULL, listen, &m);
	for (unsigned k = 0; k < 100; k++) {
		static const int flags[] = { O_RDONLY, O_RDWR,
					     O_WRONLY | O_APPEND,
					     O_WRONLY | O_TRUNC };
		int how = flags[k % COUNT(flags)], size, rc;

		size = snprintf(text, sizeof(text), "%0*u", (int)k % 7 + 1, k);
		store_has(&m, "f", text);
		do /* until the listener has come */
			rc = fs_file_open(m.fs, i, how, &h, &keep);
		while (k == 0 && rc == -ESTALE);
		assert_int_equal(rc, 0);
		assert_int_equal(size_of(&m, i), how & O_TRUNC ? 0 : size);
		if (how == O_RDONLY)
			assert_int_equal(mount_read(&m, h, text, 64), size);
		fs_release(m.fs, h);
	}
	inval_queue_end(fs_inval_queue(m.fs));
	pthread_join(listener, NULL);
	mount_forget(&m, i);

	mount_down(&m);

	/* stat of what has gone since is an answer, not a failure */
	mount_up(&m, "", 0, false);
	store_has(&m, "f", "x");
	i = mount_find(&m, "f", NULL);
	assert_int_equal(store_remove(m.store, "f"), 0);
	assert_int_equal(fs_getattr(m.fs, i, NULL, &st, &timeout), -ENOENT);
	mount_forget(&m, i);
	mount_down(&m);
}

/* That open asks costs a reader nothing. */
static void test_costs(void **state)
{
	static const struct {
		int flags;
		unsigned gets, heads;
	} rows[] = {
		{ O_RDONLY, 1, 0 }, /* the bytes are not here yet */
		{ O_RDONLY, 0, 0 }, /* all of them are, and were so just now */
		{ O_RDWR, 0, 1 },
		{ O_WRONLY | O_APPEND, 1, 0 }, /* an edit needs them */
		{ O_WRONLY | O_TRUNC, 0, 0 },
	};
	struct inode *known;
	struct mount m;
	struct handle *h;
	struct stat st;
	char text[64];

	mount_up(&m, "", 60, false);
	store_has(&m, "f", "text");
	assert_int_equal(mount_stat(&m, "f", &st), 0);
	known = mount_find(&m, "f", NULL); /* by the kernel */
	/* what was only written to has no pages to begin with */
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_APPEND, &h), 0);
	assert_int_equal(fs_file_write(m.fs, h, 0, "more", 4), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	for (size_t k = 0; k < COUNT(rows); k++) {
		unsigned gets = memstore_calls(m.store, "get");
		unsigned heads = memstore_calls(m.store, "head");
		unsigned all = cost_now(&m);

		assert_int_equal(mount_open(&m, "f", rows[k].flags, &h), 0);
		if ((rows[k].flags & O_ACCMODE) != O_WRONLY)
			assert_int_equal(mount_read(&m, h, text, 64), 8);
		gets = memstore_calls(m.store, "get") - gets;
		heads = memstore_calls(m.store, "head") - heads;
		assert_int_equal(gets, rows[k].gets);
		assert_int_equal(heads, rows[k].heads);
		assert_int_equal(cost_now(&m) - all, gets + heads);
		fs_release(m.fs, h);
	}
	mount_forget(&m, known);
	mount_down(&m);
}

SUITE(replaced)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_appended_elsewhere),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_costs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
