/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that are not known: how many requests they take, and what is learnt by
 * the way.
 *
 * Covers: fs/look.c fs/names/dir_levels.c fs/resolve.c
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "fs_fixture.h"
#include "memstore.h"

#include "fs/names/tree.h"
#include "fs/state.h"

struct counts {
	unsigned lists, stats, heads, gets;
};

static struct counts counts_now(struct mount *m)
{
	return (struct counts){ memstore_calls(m->store, "list"),
				memstore_calls(m->store, "stat"),
				memstore_calls(m->store, "head"),
				memstore_calls(m->store, "get") };
}

/* What a path is, and what it costs to find that out: it is known then. asked:
 * by a listing, or by a GET, of which test_look_bytes.c tells which. */
static void finds(struct mount *m, const char *path, int want, unsigned asked,
		  unsigned stats)
{
	struct counts was = counts_now(m), is;
	struct stat st;
	int rc;

	mount_forget_asked(m);
	rc = mount_stat(m, path, &st);
	is = counts_now(m);
	row_number(path, rc ? rc : (int)(st.st_mode & S_IFMT), want);
	row_number(path, is.lists + is.gets - was.lists - was.gets, asked);
	row_number(path, is.stats - was.stats, stats);
	row_number(path, is.heads, was.heads);
	if (asked + stats)
		finds(m, path, want, 0, 0);
}

static void plant(struct mount *m, const char *prefix, unsigned n)
{
	char key[32];

	for (unsigned k = 0; k < n; k++) {
		snprintf(key, sizeof(key), "%s%03u", prefix, k);
		store_has(m, key, "x");
	}
}

static void names(void **state)
{
	struct mount m;

	mount_up(&m, "p/", 60, false);
	store_has(&m, "p/d/f", "x");
	store_has(&m, "p/d/sub/deep/g", "x");
	store_has(&m, "p/d-e/f", "x");
	store_has(&m, "p/d.txt", "x");
	store_has(&m, "p/d0/f", "x");
	store_has(&m, "p/both", "x");
	store_has(&m, "p/both/f", "x");
	store_has(&m, "p/empty/", "");
	plant(&m, "p/large/f", 300);
	finds(&m, "d", S_IFDIR, 1, 0);
	finds(&m, "d/f", S_IFREG, 0, 0);
	finds(&m, "d/none", -ENOENT, 0, 0);
	finds(&m, "d/sub/deep/g", S_IFREG, 0, 0);
	finds(&m, "d/sub/none", -ENOENT, 0, 0);
	/* a file beside it is not known by that: a directory may hide it */
	finds(&m, "d.txt", S_IFREG, 1, 0);
	finds(&m, "d-e/f", S_IFREG, 0, 0);
	finds(&m, "d-e/none", -ENOENT, 0, 0);
	finds(&m, "d0", S_IFDIR, 1, 0);
	finds(&m, "both", S_IFDIR, 1, 0);
	finds(&m, "empty", S_IFDIR, 1, 0);
	finds(&m, "empty/none", -ENOENT, 0, 0);
	finds(&m, "none/at/all", -ENOENT, 1, 0);
	/* more than a page: what of it came is known, the rest is asked for */
	finds(&m, "large", S_IFDIR, 1, 0);
	finds(&m, "large/f050", S_IFREG, 0, 0);
	finds(&m, "large/f250", S_IFREG, 1, 0);
	finds(&m, "large/none", -ENOENT, 1, 0);
	mount_down(&m);
}

/* Requests of a look-up for another name that is not there. */
static unsigned one_more(struct mount *m, unsigned number)
{
	unsigned was = memstore_calls(m->store, "list");
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "d/no-%u-such", number);
	assert_int_equal(mount_stat(m, path, &st), -ENOENT);
	return memstore_calls(m->store, "list") - was;
}

