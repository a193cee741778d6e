/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_back as programs see it: what they ask meanwhile, and what a crash
 * leaves.
 *
 * Covers: fs/content/seal.c fs/write_back/queue.c fs/write_back/restore.c
 * Covers: fs/write_back/write_back.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/buf.h"
#include "fs/state.h"
#include "fs/write_back/queue.h"
#include "fs/xattr/fs_xattr.h"
#include "later_rig.h"
#include "unit.h"

#define BIG (300U << 10)

/* ---- what is asked of it meanwhile ---- */

static void sent_when_flushed(void **state)
{
	char names[100];
	struct mount m;
	struct stat st;

	later_up(&m);
	assert_int_equal(mount_write(&m, "a", "hello"), 0);
	assert_int_equal(mount_write(&m, "empty", ""), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 0);
	assert_int_equal(later_waiting(&m), 2);
	later_reads(&m, "a", "hello");
	assert_int_equal(mount_stat(&m, "a", &st), 0);
	assert_int_equal(st.st_size, 5);
	assert_int_equal(mount_ls(&m, "", names, sizeof(names)), 0);
	assert_string_equal(names, "a empty ");
	assert_int_equal(later_flush(&m), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 2);
	assert_int_equal(later_waiting(&m), 0);
	later_stored(&m, "p/a", "hello");
	later_stored(&m, "p/empty", "");
	later_reads(&m, "a", "hello");
	later_down(&m);
}

static void sent_by_itself(void **state)
{
	struct fs_settings s = later_settings();
	struct mount m;

	s.write_back_delay_ms = 1;
	mount_with(&m, "p/", false, &s);
	m.store->write_back = STORE_WRITE_BACK;
	for (int k = 0; k < 100; k++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", k);
		assert_int_equal(mount_write(&m, name, name), 0);
	}
	for (int k = 0; k < 60000 && later_waiting(&m); k++)
		usleep(1000);
	later_stored(&m, "p/f0", "f0");
	later_stored(&m, "p/f99", "f99");
	later_down(&m);
}

/* What is gone before its time never travels. */
static void never_travels(void **state)
{
	struct mount m;

	later_up(&m);
	assert_int_equal(mount_write(&m, "a", "one"), 0);
	assert_int_equal(mount_rename(&m, "a", "b", 0), 0);
	assert_int_equal(mount_rename(&m, "b", "c", RENAME_NOREPLACE), 0);
	later_reads(&m, "c", "one");
	assert_int_equal(mount_unlink(&m, "c"), 0);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	assert_int_equal(mount_write(&m, "d/x", "x"), 0);
	assert_int_equal(mount_rmdir(&m, "d"), -ENOTEMPTY);
	assert_int_equal(mount_unlink(&m, "d/x"), 0);
	assert_int_equal(mount_rmdir(&m, "d"), 0);
	assert_int_equal(later_waiting(&m), 0);
	assert_int_equal(later_flush(&m), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 0);
	assert_int_equal(memstore_calls(m.store, "remove"), 0);
	assert_int_equal(memstore_calls(m.store, "copy"), 0);
	later_down(&m);
}

/* As programs save: a new file, then its name over the old one's. */
static void renamed_over(void **state)
{
	struct mount m;

	later_up(&m);
	store_has(&m, "p/f", "old");
	later_reads(&m, "f", "old");
	for (int k = 0; k < 3; k++) {
		assert_int_equal(mount_write(&m, "f.new", k ? "two" : "one"),
				 0);
		assert_int_equal(mount_rename(&m, "f.new", "f", 0), 0);
		later_reads(&m, "f", k ? "two" : "one");
	}
	assert_int_equal(memstore_calls(m.store, "put"), 0);
	later_crash(&m);
	later_reads(&m, "f", "two");
	assert_int_equal(later_flush(&m), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 1);
	assert_int_equal(memstore_calls(m.store, "copy"), 0);
	later_stored(&m, "p/f", "two");
	assert_false(store_holds(&m, "p/f.new"));
	later_down(&m);
}

/* The object that it replaces goes with it. */
static void renamed_over_and_removed(void **state)
{
	struct mount m;
	struct stat st;

	later_up(&m);
	store_has(&m, "p/f", "old");
	assert_int_equal(mount_write(&m, "f.new", "new"), 0);
	assert_int_equal(mount_rename(&m, "f.new", "f", 0), 0);
	assert_int_equal(mount_unlink(&m, "f"), 0);
	assert_int_equal(mount_stat(&m, "f", &st), -ENOENT);
	assert_int_equal(later_flush(&m), 0);
	mount_settle(&m);
	assert_false(store_holds(&m, "p/f"));
	assert_int_equal(memstore_calls(m.store, "put"), 0);
	later_down(&m);
}

