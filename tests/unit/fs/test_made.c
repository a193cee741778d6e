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
} look;

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

SUITE(made)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_directory_handle),
	};

	return cmocka_run_group_tests_name("made", tests, NULL, NULL);
}
