/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that want to know the same, and what each is told.
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
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
	int answer = 0;

	/* other names, other directories: no caller waits */
	assert_int_equal(questions_begin(q, DIR(0), "a", &answer), 1);
	assert_int_equal(questions_begin(q, DIR(0), "b", &answer), 1);
	assert_int_equal(questions_begin(q, DIR(1), "a", &answer), 1);
	assert_int_equal(questions_begin(q, DIR(0), "", &answer), 1);
	questions_end(q, DIR(0), "b", 0);
	questions_end(q, DIR(0), "a", 0);
	questions_end(q, DIR(0), "", 0);
	questions_end(q, DIR(1), "a", 0);
	/* what has ended is asked anew */
	assert_int_equal(questions_begin(q, DIR(0), "a", &answer), 1);
	questions_end(q, DIR(0), "a", -ENOENT);
	questions_free(q);
	questions_free(NULL);
}

struct asker {
	struct questions *q;
	struct waiter *_Atomic waiter;
	int rc, answer;
};

static void *ask(void *arg)
{
	struct asker *a = arg;

	waiter_begin(waiter_self());
	a->waiter = waiter_self();
	a->rc = questions_begin(a->q, DIR(0), "name", &a->answer);
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
	int answer;

	assert_int_equal(questions_begin(q, DIR(0), "name", &answer), 1);
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
			assert_true(askers[k].answer == -EACCES ||
				    !askers[k].answer);
	}
	questions_free(q);
}

SUITE(questions)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_alone),
		cmocka_unit_test(shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
