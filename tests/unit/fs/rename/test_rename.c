/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renames over a store that cannot: what stands there before, after, and when
 * it fails half-way.
 *
 * Covers: base/parallel.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/waiter.h"

static const struct {
	const char *sentence;
	const char *keys; /* there before; each holds its own name */
	const char *from, *to;
	unsigned flags;
	const char *fail; /* an operation that fails with -EACCES ... */
	unsigned fail_nth;
	int result;
	const char *after; /* keys */
	const char *path, *holds; /* what one reads at the end */
} rows[] = {
	{ "a file", "a ", "a", "b", 0, NULL, 0, 0, "b ", "b", "a" },
	{ "a file over another", "a b ", "a", "b", 0, NULL, 0, 0, "b ", "b",
	  "a" },
	{ "a file over another, unless it is there", "a b ", "a", "b",
	  RENAME_NOREPLACE, NULL, 0, -EEXIST, "a b ", "b", "b" },
	{ "a file to where nothing is", "a ", "a", "b", RENAME_NOREPLACE, NULL,
	  0, 0, "b ", "b", "a" },
	{ "two files for each other", "a b ", "a", "b", RENAME_EXCHANGE, NULL,
	  0, 0, "a b ", "a", "b" },
	{ "... in two directories", "d/a e/b e/c ", "d/a", "e/b",
	  RENAME_EXCHANGE, NULL, 0, 0, "d/a e/b e/c ", "e/b", "d/a" },
	{ "two directories for each other", "d/ d/x e/y e/z/u ", "d", "e",
	  RENAME_EXCHANGE, NULL, 0, 0, "d/y d/z/u e/ e/x ", "d/z/u", "e/z/u" },
	{ "a file and a directory for each other", "a d/x ", "a", "d",
	  RENAME_EXCHANGE, NULL, 0, 0, "a/x d ", "a/x", "d/x" },
	{ "an exchange with what is not there", "a ", "a", "b", RENAME_EXCHANGE,
	  NULL, 0, -ENOENT, "a ", "a", "a" },
	{ "an exchange of a directory with what is in it", "d/x ", "d", "d/x",
	  RENAME_EXCHANGE, NULL, 0, -EINVAL, "d/x ", "d/x", "d/x" },
	{ "... the other way round", "d/x ", "d/x", "d", RENAME_EXCHANGE, NULL,
	  0, -EINVAL, "d/x ", "d/x", "d/x" },
	{ "an exchange of which the first copy fails", "a b ", "a", "b",
	  RENAME_EXCHANGE, "copy", 1, -EACCES, "a b ", "a", "a" },
	{ "... the second, which takes the first back", "a b ", "a", "b",
	  RENAME_EXCHANGE, "copy", 2, -EACCES, "a b ", "a", "a" },
	{ "... the third, which takes both back", "a b ", "a", "b",
	  RENAME_EXCHANGE, "copy", 3, -EACCES, "a b ", "b", "b" },
	{ "two flags at once", "a b ", "a", "b",
	  RENAME_EXCHANGE | RENAME_NOREPLACE, NULL, 0, -EINVAL, "a b ", "a",
	  "a" },
	{ "what is not there", "a ", "x", "b", 0, NULL, 0, -ENOENT, "a ", "a",
	  "a" },
	{ "into another directory, which stays when it was the last",
	  "d/a e/b ", "d/a", "e/a", 0, NULL, 0, 0, "d/ e/a e/b ", "e/a",
	  "d/a" },
	{ "a file over a directory", "a d/x ", "a", "d", 0, NULL, 0, -EISDIR,
	  "a d/x ", "a", "a" },
	{ "a directory over a file", "a d/x ", "d", "a", 0, NULL, 0, -ENOTDIR,
	  "a d/x ", "a", "a" },
	{ "a directory over a full one", "d/x e/y ", "d", "e", 0, NULL, 0,
	  -ENOTEMPTY, "d/x e/y ", "d/x", "d/x" },
	{ "a directory over an empty one", "d/x e/ ", "d", "e", 0, NULL, 0, 0,
	  "e/ e/x ", "e/x", "d/x" },
	{ "a directory into itself", "d/x ", "d", "d/e", 0, NULL, 0, -EINVAL,
	  "d/x ", "d/x", "d/x" },
	{ "a tree with its markers and odd keys",
	  "d/ d//odd d/a d/s/ d/s/t/u d.x ", "d", "e", 0, NULL, 0, 0,
	  "d.x e/ e//odd e/a e/s/ e/s/t/u ", "e/s/t/u", "d/s/t/u" },
	{ "the last directory of another one", "p/d/x q/y ", "p/d", "q/d", 0,
	  NULL, 0, 0, "p/ q/d/x q/y ", "q/d/x", "p/d/x" },
	{ "an empty directory", "d/ ", "d", "e", 0, NULL, 0, 0, "e/ ", NULL,
	  NULL },
	{ "a copy that fails changes nothing", "a b ", "a", "b", 0, "copy", 1,
	  -EACCES, "a b ", "a", "a" },
	{ "a file that cannot be removed stands twice", "a ", "a", "b", 0,
	  "remove", 1, -EACCES, "a b ", "b", "a" },
	{ "a tree of which one copy fails stays as it was",
	  "d/ d/a d/b d/c d/e/f ", "d", "z", 0, "copy", 4, -EACCES,
	  "d/ d/a d/b d/c d/e/f ", "d/c", "d/c" },
	{ "... and the empty directory in its place stays, too",
	  "d/ d/a d/b z/ ", "d", "z", 0, "copy", 3, -EACCES, "d/ d/a d/b z/ ",
	  "d/a", "d/a" },
};

