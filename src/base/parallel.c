/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include <errno.h>
#include <pthread.h>

#include "base/lock.h"
#include "base/thread.h"
#include "base/waiter.h"

struct parallel_locked {
	size_t next; /* piece */
	int rc; /* the first failure: nothing new */
	unsigned running;
	struct waiter *members[PARALLEL_MOST]; /* of those that run */
};

struct parallel {
	size_t n;
	int (*work)(void *arg, size_t k);
	void *arg;
	struct waiter *starter;
	int64_t began_ms; /* its work */
	struct lock lock;
	struct parallel_locked guarded_;
};

LOCK_GUARDS(parallel_locked, parallel, parallel_locked);

static bool parallel_take(struct parallel *c, size_t *k)
{
	struct parallel_locked *g;
	bool more;

	lock_take(&c->lock);
	g = parallel_locked(c);
	more = !g->rc && g->next < c->n;
	if (more)
		*k = g->next++;
	lock_drop(&c->lock);
	return more;
}

static void parallel_fail(struct parallel *c, int rc)
{
	lock_take(&c->lock);
	if (!parallel_locked(c)->rc)
		parallel_locked(c)->rc = rc;
	lock_drop(&c->lock);
}

static void parallel_work(struct parallel *c)
{
	size_t k;

	while (parallel_take(c, &k)) {
		int rc = c->work(c->arg, k);

		if (rc)
			parallel_fail(c, rc);
	}
}

/* A member's place in `members`, which it has while it runs. */
static void parallel_sign(struct parallel *c, struct waiter *from,
			  struct waiter *to)
{
	struct parallel_locked *g;

	lock_take(&c->lock);
	g = parallel_locked(c);
	for (unsigned k = 0; k < PARALLEL_MOST; k++) {
		if (g->members[k] == from) {
			g->members[k] = to;
			break;
		}
	}
	if (!to && --g->running == 0)
		waiter_unpark(c->starter);
	lock_drop(&c->lock);
}

static void *parallel_member(void *arg)
{
	struct parallel *c = arg;
	struct waiter *self = waiter_self();

	waiter_begin(self);
	waiter_set_began(self, c->began_ms);
	parallel_sign(c, NULL, self);
	parallel_work(c);
	parallel_sign(c, self, NULL);
	return NULL;
}

static void parallel_interrupt(struct parallel *c)
{
	struct parallel_locked *g;

	lock_take(&c->lock);
	g = parallel_locked(c);
	if (!g->rc)
		g->rc = -EINTR;
	for (unsigned k = 0; k < PARALLEL_MOST; k++)
		if (g->members[k])
			waiter_interrupt(g->members[k]);
	lock_drop(&c->lock);
}

static unsigned parallel_running(struct parallel *c)
{
	return LOCK_UNDER(&c->lock, parallel_locked(c)->running);
}

static unsigned parallel_start(struct parallel *c, pthread_t *list,
			       unsigned threads)
{
	unsigned n = 0;

	if (threads > PARALLEL_MOST)
		threads = PARALLEL_MOST;
	if (threads > c->n)
		threads = c->n;
	while (n < threads) {
		LOCK_DO(&c->lock, parallel_locked(c)->running++);
		if (thread_start(&list[n], "parallel", parallel_member, c)) {
			LOCK_DO(&c->lock, parallel_locked(c)->running--);
			break;
		}
		n++;
	}
	return n;
}

int parallel_run(unsigned threads, size_t n, int (*work)(void *arg, size_t k),
		 void *arg, bool interruptible)
{
	struct parallel c = {
		.n = n, .work = work, .arg = arg, .starter = waiter_self()
	};
	pthread_t list[PARALLEL_MOST];
	unsigned started;
	int rc;

	lock_init(&c.lock, LOCK_PARALLEL);
	c.began_ms = waiter_began(c.starter);
	started = parallel_start(&c, list, threads);
	if (!started)
		parallel_work(&c); /* no thread to be had: by ourselves */
	while (parallel_running(&c)) {
		if (!interruptible)
			waiter_park_uninterrupted(c.starter, WAIT_FOREVER);
		else if (waiter_park(c.starter, WAIT_FOREVER) == -EINTR) {
			parallel_interrupt(&c);
			interruptible = false;
		}
	}
	while (started)
		pthread_join(list[--started], NULL);
	rc = LOCK_UNDER(&c.lock, parallel_locked(&c)->rc);
	lock_destroy(&c.lock);
	return rc;
}
