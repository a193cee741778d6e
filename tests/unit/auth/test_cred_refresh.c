/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching anew: when, by how many, and what happens while that takes its time
 * or fails. The provider is a container endpoint. The clocks are this file's:
 * hours pass when a test says so, and a machine that stands still is no matter.
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/cred_refresh.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/waiter.h"
#include "cred_rig.h"

/* ---- the clocks ---- */

#define SLOWER 20 /* than the real one */

static bool by_hand; /* in this suite's process only */
static int64_t start_ms;
static _Atomic(int64_t) passed_ms; /* of the monotonic one */
static _Atomic(int64_t) passed_s; /* of the wall clock */

int64_t __real_clock_now_s(void);
int64_t __wrap_clock_now_s(void);
int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);

int64_t __wrap_clock_now_s(void)
{
	return __real_clock_now_s() + passed_s;
}

int64_t __wrap_clock_mono_ms(void)
{
	int64_t now = __real_clock_mono_ms();

	return by_hand ? start_ms + (now - start_ms) / SLOWER + passed_ms : now;
}

static void pass_ms(int64_t ms)
{
	static int64_t rest_ms;

	passed_ms += ms;
	rest_ms += ms;
	passed_s += rest_ms / 1000;
	rest_ms %= 1000;
}

static void pass_until(int64_t s)
{
	int64_t left = s - clock_now_s();

	if (left > 0)
		pass_ms(left * 1000);
}

/* The server's wall clock is the real one. */
static struct cred_cache *open_now(const struct cred_row *row)
{
	passed_s = 0;
	return cred_rig_open(row);
}

/* ---- what is pure ---- */

static const struct {
	const char *sentence;
	struct cred_life life; /* now, obtained, expires, until */
	enum cred_need need;
} needs[] = {
	{ "no end", { 100, 0, 0, 0 }, CRED_FINE },
	{ "no end, and a wish", { 100, 0, 0, 9999 }, CRED_FINE },
	{ "fresh", { 0, 0, 3600, 0 }, CRED_FINE },
	{ "before the advisory time", { 2699, 0, 3600, 0 }, CRED_FINE },
	{ "the advisory time", { 2700, 0, 3600, 0 }, CRED_SOON },
	{ "before the mandatory time", { 2999, 0, 3600, 0 }, CRED_SOON },
	{ "the mandatory time", { 3000, 0, 3600, 0 }, CRED_NOW },
	{ "the last second", { 3599, 0, 3600, 0 }, CRED_NOW },
	{ "the end", { 3600, 0, 3600, 0 }, CRED_DEAD },
	{ "long past it", { 9999, 0, 3600, 0 }, CRED_DEAD },
	{ "a day has the same periods", { 85499, 0, 86400, 0 }, CRED_FINE },
	{ "a day, 15 minutes before", { 85500, 0, 86400, 0 }, CRED_SOON },
	{ "five minutes: the last quarter", { 225, 0, 300, 0 }, CRED_SOON },
	{ "five minutes: before it", { 224, 0, 300, 0 }, CRED_FINE },
	{ "five minutes: the last sixth", { 250, 0, 300, 0 }, CRED_NOW },
	{ "a URL that fits in", { 1000, 0, 3600, 3600 }, CRED_FINE },
	{ "a URL that does not", { 1000, 0, 3600, 3601 }, CRED_NOW },
	{ "a URL of a week, of fresh ones",
	  { 360, 0, 3600, 604800 },
	  CRED_FINE },
	{ "a URL of a week, a little later",
	  { 361, 0, 3600, 604800 },
	  CRED_NOW },
	{ "a clock that was set back", { -500, 0, 3600, 0 }, CRED_FINE },
};

static void need_rows(void **state)
{
	for (size_t i = 0; i < COUNT(needs); i++)
		row_number(needs[i].sentence, cred_refresh_need(&needs[i].life),
			   needs[i].need);
}

static void backoff(void **state)
{
	static const int64_t most[] = { 1000,  1000,  2000,  4000, 8000,
					16000, 32000, 60000, 60000 };

	for (unsigned n = 0; n < COUNT(most); n++) {
		for (uint32_t random = 0; random < 100000; random += 997) {
			int64_t ms = cred_refresh_backoff(n, random);

			assert_true(ms >= most[n] / 2 && ms <= most[n]);
		}
	}
	assert_true(cred_refresh_backoff(4000000000u, 0) == 30000);
	assert_true(cred_refresh_pause(0, 0) == 5000);
	assert_true(cred_refresh_pause(0, 3600) == 60000);
	assert_true(cred_refresh_pause(0, 80) == 10000);
	assert_true(cred_refresh_pause(0, 1) == 1000);
	assert_true(cred_refresh_pause(100, 1) == 1000);
}

#define BOX \
	"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:PORT/" \
					      "container"
/* An hour: others are looked for in the last 15 minutes, and waited for in the
 * last 10. */
