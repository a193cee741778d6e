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
#include "base/number.h"

struct waiter_locked {
	bool permit;
	bool interrupted;
	bool finishes; /* waiter_finish() */
	bool left; /* leave() was called */
	waiter_judge *judge;
	waiter_leave *leave;
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
	g->interrupted = g->finishes = g->left = false;
	g->judge = judge;
	g->leave = NULL;
	g->arg = arg;
	g->asked_ms = g->judge_ms = WAIT_FOREVER;
	lock_drop(&w->lock);
}

void waiter_begin(struct waiter *w)
{
	waiter_begin_judged(w, NULL, NULL);
}

void waiter_set_leave(struct waiter *w, waiter_leave *leave)
{
	LOCK_DO(&w->lock, waiter_locked(w)->leave = leave);
}

void waiter_finish(struct waiter *w)
{
	struct waiter_locked *g;

	lock_take(&w->lock);
	g = waiter_locked(w);
	g->interrupted = false;
	g->finishes = true;
	if (g->asked_ms != WAIT_FOREVER)
		g->judge_ms = clock_mono_ms();
	lock_drop(&w->lock);
}

bool waiter_left(struct waiter *w)
{
	return LOCK_UNDER(&w->lock, waiter_locked(w)->left);
}

void waiter_set_began(struct waiter *w, int64_t ms)
{
	w->began_ms = ms;
}

int64_t waiter_began(const struct waiter *w)
{
	return w->began_ms;
}

/* When the judge is to be asked in such a wait; WAIT_FOREVER: its answer would
 * change nothing. */
static int64_t waiter_judge_ms_locked(struct waiter *w, bool interruptible)
	REQUIRES(&w->lock)
{
	struct waiter_locked *g = waiter_locked(w);
	bool ends = interruptible && !g->finishes;

	return g->interrupted || g->left || (!ends && !g->leave) ? WAIT_FOREVER
								 : g->judge_ms;
}

static bool waiter_is_due_locked(struct waiter *w, bool interruptible)
	REQUIRES(&w->lock)
{
	return clock_mono_ms() >= waiter_judge_ms_locked(w, interruptible);
}

/* The operation is to end, or who waits for it is to be let go: leave() then,
 * else NULL. */
static waiter_leave *waiter_end(struct waiter *w, bool interruptible)
{
	waiter_leave *leave = NULL;
	struct waiter_locked *g;

	lock_take(&w->lock);
	g = waiter_locked(w);
	if (!interruptible || g->finishes) {
		leave = g->leave;
		g->left = true;
	}
	/* What follows such a wait has no reader. */
	g->interrupted |= !g->finishes;
	lock_drop(&w->lock);
	return leave;
}

/* The judge reads files: it is asked without the lock. */
static void waiter_consult(struct waiter *w, bool interruptible)
{
	waiter_leave *leave = NULL;
	struct waiter_locked *g;
	int64_t since_ms;
	waiter_judge *ask;
	void *arg;
	bool due;

	lock_take(&w->lock);
	g = waiter_locked(w);
	due = waiter_is_due_locked(w, interruptible);
	since_ms = g->asked_ms;
	ask = g->judge;
	arg = g->arg;
	lock_drop(&w->lock);
	if (!due)
		return;
	if (ask(arg, since_ms))
		leave = waiter_end(w, interruptible);
	else
		LOCK_DO(&w->lock, waiter_locked(w)->judge_ms =
					  clock_mono_ms() + WAITER_JUDGE_MS);
	if (leave)
		leave(arg);
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
		int64_t judge_ms = waiter_judge_ms_locked(w, interruptible);

		rc = waiter_sleep_locked(w, number_min(judge_ms, until_ms));
		due = waiter_is_due_locked(w, interruptible);
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

static int waiter_park_any(struct waiter *w, int64_t until_ms,
			   bool interruptible)
{
	int rc;

	do {
		waiter_consult(w, interruptible);
		rc = waiter_sleep(w, until_ms, interruptible);
	} while (rc == -EAGAIN);
	return rc;
}

int waiter_park(struct waiter *w, int64_t until_ms)
{
	return waiter_park_any(w, until_ms, true);
}

int waiter_park_uninterrupted(struct waiter *w, int64_t until_ms)
{
	return waiter_park_any(w, until_ms, false);
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
	waiter_consult(w, true);
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
