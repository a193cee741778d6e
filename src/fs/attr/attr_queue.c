/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change is in one of these places:
 *
 *   waiting  until the burst is due
 *   leaving  its thread, or one of the task's, asks the store
 *   (gone)   stored, or refused
 *
 * An inode that is dirty and is changed again is waiting already. What changes
 * while it is leaving makes it dirty again, and it waits once more.
 */
#include "fs/attr/attr_queue.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/thread.h"
#include "base/waiter.h"
#include "fs/attr/attr_send.h"
#include "fs/names/burst.h"
#include "fs/names/inode_meta.h"
#include "stage/stage.h"

#define AT_ONCE 32
#define REFUSED_MAX 1024

struct attr_change {
	struct inode *inode; /* referenced */
	int64_t since_ms;
	int rc; /* of one that was refused */
	struct attr_change *prev, *next;
};

struct attr_queue_locked {
	struct attr_change *waiting, *leaving, *refused;
	unsigned n_refused;
	struct burst burst; /* of those that wait */
	int64_t last_ms; /* when the last one came; 0: none has */
	struct waiter_list waiters; /* for one to go */
	struct waiter_list idle; /* the task's */
};

struct attr_queue {
	struct tree *tree;
	_Atomic(bool) any; /* something is in one of the lists */
	struct thread_task task; /* begins with the first that is gathered */
	struct lock lock;
	struct attr_queue_locked guarded_;
};

LOCK_GUARDS(attr_queue_locked, attr_queue, attr_queue_locked);

struct attr_queue *attr_queue_new(struct tree *t)
{
	struct attr_queue *q = calloc(1, sizeof(*q));

	if (q) {
		q->tree = t;
		lock_init(&q->lock, LOCK_ATTR_QUEUE);
	}
	return q;
}

static void attr_change_free(struct attr_queue *q, struct attr_change *c)
{
	inode_unref(q->tree, c->inode);
	free(c);
}

static void attr_queue_note_any_locked(struct attr_queue *q) REQUIRES(&q->lock)
{
	struct attr_queue_locked *g = attr_queue_locked(q);

	atomic_store(&q->any, g->waiting || g->leaving || g->refused);
}

/* ---- one ---- */

static void attr_change_log(struct attr_queue *q, const struct attr_change *c)
{
	struct inode_object o;
	struct log_where where = { .err = c->rc };
	int rc = inode_object(q->tree, c->inode, &o);

	where.stage = o.stage ? o.stage->name : NULL;
	where.key = rc ? NULL : buf_str(&o.key);
	log_at(LOG_LEVEL_ERROR, &where,
	       "changed attributes were not stored after all: they are what "
	       "they were");
	inode_object_clear(&o);
}

/* It has left the list of those that leave. */
static void attr_queue_refuse_locked(struct attr_queue *q,
				     struct attr_change *c) REQUIRES(&q->lock)
{
	struct attr_queue_locked *g = attr_queue_locked(q);

	DL_APPEND(g->refused, c);
	g->n_refused++;
}

/* heard: its program has the answer. */
static void attr_queue_end(struct attr_queue *q, struct attr_change *c,
			   bool heard)
{
	struct attr_queue_locked *g;
	bool kept;

	if (c->rc && !heard)
		attr_change_log(q, c);
	lock_take(&q->lock);
	g = attr_queue_locked(q);
	DL_DELETE(g->leaving, c);
	kept = c->rc && !heard && g->n_refused < REFUSED_MAX;
	if (kept)
		attr_queue_refuse_locked(q, c);
	attr_queue_note_any_locked(q);
	waiter_list_wake(&g->waiters);
	lock_drop(&q->lock);
	if (!kept)
		attr_change_free(q, c);
}

/* ---- the task ---- */

struct attr_batch {
	struct attr_queue *queue;
	struct attr_change **changes;
	size_t n;
};

static int attr_batch_send(void *arg, size_t k)
{
	struct attr_batch *b = arg;
	struct attr_change *c = b->changes[k];

	c->rc = attr_send(b->queue->tree, c->inode);
	attr_queue_end(b->queue, c, false);
	return 0;
}

static void attr_queue_fill_locked(struct attr_queue *q, struct attr_batch *b)
	REQUIRES(&q->lock)
{
	struct attr_queue_locked *g = attr_queue_locked(q);
	struct attr_change *c, *next;

	b->changes = calloc(g->burst.n, sizeof(struct attr_change *));
	if (!b->changes)
		return;
	DL_FOREACH_SAFE(g->waiting, c, next) {
		DL_DELETE(g->waiting, c);
		DL_APPEND(g->leaving, c);
		b->changes[b->n++] = c;
	}
	g->burst = (struct burst){ 0 };
}

