/*
 * A waiter is a permit, a mutex and a condition variable. Unpark grants the
 * permit, park consumes it, so an unpark that comes first is not lost.
 *
 * A waiter is freed when its thread ends. Nobody has it on a list by then:
 * every wait removes its entry before it returns, and an interrupt comes only
 * while an operation runs.
 */
#include "base/wait.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/lock.h"

struct waiter_locked {
	bool permit;
	bool interrupted;
};

struct waiter {
	struct lock lock;
	pthread_cond_t cond;
	struct waiter_locked guarded_;
};

static __thread struct waiter self;
static __thread bool self_ready;

static struct waiter_locked *waiter_locked(struct waiter *w) REQUIRES(&w->lock)
{
	return &w->guarded_;
}

struct waiter *waiter_self(void)
{
	if (!self_ready) {
		pthread_condattr_t attr;

		lock_init(&self.lock);
		pthread_condattr_init(&attr);
		pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
		pthread_cond_init(&self.cond, &attr);
		pthread_condattr_destroy(&attr);
		self_ready = true;
	}
	return &self;
}

void waiter_begin(struct waiter *w)
{
	lock_take(&w->lock);
	waiter_locked(w)->interrupted = false;
	lock_drop(&w->lock);
}

static int sleep_locked(struct waiter *w, int64_t until_ms) REQUIRES(&w->lock)
{
	struct timespec ts = {
		.tv_sec = until_ms / 1000,
		.tv_nsec = until_ms % 1000 * 1000000,
	};

	if (until_ms == WAIT_FOREVER)
		return pthread_cond_wait(&w->cond, &w->lock.mutex);
	return pthread_cond_timedwait(&w->cond, &w->lock.mutex, &ts);
}

static int park(struct waiter *w, int64_t until_ms, bool interruptible)
{
	struct waiter_locked *g;
	int err = 0;

	lock_take(&w->lock);
	g = waiter_locked(w);
	while (!g->permit && !(interruptible && g->interrupted) && !err)
		err = sleep_locked(w, until_ms);
	if (interruptible && g->interrupted)
		err = -EINTR;
	else if (g->permit)
		err = 0;
	else
		err = -ETIMEDOUT;
	g->permit = false;
	lock_drop(&w->lock);
	return err;
}

int waiter_park(struct waiter *w, int64_t until_ms)
{
	return park(w, until_ms, true);
}

int waiter_park_uninterrupted(struct waiter *w, int64_t until_ms)
{
	return park(w, until_ms, false);
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

int waiter_interrupted(struct waiter *w)
{
	int interrupted;

	lock_take(&w->lock);
	interrupted = waiter_locked(w)->interrupted;
	lock_drop(&w->lock);
	return interrupted;
}

void wait_list_add(struct wait_list *l, struct wait_entry *e)
{
	e->prev = NULL;
	e->next = l->head;
	if (l->head)
		l->head->prev = e;
	l->head = e;
}

void wait_list_remove(struct wait_list *l, struct wait_entry *e)
{
	if (e->prev)
		e->prev->next = e->next;
	else
		l->head = e->next;
	if (e->next)
		e->next->prev = e->prev;
}

void wait_list_wake(struct wait_list *l)
{
	for (struct wait_entry *e = l->head; e; e = e->next)
		waiter_unpark(e->waiter);
}

int wait_list_empty(const struct wait_list *l)
{
	return !l->head;
}