static void put_keys(struct mount *m, const char *keys)
{
	char *copy = strdup(keys), *save, *key;

	for (key = strtok_r(copy, " ", &save); key;
	     key = strtok_r(NULL, " ", &save))
		store_has(m, key, key[strlen(key) - 1] == '/' ? "" : key);
	free(copy);
}

static void test_rows(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		struct mount m;
		char out[1024];

		mount_up(&m, "", 60, false);
		put_keys(&m, rows[r].keys);
		if (rows[r].fail)
			memstore_fail(m.store, rows[r].fail, rows[r].fail_nth,
				      -EACCES);
		row_number(rows[r].sentence,
			   mount_rename(&m, rows[r].from, rows[r].to,
					rows[r].flags),
			   rows[r].result);
		store_keys(&m, out, sizeof(out));
		row_equal(rows[r].sentence, out, rows[r].after);
		if (rows[r].path) {
			row_check(rows[r].sentence,
				  mount_cat(&m, rows[r].path, out,
					    sizeof(out)) >= 0);
			row_equal(rows[r].sentence, out, rows[r].holds);
		}
		if (!rows[r].result && rows[r].flags != RENAME_EXCHANGE) {
			struct stat st;

			row_number(rows[r].sentence,
				   mount_stat(&m, rows[r].from, &st), -ENOENT);
		}
		mount_down(&m);
	}
}

static void test_open_file_goes_along(void **state)
{
	struct mount m;
	struct handle *r, *w, *over;
	char text[64];

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	assert_int_equal(mount_write(&m, "d/f", "bytes"), 0);
	assert_int_equal(mount_write(&m, "d/g", "other"), 0);
	assert_int_equal(mount_open(&m, "d/f", O_RDONLY, &r), 0);
	assert_int_equal(mount_open(&m, "d/g", O_RDONLY, &over), 0);
	assert_int_equal(mount_rename(&m, "d/f", "d/g", 0), 0);
	assert_int_equal(mount_read(&m, r, text, sizeof(text)), 5);
	assert_string_equal(text, "bytes");
	fs_release(m.fs, over);

	/* a new file that was not published moves without a request */
	assert_int_equal(mount_create(&m, "d/new", &w), 0);
	assert_int_equal(fs_file_write(m.fs, w, 0, "new", 3), 0);
	assert_int_equal(mount_rename(&m, "d/new", "d/newer", 0), 0);
	assert_false(store_holds(&m, "d/new"));
	assert_false(store_holds(&m, "d/newer"));

	/* the whole directory, with both of them open */
	assert_int_equal(mount_rename(&m, "d", "e", 0), 0);
	assert_int_equal(mount_read(&m, r, text, sizeof(text)), 5);
	assert_int_equal(fs_file_write(m.fs, w, 3, "!", 1), 0);
	assert_int_equal(fs_file_flush(m.fs, w), 0);
	assert_false(store_holds(&m, "d/newer"));
	assert_true(store_holds(&m, "e/newer"));
	assert_int_equal(mount_cat(&m, "e/newer", text, sizeof(text)), 4);
	assert_string_equal(text, "new!");

	/* one that was written to is published before it moves */
	assert_int_equal(fs_file_write(m.fs, w, 0, "N", 1), 0);
	assert_int_equal(mount_rename(&m, "e", "f", 0), 0);
	assert_int_equal(fs_file_flush(m.fs, w), 0);
	fs_release(m.fs, r);
	fs_release(m.fs, w);
	assert_int_equal(mount_cat(&m, "f/newer", text, sizeof(text)), 4);
	assert_string_equal(text, "New!");
	store_keys(&m, text, sizeof(text));
	assert_string_equal(text, "f/ f/g f/newer ");
	mount_down(&m);
}

