/* SPDX-License-Identifier: Apache-2.0 */
/* What is done under one hold of the tree's lock does not grow with the number
 * of names, nor with a directory's. Tests tree_hash.c. */
#include "tree_fixture.h"

#include "fs/names/dircache.h"
#include "fs/names/tree.h"

#define NAMES 150000
#define CHAIN_MAX 64 /* names of one bucket; 10 are rare */
#define OPEN 100

static const struct object_info info = { .size = 3, .etag = "\"e\"" };

static const char *number(char name[32], unsigned k)
{
	snprintf(name, 32, "name-%06u", k);
	return name;
}

/* One bucket more at the most, and it takes from one other. */
static void test_hash_grows_in_steps(void **state)
{
	struct tree *t = new_tree(60000, 2 * NAMES);
	struct tree_locked *g = &t->guarded_;
	size_t before, first = g->n_buckets;
	char name[32];

	for (unsigned k = 0; k < NAMES; k++) {
		before = g->n_buckets;
		inode_unref(t, tree_refresh(t, tree_root(t), number(name, k),
					    INODE_FILE, &info, false, 0));
		assert_in_range(g->n_buckets, before, before + 1);
	}
	assert_true(g->n_buckets >= NAMES && NAMES > first);
	for (unsigned k = 0; k < NAMES; k++) {
		struct inode *i = tree_peek(t, tree_root(t), number(name, k));
		unsigned chain = 0;

		assert_non_null(i);
		inode_unref(t, i);
		while ((i = i->hash_next))
			chain++;
		assert_in_range(chain, 0, CHAIN_MAX);
	}
	tree_free(t);
}

static struct inode *make(struct tree *t, struct inode *dir, const char *name,
			  enum inode_kind kind)
{
	struct inode *i;

	assert_int_equal(tree_create(t, dir, name, kind, 0700, 1, 1, &i), 0);
	return i;
}

static char content;

/* A file that is open, and was never published. */
static void open_new(struct tree *t, struct inode *dir, const char *name)
{
	struct inode *i = make(t, dir, name, INODE_FILE);
	struct file *open;

	assert_int_equal(
		inode_file_join(t, i, (struct file *)&content, NULL, &open), 0);
	inode_unref(t, i);
}

static void close_all(struct tree *t)
{
	struct inode_given_up left;

	while (t->guarded_.open)
		inode_file_put(t, t->guarded_.open, &left);
}

static void list_nothing(struct tree *t, unsigned long *scanned,
			 unsigned long *taken)
{
	struct dir_merge m;

	dircache_begin(t, tree_root(t), &m);
	*scanned = t->guarded_.scanned;
	*taken = t->lock.taken;
	dircache_end(t, &m);
	*scanned = t->guarded_.scanned - *scanned;
	*taken = t->lock.taken - *taken;
}

/* What is open is looked at for a directory that has some of it below, and not
 * for all children, nor for two of them under one hold. */
static void test_end_of_a_listing(void **state)
{
	struct tree *t = new_tree(60000, 2 * NAMES);
	unsigned long scanned, taken;
	struct inode *dir;
	char name[32];

	for (unsigned k = 0; k < 1000; k++)
		inode_unref(t, tree_refresh(t, tree_root(t), number(name, k),
					    INODE_DIR, NULL, false, 0));
	dir = tree_refresh(t, tree_root(t), "open", INODE_DIR, NULL, false, 0);
	for (unsigned k = 0; k < OPEN; k++)
		open_new(t, dir, number(name, k));
	list_nothing(t, &scanned, &taken);
	assert_in_range(scanned, 1, OPEN);
	assert_null(tree_peek(t, tree_root(t), number(name, 0)));
	assert_false(inode_is_orphan(t, dir));
	inode_unref(t, dir);
	for (unsigned k = 0; k < OPEN; k++) {
		dir = tree_refresh(t, tree_root(t), number(name, k), INODE_DIR,
				   NULL, false, tree_clock(t));
		open_new(t, dir, "new");
		inode_unref(t, dir);
	}
	list_nothing(t, &scanned, &taken);
	assert_true(taken > OPEN);
	close_all(t);
	/* and nothing is open any more */
	assert_int_equal(tree_root(t)->dir->n_open, 0);
	list_nothing(t, &scanned, &taken);
	assert_int_equal(scanned, 0);
	tree_free(t);
}

/* The count goes with what is moved. */
static void test_open_moves(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct inode *a = make(t, tree_root(t), "a", INODE_DIR);
	struct inode *b = make(t, a, "b", INODE_DIR);
	struct inode *c = make(t, tree_root(t), "c", INODE_DIR);
	struct inode **list;
	unsigned n;

	open_new(t, b, "f");
	open_new(t, b, "g");
	assert_int_equal(a->dir->n_open, 2);
	assert_int_equal(inode_file_list(t, a, &list, &n), 0);
	assert_int_equal(n, 2);
	for (unsigned k = 0; k < n; k++)
		inode_unref(t, list[k]);
	free(list);
	assert_int_equal(tree_move(t, b, c, "b"), 0);
	assert_int_equal(a->dir->n_open, 0);
	assert_int_equal(c->dir->n_open, 2);
	assert_int_equal(inode_file_list(t, a, &list, &n), 0);
	assert_int_equal(n, 0);
	free(list);
	close_all(t);
	assert_int_equal(tree_root(t)->dir->n_open, 0);
	inode_unref(t, a);
	inode_unref(t, b);
	inode_unref(t, c);
	tree_free(t);
}

SUITE(steps)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_grows_in_steps),
		cmocka_unit_test(test_end_of_a_listing),
		cmocka_unit_test(test_open_moves),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
