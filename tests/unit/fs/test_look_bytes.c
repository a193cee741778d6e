/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that are looked up by a GET, which the open that follows needs: where
 * that is, and how many requests it takes.
 *
 * Covers: fs/look.c fs/names/dircache.c fs/names/likeness.c fs/cache/block.c
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs_fixture.h"
#include "memstore.h"

#include "fs/names/dircache.h"
#include "fs/names/tree.h"
#include "fs/state.h"
#include "store/attr_meta.h"

/* Requests of a step. */
struct asked {
	unsigned lists, gets, others;
};

static struct asked asked_now(struct mount *m)
{
	return (struct asked){ memstore_calls(m->store, "list"),
			       memstore_calls(m->store, "get"),
			       memstore_calls(m->store, "stat") +
				       memstore_calls(m->store, "head") };
}

static void row_asked(struct mount *m, const char *what,
		      const struct asked *was, unsigned lists, unsigned gets)
{
	struct asked is = asked_now(m);

	row_number(what, is.lists - was->lists, lists);
	row_number(what, is.gets - was->gets, gets);
	row_number(what, is.others - was->others, 0);
}

/* A look-up alone. */
static void finds(struct mount *m, const char *path, int want, unsigned lists,
		  unsigned gets)
{
	struct asked was = asked_now(m);
	struct stat st;
	int rc;

	mount_forget_asked(m);
	rc = mount_stat(m, path, &st);

	row_number(path, rc ? rc : (int)(st.st_mode & S_IFMT), want);
	row_asked(m, path, &was, lists, gets);
}

/* A look-up, an open, and all of its bytes. */
static void reads(struct mount *m, const char *path, const char *text,
		  unsigned lists, unsigned gets)
{
	struct asked was = asked_now(m);
	char is[64];

	row_number(path, mount_cat(m, path, is, sizeof(is)), strlen(text));
	assert_string_equal(is, text);
	row_asked(m, path, &was, lists, gets);
}

/* 300 files in a directory that is known as far as a look-up of it tells. */
static void plant(struct mount *m)
{
	char key[32];

	for (unsigned k = 0; k < 300; k++) {
		snprintf(key, sizeof(key), "p/d/f%03u", k);
		store_has(m, key, key);
	}
}

static void up(struct mount *m)
{
	mount_up(m, "p/", 60, false);
	plant(m);
	finds(m, "d", S_IFDIR, 1, 0);
}

static void cold(void **state)
{
	struct mount m;

	mount_up(&m, "p/", 60, false);
	plant(&m);
	reads(&m, "d/f250", "p/d/f250", 1, 1);
	reads(&m, "d/f250", "p/d/f250", 0, 0);
	reads(&m, "d/f299", "p/d/f299", 0, 1);
	/* one that its directory's listing has told of */
	reads(&m, "d/f050", "p/d/f050", 0, 1);
	mount_down(&m);
}

/* It has the new bytes, when another machine has replaced them. */
static void replaced(void **state)
{
	struct mount m;

	up(&m);
	finds(&m, "d/f250", S_IFREG, 0, 1);
	store_has(&m, "p/d/f250", "new");
	tree_invalidate(m.fs->tree, tree_root(m.fs->tree)->dir->first, "f250");
	reads(&m, "d/f250", "new", 1, 1);
	mount_down(&m);
}

/* Programs that open nothing get no bytes but of the first few. */
static void only_looked_at(void **state)
{
	char path[16];
	struct mount m;

	up(&m);
	for (unsigned k = 200; k < 204; k++) {
		snprintf(path, sizeof(path), "d/f%u", k);
		finds(&m, path, S_IFREG, 0, 1);
	}
	for (unsigned k = 204; k < 240; k++) {
		snprintf(path, sizeof(path), "d/f%u", k);
		finds(&m, path, S_IFREG, 1, 0);
	}
	/* until some are opened */
	reads(&m, "d/f250", "p/d/f250", 1, 1);
	reads(&m, "d/f251", "p/d/f251", 0, 1);
	reads(&m, "d/f252", "p/d/f252", 0, 1);
	mount_down(&m);
}

