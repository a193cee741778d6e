/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renames while another machine writes to the same store, or a program reads.
 *
 * Covers: fs/rename/rename_keys.c fs/rename/rename_removal.c
 * Covers: fs/names/tree_gone.c
 */
#include "base/clock.h"
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum when {
	BEFORE_COPY,
	AFTER_COPY,
};

static const struct {
	const char *sentence;
	const char *keys; /* there before; each holds its own name */
	const char *from, *to;
	unsigned flags;
	const char *at; /* the key whose copying the other machine sees */
	enum when when;
	const char *key; /* what it writes: `new` */
	int rc; /* of that copy, which was made; 0: its own */
	const char *fails; /* a key whose copy fails with -EACCES */
	int result;
	const char *after; /* keys */
	const char *mine, *holds; /* an old object, now here */
	const char *theirs; /* holds `new` */
	bool known; /* the directory d has been listed before */
	bool removes; /* what it writes is removed instead */
} rows[] = {
	{ "what comes to the source of a file after its copy stays", "a ", "a",
	  "b", 0, "a", AFTER_COPY, "a", 0, NULL, 0, "a b ", "b", "a", "a" },
	{ "a file goes when nothing comes", "a ", "a", "b", 0, "a", AFTER_COPY,
	  "x", 0, NULL, 0, "b x ", "b", "a", NULL },
	{ "what comes to the target is replaced", "a ", "a", "b", 0, "a",
	  BEFORE_COPY, "b", 0, NULL, 0, "b ", "b", "a", NULL },
	{ "unless the rename may not", "a ", "a", "b", RENAME_NOREPLACE, "a",
	  BEFORE_COPY, "b", 0, NULL, -EEXIST, "a b ", "a", "a", "b" },
	{ "what comes to the source of a tree after its copy stays",
	  "d/a d/b d/c ", "d", "e", 0, "d/b", AFTER_COPY, "d/b", 0, NULL, 0,
	  "d/b e/a e/b e/c ", "e/b", "d/b", "d/b" },
	{ "a new name in the source of a tree stays", "d/a d/b ", "d", "e", 0,
	  "d/b", AFTER_COPY, "d/x", 0, NULL, 0, "d/x e/a e/b ", "e/b", "d/b",
	  "d/x" },
	{ "what comes to the target of a tree is not replaced", "d/a d/b d/c ",
	  "d", "e", 0, "d/b", BEFORE_COPY, "e/b", 0, NULL, -ENOTEMPTY,
	  "d/a d/b d/c e/b ", "d/b", "d/b", "e/b" },
	{ "... whatever the rename says", "d/a d/b d/c ", "d", "e",
	  RENAME_NOREPLACE, "d/b", BEFORE_COPY, "e/b", 0, NULL, -EEXIST,
	  "d/a d/b d/c e/b ", "d/b", "d/b", "e/b" },
	{ "... nor in an empty one", "d/ d/a d/b e/ ", "d", "e", 0, "d/b",
	  BEFORE_COPY, "e/b", 0, NULL, -ENOTEMPTY, "d/ d/a d/b e/ e/b ", "d/a",
	  "d/a", "e/b" },
	{ "undoing leaves what replaced a copy", "d/a d/b d/c ", "d", "e", 0,
	  "d/a", AFTER_COPY, "e/a", 0, "d/c", -EACCES, "d/a d/b d/c e/a ",
	  "d/a", "d/a", "e/a" },
	{ "undoing removes a copy whose answer was lost", "d/a d/b d/c ", "d",
	  "e", 0, "d/b", AFTER_COPY, "f", -EIO, NULL, -EIO, "d/a d/b d/c f ",
	  "d/b", "d/b", "f" },
	{ "... and leaves what replaced it", "d/a d/b d/c ", "d", "e", 0, "d/b",
	  AFTER_COPY, "e/b", -EIO, NULL, -EIO, "d/a d/b d/c e/b ", "d/b", "d/b",
	  "e/b" },
	{ "of a tree that is known, too, what comes to the source stays",
	  "d/ d/a d/b d/c ", "d", "e", 0, "d/b", AFTER_COPY, "d/b", 0, NULL, 0,
	  "d/b e/ e/a e/b e/c ", "e/b", "d/b", "d/b", true },
	{ "... a new name goes along", "d/a d/b ", "d", "e", 0, "d/b",
	  AFTER_COPY, "d/x", 0, NULL, 0, "e/a e/b e/x ", "e/b", "d/b", "e/x",
	  true },
	{ "... and what has come since it was listed", "d/a d/b d/c ", "d", "e",
	  0, "d/b", BEFORE_COPY, "d/b", 0, NULL, 0, "e/a e/b e/c ", "e/a",
	  "d/a", "e/b", true },
	{ "... but not what has gone", "d/a d/b d/c ", "d", "e", 0, "d/b",
	  BEFORE_COPY, "d/b", 0, NULL, 0, "e/a e/c ", "e/a", "d/a", NULL, true,
	  true },
	{ "... what comes to its target is not replaced", "d/a d/b d/c ", "d",
	  "e", 0, "d/b", BEFORE_COPY, "e/b", 0, NULL, -ENOTEMPTY,
	  "d/a d/b d/c e/b ", "d/b", "d/b", "e/b", true },
	{ "... undoing leaves what replaced a copy", "d/a d/b d/c ", "d", "e",
	  0, "d/a", AFTER_COPY, "e/a", 0, "d/c", -EACCES, "d/a d/b d/c e/a ",
	  "d/a", "d/a", "e/a", true },
};

