/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change is in one of these places:
 *
 *   waiting  in the queue of its store; the task looks when one is due
 *   leaving  in a batch, which a thread of its own asks of the store
 *   alone    its caller asks the store
 *   refused  until its result is asked for
 *
 * The task begins batches. A thread that has sent its batch goes on with the
 * next one of its queue that is due, and is joined by the task when there is
 * none.
 */
#include "fs/burst/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/number.h"
#include "fs/names/inode.h"
#include "store/store.h"

#define REFUSED_MAX 1024 /* that are kept */

void gather_init(struct gather *g, const struct gather_kind *kind, void *arg,
		 struct tree *t)
{
	g->kind = kind;
	g->arg = arg;
	g->tree = t;
	lock_init(&g->lock, LOCK_GATHER);
}

void gather_drop(struct gather *g, struct gathered *e)
{
	inode_unref(g->tree, e->inode);
	store_unref(e->store);
	g->kind->free(e);
}

void gather_changed_locked(struct gather *g)
{
	struct gather_locked *l = gather_locked(g);

	atomic_store(&g->any, l->queues || l->alone || l->refused);
	waiter_list_wake(&l->waiters);
}

/* ---- queues ---- */

static struct gather_queue *gather_queue_locked(struct gather *g,
						const struct store *s)
	REQUIRES(&g->lock)
{
	struct gather_queue *l;

	DL_FOREACH(gather_locked(g)->queues, l)
		if (l->store == s)
			break;
	return l;
}

static struct gather_queue *gather_make_queue_locked(struct gather *g,
						     const struct store *s)
	REQUIRES(&g->lock)
{
	struct gather_queue *l = calloc(1, sizeof(*l));

	if (l) {
		l->store = s;
		DL_APPEND(gather_locked(g)->queues, l);
	}
	return l;
}

static void gather_queue_idle_locked(struct gather *g, struct gather_queue *l)
	REQUIRES(&g->lock)
{
	if (l->waiting || l->leaving)
		return;
	DL_DELETE(gather_locked(g)->queues, l);
	free(l);
}

static void gather_unqueue(struct gather_queue *l, struct gathered *e)
{
	DL_DELETE(l->waiting, e);
	l->burst.n--;
	l->burst.needed -= l->burst.needed > 0;
	l->burst.oldest_ms = l->waiting ? l->waiting->since_ms : 0;
}

static bool gather_fill(struct gather_queue *l, struct gather_batch *b)
{
	struct gathered *e;
	int64_t now_ms = clock_mono_ms();

	if (burst_due_ms(now_ms, &l->burst) > now_ms)
		return false;
	while ((e = l->waiting) && b->n < b->gather->kind->batch) {
		gather_unqueue(l, e);
		DL_APPEND(b->list, e);
		b->n++;
	}
	return true;
}

/* ---- a batch ---- */

/* True: e is kept. One of an inode is enough. */
static bool gather_refuse_locked(struct gather *g, struct gathered *e)
	REQUIRES(&g->lock)
{
	struct gather_locked *l = gather_locked(g);
	struct gathered *of;

	if (!e->rc || l->n_refused == REFUSED_MAX)
		return false;
	DL_FOREACH(l->refused, of)
		if (of->inode == e->inode)
			return false;
	DL_APPEND(l->refused, e);
	l->n_refused++;
	return true;
}

/* Its list was sent. True: it has another. */
static bool gather_batch_goes_on(struct gather_batch *b)
{
	struct gathered *sent = b->list, *gone = NULL, *e, *next;
	struct gather *g = b->gather;
	bool more;

	lock_take(&g->lock);
	DL_FOREACH_SAFE(sent, e, next) {
		DL_DELETE(sent, e);
		if (!gather_refuse_locked(g, e))
			DL_APPEND(gone, e);
	}
	b->list = NULL;
	b->n = 0;
	more = gather_fill(b->queue, b);
	if (!more) {
		DL_DELETE(b->queue->leaving, b);
		b->queue->n_leaving--;
		gather_queue_idle_locked(g, b->queue);
		DL_APPEND(gather_locked(g)->over, b);
		waiter_list_wake(&gather_locked(g)->idle);
	}
	gather_changed_locked(g);
	lock_drop(&g->lock);
	DL_FOREACH_SAFE(gone, e, next)
		gather_drop(g, e);
	return more;
}