static void test_new_file_over_an_old_one(void **state)
{
	struct mount m;
	struct handle *w;
	char text[64];

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_write(&m, "old", "old"), 0);
	assert_int_equal(mount_create(&m, "new", &w), 0);
	assert_int_equal(fs_file_write(m.fs, w, 0, "new", 3), 0);
	assert_int_equal(mount_rename(&m, "new", "old", 0), 0);
	store_keys(&m, text, sizeof(text));
	assert_string_equal(text, "old ");
	fs_release(m.fs, w);
	assert_int_equal(mount_cat(&m, "old", text, sizeof(text)), 3);
	assert_string_equal(text, "new");
	mount_down(&m);
}

/* What is open, or was not stored yet, goes with its name. */
static void test_exchange_of_open_files(void **state)
{
	struct mount m;
	struct handle *r, *w;
	char text[64];

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_write(&m, "a", "bytes"), 0);
	assert_int_equal(mount_open(&m, "a", O_RDONLY, &r), 0);
	assert_int_equal(mount_create(&m, "b", &w), 0);
	assert_int_equal(fs_file_write(m.fs, w, 0, "new", 3), 0);
	assert_int_equal(mount_rename(&m, "a", "b", RENAME_EXCHANGE), 0);
	assert_int_equal(mount_read(&m, r, text, sizeof(text)), 5);
	assert_string_equal(text, "bytes");
	assert_int_equal(fs_file_write(m.fs, w, 3, "er", 2), 0);
	assert_int_equal(fs_file_flush(m.fs, w), 0);
	fs_release(m.fs, r);
	fs_release(m.fs, w);
	assert_int_equal(mount_cat(&m, "a", text, sizeof(text)), 5);
	assert_string_equal(text, "newer");
	assert_int_equal(mount_cat(&m, "b", text, sizeof(text)), 5);
	assert_string_equal(text, "bytes");
	store_keys(&m, text, sizeof(text));
	assert_string_equal(text, "a b ");
	mount_down(&m);
}

/* A file that is replaced or removed is there to its end for its open
 * handles. */
static void test_open_file_that_goes(void **state)
{
	static char bytes[300000], got[300001];
	struct mount m;
	struct handle *r[2];

	memset(bytes, 'x', sizeof(bytes) - 1);
	mount_up(&m, "", 60, false);
	store_has(&m, "a", bytes);
	store_has(&m, "b", bytes);
	store_has(&m, "c", "other");
	assert_int_equal(mount_open(&m, "a", O_RDONLY, &r[0]), 0);
	assert_int_equal(mount_open(&m, "b", O_RDONLY, &r[1]), 0);
	assert_int_equal(mount_rename(&m, "c", "a", 0), 0);
	assert_int_equal(mount_unlink(&m, "b"), 0);
	mount_settle(&m);
	assert_false(store_holds(&m, "b"));
	for (int k = 0; k < 2; k++) {
		assert_int_equal(mount_read(&m, r[k], got, sizeof(got)),
				 sizeof(bytes) - 1);
		assert_string_equal(got, bytes);
		fs_release(m.fs, r[k]);
	}
	mount_down(&m);
}

/* Another machine writes to the source: what is there now is moved. */
static void test_source_changed(void **state)
{
	struct mount m;
	struct stat st;
	char text[64];

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_write(&m, "a", "old"), 0);
	assert_int_equal(mount_stat(&m, "a", &st), 0);
	store_has(&m, "a", "newer");
	assert_int_equal(mount_rename(&m, "a", "b", 0), 0);
	assert_int_equal(mount_cat(&m, "b", text, sizeof(text)), 5);
	assert_string_equal(text, "newer");
	mount_down(&m);
}

static void test_large_tree(void **state)
{
	struct mount m;
	char key[64], last[64];
	struct stat st;

	mount_up(&m, "p/", 60, false);
	for (int k = 0; k < 2500; k++) {
		snprintf(key, sizeof(key), "p/d/%02d/f%04d", k % 20, k);
		store_has(&m, key, "x");
	}
	snprintf(last, sizeof(last), "e/%02d/f%04d", 2499 % 20, 2499);
	assert_int_equal(mount_rename(&m, "d", "e", 0), 0);
	assert_int_equal(mount_stat(&m, last, &st), 0);
	assert_int_equal(mount_stat(&m, "d", &st), -ENOENT);
	assert_int_equal(memstore_calls(m.store, "copy"), 2500);
	mount_down(&m);
}

