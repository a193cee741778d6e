/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are removed in a row. The store of these tests holds each batch
 * until it is let go, so that nothing depends on how fast anything is.
 */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/waiter.h"
#include "fs/removals.h"
#include "fs/state.h"

static const struct store_ops *real;
static struct store_ops slow;
static sem_t entered, pass;
static unsigned batches; /* that were asked for */

static int held_remove_many(struct store *s, const char *const *keys,
			    unsigned n, int *results)
{
	__atomic_add_fetch(&batches, 1, __ATOMIC_SEQ_CST);
	sem_post(&entered);
	sem_wait(&pass);
	return real->remove_many(s, keys, n, results);
}

/* With a directory d of the files a, b and c. */
static void up(struct mount *m, unsigned ttl_s)
{
	mount_up(m, "p/", ttl_s, false);
	sem_init(&entered, 0, 0);
	sem_init(&pass, 0, 0);
	batches = 0;
	real = m->store->ops;
	slow = *real;
	slow.remove_many = held_remove_many;
	m->store->ops = &slow;
	store_has(m, "p/d/a", "a");
	store_has(m, "p/d/b", "b");
	store_has(m, "p/d/c", "c");
}

/* All that are held, and those to come. */
static void drop(void)
{
	for (int k = 0; k < 100; k++)
		sem_post(&pass);
}

static void down(struct mount *m)
{
	drop();
	mount_down(m);
	sem_destroy(&entered);
	sem_destroy(&pass);
}

/* A burst is under way in that directory, which was listed, however slow the
 * machine is. */
static void burst(struct mount *m, const char *path)
{
	struct inode *dir = mount_find(m, path, NULL);
	char names[200];

	assert_int_equal(mount_ls(m, path, names, sizeof(names)), 0);
	inode_set_removed(m->fs->tree, dir, clock_mono_ms() + 3600000);
	mount_forget(m, dir);
}

static void await_batch(void)
{
	struct timespec end = clock_now();

	end.tv_sec += 60;
	assert_int_equal(sem_timedwait(&entered, &end), 0);
}

static void first_is_asked(void **state)
{
	struct mount m;

	up(&m, 60);
	memstore_fail(m.store, "remove", 0, -EACCES);
	assert_int_equal(mount_unlink(&m, "d/a"), -EACCES);
	assert_int_equal(mount_unlink(&m, "d/a"), -EACCES);
	memstore_fail(m.store, "remove", 0, 0);
	assert_int_equal(mount_unlink(&m, "d/a"), 0);
	assert_int_equal(batches, 0);
	assert_false(store_holds(&m, "p/d/a"));
	down(&m);
}

/* Neither what lists nor what asks for the name shows it. */
static void not_shown(void **state)
{
	static const unsigned ttls_s[] = { 0, 60 };
	char names[100];
	struct mount m;

	for (size_t k = 0; k < COUNT(ttls_s); k++) {
		up(&m, ttls_s[k]);
		burst(&m, "d");
		assert_int_equal(mount_unlink(&m, "d/a"), 0);
		await_batch();
		assert_int_equal(mount_unlink(&m, "d/b"), 0);
		assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
		assert_string_equal(names, "c ");
		assert_null(mount_find(&m, "d/a", NULL));
		assert_int_equal(mount_unlink(&m, "d/a"), -ENOENT);
		drop();
		assert_false(store_holds(&m, "p/d/a"));
		assert_false(store_holds(&m, "p/d/b"));
		assert_true(store_holds(&m, "p/d/c"));
		assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
		assert_string_equal(names, "c ");
		down(&m);
	}
}

