/*
 * Threads that want to know the same, and what each is told.
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/waiter.h"
#include "fs/questions.h"

#define THREADS 8

static char places[2]; /* what stands for directories here */
#define DIR(n) ((struct inode *)&places[n])

static void begins_alone(void **state)
{
	struct questions *q = questions_new();
	int told = 0;

	/* other names, other directories: nobody waits */
	assert_int_equal(questions_begin(q, DIR(0), "a", &told), 1);
	assert_int_equal(questions_begin(q, DIR(0), "b", &told), 1);
	assert_int_equal(questions_begin(q, DIR(1), "a", &told), 1);
	assert_int_equal(questions_begin(q, DIR(0), "", &told), 1);
	questions_end(q, DIR(0), "b", 0);
	questions_end(q, DIR(0), "a", 0);
	questions_end(q, DIR(0), "", 0);
	questions_end(q, DIR(1), "a", 0);
	/* what has ended is asked anew */
	assert_int_equal(questions_begin(q, DIR(0), "a", &told), 1);
	questions_end(q, DIR(0), "a", -ENOENT);
	questions_free(q);
	questions_free(NULL);
}

struct asker {
	struct questions *q;
	struct waiter *_Atomic waiter;
	int rc, told;
};

static void *ask(void *arg)
{
	struct asker *a = arg;

	waiter_begin(waiter_self());
	a->waiter = waiter_self();
	a->rc = questions_begin(a->q, DIR(0), "name", &a->told);
	if (a->rc == 1)
		questions_end(a->q, DIR(0), "name", 0);
	return NULL;
}

/* All wait for the one that asks; one is interrupted. */
static void shared(void **state)
{
	struct questions *q = questions_new();
	struct asker askers[THREADS] = { { 0 } };
	pthread_t threads[THREADS];
	int told;

	assert_int_equal(questions_begin(q, DIR(0), "name", &told), 1);
	for (unsigned k = 0; k < THREADS; k++) {
		askers[k].q = q;
		pthread_create(&threads[k], NULL, ask, &askers[k]);
	}
	while (!askers[0].waiter)
		usleep(1000);
	waiter_interrupt(askers[0].waiter);
	pthread_join(threads[0], NULL);
	assert_int_equal(askers[0].rc, -EINTR);
	usleep(20000); /* most of them are there by now; all may come late */
	questions_end(q, DIR(0), "name", -EACCES);
	for (unsigned k = 1; k < THREADS; k++) {
		pthread_join(threads[k], NULL);
		if (askers[k].rc)
			assert_int_equal(askers[k].rc, 1);
		else
			assert_true(askers[k].told == -EACCES ||
				    !askers[k].told);
	}
	questions_free(q);
}

/* ---- an answer that is not older than the call ---- */

struct fresh {
	struct questions *q;
	_Atomic(unsigned) version, answer, asking, asks, calls;
};

static void ask_now(struct fresh *f)
{
	assert_int_equal(f->asking++, 0);
	f->asks++;
	f->answer = f->version; /* grows: one asks at a time */
	sched_yield(); /* some come meanwhile */
	f->asking--;
}

static void *ask_again_and_again(void *arg)
{
	struct fresh *f = arg;

	waiter_begin(waiter_self());
	for (unsigned k = 0; k < 3000; k++) {
		unsigned least = ++f->version;
		int told = -1, rc;

		rc = questions_begin_next(f->q, DIR(0), "name", &told);
		if (rc == 1) {
			ask_now(f);
			questions_end(f->q, DIR(0), "name", -ENOENT);
		} else {
			assert_int_equal(rc, 0);
			assert_int_equal(told, -ENOENT);
		}
		f->calls++;
		/* of after the call began */
		assert_true(f->answer >= least);
	}
	return NULL;
}

static void not_older(void **state)
{
	struct fresh f = { .q = questions_new() };
	pthread_t threads[THREADS];

	for (unsigned k = 0; k < THREADS; k++)
		pthread_create(&threads[k], NULL, ask_again_and_again, &f);
	for (unsigned k = 0; k < THREADS; k++)
		pthread_join(threads[k], NULL);
	assert_int_equal(f.calls, THREADS * 3000);
	assert_in_range(f.asks, 1, f.calls);
	print_message("# %u calls, %u questions\n", f.calls, f.asks);
	questions_free(f.q);
}

static void *ask_next(void *arg)
{
	struct asker *a = arg;

	waiter_begin(waiter_self());
	a->waiter = waiter_self();
	a->rc = questions_begin_next(a->q, DIR(0), "name", &a->told);
	if (a->rc == 1)
		questions_end(a->q, DIR(0), "name", -EACCES);
	return NULL;
}

/* Those that come amid one share the next, also when the thread that was to ask
 * it gives up. */
static void next_is_shared(void **state)
{
	struct questions *q = questions_new();
	struct asker askers[THREADS] = { { 0 } };
	unsigned asked = 0, given_up = 0;
	pthread_t threads[THREADS];
	int told;

	assert_int_equal(questions_begin_next(q, DIR(0), "name", &told), 1);
	for (unsigned k = 0; k < THREADS; k++) {
		askers[k].q = q;
		pthread_create(&threads[k], NULL, ask_next, &askers[k]);
		while (!askers[k].waiter)
			usleep(1000);
		usleep(10000); /* it sleeps by now, or comes late */
	}
	/* the first of them is to ask, and then the second */
	for (unsigned k = 0; k < 2; k++) {
		waiter_interrupt(askers[k].waiter);
		pthread_join(threads[k], NULL);
		assert_int_equal(askers[k].rc, -EINTR);
	}
	/* other names are not waited for */
	assert_int_equal(questions_begin_next(q, DIR(1), "name", &told), 1);
	questions_end(q, DIR(1), "name", 0);
	questions_end(q, DIR(0), "name", 0);
	for (unsigned k = 2; k < THREADS; k++) {
		pthread_join(threads[k], NULL);
		asked += askers[k].rc == 1;
		given_up += askers[k].rc < 0;
		if (!askers[k].rc)
			assert_int_equal(askers[k].told, -EACCES);
	}
	assert_int_equal(given_up, 0);
	assert_in_range(asked, 1, THREADS - 2);
	questions_free(q);
}

SUITE(questions)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_alone),
		cmocka_unit_test(shared),
		cmocka_unit_test(not_older),
		cmocka_unit_test(next_is_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
