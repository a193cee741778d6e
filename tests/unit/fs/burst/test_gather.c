/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that are gathered, and sent to two stores. What is sent is held until
 * it is let go, so that nothing depends on how fast anything is.
 */
#include "tree_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fs/burst/gather.h"

#define STORES 2

static struct side {
	struct store *store;
	struct inode *dir;
	sem_t entered, pass;
	int rc; /* what the store says */
	unsigned sent, batches;
} sides[STORES];

static struct tree *tree;
static struct gather gather;

static bool await(sem_t *s)
{
	struct timespec end = clock_now();

	end.tv_sec += 60;
	return !sem_timedwait(s, &end);
}

static void send_held(void *arg, struct gathered *list, unsigned n)
{
	struct side *s = sides;
	struct gathered *e;

	while (s->store != list->store)
		s++;
	__atomic_add_fetch(&s->batches, 1, __ATOMIC_SEQ_CST);
	sem_post(&s->entered);
	await(&s->pass);
	__atomic_add_fetch(&s->sent, n, __ATOMIC_SEQ_CST);
	for (e = list; e; e = e->next)
		e->rc = s->rc;
}

static void free_one(struct gathered *e)
{
	free(e);
}

static struct gather_kind kind = {
	.name = "test",
	.send = send_held,
	.free = free_one,
};

static void up(unsigned batch, unsigned at_once)
{
	static const char *const names[STORES] = { "a", "b" };

	kind.batch = batch;
	kind.at_once = at_once;
	tree = new_tree(1000, 1000);
	memset(&gather, 0, sizeof(gather));
	memset(sides, 0, sizeof(sides));
	gather_init(&gather, &kind, NULL, tree);
	for (int k = 0; k < STORES; k++) {
		sides[k].store = memstore_new(names[k]);
		sides[k].dir = refreshed_dir(tree, tree_root(tree), names[k]);
		sem_init(&sides[k].entered, 0, 0);
		sem_init(&sides[k].pass, 0, 0);
	}
}

static struct gathered *one(struct side *s, const char *name)
{
	struct gathered *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->store = store_ref(s->store);
	e->inode = inode_ref(tree, s->dir);
	e->name = name;
	return e;
}

/* It waits, however slow the machine is. */
static void put(struct side *s, const char *name)
{
	struct gathered *e = one(s, name);

	lock_take(&gather.lock);
	assert_true(gather_takes_locked(&gather, s->store, clock_mono_ms()));
	gather_put_locked(&gather, e);
	lock_drop(&gather.lock);
}

static void await_batch(struct side *s)
{
	assert_true(await(&s->entered));
}

static void drop(struct side *s)
{
	for (int k = 0; k < 100; k++)
		sem_post(&s->pass);
}

static int wait_for(struct inode *i, const char *name, bool below)
{
	return gather_wait(&gather, &(struct gather_want){ .inode = i,
							   .name = name,
							   .below = below });
}

static int refusal_of(struct inode *i, bool below)
{
	return gather_take_refusal(
		&gather, &(struct gather_want){ .inode = i, .below = below });
}

static void down(void)
{
	for (int k = 0; k < STORES; k++)
		drop(&sides[k]);
	assert_int_equal(wait_for(NULL, NULL, false), 0);
	gather_destroy(&gather);
	for (int k = 0; k < STORES; k++) {
		inode_unref(tree, sides[k].dir);
		store_unref(sides[k].store);
		sem_destroy(&sides[k].entered);
		sem_destroy(&sides[k].pass);
	}
	tree_free(tree);
}

static void stores_are_asked_side_by_side(void **state)
{
	struct side *a = &sides[0], *b = &sides[1];

	for (unsigned first = 0; first < 2; first++) {
		up(1, 1);
		/* in one burst, or b's when a's is on its way */
		put(a, "x");
		put(a, "y");
		if (first)
			await_batch(a);
		put(b, "x");
		if (!first)
			await_batch(a);
		await_batch(b);
		drop(b);
		assert_int_equal(wait_for(b->dir, NULL, false), 0);
		assert_int_equal(a->sent, 0);
		assert_int_equal(a->batches, 1);
		drop(a);
		assert_int_equal(wait_for(a->dir, NULL, false), 0);
		assert_int_equal(a->sent, 2);
		down();
	}
}

