/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <signal.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/waiter.h"

int thread_start(pthread_t *out, const char *name, void *(*run)(void *arg),
		 void *arg)
{
	static const int faults[] = { SIGSEGV, SIGBUS,  SIGFPE,
				      SIGILL,  SIGTRAP, SIGABRT };
	sigset_t all, before;
	int rc;

	/* A thread inherits its starter's mask. What it causes itself stays,
	 * so that a debugger or a sanitizer sees it. */
	sigfillset(&all);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(out, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		pthread_setname_np(*out, name);
	return rc;
}

/* ---- a task ---- */

LOCK_GUARDS(task_locked, thread_task, thread_task_locked);

static bool thread_task_is_over(struct thread_task *t)
{
	return LOCK_UNDER(&t->lock, task_locked(t)->over);
}

/* A waiter lives as long as its thread, and the end may come before it. */
static void thread_task_set_waiter(struct thread_task *t, struct waiter *w)
{
	lock_take(&t->lock);
	task_locked(t)->waiter = w;
	if (w && task_locked(t)->over)
		waiter_interrupt(w);
	lock_drop(&t->lock);
}

static void *thread_task_run(void *arg)
{
	struct thread_task *t = arg;

	thread_task_set_waiter(t, waiter_self());
	t->run(t->arg);
	thread_task_set_waiter(t, NULL);
	return NULL;
}

int thread_task_start(struct thread_task *t, const char *name,
		      void (*run)(void *arg), void *arg)
{
	int rc;

	*t = (struct thread_task){ .run = run, .arg = arg };
	lock_init(&t->lock, LOCK_THREAD_TASK);
	rc = thread_start(&t->thread, name, thread_task_run, t);
	t->started = !rc;
	if (rc)
		lock_destroy(&t->lock);
	return rc;
}

bool thread_task_sleep(struct thread_task *t, int64_t ms)
{
	int64_t until_ms = clock_mono_ms() + ms;
	int rc = 0;

	while (!rc && !thread_task_is_over(t))
		rc = waiter_park(waiter_self(), until_ms);
	return !thread_task_is_over(t);
}

void thread_task_stop(struct thread_task *t)
{
	if (!t->started)
		return;
	lock_take(&t->lock);
	task_locked(t)->over = true;
	if (task_locked(t)->waiter)
		waiter_interrupt(task_locked(t)->waiter);
	lock_drop(&t->lock);
	pthread_join(t->thread, NULL);
	lock_destroy(&t->lock);
	t->started = false;
}
