/* SPDX-License-Identifier: Apache-2.0 */
/* No unpark is lost, and an interrupt ends what it should and nothing else. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/parallel.h"
#include "base/waiter.h"

enum step {
	NONE,
	BEGIN,
	UNPARK,
	INTERRUPT,
	PARK,
	PARK_UNINTERRUPTED,
	BEGIN_DYING, /* with a judge that says yes */
	BEGIN_ALIVE, /* with one that says no */
	ASK,
};

static const struct {
	const char *sentence;
	struct {
		enum step step;
		int wanted; /* what a park returns */
	} steps[6];
	int interrupted;
} rows[] = {
	{ "nothing comes", { { BEGIN }, { PARK, -ETIMEDOUT } }, 0 },
	{ "an unpark that came first is kept",
	  { { BEGIN }, { UNPARK }, { PARK, 0 } },
	  0 },
	{ "two unparks are one",
	  { { BEGIN },
	    { UNPARK },
	    { UNPARK },
	    { PARK, 0 },
	    { PARK, -ETIMEDOUT } },
	  0 },
	{ "an interrupt ends every later park",
	  { { BEGIN }, { INTERRUPT }, { PARK, -EINTR }, { PARK, -EINTR } },
	  1 },
	{ "an interrupt goes before an unpark",
	  { { BEGIN }, { UNPARK }, { INTERRUPT }, { PARK, -EINTR } },
	  1 },
	{ "a new operation forgets the interrupt",
	  { { BEGIN }, { INTERRUPT }, { BEGIN }, { PARK, -ETIMEDOUT } },
	  0 },
	{ "some waits are not interrupted",
	  { { BEGIN }, { INTERRUPT }, { PARK_UNINTERRUPTED, -ETIMEDOUT } },
	  1 },
	{ "but they are unparked",
	  { { BEGIN }, { INTERRUPT }, { UNPARK }, { PARK_UNINTERRUPTED, 0 } },
	  1 },
	{ "a question ends what its judge says",
	  { { BEGIN_DYING }, { ASK }, { PARK, -EINTR }, { PARK, -EINTR } },
	  1 },
	{ "and nothing else",
	  { { BEGIN_ALIVE },
	    { ASK },
	    { PARK, -ETIMEDOUT },
	    { UNPARK },
	    { PARK, 0 } },
	  0 },
	{ "nothing without a judge",
	  { { BEGIN }, { ASK }, { PARK, -ETIMEDOUT } },
	  0 },
	{ "a judge is asked when there is a question only",
	  { { BEGIN_DYING }, { PARK, -ETIMEDOUT } },
	  0 },
	{ "a new operation forgets the question",
	  { { BEGIN_DYING }, { ASK }, { BEGIN_DYING }, { PARK, -ETIMEDOUT } },
	  0 },
	{ "an interrupt is no question",
	  { { BEGIN_ALIVE }, { INTERRUPT }, { PARK, -EINTR } },
	  1 },
	{ "some waits are not ended by a judge either",
	  { { BEGIN_DYING }, { ASK }, { PARK_UNINTERRUPTED, -ETIMEDOUT } },
	  1 },
};

static bool yes(void *arg, int64_t since_ms)
{
	return true;
}

static bool no(void *arg, int64_t since_ms)
{
	return false;
}

static int do_step(struct waiter *w, enum step step)
{
	switch (step) {
	case NONE:
		break;
	case BEGIN:
		waiter_begin(w);
		break;
	case UNPARK:
		waiter_unpark(w);
		break;
	case INTERRUPT:
		waiter_interrupt(w);
		break;
	case BEGIN_DYING:
		waiter_begin_judged(w, yes, NULL);
		break;
	case BEGIN_ALIVE:
		waiter_begin_judged(w, no, NULL);
		break;
	case ASK:
		waiter_ask(w);
		break;
	case PARK:
		return waiter_park(w, clock_mono_ms() + 3);
	case PARK_UNINTERRUPTED:
		return waiter_park_uninterrupted(w, clock_mono_ms() + 3);
	}
	return 0;
}

static void test_steps(void **state)
{
	struct waiter *w = waiter_self();

	assert_ptr_equal(w, waiter_self());
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t j = 0; j < COUNT(rows[i].steps); j++)
			row_number(rows[i].sentence,
				   do_step(w, rows[i].steps[j].step),
				   rows[i].steps[j].wanted);
		row_number(rows[i].sentence, waiter_interrupted(w),
			   rows[i].interrupted);
	}
	waiter_begin(w);
}