static void *gather_batch_run(void *arg)
{
	struct gather_batch *b = arg;
	struct gather *g = b->gather;

	do {
		waiter_begin(waiter_self());
		g->kind->send(g->arg, b->list, b->n);
	} while (gather_batch_goes_on(b));
	return NULL;
}

/* ---- the task ---- */

/* What is to leave now, of the first queue that has room; else *until_ms is
 * when to look again. */
static struct gather_batch *gather_begin_locked(struct gather *g,
						int64_t *until_ms)
	REQUIRES(&g->lock)
{
	int64_t now_ms = clock_mono_ms(), due_ms;
	struct gather_batch *b;
	struct gather_queue *l;

	*until_ms = WAIT_FOREVER;
	DL_FOREACH(gather_locked(g)->queues, l) {
		if (l->n_leaving == g->kind->at_once)
			continue;
		due_ms = burst_due_ms(now_ms, &l->burst);
		if (due_ms <= now_ms)
			break;
		*until_ms = number_min(due_ms, *until_ms);
	}
	b = l ? calloc(1, sizeof(*b)) : NULL;
	if (l && !b)
		*until_ms = now_ms + BURST_MS; /* without memory */
	if (!b)
		return NULL;
	b->gather = g;
	b->queue = l;
	gather_fill(l, b);
	DL_APPEND(l->leaving, b);
	l->n_leaving++;
	return b;
}

/* Sleeps until *b is to be sent, or others have ended. 0 or -EINTR. */
static int gather_next(struct gather *g, struct gather_batch **b)
{
	struct gather_locked *l;
	int64_t until_ms;
	int rc = 0;

	*b = NULL;
	lock_take(&g->lock);
	l = gather_locked(g);
	while (rc != -EINTR) {
		*b = gather_begin_locked(g, &until_ms);
		if (*b || l->over)
			break;
		rc = waiter_list_sleep(&l->idle, &g->lock, until_ms);
	}
	lock_drop(&g->lock);
	return rc == -EINTR ? rc : 0;
}

static void gather_join(struct gather *g)
{
	struct gather_batch *over, *b, *next;

	lock_take(&g->lock);
	over = gather_locked(g)->over;
	gather_locked(g)->over = NULL;
	lock_drop(&g->lock);
	DL_FOREACH_SAFE(over, b, next) {
		if (b->has_thread)
			pthread_join(b->thread, NULL);
		free(b);
	}
}

static void gather_run(void *arg)
{
	struct gather *g = arg;
	struct gather_batch *b;

	while (!gather_next(g, &b)) {
		if (b) {
			b->has_thread = !thread_start(&b->thread, g->kind->name,
						      gather_batch_run, b);
			if (!b->has_thread)
				gather_batch_run(b);
		}
		gather_join(g);
	}
}

void gather_destroy(struct gather *g)
{
	static const struct gather_want all = { 0 };

	thread_task_stop(&g->task);
	gather_join(g);
	while (gather_take_refusal(g, &all))
		;
	lock_destroy(&g->lock);
}

/* ---- adding ---- */

bool gather_takes_locked(struct gather *g, const struct store *s,
			 int64_t last_ms)
{
	static const struct burst none;
	struct gather_queue *l = gather_queue_locked(g, s);

	if (!burst_gathers(clock_mono_ms(), l ? &l->burst : &none, last_ms))
		return false;
	if (!l && !gather_make_queue_locked(g, s))
		return false;
	return g->task.started ||
	       !thread_task_start(&g->task, g->kind->name, gather_run, g);
}

void gather_put_locked(struct gather *g, struct gathered *e)
{
	struct gather_queue *l = gather_queue_locked(g, e->store);

	e->since_ms = clock_mono_ms();
	if (!l->waiting)
		l->burst.oldest_ms = e->since_ms;
	DL_APPEND(l->waiting, e);
	l->burst.n++;
	if (l->burst.n == 1 || l->burst.n == BURST_BATCH)
		waiter_list_wake(&gather_locked(g)->idle);
	atomic_store(&g->any, true);
}

