/* SPDX-License-Identifier: Apache-2.0 */
/* Guesses at passwords: what they cost, and which client pays. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "gateway/login/login_throttle.h"

static atomic_int calls, at_once, most_at_once, work_ms;
static atomic_int parked; /* threads that have slept */
static atomic_int wanted; /* ... before a password is looked at */
static atomic_llong clock_ms; /* moved by those that sleep */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char last_hash[32]; /* under it */

/* The hash of a password is the password here. */
static int matches(const char *hash, const void *password, size_t n)
{
	const struct timespec work = { .tv_nsec = work_ms * 1000000L };
	int now = ++at_once;

	if (now > most_at_once)
		most_at_once = now;
	calls++;
	pthread_mutex_lock(&mutex);
	snprintf(last_hash, sizeof(last_hash), "%s", hash);
	pthread_mutex_unlock(&mutex);
	nanosleep(&work, NULL);
	for (int i = 0; parked < wanted && i < 60000; i++)
		usleep(1000);
	at_once--;
	return n == strlen(hash) && !memcmp(hash, password, n);
}

#define QUICKER 20 /* than the real one, with a crowd */

static bool crowded;
static int64_t began_ms;

static int64_t now_ms(void)
{
	return crowded ? (clock_mono_ms() - began_ms) * QUICKER
		       : (int64_t)clock_ms;
}

static int park(int64_t until_ms)
{
	static _Thread_local bool counted;
	int64_t ms = until_ms - now_ms();
	const struct timespec a_while = {
		.tv_sec = ms / QUICKER / 1000,
		.tv_nsec = ms / QUICKER % 1000 * 1000000 + 1000000,
	};

	parked += !counted;
	counted = true;
	if (wanted)
		usleep(1000); /* the clock stands still */
	else if (crowded)
		nanosleep(&a_while, NULL);
	else if (ms > 0)
		clock_ms = until_ms;
	return -ETIMEDOUT;
}

static const struct login_throttle_ops ops = { matches, now_ms, park };

static struct login_throttle *open_guesses(void)
{
	struct login_throttle *g = login_throttle_new("alike", &ops);

	calls = most_at_once = work_ms = parked = wanted = 0;
	clock_ms = 1000000;
	began_ms = clock_mono_ms() - 1000;
	crowded = false;
	assert_non_null(g);
	return g;
}

static struct sockaddr_storage from(const char *text)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;

	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		a.ss_family = AF_INET;
		in->sin_port = htons((uint16_t)(clock_ms % 60000 + 1000));
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		a.ss_family = AF_INET6;
	}
	return a;
}

static int try_as(struct login_throttle *g, const char *address, int uid,
		  const char *name, const char *hash, const char *password)
{
	const struct sockaddr_storage peer = from(address);
	const struct login_attempt q = { .peer = &peer,
					 .has_uid = uid >= 0,
					 .uid = (uid_t)uid,
					 .name = name,
					 .hash = hash,
					 .password = password,
					 .n = strlen(password) };

	return login_throttle_check(g, &q);
}

static int try(struct login_throttle *g, const char *address, const char *name,
	       const char *hash, const char *password)
{
	return try_as(g, address, -1, name, hash, password);
}

#define DAY_MS (24 * 3600 * 1000LL)

