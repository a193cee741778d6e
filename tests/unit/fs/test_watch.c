/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gateway of this process puts into a store: the mount sees it at
 * once, without asking, and the kernel is told of what it has seen.
 *
 * Covers: fs/names/store_event.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "fs/inval_queue.h"

static unsigned asked(struct mount *m)
{
	return memstore_calls(m->store, "stat") +
	       memstore_calls(m->store, "list") +
	       memstore_calls(m->store, "head");
}

/* Those that are waiting: `E name `, `A ` or `B ` each. */
static void drain(struct mount *m, char *out, size_t size)
{
	static const char letters[] = "EAB";
	static unsigned drained;
	struct inval n;
	char end[32];
	size_t used = 0;

	snprintf(end, sizeof(end), "p/end-of-queue-%u", drained++);

	*out = '\0';
	inval_queue_begin(fs_inval_queue(m->fs));
	/* A last one of ours, so that the queue's end is known. */
	gateway_put(m, end, "");
	for (;;) {
		assert_true(inval_queue_next(fs_inval_queue(m->fs), &n));
		if (n.kind == INVAL_ENTRY && !strcmp(n.name, end + 2))
			break;
		used += (size_t)snprintf(out + used, size - used, "%c%s ",
					 letters[n.kind], n.name);
	}
	assert_true(inval_queue_next(fs_inval_queue(m->fs),
				     &n)); /* the directory's time */
}

static void test_names(void **state)
{
	struct mount m;
	struct stat st;
	char text[256];
	unsigned before;

	mount_up(&m, "p/", 60, false);
	store_has(&m, "p/old", "old");
	store_has(&m, "p/dir/x", "x");
	assert_int_equal(mount_ls(&m, "", text, sizeof(text)), 0);
	assert_int_equal(mount_ls(&m, "dir", text, sizeof(text)), 0);
	before = asked(&m);

	gateway_put(&m, "p/new", "12345");
	assert_int_equal(mount_stat(&m, "new", &st), 0);
	assert_int_equal(st.st_size, 5);
	gateway_put(&m, "p/dir/y", "y");
	gateway_put(&m, "p/deep/er/z", "z");
	gateway_put(&m, "other/p/q", "not ours");
	assert_int_equal(mount_ls(&m, "", text, sizeof(text)), 0);
	assert_string_equal(text, "deep/ dir/ new old ");
	assert_int_equal(mount_ls(&m, "dir", text, sizeof(text)), 0);
	assert_string_equal(text, "x y ");
	assert_int_equal(asked(&m), before);

	/* deep/ was never read */
	assert_int_equal(mount_ls(&m, "deep/er", text, sizeof(text)), 0);
	assert_string_equal(text, "z ");
	mount_down(&m);
}

/* Announcements may come in another order than the changes: two of one name
 * within a moment are not believed, whichever comes last. */
static void test_order(void **state)
{
	struct mount m;
	struct stat st;
	char text[64];
	unsigned before;

	mount_up(&m, "p/", 60, false);
	gateway_put(&m, "p/f", "first");
	assert_int_equal(mount_stat(&m, "f", &st), 0);
	gateway_put(&m, "p/f", "second");
	before = asked(&m);
	assert_int_equal(mount_stat(&m, "f", &st), 0);
	assert_int_equal(st.st_size, 6);
	assert_true(asked(&m) > before);
	gateway_put(&m, "p/f", "third");
	store_has(&m, "p/f", "was there after all");
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 19);
	mount_down(&m);
}

/* What was absent, and what is open. */
static void test_content(void **state)
{
	struct handle *h, *w;
	struct mount m;
	struct stat st;
	char text[64];

	mount_up(&m, "p/", 60, false);
	assert_int_equal(mount_stat(&m, "f", &st), -ENOENT);
	gateway_put(&m, "p/f", "one");
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 3);
	sleep(1); /* past the moment in which it would ask anyway */
	usleep(100000);
	assert_int_equal(mount_open(&m, "f", O_RDONLY, &h), 0);
	gateway_put(&m, "p/f", "three");
	assert_int_equal(mount_stat(&m, "f", &st), 0);
	assert_int_equal(st.st_size, 5);
	/* all of it was here when it was opened */
	assert_int_equal(mount_read(&m, h, text, sizeof(text)), 3);
	assert_string_equal(text, "one");
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 5);
	assert_string_equal(text, "three");
	fs_release(m.fs, h);

	/* what is written here and not closed yet stays, and is the last */
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_TRUNC, &w), 0);
	assert_int_equal(fs_file_write(m.fs, w, 0, "mine", 4), 0);
	gateway_put(&m, "p/f", "the gateway's");
	assert_int_equal(store_remove(m.store, "p/f"), 0);
	assert_int_equal(mount_stat(&m, "f", &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(fs_file_flush(m.fs, w), 0);
	fs_release(m.fs, w);
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 4);
	assert_string_equal(text, "mine");
	mount_down(&m);
}

