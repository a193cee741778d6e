/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of names: what is cached, how long it lives, and stamps. */
#include "tree_fixture.h"

#include <errno.h>

#include "base/buf.h"

/* What happens to the name `n`, in order, and what is known at the end. */
enum act {
	END,
	ASK, /* remember the clock */
	TELL_FILE, /* the store answers what was asked then */
	TELL_DIR,
	TELL_NONE,
	CREATE,
	MKDIR,
	OPEN, /* content joins */
	WRITE,
	PUBLISH,
	CLOSE, /* content leaves */
	REMOVE,
	MOVE_AWAY, /* to `other` */
	MOVE_HERE, /* from `other`, which the store tells first */
};

static const struct {
	const char *sentence;
	enum act acts[8];
	enum tree_answer wanted;
	enum inode_kind kind;
	const char *etag;
} rows[] = {
	{ "a name that nobody spoke of", { END }, TREE_UNKNOWN },
	{ "the store told of a file",
	  { ASK, TELL_FILE },
	  TREE_KNOWN,
	  INODE_FILE,
	  "\"told\"" },
	{ "the store told of a directory",
	  { ASK, TELL_DIR },
	  TREE_KNOWN,
	  INODE_DIR },
	{ "the store has nothing", { ASK, TELL_NONE }, TREE_ABSENT },
	{ "a file became a directory",
	  { ASK, TELL_FILE, TELL_DIR },
	  TREE_KNOWN,
	  INODE_DIR },
	{ "a file was removed elsewhere",
	  { ASK, TELL_FILE, TELL_NONE },
	  TREE_ABSENT },
	{ "what we removed is absent",
	  { ASK, TELL_FILE, REMOVE },
	  TREE_ABSENT },
	{ "an old answer does not bring back what we removed",
	  { ASK, TELL_FILE, REMOVE, TELL_FILE },
	  TREE_ABSENT },
	{ "a new answer brings it back",
	  { ASK, TELL_FILE, REMOVE, ASK, TELL_FILE },
	  TREE_KNOWN,
	  INODE_FILE,
	  "\"told\"" },
	{ "an old answer does not take away what we made",
	  { ASK, MKDIR, TELL_NONE },
	  TREE_KNOWN,
	  INODE_DIR },
	{ "an old answer does not undo what we published",
	  { ASK, CREATE, OPEN, PUBLISH, TELL_FILE },
	  TREE_KNOWN,
	  INODE_FILE,
	  "\"ours\"" },
	{ "a new answer counts after we published",
	  { CREATE, OPEN, PUBLISH, ASK, TELL_FILE },
	  TREE_KNOWN,
	  INODE_FILE,
	  "\"told\"" },
	{ "what is not published yet stays, whatever the store says",
	  { CREATE, OPEN, ASK, TELL_NONE },
	  TREE_KNOWN,
	  INODE_FILE,
	  "" },
	{ "what is written to stays as it is",
	  { ASK, TELL_FILE, OPEN, WRITE, ASK, TELL_NONE },
	  TREE_KNOWN,
	  INODE_FILE,
	  "\"told\"" },
	{ "what was never published goes with its content",
	  { CREATE, OPEN, WRITE, CLOSE },
	  TREE_UNKNOWN },
	{ "what was written to and given up is asked for again",
	  { ASK, TELL_FILE, OPEN, WRITE, CLOSE },
	  TREE_UNKNOWN },
	{ "what was moved away is absent",
	  { ASK, TELL_FILE, MOVE_AWAY },
	  TREE_ABSENT },
	{ "an old answer does not bring it back",
	  { ASK, TELL_FILE, MOVE_AWAY, TELL_FILE },
	  TREE_ABSENT },
	{ "what was moved here replaces what was here",
	  { ASK, TELL_FILE, MOVE_HERE },
	  TREE_KNOWN,
	  INODE_FILE,
	  "\"other\"" },
	{ "an old answer does not undo the move",
	  { ASK, MOVE_HERE, TELL_NONE },
	  TREE_KNOWN,
	  INODE_FILE,
	  "\"other\"" },
	{ "a removed name can be made again",
	  { ASK, TELL_FILE, REMOVE, MKDIR },
	  TREE_KNOWN,
	  INODE_DIR },
};

static char content; /* stands for a struct file */

