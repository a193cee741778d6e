/* SPDX-License-Identifier: Apache-2.0 */
/* What a cached name costs, how many there are, and what outlives them. */
#include "tree_fixture.h"

#include <errno.h>
#include <malloc.h>

#include "fs/names/dircache.h"

static void told_many(struct tree *t, struct inode *dir, unsigned n)
{
	struct object_info info =
		info_of(1, "\"0123456789abcdef0123456789abcdef\"");
	char name[32];

	for (unsigned k = 0; k < n; k++) {
		snprintf(name, sizeof(name), "name-of-20-byte%05u", k);
		inode_unref(t, must(tree_refresh(t, dir, name, INODE_FILE,
						 &info, false, 0)));
	}
}

static void test_limit(void **state)
{
	struct tree *t = new_tree(60000, 100);
	struct inode *first, *pinned, *found = NULL;
	struct object_info info = info_of(1, "\"a\"");
	char name[] = "name-of-20-byte00950";

	first = tree_refresh(t, tree_root(t), "held", INODE_FILE, &info, false,
			     0);
	inode_remember(t, inode_ref(t, first), 0, 0);
	inode_unref(t, first);
	pinned = tree_refresh(t, tree_root(t), "pinned", INODE_FILE, &info,
			      false, 0);
	assert_int_equal(inode_attr_set_mode(t, pinned, 0600), 0);
	inode_unref(t, pinned);
	told_many(t, tree_root(t), 1000);
	assert_int_equal(tree_find(t, tree_root(t), "name-of-20-byte00000",
				   &found, NULL),
			 TREE_UNKNOWN);
	for (const char *const *n =
		     (const char *const[]){ name, "held", "pinned", NULL };
	     *n; n++) {
		assert_int_equal(tree_find(t, tree_root(t), *n, &found, NULL),
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

	i = tree_refresh(t, tree_root(t), "n", INODE_FILE, &info, false, asked);
	tree_remove(t, i);
	inode_unref(t, i);
	told_many(t, tree_root(t), 100);
	i = tree_refresh(t, tree_root(t), "n", INODE_FILE, &info, false, asked);
	assert_int_equal(tree_find(t, tree_root(t), "n", &found, NULL),
			 TREE_UNKNOWN);
	inode_unref(t, i);
	tree_free(t);
}

static int open_once(void *arg, struct inode *i)
{
	static char content;
	struct inode_given_up left;
	struct file *open;

	assert_int_equal(inode_file_join(arg, i, (struct file *)&content, NULL,
					 &open),
			 0);
	assert_true(inode_file_put(arg, i, &left));
	inode_unref(arg, i);
	return 0;
}

/* Each was open once: that costs nothing afterwards. */
static void open_all(struct tree *t, struct inode *dir)
{
	assert_int_equal(dircache_children(t, dir, NULL, open_once, t), 0);
}

static void test_memory(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct inode *dir = refreshed_dir(t, tree_root(t), "d");
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

/* n names, each chmod-ed, chown-ed and touched. */
static void change_many(struct tree *t, struct inode *dir, unsigned n)
{
	const struct timespec times[2] = { { 5000000000, 1 }, { -7, 2 } };
	struct object_info info =
		info_of(1, "\"0123456789abcdef0123456789abcdef\"");
	struct inode *i;
	char name[32];

	for (unsigned k = 0; k < n; k++) {
		snprintf(name, sizeof(name), "name-of-20-byte%05u", k);
		i = must(tree_refresh(t, dir, name, INODE_FILE, &info, false,
				      0));
		assert_int_equal(inode_attr_set_mode(t, i, 0600), 0);
		assert_int_equal(inode_attr_set_owner(t, i, 1000, 1000), 0);
		assert_int_equal(
			inode_attr_set_times(t, i, &times[0], &times[1]), 0);
		inode_unref(t, i);
	}
}

static void test_pin_memory(void **state)
{
	struct tree *t = new_tree(60000, 10);
	struct inode *dir = refreshed_dir(t, tree_root(t), "d"), *found;
	size_t before = mallinfo2().uordblks, each;
	struct inode_view v;

	change_many(t, dir, 100000);
	each = (mallinfo2().uordblks - before) / 100000;
	print_message("# %zu bytes a name with changed attributes\n", each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_in_range(each, 100, 300);
#endif
	assert_true(INODE_PINS_MAX >= 1000000);
	assert_int_equal(tree_find(t, dir, "name-of-20-byte00077", &found,
				   NULL),
			 TREE_KNOWN);
	inode_view(t, found, &v);
	assert_int_equal(v.mode, 0600);
	assert_int_equal(v.uid, 1000);
	assert_true(v.atime.tv_sec == 5000000000 && v.atime.tv_nsec == 1);
	assert_true(v.info.mtime.tv_sec == -7 && v.info.mtime.tv_nsec == 2);
	inode_unref(t, found);
	inode_unref(t, dir);
	tree_free(t);
}

enum change { MODE, OWNER, TIMES, EXPIRE };

struct pin_row {
	const char *sentence;
	enum change change;
	unsigned a, b; /* what is set: a mode, an owner, times, an expiry */
	bool pins;
};

static int change(struct tree *t, struct inode *i, const struct pin_row *r)
{
	const struct timespec atime = { r->a, 5 }, mtime = { r->b, 5 };

	switch (r->change) {
	case MODE:
		return inode_attr_set_mode(t, i, r->a);
	case OWNER:
		return inode_attr_set_owner(t, i, r->a, r->b);
	case TIMES:
		return inode_attr_set_times(t, i, &atime, &mtime);
	case EXPIRE:
		return inode_attr_set_expire(t, i, r->a);
	}
	return -EINVAL;
}

/* The fixture's settings are 7, 8, 0644; the store's mtime is 1000.5. */
static void test_pins(void **state)
{
	static const struct pin_row rows[] = {
		{ "another mode", MODE, 0600, 0, true },
		{ "the mode that it has", MODE, 0644, 0, false },
		{ "another owner", OWNER, 1000, 8, true },
		{ "another group", OWNER, 7, 1000, true },
		{ "the owner that it has", OWNER, 7, 8, false },
		{ "no owner", OWNER, -1u, -1u, false },
		{ "other times", TIMES, 1000, 2000, true },
		{ "another atime", TIMES, 2000, 1000, true },
		{ "the times that it has", TIMES, 1000, 1000, false },
		{ "an expiry", EXPIRE, 60, 0, true },
		{ "no expiry", EXPIRE, 0, 0, false },
	};
	struct object_info info = info_of(1, "\"a\"");

	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct tree_settings s = tree_fixture_settings(60000, 0);
		struct inode *i, *j;
		struct tree *t;
		int rc;

		s.pins_max = 1;
		t = tree_new(&s, stage);
		i = must(tree_refresh(t, tree_root(t), "i", INODE_FILE, &info,
				      false, 0));
		j = must(tree_refresh(t, tree_root(t), "j", INODE_FILE, &info,
				      false, 0));
		row_number(rows[k].sentence, change(t, i, &rows[k]), 0);
		rc = inode_attr_set_mode(t, j, 0640);
		row_number(rows[k].sentence, rc, rows[k].pins ? -ENOSPC : 0);
		inode_unref(t, i);
		inode_unref(t, j);
		tree_free(t);
	}
}

/* What there was a pin for is over, and another name may have it. */
static void test_pins_freed(void **state)
{
	static const struct timespec when = { 1, 2 };
	static const char *const ways[] = { "removed", "replaced by another",
					    "set back", "another's bytes" };
	struct object_info info = info_of(1, "\"a\""), other;

	other = info_of(2, "\"b\"");
	for (size_t k = 0; k < sizeof(ways) / sizeof(ways[0]); k++) {
		struct tree_settings s = tree_fixture_settings(60000, 0);
		struct inode *i, *j;
		struct tree *t;

		s.pins_max = 1;
		t = tree_new(&s, stage);
		i = must(tree_refresh(t, tree_root(t), "i", INODE_FILE, &info,
				      false, 0));
		j = must(tree_refresh(t, tree_root(t), "j", INODE_FILE, &info,
				      false, 0));
		assert_int_equal(k == 3 ? inode_attr_set_times(t, i, &when,
							       &when)
					: inode_attr_set_mode(t, i, 0600),
				 0);
		assert_false(tree_lru_pins_full(t));
		row_number(ways[k], inode_attr_set_mode(t, j, 0600), -ENOSPC);
		row_number(ways[k], tree_lru_pins_full(t), true);
		row_number(ways[k], tree_lru_pins_full(t), false);
		if (k == 0)
			tree_remove(t, i);
		else if (k == 1)
			tree_move(t, j, tree_root(t), "i");
		else if (k == 2)
			inode_attr_set_mode(t, i, 0644);
		else
			inode_unref(t, tree_refresh(t, tree_root(t), "i",
						    INODE_FILE, &other, false,
						    tree_clock(t)));
		row_number(ways[k], inode_attr_set_mode(t, j, 0600), 0);
		inode_unref(t, i);
		inode_unref(t, j);
		tree_free(t);
	}
}

/* A renamed name takes its pin along. */
static void test_pin_moves(void **state)
{
	struct tree_settings s = tree_fixture_settings(60000, 10);
	struct object_info info = info_of(1, "\"a\"");
	struct inode *i, *found;
	struct inode_view v;
	struct tree *t;

	s.pins_max = 1;
	t = tree_new(&s, stage);
	i = must(tree_refresh(t, tree_root(t), "i", INODE_FILE, &info, false,
			      0));
	assert_int_equal(inode_attr_set_mode(t, i, 0600), 0);
	assert_int_equal(tree_move(t, i, tree_root(t), "j"), 0);
	inode_unref(t, i);
	told_many(t, tree_root(t), 100);
	assert_int_equal(tree_find(t, tree_root(t), "j", &found, NULL),
			 TREE_KNOWN);
	inode_view(t, found, &v);
	assert_int_equal(v.mode, 0600);
	assert_int_equal(inode_attr_set_owner(t, found, 1, 1), 0);
	inode_unref(t, found);
	tree_free(t);
}

/* A file that is being made takes any attribute, room or not. */
static void test_pin_of_new_file(void **state)
{
	static const struct timespec when = { 1, 2 };
	struct tree_settings s = tree_fixture_settings(60000, 0);
	struct object_info info = info_of(1, "\"a\"");
	struct inode *i, *file;
	struct inode_view v;
	struct tree *t;

	s.pins_max = 1;
	t = tree_new(&s, stage);
	i = must(tree_refresh(t, tree_root(t), "i", INODE_FILE, &info, false,
			      0));
	assert_int_equal(inode_attr_set_mode(t, i, 0600), 0);
	assert_int_equal(tree_create(t, tree_root(t), "new", INODE_FILE, 0600,
				     1, 2, &file),
			 0);
	assert_int_equal(inode_attr_set_mode(t, file, 0755), 0);
	assert_int_equal(inode_attr_set_owner(t, file, 3, 4), 0);
	assert_int_equal(inode_attr_set_times(t, file, &when, &when), 0);
	assert_true(tree_lru_pins_full(t));
	inode_etag_published(t, file, &info);
	inode_view(t, file, &v);
	assert_int_equal(v.mode, 0755);
	assert_int_equal(v.uid, 3);
	assert_int_equal(v.info.mtime.tv_sec, 1);
	assert_int_equal(inode_attr_set_mode(t, file, 0700), -ENOSPC);
	assert_int_equal(inode_attr_set_mode(t, file, 0755), 0);
	assert_int_equal(inode_attr_set_owner(t, file, 3, 4), 0);
	assert_int_equal(inode_attr_set_owner(t, file, 5, 4), -ENOSPC);
	inode_unref(t, file);
	/* ... and set-id bits go, room or not */
	assert_int_equal(tree_create(t, tree_root(t), "x", INODE_FILE, 06755, 1,
				     2, &file),
			 0);
	inode_etag_published(t, file, &info);
	assert_int_equal(inode_attr_set_mode(t, file, 02755), 0);
	assert_int_equal(inode_attr_set_mode(t, file, 02751), -ENOSPC);
	assert_int_equal(inode_attr_set_mode(t, file, 0755), 0);
	inode_view(t, file, &v);
	assert_int_equal(v.mode, 0755);
	inode_unref(t, i);
	inode_unref(t, file);
	tree_free(t);
}

SUITE(inode_limits)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_lost_stamp),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_pin_memory),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_pins_freed),
		cmocka_unit_test(test_pin_moves),
		cmocka_unit_test(test_pin_of_new_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