/* The kernel hears of what it knows, and of nothing that it did itself. */
static void test_notices(void **state)
{
	struct inode *f, *dir;
	struct mount m;
	char text[256];
	struct stat st;

	mount_up(&m, "p/", 60, false);
	store_has(&m, "p/f", "one");
	store_has(&m, "p/dir/x", "x");
	inval_queue_begin(fs_inval_queue(m.fs));
	assert_int_equal(mount_stat(&m, "nothing", &st), -ENOENT);
	f = mount_find(&m, "f", NULL); /* as the kernel, held */
	dir = mount_find(&m, "dir", NULL);
	assert_non_null(f);

	/* the mount's own changes */
	assert_int_equal(mount_write(&m, "f", "mine"), 0);
	assert_int_equal(mount_mkdir(&m, "made"), 0);
	assert_int_equal(mount_write(&m, "made/g", "g"), 0);
	assert_int_equal(mount_rename(&m, "made", "moved", 0), 0);
	assert_int_equal(mount_unlink(&m, "moved/g"), 0);
	assert_int_equal(mount_rmdir(&m, "moved"), 0);
	drain(&m, text, sizeof(text));
	assert_string_equal(text, "");

	gateway_put(&m, "p/f", "the gateway's");
	drain(&m, text, sizeof(text));
	assert_string_equal(text, "B ");
	gateway_put(&m, "p/nothing", "");
	drain(&m, text, sizeof(text));
	assert_string_equal(text, "Enothing A ");
	assert_int_equal(mount_ls(&m, "dir", text, sizeof(text)), 0);
	gateway_put(&m, "p/dir/unasked/y", "");
	drain(&m, text, sizeof(text));
	assert_string_equal(text, "Eunasked A ");
	mount_forget(&m, f);
	mount_forget(&m, dir);
	inval_queue_end(fs_inval_queue(m.fs));
	mount_down(&m);
}

#define CHANGES 2000

static void *change(void *arg)
{
	struct mount *m = arg;
	char key[64];

	for (unsigned k = 0; k < CHANGES; k++) {
		snprintf(key, sizeof(key), "p/t/%u", k % 50);
		if (k % 3 == 2)
			store_remove(m->store, key);
		else
			gateway_put(m, key, "text");
	}
	return NULL;
}

static void *listen(void *arg)
{
	struct mount *m = arg;
	struct inval n;

	while (inval_queue_next(fs_inval_queue(m->fs), &n))
		;
	return NULL;
}

/* Uploads, a notifier, and programs in the mount at once. */
static void test_threads(void **state)
{
	pthread_t changers[2], listener;
	struct mount m;
	struct stat st;
	char text[4096], path[32], got[16];
	int rc;

	mount_up(&m, "p/", 60, false);
	inval_queue_begin(fs_inval_queue(m.fs));
	pthread_create(&listener, NULL, listen, &m);
	for (unsigned k = 0; k < 2; k++)
		pthread_create(&changers[k], NULL, change, &m);
	for (unsigned k = 0; k < 1000; k++) {
		snprintf(path, sizeof(path), "t/%u", k % 60);
		rc = mount_stat(&m, path, &st);
		assert_true(!rc || rc == -ENOENT);
		/* stale: removed and made again, twice between look-up and
		 * open */
		rc = mount_cat(&m, path, got, sizeof(got));
		assert_true(rc == 4 || rc == -ENOENT || rc == -ESTALE);
		if (k % 100 == 0)
			mount_ls(&m, "t", text, sizeof(text));
	}
	for (unsigned k = 0; k < 2; k++)
		pthread_join(changers[k], NULL);
	inval_queue_end(fs_inval_queue(m.fs));
	pthread_join(listener, NULL);
	mount_down(&m);
}

SUITE(watch)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),   cmocka_unit_test(test_order),
		cmocka_unit_test(test_content), cmocka_unit_test(test_notices),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
