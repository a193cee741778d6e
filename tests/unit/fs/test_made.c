/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made while a program lists its directory: a listing that was asked
 * for before the store had the new name does not take it away.
 *
 * Covers: fs/dirops.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>

static struct {
	struct mount *m;
	const struct store_ops *real;
	struct store_ops ops;
	bool done;
	char shows[64];
	int (*change)(struct mount *m);
	struct inode *dir;
	int written;
} look;

/* At its end the other program has written: the listing has none of that. */
static int listed(struct store_list *l, struct list_entry *out)
{
	int more = look.real->list_next(l, out);

	if (!more && !look.done) {
		look.done = true;
		look.written = look.change(look.m);
	}
	return more;
}

static void *list_root(void *arg)
{
	row_number("the listing",
		   mount_ls(look.m, "", look.shows, sizeof(look.shows)), 0);
	return NULL;
}

/* The whole listing comes before the store has what is put. */
static int put(struct store *s, const char *key, const struct store_body *body,
	       const struct store_meta *meta, const struct store_cond *cond,
	       struct object_info *out)
{
	pthread_t thread;

	if (!look.done) {
		look.done = true;
		assert_int_equal(pthread_create(&thread, NULL, list_root, NULL),
				 0);
		pthread_join(thread, NULL);
	}
	return look.real->put(s, key, body, meta, cond, out);
}

static void mount_looked_at(struct mount *m)
{
	mount_up(m, "", 0, false);
	store_has(m, "a", "a");
	look.m = m;
	look.done = false;
	look.real = m->store->ops;
	look.ops = *look.real;
	look.ops.put = put;
	m->store->ops = &look.ops;
}

static void test_directory(void **state)
{
	struct mount m;
	char out[64];

	mount_looked_at(&m);
	row_number("mkdir", mount_mkdir(&m, "d"), 0);
	row_check("a program listed it meanwhile", look.done);
	row_equal("... and is shown it", look.shows, "a d/ ");
	row_number("a file in it", mount_write(&m, "d/x", "x"), 0);
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	row_equal("it is there", out, "a d/ ");
	assert_int_equal(mount_ls(&m, "d", out, sizeof(out)), 0);
	row_equal("with the file", out, "x ");
	mount_down(&m);
}

/* The directory is looked at by the handle that mkdir gave. */
static void test_directory_handle(void **state)
{
	struct mount m;
	struct inode *root;
	struct fs_entry d, x;
	struct handle *w;
	int rc;

	mount_looked_at(&m);
	root = mount_find(&m, "", &rc);
	assert_int_equal(rc, 0);
	assert_int_equal(fs_mkdir(m.fs, root, "d", 0755, &m.caller, &d), 0);
	row_number("a file in what mkdir made",
		   fs_file_create(m.fs, d.inode, "x", 0644,
				  O_WRONLY | O_CREAT | O_EXCL, &m.caller, &x,
				  &w),
		   0);
	fs_release(m.fs, w);
	fs_forget(m.fs, x.inode, 1);
	fs_forget(m.fs, d.inode, 1);
	mount_forget(&m, root);
	mount_down(&m);
}

static int write_file(struct mount *m)
{
	struct handle *h;
	struct fs_entry e;
	int rc =
		fs_file_create(m->fs, look.dir, "x", 0644,
			       O_WRONLY | O_CREAT | O_EXCL, &m->caller, &e, &h);

	if (rc)
		return rc;
	fs_forget(m->fs, e.inode, 1);
	rc = fs_file_flush(m->fs, h);
	fs_release(m->fs, h);
	return rc;
}

static int make_directory(struct mount *m)
{
	struct fs_entry e;
	int rc = fs_mkdir(m->fs, look.dir, "x", 0755, &m->caller, &e);

	if (!rc)
		fs_forget(m->fs, e.inode, 1);
	return rc;
}

static int move_file(struct mount *m)
{
	return fs_rename(m->fs, fs_root(m->fs), "a", look.dir, "x", 0);
}

/*
 * A directory that is there only by the keys below it: others remove those
 * while the mount makes one of its own there. A listing of before has no such
 * directory.
 */
static void test_implied(void **state)
{
	static const struct {
		const char *says, *lists, *shows;
		int (*change)(struct mount *m);
	} rows[] = {
		{ "a file, and the root is listed", "", "x ", write_file },
		{ "a file, and the directory is", "d", "x ", write_file },
		{ "a file that is moved, and the root is", "", "x ",
		  move_file },
		{ "a file that is moved, and the directory is", "d", "x ",
		  move_file },
		{ "a directory, and the root is", "", "x/ ", make_directory },
		{ "a directory, and the directory is", "d", "x/ ",
		  make_directory },
	};

	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		struct inode *i;
		struct mount m;
		char out[64];

		mount_up(&m, "", 60, false);
		store_has(&m, "a", "a");
		store_has(&m, "d/a", "a");
		store_has(&m, "d/e/old", "old");
		look.dir = mount_find(&m, "d/e", NULL);
		assert_non_null(look.dir);
		assert_int_equal(memstore_poke_remove(m.store, "d/e/old"), 0);
		if (!*rows[k].lists)
			assert_int_equal(memstore_poke_remove(m.store, "d/a"),
					 0);
		fs_set_ttl(m.fs, 0);
		look.m = &m;
		look.done = false;
		look.change = rows[k].change;
		look.real = m.store->ops;
		look.ops = *look.real;
		look.ops.list_next = listed;
		m.store->ops = &look.ops;
		row_number(rows[k].says,
			   mount_ls(&m, rows[k].lists, out, sizeof(out)), 0);
		row_check("it was made meanwhile", look.done);
		row_number("... with success", look.written, 0);
		m.store->ops = look.real;
		i = mount_find(&m, "d/e", NULL);
		row_check("its directory is the same", i == look.dir);
		if (i)
			mount_forget(&m, i);
		mount_forget(&m, look.dir);
		assert_int_equal(mount_ls(&m, "d/e", out, sizeof(out)), 0);
		row_equal("... and shows it", out, rows[k].shows);
		mount_down(&m);
	}
}

SUITE(made)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_directory_handle),
		cmocka_unit_test(test_implied),
	};

	return cmocka_run_group_tests_name("made", tests, NULL, NULL);
}