/* One name after the other: a page may have them all. */
static void asked_for(void **state)
{
	struct mount m;

	mount_up(&m, "", 60, false);
	plant(&m, "d/f", 900);
	finds(&m, "d", S_IFDIR, 1, 0);
	for (unsigned k = 0; k < 40; k++)
		row_number("in one of less than a page", one_more(&m, k),
			   k < 4);
	finds(&m, "d/f800", S_IFREG, 0, 0);
	mount_down(&m);

	mount_up(&m, "", 60, false);
	plant(&m, "d/f", 3000);
	finds(&m, "d", S_IFDIR, 1, 0);
	for (unsigned k = 1; k <= 100; k++)
		row_number("in a larger one", one_more(&m, k),
			   k == 4 || k == 16 || k == 64 ? 2 : 1);
	mount_down(&m);

	/* a directory's own question brings what is in it */
	mount_up(&m, "", 60, false);
	plant(&m, "d/f", 900);
	for (unsigned k = 0; k < 60; k++) {
		char key[16];

		snprintf(key, sizeof(key), "d/a%u/f", k);
		store_has(&m, key, "x");
	}
	finds(&m, "d", S_IFDIR, 1, 0);
	for (unsigned k = 0; k < 9; k++)
		row_number("where directories are", one_more(&m, k), 1);
	mount_down(&m);
}

static void reads(void **state)
{
	static const struct counts wanted = { 1, 0, 0, 1 };
	struct counts is;
	struct mount m;
	char text[16];

	mount_up(&m, "", 60, false);
	store_has(&m, "d/f", "text");
	assert_int_equal(mount_cat(&m, "d/f", text, sizeof(text)), 4);
	is = counts_now(&m);
	assert_memory_equal(&is, &wanted, sizeof(is));
	mount_down(&m);
}

/* Names that a page of neighbours keeps from being seen. */
static void hidden(void **state)
{
	struct mount m;

	mount_up(&m, "", 60, false);
	plant(&m, "d-", 150);
	finds(&m, "d", -ENOENT, 1, 1);
	store_has(&m, "e", "x");
	store_has(&m, "e/f", "x");
	plant(&m, "e-", 150);
	finds(&m, "e", S_IFDIR, 1, 1);
	mount_down(&m);
}

/* What may not be listed is asked for by its name alone, and the store is not
 * asked to list again; another failure is one. */
static void refused(void **state)
{
	struct mount m;
	struct stat st;

	mount_up(&m, "", 60, false);
	store_has(&m, "d/f", "x");
	store_has(&m, "g", "x");
	memstore_fail(m.store, "list", 1, -ETIMEDOUT);
	assert_int_equal(mount_stat(&m, "d", &st), -ETIMEDOUT);
	/* not even that: so it is not the listing that is refused */
	memstore_fail(m.store, "list", 1, -EACCES);
	memstore_fail(m.store, "stat", 1, -EACCES);
	assert_int_equal(mount_stat(&m, "d", &st), -EACCES);
	memstore_fail(m.store, "list", 0, -EACCES);
	finds(&m, "d", S_IFDIR, 1, 1);
	finds(&m, "d/f", S_IFREG, 0, 1);
	finds(&m, "g", S_IFREG, 0, 1);
	finds(&m, "none", -ENOENT, 0, 1);
	mount_down(&m);
}

/* ---- listings that cannot be relied on ---- */

static struct store_ops odd_ops;
static store_list_next_fn *plain_next;

static int next_without_etag(struct store_list *l, struct list_entry *out)
{
	int rc = plain_next(l, out);

	out->info.etag[0] = '\0';
	return rc;
}

static int next_unordered(struct store_list *l, struct list_entry *out)
{
	int rc = plain_next(l, out);

	l->unordered = true;
	return rc;
}

static int next_lost(struct store_list *l, struct list_entry *out)
{
	int rc = plain_next(l, out);

	l->lost = 1;
	return rc;
}

static void odd_up(struct mount *m, store_list_next_fn *next)
{
	mount_up(m, "", 60, false);
	odd_ops = *m->store->ops;
	plain_next = odd_ops.list_next;
	odd_ops.list_next = next;
	m->store->ops = &odd_ops;
}

static void odd_listings(void **state)
{
	struct mount m;

	odd_up(&m, next_without_etag);
	store_has(&m, "d/f", "x");
	store_has(&m, "g", "x");
	finds(&m, "d", S_IFDIR, 1, 0);
	finds(&m, "g", S_IFREG, 1, 1);
	mount_down(&m);

	odd_up(&m, next_unordered);
	store_has(&m, "g", "x");
	plant(&m, "d/", 150);
	finds(&m, "d", S_IFDIR, 1, 1);
	finds(&m, "g", S_IFREG, 1, 0); /* one page is put in order */
	mount_down(&m);

	odd_up(&m, next_lost);
	store_has(&m, "d/f", "x");
	finds(&m, "d", S_IFDIR, 1, 0);
	finds(&m, "none", -ENOENT, 1, 1);
	mount_down(&m);
}