static void refused(void **state)
{
	char names[100];
	unsigned asked;
	struct mount m;

	for (int by_sync = 0; by_sync < 2; by_sync++) {
		up(&m, 60);
		burst(&m, "d");
		memstore_fail(m.store, "remove", 0, -EACCES);
		assert_int_equal(mount_unlink(&m, "d/a"), 0);
		assert_int_equal(mount_unlink(&m, "d/b"), 0);
		drop();
		assert_int_equal(by_sync ? mount_sync_dir(&m, "d")
					 : mount_rmdir(&m, "d"),
				 -EACCES);
		/* it is told once */
		assert_int_equal(by_sync ? mount_sync_dir(&m, "d")
					 : mount_rmdir(&m, "d"),
				 by_sync ? 0 : -ENOTEMPTY);
		assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
		assert_string_equal(names, "a b c ");
		/* and the next one is asked at once */
		asked = batches;
		assert_int_equal(mount_unlink(&m, "d/a"), -EACCES);
		assert_int_equal(batches, asked);
		down(&m);
	}
}

/* One of several; the others have gone. */
static void refused_one(void **state)
{
	char names[100];
	struct mount m;

	up(&m, 60);
	burst(&m, "d");
	memstore_fail(m.store, "remove", 2, -EIO);
	assert_int_equal(mount_unlink(&m, "d/a"), 0);
	assert_int_equal(mount_unlink(&m, "d/b"), 0);
	assert_int_equal(mount_unlink(&m, "d/c"), 0);
	drop();
	assert_int_equal(mount_sync_dir(&m, "d"), -EIO);
	assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
	assert_string_equal(names, "b ");
	down(&m);
}

static int make(struct mount *m, int how)
{
	switch (how) {
	case 0:
		return mount_write(m, "d/a", "new");
	case 1:
		return mount_mkdir(m, "d/a");
	case 2:
		return mount_rename(m, "d/c", "d/a", 0);
	default:
		return mount_rename(m, "d", "e", 0);
	}
}

/* What takes the name, or its directory, comes after it. */
static void waited_for(void **state)
{
	static const char *const keys[] = { "p/d/a p/d/c ", "p/d/a/ p/d/c ",
					    "p/d/a ", "p/e/c " };
	char all[200];
	struct mount m;

	for (int how = 0; how < (int)COUNT(keys); how++) {
		up(&m, 60);
		burst(&m, "d");
		assert_int_equal(mount_unlink(&m, "d/b"), 0);
		assert_int_equal(mount_unlink(&m, "d/a"), 0);
		drop();
		assert_int_equal(make(&m, how), 0);
		store_keys(&m, all, sizeof(all));
		assert_string_equal(all, keys[how]);
		down(&m);
	}
}

/* So does what another process of this machine is about to do; the refusal is
 * still there when it is asked for. */
static void settled(void **state)
{
	struct mount m;

	up(&m, 60);
	assert_int_equal(fs_settle(m.fs, 0), 0);
	burst(&m, "d");
	memstore_fail(m.store, "remove", 0, -EACCES);
	assert_int_equal(mount_unlink(&m, "d/a"), 0);
	await_batch();
	assert_int_equal(fs_settle(m.fs, clock_mono_ms()), -ETIMEDOUT);
	drop();
	assert_int_equal(fs_settle(m.fs, WAIT_FOREVER), 0);
	memstore_fail(m.store, "remove", 0, 0);
	assert_int_equal(mount_sync_dir(&m, "d"), -EACCES);
	assert_int_equal(mount_unlink(&m, "d/b"), 0);
	assert_int_equal(fs_settle(m.fs, WAIT_FOREVER), 0);
	assert_false(store_holds(&m, "p/d/b"));
	down(&m);
}

static void directory_stays(void **state)
{
	char all[200];
	struct mount m;

	for (int goes = 0; goes < 2; goes++) {
		up(&m, 60);
		burst(&m, "d");
		for (const char *f = "abc"; *f; f++) {
			snprintf(all, sizeof(all), "d/%c", *f);
			assert_int_equal(mount_unlink(&m, all), 0);
			drop();
		}
		if (goes)
			assert_int_equal(mount_rmdir(&m, "d"), 0);
		store_keys(&m, all, sizeof(all));
		assert_string_equal(all, goes ? "" : "p/d/ ");
		down(&m);
	}
}

/* A directory that was emptied here, and of which all is known, is not listed
 * once more by its rmdir. */