/* ETags of listings: those of the objects, others, none. */
enum listed { LISTED_SAME, LISTED_OTHER, LISTED_NONE, LISTED };

static struct {
	size_t row;
	enum listed listed;
	const struct store_ops *real;
	struct store_ops ops;
} race;

static int list_next(struct store_list *l, struct list_entry *out)
{
	int rc = race.real->list_next(l, out);

	if (rc > 0 && race.listed == LISTED_OTHER && *out->info.etag)
		out->info.etag[0] = 'L'; /* instead of the quote */
	if (rc > 0 && race.listed == LISTED_NONE)
		out->info.etag[0] = '\0';
	return rc;
}

/* Another ETag of what the listing called so? */
static int confirm(struct store *s, const char *key, const char *listed,
		   struct object_info *now)
{
	struct object_details *d = malloc(sizeof(*d));
	int rc;

	assert_non_null(d);
	rc = store_head(s, key, d);
	*now = d->info;
	free(d);
	return rc ? rc : strcmp(now->etag + 1, listed + 1) ? -ESTALE : 0;
}

static void other_machine(struct store *s, const char *from, enum when when)
{
	const char *key = rows[race.row].key;

	if (rows[race.row].when == when && !strcmp(rows[race.row].at, from))
		assert_int_equal(rows[race.row].removes
					 ? memstore_poke_remove(s, key)
					 : memstore_poke(s, key, "new", 3),
				 0);
}

static int copy(struct store *s, const char *from,
		const struct object_info *known, const char *to,
		const struct store_retype *retype,
		const struct store_cond *cond, struct object_info *out)
{
	const char *fails = rows[race.row].fails;
	int rc;

	if (fails && !strcmp(fails, from))
		return -EACCES;
	other_machine(s, from, BEFORE_COPY);
	/* a store that has such listings finds out what is meant */
	rc = race.real->copy(s, from, race.listed ? NULL : known, to, retype,
			     cond, out);
	other_machine(s, from, AFTER_COPY);
	if (rows[race.row].rc && !strcmp(rows[race.row].at, from))
		return rows[race.row].rc;
	return rc;
}

static void put_keys(struct mount *m, const char *keys)
{
	char *all = strdup(keys), *save, *key;

	for (key = strtok_r(all, " ", &save); key;
	     key = strtok_r(NULL, " ", &save))
		store_has(m, key, key[strlen(key) - 1] == '/' ? "" : key);
	free(all);
}