static void test_timeout_is_not_early(void **state)
{
	struct waiter *w = waiter_self();
	int64_t until_ms = clock_mono_ms() + 30;

	assert_int_equal(waiter_park(w, until_ms), -ETIMEDOUT);
	assert_true(clock_mono_ms() >= until_ms);
	assert_int_equal(waiter_park(w, 0), -ETIMEDOUT);
}

static void test_list(void **state)
{
	struct waiter *w = waiter_self();
	struct waiter_entry entries[3] = { { .waiter = w },
					   { .waiter = w },
					   { .waiter = w } };
	struct waiter_list list = { NULL };

	assert_null(list.head);
	for (int i = 0; i < 3; i++)
		waiter_list_add(&list, &entries[i]);
	waiter_list_remove(&list, &entries[1]);
	waiter_list_remove(&list, &entries[2]);
	assert_non_null(list.head);
	waiter_list_wake(&list);
	assert_int_equal(waiter_park(w, clock_mono_ms() + 3), 0);
	waiter_list_remove(&list, &entries[0]);
	assert_null(list.head);
	waiter_list_wake(&list);
	assert_int_equal(waiter_park(w, clock_mono_ms() + 3), -ETIMEDOUT);
}

/* A ball that two threads pass on, as its header says one should wait. */
struct game {
	struct lock lock;
	int ball; /* whose turn it is */
	struct waiter_list list;
	int failures;
};

#define ROUNDS 2000

static int wait_for_turn(struct game *g, int player)
{
	int64_t until_ms = clock_mono_ms() + 20000;
	int rc = 0;

	lock_take(&g->lock);
	while (g->ball != player && !rc)
		rc = player ? waiter_list_sleep(&g->list, &g->lock, until_ms)
			    : waiter_list_sleep_uninterrupted(
				      &g->list, &g->lock, until_ms);
	lock_drop(&g->lock);
	return rc;
}

static void play(struct game *g, int player)
{
	for (int i = 0; i < ROUNDS; i++) {
		int rc = wait_for_turn(g, player);

		lock_take(&g->lock);
		g->failures += rc != 0;
		g->ball = !player;
		waiter_list_wake(&g->list);
		lock_drop(&g->lock);
	}
}

static void *other_player(void *arg)
{
	play(arg, 1);
	return NULL;
}

static void test_two_threads_take_turns(void **state)
{
	struct game g = { .lock = LOCK_INIT(LOCK_TEST) };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, other_player, &g), 0);
	play(&g, 0);
	pthread_join(thread, NULL);
	assert_int_equal(g.failures, 0);
	assert_null(g.list.head);
}

static void *interrupter(void *arg)
{
	waiter_interrupt(arg);
	return NULL;
}

static void test_interrupt_from_another_thread(void **state)
{
	struct waiter *w = waiter_self();
	pthread_t thread;

	waiter_begin(w);
	assert_int_equal(pthread_create(&thread, NULL, interrupter, w), 0);
	assert_int_equal(waiter_park(w, WAIT_FOREVER), -EINTR);
	pthread_join(thread, NULL);
	waiter_begin(w);
}

static void *passer(void *arg)
{
	struct game *g = arg;

	lock_take(&g->lock);
	g->ball = 0;
	waiter_list_wake(&g->list);
	lock_drop(&g->lock);
	return NULL;
}

/* An interrupt ends an interruptible wait alone, and no wait is begun for what
 * is so already. */
static void test_waits_on_a_list(void **state)
{
	struct game g = { .lock = LOCK_INIT(LOCK_TEST) };
	struct waiter *w = waiter_self();
	pthread_t thread;
	int rc;

	waiter_begin(w);
	waiter_interrupt(w);
	lock_take(&g.lock);
	rc = WAITER_LIST_UNTIL(&g.list, &g.lock, true, g.ball == 0);
	assert_int_equal(rc, 0);
	rc = WAITER_LIST_UNTIL(&g.list, &g.lock, true, g.ball == 1);
	assert_int_equal(rc, -EINTR);
	g.ball = 1;
	lock_drop(&g.lock);
	assert_int_equal(pthread_create(&thread, NULL, passer, &g), 0);
	lock_take(&g.lock);
	rc = WAITER_LIST_UNTIL(&g.list, &g.lock, false, g.ball == 0);
	lock_drop(&g.lock);
	pthread_join(thread, NULL);
	assert_int_equal(rc, 0);
	assert_null(g.list.head);
	waiter_begin(w);
}

/* Counts what it is asked, and says yes the third time. */
static bool third(void *arg, int64_t since_ms)
{
	assert_true(since_ms <= clock_mono_ms());
	return ++*(int *)arg == 3;
}

static void *asker(void *arg)
{
	waiter_ask(arg);
	return NULL;
}

/* One question is enough: the kernel does not say when a fatal signal follows
 * one that was handled. */
