/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When names that are removed are asked of the store.
 */
#include "fs/burst/burst.h"
#include "unit.h"

static void which_wait(void **state)
{
	static const struct {
		const char *sentence;
		int64_t now_ms, last_ms;
		unsigned n;
		bool waits;
	} rows[] = {
		{ "the first of a directory does not", 5000, 0, 0, false },
		{ "... whatever waits of others", 5000, 0, 7, false },
		{ "the next one does", 5000, 5000, 0, true },
		{ "... as long as the burst lasts", 5000, 5000 - BURST_MS, 3,
		  true },
		{ "and not when it is over", 5000, 4999 - BURST_MS, 3, false },
		{ "the last that there is room for does", 5000, 4999,
		  BURST_MAX - 1, true },
		{ "the next one does not", 5000, 4999, BURST_MAX, false },
	};

	for (size_t k = 0; k < COUNT(rows); k++) {
		const struct burst b = { .n = rows[k].n, .oldest_ms = 4990 };

		row_number(rows[k].sentence,
			   burst_gathers(rows[k].now_ms, &b, rows[k].last_ms),
			   rows[k].waits);
	}
}

static void when_they_leave(void **state)
{
	static const struct {
		const char *sentence;
		struct burst b;
		int64_t due_ms;
	} rows[] = {
		{ "nothing never", { 0, 0, 0 }, INT64_MAX },
		{ "a burst's time after the oldest",
		  { 3, 4990, 0 },
		  4990 + BURST_MS },
		{ "at once when it is over", { 3, 4000, 0 }, 4000 + BURST_MS },
		{ "at once when something depends on them",
		  { 3, 4990, 3 },
		  5000 },
		{ "at once when they make a batch",
		  { BURST_BATCH, 4990, 0 },
		  5000 },
		{ "not before", { BURST_BATCH - 1, 4990, 0 }, 4990 + BURST_MS },
	};

	for (size_t k = 0; k < COUNT(rows); k++)
		row_number(rows[k].sentence, burst_due_ms(5000, &rows[k].b),
			   rows[k].due_ms);
}

SUITE(burst)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_wait),
		cmocka_unit_test(when_they_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
