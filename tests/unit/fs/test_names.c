/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names over a store: what they cost, and what is there afterwards.
 *
 * Covers: fs/marker.c fs/resolve.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Steps over one mount; `n` says how many requests they may cost. Each is a
 * word and a path:
 *   put/del  another machine changes the store     ls, stat, cat, write
 *   mkdir rmdir rm                                 keys: what the store holds
 */
struct step {
	const char *verb, *path;
	int result; /* or what stat's st_mode & S_IFMT must be */
	const char *text; /* to write; or what cat, ls, keys must give */
	const char *cost; /* "head 1 list 0": counted over this step */
};

static int cost_now(struct mount *m)
{
	static const char *const ops[] = { "stat",   "head", "list", "put",
					   "remove", "copy", "get" };
	int sum = 0;

	for (size_t k = 0; k < COUNT(ops); k++)
		sum += memstore_calls(m->store, ops[k]);
	return sum;
}

static int step(struct mount *m, const struct step *s, char *out, size_t size)
{
	struct stat st;
	int rc;

	*out = '\0';
	if (!strcmp(s->verb, "put")) {
		store_has(m, s->path, s->text ? s->text : "");
		return s->result;
	}
	if (!strcmp(s->verb, "del"))
		return memstore_poke_remove(m->store, s->path);
	if (!strcmp(s->verb, "write"))
		return mount_write(m, s->path, s->text);
	if (!strcmp(s->verb, "mkdir"))
		return mount_mkdir(m, s->path);
	if (!strcmp(s->verb, "rmdir"))
		return mount_rmdir(m, s->path);
	if (!strcmp(s->verb, "rm"))
		return mount_unlink(m, s->path);
	if (!strcmp(s->verb, "ls"))
		return mount_ls(m, s->path, out, size);
	if (!strcmp(s->verb, "keys")) {
		store_keys(m, out, size);
		return 0;
	}
	if (!strcmp(s->verb, "cat")) {
		rc = mount_cat(m, s->path, out, size);
		return rc < 0 ? rc : 0;
	}
	assert_string_equal(s->verb, "stat");
	rc = mount_stat(m, s->path, &st);
	return rc ? rc : (int)(st.st_mode & S_IFMT);
}