static const struct cred_row of_an_hour = {
	.sentence = "a container",
	.settings = { "container" },
	.env = { BOX },
	.auth = "{\"life\": 3600}",
};
#define FINE_S 1200 /* left: in the midst of each */
#define SOON_S 750
#define NOW_S 300
#define LATE "\"type\": \"latency\", \"seconds\": 1"

/* What comes from now on outlives what a test does. */
static void give_long_ones(void)
{
	free(standin_post(&cred_server, "/_auth", "{\"life\": 36000}"));
}

/* What get says, in text that is good until the next call. */
static const char *key_in_use(struct cred_cache *c, int64_t until_s)
{
	static char id[256];
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct creds *creds;
	int rc = cred_cache_get_until(c, until_s, &creds, &why);

	snprintf(id, sizeof(id), "%s",
		 rc ? buf_str(&why) : creds->access_key_id);
	creds_unref(creds);
	buf_clear(&why);
	return id;
}

static int64_t end_of(struct cred_cache *c)
{
	struct creds *creds;
	int64_t end;

	assert_int_equal(cred_cache_peek(c, &creds), 0);
	end = creds->expires_at;
	creds_unref(creds);
	return end;
}

static void wait_for(struct cred_cache *c, const char *id)
{
	for (int i = 0; i < 3000 && strcmp(key_in_use(c, 0), id); i++)
		usleep(20000);
	assert_string_equal(key_in_use(c, 0), id);
}

static long requests(void)
{
	return standin_stat(&cred_server, "requests");
}

static void ahead_of_the_end(void **state)
{
	struct cred_cache *c = open_now(&of_an_hour);

	assert_string_equal(key_in_use(c, 0), "ASIABOX1");
	pass_until(end_of(c) - FINE_S);
	assert_string_equal(key_in_use(c, 0), "ASIABOX1");
	assert_int_equal(requests(), 1);
	give_long_ones();
	standin_fault(&cred_server, "", STANDIN_HOLD);
	/* No caller waits for the server that says nothing. */
	pass_until(end_of(c) - SOON_S);
	assert_string_equal(key_in_use(c, 0), "ASIABOX1");
	for (int i = 0; i < 6000 && requests() < 2; i++)
		usleep(10000);
	assert_int_equal(requests(), 2);
	assert_string_equal(key_in_use(c, 0), "ASIABOX1");
	standin_release(&cred_server);
	wait_for(c, "ASIABOX2");
	assert_int_equal(requests(), 2);
	cred_cache_free(c);
}

static void insisting(void **state)
{
	struct cred_cache *c = open_now(&of_an_hour);

	assert_string_equal(key_in_use(c, 0), "ASIABOX1");
	give_long_ones();
	standin_fault(&cred_server, "", LATE);
	pass_until(end_of(c) - NOW_S);
	assert_string_equal(key_in_use(c, 0), "ASIABOX2");
	cred_cache_free(c);
}

/* Asks until the server was asked so often; all the while these are in use. */
static void ask_until(struct cred_cache *c, long n)
{
	for (int i = 0; i < 3000 && requests() < n; i++) {
		assert_string_equal(key_in_use(c, 0), "ASIABOX1");
		usleep(10000);
		pass_ms(50);
	}
	assert_true(requests() >= n);
}

/* After a failure the server is left alone for half a second at least. */
static long most_since(int64_t began_ms)
{
	return 1 + (clock_mono_ms() - began_ms) / 500;
}

static void a_failure_stops_nobody(void **state)
{
	struct cred_cache *c = open_now(&of_an_hour);
	int64_t began_ms;
	long seen;

	assert_string_equal(key_in_use(c, 0), "ASIABOX1");
	standin_fault(&cred_server, "\"count\": 0",
		      "\"type\": \"status\", \"status\": 404");
	pass_until(end_of(c) - SOON_S);
	began_ms = clock_mono_ms();
	/* Once, and again after a second or so, and not all the time. */
	ask_until(c, 3);
	assert_true(requests() - 1 <= most_since(began_ms));
	pass_until(end_of(c) - NOW_S);
	ask_until(c, requests() + 1);
	pass_until(end_of(c));
	began_ms = clock_mono_ms();
	seen = requests();
	/* The failure is the answer until it is time to ask again. */
	for (int i = 0; i < 5; i++)
		assert_string_equal(
			key_in_use(c, 0),
			"the container endpoint answered with status 404");
	assert_true(requests() - seen <= most_since(began_ms));
	standin_reset(&cred_server);
	give_long_ones();
	pass_ms(61000);
	assert_string_equal(key_in_use(c, 0), "ASIABOX1");
	assert_true(end_of(c) > clock_now_s() + 3000);
	cred_cache_free(c);
}

