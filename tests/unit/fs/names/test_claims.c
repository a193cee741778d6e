/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims of publishing and of moving, and many threads over one tree.
 *
 * Covers: fs/names/policy.c fs/names/tree_hash.c fs/names/tree_number.c
 */
#include "tree_fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

struct other {
	struct tree *t;
	struct inode *i;
	bool move;
	int rc;
	int step;
};

static void *claim_thread(void *arg)
{
	struct other *o = arg;
	struct buf key = BUF_INIT(2048);

	if (o->move)
		o->rc = claims_move_begin(o->t, o->i);
	else
		o->rc = claims_publish_begin(o->t, o->i, &key);
	__atomic_store_n(&o->step, 1, __ATOMIC_SEQ_CST);
	if (!o->rc && o->move)
		claims_move_end(o->t, o->i);
	else if (!o->rc)
		claims_publish_end(o->t, o->i);
	buf_clear(&key);
	return NULL;
}

static void test_claims(void **state)
{
	static const struct {
		const char *sentence;
		const char *mine, *theirs;
		bool my_move, their_move, waits;
	} cases[] = {
		{ "a publisher waits for a move above it", "d", "d/f", true,
		  false, true },
		{ "a move waits for a publisher below it", "d/f", "d", false,
		  true, true },
		{ "a publisher elsewhere does not wait", "d", "e/f", true,
		  false, false },
		{ "a file has one publisher at a time", "d/f", "d/f", false,
		  false, true },
		{ "two files of one directory have two", "d/f", "d/g", false,
		  false, false },
		{ "two names are made in one directory", "d", "d", false, false,
		  false },
		{ "a move waits for a move below it", "d/s", "d", true, true,
		  true },
		{ "a move waits for a move above it", "d", "d/s", true, true,
		  true },
		{ "two moves side by side", "d", "e", true, true, false },
	};
	struct tree *t = new_tree(60000, 0);
	struct object_info info = info_of(1, "\"a\"");
	static const char *const paths[] = { "d",   "e",   "d/s",
					     "d/f", "d/g", "e/f" };
	struct inode *at[6];
	struct buf key = BUF_INIT(2048);

	for (int k = 0; k < 6; k++) {
		const char *slash = strchr(paths[k], '/');
		struct inode *dir = !slash             ? tree_root(t)
				    : *paths[k] == 'd' ? at[0]
						       : at[1];
		bool file = slash && slash[1] != 's';

		at[k] = must(tree_refresh(t, dir, slash ? slash + 1 : paths[k],
					  file ? INODE_FILE : INODE_DIR, &info,
					  false, 0));
	}
	for (size_t r = 0; r < COUNT(cases); r++) {
		struct inode *mine = NULL;
		struct other o = { .t = t, .move = cases[r].their_move };
		pthread_t thread;

		for (int k = 0; k < 6; k++) {
			if (!strcmp(paths[k], cases[r].mine))
				mine = at[k];
			if (!strcmp(paths[k], cases[r].theirs))
				o.i = at[k];
		}
		if (cases[r].my_move)
			assert_int_equal(claims_move_begin(t, mine), 0);
		else
			assert_int_equal(claims_publish_begin(t, mine, &key),
					 0);
		assert_int_equal(
			pthread_create(&thread, NULL, claim_thread, &o), 0);
		usleep(30000);
		row_number(cases[r].sentence,
			   !__atomic_load_n(&o.step, __ATOMIC_SEQ_CST),
			   cases[r].waits);
		/* the owner is not in his own way */
		assert_int_equal(claims_publish_begin(t, mine, &key), 0);
		claims_publish_end(t, mine);
		if (cases[r].my_move)
			claims_move_end(t, mine);
		else
			claims_publish_end(t, mine);
		pthread_join(thread, NULL);
		row_number(cases[r].sentence, o.rc, 0);
	}
	for (int k = 5; k >= 0; k--)
		inode_unref(t, at[k]);
	buf_clear(&key);
	tree_free(t);
}

/* ---- many threads ---- */

static void *storm(void *arg)
{
	struct tree *t = arg;
	struct object_info info = info_of(1, "\"a\"");
	unsigned seed = (unsigned)(uintptr_t)&info;
	char name[16], to[16];

	for (int k = 0; k < 4000; k++) {
		struct inode *i = NULL, *root = tree_root(t);
		uint64_t asked = tree_clock(t);

		snprintf(name, sizeof(name), "n%d", rand_r(&seed) % 40);
		snprintf(to, sizeof(to), "n%d", rand_r(&seed) % 40);
		switch (rand_r(&seed) % 7) {
		case 0:
			i = tree_refresh(t, root, name, INODE_FILE, &info,
					 false, asked);
			break;
		case 1:
			tree_refresh_absent(t, root, name, asked);
			break;
		case 2:
			if (tree_create(t, root, name, INODE_DIR, 0700, 1, 2,
					&i))
				i = NULL;
			break;
		case 3:
			i = tree_peek(t, root, name);
			if (i)
				tree_remove(t, i);
			break;
		case 4:
			i = tree_peek(t, root, name);
			if (i)
				tree_move(t, i, root, to);
			break;
		case 5:
			if (tree_find(t, root, name, &i, NULL) != TREE_KNOWN)
				i = NULL;
			break;
		default:
			i = tree_peek(t, root, name);
			if (i) {
				inode_remember(t, inode_ref(t, i), 0, 0);
				inode_forget(t, i, 1);
			}
		}
		inode_unref(t, i);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct tree *t = new_tree(60000, 20);
	pthread_t threads[4];

	for (int k = 0; k < 4; k++)
		assert_int_equal(pthread_create(&threads[k], NULL, storm, t),
				 0);
	for (int k = 0; k < 4; k++)
		pthread_join(threads[k], NULL);
	tree_free(t);
}

SUITE(claims)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
