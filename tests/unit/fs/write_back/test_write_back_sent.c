/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was sent, though the journal or the process does not know it: the end of
 * it was lost with the daemon, or the answer on its way.
 *
 * Covers: fs/content/sent.c
 */
#include <errno.h>
#include <stdio.h>
#include <fcntl.h>
#include <stdlib.h>

#include "fs/fs.h"
#include "fs/state.h"
#include "later_rig.h"
#include "unit.h"

#define OLD "the first line\n"

static void edit(struct mount *m, const char *path, uint64_t at,
		 const char *text)
{
	struct handle *h;

	assert_int_equal(mount_open(m, path, O_RDWR, &h), 0);
	assert_int_equal(fs_file_write(m->fs, h, at, text, strlen(text)), 0);
	assert_int_equal(fs_file_flush(m->fs, h), 0);
	fs_release(m->fs, h);
}

static void resize(struct mount *m, const char *path, off_t size)
{
	const struct stat st = { .st_size = size };
	struct stat got;
	double timeout;
	struct handle *h;
	struct inode *i;

	assert_int_equal(mount_open(m, path, O_RDWR, &h), 0);
	i = mount_find(m, path, NULL);
	assert_int_equal(
		fs_setattr(m->fs, i, h, &st, FS_SET_SIZE, &got, &timeout), 0);
	mount_forget(m, i);
	assert_int_equal(fs_file_flush(m->fs, h), 0);
	fs_release(m->fs, h);
}

/* One change of an object, and what its first sending has left there. */
static const struct sent_row {
	const char *what;
	uint64_t at; /* text is written there; NULL: it is cut there */
	const char *text;
	const char *there;
	size_t n; /* bytes of that */
	int rc; /* of the next flush */
} rows[] = {
	{ "appended", 15, "two\n", OLD "two\n", 19, 0 },
	{ "amid", 4, "other", "the other line\n", 15, 0 },
	{ "behind its end", 17, "x", OLD "\0\0x", 18, 0 },
	{ "cut", 3, NULL, "the", 3, 0 },
	{ "grown", 17, NULL, OLD "\0\0", 17, 0 },
	{ "another has appended", 15, "two\n", OLD "TWO\n", 19, -ESTALE },
	{ "another has appended more", 15, "two\n", OLD "two\nthree\n", 25,
	  -ESTALE },
	{ "another has changed it", 4, "other", "THE FIRST LINE\n", 15,
	  -ESTALE },
	{ "another has cut it", 3, NULL, "th", 2, -ESTALE },
	{ "another has grown it", 17, NULL, OLD "ab", 17, -ESTALE },
};

static void changed(struct mount *m, const struct sent_row *r)
{
	store_has(m, "p/f", OLD);
	if (r->text)
		edit(m, "f", r->at, r->text);
	else
		resize(m, "f", (off_t)r->at);
	assert_int_equal(memstore_calls(m->store, "put"), 0);
}

static void row_there(struct mount *m, const struct sent_row *r)
{
	assert_int_equal(memstore_poke(m->store, "p/f", r->there, r->n), 0);
}

static void row_ends(struct mount *m, const struct sent_row *r)
{
	char got[100];
	size_t n = 0;

	row_number(r->what, later_flush(m), r->rc);
	row_number(r->what, later_waiting(m), r->rc ? 1 : 0);
	row_number(r->what,
		   store_get_sync(m->store, "p/f", NULL, 0, got, sizeof(got),
				  &n, NULL),
		   0);
	row_number(r->what, n, r->n);
	row_check(r->what, !memcmp(got, r->there, n));
	if (r->rc)
		assert_int_equal(mount_unlink(m, "f"), 0);
	later_down(m);
}

static void before_the_crash(void **state)
{
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct mount m;

		later_up(&m);
		changed(&m, &rows[k]);
		row_there(&m, &rows[k]);
		later_crash(&m);
		row_ends(&m, &rows[k]);
	}
}

/* The store has it, and the answer gets lost: the next attempt. */
static void before_the_answer(void **state)
{
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct mount m;

		later_up(&m);
		changed(&m, &rows[k]);
		memstore_fail(m.store, "put", 1, -ETIMEDOUT);
		row_number(rows[k].what, later_flush(&m), -ETIMEDOUT);
		row_there(&m, &rows[k]);
		row_ends(&m, &rows[k]);
	}
}

/* `tail` was appended and has arrived, and the daemon is killed. */
static void sent_and_killed(struct mount *m, const char *tail)
{
	char all[64];

	snprintf(all, sizeof(all), "%s%s", OLD, tail);
	later_up(m);
	store_has(m, "p/f", OLD);
	edit(m, "f", 15, tail);
	store_has(m, "p/f", all);
	later_crash(m);
}

