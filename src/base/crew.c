#include "base/crew.h"

#include <errno.h>
#include <pthread.h>

#include "base/lock.h"
#include "base/thread.h"
#include "base/wait.h"

struct crew_locked {
	size_t next; /* piece */
	int err; /* the first failure: nothing new */
	unsigned running;
	struct waiter *members[CREW_MAX]; /* of those that run */
};

struct crew {
	size_t n;
	int (*work)(void *arg, size_t k);
	void *arg;
	struct waiter *leader;
	struct lock lock;
	struct crew_locked guarded_;
};

static struct crew_locked *crew_locked(struct crew *c) REQUIRES(c->lock)
{
	return &c->guarded_;
}

static bool take_piece(struct crew *c, size_t *k)
{
	struct crew_locked *g;
	bool more;

	lock_take(&c->lock);
	g = crew_locked(c);
	more = !g->err && g->next < c->n;
	if (more)
		*k = g->next++;
	lock_drop(&c->lock);
	return more;
}

static void fail(struct crew *c, int err)
{
	lock_take(&c->lock);
	if (!crew_locked(c)->err)
		crew_locked(c)->err = err;
	lock_drop(&c->lock);
}

static void work_on(struct crew *c)
{
	size_t k;

	while (take_piece(c, &k)) {
		int err = c->work(c->arg, k);

		if (err)
			fail(c, err);
	}
}

/* A member's place in `members`, which is his while he runs. */
static void sign(struct crew *c, struct waiter *from, struct waiter *to)
{
	struct crew_locked *g;

	lock_take(&c->lock);
	g = crew_locked(c);
	for (unsigned k = 0; k < CREW_MAX; k++) {
		if (g->members[k] == from) {
			g->members[k] = to;
			break;
		}
	}
	if (!to && --g->running == 0)
		waiter_unpark(c->leader);
	lock_drop(&c->lock);
}

static void *member(void *arg)
{
	struct crew *c = arg;
	struct waiter *self = waiter_self();

	waiter_begin(self);
	sign(c, NULL, self);
	work_on(c);
	sign(c, self, NULL);
	return NULL;
}

static void interrupt_all(struct crew *c)
{
	struct crew_locked *g;

	lock_take(&c->lock);
	g = crew_locked(c);
	if (!g->err)
		g->err = -EINTR;
	for (unsigned k = 0; k < CREW_MAX; k++)
		if (g->members[k])
			waiter_interrupt(g->members[k]);
	lock_drop(&c->lock);
}

static unsigned running(struct crew *c)
{
	unsigned n;

	lock_take(&c->lock);
	n = crew_locked(c)->running;
	lock_drop(&c->lock);
	return n;
}

static unsigned hire(struct crew *c, pthread_t *list, unsigned threads)
{
	unsigned n = 0;

	if (threads > CREW_MAX)
		threads = CREW_MAX;
	if (threads > c->n)
		threads = c->n;
	while (n < threads) {
		lock_take(&c->lock);
		crew_locked(c)->running++;
		lock_drop(&c->lock);
		if (thread_start(&list[n], "parallel", member, c)) {
			lock_take(&c->lock);
			crew_locked(c)->running--;
			lock_drop(&c->lock);
			break;
		}
		n++;
	}
	return n;
}

int crew_run(unsigned threads, size_t n, int (*work)(void *arg, size_t k),
	     void *arg, bool interruptible)
{
	struct crew c = {
		.n = n, .work = work, .arg = arg, .leader = waiter_self()
	};
	pthread_t list[CREW_MAX];
	unsigned hired;
	int err;

	lock_init(&c.lock, LOCK_PARALLEL);
	hired = hire(&c, list, threads);
	if (!hired)
		work_on(&c); /* no thread to be had: by ourselves */
	while (running(&c)) {
		if (!interruptible)
			waiter_park_uninterrupted(c.leader, WAIT_FOREVER);
		else if (waiter_park(c.leader, WAIT_FOREVER) == -EINTR) {
			interrupt_all(&c);
			interruptible = false;
		}
	}
	while (hired)
		pthread_join(list[--hired], NULL);
	lock_take(&c.lock);
	err = crew_locked(&c)->err;
	lock_drop(&c.lock);
	lock_destroy(&c.lock);
	return err;
}
