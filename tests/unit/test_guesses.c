/* Guesses at passwords: what they cost, and whom they cost it. */
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
#include "gateway/guesses.h"

static atomic_int calls, at_once, most_at_once, work_ms;
static atomic_llong later_ms;
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
	at_once--;
	return n == strlen(hash) && !memcmp(hash, password, n);
}

static int64_t now_ms(void)
{
	return clock_mono_ms() + later_ms;
}

static const struct guesses_ops ops = { matches, now_ms };

static struct guesses *open_guesses(void)
{
	struct guesses *g = guesses_new("alike", &ops);

	calls = most_at_once = work_ms = 0;
	later_ms = 0;
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
		in->sin_port = htons((uint16_t)(later_ms + 1000));
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		a.ss_family = AF_INET6;
	}
	return a;
}

static int try(struct guesses *g, const char *address, const char *name,
	       const char *hash, const char *password)
{
	const struct sockaddr_storage peer = from(address);
	const struct guess q = { .peer = &peer,
				 .name = name,
				 .hash = hash,
				 .password = password,
				 .n = strlen(password) };

	return guesses_check(g, &q);
}

static void right_is_known_for_a_minute(void **state)
{
	struct guesses *g = open_guesses();

	row_number("right", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	row_number("again", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	row_number("from elsewhere", try(g, "10.0.0.2", "bob", "x", "x"), 1);
	row_number("looked at once", calls, 1);
	row_number("another's name", try(g, "10.0.0.1", "eve", "y", "x"), 0);
	row_number("another hash", try(g, "10.0.0.3", "bob", "y", "x"), 0);
	row_number("both were looked at", calls, 3);
	later_ms = 59000;
	row_number("nearly a minute later", try(g, "10.0.0.1", "bob", "x", "x"),
		   1);
	row_number("known", calls, 3);
	later_ms = 60100;
	row_number("a minute later", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	row_number("looked at again", calls, 4);
	guesses_free(g);
}

static void many_that_are_right(void **state)
{
	struct guesses *g = open_guesses();
	char name[16];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		row_number(name, try(g, "10.0.0.1", name, "x", "x"), 1);
	}
	row_number("each was looked at", calls, 200);
	row_number("the last is known", try(g, "10.0.0.1", name, "x", "x"), 1);
	row_number("still", calls, 200);
	guesses_free(g);
}

static void nobody_costs_the_same(void **state)
{
	struct guesses *g = open_guesses();

	row_number("nobody", try(g, "10.0.0.1", "eve", NULL, "x"), 0);
	row_number("was looked at", calls, 1);
	row_equal("against", last_hash, "alike");
	row_number("even with that password",
		   try(g, "10.0.0.2", "eve", NULL, "alike"), 0);
	row_number("and again", try(g, "10.0.0.3", "eve", NULL, "alike"), 0);
	row_number("never known", calls, 3);
	guesses_free(g);
}

static const struct {
	const char *sentence, *first, *second, *name;
	bool slowed;
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
};

static void wrong_ones_wait(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct guesses *g = open_guesses();
		int64_t start = clock_mono_ms(), took;

		row_number(rows[i].sentence,
			   try(g, rows[i].first, "bob", "x", "1"), 0);
		row_check("the first at once", clock_mono_ms() - start < 200);
		start = clock_mono_ms();
		row_number(rows[i].sentence,
			   try(g, rows[i].second, rows[i].name, "x", "2"), 0);
		took = clock_mono_ms() - start;
		row_check(rows[i].sentence,
			  rows[i].slowed ? took >= 240 : took < 200);
		guesses_free(g);
	}
}

static void each_waits_longer_and_is_forgiven(void **state)
{
	struct guesses *g = open_guesses();
	int64_t start = clock_mono_ms();

	for (int i = 0; i < 3; i++)
		row_number("wrong", try(g, "10.0.0.1", "bob", "x", "w"), 0);
	row_check("250 and 500 ms", clock_mono_ms() - start >= 740);
	start = clock_mono_ms();
	row_number("right", try(g, "10.0.0.1", "bob", "x", "x"), 1);
	row_check("waits too", clock_mono_ms() - start >= 900);
	start = clock_mono_ms();
	row_number("wrong again", try(g, "10.0.0.1", "bob", "x", "w"), 0);
	row_check("forgiven", clock_mono_ms() - start < 200);
	later_ms = 700000;
	start = clock_mono_ms();
	row_number("much later", try(g, "10.0.0.1", "bob", "x", "w"), 0);
	row_check("forgotten", clock_mono_ms() - start < 200);
	guesses_free(g);
}

/* ---- many at once ---- */

#define CROWD 40

struct guesser {
	struct guesses *g;
	char name[16], password[16];
	int rc;
};

static void *one_of_a_crowd(void *arg)
{
	struct guesser *q = arg;

	q->rc = try(q->g, "10.0.0.1", q->name, "x", q->password);
	return NULL;
}

static void run_crowd(struct guesses *g, bool many_names, bool many_passwords,
		      struct guesser crowd[CROWD])
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
	struct guesses *g = open_guesses();
	struct guesser crowd[CROWD];

	work_ms = 5;
	run_crowd(g, true, false, crowd);
	for (int i = 0; i < CROWD; i++)
		row_number("right", crowd[i].rc, 1);
	row_number("each was looked at", calls, CROWD);
	row_check("two at once", most_at_once <= 2);
	guesses_free(g);
}

static void a_client_that_begins_with_many(void **state)
{
	struct guesses *g = open_guesses();
	struct guesser crowd[CROWD];

	work_ms = 50;
	run_crowd(g, false, false, crowd);
	for (int i = 0; i < CROWD; i++)
		row_number("right", crowd[i].rc, 1);
	row_number("looked at once", calls, 1);
	guesses_free(g);
}

static void guessing_in_parallel_does_not_help(void **state)
{
	struct guesses *g = open_guesses();
	struct guesser crowd[CROWD];
	int wrong = 0, put_off = 0;

	run_crowd(g, false, true, crowd);
	for (int i = 0; i < CROWD; i++) {
		wrong += crowd[i].rc == 0;
		put_off += crowd[i].rc == -EAGAIN;
	}
	row_number("answered all", wrong + put_off, CROWD);
	row_check("a few were looked at", calls <= 7 && wrong == calls);
	guesses_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_is_known_for_a_minute),
		cmocka_unit_test(many_that_are_right),
		cmocka_unit_test(nobody_costs_the_same),
		cmocka_unit_test(wrong_ones_wait),
		cmocka_unit_test(each_waits_longer_and_is_forgiven),
		cmocka_unit_test(two_at_once),
		cmocka_unit_test(a_client_that_begins_with_many),
		cmocka_unit_test(guessing_in_parallel_does_not_help),
	};

	digest_init();
	return cmocka_run_group_tests_name("guesses", tests, NULL, NULL);
}
