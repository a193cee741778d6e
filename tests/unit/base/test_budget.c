/* SPDX-License-Identifier: Apache-2.0 */
/* Each caller gets memory, in turn, and none more than there is. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/waiter.h"

/* A cache that fills what is not needed, and gives back what it may. */
struct cache {
	struct budget *budget;
	atomic_size_t idle;
	atomic_int calls;
	atomic_size_t asked; /* by the last call */
};

static void reclaim(void *arg, size_t bytes)
{
	struct cache *c = arg;
	size_t idle = atomic_exchange(&c->idle, 0);

	atomic_fetch_add(&c->calls, 1);
	atomic_store(&c->asked, bytes);
	if (idle)
		budget_give(c->budget, idle);
}

enum step { NONE, TRY, IDLE, TAKE, GIVE, HOLD };

static const struct {
	const char *sentence;
	struct {
		enum step step;
		size_t bytes;
		int wanted; /* TRY and IDLE: 1 or 0; TAKE: the error */
	} steps[6];
	size_t used, peak;
	size_t asked; /* what reclaim was last asked for */
} rows[] = {
	{ "the limit itself fits", { { TRY, 1000, 1 } }, 1000, 1000, 0 },
	{ "not a byte more",
	  { { TRY, 1000, 1 }, { TRY, 1, 0 } },
	  1000,
	  1000,
	  1 },
	{ "nothing is always there",
	  { { TRY, 1000, 1 }, { TAKE, 0, 0 } },
	  1000,
	  1000,
	  0 },
	{ "more than there will ever be",
	  { { TAKE, 1001, -EFBIG }, { TRY, 1001, 0 } },
	  0,
	  0,
	  0 },
	{ "the largest number",
	  { { TAKE, SIZE_MAX, -EFBIG },
	    { TRY, SIZE_MAX, 0 },
	    { IDLE, SIZE_MAX, 0 } },
	  0,
	  0,
	  0 },
	{ "what was given back is there again",
	  { { TAKE, 900, 0 }, { GIVE, 800 }, { TAKE, 900, 0 } },
	  1000,
	  1000,
	  0 },
	{ "the peak stays",
	  { { TAKE, 700, 0 }, { GIVE, 700 }, { TAKE, 100, 0 } },
	  100,
	  700,
	  0 },
	{ "a take that nobody makes room for",
	  { { TAKE, 600, 0 }, { TAKE, 500, -ETIMEDOUT } },
	  600,
	  600,
	  100 },
	{ "a try reclaims what is missing",
	  { { TRY, 400, 1 }, { HOLD, 600 }, { TRY, 300, 1 } },
	  700,
	  1000,
	  300 },
	{ "a take reclaims too",
	  { { TRY, 400, 1 }, { HOLD, 500 }, { TAKE, 300, 0 } },
	  700,
	  900,
	  200 },
	{ "idle fillers stop at half",
	  { { IDLE, 500, 1 }, { IDLE, 1, 0 } },
	  500,
	  500,
	  0 },
	{ "idle fillers count what others use",
	  { { TAKE, 501, 0 }, { IDLE, 1, 0 } },
	  501,
	  501,
	  0 },
};

static int do_step(struct cache *c, enum step step, size_t bytes)
{
	switch (step) {
	case NONE:
		break;
	case TRY:
		return budget_try(c->budget, bytes);
	case IDLE:
		return budget_try_idle(c->budget, bytes, 500);
	case TAKE:
		return budget_take(c->budget, bytes, clock_mono_ms() + 3);
	case GIVE:
		budget_give(c->budget, bytes);
		break;
	case HOLD:
		assert_true(budget_try(c->budget, bytes));
		atomic_store(&c->idle, bytes);
		break;
	}
	return 0;
}

static void test_steps(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cache c = { .budget = budget_new(1000) };

		assert_non_null(c.budget);
		budget_on_pressure(c.budget, reclaim, &c);
		for (size_t j = 0; j < COUNT(rows[i].steps); j++)
			row_number(rows[i].sentence,
				   do_step(&c, rows[i].steps[j].step,
					   rows[i].steps[j].bytes),
				   rows[i].steps[j].wanted);
		row_number(rows[i].sentence, budget_used(c.budget),
			   rows[i].used);
		row_number(rows[i].sentence, budget_peak(c.budget),
			   rows[i].peak);
		row_number(rows[i].sentence, c.asked, rows[i].asked);
		budget_free(c.budget);
	}
}

