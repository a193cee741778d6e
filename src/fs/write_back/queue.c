/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which worker sends what, and when. Workers begin with the work,
 * WRITE_BACK_WIDTH at most, and sleep until the next change is due. A worker
 * that takes a change while the next one is due too wakes another.
 *
 * A change leaves in the step that makes it superfluous: published (under the
 * turn of its content), removed or replaced (under the claim of its name). So
 * a worker that comes later finds nothing to do.
 */
#include "fs/write_back/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "fs/write_back/journal.h"
#include "stage/stage.h"

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 300000
#define RETRY_REFUSED_MS 60000 /* what will hardly be another answer soon */

/* ---- the list ---- */

static struct queued *queue_find_locked(struct write_back *w,
					const struct inode *i)
	REQUIRES(&w->lock)
{
	struct queued *q;

	HASH_FIND_PTR(queue_locked(w)->index, &i, q);
	return q;
}

static void queue_unlink_locked(struct write_back *w, struct queued *q)
	REQUIRES(&w->lock)
{
	struct queue_locked *g = queue_locked(w);

	if (q->failed)
		DL_DELETE(g->failed, q);
	else
		DL_DELETE(g->waiting, q);
	g->n_failed -= q->failed;
	q->failed = false;
}

/* Behind those that are due earlier; most come last. */
static void queue_link_locked(struct write_back *w, struct queued *q,
			      bool failed) REQUIRES(&w->lock)
{
	struct queue_locked *g = queue_locked(w);
	struct queued **list = failed ? &g->failed : &g->waiting;
	struct queued *after = *list ? (*list)->prev : NULL;

	while (after && after->due_ms > q->due_ms)
		after = after == *list ? NULL : after->prev;
	if (after)
		DL_APPEND_ELEM(*list, after, q);
	else
		DL_PREPEND(*list, q);
	q->failed = failed;
	g->n_failed += failed;
}

void queue_unref(struct write_back *w, struct queued *q)
{
	struct tree *tree = w->set.env->tree;
	bool last;

	lock_take(&w->lock);
	last = !--q->refs;
	lock_drop(&w->lock);
	if (!last)
		return;
	if (q->file)
		file_close(q->file);
	inode_unref(tree, q->inode);
	free(q->ending);
	free(q);
}

/* A flush need not wait for it any more. */
static void queue_unwant_locked(struct write_back *w, struct queued *q)
	REQUIRES(&w->lock)
{
	queue_locked(w)->n_wanted -= q->wanted;
	q->wanted = false;
}

/* It is in no list any more. */
static void queue_leave_locked(struct write_back *w, struct queued *q)
	REQUIRES(&w->lock)
{
	struct queue_locked *g = queue_locked(w);

	queue_unwant_locked(w, q);
	queue_unlink_locked(w, q);
	HASH_DEL(g->index, q);
	q->gone = true;
	inode_set_pending(w->set.env->tree, q->inode, false);
	g->n--;
	g->bytes -= q->bytes;
	g->n_spilled -= q->spilled;
	atomic_store(&w->any, g->n);
	waiter_list_wake(&g->changed);
}

uint64_t queue_leave(struct write_back *w, struct inode *i)
{
	struct queued *q;
	uint64_t id;

	if (!atomic_load(&w->any))
		return 0;
	lock_take(&w->lock);
	q = queue_find_locked(w, i);
	if (q)
		queue_leave_locked(w, q);
	lock_drop(&w->lock);
	if (!q)
		return 0;
	id = q->id;
	queue_unref(w, q);
	return id;
}

void queue_remove(struct write_back *w, struct inode *i)
{
	uint64_t id = queue_leave(w, i);

	if (id)
		journal_gone(w->journal, id);
}

uint64_t queue_find(struct write_back *w, struct inode *i)
{
	struct queued *q;
	uint64_t id;

	if (!atomic_load(&w->any))
		return 0;
	lock_take(&w->lock);
	q = queue_find_locked(w, i);
	id = q ? q->id : 0;
	lock_drop(&w->lock);
	return id;
}

int queue_list(struct write_back *w, struct inode *i, struct queued ***out,
	       size_t *n)
{
	struct tree *tree = w->set.env->tree;
	struct queued *q, *next;
	size_t cap = 0;
	int rc = 0;

	*out = NULL;
	*n = 0;
	lock_take(&w->lock);
	HASH_ITER(hh, queue_locked(w)->index, q, next) {
		if (rc || !inode_is_below(tree, q->inode, i))
			continue;
		rc = ARRAY_RESERVE(*out, cap, *n + 1);
		if (rc)
			continue;
		q->refs++;
		(*out)[(*n)++] = q;
	}
	lock_drop(&w->lock);
	return rc;
}

/* ---- sending ---- */

/* Another attempt will hardly fare better before something is changed. */
static bool queue_is_refused(int rc)
{
	return rc == -EACCES || rc == -EPERM || rc == -EROFS || rc == -ENOSPC ||
	       rc == -EDQUOT || rc == -EFBIG || rc == -ESTALE ||
	       rc == -ENAMETOOLONG || rc == -EINVAL;
}

