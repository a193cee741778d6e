/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_back: what cannot be sent, what it is bounded by, and what goes with
 * the bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "fs/state.h"
#include "fs/rename/rename.h"
#include "fs/write_back/queue.h"
#include "fs/xattr/fs_xattr.h"
#include "later_rig.h"
#include "unit.h"

/* ---- what cannot be sent ---- */

static void refused_is_kept(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE), value = BUF_INIT(100);
	struct inode *i;
	struct mount m;

	later_up(&m);
	memstore_fail(m.store, "put", 0, -EACCES);
	assert_int_equal(mount_write(&m, "a", "a"), 0);
	assert_int_equal(mount_write(&m, "b", "b"), 0);
	i = mount_find(&m, "a", NULL);
	assert_int_equal(fs_xattr_get(m.fs, i, "user.stage.pending", &m.caller,
				      &value),
			 0);
	assert_string_equal(buf_str(&value), "waiting");
	assert_int_equal(fs_flush(m.fs, &why), -EACCES);
	assert_non_null(strstr(buf_str(&why), "2 of 2"));
	assert_non_null(strstr(buf_str(&why), "@s/a"));
	buf_reset(&value);
	assert_int_equal(fs_xattr_get(m.fs, i, "user.stage.pending", &m.caller,
				      &value),
			 0);
	assert_string_equal(buf_str(&value), "Permission denied");
	mount_forget(&m, i);
	later_reads(&m, "a", "a");
	assert_int_equal(mount_unlink(&m, "b"), 0);
	assert_int_equal(fs_drain(m.fs, true), -EACCES);
	later_crash(&m);
	assert_int_equal(later_waiting(&m), 1);
	memstore_fail(m.store, "put", 0, 0);
	assert_int_equal(later_flush(&m), 0);
	later_stored(&m, "p/a", "a");
	assert_false(store_holds(&m, "p/b"));
	i = mount_find(&m, "a", NULL);
	assert_int_equal(fs_xattr_get(m.fs, i, "user.stage.pending", &m.caller,
				      &value),
			 -ENODATA);
	mount_forget(&m, i);
	later_down(&m);
	buf_clear(&why);
	buf_clear(&value);
}

/* Writers wait when there is no room; a flush makes some. */
struct late {
	struct mount *m;
	_Atomic(bool) done;
	int rc;
};

static void *write_late(void *arg)
{
	struct late *l = arg;

	l->rc = mount_write(l->m, "late", "late");
	l->done = true;
	return NULL;
}

static void bounded(void **state)
{
	struct fs_settings s = later_settings();
	struct late l = { .rc = -1 };
	struct mount m;
	pthread_t thread;

	s.write_back_names = 3;
	mount_with(&m, "p/", false, &s);
	m.store->write_back = STORE_WRITE_BACK;
	assert_int_equal(mount_write(&m, "a", "a"), 0);
	assert_int_equal(mount_write(&m, "b", "b"), 0);
	assert_int_equal(mount_write(&m, "c", "c"), 0);
	/* one that waits already needs no more */
	assert_int_equal(mount_write(&m, "a", "again"), 0);
	l.m = &m;
	assert_int_equal(pthread_create(&thread, NULL, write_late, &l), 0);
	usleep(100000);
	assert_false(l.done);
	assert_int_equal(mount_unlink(&m, "c"), 0);
	pthread_join(thread, NULL);
	assert_int_equal(l.rc, 0);
	assert_int_equal(later_waiting(&m), 3);
	later_down(&m);
}

/* ---- a worker that is on its way ---- */

struct flusher {
	struct mount *m;
	int rc;
};

static void *flush_it(void *arg)
{
	struct flusher *f = arg;

	f->rc = later_flush(f->m);
	return NULL;
}

static void wait_for_worker(struct write_back *w)
{
	unsigned n = 0;

	for (int k = 0; k < 60000 && !n; k++) {
		usleep(1000);
		lock_take(&w->lock);
		n = queue_locked(w)->n_sending;
		lock_drop(&w->lock);
	}
	assert_true(n);
}

/* It has the file that is replaced, and waits for the claim of the thread that
 * does that. */