static void test_no_reclaim_function(void **state)
{
	struct budget *b = budget_new(10);

	assert_int_equal(budget_limit(b), 10);
	assert_true(budget_try(b, 10));
	assert_false(budget_try(b, 1));
	assert_int_equal(budget_take(b, 1, 0), -ETIMEDOUT);
	budget_free(b);
	budget_free(NULL);
}

/* A thread that takes once and tells in which place it was served. */
struct taker {
	struct budget *budget;
	size_t bytes;
	int64_t until_ms;
	atomic_int *served;
	_Atomic(struct waiter *) waiter;
	pthread_t thread;
	int rc, place;
};

static void *taker_run(void *arg)
{
	struct taker *t = arg;

	waiter_begin(waiter_self());
	atomic_store(&t->waiter, waiter_self());
	t->rc = budget_take(t->budget, t->bytes, t->until_ms);
	t->place = atomic_fetch_add(t->served, 1);
	if (!t->rc)
		budget_give(t->budget, t->bytes);
	return NULL;
}

static void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

/* Returns when the thread stands in the queue, which only time tells. */
static void taker_start(struct taker *t)
{
	pthread_create(&t->thread, NULL, taker_run, t);
	while (!atomic_load(&t->waiter))
		sleep_ms(1);
	sleep_ms(30);
}

#define TAKER(budget_, bytes_, served_) \
	{ \
		.budget = (budget_), .bytes = (bytes_), \
		.until_ms = WAIT_FOREVER, .served = (served_) \
	}

static void test_in_turn(void **state)
{
	struct budget *b = budget_new(100);
	atomic_int served = 0;
	struct taker takers[] = {
		TAKER(b, 90, &served), /* a large one, and */
		TAKER(b, 80, &served), /* small ones that could overtake */
		TAKER(b, 70, &served),
	};

	assert_true(budget_try(b, 50));
	for (size_t i = 0; i < COUNT(takers); i++)
		taker_start(&takers[i]);
	assert_false(budget_try(b, 10));
	assert_false(budget_try_idle(b, 10, 1000));
	assert_int_equal(budget_take(b, 10, clock_mono_ms() + 3), -ETIMEDOUT);
	assert_int_equal(served, 0);
	budget_give(b, 50);
	for (size_t i = 0; i < COUNT(takers); i++) {
		pthread_join(takers[i].thread, NULL);
		assert_int_equal(takers[i].rc, 0);
		assert_int_equal(takers[i].place, i);
	}
	assert_int_equal(budget_used(b), 0);
	budget_free(b);
}

static void test_interrupted_head_lets_the_next_through(void **state)
{
	struct budget *b = budget_new(100);
	atomic_int served = 0;
	struct taker large = TAKER(b, 90, &served);
	struct taker small = TAKER(b, 10, &served);

	assert_true(budget_try(b, 50));
	taker_start(&large);
	taker_start(&small);
	assert_int_equal(served, 0);
	waiter_interrupt(atomic_load(&large.waiter));
	pthread_join(large.thread, NULL);
	pthread_join(small.thread, NULL);
	assert_int_equal(large.rc, -EINTR);
	assert_int_equal(small.rc, 0);
	assert_int_equal(budget_used(b), 50);
	budget_free(b);
}

static void test_interrupted_in_the_middle(void **state)
{
	struct budget *b = budget_new(100);
	atomic_int served = 0;
	struct taker first = TAKER(b, 90, &served);
	struct taker second = TAKER(b, 90, &served);
	struct taker third = TAKER(b, 90, &served);

	assert_true(budget_try(b, 50));
	taker_start(&first);
	taker_start(&second);
	taker_start(&third);
	waiter_interrupt(atomic_load(&second.waiter));
	pthread_join(second.thread, NULL);
	assert_int_equal(second.rc, -EINTR);
	assert_int_equal(served, 1);
	budget_give(b, 50);
	pthread_join(first.thread, NULL);
	pthread_join(third.thread, NULL);
	assert_int_equal(first.place, 1);
	assert_int_equal(third.place, 2);
	assert_int_equal(budget_used(b), 0);
	budget_free(b);
}

