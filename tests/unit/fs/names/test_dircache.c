/* SPDX-License-Identifier: Apache-2.0 */
/* Whole directories: listings under way and what we did meanwhile. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fs/names/dircache.h"
#include "fs/names/tree.h"
#include "stage/stage.h"
#include "memstore.h"

static struct store *store;
static struct stage *stage;

static int setup(void **state)
{
	store = memstore_new("s");
	stage = stage_new("s", STAGE_EXTERNAL, store, "", false, 0);
	return !store || !stage;
}

static int teardown(void **state)
{
	stage_unref(stage);
	store_unref(store);
	return 0;
}

static struct tree *new_tree(unsigned ttl_ms, unsigned cache_max)
{
	struct tree_settings s = { .ttl_ms = ttl_ms, .cache_max = cache_max };
	struct tree *t = tree_new(&s, stage);

	assert_non_null(t);
	return t;
}

static const struct object_info info = { .size = 3, .etag = "\"e\"" };

/*
 * A little language: what happens, in order. Lower case letters are names.
 *   Lx  the listing shows x     Cx  we create x     Rx  we remove x
 *   Mxy we move x to y          (   a listing begins (at most two: ( and [)
 *   )   it ends                 Tx  a lookup told us of x before
 *   Nx  the second listing shows x, ] it ends
 */
static const struct {
	const char *sentence;
	const char *script;
	const char *known; /* live names at the end */
	bool complete;
} rows[] = {
	{ "what was shown is there", "(LaLb)", "ab", true },
	{ "a listing that does not end completes nothing", "(LaLb", "ab",
	  false },
	{ "what was not shown is gone", "TaTb(Lb)", "b", true },
	{ "a name that was made meanwhile stays", "(LaCb)", "ab", true },
	{ "a name that was made before and not shown is gone", "Cb(La)", "a",
	  true },
	{ "a name that was removed meanwhile stays away", "Ta(RaLa)", "",
	  true },
	{ "one that was shown and then removed, too", "(LaRa)", "", true },
	{ "one that was moved meanwhile is at its new place", "Ta(MabLa)", "b",
	  true },
	{ "an older listing does not take what a newer one saw", "([NaNb]La)",
	  "ab", true },
	{ "a newer listing does not lose what an older one misses",
	  "([La)NaNb]", "ab", true },
	{ "an empty directory is complete", "()", "", true },
};

static void script(struct tree *t, const char *s)
{
	struct inode *root = tree_root(t), *i;
	struct dir_merge m[2];

	for (; *s; s++) {
		char name[2] = { s[0] && s[1] ? s[1] : 0, 0 }, to[2] = { 0, 0 };

		i = NULL;
		switch (*s) {
		case '(':
			dircache_begin(t, root, &m[0]);
			continue;
		case '[':
			dircache_begin(t, root, &m[1]);
			continue;
		case ')':
			dircache_end(t, &m[0]);
			continue;
		case ']':
			dircache_end(t, &m[1]);
			continue;
		case 'L':
		case 'N':
			i = dircache_put(t, &m[*s == 'N'], name, INODE_FILE,
					 &info, false);
			break;
		case 'T':
			i = tree_refresh(t, root, name, INODE_FILE, &info,
					 false, tree_clock(t));
			break;
		case 'C':
			assert_int_equal(tree_create(t, root, name, INODE_DIR,
						     0700, 1, 2, &i),
					 0);
			tree_dir_made(t, i);
			break;
		case 'R':
			i = tree_peek(t, root, name);
			tree_remove(t, i);
			break;
		case 'M':
			to[0] = s[2];
			i = tree_peek(t, root, name);
			assert_int_equal(tree_move(t, i, root, to), 0);
			s++;
			break;
		}
		inode_unref(t, i);
		s++;
	}
}

/* The children of the root as a listing has them. */
struct row {
	struct tree *t;
	char (*names)[256];
	unsigned n, room;
};

static int row_add(void *arg, struct inode *i)
{
	struct row *r = arg;

	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 64;
		r->names = realloc(r->names, r->room * sizeof(*r->names));
		assert_non_null(r->names);
	}
	/* What has gone since has no name any more. */
	r->n += dircache_name(r->t, tree_root(r->t), i, r->names[r->n]);
	inode_unref(r->t, i);
	return 0;
}

static void row_of(struct tree *t, const struct dir_merge *unseen,
		   struct row *out)
{
	*out = (struct row){ .t = t };
	assert_int_equal(
		dircache_children(t, tree_root(t), unseen, row_add, out), 0);
}

static void row_clear(struct row *r)
{
	free(r->names);
}

static void live_names(struct tree *t, char *out)
{
	struct row row;

	*out = '\0';
	row_of(t, NULL, &row);
	for (unsigned k = 0; k < row.n; k++)
		strcat(out, row.names[k]);
	row_clear(&row);
}

static void test_merge(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		struct tree *t = new_tree(60000, 0);
		char names[64];

		script(t, rows[r].script);
		live_names(t, names);
		row_equal(rows[r].sentence, names, rows[r].known);
		row_number(rows[r].sentence, dircache_complete(t, tree_root(t)),
			   rows[r].complete);
		tree_free(t);
	}
}

static void test_absent_without_request(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct inode *i = NULL;

	script(t, "(La)");
	assert_int_equal(tree_find(t, tree_root(t), "b", &i, NULL),
			 TREE_ABSENT);
	assert_int_equal(tree_find(t, tree_root(t), "a", &i, NULL), TREE_KNOWN);
	inode_unref(t, i);
	tree_free(t);
}

