/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes in the metadata of objects: when they are asked for and stored,
 * and by how many requests.
 *
 * Covers: fs/attr/attr_learn.c fs/attr/attr_queue.c fs/attr/attr_send.c
 */
#include "posix_rig.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>

#include "base/clock.h"
#include "fs/attr/attr_learn.h"
#include "fs/attr/attr_queue.h"
#include "fs/attr/attr_send.h"
#include "fs/names/inode_meta.h"
#include "fs/state.h"
#include "store/attr_meta.h"

#define KEY "p/d/f"

static void up(struct mount *m)
{
	posix_up(m, 3600);
}

static int set_mtime(struct mount *m, const char *path, time_t s, long ns)
{
	struct stat st = { .st_mtim = { s, ns } }, out;
	struct inode *i = mount_find(m, path, NULL);
	double timeout;
	int rc = fs_setattr(m->fs, i, NULL, &st, FS_SET_MTIME, &out, &timeout);

	mount_forget(m, i);
	return rc;
}

/* The same, in a burst or not, however slow the machine is; after that many
 * others. */
static int change(struct mount *m, const char *path, mode_t mode, int others,
		  bool made)
{
	struct store_attr to = { .which = STORE_SET_MODE };
	struct inode *i = mount_find(m, path, NULL);
	int rc;

	for (to.mode = mode - others; to.mode <= mode; to.mode++)
		inode_meta_set(m->fs->tree, i, &to);
	rc = attr_queue_add(m->fs->attr_queue, i, made);
	mount_forget(m, i);
	return rc;
}

/* ---- asking ---- */

