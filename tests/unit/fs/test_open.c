/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files, attributes and failures, by their names; many threads.
 *
 * Covers: fs/attributes.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int cost_now(struct mount *m)
{
	static const char *const ops[] = { "stat",   "head", "list", "put",
					   "remove", "copy", "get" };
	int sum = 0;

	for (size_t k = 0; k < COUNT(ops); k++)
		sum += memstore_calls(m->store, ops[k]);
	return sum;
}

static void test_open_files(void **state)
{
	struct mount m;
	struct handle *h, *r;
	struct stat st;
	char text[64];
	int cost;

	mount_up(&m, "p/", 60, false);
	/* a new file is there before its object is */
	assert_int_equal(mount_create(&m, "new", &h), 0);
	assert_int_equal(fs_file_write(m.fs, h, 0, "hello", 5), 0);
	assert_false(store_holds(&m, "p/new"));
	assert_int_equal(mount_stat(&m, "new", &st), 0);
	assert_int_equal(st.st_size, 5);
	assert_int_equal(mount_ls(&m, "", text, sizeof(text)), 0);
	assert_string_equal(text, "new ");
	/* removed before that: not a request */
	cost = cost_now(&m);
	assert_int_equal(mount_unlink(&m, "new"), 0);
	assert_int_equal(cost_now(&m), cost);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	assert_false(store_holds(&m, "p/new"));
	assert_int_equal(mount_stat(&m, "new", &st), -ENOENT);

	/* a reader keeps what it opened, when the name goes */
	assert_int_equal(mount_write(&m, "f", "bytes"), 0);
	assert_int_equal(mount_open(&m, "f", O_RDWR, &h), 0);
	assert_int_equal(fs_file_write(m.fs, h, 0, "BY", 2), 0);
	assert_int_equal(mount_unlink(&m, "f"), 0);
	fs_release(m.fs, h);
	assert_false(store_holds(&m, "p/f"));

	/* append by our own size */
	assert_int_equal(mount_write(&m, "log", "a"), 0);
	assert_int_equal(mount_open(&m, "log", O_WRONLY | O_APPEND, &h), 0);
	assert_int_equal(mount_open(&m, "log", O_WRONLY | O_APPEND, &r), 0);
	assert_int_equal(fs_file_write(m.fs, h, 1, "b", 1), 0);
	assert_int_equal(fs_file_write(m.fs, r, 1, "c", 1), 0);
	fs_release(m.fs, r);
	fs_release(m.fs, h);
	assert_int_equal(mount_cat(&m, "log", text, sizeof(text)), 3);
	assert_string_equal(text, "abc");
	mount_down(&m);
}

/* All bytes of an empty object are here: it is believed as long as its name. */
static void test_empty(void **state)
{
	struct mount m;
	char text[16];

	mount_up(&m, "", 60, false);
	store_has(&m, "d/a", "");
	store_has(&m, "d/b", "");
	assert_int_equal(mount_ls(&m, "d", text, sizeof(text)), 0);
	for (int k = 0; k < 3; k++) {
		row_number("cat", mount_cat(&m, "d/a", text, sizeof(text)), 0);
		row_number("cat", mount_cat(&m, "d/b", text, sizeof(text)), 0);
	}
	row_number("HEADs", memstore_calls(m.store, "head"), 0);
	row_number("GETs", memstore_calls(m.store, "get"), 0);
	mount_down(&m);

	mount_up(&m, "", 0, false);
	store_has(&m, "a", "");
	row_number("cat", mount_cat(&m, "a", text, sizeof(text)), 0);
	store_has(&m, "a", "two");
	row_number("once its name has grown old",
		   mount_cat(&m, "a", text, sizeof(text)), 3);
	mount_down(&m);
}