static void test_new_directory_is_complete(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct inode *d, *i;

	assert_int_equal(tree_create(t, tree_root(t), "d", INODE_DIR, 0700, 1,
				     2, &d),
			 0);
	assert_true(dircache_complete(t, d));
	assert_int_equal(tree_find(t, d, "x", &i, NULL), TREE_ABSENT);
	inode_unref(t, d);
	tree_free(t);
}

/* Names that left memory: the directory is not complete any more. */
static void test_eviction(void **state)
{
	struct tree *t = new_tree(60000, 10);
	struct dir_merge m;
	struct inode *i = NULL;
	char name[16];

	dircache_begin(t, tree_root(t), &m);
	for (int k = 0; k < 30; k++) {
		snprintf(name, sizeof(name), "n%02d", k);
		inode_unref(t, dircache_put(t, &m, name, INODE_FILE, &info,
					    false));
	}
	dircache_end(t, &m);
	assert_false(dircache_complete(t, tree_root(t)));
	assert_int_equal(tree_find(t, tree_root(t), "n00", &i, NULL),
			 TREE_UNKNOWN);
	assert_int_equal(tree_find(t, tree_root(t), "n29", &i, NULL),
			 TREE_KNOWN);
	inode_unref(t, i);
	tree_free(t);
}

static void test_unseen(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct dir_merge m;
	struct inode *i;
	struct row row;

	dircache_begin(t, tree_root(t), &m);
	inode_unref(t, dircache_put(t, &m, "a", INODE_FILE, &info, false));
	assert_int_equal(tree_create(t, tree_root(t), "new", INODE_DIR, 0700, 1,
				     2, &i),
			 0);
	tree_dir_made(t, i);
	inode_unref(t, i);
	dircache_end(t, &m);
	row_of(t, &m, &row);
	assert_int_equal(row.n, 1);
	assert_string_equal(row.names[0], "new");
	row_clear(&row);
	tree_free(t);
}

static void test_large(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct dir_merge m;
	int64_t began = clock_mono_ms();
	unsigned long taken;
	struct row row;
	char name[24];

	for (int round = 0; round < 2; round++) {
		dircache_begin(t, tree_root(t), &m);
		for (int k = 0; k < 100000; k++) {
			snprintf(name, sizeof(name), "entry-%06d", k);
			inode_unref(t, dircache_put(t, &m, name, INODE_FILE,
						    &info, false));
		}
		dircache_end(t, &m);
	}
	assert_true(dircache_complete(t, tree_root(t)));
	taken = t->lock.taken;
	row_of(t, NULL, &row);
	assert_int_equal(row.n, 100000);
	/* Not under one hold of the lock: row_add() takes it twice a name. */
	assert_true(t->lock.taken - taken > 2 * 100000 + 1000);
	row_clear(&row);
	dircache_begin(t, tree_root(t), &m);
	taken = t->lock.taken;
	dircache_end(t, &m);
	assert_true(t->lock.taken - taken > 1000);
	row_of(t, NULL, &row);
	assert_int_equal(row.n, 0);
	row_clear(&row);
	print_message("# 200000 entries in %lld ms\n",
		      (long long)(clock_mono_ms() - began));
	tree_free(t);
}

#define STAY 300 /* names that no thread touches */
#define MOVE 300 /* names that are renamed again and again */

struct mover {
	struct tree *t;
	_Atomic(bool) ended;
};

static void make(struct tree *t, const char *what, unsigned k)
{
	struct inode *i;
	char name[32];

	snprintf(name, sizeof(name), "%s%04u", what, k);
	assert_int_equal(tree_create(t, tree_root(t), name, INODE_DIR, 0700, 1,
				     1, &i),
			 0);
	tree_dir_made(t, i);
	inode_unref(t, i);
}

static void *move_all(void *arg)
{
	struct mover *v = arg;
	struct inode *root = tree_root(v->t), *i;
	char from[32], to[32];

	for (unsigned k = 0; !atomic_load(&v->ended); k++) {
		bool back = k / MOVE % 2;

		snprintf(from, sizeof(from), "%c%04u", "mn"[back], k % MOVE);
		snprintf(to, sizeof(to), "%c%04u", "nm"[back], k % MOVE);
		i = tree_peek(v->t, root, from);
		assert_non_null(i);
		assert_int_equal(tree_move(v->t, i, root, to), 0);
		inode_unref(v->t, i);
	}
	return NULL;
}

/* A listing beside renames has each name that stays once, and no name twice. */
static void test_renames_beside(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct mover v = { .t = t };
	pthread_t thread;

	for (unsigned k = 0; k < STAY; k++)
		make(t, "s", k);
	for (unsigned k = 0; k < MOVE; k++)
		make(t, "m", k);
	assert_int_equal(pthread_create(&thread, NULL, move_all, &v), 0);
	for (unsigned round = 0; round < 50; round++) {
		unsigned stay = 0;
		struct row row;

		row_of(t, NULL, &row);
		assert_true(row.n <= STAY + MOVE);
		for (unsigned k = 0; k < row.n; k++)
			stay += row.names[k][0] == 's';
		row_clear(&row);
		assert_int_equal(stay, STAY);
		assert_int_equal(row.n, STAY + MOVE);
	}
	atomic_store(&v.ended, true);
	pthread_join(thread, NULL);
	tree_free(t);
}

SUITE(dircache)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_absent_without_request),
		cmocka_unit_test(test_new_directory_is_complete),
		cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_renames_beside),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