static void are_those_of_the_object(void **state)
{
	struct mount m;
	struct stat st;

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	posix_has(&m, "p/d/", "", S_IFDIR | 0700);
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_gid, 1000); /* it does not say */
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	assert_int_equal(st.st_mtim.tv_nsec, 5);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(mount_stat(&m, "d", &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	mount_down(&m);
}

static void without_any_are_the_settings(void **state)
{
	struct mount m;
	struct stat st;

	up(&m);
	store_has(&m, KEY, "text");
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(mount_stat(&m, "d", &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(st.st_uid, 1000);
	mount_down(&m);
}

/* What a user has set wins, and what it hides is kept here. */
static void a_setting_wins(void **state)
{
	struct fs_settings set = mount_settings;
	struct store *s = memstore_new("s");
	struct store_attr a;
	struct mount m;
	struct stat st;

	set.fixed = TREE_FIXED_FILE_MODE;
	s->attributes = true;
	mount_on(&m, s, "p/", false, &set);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(mount_chmod(&m, "d/f", 0640), 0);
	assert_int_equal(mount_sync_dir(&m, "d"), 0);
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	posix_said(&m, KEY, &a);
	assert_int_equal(a.mode, S_IFREG | 0600);
	mount_down(&m);
}

static void are_asked_for_once(void **state)
{
	struct mount m;
	struct stat st;
	char names[64];
	unsigned n;

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
	n = memstore_calls(m.store, "head");
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	assert_int_equal(memstore_calls(m.store, "head"), n + 1);
	mount_down(&m);
}

static void a_listing_asks_for_none(void **state)
{
	struct mount m;
	char names[64];
	unsigned n;

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	posix_has(&m, "p/d/g", "text", S_IFREG | 0600);
	assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
	n = memstore_calls(m.store, "head");
	assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
	assert_string_equal(names, "f g ");
	assert_int_equal(memstore_calls(m.store, "head"), n);
	mount_down(&m);
}

/* The HEADs of these tests wait for one another. */
static const struct store_ops *real;
static struct store_ops held;
static sem_t entered, pass;

static int held_head(struct store *s, const char *key,
		     struct object_details *out)
{
	sem_post(&entered);
	sem_wait(&pass);
	return real->head(s, key, out);
}

static void *stat_second(void *arg)
{
	struct stat st;

	assert_int_equal(mount_stat(arg, "d/f01", &st), 0);
	return NULL;
}

/* `ls -l`: the first name alone, then those that follow side by side. */
static void a_walk_asks_side_by_side(void **state)
{
	struct timespec end = clock_now();
	char key[32], names[1024];
	struct mount m;
	struct stat st;
	pthread_t t;

	up(&m);
	for (int k = 0; k < 70; k++) {
		snprintf(key, sizeof(key), "p/d/f%02d", k);
		posix_has(&m, key, "text", S_IFREG | 0600);
	}
	assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
	assert_int_equal(mount_stat(&m, "d/f00", &st), 0);
	real = m.store->ops;
	held = *real;
	held.head = held_head;
	m.store->ops = &held;
	sem_init(&entered, 0, 0);
	sem_init(&pass, 0, 0);
	pthread_create(&t, NULL, stat_second, &m);
	end.tv_sec += 120;
	for (int k = 0; k < ATTR_LEARN_AT_ONCE; k++)
		assert_int_equal(sem_timedwait(&entered, &end), 0);
	for (int k = 0; k < 100; k++)
		sem_post(&pass);
	pthread_join(t, NULL);
	m.store->ops = real;
	assert_int_equal(sem_trywait(&entered), -1);
	sem_destroy(&entered);
	sem_destroy(&pass);
	mount_down(&m);
}

static void a_name_alone_asks_for_itself(void **state)
{
	struct mount m;
	struct stat st;
	char names[64];
	unsigned n;

	up(&m);
	for (char key[] = "p/d/a"; key[4] <= 'c'; key[4]++)
		posix_has(&m, key, "text", S_IFREG | 0600);
	assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
	n = memstore_calls(m.store, "head");
	assert_int_equal(mount_stat(&m, "d/b", &st), 0);
	assert_int_equal(memstore_calls(m.store, "head"), n + 1);
	mount_down(&m);
}

static void may_not_be_read(void **state)
{
	struct mount m;
	struct stat st;
	char names[64];

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
	memstore_fail(m.store, "head", 1, -EACCES);
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	mount_down(&m);
}

static void cannot_be_asked_for(void **state)
{
	struct mount m;
	struct stat st;
	char names[64];

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
	memstore_fail(m.store, "head", 1, -ETIMEDOUT);
	assert_int_equal(mount_stat(&m, "d/f", &st), -ETIMEDOUT);
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	mount_down(&m);
}

static void has_gone_meanwhile(void **state)
{
	struct mount m;
	struct stat st;
	char names[64];

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
	memstore_poke_remove(m.store, KEY);
	assert_int_equal(mount_stat(&m, "d/f", &st), -ENOENT);
	mount_down(&m);
}

/* ---- keeping ---- */

static void go_with_the_bytes(void **state)
{
	struct store_attr a;
	struct handle *h;
	struct mount m;
	unsigned puts, copies;

	up(&m);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	puts = memstore_calls(m.store, "put");
	copies = memstore_calls(m.store, "copy");
	assert_int_equal(mount_create(&m, "d/f", &h), 0);
	assert_int_equal(mount_chmod(&m, "d/f", 0640), 0);
	assert_int_equal(set_mtime(&m, "d/f", 2000, 9), 0);
	assert_int_equal(fs_file_sync(m.fs, h), 0);
	fs_release(m.fs, h);
	assert_int_equal(mount_sync_dir(&m, "d"), 0);
	assert_int_equal(memstore_calls(m.store, "put"), puts + 1);
	assert_int_equal(memstore_calls(m.store, "copy"), copies);
	posix_said(&m, KEY, &a);
	assert_int_equal(a.which, ATTR_META_ALL);
	assert_int_equal(a.mode, S_IFREG | 0640);
	assert_int_equal(a.mtime.tv_sec, 2000);
	assert_int_equal(a.mtime.tv_nsec, 9);
	posix_said(&m, "p/d/", &a);
	assert_int_equal(a.mode & S_IFMT, S_IFDIR);
	mount_down(&m);
}

static void many_are_one_copy(void **state)
{
	struct store_attr a;
	struct mount m;
	unsigned copies;

	up(&m);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	assert_int_equal(mount_write(&m, "d/f", "text"), 0);
	copies = memstore_calls(m.store, "copy");
	assert_int_equal(change(&m, "d/f", 0602, 2, true), 0);
	assert_int_equal(mount_sync_dir(&m, "d"), 0);
	assert_int_equal(memstore_calls(m.store, "copy"), copies + 1);
	posix_said(&m, KEY, &a);
	assert_int_equal(a.mode, S_IFREG | 0602);
	mount_down(&m);
}

static void what_is_so_costs_nothing(void **state)
{
	struct mount m;
	unsigned copies, heads;

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	assert_int_equal(mount_chmod(&m, "d/f", 0600), 0);
	copies = memstore_calls(m.store, "copy");
	heads = memstore_calls(m.store, "head");
	assert_int_equal(mount_chmod(&m, "d/f", 0600), 0);
	assert_int_equal(set_mtime(&m, "d/f", 1000, 5), 0);
	assert_int_equal(mount_sync_dir(&m, "d"), 0);
	assert_int_equal(memstore_calls(m.store, "copy"), copies);
	assert_int_equal(memstore_calls(m.store, "head"), heads);
	mount_down(&m);
}

static void the_first_is_heard_of(void **state)
{
	struct mount m;
	struct stat st;

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	memstore_fail(m.store, "copy", 1, -EACCES);
	assert_int_equal(change(&m, "d/f", 0640, 0, false), -EACCES);
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(mount_sync_dir(&m, "d"), 0);
	mount_down(&m);
}

static void a_later_one_by_fsync(void **state)
{
	struct mount m;
	struct stat st;

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	memstore_fail(m.store, "copy", 1, -EACCES);
	assert_int_equal(change(&m, "d/f", 0640, 0, true), 0);
	assert_int_equal(mount_sync_dir(&m, "d"), -EACCES);
	assert_int_equal(mount_sync_dir(&m, "d"), 0);
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	mount_down(&m);
}

static void are_stored_by_the_end(void **state)
{
	struct store_attr a;
	struct mount m;
	struct store *s;

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	assert_int_equal(change(&m, "d/f", 0640, 0, true), 0);
	s = store_ref(m.store);
	mount_down(&m);
	m.store = s;
	posix_said(&m, KEY, &a);
	assert_int_equal(a.mode, S_IFREG | 0640);
	assert_int_equal(a.uid, 7); /* what was not changed stays */
	store_unref(s);
}

static void go_where_the_name_goes(void **state)
{
	struct store_attr a;
	struct mount m;

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	assert_int_equal(change(&m, "d/f", 0640, 0, true), 0);
	assert_int_equal(mount_rename(&m, "d/f", "d/g", 0), 0);
	assert_int_equal(mount_sync_dir(&m, "d"), 0);
	posix_said(&m, "p/d/g", &a);
	assert_int_equal(a.mode, S_IFREG | 0640);
	assert_false(store_holds(&m, KEY));
	mount_down(&m);
}

static void an_implied_directory_gets_an_object(void **state)
{
	struct store_attr a;
	struct mount m;

	up(&m);
	store_has(&m, KEY, "text");
	assert_false(store_holds(&m, "p/d/"));
	assert_int_equal(mount_chmod(&m, "d", 0700), 0);
	assert_int_equal(mount_sync_dir(&m, "d"), 0);
	posix_said(&m, "p/d/", &a);
	assert_int_equal(a.mode, S_IFDIR | 0700);
	mount_down(&m);
}

static void an_edit_keeps_them(void **state)
{
	struct store_attr a;
	struct mount m;

	up(&m);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	assert_int_equal(mount_write(&m, "d/f", "other"), 0);
	posix_said(&m, KEY, &a);
	assert_int_equal(a.mode, S_IFREG | 0600);
	assert_int_equal(a.uid, 7);
	assert_true(a.mtime.tv_sec > 1000); /* it was written to */
	mount_down(&m);
}

/* ---- symbolic links ---- */

static void links_are_objects(void **state)
{
	char target[PATH_MAX], text[64];
	struct fs_entry e;
	struct inode *dir;
	struct store_attr a;
	struct mount m;
	struct stat st;

	up(&m);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	dir = mount_find(&m, "d", NULL);
	assert_int_equal(
		fs_symlink(m.fs, dir, "l", "../to/there", &m.caller, &e), 0);
	assert_int_equal(e.st.st_mode, S_IFLNK | 0777);
	assert_int_equal(e.st.st_size, 11);
	assert_int_equal(fs_readlink(m.fs, e.inode, target), 0);
	assert_string_equal(target, "../to/there");
	mount_forget(&m, e.inode);
	assert_int_equal(fs_symlink(m.fs, dir, "l", "x", &m.caller, &e),
			 -EEXIST);
	mount_forget(&m, dir);
	posix_said(&m, "p/d/l", &a);
	assert_int_equal(a.mode, S_IFLNK | 0777);
	posix_has(&m, "p/d/other", "target", S_IFLNK | 0777);
	assert_int_equal(mount_sync_dir(&m, "d"), 0);
	tree_invalidate(m.fs->tree, mount_find(&m, "d", NULL), "other");
	assert_int_equal(mount_ls(&m, "d", text, sizeof(text)), 0);
	assert_int_equal(mount_stat(&m, "d/other", &st), 0);
	assert_int_equal(st.st_mode, S_IFLNK | 0777);
	assert_int_equal(mount_unlink(&m, "d/l"), 0);
	mount_settle(&m);
	assert_false(store_holds(&m, "p/d/l"));
	mount_down(&m);
}

/* The kernel knows a file as what it is: what another machine makes of it is
 * another inode. */
static void a_file_becomes_a_link(void **state)
{
	struct inode *was, *is;
	struct mount m;

	posix_up(&m, 0);
	posix_has(&m, KEY, "text", S_IFREG | 0600);
	was = mount_find(&m, "d/f", NULL);
	posix_has(&m, KEY, "elsewhere", S_IFLNK | 0777);
	is = mount_find(&m, "d/f", NULL);
	assert_non_null(is);
	assert_ptr_not_equal(was, is);
	mount_forget(&m, is);
	mount_forget(&m, was);
	mount_down(&m);
}

static void elsewhere_are_refused(void **state)
{
	struct fs_entry e;
	struct inode *dir;
	struct mount m;

	mount_up(&m, "p/", 60, false);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	dir = mount_find(&m, "d", NULL);
	assert_int_equal(fs_symlink(m.fs, dir, "l", "x", &m.caller, &e),
			 -EPERM);
	mount_forget(&m, dir);
	mount_down(&m);
}

SUITE(attr)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(are_those_of_the_object),
		cmocka_unit_test(without_any_are_the_settings),
		cmocka_unit_test(a_setting_wins),
		cmocka_unit_test(are_asked_for_once),
		cmocka_unit_test(a_listing_asks_for_none),
		cmocka_unit_test(a_walk_asks_side_by_side),
		cmocka_unit_test(a_name_alone_asks_for_itself),
		cmocka_unit_test(may_not_be_read),
		cmocka_unit_test(cannot_be_asked_for),
		cmocka_unit_test(has_gone_meanwhile),
		cmocka_unit_test(go_with_the_bytes),
		cmocka_unit_test(many_are_one_copy),
		cmocka_unit_test(what_is_so_costs_nothing),
		cmocka_unit_test(the_first_is_heard_of),
		cmocka_unit_test(a_later_one_by_fsync),
		cmocka_unit_test(are_stored_by_the_end),
		cmocka_unit_test(go_where_the_name_goes),
		cmocka_unit_test(an_implied_directory_gets_an_object),
		cmocka_unit_test(an_edit_keeps_them),
		cmocka_unit_test(links_are_objects),
		cmocka_unit_test(a_file_becomes_a_link),
		cmocka_unit_test(elsewhere_are_refused),
	};

	return cmocka_run_group_tests_name("attr", tests, NULL, NULL);
}
