/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that are asked to end. */
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/thread.h"
#include "base/waiter.h"

static struct thread_task task;
static atomic_int rounds;

static void sleeper(void *arg)
{
	int64_t ms = *(const int64_t *)arg;

	do
		atomic_fetch_add(&rounds, 1);
	while (thread_task_sleep(&task, ms));
}

static void waits_for_ever(void *arg)
{
	*(int *)arg = waiter_park(waiter_self(), WAIT_FOREVER);
	while (!*(int *)arg)
		*(int *)arg = waiter_park(waiter_self(), WAIT_FOREVER);
}

static void test_sleep_ends(void **state)
{
	static const struct {
		const char *sentence;
		int64_t ms;
		int rounds; /* before it is stopped */
	} rows[] = {
		{ "stopped as it starts", 3600 * 1000, 0 },
		{ "stopped as it sleeps for an hour", 3600 * 1000, 1 },
		{ "it wakes by itself", 1, 3 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ms = rows[i].ms;

		atomic_store(&rounds, 0);
		row_number(rows[i].sentence,
			   thread_task_start(&task, "sleeper", sleeper, &ms),
			   0);
		while (atomic_load(&rounds) < rows[i].rounds)
			sched_yield();
		thread_task_stop(&task);
		row_check(rows[i].sentence, atomic_load(&rounds) >= 1);
		thread_task_stop(&task);
	}
}

static void test_a_wait_ends(void **state)
{
	int rc = 0;

	assert_int_equal(thread_task_start(&task, "waits", waits_for_ever, &rc),
			 0);
	thread_task_stop(&task);
	row_number("its wait is interrupted", rc, -EINTR);
}

static void test_never_started(void **state)
{
	struct thread_task none = { .started = false };

	thread_task_stop(&none);
}

SUITE(thread)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sleep_ends),
		cmocka_unit_test(test_a_wait_ends),
		cmocka_unit_test(test_never_started),
	};

	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