/* With metadata_ttl = 0 nothing is learnt by the way. */
static void nothing_believed(void **state)
{
	struct mount m;
	struct stat st;

	mount_up(&m, "", 0, false);
	store_has(&m, "d/f", "x");
	assert_int_equal(mount_stat(&m, "d/f", &st), 0);
	assert_int_equal(memstore_calls(m.store, "list"), 0);
	mount_down(&m);
}

/* ---- names that have grown old ---- */

/* One listing has all names of a small directory. */
static void grown_old(void **state)
{
	struct mount m;
	char text[8192];

	mount_up(&m, "p/", 60, false);
	plant(&m, "p/f", 60);
	store_has(&m, "p/d/f", "x");
	assert_int_equal(mount_ls(&m, "", text, sizeof(text)), 0);
	finds(&m, "d", S_IFDIR, 0, 0);
	finds(&m, "d/f", S_IFREG, 1, 0);
	mount_grow_old(&m);
	store_has(&m, "p/new", "x");
	memstore_poke_remove(m.store, "p/f010");
	/* a directory is asked for by what is in it */
	finds(&m, "d", S_IFDIR, 1, 0);
	finds(&m, "d/f", S_IFREG, 0, 0);
	finds(&m, "f020", S_IFREG, 1, 0);
	finds(&m, "f021", S_IFREG, 0, 0);
	finds(&m, "f010", -ENOENT, 0, 0);
	finds(&m, "none", -ENOENT, 0, 0);
	finds(&m, "new", S_IFREG, 0, 0);
	mount_grow_old(&m);
	/* a listing that fails is not what was asked for */
	memstore_fail(m.store, "list", 1, -EACCES);
	finds(&m, "f030", S_IFREG, 2, 0);
	mount_down(&m);
}

/* Those of a larger one are worth a page when some were asked for. */
static void grown_old_large(void **state)
{
	struct mount m;
	char text[16384];

	mount_up(&m, "", 60, false);
	plant(&m, "f", 300);
	assert_int_equal(mount_ls(&m, "", text, sizeof(text)), 0);
	mount_grow_old(&m);
	finds(&m, "f000", S_IFREG, 1, 0);
	finds(&m, "f001", S_IFREG, 1, 0);
	finds(&m, "f002", S_IFREG, 1, 0);
	finds(&m, "f003", S_IFREG, 0, 0);
	finds(&m, "f299", S_IFREG, 0, 0);
	finds(&m, "none", -ENOENT, 0, 0);
	/* one of several pages is not listed for a name */
	plant(&m, "g", 1200);
	mount_grow_old(&m);
	assert_int_equal(mount_ls(&m, "", text, sizeof(text)), 0);
	mount_grow_old(&m);
	for (unsigned k = 100; k < 120; k++) {
		snprintf(text, sizeof(text), "f%u", k);
		finds(&m, text, S_IFREG, 1, 0);
	}
	mount_down(&m);
}

/* The name that was come to last is asked for in place of the directories on
 * the way to it. */
static void grown_old_above(void **state)
{
	struct mount m;

	mount_up(&m, "p/", 60, false);
	plant(&m, "p/large/f", 1200);
	store_has(&m, "p/a/b/c/d/e/f", "x");
	plant(&m, "p/a/b/c/d/f", 1200);
	finds(&m, "large/f777", S_IFREG, 2, 0);
	finds(&m, "a/b/c/d/f777", S_IFREG, 2, 0);
	for (int k = 0; k < 3; k++) {
		mount_grow_old(&m);
		finds(&m, "large/f777", S_IFREG, 1, 0);
		finds(&m, "a/b/c/d/f777", S_IFREG, 1, 0);
	}
	/* another name takes one more, and is the last from then on */
	mount_grow_old(&m);
	finds(&m, "large/f888", S_IFREG, 2, 0);
	mount_grow_old(&m);
	finds(&m, "large/f888", S_IFREG, 1, 0);
	/* each name that is asked for renews what is above it */
	tree_root(m.fs->tree)->dir->first->refreshed_ms = 0;
	finds(&m, "large", S_IFDIR, 1, 0);
	/* it has gone: its directory is asked for */
	memstore_poke_remove(m.store, "p/large/f888");
	mount_grow_old(&m);
	finds(&m, "large/f888", -ENOENT, 2, 0);
	finds(&m, "large", S_IFDIR, 0, 0);
	mount_down(&m);
}