static void test_too_long(void **state)
{
	struct mount m;
	char dir[256], deep[1100];

	mount_up(&m, "", 0, false);
	memset(dir, 'd', 255);
	dir[255] = '\0';
	snprintf(deep, sizeof(deep), "a/%s/%s/%s/%.200s", dir, dir, dir, dir);
	store_has(&m, deep, "x");
	assert_int_equal(mount_rename(&m, "a", dir, 0), -ENAMETOOLONG);
	assert_true(store_holds(&m, deep));
	assert_int_equal(memstore_calls(m.store, "copy"), 0);
	mount_down(&m);
}

/* ---- interrupted ---- */

struct renaming {
	struct mount *m;
	struct waiter *waiter;
	int started, rc;
};

static void *rename_thread(void *arg)
{
	struct renaming *r = arg;

	__atomic_store_n(&r->waiter, waiter_self(), __ATOMIC_SEQ_CST);
	waiter_begin(waiter_self());
	__atomic_store_n(&r->started, 1, __ATOMIC_SEQ_CST);
	r->rc = mount_rename(r->m, "d", "e", 0);
	return NULL;
}

/* A file below is being published for ever: the rename waits, and gives up
 * when it is told to. */
static void test_interrupt(void **state)
{
	struct mount m;
	struct renaming r = { .m = &m };
	pthread_t thread;
	char out[256];

	mount_up(&m, "", 60, false);
	put_keys(&m, "d/a d/b ");
	assert_int_equal(pthread_create(&thread, NULL, rename_thread, &r), 0);
	while (!__atomic_load_n(&r.started, __ATOMIC_SEQ_CST))
		usleep(100);
	waiter_interrupt(r.waiter);
	pthread_join(thread, NULL);
	/* either it was done before, or nothing has changed */
	store_keys(&m, out, sizeof(out));
	if (r.rc) {
		assert_int_equal(r.rc, -EINTR);
		assert_string_equal(out, "d/a d/b ");
	} else {
		assert_string_equal(out, "e/a e/b ");
	}
	mount_down(&m);
}

/* ---- many threads ---- */

struct storm {
	struct mount *m;
	unsigned seed;
};

static void *storm(void *arg)
{
	struct storm *s = arg;
	char a[32], b[32], out[4096];

	for (int k = 0; k < 60; k++) {
		snprintf(a, sizeof(a), "d%d", rand_r(&s->seed) % 2);
		snprintf(b, sizeof(b), "d%d/f%d", rand_r(&s->seed) % 2,
			 rand_r(&s->seed) % 4);
		if (s->seed % 3 == 0) {
			struct fs_entry e;
			struct inode *root = fs_root(s->m->fs);

			fs_rename(s->m->fs, root, a, root, "d2", 0);
			fs_rename(s->m->fs, root, "d2", root, a, 0);
			if (!fs_mkdir(s->m->fs, root, a, 0755, &s->m->caller,
				      &e))
				fs_forget(s->m->fs, e.inode, 1);
		} else {
			struct fs_entry e;
			struct inode *root = fs_root(s->m->fs);
			struct handle *h;

			a[2] = '\0';
			if (fs_lookup(s->m->fs, root, a, &e) || !e.inode)
				continue;
			struct inode *dir = e.inode;

			if (!fs_file_create(s->m->fs, dir, b + 3, 0644,
					    O_WRONLY | O_CREAT, &s->m->caller,
					    &e, &h)) {
				fs_file_write(s->m->fs, h, 0, "x", 1);
				fs_file_flush(s->m->fs, h);
				fs_release(s->m->fs, h);
				fs_forget(s->m->fs, e.inode, 1);
			}
			fs_rename(s->m->fs, dir, b + 3, dir, "moved", 0);
			fs_unlink(s->m->fs, dir, "moved");
			fs_forget(s->m->fs, dir, 1);
		}
		mount_ls(s->m, "", out, sizeof(out));
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct mount m;
	struct storm s[4];
	pthread_t threads[4];

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_mkdir(&m, "d0"), 0);
	assert_int_equal(mount_mkdir(&m, "d1"), 0);
	for (int k = 0; k < 4; k++) {
		s[k] = (struct storm){ &m, k + 1 };
		assert_int_equal(
			pthread_create(&threads[k], NULL, storm, &s[k]), 0);
	}
	for (int k = 0; k < 4; k++)
		pthread_join(threads[k], NULL);
	mount_down(&m);
}

SUITE(rename)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_open_file_goes_along),
		cmocka_unit_test(test_new_file_over_an_old_one),
		cmocka_unit_test(test_exchange_of_open_files),
		cmocka_unit_test(test_open_file_that_goes),
		cmocka_unit_test(test_source_changed),
		cmocka_unit_test(test_large_tree),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