static void act(struct tree *t, enum act a, uint64_t *asked)
{
	struct inode *root = tree_root(t), *i = tree_peek(t, root, "n");
	struct object_info store_said = info_of(5, "\"told\"");
	struct object_info ours = info_of(6, "\"ours\"");
	struct object_info other = info_of(7, "\"other\"");
	struct inode_given_up left;
	struct inode *new = NULL;
	struct file *now;

	switch (a) {
	case ASK:
		*asked = tree_clock(t);
		break;
	case TELL_FILE:
		new = tree_refresh(t, root, "n", INODE_FILE, &store_said, false,
				   *asked);
		break;
	case TELL_DIR:
		new = tree_refresh(t, root, "n", INODE_DIR, NULL, false,
				   *asked);
		break;
	case TELL_NONE:
		tree_refresh_absent(t, root, "n", *asked);
		break;
	case CREATE:
	case MKDIR:
		assert_int_equal(tree_create(t, root, "n",
					     a == MKDIR ? INODE_DIR
							: INODE_FILE,
					     0600, 1, 2, &new),
				 0);
		break;
	case OPEN:
		assert_int_equal(inode_file_join(t, must(i),
						 (struct file *)&content, NULL,
						 &now),
				 0);
		assert_ptr_equal(now, &content);
		break;
	case WRITE:
		inode_touch(t, must(i));
		break;
	case PUBLISH:
		inode_etag_published(t, must(i), &ours);
		break;
	case CLOSE:
		assert_true(inode_file_put(t, must(i), &left));
		break;
	case REMOVE:
		tree_remove(t, must(i));
		break;
	case MOVE_AWAY:
		assert_int_equal(tree_move(t, must(i), root, "other"), 0);
		break;
	case MOVE_HERE:
		new = must(tree_refresh(t, root, "other", INODE_FILE, &other,
					false, tree_clock(t)));
		assert_int_equal(tree_move(t, new, root, "n"), 0);
		break;
	case END:
		break;
	}
	inode_unref(t, new);
	inode_unref(t, i);
}

static void test_knowledge(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		struct tree *t = new_tree(60000, 0);
		struct inode *i = NULL;
		struct inode_view v;
		uint64_t asked = 0;

		for (size_t k = 0; k < COUNT(rows[r].acts); k++)
			act(t, rows[r].acts[k], &asked);
		row_number(rows[r].sentence,
			   tree_find(t, tree_root(t), "n", &i, NULL),
			   rows[r].wanted);
		if (i) {
			inode_view(t, i, &v);
			row_number(rows[r].sentence, v.kind, rows[r].kind);
			if (rows[r].etag)
				row_equal(rows[r].sentence, v.info.etag,
					  rows[r].etag);
			inode_unref(t, i);
		}
		tree_free(t);
	}
}

static void test_ttl(void **state)
{
	struct tree *t = new_tree(0, 0);
	struct object_info info = info_of(1, "\"a\"");
	struct inode *i, *found;

	i = tree_refresh(t, tree_root(t), "n", INODE_FILE, &info, false, 0);
	assert_int_equal(tree_find(t, tree_root(t), "n", &found, NULL),
			 TREE_UNKNOWN);
	assert_int_equal(inode_attr_set_mode(t, i, 0600), 0);
	assert_int_equal(tree_find(t, tree_root(t), "n", &found, NULL),
			 TREE_UNKNOWN);
	inode_unref(t, i);
	assert_int_equal(tree_create(t, tree_root(t), "new", INODE_FILE, 0600,
				     1, 2, &i),
			 0);
	assert_int_equal(tree_find(t, tree_root(t), "new", &found, NULL),
			 TREE_KNOWN);
	inode_unref(t, found);
	inode_unref(t, i);
	tree_free(t);
}

static void assert_path(struct tree *t, struct inode *i, const char *path)
{
	struct inode_place p;

	inode_look(t, i, &p);
	assert_int_equal(p.rc, 0);
	assert_string_equal(buf_str(&p.path), path);
	inode_place_clear(&p);
}

static void test_keys(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct inode *a = refreshed_dir(t, tree_root(t), "a");
	struct inode *b = refreshed_dir(t, a, "b c");
	struct buf key = BUF_INIT(2048);
	char name[300];

	assert_int_equal(inode_key(t, tree_root(t), &key), 0);
	assert_string_equal(buf_str(&key), "pre/");
	assert_int_equal(inode_key(t, b, &key), 0);
	assert_string_equal(buf_str(&key), "pre/a/b c/");
	assert_int_equal(inode_key_of(t, b, "x", &key), 0);
	assert_string_equal(buf_str(&key), "pre/a/b c/x");
	assert_path(t, b, "a/b c");
	assert_path(t, tree_root(t), "");
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	assert_int_equal(inode_key_of(t, b, name, &key), -ENAMETOOLONG);
	name[255] = '\0';
	assert_int_equal(inode_key_of(t, b, name, &key), 0);
	for (int deep = 0; deep < 3; deep++) {
		struct inode *below = refreshed_dir(t, b, name);

		inode_unref(t, b);
		b = below;
	}
	assert_int_equal(inode_key_of(t, b, name, &key), -ENAMETOOLONG);
	tree_remove(t, a);
	assert_int_equal(inode_key(t, b, &key), -ENOENT);
	inode_unref(t, a);
	inode_unref(t, b);
	buf_clear(&key);
	tree_free(t);
}