static void test_setattr(void **state)
{
	struct mount m;
	struct inode *i;
	struct handle *h;
	struct stat st, set = { 0 };
	double timeout;
	char text[64];
	int cost;

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_write(&m, "f", "0123456789"), 0);
	i = mount_find(&m, "f", NULL);
	cost = cost_now(&m);
	set.st_mode = 0600;
	set.st_uid = 5;
	set.st_mtim.tv_sec = 77;
	set.st_mtim.tv_nsec = 123456789;
	assert_int_equal(fs_setattr(m.fs, i, NULL, &set,
				    FS_SET_MODE | FS_SET_UID | FS_SET_MTIME,
				    &st, &timeout),
			 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_uid, 5);
	assert_int_equal(st.st_gid, 1000);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	assert_int_equal(cost_now(&m), cost);
	/* truncate without a handle is in the store at once */
	set.st_size = 4;
	assert_int_equal(
		fs_setattr(m.fs, i, NULL, &set, FS_SET_SIZE, &st, &timeout), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 4);
	assert_string_equal(text, "0123");
	/* with one, at the flush */
	assert_int_equal(mount_open(&m, "f", O_WRONLY, &h), 0);
	set.st_size = 6;
	cost = cost_now(&m);
	assert_int_equal(
		fs_setattr(m.fs, i, h, &set, FS_SET_SIZE, &st, &timeout), 0);
	assert_int_equal(st.st_size, 6);
	assert_int_equal(memstore_calls(m.store, "put"), 2);
	assert_int_equal(fs_range_allocate(m.fs, h, 0, 0, 8), 0);
	assert_int_equal(fs_range_allocate(m.fs, h, 0, 0, 3), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	assert_int_equal(mount_stat(&m, "f", &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(fs_setattr(m.fs, fs_root(m.fs), NULL, &set,
				    FS_SET_SIZE, &st, &timeout),
			 -EISDIR);
	mount_forget(&m, i);
	mount_down(&m);
}

/* What a shell does for `> file`, and what a kill leaves of it. */
static void test_emptied(void **state)
{
	struct mount m;
	struct handle *h;
	struct stat st;
	char text[64];

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_write(&m, "f", "old"), 0);
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_TRUNC, &h), 0);
	assert_int_equal(mount_stat(&m, "f", &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0); /* a duplicate is closed */
	assert_int_equal(memstore_calls(m.store, "put"), 1);
	assert_int_equal(fs_file_write(m.fs, h, 0, "new", 3), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 2);
	fs_release(m.fs, h);
	/* nothing comes: the second close, or the release, publishes that */
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_TRUNC, &h), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 3);
	fs_release(m.fs, h);
	assert_int_equal(mount_write(&m, "f", "x"), 0);
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_TRUNC, &h), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	assert_int_equal(memstore_calls(m.store, "put"), 5);
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 0);
	/* a new file is published at its first close, empty as it is */
	assert_int_equal(mount_create(&m, "new", &h), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	assert_true(store_holds(&m, "new"));
	fs_release(m.fs, h);
	mount_down(&m);
}

/* Half of a file does not replace a whole one. */
static void test_failed_write(void **state)
{
	static char piece[1 << 20];
	struct mount m;
	struct handle *h;
	char text[64];
	int rc = 0;

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_write(&m, "f", "old"), 0);
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_TRUNC, &h), 0);
	memstore_fail(m.store, "open", 0, -EACCES);
	for (int k = 0; k < 40 && !rc; k++)
		rc = fs_file_write(m.fs, h, (off_t)k << 20, piece,
				   sizeof(piece));
	assert_int_equal(rc, -EACCES);
	memstore_fail(m.store, "open", 0, 0);
	/* the program's own close, and the shell's of the same descriptor */
	assert_int_equal(fs_file_flush(m.fs, h), -EACCES);
	assert_int_equal(fs_file_flush(m.fs, h), -EACCES);
	assert_int_equal(fs_file_sync(m.fs, h), -EACCES);
	fs_release(m.fs, h);
	assert_int_equal(memstore_calls(m.store, "put"), 1);
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 3);
	assert_string_equal(text, "old");
	assert_int_equal(memstore_uploads(m.store), 0);
	mount_down(&m);
}

/* The kernel believes a name as long as we do, not for a ttl of its own. */
static void test_timeouts(void **state)
{
	struct mount m;
	struct fs_entry e;
	double first;

	mount_up(&m, "", 60, false);
	store_has(&m, "f", "x");
	assert_int_equal(fs_lookup(m.fs, fs_root(m.fs), "f", &e), 0);
	first = e.attr_timeout;
	assert_true(first > 59 && first <= 60);
	fs_forget(m.fs, e.inode, 1);
	usleep(20000);
	assert_int_equal(fs_lookup(m.fs, fs_root(m.fs), "f", &e), 0);
	assert_true(e.attr_timeout < first && e.entry_timeout < first);
	fs_forget(m.fs, e.inode, 1);
	assert_int_equal(fs_lookup(m.fs, fs_root(m.fs), "none", &e), 0);
	assert_null(e.inode);
	first = e.entry_timeout;
	usleep(20000);
	assert_int_equal(fs_lookup(m.fs, fs_root(m.fs), "none", &e), 0);
	assert_true(e.entry_timeout < first && first <= 60);
	mount_down(&m);
	mount_up(&m, "", 0, false);
	store_has(&m, "f", "x");
	assert_int_equal(fs_lookup(m.fs, fs_root(m.fs), "f", &e), 0);
	assert_true(e.attr_timeout == 0 && e.entry_timeout == 0);
	fs_forget(m.fs, e.inode, 1);
	mount_down(&m);
}

