/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for object data: what is kept for the next, and what is counted. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/budget.h"
#include "base/pool.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define LIMIT (64 * MIB)

static struct budget *budget;
static struct pool *pool;

static int setup(void **state)
{
	budget = budget_new(LIMIT);
	pool = budget ? pool_new(budget) : NULL;
	return pool ? 0 : -1;
}

static int teardown(void **state)
{
	pool_free(pool);
	assert_int_equal(budget_used(budget), 0);
	budget_free(budget);
	return 0;
}

struct row {
	const char *says;
	size_t size;
	bool kept;
	size_t aligned;
};

static const struct row rows[] = {
	{ "what the heap has is its own", 4 * KIB, false, 1 },
	{ "the smallest that is mapped", 128 * KIB, true, 4 * KIB },
	{ "... of no power of two", 132 * KIB, false, 4 * KIB },
	{ "one with a huge page", 2 * MIB, true, 2 * MIB },
	{ "a huge page and no whole small one", 2 * MIB + 10, false, 2 * MIB },
	{ "a large one", 8 * MIB, true, 2 * MIB },
	{ "more than may be kept", 32 * MIB, false, 2 * MIB },
};

static void test_rows(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		char *mem = pool_try(pool, r->size), *again;

		assert_non_null(mem);
		row_number(r->says, (uintptr_t)mem % r->aligned, 0);
		memset(mem, 1, r->size);
		row_number(r->says, budget_used(budget), r->size);
		pool_put(pool, mem, r->size);
		row_number(r->says, budget_used(budget), r->kept ? r->size : 0);
		again = pool_try(pool, r->size);
		assert_non_null(again);
		row_number(r->says, budget_used(budget), r->size);
		pool_drop(pool, again, r->size);
		row_number(r->says, budget_used(budget), 0);
	}
}

/* The last one that was given back is the first that is taken. */
static void test_warm_first(void **state)
{
	void *a = pool_try(pool, MIB), *b = pool_try(pool, MIB);

	pool_put(pool, a, MIB);
	pool_put(pool, b, MIB);
	assert_ptr_equal(pool_try_idle(pool, MIB, 0), b);
	assert_ptr_equal(pool_try(pool, MIB), a);
	assert_int_equal(budget_used(budget), 2 * MIB);
	pool_drop(pool, a, MIB);
	pool_drop(pool, b, MIB);
}

/* A quarter of the budget is kept at most, and goes when it is asked for. */
static void test_bound(void **state)
{
	void *mem[32];

	for (size_t i = 0; i < 32; i++)
		assert_int_equal(pool_take(pool, MIB, &mem[i]), 0);
	for (size_t i = 0; i < 32; i++)
		pool_put(pool, mem[i], MIB);
	assert_int_equal(budget_used(budget), LIMIT / 4);
	assert_int_equal(pool_trim(pool, 3 * MIB - 1), 3 * MIB);
	assert_int_equal(budget_used(budget), LIMIT / 4 - 3 * MIB);
	assert_int_equal(pool_trim(pool, LIMIT), LIMIT / 4 - 3 * MIB);
	assert_int_equal(budget_used(budget), 0);
	assert_int_equal(pool_take(pool, LIMIT + 1, &mem[0]), -EFBIG);
}

/* Writers have half of it beside what is taken. */
/* All writers together have half, each of them a fair share of it. */
static void test_hold(void **state)
{
	struct pool_share a = { 0 }, b = { 0 }, c = { 0 };

	assert_true(pool_hold(pool, &a, LIMIT / 2));
	assert_false(pool_hold(pool, &a, 1));
	assert_false(pool_hold(pool, &b, 1));
	pool_unhold(pool, &a, LIMIT / 2);
	/* b is owed some: a may not have all of it again */
	assert_true(pool_hold(pool, &a, LIMIT / 4));
	assert_false(pool_hold(pool, &a, 1));
	assert_true(pool_hold(pool, &b, LIMIT / 8));
	assert_true(pool_hold(pool, &b, LIMIT / 8));
	assert_false(pool_hold(pool, &b, 1));
	/* a third one, which goes away with nothing */
	assert_false(pool_hold(pool, &c, 1));
	pool_unhold(pool, &a, LIMIT / 4);
	assert_true(pool_hold(pool, &a, LIMIT / 8));
	assert_false(pool_hold(pool, &a, LIMIT / 8));
	pool_share_clear(pool, &c);
	assert_true(pool_hold(pool, &a, LIMIT / 8));
	pool_unhold(pool, &b, LIMIT / 4);
	pool_share_clear(pool, &b);
	assert_true(pool_hold(pool, &a, LIMIT / 4));
	pool_unhold(pool, &a, LIMIT / 2);
	pool_share_clear(pool, &a);
}

SUITE(pool)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_warm_first),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_hold),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