/* Sleeps until there is something to be sent. 0 or -EINTR. */
static int attr_queue_next(struct attr_queue *q, struct attr_batch *b)
{
	struct attr_queue_locked *g;
	int64_t now_ms, until_ms;
	int rc = 0;

	lock_take(&q->lock);
	g = attr_queue_locked(q);
	while (rc != -EINTR && !b->n) {
		now_ms = clock_mono_ms();
		until_ms = burst_due_ms(now_ms, &g->burst);
		if (until_ms <= now_ms) {
			attr_queue_fill_locked(q, b);
			until_ms = now_ms + BURST_MS; /* without memory */
		}
		if (!b->n)
			rc = waiter_list_sleep(&g->idle, &q->lock, until_ms);
	}
	lock_drop(&q->lock);
	return rc == -EINTR ? rc : 0;
}

static void attr_queue_run(void *arg)
{
	struct attr_batch b = { .queue = arg };

	while (!attr_queue_next(b.queue, &b)) {
		parallel_run(AT_ONCE, b.n, attr_batch_send, &b, false);
		free(b.changes);
		b = (struct attr_batch){ .queue = arg };
	}
	free(b.changes);
}

/* ---- the operations ---- */

static bool attr_queue_gathers_locked(struct attr_queue *q, int64_t now_ms,
				      bool made) REQUIRES(&q->lock)
{
	struct attr_queue_locked *g = attr_queue_locked(q);

	if (!burst_gathers(now_ms, &g->burst, made ? now_ms : g->last_ms))
		return false;
	return q->task.started ||
	       !thread_task_start(&q->task, "attributes", attr_queue_run, q);
}

int attr_queue_add(struct attr_queue *q, struct inode *i, bool made)
{
	struct attr_change *c = calloc(1, sizeof(*c));
	int64_t now_ms = clock_mono_ms();
	struct attr_queue_locked *g;
	bool gathered;
	int rc;

	if (!c)
		return attr_send(q->tree, i);
	c->inode = inode_ref(q->tree, i);
	c->since_ms = now_ms;
	lock_take(&q->lock);
	g = attr_queue_locked(q);
	gathered = attr_queue_gathers_locked(q, now_ms, made);
	g->last_ms = now_ms;
	if (gathered) {
		if (!g->waiting)
			g->burst.oldest_ms = now_ms;
		DL_APPEND(g->waiting, c);
		g->burst.n++;
		if (g->burst.n == 1 || g->burst.n == BURST_BATCH)
			waiter_list_wake(&g->idle);
	} else {
		DL_APPEND(g->leaving, c);
	}
	attr_queue_note_any_locked(q);
	lock_drop(&q->lock);
	if (gathered)
		return 0;
	rc = c->rc = attr_send(q->tree, i);
	attr_queue_end(q, c, true);
	return rc;
}

static bool attr_list_has(struct tree *t, const struct attr_change *list,
			  struct inode *i)
{
	const struct attr_change *c;

	DL_FOREACH(list, c)
		if (!i || inode_is_below(t, c->inode, i))
			return true;
	return false;
}

static bool attr_queue_has_locked(struct attr_queue *q, struct inode *i)
	REQUIRES(&q->lock)
{
	const struct attr_queue_locked *g = attr_queue_locked(q);

	return attr_list_has(q->tree, g->waiting, i) ||
	       attr_list_has(q->tree, g->leaving, i);
}

/* i NULL: any. */
static int attr_queue_take_refusal(struct attr_queue *q, struct inode *i)
{
	struct attr_queue_locked *g;
	struct attr_change *c;
	int rc = 0;

	lock_take(&q->lock);
	g = attr_queue_locked(q);
	DL_FOREACH(g->refused, c)
		if (!i || inode_is_below(q->tree, c->inode, i))
			break;
	if (c) {
		rc = c->rc;
		DL_DELETE(g->refused, c);
		g->n_refused--;
		attr_queue_note_any_locked(q);
	}
	lock_drop(&q->lock);
	if (c)
		attr_change_free(q, c);
	return rc;
}

static int attr_queue_wait(struct attr_queue *q, struct inode *i,
			   bool interruptible)
{
	struct attr_queue_locked *g;
	int rc = 0;

	lock_take(&q->lock);
	g = attr_queue_locked(q);
	if (attr_queue_has_locked(q, i)) {
		g->burst.needed = g->burst.n;
		waiter_list_wake(&g->idle);
	}
	while (!rc && attr_queue_has_locked(q, i))
		rc = interruptible
			     ? waiter_list_sleep(&g->waiters, &q->lock,
						 WAIT_FOREVER)
			     : waiter_list_sleep_uninterrupted(
				       &g->waiters, &q->lock, WAIT_FOREVER);
	lock_drop(&q->lock);
	return rc;
}

int attr_queue_settle(struct attr_queue *q, struct inode *i)
{
	int rc;

	if (!atomic_load(&q->any))
		return 0;
	rc = attr_queue_wait(q, i, true);
	return rc ? rc : attr_queue_take_refusal(q, i);
}

void attr_queue_free(struct attr_queue *q)
{
	if (!q)
		return;
	attr_queue_wait(q, NULL, false);
	thread_task_stop(&q->task);
	while (attr_queue_take_refusal(q, NULL))
		;
	lock_destroy(&q->lock);
	free(q);
}