static void test_numbers(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct object_info info = info_of(1, "\"a\"");
	struct inode *i =
		tree_refresh(t, tree_root(t), "f", INODE_FILE, &info, false, 0);
	struct inode *j;
	struct inode_view before, after, second;

	inode_view(t, i, &before);
	assert_int_equal(tree_move(t, i, tree_root(t), "g"), 0);
	inode_view(t, i, &after);
	assert_int_equal(tree_create(t, tree_root(t), "f", INODE_FILE, 0600, 1,
				     2, &j),
			 0);
	inode_view(t, j, &second);
	/* a file keeps its number, and a new one has its own */
	assert_true(after.ino == before.ino);
	assert_true(second.ino != before.ino && second.ino > 1);
	assert_int_equal(second.mode, 0600);
	assert_int_equal(after.mode, 0644);
	tree_remove(t, i);
	inode_view(t, i, &before);
	assert_true(before.orphan && before.ino == after.ino);
	inode_unref(t, i);
	inode_unref(t, j);
	assert_int_equal(tree_create(t, tree_root(t), "g", INODE_DIR, 0700, 1,
				     2, &j),
			 0);
	inode_view(t, j, &second);
	assert_true(second.ino != before.ino);
	inode_unref(t, j);
	inode_view(t, tree_root(t), &before);
	assert_int_equal(before.ino, 1);
	tree_free(t);
}

/* Disks number their files themselves: each of ours apart from the others. */
static void test_disk_numbers(void **state)
{
	static const struct {
		uint64_t dev, ino;
	} disks[] = {
		{ 7, 12 }, { 7, 13 }, { 9, 12 },         { 8, 12 },
		{ 9, 13 }, { 8, 1 },  { 8, 1ULL << 60 }, { 0, 0 },
	};
	struct tree *t = new_tree(60000, 0);
	struct object_info info = info_of(1, "\"a\"");
	struct inode_view v;
	uint64_t seen[COUNT(disks)];
	char name[2] = "a";

	info.mode = S_IFREG | 0600;
	for (size_t k = 0; k < COUNT(disks); k++, name[0]++) {
		struct inode *i;

		info.dev = disks[k].dev;
		info.ino = disks[k].ino;
		i = must(tree_refresh(t, tree_root(t), name, INODE_FILE, &info,
				      false, 0));
		inode_view(t, i, &v);
		seen[k] = v.ino;
		if (disks[k].dev == 7) /* the first disk's are its own */
			assert_int_equal(v.ino, disks[k].ino);
		assert_true(v.ino > 1);
		for (size_t n = 0; n < k; n++)
			assert_true(seen[n] != v.ino);
		inode_unref(t, i);
	}
	tree_free(t);
}

/* An object that another machine puts there has no right to set-id bits. */
static void test_set_id(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct object_info same = info_of(1, "\"a\""), other;
	struct inode_view v;
	struct inode *i;

	other = info_of(1, "\"b\"");
	i = must(tree_refresh(t, tree_root(t), "f", INODE_FILE, &same, false,
			      0));
	assert_int_equal(inode_attr_set_mode(t, i, 06755), 0);
	inode_unref(t, must(tree_refresh(t, tree_root(t), "f", INODE_FILE,
					 &same, false, tree_clock(t))));
	inode_view(t, i, &v);
	assert_int_equal(v.mode, 06755);
	inode_unref(t, must(tree_refresh(t, tree_root(t), "f", INODE_FILE,
					 &other, false, tree_clock(t))));
	inode_view(t, i, &v);
	assert_int_equal(v.mode, 0755);
	inode_unref(t, i);
	tree_free(t);
}