/* What the store itself has there. */
static void holds(struct mount *m, const char *key, const char *want)
{
	char text[64];
	size_t n = 0;
	int rc = store_get_sync(m->store, key, NULL, 0, text, sizeof(text) - 1,
				&n, NULL);

	text[rc ? 0 : n] = '\0';
	row_number(rows[race.row].sentence, rc, 0);
	row_equal(rows[race.row].sentence, text, want);
}

/*
 * What is known is believed for STORE_JUST_MS: of a machine that is too busy to
 * be so quick nothing is wanted, but to try again.
 */
static bool was_too_slow(bool matters, int64_t began_ms)
{
	return matters && clock_mono_ms() - began_ms >= STORE_JUST_MS;
}

/* False: it has to be tried again. */
static bool test_row(size_t r, enum listed listed)
{
	int64_t began_ms = clock_mono_ms();
	struct mount m;
	char out[1024];
	bool slow;
	int rc;

	mount_up(&m, "", 60, false);
	put_keys(&m, rows[r].keys);
	race.row = r;
	race.listed = listed;
	race.real = m.store->ops;
	race.ops = *race.real;
	race.ops.copy = copy;
	race.ops.list_next = list_next;
	race.ops.confirm = confirm;
	m.store->ops = &race.ops;
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	if (rows[r].known)
		assert_int_equal(mount_ls(&m, "d", out, sizeof(out)), 0);
	rc = mount_rename(&m, rows[r].from, rows[r].to, rows[r].flags);
	slow = was_too_slow(rows[r].known, began_ms);
	if (!slow) {
		row_number(rows[r].sentence, rc, rows[r].result);
		store_keys(&m, out, sizeof(out));
		row_equal(rows[r].sentence, out, rows[r].after);
		holds(&m, rows[r].mine, rows[r].holds);
		if (rows[r].theirs)
			holds(&m, rows[r].theirs, "new");
	}
	mount_down(&m);
	return !slow;
}

static void test_rows(void **state)
{
	for (size_t n = 0; n < COUNT(rows) * LISTED; n++) {
		enum listed listed = n % LISTED;

		/* what is known is so by its ETags */
		while ((!rows[n / LISTED].known || listed == LISTED_SAME) &&
		       !test_row(n / LISTED, listed))
			;
	}
}

/* What is asked for a directory of three files and its marker. */
static const struct {
	const char *sentence;
	bool known, old; /* it was listed, and that a while ago */
	unsigned lists; /* beside four copies and a batch */
} asked[] = {
	{ "what is known is listed once, when it is copied", true, false, 1 },
	{ "... and what was known a while ago is looked for before", true, true,
	  2 },
	{ "what is not known is listed before and after", false, false, 2 },
};

/* False: it has to be tried again. */
static bool test_requests_of(size_t r)
{
	int64_t began_ms = clock_mono_ms();
	unsigned lists, copies;
	struct mount m;
	char out[64];
	bool slow;

	mount_up(&m, "", 60, false);
	put_keys(&m, "d/ d/a d/b d/c ");
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	if (asked[r].known)
		assert_int_equal(mount_ls(&m, "d", out, sizeof(out)), 0);
	if (asked[r].old)
		mount_age(&m, STORE_JUST_MS);
	lists = memstore_calls(m.store, "list");
	copies = memstore_calls(m.store, "copy");
	row_number(asked[r].sentence, mount_rename(&m, "d", "e", 0), 0);
	lists = memstore_calls(m.store, "list") - lists;
	slow = was_too_slow(!asked[r].old, began_ms);
	if (!slow)
		row_number(asked[r].sentence, lists, asked[r].lists);
	row_number(asked[r].sentence, memstore_calls(m.store, "copy") - copies,
		   4);
	store_keys(&m, out, sizeof(out));
	row_equal(asked[r].sentence, out, "e/ e/a e/b e/c ");
	mount_down(&m);
	return !slow;
}

static void test_requests(void **state)
{
	for (size_t r = 0; r < COUNT(asked); r++)
		while (!test_requests_of(r))
			;
}