static void a_url_that_lives_longer(void **state)
{
	struct cred_cache *c = open_now(&of_an_hour);
	int64_t beyond_s;

	assert_string_equal(key_in_use(c, 0), "ASIABOX1");
	beyond_s = end_of(c) + 7200;
	/* Fresh ones are the best there is. */
	assert_string_equal(key_in_use(c, beyond_s), "ASIABOX1");
	pass_ms(400000);
	assert_string_equal(key_in_use(c, 0), "ASIABOX1");
	assert_string_equal(key_in_use(c, end_of(c)), "ASIABOX1");
	assert_string_equal(key_in_use(c, beyond_s), "ASIABOX2");
	assert_string_equal(key_in_use(c, beyond_s), "ASIABOX2");
	assert_int_equal(requests(), 2);
	cred_cache_free(c);
}

static void refused_by_a_store(void **state)
{
	struct cred_cache *c = open_now(&of_an_hour);
	struct creds *old;

	assert_int_equal(cred_cache_get(c, &old, NULL), 0);
	/* They came a moment ago: others would be no better. */
	assert_false(cred_cache_refused(c, old, true));
	pass_ms(61000);
	assert_true(cred_cache_refused(c, old, true));
	assert_string_equal(key_in_use(c, 0), "ASIABOX2");
	/* Another caller did that already. */
	assert_true(cred_cache_refused(c, old, true));
	assert_int_equal(requests(), 2);
	creds_unref(old);
	cred_cache_free(c);
}

#define MANY 16

static void *get_one(void *arg)
{
	struct creds *creds;

	return cred_cache_get(arg, &creds, NULL) ? NULL : creds;
}

static void one_fetch_for_many(void **state)
{
	static const struct cred_row row = {
		.sentence = "a container",
		.settings = { "container" },
		.env = { BOX },
		.match = "",
		.action = LATE,
	};
	struct cred_cache *c = open_now(&row);
	pthread_t threads[MANY];
	struct creds *seen[MANY];

	for (int i = 0; i < MANY; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, get_one, c),
				 0);
	for (int i = 0; i < MANY; i++) {
		void *one;

		pthread_join(threads[i], &one);
		seen[i] = one;
		assert_non_null(seen[i]);
		assert_ptr_equal(seen[i], seen[0]);
	}
	for (int i = 0; i < MANY; i++)
		creds_unref(seen[i]);
	assert_int_equal(standin_stat(&cred_server, "requests"), 1);
	cred_cache_free(c);
}

/*
 * One that is interrupted while it waits, and what it returned. What it waits
 * for would last for two minutes at least: six seconds of this file's clock.
 */
struct waiting {
	struct cred_cache *c;
	struct waiter *waiter;
	int rc;
};

static void *wait_for_ever(void *arg)
{
	struct waiting *w = arg;
	struct creds *creds;

	__atomic_store_n(&w->waiter, waiter_self(), __ATOMIC_RELEASE);
	w->rc = cred_cache_get(w->c, &creds, NULL);
	waiter_begin(waiter_self());
	return NULL;
}

static void giving_up(void **state)
{
	static const struct cred_row row = {
		.sentence = "a container",
		.settings = { "container" },
		.env = { BOX },
		.match = "\"count\": 0",
		.action = STANDIN_HOLD,
	};
	struct waiting w = { .c = open_now(&row) };
	int64_t began_ms = __real_clock_mono_ms();
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, &w), 0);
	while (!__atomic_load_n(&w.waiter, __ATOMIC_ACQUIRE))
		usleep(1000);
	usleep(200000);
	waiter_interrupt(w.waiter);
	pthread_join(thread, NULL);
	assert_int_equal(w.rc, -EINTR);
	/* The fetch goes on without it, and free calls that off. */
	cred_cache_free(w.c);
	assert_true(__real_clock_mono_ms() - began_ms < 100000);
}

static void a_program_is_called_off(void **state)
{
	static const struct cred_row row = {
		.sentence = "a program",
		.settings = { "process" },
		.config = "[default]\ncredential_process = sleep 300\n",
	};
	struct waiting w = { .c = open_now(&row) };
	int64_t began_ms = __real_clock_mono_ms();
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, &w), 0);
	while (!__atomic_load_n(&w.waiter, __ATOMIC_ACQUIRE))
		usleep(1000);
	usleep(100000);
	waiter_interrupt(w.waiter);
	pthread_join(thread, NULL);
	assert_int_equal(w.rc, -EINTR);
	cred_cache_free(w.c);
	assert_true(__real_clock_mono_ms() - began_ms < 100000);
}

SUITE(cred_refresh)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(need_rows),
		cmocka_unit_test(backoff),
		cmocka_unit_test(ahead_of_the_end),
		cmocka_unit_test(insisting),
		cmocka_unit_test(a_failure_stops_nobody),
		cmocka_unit_test(a_url_that_lives_longer),
		cmocka_unit_test(refused_by_a_store),
		cmocka_unit_test(one_fetch_for_many),
		cmocka_unit_test(giving_up),
		cmocka_unit_test(a_program_is_called_off),
	};

	start_ms = __real_clock_mono_ms();
	passed_ms = 3600000; /* what sleeps until then sleeps long enough */
	by_hand = true;
	return cmocka_run_group_tests_name("cred_refresh", tests,
					   cred_rig_start, cred_rig_stop);
}