static void replaced_while_a_worker_comes(void **state)
{
	struct flusher f = { .rc = -1 };
	struct rename r = { .name = "from" };
	pthread_t thread;
	struct mount m;

	later_up(&m);
	store_has(&m, "p/from", "new");
	assert_int_equal(mount_write(&m, "to", "old"), 0);
	r.fs = m.fs;
	r.from = mount_find(&m, "from", NULL);
	r.to = mount_find(&m, "to", NULL);
	assert_int_equal(claims_publish_begin(m.fs->tree, r.to, NULL), 0);
	f.m = &m;
	assert_int_equal(pthread_create(&thread, NULL, flush_it, &f), 0);
	wait_for_worker(m.fs->write_back);
	assert_int_equal(rename_file_pending(&r), 0);
	assert_int_equal(later_waiting(&m), 0);
	names_orphan(m.fs, r.to);
	claims_publish_end(m.fs->tree, r.to);
	pthread_join(thread, NULL);
	assert_int_equal(f.rc, 0);
	assert_int_equal(memstore_calls(m.store, "put"), 0);
	mount_forget(&m, r.from);
	mount_forget(&m, r.to);
	later_down(&m);
}

/* ---- what is open only to be sent ---- */

/* No byte of it is fetched for programs that have it open: none has. */
static void removed_and_replaced(void **state)
{
	struct handle *h;
	struct mount m;

	later_up(&m);
	for (const char *name = "abc"; *name; name++) {
		const char path[] = { *name, '\0' },
			   key[] = { 'p', '/', *name, '\0' };

		store_has(&m, key, "old text");
		assert_int_equal(mount_open(&m, path, O_RDWR, &h), 0);
		assert_int_equal(fs_file_write(m.fs, h, 0, "new", 3), 0);
		assert_int_equal(fs_file_flush(m.fs, h), 0);
		fs_release(m.fs, h);
	}
	assert_int_equal(later_waiting(&m), 3);
	memstore_fail(m.store, "get", 0, -EIO);
	assert_int_equal(mount_unlink(&m, "a"), 0);
	assert_int_equal(mount_write(&m, "new", "new"), 0);
	assert_int_equal(mount_rename(&m, "new", "b", 0), 0);
	memstore_fail(m.store, "get", 0, 0);
	later_reads(&m, "b", "new");
	later_reads(&m, "c", "new text");
	later_down(&m);
}

static void copy_all(struct mount *m, const char *from, const char *to)
{
	struct handle *source, *h;

	assert_int_equal(mount_open(m, from, O_RDONLY, &source), 0);
	assert_int_equal(mount_create(m, to, &h), 0);
	assert_int_equal(fs_range_copy(m->fs, source, 0, h, 0, 100), 4);
	assert_int_equal(fs_file_flush(m->fs, h), 0);
	fs_release(m->fs, h);
	fs_release(m->fs, source);
	mount_forget(m, mount_find(m, to, NULL));
}

/* A copy that the server makes does not wait: its source may go. */
static void copied_and_source_gone(void **state)
{
	struct mount m;

	later_up(&m);
	store_has(&m, "p/a", "text");
	store_has(&m, "p/b", "text");
	copy_all(&m, "a", "a2");
	copy_all(&m, "b", "b2");
	assert_int_equal(mount_unlink(&m, "a"), 0);
	assert_int_equal(mount_write(&m, "b", "other"), 0);
	mount_settle(&m);
	assert_int_equal(later_flush(&m), 0);
	later_stored(&m, "p/a2", "text");
	later_stored(&m, "p/b2", "text");
	later_stored(&m, "p/b", "other");
	later_down(&m);
}

/* ---- what is cut and written to again ---- */

/* It is in the file that the first seal named, though the second, of which no
 * byte was here, did not need it. */