/* A new file that the store has never seen has to ask it, too. */
static void test_new_file_does_not_replace(void **state)
{
	struct mount m;
	struct handle *w;
	char out[64];

	mount_up(&m, "", 60, false);
	assert_int_equal(mount_create(&m, "new", &w), 0);
	assert_int_equal(fs_file_write(m.fs, w, 0, "new", 3), 0);
	assert_int_equal(memstore_poke(m.store, "b", "other", 5), 0);
	assert_int_equal(mount_rename(&m, "new", "b", RENAME_NOREPLACE),
			 -EEXIST);
	fs_release(m.fs, w);
	store_keys(&m, out, sizeof(out));
	assert_string_equal(out, "b new ");
	mount_down(&m);
}

/*
 * The copies stand and the old keys do, too: a program that reads the directory
 * then asks the store after the rename's change of the tree, and is shown both.
 */
static const struct {
	const char *sentence;
	const char *keys, *from, *to;
	bool fails; /* the removal */
	const char *makes; /* a new file, meanwhile */
	int result;
	const char *shows, *then; /* the root, meanwhile and afterwards */
} reads[] = {
	{ "a file stands at its new name alone", "a b ", "a", "c", false, NULL,
	  0, "b c ", "b c " },
	{ "a directory too", "b d/ d/x ", "d", "e", false, NULL, 0, "b e/ ",
	  "b e/ " },
	{ "what could not be removed is there again", "a b ", "a", "c", true,
	  NULL, -EACCES, "b c ", "a b c " },
	{ "... of a directory", "b d/ d/x ", "d", "e", true, NULL, -EACCES,
	  "b e/ ", "b d/ e/ " },
	{ "a name that is free can be taken", "a b ", "a", "c", false, "a", 0,
	  "a b c ", "a b c " },
};

static struct {
	struct mount *m;
	size_t row;
	bool read;
	char shows[256];
} reader;

static void *read_meanwhile(void *arg)
{
	const char *makes = reads[reader.row].makes;

	if (makes)
		row_number(reads[reader.row].sentence,
			   mount_write(reader.m, makes, "new"), 0);
	row_number(reads[reader.row].sentence,
		   mount_ls(reader.m, "", reader.shows, sizeof(reader.shows)),
		   0);
	return NULL;
}

static void read_once(void)
{
	pthread_t thread;

	if (reader.read)
		return;
	reader.read = true;
	assert_int_equal(pthread_create(&thread, NULL, read_meanwhile, NULL),
			 0);
	pthread_join(thread, NULL);
}

static int remove_one(struct store *s, const char *key,
		      const struct store_cond *cond)
{
	read_once();
	return reads[reader.row].fails ? -EACCES
				       : race.real->remove(s, key, cond);
}

static int remove_many(struct store *s, const char *const *keys, unsigned n,
		       int *results)
{
	read_once();
	if (!reads[reader.row].fails)
		return race.real->remove_many(s, keys, n, results);
	for (unsigned k = 0; k < n; k++)
		results[k] = -EACCES;
	return -EACCES;
}

static void test_read_before_the_removal(void **state)
{
	for (size_t r = 0; r < COUNT(reads); r++) {
		struct mount m;
		char out[256];

		mount_up(&m, "", 0, false);
		put_keys(&m, reads[r].keys);
		reader.m = &m;
		reader.row = r;
		reader.read = false;
		race.real = m.store->ops;
		race.ops = *race.real;
		race.ops.remove = remove_one;
		race.ops.remove_many = remove_many;
		m.store->ops = &race.ops;
		row_number(reads[r].sentence,
			   mount_rename(&m, reads[r].from, reads[r].to, 0),
			   reads[r].result);
		row_check(reads[r].sentence, reader.read);
		row_equal(reads[r].sentence, reader.shows, reads[r].shows);
		m.store->ops = race.real;
		assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
		row_equal(reads[r].sentence, out, reads[r].then);
		mount_down(&m);
	}
}

SUITE(rename_race)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_before_the_removal),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_new_file_does_not_replace),
	};

	return cmocka_run_group_tests_name("rename_race", tests, NULL, NULL);
}