static const struct {
	const char *sentence;
	const char *prefix;
	unsigned ttl_s;
	bool ro;
	struct step steps[12];
} rows[] = {
	{ "a file is found by one question and then known",
	  "p/",
	  60,
	  false,
	  { { "put", "p/f", 0, "x" },
	    { "stat", "f", S_IFREG, NULL, "1" },
	    { "stat", "f", S_IFREG, NULL, "0" } } },
	{ "with metadata_ttl = 0 every lookup and stat asks",
	  "",
	  0,
	  false,
	  { { "put", "f", 0, "x" },
	    { "stat", "f", S_IFREG, NULL, "2" },
	    { "stat", "f", S_IFREG, NULL, "2" } } },
	{ "an absent name is known to be absent",
	  "",
	  60,
	  false,
	  { { "stat", "f", -ENOENT, NULL, "1" },
	    { "stat", "f", -ENOENT, NULL, "0" } } },
	{ "a directory that only keys below imply",
	  "",
	  60,
	  false,
	  { { "put", "d/f", 0, "x" },
	    { "stat", "d", S_IFDIR, NULL, "1" },
	    { "ls", "d", 0, "f ", "0" } } },
	{ "a file beside keys below: the directory is shown",
	  "",
	  60,
	  false,
	  { { "put", "d", 0, "x" },
	    { "put", "d/f", 0, "x" },
	    { "put", "d-e", 0, "x" },
	    { "put", "d.e", 0, "x" },
	    { "stat", "d", S_IFDIR },
	    { "ls", "", 0, "d-e d.e d/ " } } },
	{ "a file beside a marker only, too",
	  "",
	  60,
	  false,
	  { { "put", "d", 0, "x" },
	    { "put", "d/", 0, "" },
	    { "ls", "", 0, "d/ " },
	    { "ls", "d", 0, "" } } },
	{ "a listing answers lookups, absent ones included",
	  "",
	  60,
	  false,
	  { { "put", "d/a", 0, "x" },
	    { "put", "d/b/c", 0, "x" },
	    { "ls", "d", 0, "a b/ " },
	    { "stat", "d/a", S_IFREG, NULL, "0" },
	    { "stat", "d/b", S_IFDIR, NULL, "0" },
	    { "stat", "d/z", -ENOENT, NULL, "0" },
	    { "ls", "d", 0, "a b/ ", "0" } } },
	{ "what no path can name is left out",
	  "",
	  60,
	  false,
	  { { "put", "d//x", 0, "x" },
	    { "put", "d/./x", 0, "x" },
	    { "put", "d/..", 0, "x" },
	    { "put", "d/ok", 0, "x" },
	    { "put", "d/", 0, "" },
	    { "ls", "d", 0, "ok " } } },
	{ "mkdir writes a marker and knows that it is empty",
	  "p/",
	  60,
	  false,
	  { { "mkdir", "d", 0, NULL, "2" },
	    { "keys", "", 0, "p/d/ " },
	    { "stat", "d", S_IFDIR, NULL, "0" },
	    { "stat", "d/x", -ENOENT, NULL, "0" },
	    { "write", "d/x", 0, "1", "1" },
	    { "mkdir", "d", -EEXIST },
	    { "mkdir", "d/x", -EEXIST } } },
	{ "rmdir removes the marker, not a full directory",
	  "",
	  60,
	  false,
	  { { "mkdir", "d", 0 },
	    { "write", "d/x", 0, "1" },
	    { "rmdir", "d", -ENOTEMPTY },
	    { "rmdir", "d/x", -ENOTDIR },
	    { "rm", "d/x", 0 },
	    { "rmdir", "d", 0 },
	    { "stat", "d", -ENOENT, NULL, "0" },
	    { "keys", "", 0, "" } } },
	{ "rmdir sees what another machine put there",
	  "",
	  60,
	  false,
	  { { "mkdir", "d", 0 },
	    { "put", "d//x", 0, "1" },
	    { "rmdir", "d", -ENOTEMPTY } } },
	{ "a directory does not vanish with its last file",
	  "",
	  60,
	  false,
	  { { "put", "d/a", 0, "1" },
	    { "put", "d/b", 0, "1" },
	    { "ls", "d", 0, "a b " },
	    { "rm", "d/a", 0, NULL, "1" },
	    { "keys", "", 0, "d/b " },
	    { "rm", "d/b", 0 },
	    { "keys", "", 0, "d/ " },
	    { "stat", "d", S_IFDIR },
	    { "ls", "d", 0, "" } } },
	{ "no marker is left where other keys are",
	  "",
	  60,
	  false,
	  { { "put", "d/a", 0, "1" },
	    { "put", "d/b", 0, "1" },
	    { "rm", "d/a", 0 },
	    { "keys", "", 0, "d/b " } } },
	{ "the stage's own root needs no marker",
	  "p/",
	  60,
	  false,
	  { { "put", "p/a", 0, "1" },
	    { "rm", "a", 0 },
	    { "keys", "", 0, "" },
	    { "stat", "", S_IFDIR, NULL, "0" },
	    { "ls", "", 0, "" } } },
	{ "rm of a directory and of nothing",
	  "",
	  60,
	  false,
	  { { "mkdir", "d", 0 },
	    { "rm", "d", -EISDIR },
	    { "rm", "nothing", -ENOENT },
	    { "rmdir", "nothing", -ENOENT } } },
	{ "a read-only stage refuses",
	  "",
	  60,
	  true,
	  { { "put", "f", 0, "x" },
	    { "mkdir", "d", -EROFS },
	    { "rm", "f", -EROFS },
	    { "rmdir", "f", -EROFS },
	    { "write", "f", -EROFS, "y" },
	    { "write", "g", -EROFS, "y" },
	    { "cat", "f", 0, "x" } } },
	{ "what is written is there",
	  "p/",
	  60,
	  false,
	  { { "write", "f", 0, "one" },
	    { "cat", "f", 0, "one" },
	    { "write", "f", 0, "two" },
	    { "cat", "f", 0, "two" },
	    { "keys", "", 0, "p/f " } } },
	{ "a new open sees another machine's change",
	  "",
	  0,
	  false,
	  { { "write", "f", 0, "one" },
	    { "put", "f", 0, "longer" },
	    { "cat", "f", 0, "longer" },
	    { "del", "f", 0 },
	    { "cat", "f", -ENOENT } } },
	{ "a file that became a directory",
	  "",
	  0,
	  false,
	  { { "put", "d", 0, "1" },
	    { "stat", "d", S_IFREG },
	    { "put", "d/x", 0, "1" },
	    { "stat", "d", S_IFDIR },
	    { "del", "d/x", 0 },
	    { "stat", "d", S_IFREG } } },
	{ "a removed name can be made again",
	  "",
	  60,
	  false,
	  { { "write", "f", 0, "1" },
	    { "rm", "f", 0 },
	    { "stat", "f", -ENOENT, NULL, "0" },
	    { "mkdir", "f", 0 },
	    { "stat", "f", S_IFDIR } } },
};