static void test_timed_out_head_lets_the_next_through(void **state)
{
	struct budget *b = budget_new(100);
	atomic_int served = 0;
	struct taker large = TAKER(b, 90, &served);
	struct taker small = TAKER(b, 10, &served);

	assert_true(budget_try(b, 50));
	large.until_ms = clock_mono_ms() + 150;
	taker_start(&large);
	taker_start(&small);
	pthread_join(large.thread, NULL);
	pthread_join(small.thread, NULL);
	assert_int_equal(large.rc, -ETIMEDOUT);
	assert_int_equal(small.rc, 0);
	budget_free(b);
}

/* A block becomes idle without being given back: the head finds it. */
static void test_late_idle_memory_is_reclaimed(void **state)
{
	struct cache c = { .budget = budget_new(100) };
	atomic_int served = 0;
	struct taker first = TAKER(c.budget, 60, &served);
	struct taker second = TAKER(c.budget, 100, &served);

	budget_on_pressure(c.budget, reclaim, &c);
	assert_true(budget_try(c.budget, 100));
	taker_start(&first);
	taker_start(&second);
	assert_true(c.calls > 0);
	assert_int_equal(served, 0);
	atomic_store(&c.idle, 60);
	pthread_join(first.thread, NULL);
	sleep_ms(30);
	assert_int_equal(served, 1);
	atomic_store(&c.idle, 40);
	pthread_join(second.thread, NULL);
	assert_int_equal(first.rc, 0);
	assert_int_equal(second.rc, 0);
	assert_int_equal(budget_used(c.budget), 0);
	budget_free(c.budget);
}

#define THREADS 12
#define ROUNDS 400
#define LIMIT 64

static atomic_size_t in_use, over, refused;

static void use(struct budget *b, size_t bytes)
{
	size_t now = atomic_fetch_add(&in_use, bytes) + bytes;

	if (now > LIMIT)
		atomic_fetch_add(&over, 1);
	if (bytes % 3 == 0)
		sched_yield();
	atomic_fetch_sub(&in_use, bytes);
	budget_give(b, bytes);
}

static void *stress_run(void *arg)
{
	struct budget *b = arg;
	unsigned seed = (unsigned)(uintptr_t)&seed;
	struct waiter *w = waiter_self();

	for (int i = 0; i < ROUNDS; i++) {
		size_t bytes = 1 + (size_t)rand_r(&seed) % LIMIT;
		int how = rand_r(&seed) % 8, rc = 0;

		waiter_begin(w);
		if (how == 0)
			waiter_interrupt(w);
		if (how == 1)
			rc = budget_try(b, bytes) ? 0 : -EAGAIN;
		else if (how == 2)
			rc = budget_try_idle(b, bytes, 900) ? 0 : -EAGAIN;
		else if (how == 3)
			rc = budget_take(b, bytes, clock_mono_ms() + 1);
		else
			rc = budget_take(b, bytes, WAIT_FOREVER);
		if (rc)
			atomic_fetch_add(&refused, 1);
		else
			use(b, bytes);
	}
	return NULL;
}

static void test_many_threads_all_end(void **state)
{
	struct budget *b = budget_new(LIMIT);
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, stress_run, b);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(over, 0);
	assert_true(refused < (size_t)THREADS * ROUNDS / 2);
	assert_int_equal(budget_used(b), 0);
	assert_true(budget_peak(b) <= LIMIT);
	budget_free(b);
}

SUITE(budget)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_no_reclaim_function),
		cmocka_unit_test(test_in_turn),
		cmocka_unit_test(test_interrupted_head_lets_the_next_through),
		cmocka_unit_test(test_interrupted_in_the_middle),
		cmocka_unit_test(test_timed_out_head_lets_the_next_through),
		cmocka_unit_test(test_late_idle_memory_is_reclaimed),
		cmocka_unit_test(test_many_threads_all_end),
	};

	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