static int64_t queue_retry_ms(const struct queued *q)
{
	int64_t ms = (int64_t)RETRY_MIN_MS << number_min(q->tries, 9);

	if (queue_is_refused(q->rc) && ms < RETRY_REFUSED_MS)
		ms = RETRY_REFUSED_MS;
	return number_min(ms, RETRY_MAX_MS);
}

static void queue_log(struct queued *q, struct tree *tree, int rc)
{
	static const char *const what =
		"cannot be sent yet: what was written is kept on the local "
		"disk, and tried again";
	INODE_OBJECT_LOCAL o = { 0 };

	if (q->file) {
		file_log(q->file, LOG_LEVEL_ERROR, rc, what);
		return;
	}
	inode_object(tree, q->inode, &o);
	log_at(LOG_LEVEL_ERROR,
	       &(struct log_where){ .stage = o.stage ? o.stage->name : NULL,
				    .key = buf_str(&o.key),
				    .rc = rc },
	       "%s", what);
}

/* Its name was removed or replaced while it was to be sent: the thread that
 * does that is about to take it out of the queue, once his own record is
 * written. */
static bool queue_is_removed(struct write_back *w, struct queued *q)
{
	struct tree *tree = w->set.env->tree;

	return inode_is_orphan(tree, q->inode) &&
	       !inode_is_lost(tree, q->inode);
}

/* It is not due any more, and no flush has to wait for it. */
static void queue_put_off_locked(struct write_back *w, struct queued *q)
	REQUIRES(&w->lock)
{
	queue_unwant_locked(w, q);
	queue_unlink_locked(w, q);
	q->due_ms = INT64_MAX;
	queue_link_locked(w, q, false);
}

/* After an attempt. What has left the queue by it is no more of a concern. */
static bool queue_settle_locked(struct write_back *w, struct queued *q, int rc,
				bool removed) REQUIRES(&w->lock)
{
	struct queue_locked *g = queue_locked(w);
	bool first = false;

	q->sending = false;
	g->n_sending--;
	if (!q->gone && removed) {
		queue_put_off_locked(w, q);
	} else if (!q->gone && rc != -EINTR) {
		/* Without an error its content was given up at the end of the
		 * mount: the journal has what was accepted. */
		/* That a store does not answer is said once, of all. */
		first = queue_is_refused(rc) && !q->tries;
		q->rc = rc ? rc : -ECANCELED;
		queue_unwant_locked(w, q);
		queue_unlink_locked(w, q);
		q->due_ms =
			rc ? clock_mono_ms() + queue_retry_ms(q) : INT64_MAX;
		queue_link_locked(w, q, true);
		q->tries++;
		if (rc && g->ends && !queue_is_refused(rc))
			g->stopped = true;
	}
	waiter_list_wake(&g->changed);
	return first;
}

/* What is due of the failed ones waits again. */
static void queue_retry_locked(struct write_back *w, int64_t now_ms)
	REQUIRES(&w->lock)
{
	struct queue_locked *g = queue_locked(w);

	while (g->failed && g->failed->due_ms <= now_ms) {
		struct queued *q = g->failed;

		queue_unlink_locked(w, q);
		queue_link_locked(w, q, false);
	}
}

static struct queued *queue_next_locked(struct write_back *w) REQUIRES(&w->lock)
{
	struct queued *q;

	DL_FOREACH(queue_locked(w)->waiting, q)
		if (!q->sending)
			return q;
	return NULL;
}

/* When the next one is due. */
static int64_t queue_due_locked(struct write_back *w) REQUIRES(&w->lock)
{
	struct queue_locked *g = queue_locked(w);
	struct queued *q = queue_next_locked(w);
	int64_t due_ms = q ? q->due_ms : WAIT_FOREVER;

	if (g->failed && g->failed->due_ms < due_ms)
		due_ms = g->failed->due_ms;
	return g->stopped ? WAIT_FOREVER : due_ms;
}

static void queue_work(void *arg);

void queue_call_locked(struct write_back *w)
{
	struct queue_locked *g = queue_locked(w);

	if (g->idle.head) {
		waiter_unpark(g->idle.head->waiter);
	} else if (!g->stopped && g->n_workers < WRITE_BACK_WIDTH &&
		   !thread_task_start(&w->workers[g->n_workers], "write-back",
				      queue_work, w)) {
		g->n_workers++;
	}
}

/* Sleeps until one is due, and takes it; NULL: the end. */
static struct queued *queue_take(struct write_back *w)
{
	struct queue_locked *g;
	struct queued *q = NULL;
	int64_t now_ms;
	int rc = 0;

