/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takers stand in a queue, and only its head may be served: a small taker
 * never overtakes a large one, so the large one ends. The thread that gives
 * bytes back serves the queue on the spot (the bytes are counted as the
 * waiter's before it wakes), so no other taker can slip in between.
 *
 * What a cache keeps may become free without a call that gives it back (a
 * reader lets go of a block that the cache holds on to). So the head asks for
 * it anew every RETRY_MS, and the taker that becomes head is woken to do so.
 * One thread at a time polls, and only while the budget is used up.
 */
#include "base/budget.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/metric.h"
#include "base/number.h"
#include "base/waiter.h"

#define RETRY_MS 20

/* A place in the queue, on the taker's stack. */
struct ticket {
	struct waiter *waiter;
	size_t bytes;
	bool served; /* bytes are the waiter's, and it stands here no more */
	struct ticket *prev, *next;
};

struct budget_locked {
	size_t used; /* at most limit */
	size_t peak;
	struct ticket *queue;
};

struct budget {
	size_t limit;
	void (*reclaim)(void *arg, size_t bytes);
	void *reclaim_arg;
	struct lock lock;
	struct budget_locked guarded_;
};

LOCK_GUARDS(budget_locked, budget, budget_locked);

struct budget *budget_new(size_t limit)
{
	struct budget *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->limit = limit;
	lock_init(&b->lock, LOCK_BUDGET);
	return b;
}

void budget_free(struct budget *b)
{
	if (!b)
		return;
	lock_destroy(&b->lock);
	free(b);
}

void budget_on_pressure(struct budget *b, void (*reclaim)(void *, size_t),
			void *arg)
{
	b->reclaim = reclaim;
	b->reclaim_arg = arg;
}

static void budget_reclaim(struct budget *b, size_t bytes)
{
	if (b->reclaim && bytes)
		b->reclaim(b->reclaim_arg, bytes);
}

static bool budget_use_locked(struct budget *b, size_t bytes) REQUIRES(&b->lock)
{
	struct budget_locked *g = budget_locked(b);

	if (bytes > b->limit - g->used)
		return false;
	g->used += bytes;
	g->peak = number_max(g->used, g->peak);
	return true;
}

/* How much is missing until so many bytes are free. */
static size_t budget_missing_locked(struct budget *b, size_t bytes)
	REQUIRES(&b->lock)
{
	size_t free_bytes = b->limit - budget_locked(b)->used;

	return bytes > free_bytes ? bytes - free_bytes : 0;
}

/* Takes the bytes, or tells how many are missing; 0 when others wait. */
static bool budget_try_once(struct budget *b, size_t bytes, size_t *missing)
{
	bool done = false;

	*missing = 0;
	lock_take(&b->lock);
	if (!budget_locked(b)->queue) {
		done = budget_use_locked(b, bytes);
		*missing = budget_missing_locked(b, bytes);
	}
	lock_drop(&b->lock);
	return done;
}

bool budget_try(struct budget *b, size_t bytes)
{
	size_t missing;

	if (bytes > b->limit)
		return false;
	if (budget_try_once(b, bytes, &missing))
		return true;
	if (!missing)
		return false;
	budget_reclaim(b, missing);
	return budget_try_once(b, bytes, &missing);
}

bool budget_try_idle(struct budget *b, size_t bytes, unsigned permille)
{
	size_t ceiling =
		b->limit / 1000 * permille + b->limit % 1000 * permille / 1000;
	struct budget_locked *g;
	bool done = false;

	lock_take(&b->lock);
	g = budget_locked(b);
	if (!g->queue && g->used <= ceiling && bytes <= ceiling - g->used)
		done = budget_use_locked(b, bytes);
	lock_drop(&b->lock);
	return done;
}

/* Serves from the head while there is enough; a new head is told to reclaim. */
static void budget_serve_locked(struct budget *b) REQUIRES(&b->lock)
{
	struct budget_locked *g = budget_locked(b);
	struct ticket *old_head = g->queue, *t;

	while ((t = g->queue) && budget_use_locked(b, t->bytes)) {
		DL_DELETE(g->queue, t);
		t->served = true;
		waiter_unpark(t->waiter);
	}
	if (g->queue && g->queue != old_head)
		waiter_unpark(g->queue->waiter);
}

static void budget_leave_locked(struct budget *b, struct ticket *t)
	REQUIRES(&b->lock)
{
	struct budget_locked *g = budget_locked(b);
	bool was_head = g->queue == t;

	DL_DELETE(g->queue, t);
	if (was_head && g->queue) {
		waiter_unpark(g->queue->waiter);
		budget_serve_locked(b);
	}
}

/*
 * One look at one's place in the queue: true when served. *until_ms comes
 * nearer for the head, and *missing is what it should reclaim before it parks.
 */
static bool budget_look(struct budget *b, struct ticket *t, int64_t *until_ms,
			size_t *missing)
{
	int64_t retry_ms = clock_mono_ms() + RETRY_MS;
	bool served;

	*missing = 0;
	lock_take(&b->lock);
	served = t->served;
	if (!served && budget_locked(b)->queue == t) {
		*missing = budget_missing_locked(b, t->bytes);
		if (retry_ms < *until_ms)
			*until_ms = retry_ms;
	}
	lock_drop(&b->lock);
	return served;
}

/* Parks until served. On failure the ticket has left the queue. */
static int budget_wait_in_turn(struct budget *b, struct ticket *t,
			       int64_t until_ms)
{
	size_t missing;
	bool served;
	int rc;

	for (;;) {
		int64_t wake_ms = until_ms;

		if (budget_look(b, t, &wake_ms, &missing))
			return 0;
		budget_reclaim(b, missing);
		rc = waiter_park(t->waiter, wake_ms);
		if (rc == -ETIMEDOUT && clock_mono_ms() < until_ms)
			rc = 0;
		if (rc)
			break;
	}
	lock_take(&b->lock);
	served = t->served;
	if (!served)
		budget_leave_locked(b, t);
	lock_drop(&b->lock);
	return served ? 0 : rc;
}

int budget_take(struct budget *b, size_t bytes, int64_t until_ms)
{
	struct ticket t = { .waiter = waiter_self(), .bytes = bytes };
	bool served = false;

	if (bytes > b->limit)
		return -EFBIG;
	lock_take(&b->lock);
	if (!budget_locked(b)->queue)
		served = budget_use_locked(b, bytes);
	if (!served)
		DL_APPEND(budget_locked(b)->queue, &t);
	lock_drop(&b->lock);
	return served ? 0 : budget_wait_in_turn(b, &t, until_ms);
}

void budget_give(struct budget *b, size_t bytes)
{
	lock_take(&b->lock);
	assert(bytes <= budget_locked(b)->used);
	budget_locked(b)->used -= bytes;
	budget_serve_locked(b);
	lock_drop(&b->lock);
}

size_t budget_limit(const struct budget *b)
{
	return b->limit;
}

size_t budget_used(struct budget *b)
{
	return LOCK_UNDER(&b->lock, budget_locked(b)->used);
}

size_t budget_peak(struct budget *b)
{
	return LOCK_UNDER(&b->lock, budget_locked(b)->peak);
}

void budget_write_metrics(struct budget *b, struct buf *out)
{
	metric_one(out, "memory_bytes", "gauge", "Object data in memory.",
		   budget_used(b));
	metric_one(out, "memory_peak_bytes", "gauge", "The most it has been.",
		   budget_peak(b));
	metric_one(out, "memory_limit_bytes", "gauge", "The setting `memory`.",
		   budget_limit(b));
}