/* What was opened allows as many that may be open at a time. */
static void many_at_once(void **state)
{
	char path[16], text[24];
	struct mount m;

	up(&m);
	for (unsigned k = 200; k < 220; k++) {
		snprintf(path, sizeof(path), "d/f%u", k);
		snprintf(text, sizeof(text), "p/%s", path);
		reads(&m, path, text, 0, 1);
	}
	for (unsigned k = 220; k < 236; k++) {
		snprintf(path, sizeof(path), "d/f%u", k);
		finds(&m, path, S_IFREG, 0, 1);
	}
	mount_down(&m);
}

/* Names that are not there, or are none of a small file. */
static void others(void **state)
{
	static const char *const none[] = { "d/f900", "d/f901", "d/f902" };
	struct mount m;
	char *text;

	up(&m);
	finds(&m, none[0], -ENOENT, 1, 1);
	finds(&m, none[1], -ENOENT, 1, 0);
	finds(&m, none[2], -ENOENT, 1, 0);
	finds(&m, none[0], -ENOENT, 0, 0);
	mount_down(&m);

	up(&m);
	store_has(&m, "p/d/f500/f", "x");
	finds(&m, "d/f500", S_IFDIR, 1, 1);
	finds(&m, "d/f500/f", S_IFREG, 0, 0);
	reads(&m, "d/f200", "p/d/f200", 1, 1);
	reads(&m, "d/f201", "p/d/f201", 1, 1);
	mount_down(&m);

	up(&m);
	store_has(&m, "p/d/f500", "");
	reads(&m, "d/f500", "", 1, 1);
	reads(&m, "d/f200", "p/d/f200", 1, 1);
	mount_down(&m);

	up(&m);
	text = calloc(1, DIRCACHE_SMALL + 2);
	memset(text, 'x', DIRCACHE_SMALL + 1);
	store_has(&m, "p/d/f500", text);
	text[DIRCACHE_SMALL] = '\0';
	store_has(&m, "p/d/f501", text);
	finds(&m, "d/f501", S_IFREG, 0, 1);
	finds(&m, "d/f500", S_IFREG, 0, 1);
	finds(&m, "d/f200", S_IFREG, 1, 0);
	free(text);
	mount_down(&m);
}

/* A name that is like none of theirs is expected to be nothing: no GET. */
static void unlike(void **state)
{
	struct mount m;

	up(&m);
	store_has(&m, "p/d/x", "x");
	finds(&m, "d/none", -ENOENT, 1, 0);
	finds(&m, "d/index.html", -ENOENT, 1, 0);
	reads(&m, "d/x", "x", 1, 1);
	reads(&m, "d/f250", "p/d/f250", 0, 1);
	mount_down(&m);
}

/* The same where directories are as well, but none with such a name. */
static void beside_dirs(void **state)
{
	struct mount m;

	mount_up(&m, "p/", 60, false);
	plant(&m);
	for (unsigned k = 0; k < 9; k++) {
		char key[32];

		snprintf(key, sizeof(key), "p/d/a%u.d/f", k);
		store_has(&m, key, "x");
	}
	finds(&m, "d", S_IFDIR, 1, 0);
	reads(&m, "d/f250", "p/d/f250", 0, 1);
	finds(&m, "d/z9.d", -ENOENT, 1, 0);
	finds(&m, "d/none", -ENOENT, 1, 0);
	mount_down(&m);

	/* The page shows directories and no file: they are asked for. */
	mount_up(&m, "p/", 60, false);
	plant(&m);
	for (unsigned k = 0; k < 100; k++) {
		char key[32];

		snprintf(key, sizeof(key), "p/d/a%u/f", k);
		store_has(&m, key, "x");
	}
	finds(&m, "d", S_IFDIR, 1, 0);
	reads(&m, "d/f250", "p/d/f250", 1, 1);
	mount_down(&m);
}

