/* SPDX-License-Identifier: Apache-2.0 */
/* The root of stages: its names are the catalog's. */
#include "base/budget.h"
#include "catalog_fixture.h"
#include "fs_fixture.h"
#include "fs/xattr/fs_xattr.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct catalog *catalog;

/* The fixture's helpers by path serve a root of stages as well. */
static void up_for(struct mount *m, const struct conn *conn, unsigned ttl)
{
	struct fs_settings s = mount_settings;

	s.metadata_ttl_s = ttl;
	memset(m, 0, sizeof(*m));
	catalog = open_catalog(conn, ttl);
	m->caller.uid = m->caller.gid = 1000;
	mount_fs(m, catalog, &s);
}

static void up(struct mount *m, const struct conn *conn)
{
	up_for(m, conn, 60);
}

static void down(struct mount *m)
{
	fs_free(m->fs);
	budget_free(m->budget);
	catalog_free(catalog);
}

static unsigned requests(struct store *s)
{
	static const char *const ops[] = { "stat", "head", "list",   "put",
					   "get",  "copy", "remove", "open" };
	unsigned sum = 0;

	for (size_t k = 0; s && k < COUNT(ops); k++)
		sum += memstore_calls(s, ops[k]);
	return sum;
}

static void test_names(void **state)
{
	struct mount m;
	struct stat st;
	char out[256];
	unsigned before;

	up(&m, &storage_conn);
	assert_int_equal(memstore_poke(storage, "root/stage/internal/in/a b",
				       "x", 1),
			 0);
	/* the root, `~` and external stages are there without a request */
	before = requests(storage) + requests(external);
	assert_int_equal(mount_stat(&m, "", &st), 0);
	assert_int_equal(mount_stat(&m, "~", &st), 0);
	assert_int_equal(mount_stat(&m, "ext", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(requests(storage) + requests(external), before);
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	assert_string_equal(out, "~/ ext/ in/ ");
	assert_int_equal(mount_ls(&m, "in", out, sizeof(out)), 0);
	assert_string_equal(out, "a b ");
	assert_int_equal(mount_stat(&m, "nosuch", &st), -ENOENT);
	assert_int_equal(mount_write(&m, "~/f", "text"), 0);
	assert_int_equal(mount_cat(&m, "~/f", out, sizeof(out)), 4);
	down(&m);
}

static const struct {
	const char *sentence;
	const char *verb, *a, *b;
	int result;
} rows[] = {
	{ "a new stage", "mkdir", "x_1$", NULL, 0 },
	{ "one that is there", "mkdir", "in", NULL, -EEXIST },
	{ "one of the configuration", "mkdir", "ext", NULL, -EEXIST },
	{ "no name for a stage", "mkdir", "a-b", NULL, -EINVAL },
	{ "a reserved name", "mkdir", "metrics", NULL, -EINVAL },
	{ "a file", "create", "file", NULL, -EPERM },
	{ "removing a stage as a file", "rm", "in", NULL, -EPERM },
	{ "dropping the user stage", "rmdir", "~", NULL, -EPERM },
	{ "dropping one of the configuration", "rmdir", "ext", NULL, -EPERM },
	{ "dropping a full one", "rmdir", "in", NULL, -ENOTEMPTY },
	{ "dropping what is not there", "rmdir", "nosuch", NULL, -ENOENT },
	{ "dropping an empty one", "rmdir", "x_1$", NULL, 0 },
	{ "... twice", "rmdir", "x_1$", NULL, -ENOENT },
	{ "renaming a stage", "mv", "in", "out", -EXDEV },
	{ "one of the configuration", "mv", "ext", "in/out", -EPERM },
	{ "the user stage", "mv", "~", "out", -EPERM },
	{ "what is not there", "mv", "nosuch", "out", -ENOENT },
	{ "moving a file to the root", "mv", "in/a", "a", -EXDEV },
	{ "moving a file to another stage", "mv", "in/a", "ext/a", -EXDEV },
	{ "another new stage", "mkdir", "other", NULL, 0 },
	{ "moving a file to another stage of that store", "mv", "in/a",
	  "other/a", 0 },
	{ "... where it is", "mv", "other/a", "other/b", 0 },
	{ "... and back", "mv", "other/b", "in/a", 0 },
	{ "a directory", "mkdir", "in/d", NULL, 0 },
	{ "moving it to another stage of that store", "mv", "in/d", "other/d",
	  0 },
	{ "... with its name in the place", "mv", "other/d", "in/d", 0 },
	{ "moving one within a stage", "mv", "in/a", "in/b", 0 },
};

static void test_changes(void **state)
{
	struct mount m;
	struct handle *h;

	up(&m, &storage_conn);
	assert_int_equal(
		memstore_poke(storage, "root/stage/internal/in/a", "x", 1), 0);
	for (size_t r = 0; r < COUNT(rows); r++) {
		int rc = 0;

		if (!strcmp(rows[r].verb, "mkdir"))
			rc = mount_mkdir(&m, rows[r].a);
		else if (!strcmp(rows[r].verb, "create"))
			rc = mount_create(&m, rows[r].a, &h);
		else if (!strcmp(rows[r].verb, "rm"))
			rc = mount_unlink(&m, rows[r].a);
		else if (!strcmp(rows[r].verb, "rmdir"))
			rc = mount_rmdir(&m, rows[r].a);
		else
			rc = mount_rename(&m, rows[r].a, rows[r].b, 0);
		row_number(rows[r].sentence, rc, rows[r].result);
	}
	down(&m);
}

/* ---- what is believed ---- */

static const struct {
	const char *sentence;
	const char *verb, *name, *shows; /* NULL: not there */
	unsigned stats, lists; /* requests that it takes */
} believed[] = {
	{ "one that was not looked up is asked", "stat", "in", "in", 1, 0 },
	{ "which is believed", "stat", "in", "in", 0, 0 },
	{ "what is not there is not", "stat", "none", NULL, 1, 0 },
	{ "since others make stages", "stat", "none", NULL, 1, 0 },
	{ "all of them are one request", "ls", NULL, "~/ ext/ in/ two/ ", 0,
	  1 },
	{ "which is believed", "ls", NULL, "~/ ext/ in/ two/ ", 0, 0 },
	{ "with each of them", "stat", "two", "two", 0, 0 },
	{ "and that there are no others", "stat", "none", NULL, 0, 0 },
	{ "what another machine drops stays for a while", "poke", NULL, NULL, 0,
	  0 },
	{ "by name", "stat", "two", "two", 0, 0 },
	{ "and in the listing", "ls", NULL, "~/ ext/ in/ two/ ", 0, 0 },
	{ "what we make asks and is there", "mkdir", "made", NULL, 1, 0 },
	{ "without asking again", "stat", "made", "made", 0, 0 },
	{ "in the listing too", "ls", NULL, "~/ ext/ in/ made/ two/ ", 0, 0 },
	{ "what we drop is not there", "rmdir", "made", NULL, 0, 1 },
	{ "any more", "stat", "made", NULL, 0, 0 },
	{ "nor in the listing", "ls", NULL, "~/ ext/ in/ two/ ", 0, 0 },
};

static void test_believed(void **state)
{
	struct mount m;
	struct stat st;
	char out[256];

	up(&m, &storage_conn);
	poke("root/stage/internal/in/a");
	poke("root/stage/internal/two/");
	for (size_t r = 0; r < COUNT(believed); r++) {
		const char *verb = believed[r].verb, *name = believed[r].name;
		unsigned stats = memstore_calls(storage, "stat");
		unsigned lists = memstore_calls(storage, "list");
		int rc = 0;

		if (!strcmp(verb, "stat"))
			rc = mount_stat(&m, name, &st);
		else if (!strcmp(verb, "ls"))
			rc = mount_ls(&m, "", out, sizeof(out));
		else if (!strcmp(verb, "mkdir"))
			rc = mount_mkdir(&m, name);
		else if (!strcmp(verb, "rmdir"))
			rc = mount_rmdir(&m, name);
		else
			memstore_poke_remove(storage,
					     "root/stage/internal/two/");
		row_number(believed[r].sentence, rc,
			   !strcmp(verb, "stat") && !believed[r].shows ? -ENOENT
								       : 0);
		if (!strcmp(verb, "ls"))
			row_equal(believed[r].sentence, out, believed[r].shows);
		row_number(believed[r].sentence,
			   memstore_calls(storage, "stat") - stats,
			   believed[r].stats);
		row_number(believed[r].sentence,
			   memstore_calls(storage, "list") - lists,
			   believed[r].lists);
	}
	down(&m);
}

/* Without a ttl the store is asked each time. */
static void test_others(void **state)
{
	struct mount m;
	struct stat st;
	char out[256];

	up_for(&m, &storage_conn, 0);
	poke("root/stage/internal/s/");
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	assert_string_equal(out, "~/ ext/ s/ ");
	assert_int_equal(mount_stat(&m, "s", &st), 0);
	memstore_poke_remove(storage, "root/stage/internal/s/");
	assert_int_equal(mount_stat(&m, "s", &st), -ENOENT);
	poke("root/stage/internal/t/");
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	assert_string_equal(out, "~/ ext/ t/ ");
	memstore_poke_remove(storage, "root/stage/internal/t/");
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	assert_string_equal(out, "~/ ext/ ");

	/* the last file that we remove does not take the stage along */
	poke("root/stage/internal/s/a");
	assert_int_equal(mount_unlink(&m, "s/a"), 0);
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	assert_string_equal(out, "~/ ext/ s/ ");
	assert_int_equal(mount_rmdir(&m, "s"), 0);
	assert_int_equal(mount_stat(&m, "s", &st), -ENOENT);
	down(&m);
}

/* The first listing of the storage reads its entries, then waits here. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool closed, reached;
	void (*list_close)(struct store_list *l);
	struct store_ops ops;
} gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER };

static void close_at_gate(struct store_list *l)
{
	gate.list_close(l);
	pthread_mutex_lock(&gate.mutex);
	if (!gate.reached) {
		gate.reached = true;
		pthread_cond_broadcast(&gate.cond);
		while (gate.closed)
			pthread_cond_wait(&gate.cond, &gate.mutex);
	}
	pthread_mutex_unlock(&gate.mutex);
}

static void gate_close(void)
{
	gate.closed = true;
	gate.reached = false;
	gate.ops = *storage->ops;
	gate.list_close = gate.ops.list_close;
	gate.ops.list_close = close_at_gate;
	storage->ops = &gate.ops;
}

static void gate_await(void)
{
	pthread_mutex_lock(&gate.mutex);
	while (!gate.reached)
		pthread_cond_wait(&gate.cond, &gate.mutex);
	pthread_mutex_unlock(&gate.mutex);
}

static void gate_open(void)
{
	pthread_mutex_lock(&gate.mutex);
	gate.closed = false;
	pthread_cond_broadcast(&gate.cond);
	pthread_mutex_unlock(&gate.mutex);
}

static char listed[256];

static void *list_root(void *m)
{
	if (mount_ls(m, "", listed, sizeof(listed)))
		abort();
	return NULL;
}

static void test_listing_under_way(void **state)
{
	pthread_t lister;
	struct mount m;
	struct stat st;

	up(&m, &storage_conn);
	poke("root/stage/internal/old/");
	gate_close();
	pthread_create(&lister, NULL, list_root, &m);
	gate_await();
	assert_int_equal(mount_stat(&m, "ext", &st), 0); /* not held up */
	assert_int_equal(mount_mkdir(&m, "new"), 0);
	assert_int_equal(mount_rmdir(&m, "old"), 0);
	gate_open();
	pthread_join(lister, NULL);
	row_equal("our changes outlive it", listed, "~/ ext/ new/ ");
	assert_int_equal(mount_stat(&m, "old", &st), -ENOENT);
	assert_int_equal(mount_ls(&m, "", listed, sizeof(listed)), 0);
	row_equal("and what it leaves", listed, "~/ ext/ new/ ");
	down(&m);
}

/* Not even an unpublished file is forgotten with its stage. */
static void test_drop_with_open_file(void **state)
{
	struct mount m;
	struct handle *h;

	up(&m, &storage_conn);
	assert_int_equal(mount_mkdir(&m, "x"), 0);
	assert_int_equal(mount_create(&m, "x/f", &h), 0);
	assert_int_equal(mount_rmdir(&m, "x"), -ENOTEMPTY);
	fs_release(m.fs, h);
	assert_int_equal(mount_unlink(&m, "x/f"), 0);
	assert_int_equal(mount_rmdir(&m, "x"), 0);
	down(&m);
}

/* A stage is dropped amid a traversal: what was read ahead in it, and kept,
 * does not keep its store. */
static void test_drop_amid_traversal(void **state)
{
	static const char at[] = "root/stage/internal/in/";
	char key[64], text[64];
	struct mount m;
	unsigned refs;

	up(&m, &storage_conn);
	assert_int_equal(mount_ls(&m, "~", text, sizeof(text)), 0);
	refs = __atomic_load_n(&storage->refs, __ATOMIC_ACQUIRE);
	for (unsigned round = 0; round < 2; round++) {
		poke(at); /* its marker */
		for (unsigned k = 0; k < 2000; k++) {
			snprintf(key, sizeof(key), "%sd%02u/f%02u", at, k / 50,
				 k % 50);
			poke(key);
		}
		for (unsigned k = 0; k < 4; k++) {
			char names[1024];

			snprintf(key, sizeof(key), "in/d%02u", k);
			assert_int_equal(
				mount_ls(&m, "in", names, sizeof(names)), 0);
			assert_int_equal(
				mount_ls(&m, key, names, sizeof(names)), 0);
			assert_int_equal(strlen(names), 50 * 4);
		}
		for (unsigned k = 0; k < 6; k++) {
			snprintf(key, sizeof(key), "in/d00/f%02u", k);
			assert_true(mount_cat(&m, key, text, sizeof(text)) > 0);
		}
		assert_true(__atomic_load_n(&storage->refs, __ATOMIC_ACQUIRE) >
			    refs + 1 + round);
		for (unsigned k = 0; k < 2000; k++) {
			snprintf(key, sizeof(key), "%sd%02u/f%02u", at, k / 50,
				 k % 50);
			memstore_poke_remove(storage, key);
		}
		assert_int_equal(mount_rmdir(&m, "in"), 0);
		/* the stage's own, while names of it are cached */
		assert_in_range(__atomic_load_n(&storage->refs,
						__ATOMIC_ACQUIRE),
				refs, refs + 1 + round);
	}
	down(&m);
}

/* The last key of a stage goes, and so does the stage: an open file of it keeps
 * its place. */
static void test_forgotten(void **state)
{
	static const char *const paths[] = { "in/f", "in/d/f", "in/old" };
	static const char at[] = "root/stage/internal/";
	char key[64], text[64];
	struct mount m;
	struct handle *h;
	struct stat st;

	for (size_t k = 0; k < COUNT(paths); k++) {
		up_for(&m, &storage_conn, 0);
		assert_int_equal(memstore_poke(storage,
					       "root/stage/internal/in/old",
					       "x", 1),
				 0);
		if (k == 1)
			assert_int_equal(mount_mkdir(&m, "in/d"), 0);
		assert_int_equal(k == 2 ? mount_open(&m, paths[k], O_WRONLY, &h)
					: mount_create(&m, paths[k], &h),
				 0);
		assert_int_equal(memstore_poke_remove(
					 storage, "root/stage/internal/in/old"),
				 0);
		memstore_poke_remove(storage, "root/stage/internal/in/d/");
		assert_int_equal(mount_stat(&m, "in", &st), -ENOENT);
		assert_int_equal(fs_file_write(m.fs, h, 0, "new", 3), 0);
		assert_int_equal(
			k ? fs_file_sync(m.fs, h) : fs_file_flush(m.fs, h), 0);
		fs_release(m.fs, h);
		m.store = storage;
		snprintf(key, sizeof(key), "%s%s", at, paths[k]);
		assert_true(store_holds(&m, key));
		assert_int_equal(mount_cat(&m, paths[k], text, sizeof(text)),
				 3);
		down(&m);
	}
}

/* [storage] is dead: the other stages are there. */
static void test_dead_storage(void **state)
{
	struct mount m;
	struct stat st;
	char out[256];

	up(&m, &storage_conn);
	memstore_fail(storage, "list", 0, -ETIMEDOUT);
	memstore_fail(storage, "stat", 0, -ETIMEDOUT);
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	assert_string_equal(out, "~/ ext/ ");
	assert_int_equal(mount_stat(&m, "ext", &st), 0);
	assert_int_equal(mount_stat(&m, "in", &st), -ETIMEDOUT);
	memstore_fail(storage, "list", 0, 0);
	memstore_fail(storage, "stat", 0, 0);
	down(&m);
}

static void test_no_storage(void **state)
{
	struct mount m;
	char out[256];

	up(&m, NULL);
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	assert_string_equal(out, "ext/ ");
	assert_int_equal(mount_mkdir(&m, "x"), -EROFS);
	down(&m);
}

static void test_attributes(void **state)
{
	struct mount m;
	struct buf v = BUF_INIT(BUF_URL);
	struct inode *root, *ext;

	up(&m, &storage_conn);
	root = fs_root(m.fs);
	ext = mount_find(&m, "ext", NULL);
	assert_int_equal(fs_xattr_set(m.fs, root, "user.presign.expire", "70",
				      2, 0, &(struct fs_caller){ 0 }),
			 0);
	assert_int_equal(fs_xattr_get(m.fs, ext, "user.presign.upload?path=a/b",
				      &m.caller, &v),
			 0);
	assert_string_equal(
		buf_str(&v),
		"mem://store/data/a/b?X-Mem-Expires=70&X-Mem-Method=PUT");
	buf_reset(&v);
	assert_int_equal(fs_xattr_get(m.fs, root,
				      "user.presign.upload?path=ext/a/b",
				      &m.caller, &v),
			 0);
	assert_string_equal(
		buf_str(&v),
		"mem://store/data/a/b?X-Mem-Expires=70&X-Mem-Method=PUT");
	assert_int_equal(fs_xattr_get(m.fs, root,
				      "user.presign.upload?path=ext", &m.caller,
				      &v),
			 -EINVAL);
	assert_int_equal(fs_xattr_get(m.fs, root,
				      "user.presign.upload?path=nosuch/x",
				      &m.caller, &v),
			 -ENOENT);
	assert_int_equal(fs_xattr_get(m.fs, root, "user.stage.url", &m.caller,
				      &v),
			 -ENODATA);
	buf_clear(&v);
	mount_forget(&m, ext);
	down(&m);
}

SUITE(stages)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_believed),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_listing_under_way),
		cmocka_unit_test(test_drop_with_open_file),
		cmocka_unit_test(test_drop_amid_traversal),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_dead_storage),
		cmocka_unit_test(test_no_storage),
		cmocka_unit_test(test_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