static void test_judge_is_asked_again(void **state)
{
	struct waiter *w = waiter_self();
	pthread_t thread;
	int asked = 0;

	waiter_begin_judged(w, third, &asked);
	assert_int_equal(pthread_create(&thread, NULL, asker, w), 0);
	assert_int_equal(waiter_park(w, WAIT_FOREVER), -EINTR);
	assert_int_equal(asked, 3);
	pthread_join(thread, NULL);
	waiter_begin(w);
}

static void count(void *arg)
{
	++*(int *)arg;
}

/* The caller that waits for what goes on is let go, once. */
static void test_leave(void **state)
{
	static const struct {
		const char *sentence;
		bool before, asked_first; /* what is finished; its question */
		bool uninterrupted; /* the waits */
		bool has_leave;
		int rc, called, interrupted;
	} cases[] = {
		{ "what is broken off is left by nobody", false, true, false,
		  true, -EINTR, 0, 1 },
		{ "what is finished is left", true, true, false, true,
		  -ETIMEDOUT, 1, 0 },
		{ "also when the question comes later", true, false, false,
		  true, -ETIMEDOUT, 1, 0 },
		{ "also in a wait that is not interrupted", true, true, true,
		  true, -ETIMEDOUT, 1, 0 },
		{ "a wait that is not interrupted is left, and none follows",
		  false, true, true, true, -ETIMEDOUT, 1, 1 },
		{ "without leave() what is finished goes on", true, true, false,
		  false, -ETIMEDOUT, 0, 0 },
	};
	struct waiter *w = waiter_self();

	for (size_t i = 0; i < COUNT(cases); i++) {
		int called = 0, rc = 0;

		waiter_begin_judged(w, yes, &called);
		waiter_set_leave(w, cases[i].has_leave ? count : NULL);
		if (cases[i].asked_first)
			waiter_ask(w);
		if (cases[i].before)
			waiter_finish(w);
		waiter_ask(w);
		for (int k = 0; k < 2; k++)
			rc = (cases[i].uninterrupted
				      ? waiter_park_uninterrupted
				      : waiter_park)(w, clock_mono_ms() + 3);
		row_number(cases[i].sentence, rc, cases[i].rc);
		row_number(cases[i].sentence, called, cases[i].called);
		row_number(cases[i].sentence, waiter_left(w), cases[i].called);
		row_number(cases[i].sentence, waiter_interrupted(w),
			   cases[i].interrupted);
	}
	waiter_begin(w);
	assert_false(waiter_left(w));
}

/* In a list as elsewhere; and it sleeps between the questions. */
static void test_judge_is_asked_in_a_list(void **state)
{
	struct waiter *w = waiter_self();
	struct waiter_list list = { NULL };
	int asked = 0, rounds = 0, rc;
	pthread_t thread;
	struct lock lock;

	lock_init(&lock, LOCK_TEST);
	waiter_begin_judged(w, third, &asked);
	assert_int_equal(pthread_create(&thread, NULL, asker, w), 0);
	lock_take(&lock);
	do {
		rc = waiter_list_sleep(&list, &lock, WAIT_FOREVER);
	} while (rc != -EINTR && ++rounds < 100);
	lock_drop(&lock);
	assert_int_equal(rc, -EINTR);
	assert_int_equal(asked, 3);
	pthread_join(thread, NULL);
	lock_destroy(&lock);
	waiter_begin(w);
}

/* What other threads do for an operation is of its time. */
static int piece_of_work(void *arg, size_t k)
{
	return waiter_began(waiter_self()) == *(int64_t *)arg ? 0 : -EINVAL;
}

static void test_began(void **state)
{
	struct waiter *self = waiter_self();
	int64_t times[] = { WAIT_FOREVER, 12345 };

	assert_int_equal(waiter_began(self), WAIT_FOREVER);
	for (size_t k = 0; k < COUNT(times); k++) {
		waiter_set_began(self, times[k]);
		waiter_begin(self); /* is of interrupts */
		assert_int_equal(
			parallel_run(4, 20, piece_of_work, &times[k], true), 0);
	}
	waiter_set_began(self, WAIT_FOREVER);
}

SUITE(waiter)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_timeout_is_not_early),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_two_threads_take_turns),
		cmocka_unit_test(test_interrupt_from_another_thread),
		cmocka_unit_test(test_waits_on_a_list),
		cmocka_unit_test(test_judge_is_asked_again),
		cmocka_unit_test(test_leave),
		cmocka_unit_test(test_judge_is_asked_in_a_list),
		cmocka_unit_test(test_began),
	};

	return cmocka_run_group_tests_name("waiter", tests, NULL, NULL);
}