/* Programs go on before it is looked at. */
static void written_to_since(void **state)
{
	struct mount m;

	sent_and_killed(&m, "two\n");
	edit(&m, "f", 19, "three\n");
	edit(&m, "f", 16, "W");
	later_reads(&m, "f", OLD "tWo\nthree\n");
	assert_int_equal(later_flush(&m), 0);
	later_stored(&m, "p/f", OLD "tWo\nthree\n");
	later_down(&m);
}

static void cut_since(void **state)
{
	struct mount m;

	sent_and_killed(&m, "two\nthree\n");
	resize(&m, "f", 17);
	edit(&m, "f", 17, "!\n");
	assert_int_equal(later_flush(&m), 0);
	later_stored(&m, "p/f", OLD "tw!\n");
	later_down(&m);
}

static void twice_killed(void **state)
{
	struct mount m;

	sent_and_killed(&m, "two\n");
	later_crash(&m);
	assert_int_equal(later_flush(&m), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 1);
	later_stored(&m, "p/f", OLD "two\n");
	later_down(&m);
}

/* What needs nothing of what was there is only made again. */
static void the_other_kinds(void **state)
{
	struct mount m;

	later_up(&m);
	store_has(&m, "p/replaced", "old");
	assert_int_equal(mount_write(&m, "new", "new"), 0);
	assert_int_equal(mount_write(&m, "replaced", "replaced"), 0);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	assert_int_equal(mount_mkdir(&m, "e"), 0);
	assert_int_equal(mount_write(&m, "d/f", "moved"), 0);
	assert_int_equal(mount_rename(&m, "d", "g", 0), 0);
	store_has(&m, "p/new", "new");
	store_has(&m, "p/replaced", "replaced");
	store_has(&m, "p/e/", "");
	store_has(&m, "p/g/", "");
	store_has(&m, "p/g/f", "moved");
	later_crash(&m);
	assert_int_equal(later_waiting(&m), 5);
	later_reads(&m, "g/f", "moved");
	assert_int_equal(later_flush(&m), 0);
	assert_int_equal(later_waiting(&m), 0);
	later_stored(&m, "p/new", "new");
	later_stored(&m, "p/replaced", "replaced");
	later_stored(&m, "p/g/f", "moved");
	assert_false(store_holds(&m, "p/d/"));
	later_down(&m);
}

/* ---- a listing that was asked for before ---- */

static struct {
	struct mount *m;
	const struct store_ops *real;
	struct store_ops ops;
	int sent; /* of the flush; 1: none was */
} look;

/* At its end all that waits is sent: it has none of that. */
static int listed(struct store_list *l, struct list_entry *out)
{
	int more = look.real->list_next(l, out);

	if (!more && look.sent == 1) {
		look.sent = 0;
		look.sent = later_flush(look.m);
	}
	return more;
}

/* Directories, one in another, which no listing may take away. */
static void sent_amid_a_listing(void **state)
{
	static const char *const lists[] = { "", "d" };

	for (size_t k = 0; k < COUNT(lists); k++) {
		struct inode *held, *i;
		struct mount m;
		char names[64];

		later_up(&m);
		store_has(&m, "p/a", "a");
		if (k)
			store_has(&m, "p/d/", "");
		else
			assert_int_equal(mount_mkdir(&m, "d"), 0);
		assert_int_equal(mount_mkdir(&m, "d/e"), 0);
		assert_int_equal(mount_mkdir(&m, "d/e/f"), 0);
		held = mount_find(&m, "d/e", NULL);
		fs_set_ttl(m.fs, 0);
		look.m = &m;
		look.sent = 1;
		look.real = m.store->ops;
		look.ops = *look.real;
		look.ops.list_next = listed;
		m.store->ops = &look.ops;
		assert_int_equal(mount_ls(&m, lists[k], names, sizeof(names)),
				 0);
		row_number("all was sent meanwhile", look.sent, 0);
		row_number("... and waits no more", later_waiting(&m), 0);
		i = mount_find(&m, "d/e", NULL);
		row_check("it is the same", i == held);
		mount_forget(&m, i);
		mount_forget(&m, held);
		row_number("a file in it", mount_write(&m, "d/e/f/x", "x"), 0);
		row_number("it is no other's", mount_mkdir(&m, "d/e"), -EEXIST);
		m.store->ops = look.real;
		later_down(&m);
	}
}

SUITE(write_back_sent)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_the_crash),
		cmocka_unit_test(before_the_answer),
		cmocka_unit_test(written_to_since),
		cmocka_unit_test(cut_since),
		cmocka_unit_test(twice_killed),
		cmocka_unit_test(the_other_kinds),
		cmocka_unit_test(sent_amid_a_listing),
	};

	return cmocka_run_group_tests(tests, later_setup, later_teardown);
}
