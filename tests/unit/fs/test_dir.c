/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading directories: cookies, what changes meanwhile, and large ones.
 *
 * Covers: fs/names/dir_filler.c fs/dirlist.c fs/dirops.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* Takes `room` names a call and remembers cookies. */
struct reader_of {
	char names[256][32];
	off_t next[256];
	unsigned n, room;
};

static int take(void *arg, const char *name, const struct fs_entry *e,
		off_t next)
{
	struct reader_of *r = arg;

	if (!r->room)
		return 1;
	r->room--;
	snprintf(r->names[r->n], sizeof(r->names[0]), "%s", name);
	r->next[r->n++] = next;
	return 0;
}

static int read_some(struct mount *m, struct dir_handle *h, off_t at,
		     unsigned room, struct reader_of *r)
{
	r->n = 0;
	r->room = room;
	return fs_dir_read(m->fs, h, at, false, take, r);
}

static struct dir_handle *open_root(struct mount *m)
{
	struct dir_handle *h;

	assert_int_equal(fs_dir_open(m->fs, fs_root(m->fs), &h), 0);
	return h;
}

static void test_cookies(void **state)
{
	struct mount m;
	struct dir_handle *h;
	struct reader_of r;
	off_t at = 0, third = 0;
	char key[16];
	unsigned names = 0;

	mount_up(&m, "", 60, false);
	for (int k = 0; k < 20; k++) {
		snprintf(key, sizeof(key), "n%02d", k);
		store_has(&m, key, "x");
	}
	h = open_root(&m);
	do { /* three at a time */
		assert_int_equal(read_some(&m, h, at, 3, &r), 0);
		names += r.n;
		if (r.n)
			at = r.next[r.n - 1];
		if (names == 6)
			third = at;
	} while (r.n);
	assert_int_equal(names, 22);
	/* an earlier cookie can be read again */
	assert_int_equal(read_some(&m, h, third, 1, &r), 0);
	assert_string_equal(r.names[0], "n04");
	/* and one beyond the end gives nothing */
	assert_int_equal(read_some(&m, h, at + 100, 1, &r), 0);
	assert_int_equal(r.n, 0);
	assert_int_equal(read_some(&m, h, -1, 1, &r), -EINVAL);
	/* the start is the start: what came since is seen */
	store_has(&m, "n00a", "x");
	assert_int_equal(mount_write(&m, "mine", "x"), 0);
	assert_int_equal(read_some(&m, h, 0, 100, &r), 0);
	assert_int_equal(r.n, 23); /* complete: the mount's own knowledge */
	fs_dir_close(m.fs, h);
	mount_down(&m);
}

/* A listing under way, and what this mount does meanwhile. */
static void test_meanwhile(void **state)
{
	struct mount m;
	struct dir_handle *h;
	struct reader_of r;
	char out[4096];

	mount_up(&m, "", 60, false);
	store_has(&m, "a", "x");
	store_has(&m, "b", "x");
	store_has(&m, "c", "x");
	h = open_root(&m);
	assert_int_equal(read_some(&m, h, 0, 3, &r), 0); /* . .. a */
	assert_int_equal(mount_unlink(&m, "b"), 0);
	assert_int_equal(mount_write(&m, "0new", "x"), 0);
	assert_int_equal(read_some(&m, h, r.next[2], 100, &r), 0);
	assert_int_equal(r.n, 2);
	assert_string_equal(r.names[0], "c");
	assert_string_equal(r.names[1], "0new");
	fs_dir_close(m.fs, h);
	/* the listing did not undo either */
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	assert_string_equal(out, "0new a c ");
	mount_down(&m);
}

/* `rm -r` looks whether anything is there, and then opens the directory
 * again: that is one listing. */
static void test_closed_early(void **state)
{
	static const struct {
		const char *sentence;
		unsigned ttl_s, lists;
		bool rewinds;
	} rows[] = {
		{ "the next one goes on", 3600, 0, false },
		{ "nothing is believed", 0, 1, false },
		{ "who begins anew asks anew", 3600, 1, true },
	};
	struct mount m;
	struct dir_handle *h;
	struct reader_of r;
	unsigned lists;

	for (size_t k = 0; k < COUNT(rows); k++) {
		mount_up(&m, "", rows[k].ttl_s, false);
		for (char key[] = "a"; *key <= 'd'; ++*key)
			store_has(&m, key, "x");
		h = open_root(&m);
		assert_int_equal(read_some(&m, h, 0, 4, &r), 0); /* . .. a b */
		fs_dir_close(m.fs, h);
		assert_int_equal(mount_unlink(&m, "a"), 0);
		mount_settle(&m);
		lists = memstore_calls(m.store, "list");
		h = open_root(&m);
		if (rows[k].rewinds)
			assert_int_equal(read_some(&m, h, 0, 2, &r), 0);
		assert_int_equal(read_some(&m, h, 0, 100, &r), 0);
		fs_dir_close(m.fs, h);
		row_number(rows[k].sentence, r.n, 5);
		row_number(rows[k].sentence,
			   memstore_calls(m.store, "list") - lists,
			   rows[k].lists);
		mount_down(&m);
	}
}

static void test_first_reply_needs_one_page(void **state)
{
	struct mount m;
	struct dir_handle *h;
	struct reader_of r;
	char key[16];

	mount_up(&m, "", 60, false);
	for (int k = 0; k < 3000; k++) {
		snprintf(key, sizeof(key), "n%05d", k);
		store_has(&m, key, "x");
	}
	h = open_root(&m);
	assert_int_equal(read_some(&m, h, 0, 10, &r), 0);
	assert_int_equal(r.n, 10);
	assert_in_range(memstore_calls(m.store, "list"), 1, 2);
	fs_dir_close(m.fs, h);
	mount_down(&m);
}

