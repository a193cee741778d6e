/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a thread. It takes no signal: those are for the thread that waits
 * for them.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"

struct waiter;

/* name: what ps(1) shows, at most 15 bytes. 0 or -errno. */
int thread_start(pthread_t *out, const char *name, void *(*run)(void *arg),
		 void *arg);

/* A thread that is asked to end: its waits (base/waiter.h) return early
 * then. */
struct thread_task_locked {
	struct waiter *waiter; /* NULL: it has not begun, or has ended */
	bool over; /* it is to end */
};

struct thread_task {
	void (*run)(void *arg);
	void *arg;
	pthread_t thread;
	bool started;
	struct lock lock;
	struct thread_task_locked guarded_;
};

/* 0 or -errno. Without it the others below do nothing, on zeros. */
int thread_task_start(struct thread_task *t, const char *name,
		      void (*run)(void *arg), void *arg);
/* On the task's own thread. false: it is to end. */
bool thread_task_sleep(struct thread_task *t, int64_t ms);
/* Waits for its end. May be called again. */
void thread_task_stop(struct thread_task *t);

#endif