static void test_steps(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		struct mount m;

		mount_up(&m, rows[r].prefix, rows[r].ttl_s, rows[r].ro);
		for (size_t k = 0; k < 12 && rows[r].steps[k].verb; k++) {
			const struct step *s = &rows[r].steps[k];
			char out[4096], what[256];
			int before = cost_now(&m), rc;

			snprintf(what, sizeof(what), "%s: %zu. %s %s",
				 rows[r].sentence, k + 1, s->verb, s->path);
			rc = step(&m, s, out, sizeof(out));
			row_number(what, rc, s->result);
			if (s->cost)
				row_number(what, cost_now(&m) - before,
					   atoi(s->cost));
			if (s->text && strcmp(s->verb, "put") &&
			    strcmp(s->verb, "write"))
				row_equal(what, out, s->text);
		}
		mount_down(&m);
	}
}

static void test_long_names(void **state)
{
	struct mount m;
	struct fs_entry e;
	char name[257], path[1100];
	int rc;

	mount_up(&m, "", 0, false);
	memset(name, 'n', 256);
	name[256] = '\0';
	assert_int_equal(fs_lookup(m.fs, fs_root(m.fs), name, &e),
			 -ENAMETOOLONG);
	name[255] = '\0';
	assert_int_equal(fs_lookup(m.fs, fs_root(m.fs), name, &e), 0);
	assert_null(e.inode);
	/* 4 x 256 - 1 = 1023 bytes of key: a file fits, its marker does too */
	snprintf(path, sizeof(path), "%s/%s/%s/x", name, name, name);
	store_has(&m, path, "1");
	path[strlen(path) - 2] = '\0';
	assert_non_null(mount_find(&m, path, &rc));
	assert_int_equal(mount_mkdir(&m, strcat(strcat(path, "/"), name)), 0);
	mount_down(&m);
	mount_up(&m, "xx/", 60, false);
	snprintf(path, sizeof(path), "xx/%s/%s/%s/x", name, name, name);
	store_has(&m, path, "1");
	snprintf(path, sizeof(path), "%s/%s/%s/%s", name, name, name, name);
	/* the names beside it are known, so it is known not to be there */
	assert_null(mount_find(&m, path, &rc));
	assert_int_equal(rc, -ENOENT);
	assert_int_equal(mount_write(&m, path, "1"), -ENAMETOOLONG);
	name[252] = '\0'; /* room for the key, none for the '/' */
	snprintf(path + 3 * 256, sizeof(path) - 3 * 256, "%s", name);
	assert_int_equal(mount_write(&m, path, "1"), 0);
	path[strlen(path) - 1] = 'z';
	assert_int_equal(mount_mkdir(&m, path), 0);
	name[253] = '\0';
	memset(name, 'n', 253);
	snprintf(path + 3 * 256, sizeof(path) - 3 * 256, "%s", name);
	assert_int_equal(mount_mkdir(&m, path), -ENAMETOOLONG);
	mount_down(&m);
}

/* A store of UTF-8 names is not asked for others: RGW's listing of one is no
 * XML, and would be asked for until the deadline. */
static void test_odd_bytes(void **state)
{
	static const char *const refused[] = { "\xe2", "a\xff", "\xc0\x80",
					       "\xed\xa0\x80" };
	struct mount m;
	int rc;

	mount_up(&m, "", 0, false);
	assert_int_equal(mount_write(&m, "old", "1"), 0);
	for (size_t i = 0; i < COUNT(refused); i++) {
		unsigned asked = memstore_calls(m.store, "stat");

		assert_null(mount_find(&m, refused[i], &rc));
		row_number(refused[i], rc, -ENOENT);
		row_number(refused[i], memstore_calls(m.store, "stat"), asked);
		row_number(refused[i], mount_write(&m, refused[i], "1"),
			   -EILSEQ);
		row_number(refused[i], mount_mkdir(&m, refused[i]), -EILSEQ);
		row_number(refused[i], mount_rename(&m, "old", refused[i], 0),
			   -EILSEQ);
	}
	assert_int_equal(mount_write(&m, "\xc3\xa9\x01%+&", "1"), 0);
	mount_down(&m);
}

SUITE(names)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_odd_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