	lock_take(&w->lock);
	g = queue_locked(w);
	while (rc != -EINTR && !q) {
		now_ms = clock_mono_ms();
		queue_retry_locked(w, now_ms);
		if (queue_due_locked(w) <= now_ms) {
			q = queue_next_locked(w);
		} else {
			rc = waiter_list_sleep(&g->idle, &w->lock,
					       queue_due_locked(w));
		}
	}
	if (q) {
		q->sending = true;
		q->refs++;
		g->n_sending++;
		/* One sleeps until the next one is due, or takes it. */
		if (queue_next_locked(w) &&
		    (!g->idle.head || queue_due_locked(w) <= now_ms))
			queue_call_locked(w);
	}
	lock_drop(&w->lock);
	return q;
}

static void queue_work(void *arg)
{
	struct write_back *w = arg;
	struct queued *q;
	bool first, idle, removed;
	int rc;

	while ((q = queue_take(w))) {
		rc = w->send(w, q);
		removed = !rc && queue_is_removed(w, q);
		lock_take(&w->lock);
		first = queue_settle_locked(w, q, rc, removed);
		idle = !queue_locked(w)->n_sending && !queue_locked(w)->waiting;
		lock_drop(&w->lock);
		if (first)
			queue_log(q, w->set.env->tree, rc);
		queue_unref(w, q);
		/* What was sent is not sent again after a power cut. */
		if (idle)
			journal_flush(w->journal);
		if (rc == -EINTR)
			return;
	}
}

void queue_stop(struct write_back *w)
{
	struct queue_locked *g;
	struct queued *q;
	unsigned n;

	lock_take(&w->lock);
	g = queue_locked(w);
	g->stopped = true;
	n = g->n_workers;
	lock_drop(&w->lock);
	for (unsigned k = 0; k < n; k++)
		thread_task_stop(&w->workers[k]);
	do {
		lock_take(&w->lock);
		q = g->index;
		if (q)
			queue_leave_locked(w, q);
		lock_drop(&w->lock);
		if (q)
			queue_unref(w, q);
	} while (q);
}

bool queue_wait_sent(struct write_back *w, struct inode *i)
{
	struct queue_locked *g;
	struct queued *q;
	bool there;

	lock_take(&w->lock);
	g = queue_locked(w);
	WAITER_LIST_UNTIL(&g->changed, &w->lock, false,
			  !(q = queue_find_locked(w, i)) || !q->sending);
	/* One that was tried may be there. */
	there = q && !q->tries;
	lock_drop(&w->lock);
	return there;
}

/* ---- coming in ---- */

static bool queue_has_room_locked(struct write_back *w, struct inode *i,
				  uint64_t bytes) REQUIRES(&w->lock)
{
	struct queue_locked *g = queue_locked(w);

	return queue_find_locked(w, i) || !g->n ||
	       (g->n < w->set.names_max && g->n_spilled < w->files_max &&
		g->bytes + bytes <= w->set.bytes_max);
}

int queue_wait_room(struct write_back *w, struct inode *i, uint64_t bytes)
{
	struct queue_locked *g;
	int rc = 0;

	lock_take(&w->lock);
	g = queue_locked(w);
	rc = WAITER_LIST_UNTIL(&g->changed, &w->lock, true,
			       queue_has_room_locked(w, i, bytes));
	lock_drop(&w->lock);
	return rc;
}

static struct queued *queue_new(struct write_back *w,
				const struct queue_change *c)
{
	struct queued *q = calloc(1, sizeof(*q));
	char *ending = q && c->ending ? strdup(c->ending) : NULL;

	if (!q || (c->ending && !ending)) {
		if (c->file)
			file_close(c->file);
		free(q);
		return NULL;
	}
	q->inode = inode_ref(w->set.env->tree, c->inode);
	q->file = c->file;
	q->id = c->id;
	q->ending = ending;
	q->refs = 1;
	return q;
}

/* The caller has claimed i. */
int queue_put(struct write_back *w, const struct queue_change *c)
{
	struct queued *fresh = queue_new(w, c), *q;
	struct queue_locked *g;
	bool enters;

	if (!fresh)
		return -ENOMEM;
	lock_take(&w->lock);
	g = queue_locked(w);
	q = queue_find_locked(w, c->inode);
	enters = !q;
	if (enters) {
		q = fresh;
		HASH_ADD_PTR(g->index, inode, q);
		inode_set_pending(w->set.env->tree, c->inode, true);
		g->n++;
		atomic_store(&w->any, g->n);
	} else {
		queue_unlink_locked(w, q);
		free(q->ending);
		q->ending = NULL;
	}
	g->bytes += c->bytes - q->bytes;
	q->bytes = c->bytes;
	g->n_spilled += c->spilled - q->spilled;
	q->spilled = c->spilled;
	q->rc = 0;
	q->tries = 0;
	q->due_ms = clock_mono_ms() + (q->wanted ? 0 : c->delay_ms);
	queue_link_locked(w, q, false);
	if (!g->idle.head || queue_next_locked(w) == q)
		queue_call_locked(w);
	lock_drop(&w->lock);
	if (!enters)
		queue_unref(w, fresh);
	return 0;
}
