/* What a cached name costs, how many there are, and what outlives them. */
#include "tree_fixture.h"

#include <malloc.h>
#include <stdlib.h>

#include "fs/dircache.h"

static void told_many(struct tree *t, struct inode *dir, unsigned n)
{
	struct object_info info =
		info_of(1, "\"0123456789abcdef0123456789abcdef\"");
	char name[32];

	for (unsigned k = 0; k < n; k++) {
		snprintf(name, sizeof(name), "name-of-20-byte%05u", k);
		inode_unref(t, must(tree_told(t, dir, name, INODE_FILE, &info,
					      false, 0)));
	}
}

static void test_limit(void **state)
{
	struct tree *t = new_tree(60000, 100);
	struct inode *first, *pinned, *found = NULL;
	struct object_info info = info_of(1, "\"a\"");
	char name[] = "name-of-20-byte00950";

	first = tree_told(t, tree_root(t), "held", INODE_FILE, &info, false, 0);
	inode_remember(t, first);
	inode_unref(t, first);
	pinned = tree_told(t, tree_root(t), "pinned", INODE_FILE, &info, false,
			   0);
	assert_int_equal(inode_set_mode(t, pinned, 0600), 0);
	inode_unref(t, pinned);
	told_many(t, tree_root(t), 1000);
	assert_int_equal(tree_find(t, tree_root(t), "name-of-20-byte00000",
				   &found),
			 TREE_UNKNOWN);
	for (const char *const *n =
		     (const char *const[]){ name, "held", "pinned", NULL };
	     *n; n++) {
		assert_int_equal(tree_find(t, tree_root(t), *n, &found),
				 TREE_KNOWN);
		inode_unref(t, found);
	}
	tree_free(t);
}

/* A stamp outlives the name that it stood on. */
static void test_lost_stamp(void **state)
{
	struct tree *t = new_tree(60000, 10);
	struct object_info info = info_of(1, "\"a\"");
	uint64_t asked = tree_clock(t);
	struct inode *i, *found;

	i = tree_told(t, tree_root(t), "n", INODE_FILE, &info, false, asked);
	tree_removed(t, i);
	inode_unref(t, i);
	told_many(t, tree_root(t), 100);
	i = tree_told(t, tree_root(t), "n", INODE_FILE, &info, false, asked);
	assert_int_equal(tree_find(t, tree_root(t), "n", &found), TREE_UNKNOWN);
	inode_unref(t, i);
	tree_free(t);
}

/* Each was open once: that costs nothing afterwards. */
static void open_all(struct tree *t, struct inode *dir)
{
	static char content;
	struct inode **list;
	struct file *open;
	unsigned n;

	assert_int_equal(dircache_children(t, dir, NULL, &list, &n), 0);
	for (unsigned k = 0; k < n; k++) {
		assert_int_equal(inode_file_join(t, list[k],
						 (struct file *)&content, NULL,
						 &open),
				 0);
		assert_true(inode_file_put(t, list[k]));
		inode_unref(t, list[k]);
	}
	free(list);
}

static void test_memory(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct inode *dir = told_dir(t, tree_root(t), "d");
	size_t before = mallinfo2().uordblks, each;

	told_many(t, dir, 100000);
	open_all(t, dir);
	each = (mallinfo2().uordblks - before) / 100000;
	print_message("# %zu bytes a cached name\n", each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_in_range(each, 100, 300);
#endif
	inode_unref(t, dir);
	tree_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_lost_stamp),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