/* A program that makes names in a directory asks next which others are free. */
static void grown_old_made(void **state)
{
	struct mount m;

	mount_up(&m, "", 60, false);
	plant(&m, "d/f", 300);
	finds(&m, "d/none", -ENOENT, 2, 0);
	assert_int_equal(mount_write(&m, "d/made", "x"), 0);
	for (int k = 0; k < 3; k++) {
		mount_grow_old(&m);
		assert_int_equal(mount_write(&m, k ? "d/a" : "d/b", "x"), 0);
		finds(&m, "d/free", -ENOENT, 0, 0);
		finds(&m, "d/none", -ENOENT, 0, 0);
	}
	mount_down(&m);
}

/* New names as `cp` makes them: each is looked for, then made. */
static void make(struct mount *m, const char *dir, unsigned from, unsigned n)
{
	char path[32];
	struct stat st;

	for (unsigned k = from; k < from + n; k++) {
		snprintf(path, sizeof(path), "%s/new%05u", dir, k);
		assert_int_equal(mount_stat(m, path, &st), -ENOENT);
		assert_int_equal(mount_write(m, path, "x"), 0);
	}
}

/* However often a directory grows old while it is filled, it is listed once
 * then, and no name, nor the directory, is asked for by itself. */
static void filled(void **state)
{
	struct counts was, is;
	struct mount m;

	mount_up(&m, "p/", 60, false);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	make(&m, "d", 0, 250);
	for (unsigned k = 1; k < 9; k++) {
		mount_grow_old(&m);
		was = counts_now(&m);
		make(&m, "d", 250 * k, 250);
		is = counts_now(&m);
		/* the marker is a key, too */
		row_number("listings, a page of 1,000 each",
			   is.lists - was.lists, (250 * k + 1) / 1000 + 1);
		row_number("other requests",
			   is.stats + is.heads + is.gets - was.stats -
				   was.heads - was.gets,
			   0);
	}
	mount_down(&m);
}

/* One of which not all names are known: some are asked for, then all. */
static void filled_unknown(void **state)
{
	struct counts was;
	struct stat st;
	struct mount m;

	mount_up(&m, "p/", 60, false);
	plant(&m, "p/d/f", 1200);
	assert_int_equal(mount_stat(&m, "d/f777", &st), 0);
	was = counts_now(&m);
	make(&m, "d", 0, 500);
	assert_in_range(counts_now(&m).lists - was.lists + counts_now(&m).gets -
				was.gets,
			2, 30);
	mount_down(&m);
}

/* A directory that is gone is not believed for what was in it. */
static void gone_above(void **state)
{
	struct mount m;

	mount_up(&m, "", 60, false);
	store_has(&m, "a/b/f", "x");
	finds(&m, "a/b/f", S_IFREG, 1, 0);
	mount_grow_old(&m);
	memstore_poke_remove(m.store, "a/b/f");
	finds(&m, "a/b/f", -ENOENT, 2, 0);
	finds(&m, "a", -ENOENT, 0, 0);
	store_has(&m, "a", "x");
	mount_grow_old(&m);
	finds(&m, "a", S_IFREG, 1, 0);
	mount_down(&m);
}

/* What a program has read it will read again: all of it, by one listing; and
 * what it has only come through it will not. */
static void grown_old_read(void **state)
{
	struct mount m;
	char text[8192];

	mount_up(&m, "", 60, false);
	plant(&m, "d/f", 300);
	assert_int_equal(mount_ls(&m, "d", text, sizeof(text)), 0);
	finds(&m, "d/f250", S_IFREG, 0, 0);
	mount_grow_old(&m);
	finds(&m, "d/f250", S_IFREG, 1, 0);
	finds(&m, "d/f100", S_IFREG, 0, 0);
	finds(&m, "d/none", -ENOENT, 0, 0);
	mount_grow_old(&m);
	finds(&m, "d/f100", S_IFREG, 1, 0);
	finds(&m, "d/f250", S_IFREG, 1, 0);
	mount_down(&m);
}

SUITE(look)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(asked_for),
		cmocka_unit_test(reads),
		cmocka_unit_test(hidden),
		cmocka_unit_test(refused),
		cmocka_unit_test(odd_listings),
		cmocka_unit_test(nothing_believed),
		cmocka_unit_test(grown_old),
		cmocka_unit_test(grown_old_large),
		cmocka_unit_test(grown_old_above),
		cmocka_unit_test(grown_old_made),
		cmocka_unit_test(filled),
		cmocka_unit_test(filled_unknown),
		cmocka_unit_test(gone_above),
		cmocka_unit_test(grown_old_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