/* So many changes leave together, and so many batches are under way. */
static void batches_of_a_store(void **state)
{
	static const struct {
		const char *sentence;
		unsigned batch, at_once, under_way, batches;
	} rows[] = {
		{ "each one for itself", 1, 32, 5, 5 },
		{ "so many at once", 1, 3, 3, 5 },
		{ "all together", 10, 4, 1, 1 },
		{ "as many as a batch holds", 2, 2, 2, 3 },
	};
	struct side *a = &sides[0];

	for (size_t k = 0; k < COUNT(rows); k++) {
		up(rows[k].batch, rows[k].at_once);
		for (int n = 0; n < 5; n++)
			put(a, "x");
		for (unsigned n = 0; n < rows[k].under_way; n++)
			await_batch(a);
		lock_take(&gather.lock);
		row_number(rows[k].sentence,
			   gather_locked(&gather)->queues->n_leaving,
			   rows[k].under_way);
		lock_drop(&gather.lock);
		drop(a);
		row_number(rows[k].sentence, wait_for(a->dir, "x", false), 0);
		row_number(rows[k].sentence, a->batches, rows[k].batches);
		row_number(rows[k].sentence, a->sent, 5);
		down();
	}
}

static void refusals_are_told_once(void **state)
{
	struct side *a = &sides[0], *b = &sides[1];

	up(1, 1);
	a->rc = -EACCES;
	b->rc = -EIO;
	drop(a);
	drop(b);
	put(a, "x");
	put(a, "y");
	put(b, "x");
	assert_int_equal(wait_for(tree_root(tree), NULL, true), 0);
	assert_int_equal(refusal_of(tree_root(tree), false), 0);
	assert_int_equal(refusal_of(b->dir, false), -EIO);
	assert_int_equal(refusal_of(b->dir, false), 0);
	assert_int_equal(refusal_of(tree_root(tree), true), -EACCES);
	assert_int_equal(refusal_of(NULL, false), 0);
	put(a, "z"); /* the end forgets it */
	down();
}

static void what_waits_is_taken_back(void **state)
{
	struct side *a = &sides[0];
	struct gather_queue *q;
	struct gathered *e;

	up(1, 1);
	put(a, "x");
	await_batch(a);
	put(a, "y");
	lock_take(&gather.lock);
	q = gather_locked(&gather)->queues;
	e = q->waiting;
	gather_take_back_locked(&gather, q, e);
	lock_drop(&gather.lock);
	gather_drop(&gather, e);
	assert_int_equal(wait_for(a->dir, "y", false), 0);
	drop(a);
	assert_int_equal(wait_for(a->dir, NULL, false), 0);
	assert_int_equal(a->sent, 1);
	assert_false(gather.any);
	down();
}

static void *wait_thread(void *arg)
{
	assert_int_equal(wait_for(arg, NULL, false), 0);
	assert_false(gather.any);
	return NULL;
}

static void one_alone_is_waited_for(void **state)
{
	struct gathered *e;
	pthread_t t;

	up(1, 1);
	e = one(&sides[0], NULL);
	lock_take(&gather.lock);
	gather_alone_locked(&gather, e);
	lock_drop(&gather.lock);
	assert_int_equal(wait_for(sides[1].dir, NULL, true), 0);
	pthread_create(&t, NULL, wait_thread, sides[0].dir);
	gather_alone_end(&gather, e);
	pthread_join(t, NULL);
	down();
}

SUITE(gather)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_are_asked_side_by_side),
		cmocka_unit_test(batches_of_a_store),
		cmocka_unit_test(refusals_are_told_once),
		cmocka_unit_test(what_waits_is_taken_back),
		cmocka_unit_test(one_alone_is_waited_for),
	};

	return cmocka_run_group_tests_name("gather", tests, setup, teardown);
}