static void cut_and_written_again(void **state)
{
	struct handle *h;
	struct mount m;

	later_up(&m);
	store_has(&m, "p/a", "old text");
	assert_int_equal(mount_open(&m, "a", O_RDWR, &h), 0);
	assert_int_equal(fs_file_write(m.fs, h, 4, "TEXT", 4), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	assert_int_equal(file_truncate(h->file, 3), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	assert_int_equal(fs_file_write(m.fs, h, 0, "new", 3), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	later_crash(&m);
	later_reads(&m, "a", "new");
	assert_int_equal(later_flush(&m), 0);
	later_stored(&m, "p/a", "new");
	later_down(&m);
}

/* ---- modes and times, where objects keep them ---- */

/* Up on a store that keeps attributes. */
static void later_up_attributes(struct mount *m)
{
	struct fs_settings s = later_settings();
	struct store *store = memstore_new("s");

	store->attributes = true;
	mount_on(m, store, "p/", false, &s);
	m->store->write_back = STORE_WRITE_BACK;
}

/* The path has this mode and the one time of these tests. */
static void has_attributes(struct mount *m, const char *path, mode_t mode)
{
	struct stat got;

	assert_int_equal(mount_stat(m, path, &got), 0);
	assert_int_equal(got.st_mode & 07777, mode);
	assert_int_equal(got.st_mtim.tv_sec, 1000000000);
}

/* They are set, and the store is not asked for that. */
static void set_attributes(struct mount *m, const char *path, mode_t mode)
{
	struct inode *i = mount_find(m, path, NULL);
	struct stat st = { .st_mode = mode }, got;
	double timeout;

	st.st_mtim.tv_sec = 1000000000;
	assert_int_equal(fs_setattr(m->fs, i, NULL, &st,
				    FS_SET_MODE | FS_SET_MTIME, &got, &timeout),
			 0);
	mount_forget(m, i);
	assert_int_equal(memstore_calls(m->store, "put"), 0);
}

static void stored_mode(struct mount *m, const char *key, const char *mode)
{
	struct object_details *d = malloc(sizeof(*d));

	assert_non_null(d);
	assert_int_equal(store_head(m->store, key, d), 0);
	assert_string_equal(props_get(&d->props, "x-amz-meta-mode"), mode);
	free(d);
}

static void attributes_survive(void **state)
{
	struct mount m;

	later_up_attributes(&m);
	assert_int_equal(mount_write(&m, "a", "text"), 0);
	set_attributes(&m, "a", 0640);
	later_crash(&m);
	has_attributes(&m, "a", 0640);
	assert_int_equal(later_flush(&m), 0);
	stored_mode(&m, "p/a", "33184");
	later_down(&m);
}

/* The same of a directory, also after the store has refused it once. */
static void attributes_of_a_directory(void **state)
{
	struct stat got;
	struct mount m;

	later_up_attributes(&m);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	set_attributes(&m, "d", 0710);
	for (int k = 0; k < 2; k++) {
		later_crash(&m);
		has_attributes(&m, "d", 0710);
	}
	memstore_fail(m.store, "put", 1, -EACCES);
	assert_int_equal(later_flush(&m), -EACCES);
	assert_int_equal(later_flush(&m), 0);
	assert_int_equal(mount_stat(&m, "d", &got), 0);
	assert_int_equal(got.st_mode & 07777, 0710);
	stored_mode(&m, "p/d/", "16840");
	later_down(&m);
}

/* Its marker was sent, and the daemon died before the journal had that: what
 * was changed since is yet to be sent, also when the store refuses it once. */
static void attributes_of_a_marker_there(void **state)
{
	struct mount m;

	later_up_attributes(&m);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	set_attributes(&m, "d", 0710);
	memstore_poke(m.store, "p/d/", "", 0);
	later_crash(&m);
	memstore_fail(m.store, "copy", 1, -EACCES);
	assert_int_equal(later_flush(&m), -EACCES);
	has_attributes(&m, "d", 0710);
	later_crash(&m);
	has_attributes(&m, "d", 0710);
	assert_int_equal(later_flush(&m), 0);
	has_attributes(&m, "d", 0710);
	stored_mode(&m, "p/d/", "16840");
	later_down(&m);
}

/* ---- none of it where it is not asked for ---- */

static void off_by_default(void **state)
{
	struct mount m;

	later_up(&m);
	m.store->write_back = STORE_WRITE_THROUGH;
	assert_int_equal(mount_write(&m, "a", "a"), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 1);
	assert_int_equal(later_waiting(&m), 0);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 2);
	later_down(&m);
}

SUITE(write_back_kept)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_is_kept),
		cmocka_unit_test(bounded),
		cmocka_unit_test(replaced_while_a_worker_comes),
		cmocka_unit_test(removed_and_replaced),
		cmocka_unit_test(copied_and_source_gone),
		cmocka_unit_test(cut_and_written_again),
		cmocka_unit_test(attributes_survive),
		cmocka_unit_test(attributes_of_a_directory),
		cmocka_unit_test(attributes_of_a_marker_there),
		cmocka_unit_test(off_by_default),
	};

	return cmocka_run_group_tests(tests, later_setup, later_teardown);
}