static void right_is_known_for_a_day(void **state)
{
	struct login_throttle *g = open_guesses();

	row_number("right", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	row_number("again", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	row_number("from elsewhere", try(g, "10.0.0.2", "bob", "x", "x"), 1);
	row_number("looked at once", calls, 1);
	row_number("another's name", try(g, "10.0.0.1", "eve", "y", "x"), 0);
	row_number("another hash", try(g, "10.0.0.3", "bob", "y", "x"), 0);
	row_number("both were looked at", calls, 3);
	clock_ms += DAY_MS - 1000;
	row_number("nearly a day later", try(g, "10.0.0.1", "bob", "x", "x"),
		   1);
	clock_ms += DAY_MS - 1000;
	row_number("and once more", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	row_number("known", calls, 3);
	clock_ms += DAY_MS + 1;
	row_number("a day without it", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	row_number("looked at again", calls, 4);
	login_throttle_free(g);
}

/* Others behind the same proxy guess, or send what was right yesterday. */
static void right_is_not_locked_out(void **state)
{
	struct login_throttle *g = open_guesses();
	int64_t start;
	char word[16];

	row_number("right", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	for (int i = 0; i < 20; i++) {
		snprintf(word, sizeof(word), "w%d", i);
		row_number(word, try(g, "10.0.0.1", "bob", "x", word), 0);
	}
	start = clock_ms;
	row_number("who was right", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	row_number("at once", clock_ms - start, 0);
	row_number("another of that name", try(g, "10.0.0.1", "bob", "y", "y"),
		   1);
	row_check("soon", clock_ms - start <= 2050);
	login_throttle_free(g);
}

static void wrong_is_known_too(void **state)
{
	struct login_throttle *g = open_guesses();
	int64_t start;

	row_number("wrong", try(g, "10.0.0.1", "bob", "x", "old"), 0);
	start = clock_ms;
	for (int i = 0; i < 100; i++)
		row_number("again", try(g, "10.0.0.1", "bob", "x", "old"), 0);
	row_number("looked at once", calls, 1);
	row_number("and told late", clock_ms - start, 100 * 1000);
	start = clock_ms;
	row_number("who is right", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	row_number("does not wait for that", clock_ms - start, 0);
	row_number("a new hash is another guess",
		   try(g, "10.0.0.1", "bob", "old", "old"), 1);
	clock_ms += 700000;
	row_number("much later", try(g, "10.0.0.1", "bob", "x", "old"), 0);
	row_number("it is looked at again", calls, 4);
	login_throttle_free(g);
}

static void many_that_are_right(void **state)
{
	struct login_throttle *g = open_guesses();
	char name[16];

	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		row_number(name, try(g, "10.0.0.1", name, "x", "x"), 1);
	}
	row_number("each was looked at", calls, 600);
	row_number("the last is known", try(g, "10.0.0.1", name, "x", "x"), 1);
	row_number("still", calls, 600);
	login_throttle_free(g);
}

static void nobody_costs_the_same(void **state)
{
	struct login_throttle *g = open_guesses();

	row_number("nobody", try(g, "10.0.0.1", "eve", NULL, "x"), 0);
	row_number("was looked at", calls, 1);
	row_equal("against", last_hash, "alike");
	row_number("even with that password",
		   try(g, "10.0.0.2", "eve", NULL, "alike"), 0);
	row_number("and again", try(g, "10.0.0.3", "eve", NULL, "alike"), 0);
	row_number("never right", calls, 2);
	login_throttle_free(g);
}

static const struct {
	const char *sentence, *first, *second, *name;
	bool slowed;
	int uids[2]; /* 0: not known, else one more */
} rows[] = {
	{ "the same address and name", "10.0.0.1", "10.0.0.1", "bob", true },
	{ "another name", "10.0.0.1", "10.0.0.1", "eve", false },
	{ "another address", "10.0.0.1", "10.0.0.2", "bob", false },
	{ "the same in a newer dress", "10.0.0.1", "::ffff:10.0.0.1", "bob",
	  true },
	{ "a neighbour of the same network", "2001:db8::1", "2001:db8::2",
	  "bob", true },
	{ "another address of this machine", "127.0.0.1", "127.0.0.2", "bob",
	  true },
	{ "its newer one", "127.0.0.1", "::1", "bob", true },
	{ "another network", "2001:db8::1", "2001:db8:1::1", "bob", false },
	{ "another user of this machine",
	  "127.0.0.1",
	  "127.0.0.1",
	  "bob",
	  false,
	  { 1001, 1002 } },
	{ "the same user", "127.0.0.1", "::1", "bob", true, { 1001, 1001 } },
	{ "one and one who cannot be seen",
	  "127.0.0.1",
	  "127.0.0.1",
	  "bob",
	  false,
	  { 1001, 0 } },
};

static void wrong_ones_wait(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct login_throttle *g = open_guesses();
		int64_t start = clock_ms, took;

		row_number(rows[i].sentence,
			   try_as(g, rows[i].first, rows[i].uids[0] - 1, "bob",
				  "x", "1"),
			   0);
		row_number("the first at once", clock_ms - start, 0);
		row_number(rows[i].sentence,
			   try_as(g, rows[i].second, rows[i].uids[1] - 1,
				  rows[i].name, "x", "2"),
			   0);
		took = clock_ms - start;
		row_check(rows[i].sentence,
			  rows[i].slowed ? took >= 250 : took == 0);
		login_throttle_free(g);
	}
}

/* By how much the next one waits, within the 50 ms that are chance. */
static void each_waits_longer(void **state)
{
	static const int waits[] = { 0, 250, 500, 1000, 2000, 2000, 2000 };
	struct login_throttle *g = open_guesses();
	char word[16];

	for (size_t i = 0; i < COUNT(waits); i++) {
		int64_t start = clock_ms, took;

		snprintf(word, sizeof(word), "w%zu", i);
		row_number(word, try(g, "10.0.0.1", "bob", "x", word), 0);
		took = clock_ms - start;
		row_check(word, took >= waits[i] && took <= waits[i] + 50);
	}
	clock_ms += 700000;
	row_number("much later", try(g, "10.0.0.1", "bob", "x", "z1"), 0);
	row_number("forgotten", try(g, "10.0.0.2", "bob", "x", "z2"), 0);
	login_throttle_free(g);
}

/* A turn with the right password delays no client. */
static void right_costs_no_turn(void **state)
{
	struct login_throttle *g = open_guesses();
	int64_t start;

	row_number("wrong", try(g, "10.0.0.1", "bob", "x", "1"), 0);
	start = clock_ms;
	row_number("right", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	row_check("waits", clock_ms - start >= 250);
	start = clock_ms;
	row_number("wrong again", try(g, "10.0.0.1", "bob", "x", "2"), 0);
	row_number("at once", clock_ms - start, 0);
	start = clock_ms;
	row_number("and again", try(g, "10.0.0.1", "bob", "x", "3"), 0);
	row_check("what was wrong still counts", clock_ms - start >= 500);
	login_throttle_free(g);
}

/* ---- many at once ---- */

#define CROWD 40

struct guesser {
	struct login_throttle *g;
	char name[16], password[16];
	int rc;
};

static void *one_of_a_crowd(void *arg)
{
	struct guesser *q = arg;

	q->rc = try(q->g, "10.0.0.1", q->name, "x", q->password);
	return NULL;
}

static void run_crowd(struct login_throttle *g, bool many_names,
		      bool many_passwords, struct guesser crowd[CROWD])
{
	pthread_t threads[CROWD];

	for (int i = 0; i < CROWD; i++) {
		crowd[i].g = g;
		snprintf(crowd[i].name, sizeof(crowd[i].name), "user%d",
			 many_names ? i : 0);
		strcpy(crowd[i].password, "x");
		if (many_passwords)
			snprintf(crowd[i].password, sizeof(crowd[i].password),
				 "w%d", i);
		assert_int_equal(pthread_create(&threads[i], NULL,
						one_of_a_crowd, &crowd[i]),
				 0);
	}
	for (int i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
}

static void two_at_once(void **state)
{
	struct login_throttle *g = open_guesses();
	struct guesser crowd[CROWD];

	crowded = true;
	work_ms = 5;
	run_crowd(g, true, false, crowd);
	for (int i = 0; i < CROWD; i++)
		row_number("right", crowd[i].rc, 1);
	row_number("each was looked at", calls, CROWD);
	row_check("two at once", most_at_once <= 2);
	login_throttle_free(g);
}

/* The first is looked at until all the others wait for it. */
static void a_client_that_begins_with_many(void **state)
{
	struct login_throttle *g = open_guesses();
	struct guesser crowd[CROWD];

	wanted = CROWD - 1;
	run_crowd(g, false, false, crowd);
	for (int i = 0; i < CROWD; i++)
		row_number("right", crowd[i].rc, 1);
	row_number("the others waited", parked, CROWD - 1);
	row_number("looked at once", calls, 1);
	login_throttle_free(g);
}

static void guessing_in_parallel_does_not_help(void **state)
{
	struct login_throttle *g = open_guesses();
	struct guesser crowd[CROWD];
	int wrong = 0, put_off = 0;
	int64_t start;

	crowded = true;
	start = now_ms();
	run_crowd(g, false, true, crowd);
	for (int i = 0; i < CROWD; i++) {
		wrong += crowd[i].rc == 0;
		put_off += crowd[i].rc == -EAGAIN;
	}
	row_number("answered all", wrong + put_off, CROWD);
	/* after 250, 500 and 1000 ms, then one in two seconds */
	row_check("a few were looked at",
		  wrong == calls && calls <= 5 + (now_ms() - start) / 2000);
	login_throttle_free(g);
}

SUITE(login_throttle)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_is_known_for_a_day),
		cmocka_unit_test(right_is_not_locked_out),
		cmocka_unit_test(wrong_is_known_too),
		cmocka_unit_test(many_that_are_right),
		cmocka_unit_test(nobody_costs_the_same),
		cmocka_unit_test(wrong_ones_wait),
		cmocka_unit_test(each_waits_longer),
		cmocka_unit_test(right_costs_no_turn),
		cmocka_unit_test(two_at_once),
		cmocka_unit_test(a_client_that_begins_with_many),
		cmocka_unit_test(guessing_in_parallel_does_not_help),
	};

	digest_init();
	return cmocka_run_group_tests_name("login_throttle", tests, NULL, NULL);
}