void gather_take_back_locked(struct gather *g, struct gather_queue *l,
			     struct gathered *e)
{
	gather_unqueue(l, e);
	gather_queue_idle_locked(g, l);
	gather_changed_locked(g);
}

void gather_alone_locked(struct gather *g, struct gathered *e)
{
	DL_APPEND(gather_locked(g)->alone, e);
	atomic_store(&g->any, true);
}

void gather_alone_end(struct gather *g, struct gathered *e)
{
	lock_take(&g->lock);
	DL_DELETE(gather_locked(g)->alone, e);
	gather_changed_locked(g);
	lock_drop(&g->lock);
	gather_drop(g, e);
}

/* ---- waiting ---- */

static bool gather_list_has(struct tree *t, const struct gathered *list,
			    const struct gather_want *w)
{
	const struct gathered *e;

	DL_FOREACH(list, e) {
		if (!w->inode)
			return true;
		if (w->name && strcmp(e->name, w->name))
			continue;
		if (e->inode == w->inode ||
		    (w->below && inode_is_below(t, e->inode, w->inode)))
			return true;
	}
	return false;
}

static bool gather_has_locked(struct gather *g, const struct gather_want *w)
	REQUIRES(&g->lock)
{
	struct gather_locked *l = gather_locked(g);
	struct gather_queue *q;
	struct gather_batch *b;

	DL_FOREACH(l->queues, q) {
		if (gather_list_has(g->tree, q->waiting, w))
			return true;
		DL_FOREACH(q->leaving, b)
			if (gather_list_has(g->tree, b->list, w))
				return true;
	}
	return gather_list_has(g->tree, l->alone, w);
}

/* What waits with one of them leaves now. */
static void gather_need_locked(struct gather *g, const struct gather_want *w)
	REQUIRES(&g->lock)
{
	struct gather_queue *l;

	DL_FOREACH(gather_locked(g)->queues, l) {
		if (!gather_list_has(g->tree, l->waiting, w))
			continue;
		l->burst.needed = l->burst.n;
		waiter_list_wake(&gather_locked(g)->idle);
	}
}

static int gather_wait_until(struct gather *g, const struct gather_want *w,
			     int64_t until_ms, bool interruptible)
{
	int rc;

	if (!atomic_load(&g->any))
		return 0;
	lock_take(&g->lock);
	gather_need_locked(g, w);
	rc = WAITER_LIST_UNTIL_MS(&gather_locked(g)->waiters, &g->lock,
				  until_ms, interruptible,
				  !gather_has_locked(g, w));
	lock_drop(&g->lock);
	return rc;
}

int gather_wait(struct gather *g, const struct gather_want *w)
{
	return gather_wait_until(g, w, WAIT_FOREVER, true);
}

int gather_wait_all(struct gather *g, int64_t until_ms)
{
	static const struct gather_want all = { 0 };

	return gather_wait_until(g, &all, until_ms, false);
}

int gather_take_refusal(struct gather *g, const struct gather_want *w)
{
	struct gather_locked *l;
	struct gathered *e;
	int rc = 0;

	lock_take(&g->lock);
	l = gather_locked(g);
	DL_FOREACH(l->refused, e)
		if (!w->inode || e->inode == w->inode ||
		    (w->below && inode_is_below(g->tree, e->inode, w->inode)))
			break;
	if (e) {
		rc = e->rc;
		DL_DELETE(l->refused, e);
		l->n_refused--;
		gather_changed_locked(g);
	}
	lock_drop(&g->lock);
	if (e)
		gather_drop(g, e);
	return rc;
}

int gather_drain(struct gather *g)
{
	static const struct gather_want all = { 0 };
	int first = 0, rc;

	gather_wait_all(g, WAIT_FOREVER);
	while ((rc = gather_take_refusal(g, &all)))
		first = first ? first : rc;
	return first;
}