static void directory_is_known(void **state)
{
	static const struct {
		const char *sentence;
		const char *other; /* a key that another machine has put */
		unsigned files; /* that are removed */
		unsigned lists;
		int rc;
	} rows[] = {
		{ "it was emptied here", NULL, 3, 0, 0 },
		{ "it was not", NULL, 0, 1, -ENOTEMPTY },
		/* and which, for the log */
		{ "there is a key that no path can name", "p/d//x", 3, 2,
		  -ENOTEMPTY },
	};
	struct mount m;
	char text[32];
	unsigned lists;

	for (size_t k = 0; k < COUNT(rows); k++) {
		up(&m, 60);
		if (rows[k].other)
			store_has(&m, rows[k].other, "x");
		assert_int_equal(mount_ls(&m, "d", text, sizeof(text)), 0);
		burst(&m, "d");
		drop();
		for (unsigned n = 0; n < rows[k].files; n++) {
			snprintf(text, sizeof(text), "d/%c", 'a' + (char)n);
			assert_int_equal(mount_unlink(&m, text), 0);
		}
		lists = memstore_calls(m.store, "list");
		row_number(rows[k].sentence, mount_rmdir(&m, "d"), rows[k].rc);
		row_number(rows[k].sentence,
			   memstore_calls(m.store, "list") - lists,
			   rows[k].lists);
		down(&m);
	}
}

static void directory_cannot_stay(void **state)
{
	char all[200];
	struct mount m;

	up(&m, 60);
	burst(&m, "d");
	memstore_fail(m.store, "put", 0, -EIO);
	assert_int_equal(mount_unlink(&m, "d/a"), 0);
	assert_int_equal(mount_unlink(&m, "d/b"), 0);
	assert_int_equal(mount_unlink(&m, "d/c"), 0);
	drop();
	assert_int_equal(mount_sync_dir(&m, "d"), -EIO);
	memstore_fail(m.store, "put", 0, 0);
	assert_true(store_holds(&m, "p/d/c"));
	assert_int_equal(mount_ls(&m, "d", all, sizeof(all)), 0);
	assert_non_null(strchr(all, 'c'));
	down(&m);
}

/* The gateway of the same process writes to a name that waits: the four batches
 * of the store are under way, so it is not on its way itself. */
static void overtaken(void **state)
{
	struct mount m;
	char text[16], path[24];

	up(&m, 60);
	for (int k = 0; k < 5; k++) {
		snprintf(path, sizeof(path), "p/d/%d", k);
		store_has(&m, path, "old");
	}
	burst(&m, "d");
	for (int k = 0; k < 5; k++) {
		snprintf(path, sizeof(path), "d/%d", k);
		assert_int_equal(mount_unlink(&m, path), 0);
		if (k < 4)
			await_batch();
	}
	gateway_put(&m, "p/d/4", "new");
	drop();
	assert_true(store_holds(&m, "p/d/4"));
	assert_false(store_holds(&m, "p/d/3"));
	assert_int_equal(mount_cat(&m, "d/4", text, sizeof(text)), 3);
	assert_string_equal(text, "new");
	down(&m);
}

/* The end waits for them, and says what was refused. */
static void end(void **state)
{
	struct mount m;

	up(&m, 60);
	burst(&m, "d");
	assert_int_equal(mount_unlink(&m, "d/a"), 0);
	drop();
	assert_int_equal(fs_drain(m.fs, true), 0);
	assert_false(store_holds(&m, "p/d/a"));
	memstore_fail(m.store, "remove", 0, -EACCES);
	assert_int_equal(mount_unlink(&m, "d/b"), 0);
	drop();
	assert_int_equal(fs_drain(m.fs, true), -EACCES);
	down(&m);
}

SUITE(removals)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_is_asked),
		cmocka_unit_test(not_shown),
		cmocka_unit_test(refused),
		cmocka_unit_test(refused_one),
		cmocka_unit_test(waited_for),
		cmocka_unit_test(settled),
		cmocka_unit_test(directory_stays),
		cmocka_unit_test(directory_is_known),
		cmocka_unit_test(directory_cannot_stay),
		cmocka_unit_test(overtaken),
		cmocka_unit_test(end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