static void written_again(void **state)
{
	struct handle *h;
	struct mount m;

	later_up(&m);
	assert_int_equal(mount_write(&m, "a", "first"), 0);
	assert_int_equal(mount_write(&m, "a", "second"), 0);
	assert_int_equal(mount_open(&m, "a", O_RDWR, &h), 0);
	assert_int_equal(fs_file_write(m.fs, h, 6, " and more", 9), 0);
	assert_int_equal(fs_file_sync(m.fs, h), 0);
	fs_release(m.fs, h);
	assert_int_equal(later_waiting(&m), 1);
	later_crash(&m);
	later_reads(&m, "a", "second and more");
	assert_int_equal(later_flush(&m), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 1);
	later_stored(&m, "p/a", "second and more");
	later_down(&m);
}

/* A close that follows no write accepts nothing anew. */
static void closed_again(void **state)
{
	struct handle *h;
	struct mount m;

	later_up(&m);
	assert_int_equal(mount_write(&m, "a", "text"), 0);
	assert_int_equal(mount_open(&m, "a", O_RDWR, &h), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	assert_int_equal(later_waiting(&m), 1);
	later_crash(&m);
	later_reads(&m, "a", "text");
	later_down(&m);
}

static void fsync_mode(void **state)
{
	struct handle *h;
	struct mount m;

	later_up(&m);
	m.store->write_back = STORE_WRITE_BACK_FSYNC;
	assert_int_equal(mount_write(&m, "a", "close"), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 0);
	assert_int_equal(mount_open(&m, "a", O_RDWR, &h), 0);
	assert_int_equal(fs_file_sync(m.fs, h), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 1);
	assert_int_equal(later_waiting(&m), 0);
	fs_release(m.fs, h);
	later_crash(&m);
	assert_int_equal(later_waiting(&m), 0);
	later_down(&m);
}

/* ---- what a crash leaves ---- */

static char *big_text(char first)
{
	char *text = malloc(BIG + 1);

	assert_non_null(text);
	for (unsigned k = 0; k < BIG; k++)
		text[k] = (char)(first + k % 23);
	text[BIG] = '\0';
	return text;
}

/* What waits, and how much may. */
static void counted(void **state)
{
	struct fs_settings s = later_settings();
	char *text = big_text('a');
	struct write_back_counts n;
	struct mount m;

	s.write_back_names = 7;
	mount_with(&m, "p/", false, &s);
	m.store->write_back = STORE_WRITE_BACK;
	write_back_counts(m.fs->write_back, &n);
	assert_int_equal(n.files_max, 0);
	assert_int_equal(n.journal_bytes, 0);
	assert_int_equal(mount_write(&m, "a", "hello"), 0);
	assert_int_equal(mount_write(&m, "big", text), 0);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	write_back_counts(m.fs->write_back, &n);
	assert_int_equal(n.names, 3);
	assert_int_equal(n.names_max, 7);
	assert_int_equal(n.bytes, 5 + BIG);
	assert_int_equal(n.bytes_max, s.write_back_size);
	assert_int_equal(n.files, 1);
	assert_in_range(n.files_max, 1, 16384);
	assert_true(n.journal_bytes > 0);
	assert_int_equal(n.failed, 0);
	later_down(&m);
	free(text);
}

static void stored_big(struct mount *m, const char *key, const char *text)
{
	char *got = calloc(1, BIG + 1);
	size_t n = 0;

	assert_int_equal(
		store_get_sync(m->store, key, NULL, 0, got, BIG, &n, NULL), 0);
	assert_int_equal(n, BIG);
	assert_memory_equal(got, text, BIG);
	free(got);
}

static void big_survives(void **state)
{
	char *text = big_text('A');
	struct handle *h;
	struct mount m;

	later_up(&m);
	assert_int_equal(mount_write(&m, "big", text), 0);
	later_crash(&m);
	assert_int_equal(later_waiting(&m), 1);
	assert_int_equal(mount_open(&m, "big", O_RDWR, &h), 0);
	text[1000] = '!';
	assert_int_equal(fs_file_write(m.fs, h, 1000, "!", 1), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	later_crash(&m);
	later_crash(&m);
	assert_int_equal(later_flush(&m), 0);
	stored_big(&m, "p/big", text);
	later_down(&m);
	free(text);
}

/* What is changed amid an object is sent with the rest of that object. */
static void edit_survives(void **state)
{
	char *text = big_text('a');
	struct handle *h;
	struct mount m;

	later_up(&m);
	store_has(&m, "p/big", text);
	assert_int_equal(mount_open(&m, "big", O_RDWR, &h), 0);
	assert_int_equal(fs_file_write(m.fs, h, 70000, "#####", 5), 0);
	memcpy(text + 70000, "#####", 5);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	assert_int_equal(memstore_calls(m.store, "put"), 0);
	later_crash(&m);
	assert_int_equal(later_flush(&m), 0);
	stored_big(&m, "p/big", text);
	later_down(&m);
	free(text);
}

/* What a caller sets of a file that waits goes with it. */
static void headers_survive(void **state)
{
	struct object_details *d = malloc(sizeof(*d));
	struct inode *i;
	struct mount m;

	assert_non_null(d);
	later_up(&m);
	assert_int_equal(mount_write(&m, "a.txt", "text"), 0);
	i = mount_find(&m, "a.txt", NULL);
	assert_int_equal(fs_xattr_set(m.fs, i, "user.stage.cache_control",
				      "no-cache", 8, 0, &m.caller),
			 0);
	mount_forget(&m, i);
	assert_int_equal(memstore_calls(m.store, "put"), 0);
	later_crash(&m);
	later_reads(&m, "a.txt", "text");
	assert_int_equal(later_flush(&m), 0);
	assert_int_equal(store_head(m.store, "p/a.txt", d), 0);
	assert_string_equal(props_get(&d->props, PROP_CACHE), "no-cache");
	free(d);
	later_down(&m);
}

static void store_answers(struct mount *m, int rc)
{
	static const char *const all[] = { "list", "head", "stat", "get",
					   "put" };

	for (size_t k = 0; k < COUNT(all); k++)
		memstore_fail(m->store, all[k], 0, rc);
}

/* Without a word from the store all names are there, and what is in them. */
static void dead_store(void **state)
{
	char names[100];
	struct mount m;
	struct stat st;

	later_up(&m);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	assert_int_equal(mount_mkdir(&m, "d/e"), 0);
	assert_int_equal(mount_mkdir(&m, "none"), 0);
	assert_int_equal(mount_write(&m, "d/e/f", "text"), 0);
	store_answers(&m, -EIO);
	later_crash(&m);
	assert_int_equal(later_waiting(&m), 4);
	later_reads(&m, "d/e/f", "text");
	assert_int_equal(mount_stat(&m, "none", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(mount_ls(&m, "d", names, sizeof(names)), 0);
	assert_string_equal(names, "e/ ");
	assert_int_equal(later_flush(&m), -EIO);
	assert_int_equal(later_waiting(&m), 4);
	later_crash(&m);
	store_answers(&m, 0);
	assert_int_equal(later_flush(&m), 0);
	later_stored(&m, "p/d/e/f", "text");
	assert_true(store_holds(&m, "p/none/"));
	later_down(&m);
}

static void tree_moves(void **state)
{
	struct mount m;
	struct stat st;

	later_up(&m);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	assert_int_equal(mount_mkdir(&m, "d/e"), 0);
	assert_int_equal(mount_write(&m, "d/e/f", "text"), 0);
	assert_int_equal(mount_rename(&m, "d", "g", 0), 0);
	later_reads(&m, "g/e/f", "text");
	later_crash(&m);
	later_reads(&m, "g/e/f", "text");
	assert_int_equal(mount_stat(&m, "d", &st), -ENOENT);
	assert_int_equal(later_flush(&m), 0);
	later_stored(&m, "p/g/e/f", "text");
	assert_false(store_holds(&m, "p/d/"));
	later_down(&m);
}

static void removed_stays_removed(void **state)
{
	struct mount m;
	struct stat st;

	later_up(&m);
	assert_int_equal(mount_write(&m, "a", "a"), 0);
	assert_int_equal(mount_write(&m, "b", "b"), 0);
	assert_int_equal(mount_unlink(&m, "a"), 0);
	later_crash(&m);
	assert_int_equal(mount_stat(&m, "a", &st), -ENOENT);
	assert_int_equal(later_waiting(&m), 1);
	assert_int_equal(later_flush(&m), 0);
	later_crash(&m);
	assert_int_equal(later_waiting(&m), 0);
	later_down(&m);
}

/* A directory waits yet, and what was in it has been sent before the crash. */
static void sent_before_its_directory(void **state)
{
	struct mount m;

	later_up(&m);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	assert_int_equal(mount_write(&m, "d/waits", "waits"), 0);
	store_has(&m, "p/d/sent", "sent");
	later_crash(&m);
	later_reads(&m, "d/sent", "sent");
	later_reads(&m, "d/waits", "waits");
	later_down(&m);
}

/* Another mount has another journal. */
static void not_anothers(void **state)
{
	struct fs_settings s = later_settings();
	struct mount m;

	later_up(&m);
	assert_int_equal(mount_write(&m, "a", "a"), 0);
	fs_free(m.fs);
	budget_free(m.budget);
	s.mount_name = "another";
	mount_fs(&m, NULL, &s);
	mount_restore(&m);
	assert_int_equal(later_waiting(&m), 0);
	later_crash(&m);
	assert_int_equal(later_waiting(&m), 1);
	later_down(&m);
}

static void in_journal(const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "cd %s/write_back/* && %s",
		 later_settings().spill_dir, command);
	assert_int_equal(system(line), 0);
}

/* Without it, a later mount would send it over newer files. */
static void unread(void **state)
{
	struct fs_settings s = later_settings();
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct mount m;

	later_up(&m);
	assert_int_equal(mount_write(&m, "a", "a"), 0);
	fs_free(m.fs);
	budget_free(m.budget);
	in_journal("mv journal kept && mkdir journal");
	mount_fs(&m, NULL, &s);
	assert_int_equal(fs_restore(m.fs, &why), -EISDIR);
	assert_non_null(strstr(buf_str(&why), s.spill_dir));
	buf_clear(&why);
	in_journal("rmdir journal && mv kept journal");
	later_crash(&m);
	assert_int_equal(later_waiting(&m), 1);
	later_reads(&m, "a", "a");
	later_down(&m);
}

/* ---- removed while it is to be sent ---- */

static void *flush_thread(void *arg)
{
	return (void *)(intptr_t)later_flush(arg);
}

/* Has a worker tried the one that waits? It does so only when it is flushed. */
static bool was_tried(struct write_back *w)
{
	struct queue_locked *g;
	bool tried;

	lock_take(&w->lock);
	g = queue_locked(w);
	tried = !g->n_sending &&
		(g->failed || (g->waiting && g->waiting->due_ms == INT64_MAX));
	lock_drop(&w->lock);
	return tried;
}

/* A worker comes between the two steps of a removal: the tree has it, and the
 * queue does not know it yet. That is no failure of a flush. */
static void removed_amid_a_flush(void **state)
{
	static const bool dirs[] = { false, true };

	for (size_t k = 0; k < COUNT(dirs); k++) {
		struct mount m;
		struct inode *i;
		pthread_t thread;
		void *rc;

		later_up(&m);
		assert_int_equal(dirs[k] ? mount_mkdir(&m, "a")
					 : mount_write(&m, "a", "a"),
				 0);
		i = mount_find(&m, "a", NULL);
		tree_remove(m.fs->tree, i);
		assert_int_equal(
			pthread_create(&thread, NULL, flush_thread, &m), 0);
		for (int n = 0; n < 60000 && !was_tried(m.fs->write_back); n++)
			usleep(1000);
		row_check("it is tried", was_tried(m.fs->write_back));
		write_back_gone(m.fs->write_back, i);
		pthread_join(thread, &rc);
		row_number("the flush", (intptr_t)rc, 0);
		row_number("names that wait", later_waiting(&m), 0);
		mount_forget(&m, i);
		later_down(&m);
	}
}

SUITE(write_back)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sent_when_flushed),
		cmocka_unit_test(counted),
		cmocka_unit_test(sent_by_itself),
		cmocka_unit_test(never_travels),
		cmocka_unit_test(renamed_over),
		cmocka_unit_test(renamed_over_and_removed),
		cmocka_unit_test(written_again),
		cmocka_unit_test(closed_again),
		cmocka_unit_test(fsync_mode),
		cmocka_unit_test(big_survives),
		cmocka_unit_test(edit_survives),
		cmocka_unit_test(headers_survive),
		cmocka_unit_test(dead_store),
		cmocka_unit_test(tree_moves),
		cmocka_unit_test(removed_stays_removed),
		cmocka_unit_test(sent_before_its_directory),
		cmocka_unit_test(not_anothers),
		cmocka_unit_test(unread),
		cmocka_unit_test(removed_amid_a_flush),
	};

	return cmocka_run_group_tests(tests, later_setup, later_teardown);
}