static void test_times(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct object_info info = info_of(1, "\"a\""), newer;
	struct timespec then = { 12345, 6 };
	struct inode *i =
		tree_refresh(t, tree_root(t), "f", INODE_FILE, &info, false, 0);
	struct inode_view v;

	newer = info;
	newer.mtime.tv_sec = 2000;
	assert_int_equal(inode_attr_set_times(t, i, NULL, &then), 0);
	inode_view(t, i, &v);
	assert_int_equal(v.info.mtime.tv_sec, 12345);
	assert_int_equal(v.atime.tv_sec, 1000);
	/* the same bytes keep the time that they were given */
	inode_unref(t, tree_refresh(t, tree_root(t), "f", INODE_FILE, &newer,
				    false, tree_clock(t)));
	inode_view(t, i, &v);
	assert_int_equal(v.info.mtime.tv_sec, 12345);
	/* other bytes have their own */
	strcpy(newer.etag, "\"b\"");
	inode_unref(t, tree_refresh(t, tree_root(t), "f", INODE_FILE, &newer,
				    false, tree_clock(t)));
	inode_view(t, i, &v);
	assert_int_equal(v.info.mtime.tv_sec, 2000);
	assert_int_equal(v.atime.tv_sec, 2000);
	inode_unref(t, i);
	tree_free(t);
}

static void test_pages(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct object_info a = info_of(1, "\"a\""), b = info_of(2, "\"b\"");
	struct inode *i =
		tree_refresh(t, tree_root(t), "f", INODE_FILE, &a, false, 0);

	struct inode_view v;

	inode_remember(t, inode_ref(t, i), 0, 0);
	inode_view(t, i, &v);
	assert_false(inode_etag_take_pages(t, i, "\"a\""));
	/* it is not known whether the kernel has dropped the others yet */
	assert_false(inode_etag_take_pages(t, i, "\"a\""));
	inode_etag_set_pages(t, i, inode_etag_hash(&v) + 2); /* of another */
	assert_false(inode_etag_take_pages(t, i, "\"a\""));
	inode_etag_set_pages(t, i, inode_etag_hash(&v));
	assert_true(inode_etag_take_pages(t, i, "\"a\""));
	inode_etag_published(t, i, &b); /* written through the kernel */
	assert_true(inode_etag_take_pages(t, i, "\"b\""));
	assert_false(inode_etag_take_pages(t, i, "\"c\""));
	inode_forget(t, i, 1);
	assert_false(inode_etag_take_pages(t, i, "\"c\""));
	inode_unref(t, i);
	tree_free(t);
}

static int64_t expire_of(struct tree *t, struct inode *i)
{
	struct inode_place p;

	inode_look(t, i, &p);
	inode_place_clear(&p);
	return p.expire;
}

static void test_expire(void **state)
{
	struct tree *t = new_tree(60000, 0);
	struct inode *a = refreshed_dir(t, tree_root(t), "a");
	struct inode *b = refreshed_dir(t, a, "b");

	assert_int_equal(expire_of(t, b), 0);
	assert_int_equal(inode_attr_set_expire(t, tree_root(t), 60), 0);
	assert_int_equal(expire_of(t, b), 60);
	assert_int_equal(inode_attr_set_expire(t, a, 90), 0);
	assert_int_equal(expire_of(t, b), 90);
	assert_int_equal(inode_attr_set_expire(t, a, 0), 0);
	assert_int_equal(expire_of(t, b), 60);
	inode_unref(t, a);
	inode_unref(t, b);
	tree_free(t);
}

/* What was stored below a directory since a question was asked: the answer does
 * not take the directory away, nor what holds that. */
static void test_stored_below(void **state)
{
	static const char *const says[] = { "published", "moved", "made" };

	for (size_t k = 0; k < sizeof(says) / sizeof(*says); k++) {
		struct object_info info = info_of(1, "\"e\"");
		struct tree *t = new_tree(60000, 1000);
		struct inode *root = tree_root(t);
		struct inode *d = refreshed_dir(t, root, "d");
		struct inode *e = refreshed_dir(t, d, "e"), *x, *kept;
		uint64_t asked;

		x = must(tree_refresh(t, k == 1 ? root : e, "x",
				      k == 2 ? INODE_DIR : INODE_FILE,
				      k == 2 ? NULL : &info, false,
				      tree_clock(t)));
		asked = tree_clock(t);
		if (k == 0)
			inode_etag_published(t, x, &info);
		else if (k == 1)
			row_number("it moves", tree_move(t, x, e, "x"), 0);
		else
			tree_dir_made(t, x);
		kept = tree_refresh_absent(t, root, "d", asked);
		row_check(says[k], kept == d);
		inode_unref(t, kept);
		kept = tree_refresh(t, root, "d", INODE_FILE, &info, false,
				    asked);
		row_check("no file stands there", kept == d);
		inode_unref(t, kept);
		row_check("a later answer counts",
			  !tree_refresh_absent(t, root, "d", tree_clock(t)));
		inode_unref(t, x);
		inode_unref(t, e);
		inode_unref(t, d);
		tree_free(t);
	}
}

SUITE(inode)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_knowledge),
		cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_disk_numbers),
		cmocka_unit_test(test_set_id),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_stored_below),
		cmocka_unit_test(test_expire),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