/* A program that opens nothing in two directories gets one body in others. */
static void looked_at_everywhere(void **state)
{
	char key[32];
	struct mount m;

	mount_up(&m, "p/", 60, false);
	for (unsigned k = 0; k < 5 * 200; k++) {
		snprintf(key, sizeof(key), "p/d%u/f%03u", k / 200, k % 200);
		store_has(&m, key, key);
	}
	for (unsigned d = 0; d < 4; d++) {
		snprintf(key, sizeof(key), "d%u", d);
		finds(&m, key, S_IFDIR, 1, 0);
		for (unsigned k = 0; k < 6; k++) {
			bool bytes = k < (d < 2 ? 4 : 1);

			snprintf(key, sizeof(key), "d%u/f%03u", d, 150 + k);
			finds(&m, key, S_IFREG, !bytes, bytes);
		}
	}
	reads(&m, "d4/f150", "p/d4/f150", 1, 1);
	reads(&m, "d4/f151", "p/d4/f151", 0, 1);
	mount_down(&m);
}

/* Where it is no better: what is there is not known, or names are made. */
static void elsewhere(void **state)
{
	struct handle *h;
	struct asked was;
	struct mount m;

	mount_up(&m, "p/", 60, false);
	store_has(&m, "p/f", "text");
	store_has(&m, "p/few/f", "text");
	finds(&m, "few", S_IFDIR, 1, 0);
	reads(&m, "f", "text", 1, 1);
	mount_down(&m);

	mount_up(&m, "p/", 0, false);
	plant(&m);
	was = asked_now(&m);
	assert_int_equal(mount_open(&m, "d/f250", 0, &h), 0);
	assert_int_equal(asked_now(&m).lists, was.lists);
	fs_release(m.fs, h);
	mount_down(&m);
}

/* A GET that is refused, or fails, says nothing of the name. */
static void refused(void **state)
{
	struct mount m;
	struct stat st;

	up(&m);
	memstore_fail(m.store, "get", 1, -EACCES);
	finds(&m, "d/f250", S_IFREG, 1, 1);
	finds(&m, "d/f251", S_IFREG, 1, 0);
	mount_down(&m);

	up(&m);
	memstore_fail(m.store, "get", 1, -EINTR);
	assert_int_equal(mount_stat(&m, "d/f250", &st), -EINTR);
	finds(&m, "d/none", -ENOENT, 1, 0);
	mount_down(&m);
}

/* Attributes that are in the object's metadata come along. */
static void attributes(void **state)
{
	const struct store_body body = { .data = "text", .fd = -1, .len = 4 };
	const struct store_attr a = { .which = STORE_SET_MODE,
				      .mode = 0100751 };
	struct fs_settings set = mount_settings;
	struct store *s = memstore_new("s");
	struct store_meta headers;
	struct attr_meta meta;
	struct stat st;
	struct mount m;

	set.metadata_ttl_s = 60;
	s->attributes = true;
	mount_on(&m, s, "p/", false, &set);
	attr_meta_write(&a, &meta);
	headers = (struct store_meta){ .headers = meta.fields,
				       .n_headers = meta.n };
	plant(&m);
	assert_int_equal(
		store_put(m.store, "p/d/f999", &body, &headers, NULL, NULL), 0);
	assert_int_equal(mount_stat(&m, "d", &st), 0);
	reads(&m, "d/f999", "text", 0, 1);
	assert_int_equal(mount_stat(&m, "d/f999", &st), 0);
	assert_int_equal(st.st_mode, 0100751);
	mount_down(&m);
}

SUITE(look_bytes)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cold),
		cmocka_unit_test(replaced),
		cmocka_unit_test(only_looked_at),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(others),
		cmocka_unit_test(unlike),
		cmocka_unit_test(beside_dirs),
		cmocka_unit_test(looked_at_everywhere),
		cmocka_unit_test(elsewhere),
		cmocka_unit_test(refused),
		cmocka_unit_test(attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
