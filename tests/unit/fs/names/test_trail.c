/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which order files are opened in, told from how they were. A little language:
 * `d:1 2 3` opens files 1, 2 and 3 of directory d.
 *
 * Covers: fs/names/trail.c
 */
#include "unit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "tree_fixture.h"

#include "fs/names/trail.h"

#define FILES 30

static struct inode *put(struct tree *t, struct inode *dir, const char *name,
			 enum inode_kind kind)
{
	const struct object_info info = info_of(3, "\"e\"");
	struct inode *i =
		tree_refresh(t, dir, name, kind, &info, false, tree_clock(t));

	assert_non_null(i);
	return i;
}

/* Directories a to e of FILES files each, 1 and so on. */
static void plant(struct tree *t)
{
	char name[8];

	for (const char *d = "abcde"; *d; d++) {
		struct inode *dir;

		snprintf(name, sizeof(name), "%c", *d);
		dir = put(t, tree_root(t), name, INODE_DIR);
		for (unsigned f = 1; f <= FILES; f++) {
			snprintf(name, sizeof(name), "%u", f);
			inode_unref(t, put(t, dir, name, INODE_FILE));
		}
		inode_unref(t, dir);
	}
}

static const struct {
	const char *sentence;
	const char *opens;
	bool ready; /* by the last of them */
	bool disorder; /* told by any of them */
} rows[] = {
	{ "two are no order", "a:1 2", false, false },
	{ "three are", "a:1 2 3", true, false },
	{ "from anywhere", "a:11 12 13", true, false },
	{ "opened twice they are counted once", "a:1 1 2 2", false, false },
	{ "on into the next directory", "a:29 30 b:1", true, false },
	{ "not into another", "a:29 30 c:1", false, false },
	{ "not backwards", "a:9 8 7 6 5", false, true },
	{ "a gap is none", "a:1 2 4 5", false, false },
	{ "what is opened a little later is no gap", "a:1 2 4 3 5", true,
	  false },
	{ "one that stays takes a longer row", "a:1 2 4 5 6 7 8 9 10 11 12 13",
	  false, false },
	{ "... and that is enough", "a:1 2 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
	  true, false },
	{ "at random none is", "a:11 25 3 14", false, true },
	{ "... and three are not enough then", "a:11 25 3 14 15 16", false,
	  true },
	{ "another program begins at the first", "a:11 1 12 2 13 3", true,
	  false },
	{ "programs at other places are told apart", "a:1 c:1 a:2 c:2 a:3 c:3",
	  true, false },
	{ "a directory that is left amid its files tells of the next",
	  "a:1 2 3! b:1 2 3", false, false },
	{ "... for as many files, twice", "a:1 2 3! b:1 2 3 4 5 6", true,
	  false },
	{ "... unless another program goes on there",
	  "a:1 2 3! b:1 a:4 b:2 b:3", true, false },
	{ "... and a whole one makes it good",
	  "a:1 2 3! b:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 "
	  "22 23 24 25 26 27 28 29 30! d:1 2 3",
	  true, false },
};

/* Opens them; ! tells that those behind were fetched. */
static bool open_all(struct tree *t, struct trails *s, const char *opens,
		     bool *ready)
{
	struct inode *dir = NULL, *i = NULL;
	bool disorder = false;
	char name[8];
	int n;

	for (const char *at = opens; *at; at += n) {
		if (isalpha((unsigned char)*at)) {
			snprintf(name, sizeof(name), "%c", *at);
			inode_unref(t, dir);
			dir = tree_peek(t, tree_root(t), name);
			n = 2;
		} else if (sscanf(at, "%7[0-9]%n", name, &n) == 1) {
			inode_unref(t, i);
			i = tree_peek(t, dir, name);
			assert_non_null(i);
			disorder |= trails_step(s, t, i) != NULL;
		} else {
			if (*at == '!')
				trails_begun(s, i);
			n = 1;
		}
	}
	*ready = trails_ready(s, i);
	inode_unref(t, i);
	inode_unref(t, dir);
	return disorder;
}

static void orders(void **state)
{
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct tree *t = new_tree(60000, 0);
		struct inode *lasts[TRAILS_MAX];
		struct trails s = { 0 };
		bool ready, disorder;
		unsigned n;

		print_message("# %s\n", rows[k].sentence);
		plant(t);
		disorder = open_all(t, &s, rows[k].opens, &ready);
		n = trails_clear(&s, lasts);
		while (n--)
			inode_unref(t, lasts[n]);
		tree_free(t);
		assert_int_equal(ready, rows[k].ready);
		assert_int_equal(disorder, rows[k].disorder);
	}
}

SUITE(trail)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
