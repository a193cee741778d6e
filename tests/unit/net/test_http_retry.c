/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again, by a table of verdicts, attempts and deadlines. */
#include "unit.h"

#include "net/http_retry.h"

#define HALF 0x80000000u
#define MOST 0xffffffffu

static const struct {
	const char *sentence;
	struct http_retry r;
	int64_t delay;
} rows[] = {
	{ "an answer is not tried again",
	  { .verdict = HTTP_DONE, .attempt = 1, .deadline_ms = 60000 },
	  -1 },
	{ "the first delay is drawn below the base",
	  { .verdict = HTTP_RETRY,
	    .attempt = 1,
	    .deadline_ms = 60000,
	    .random = HALF },
	  50 },
	{ "the draw never reaches the ceiling",
	  { .verdict = HTTP_RETRY,
	    .attempt = 1,
	    .deadline_ms = 60000,
	    .random = MOST },
	  99 },
	{ "the draw may be nothing",
	  { .verdict = HTTP_RETRY, .attempt = 9, .deadline_ms = 60000 },
	  0 },
	{ "the ceiling doubles with each attempt",
	  { .verdict = HTTP_RETRY,
	    .attempt = 4,
	    .deadline_ms = 60000,
	    .random = HALF },
	  400 },
	{ "the ceiling has a cap",
	  { .verdict = HTTP_RETRY,
	    .attempt = 4000000000u,
	    .deadline_ms = 60000,
	    .random = HALF },
	  HTTP_RETRY_CAP_MS / 2 },
	{ "a server that throttles is given longer",
	  { .verdict = HTTP_SLOW,
	    .attempt = 1,
	    .deadline_ms = 60000,
	    .random = HALF },
	  HTTP_SLOW_BASE_MS / 2 },
	{ "what was put right is tried at once",
	  { .verdict = HTTP_AGAIN,
	    .attempt = 1,
	    .deadline_ms = 60000,
	    .random = MOST },
	  0 },
	{ "... twice",
	  { .verdict = HTTP_AGAIN,
	    .attempt = 2,
	    .agains = 1,
	    .deadline_ms = 60000 },
	  0 },
	{ "... and not a third time",
	  { .verdict = HTTP_AGAIN,
	    .attempt = 3,
	    .agains = 2,
	    .deadline_ms = 60000 },
	  -1 },
	{ "... nor past the deadline",
	  { .verdict = HTTP_AGAIN,
	    .attempt = 1,
	    .now_ms = 60000,
	    .deadline_ms = 60000 },
	  -1 },
	{ "the deadline has come",
	  { .verdict = HTTP_RETRY,
	    .attempt = 1,
	    .now_ms = 60000,
	    .deadline_ms = 60000 },
	  -1 },
	{ "too little is left for another attempt",
	  { .verdict = HTTP_RETRY,
	    .attempt = 1,
	    .now_ms = 59900,
	    .deadline_ms = 60000 },
	  -1 },
	{ "the deadline is not overslept",
	  { .verdict = HTTP_RETRY,
	    .attempt = 20,
	    .now_ms = 59000,
	    .deadline_ms = 60000,
	    .random = MOST },
	  899 },
	{ "... nor is its end a burst",
	  { .verdict = HTTP_RETRY,
	    .attempt = 20,
	    .now_ms = 50000,
	    .deadline_ms = 60000 },
	  HTTP_RETRY_BASE_MS },
	{ "... to its very end",
	  { .verdict = HTTP_RETRY,
	    .attempt = 20,
	    .now_ms = 59890,
	    .deadline_ms = 60000 },
	  10 },
	{ "a server's wish is granted",
	  { .verdict = HTTP_SLOW,
	    .attempt = 1,
	    .deadline_ms = 60000,
	    .retry_after_ms = 7000,
	    .random = HALF },
	  7000 },
	{ "a longer draw contains the server's wish",
	  { .verdict = HTTP_SLOW,
	    .attempt = 9,
	    .deadline_ms = 60000,
	    .retry_after_ms = 1000,
	    .random = HALF },
	  10000 },
	{ "a server's wish beyond the deadline gives up",
	  { .verdict = HTTP_SLOW,
	    .attempt = 1,
	    .deadline_ms = 60000,
	    .retry_after_ms = 60000,
	    .random = HALF },
	  -1 },
};

static void test_delay(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		row_number(rows[i].sentence, http_retry_delay(&rows[i].r),
			   rows[i].delay);
}

#define DATE "date: Sat, 21 Nov 2026 01:00:00 GMT\n"
#define NOW 1795222800 /* that date */

static const struct {
	const char *sentence;
	const char *headers;
	int64_t now_s;
	int64_t ms;
} wishes[] = {
	{ "none", "server: x\n", NOW, 0 },
	{ "seconds", "retry-after: 12\n", NOW, 12000 },
	{ "no seconds", "retry-after: 0\n", NOW, 0 },
	{ "more than a day", "retry-after: 99999999999\n", NOW, 86400000 },
	{ "nonsense", "retry-after: soon\n", NOW, 0 },
	{ "less than nothing", "retry-after: -5\n", NOW, 0 },
	{ "a date, by the answer's own clock",
	  DATE "retry-after: Sat, 21 Nov 2026 01:00:30 GMT\n", NOW + 5000,
	  30000 },
	{ "a date, by ours", "retry-after: Sat, 21 Nov 2026 01:00:30 GMT\n",
	  NOW + 10, 20000 },
	{ "a date that is past", "retry-after: Sat, 21 Nov 2026 01:00:30 GMT\n",
	  NOW + 60, 0 },
};

static void test_retry_after(void **state)
{
	for (size_t i = 0; i < COUNT(wishes); i++) {
		struct http_reply r = { .headers = BUF_INIT(1000) };

		buf_adds(&r.headers, wishes[i].headers);
		row_number(wishes[i].sentence,
			   http_retry_after(&r, wishes[i].now_s), wishes[i].ms);
		buf_clear(&r.headers);
	}
}

SUITE(http_retry)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delay),
		cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests_name("http_retry", tests, NULL, NULL);
}