/* Errors of the store: reported, and the name is as it was. */
static void test_failures(void **state)
{
	struct mount m;
	struct stat st;
	struct handle *h;
	char text[16];

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_write(&m, "f", "1"), 0);
	memstore_fail(m.store, "remove", 1, -EACCES);
	assert_int_equal(mount_unlink(&m, "f"), -EACCES);
	assert_int_equal(mount_stat(&m, "f", &st), 0);
	memstore_fail(m.store, "put", 1, -EACCES);
	assert_int_equal(mount_mkdir(&m, "d"), -EACCES);
	assert_int_equal(mount_stat(&m, "d", &st), -ENOENT);
	memstore_fail(m.store, "list", 1, -ETIMEDOUT);
	assert_int_equal(mount_stat(&m, "x", &st), -ETIMEDOUT);
	assert_int_equal(mount_stat(&m, "x", &st), -ENOENT);
	/* a failed close leaves the old object, though the store would take
	 * the new one by now */
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_TRUNC, &h), 0);
	assert_int_equal(fs_file_write(m.fs, h, 0, "22", 2), 0);
	memstore_fail(m.store, "put", 1, -EACCES);
	assert_int_equal(fs_file_flush(m.fs, h), -EACCES);
	fs_release(m.fs, h);
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 1);
	assert_string_equal(text, "1");
	assert_int_equal(mount_stat(&m, "f", &st), 0);
	assert_int_equal(st.st_size, 1);
	/* a new file that cannot be written down is gone after its close */
	assert_int_equal(mount_create(&m, "new", &h), 0);
	memstore_fail(m.store, "put", 0, -EACCES);
	assert_int_equal(fs_file_flush(m.fs, h), -EACCES);
	fs_release(m.fs, h);
	memstore_fail(m.store, "put", 0, 0);
	assert_int_equal(mount_stat(&m, "new", &st), -ENOENT);
	mount_down(&m);
}

/* ---- many threads ---- */

struct storm {
	struct mount *m;
	unsigned seed;
};

/* An absence that is believed does not cost what another machine has made. */
static void test_made_elsewhere(void **state)
{
	struct mount m;
	struct handle *h;
	struct inode *dir;
	struct fs_entry e;
	char text[64];

	(void)state;
	mount_up(&m, "", 60, false);
	store_has(&m, "d/other", "");
	assert_int_equal(mount_ls(&m, "d", text, sizeof(text)), 0);
	assert_null(mount_find(&m, "d/log", NULL));
	store_has(&m, "d/log", "theirs\n");
	dir = mount_find(&m, "d", NULL);
	assert_int_equal(fs_file_create(m.fs, dir, "log", 0644,
					O_WRONLY | O_CREAT | O_APPEND,
					&m.caller, &e, &h),
			 0);
	assert_int_equal(e.st.st_size, 7);
	assert_int_equal(fs_file_write(m.fs, h, e.st.st_size, "ours\n", 5), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	fs_forget(m.fs, e.inode, 1);
	mount_forget(&m, dir);
	assert_int_equal(mount_cat(&m, "d/log", text, sizeof(text)), 12);
	assert_string_equal(text, "theirs\nours\n");
	mount_down(&m);
}

static void *storm(void *arg)
{
	struct storm *s = arg;
	char a[16], b[16], out[4096];
	struct stat st;

	for (int k = 0; k < 150; k++) {
		snprintf(a, sizeof(a), "d/n%d", rand_r(&s->seed) % 6);
		snprintf(b, sizeof(b), "d/n%d", rand_r(&s->seed) % 6);
		switch (rand_r(&s->seed) % 6) {
		case 0:
			mount_write(s->m, a, "text");
			break;
		case 1:
			mount_unlink(s->m, a);
			break;
		case 2:
			mount_mkdir(s->m, a);
			break;
		case 3:
			mount_rmdir(s->m, a);
			break;
		case 4:
			mount_ls(s->m, "d", out, sizeof(out));
			break;
		default:
			mount_stat(s->m, a, &st);
			mount_cat(s->m, b, out, sizeof(out));
		}
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct mount m;
	struct storm s[4];
	pthread_t threads[4];

	mount_up(&m, "", 0, false);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	for (int k = 0; k < 4; k++) {
		s[k] = (struct storm){ &m, k + 1 };
		assert_int_equal(
			pthread_create(&threads[k], NULL, storm, &s[k]), 0);
	}
	for (int k = 0; k < 4; k++)
		pthread_join(threads[k], NULL);
	mount_down(&m);
}

SUITE(open)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_files),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_setattr),
		cmocka_unit_test(test_emptied),
		cmocka_unit_test(test_failed_write),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_made_elsewhere),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