static int count(void *arg, const char *name, const struct fs_entry *e,
		 off_t next)
{
	(*(unsigned *)arg)++;
	return 0;
}

static void test_large(void **state)
{
	struct mount m;
	struct dir_handle *h;
	unsigned n = 0;
	char key[24];

	mount_up(&m, "big/", 60, false);
	for (int k = 0; k < 100000; k++) {
		snprintf(key, sizeof(key), "big/entry-%06d", k);
		store_has(&m, key, "");
	}
	h = open_root(&m);
	assert_int_equal(fs_dir_read(m.fs, h, 0, false, count, &n), 0);
	assert_int_equal(n, 100002);
	fs_dir_close(m.fs, h);
	/* and from memory */
	n = memstore_calls(m.store, "list");
	h = open_root(&m);
	assert_int_equal(memstore_calls(m.store, "list"), n);
	n = 0;
	assert_int_equal(fs_dir_read(m.fs, h, 0, false, count, &n), 0);
	assert_int_equal(n, 100002);
	fs_dir_close(m.fs, h);
	mount_down(&m);
}

static void test_failures(void **state)
{
	struct mount m;
	struct dir_handle *h;
	struct reader_of r;
	char key[16], out[64];

	mount_up(&m, "", 60, false);
	for (int k = 0; k < 2000; k++) {
		snprintf(key, sizeof(key), "n%05d", k);
		store_has(&m, key, "x");
	}
	memstore_fail(m.store, "list", 1, -EACCES);
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), -EACCES);
	memstore_fail(m.store, "list", 2, -EACCES);
	h = open_root(&m);
	assert_int_equal(read_some(&m, h, 0, 10, &r), 0);
	assert_int_equal(read_some(&m, h, r.next[9] + 900, 200, &r), 0);
	assert_int_equal(read_some(&m, h, r.next[r.n - 1], 200, &r), -EACCES);
	assert_int_equal(read_some(&m, h, 0, 200, &r), 0);
	assert_int_equal(r.n, 200);
	fs_dir_close(m.fs, h);
	mount_down(&m);
}

static void test_removed_while_open(void **state)
{
	struct mount m;
	struct dir_handle *h;
	struct reader_of r;
	struct inode *d;

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	d = mount_find(&m, "d", NULL);
	assert_int_equal(fs_dir_open(m.fs, d, &h), 0);
	assert_int_equal(mount_rmdir(&m, "d"), 0);
	assert_int_equal(read_some(&m, h, 0, 100, &r), 0);
	assert_int_equal(r.n, 2);
	fs_dir_close(m.fs, h);
	mount_forget(&m, d);
	mount_down(&m);
}

/* The kernel does not close what is open when the mount ends: its listing ends
 * with the file system all the same. */
static struct {
	int (*open)(struct store *s, const struct list_query *q,
		    struct store_list **out);
	void (*close)(struct store_list *l);
	int n;
} lists;

static int count_open(struct store *s, const struct list_query *q,
		      struct store_list **out)
{
	lists.n++;
	return lists.open(s, q, out);
}

static void count_close(struct store_list *l)
{
	lists.n--;
	lists.close(l);
}

static void test_open_at_the_end(void **state)
{
	struct store_ops ops;
	struct mount m;
	struct dir_handle *h;
	struct reader_of r;

	mount_up(&m, "", 60, false);
	ops = *m.store->ops;
	lists.open = ops.list_open;
	lists.close = ops.list_close;
	ops.list_open = count_open;
	ops.list_close = count_close;
	m.store->ops = &ops;
	store_has(&m, "a", "x");
	store_has(&m, "b", "x");
	h = open_root(&m);
	assert_int_equal(read_some(&m, h, 0, 2, &r), 0);
	assert_int_equal(lists.n, 1);
	mount_down(&m);
	assert_int_equal(lists.n, 0);
}

/* rmdir of a directory that shows nothing. */
static void test_hidden_keys(void **state)
{
	static const struct {
		const char *key;
		unsigned lines; /* of the log, for two tries */
	} rows[] = {
		{ "d//y", 1 },
		{ "d/./z", 1 },
		{ "d/..", 1 },
		{ "d/a", 0 },
	};
	char path[] = "/tmp/stagefs-test-dir.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[4096], want[64];
		unsigned lines = 0;
		struct mount m;
		FILE *f;

		assert_int_equal(truncate(path, 0), 0);
		mount_up(&m, "", 60, false);
		store_has(&m, "d/", "");
		store_has(&m, rows[i].key, "x");
		assert_int_equal(log_open(path, LOG_LEVEL_WARN), 0);
		for (int k = 0; k < 2; k++)
			row_number(rows[i].key, mount_rmdir(&m, "d"),
				   -ENOTEMPTY);
		log_close();
		snprintf(want, sizeof(want), "key=\"%s\"", rows[i].key);
		f = fopen(path, "r");
		while (fgets(text, sizeof(text), f))
			lines += strstr(text, want) != NULL;
		fclose(f);
		row_number(rows[i].key, lines, rows[i].lines);
		mount_down(&m);
	}
	unlink(path);
}

SUITE(dir)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_meanwhile),
		cmocka_unit_test(test_closed_early),
		cmocka_unit_test(test_first_reply_needs_one_page),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_removed_while_open),
		cmocka_unit_test(test_open_at_the_end),
		cmocka_unit_test(test_hidden_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
