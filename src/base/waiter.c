/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A waiter is a permit, a mutex and a condition variable. Unpark grants the
 * permit, park consumes it, so an unpark that comes first is not lost.
 *
 * A waiter is freed when its thread ends. No list has it by then: every wait
 * removes its entry before it returns, and an interrupt comes only while an
 * operation runs.
 */
#include "base/waiter.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <time.h>
#include <utlist.h>

#include "base/clock.h"

struct waiter_locked {
	bool permit;
	bool interrupted;
	waiter_judge *judge;
	void *arg;
	int64_t asked_ms; /* when waiter_ask() first came; WAIT_FOREVER: not */
	int64_t judge_ms; /* when the judge is next asked; WAIT_FOREVER */
};

struct waiter {
	struct lock lock;
	pthread_cond_t cond;
	struct waiter_locked guarded_;
	int64_t began_ms; /* the owner's; waiter_set_began() */
};

static __thread struct waiter self;
static __thread bool self_ready;

LOCK_GUARDS(waiter_locked, waiter, waiter_locked);

struct waiter *waiter_self(void)
{
	if (!self_ready) {
		pthread_condattr_t attr;

		lock_init(&self.lock, LOCK_WAITER);
		self.guarded_.asked_ms = WAIT_FOREVER;
		self.guarded_.judge_ms = WAIT_FOREVER;
		self.began_ms = WAIT_FOREVER;
		pthread_condattr_init(&attr);
		pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
		pthread_cond_init(&self.cond, &attr);
		pthread_condattr_destroy(&attr);
		self_ready = true;
	}
	return &self;
}

void waiter_begin_judged(struct waiter *w, waiter_judge *judge, void *arg)
{
	struct waiter_locked *g;

	lock_take(&w->lock);
	g = waiter_locked(w);
	g->interrupted = false;
	g->judge = judge;
	g->arg = arg;
	g->asked_ms = g->judge_ms = WAIT_FOREVER;
	lock_drop(&w->lock);
}

void waiter_begin(struct waiter *w)
{
	waiter_begin_judged(w, NULL, NULL);
}

void waiter_set_began(struct waiter *w, int64_t ms)
{
	w->began_ms = ms;
}

int64_t waiter_began(const struct waiter *w)
{
	return w->began_ms;
}

static bool waiter_is_due_locked(struct waiter *w) REQUIRES(&w->lock)
{
	struct waiter_locked *g = waiter_locked(w);

	return !g->interrupted && clock_mono_ms() >= g->judge_ms;
}

/* The judge reads files: it is asked without the lock. */
static void waiter_consult(struct waiter *w)
{
	struct waiter_locked *g;
	int64_t since_ms;
	waiter_judge *ask;
	void *arg;
	bool due, over;

	lock_take(&w->lock);
	g = waiter_locked(w);
	due = waiter_is_due_locked(w);
	since_ms = g->asked_ms;
	ask = g->judge;
	arg = g->arg;
	lock_drop(&w->lock);
	if (!due)
		return;
	over = ask(arg, since_ms);
	lock_take(&w->lock);
	g->interrupted |= over;
	g->judge_ms = clock_mono_ms() + WAITER_JUDGE_MS;
	lock_drop(&w->lock);
}

static int waiter_sleep_locked(struct waiter *w, int64_t until_ms)
	REQUIRES(&w->lock)
{
	struct timespec ts = {
		.tv_sec = until_ms / 1000,
		.tv_nsec = until_ms % 1000 * 1000000,
	};

	if (until_ms == WAIT_FOREVER)
		return pthread_cond_wait(&w->cond, &w->lock.mutex);
	return pthread_cond_timedwait(&w->cond, &w->lock.mutex, &ts);
}

/* 0, -EINTR, -ETIMEDOUT, or -EAGAIN: it is time for the judge. */
static int waiter_sleep(struct waiter *w, int64_t until_ms, bool interruptible)
{
	struct waiter_locked *g;
	bool due = false;
	int rc = 0;

	lock_take(&w->lock);
	g = waiter_locked(w);
	while (!g->permit && !(interruptible && g->interrupted) && !due &&
	       !(rc && clock_mono_ms() >= until_ms)) {
		bool first = interruptible && g->judge_ms < until_ms;

		rc = waiter_sleep_locked(w, first ? g->judge_ms : until_ms);
		due = interruptible && waiter_is_due_locked(w);
	}
	if (interruptible && g->interrupted)
		rc = -EINTR;
	else if (g->permit)
		rc = 0;
	else
		rc = due ? -EAGAIN : -ETIMEDOUT;
	if (rc != -EAGAIN)
		g->permit = false;
	lock_drop(&w->lock);
	return rc;
}

int waiter_park(struct waiter *w, int64_t until_ms)
{
	int rc;

	do {
		waiter_consult(w);
		rc = waiter_sleep(w, until_ms, true);
	} while (rc == -EAGAIN);
	return rc;
}

int waiter_park_uninterrupted(struct waiter *w, int64_t until_ms)
{
	return waiter_sleep(w, until_ms, false);
}

void waiter_unpark(struct waiter *w)
{
	lock_take(&w->lock);
	waiter_locked(w)->permit = true;
	pthread_cond_signal(&w->cond);
	lock_drop(&w->lock);
}

void waiter_interrupt(struct waiter *w)
{
	lock_take(&w->lock);
	waiter_locked(w)->interrupted = true;
	pthread_cond_signal(&w->cond);
	lock_drop(&w->lock);
}

void waiter_ask(struct waiter *w)
{
	struct waiter_locked *g;

	lock_take(&w->lock);
	g = waiter_locked(w);
	if (g->judge && g->asked_ms == WAIT_FOREVER)
		g->asked_ms = g->judge_ms = clock_mono_ms();
	pthread_cond_signal(&w->cond);
	lock_drop(&w->lock);
}

int waiter_interrupted(struct waiter *w)
{
	waiter_consult(w);
	return LOCK_UNDER(&w->lock, waiter_locked(w)->interrupted);
}

void waiter_list_add(struct waiter_list *l, struct waiter_entry *e)
{
	DL_PREPEND(l->head, e);
}

void waiter_list_remove(struct waiter_list *l, struct waiter_entry *e)
{
	DL_DELETE(l->head, e);
}

void waiter_list_wake(struct waiter_list *l)
{
	for (struct waiter_entry *e = l->head; e; e = e->next)
		waiter_unpark(e->waiter);
}

int waiter_list_wait(struct waiter_list *l, struct lock *lock, int64_t until_ms,
		     bool interruptible)
{
	struct waiter_entry e = { .waiter = waiter_self() };
	int rc;

	waiter_list_add(l, &e);
	lock_drop(lock);
	rc = interruptible ? waiter_park(e.waiter, until_ms)
			   : waiter_park_uninterrupted(e.waiter, until_ms);
	lock_take(lock);
	waiter_list_remove(l, &e);
	return rc;
}

int waiter_list_sleep(struct waiter_list *l, struct lock *lock,
		      int64_t until_ms)
{
	return waiter_list_wait(l, lock, until_ms, true);
}

int waiter_list_sleep_uninterrupted(struct waiter_list *l, struct lock *lock,
				    int64_t until_ms)
{
	return waiter_list_wait(l, lock, until_ms, false);
}
