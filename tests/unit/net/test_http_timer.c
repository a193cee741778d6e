/* SPDX-License-Identifier: Apache-2.0 */
/* Timers come out in the order in which they are due, whatever came between. */
#include "unit.h"

#include "net/http_timer.h"

#define N 500

static uint32_t seed = 12345;

static uint32_t next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static const struct http_timer *earliest(const struct http_timer *t)
{
	const struct http_timer *best = NULL;

	for (int i = 0; i < N; i++)
		if (t[i].set && (!best || t[i].due_ms < best->due_ms))
			best = &t[i];
	return best;
}

static void test_against_a_search(void **state)
{
	static struct http_timer t[N];
	struct http_timers ts = { NULL };

	for (int i = 0; i < 20000; i++) {
		struct http_timer *one = &t[next_random() % N];
		const struct http_timer *best;

		if (next_random() % 3)
			http_timer_set(&ts, one, next_random() % 1000);
		else if (next_random() % 2)
			http_timer_unset(&ts, one);
		else if (ts.first)
			http_timer_unset(&ts, ts.first);
		best = earliest(t);
		assert_true(!best == !ts.first);
		if (best)
			assert_int_equal(ts.first->due_ms, best->due_ms);
	}
	while (ts.first) {
		assert_int_equal(ts.first->due_ms, earliest(t)->due_ms);
		http_timer_unset(&ts, ts.first);
	}
	assert_null(earliest(t));
}

static void test_unset_twice(void **state)
{
	struct http_timers ts = { NULL };
	struct http_timer t = { 0 };

	http_timer_unset(&ts, &t);
	http_timer_set(&ts, &t, 5);
	http_timer_set(&ts, &t, 7);
	assert_ptr_equal(ts.first, &t);
	assert_int_equal(t.due_ms, 7);
	http_timer_unset(&ts, &t);
	http_timer_unset(&ts, &t);
	assert_null(ts.first);
}

SUITE(http_timer)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_a_search),
		cmocka_unit_test(test_unset_twice),
	};

	return cmocka_run_group_tests_name("http_timer", tests, NULL, NULL);
}
