/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name that is removed is in one of these places:
 *
 *   waiting  in the queue; its task looks when the burst is due
 *   leaving  in a batch, which a thread of its own asks of the store
 *   (gone)   the tree was told what became of it
 *
 * Its absent name in the tree refuses what the store says, and whoever would
 * take it, for all that time (tree_remove_ahead()). So the store is asked to
 * write to the key again only when the removal has come to its end.
 *
 * A batch is of one store; several are under way at once, so that one store
 * that does not answer does not keep another's waiting.
 */
#include "fs/removals.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/waiter.h"
#include "fs/inval_queue.h"
#include "fs/names/burst.h"
#include "fs/state.h"
#include "stage/stage.h"

#define BATCHES_MAX 4 /* under way, of one store */
#define REFUSED_MAX 1024 /* directories whose refusals are kept */

struct removal {
	struct store *store; /* referenced, as are the inodes */
	struct inode *dir, *absent;
	char *key;
	bool keeps; /* with it the directory would vanish */
	bool overtaken; /* an object was put there meanwhile */
	int64_t since_ms;
	int rc;
	struct removal *prev, *next;
};

struct batch {
	struct removals *removals;
	struct removal *list;
	unsigned n;
	struct store *store; /* the list's */
	pthread_t thread;
	bool has_thread; /* else it is the task's */
	struct batch *prev, *next;
};

struct removals_locked {
	struct removal *queue;
	struct burst burst; /* of the queue */
	struct batch *leaving, *over; /* over: their threads are to be joined */
	struct removal *refused; /* dir and rc alone; the oldest first */
	unsigned n_refused;
	struct waiter_list waiters; /* for a batch to end */
	struct waiter_list idle; /* the task's */
};

struct removals {
	struct fs *fs;
	int (*keep)(struct fs *fs, struct inode *dir);
	_Atomic(bool) any; /* something waits, leaves or was refused */
	struct thread_task task; /* begins with the first that is gathered */
	struct lock lock;
	struct removals_locked guarded_;
};

LOCK_GUARDS(removals_locked, removals, removals_locked);

struct removals *removals_new(struct fs *fs,
			      int (*keep)(struct fs *fs, struct inode *dir))
{
	struct removals *r = calloc(1, sizeof(*r));

	if (r) {
		r->fs = fs;
		r->keep = keep;
		lock_init(&r->lock, LOCK_REMOVALS);
	}
	return r;
}

/* In its directory. */
static const char *removal_name(const struct removal *e)
{
	const char *slash = strrchr(e->key, '/');

	return slash ? slash + 1 : e->key;
}

static void removal_free(struct fs *fs, struct removal *e)
{
	if (!e)
		return;
	inode_unref(fs->tree, e->dir);
	store_unref(e->store);
	free(e->key);
	free(e);
}

static void removals_note_any_locked(struct removals *r) REQUIRES(&r->lock)
{
	struct removals_locked *g = removals_locked(r);

	atomic_store(&r->any, g->queue || g->leaving || g->refused);
}

/* ---- a batch ---- */

/* Of a directory that cannot be kept nothing is removed. */
static void batch_keep_dirs(struct batch *b)
{
	struct removal *e, *of;
	int rc;

	DL_FOREACH(b->list, e) {
		rc = e->keeps ? b->removals->keep(b->removals->fs, e->dir) : 0;
		if (!rc)
			continue;
		DL_FOREACH(b->list, of)
			if (of->dir == e->dir)
				of->rc = rc;
	}
}

static void batch_ask(struct batch *b)
{
	const char **keys = calloc(b->n, sizeof(*keys));
	int *results = calloc(b->n, sizeof(*results));
	int none = keys && results ? 0 : -ENOMEM;
	struct removal *e;
	unsigned n = 0;

	DL_FOREACH(b->list, e) {
		if (none && !e->rc)
			e->rc = none;
		if (!e->rc)
			keys[n++] = e->key;
	}
	if (n)
		store_remove_many(b->store, keys, n, results);
	n = 0;
	DL_FOREACH(b->list, e)
		if (!e->rc)
			e->rc = results[n++];
	free(keys);
	free(results);
}

static void removals_refuse_locked(struct removals *r, struct inode *dir,
				   int rc) REQUIRES(&r->lock)
{
	struct removals_locked *g = removals_locked(r);
	struct removal *f;

	DL_FOREACH(g->refused, f)
		if (f->dir == dir)
			return;
	f = g->n_refused < REFUSED_MAX ? calloc(1, sizeof(*f)) : NULL;
	if (!f)
		return;
	f->dir = inode_ref(r->fs->tree, dir);
	f->rc = rc;
	DL_APPEND(g->refused, f);
	g->n_refused++;
}

/* The name is there again. */
static void removal_failed(struct removals *r, const struct removal *e)
{
	struct fs *fs = r->fs;

	inode_set_removed(fs->tree, e->dir, 0);
	inval_queue_entry(fs->inval_queue, e->dir, removal_name(e));
	inval_queue_inode(fs->inval_queue, e->dir, false);
	if (!e->rc)
		return;
	log_at(LOG_LEVEL_ERROR,
	       &(struct log_where){
		       .stage = e->store->name, .key = e->key, .err = e->rc },
	       "a file was not removed after all: it is there again");
	lock_take(&r->lock);
	removals_refuse_locked(r, e->dir, e->rc);
	lock_drop(&r->lock);
}

static void batch_settle(struct batch *b)
{
	struct removals *r = b->removals;
	struct removal *e;

	DL_FOREACH(b->list, e) {
		bool stays;

		lock_take(&r->lock);
		stays = e->rc || e->overtaken;
		lock_drop(&r->lock);
		tree_removed(r->fs->tree, e->absent, !stays);
		if (stays)
			removal_failed(r, e);
	}
}

static void batch_end(struct batch *b)
{
	struct removals *r = b->removals;
	struct removals_locked *g;

	lock_take(&r->lock);
	g = removals_locked(r);
	DL_DELETE(g->leaving, b);
	DL_APPEND(g->over, b);
	removals_note_any_locked(r);
	waiter_list_wake(&g->waiters);
	waiter_list_wake(&g->idle);
	lock_drop(&r->lock);
}

static void *batch_run(void *arg)
{
	struct batch *b = arg;

	waiter_begin(waiter_self());
	batch_keep_dirs(b);
	batch_ask(b);
	batch_settle(b);
	batch_end(b);
	return NULL;
}

static void batch_free(struct batch *b)
{
	struct removal *e, *next;

	DL_FOREACH_SAFE(b->list, e, next)
		removal_free(b->removals->fs, e);
	store_unref(b->store);
	free(b);
}

/* ---- the task ---- */

static bool removals_store_busy_locked(struct removals *r,
				       const struct store *s) REQUIRES(&r->lock)
{
	struct batch *b;
	unsigned n = 0;

	DL_FOREACH(removals_locked(r)->leaving, b)
		n += b->store == s;
	return n >= BATCHES_MAX;
}

static void removals_unqueue_locked(struct removals *r, struct removal *e)
	REQUIRES(&r->lock)
{
	struct removals_locked *g = removals_locked(r);

	DL_DELETE(g->queue, e);
	g->burst.n--;
	g->burst.needed -= g->burst.needed > 0;
	g->burst.oldest_ms = g->queue ? g->queue->since_ms : 0;
}

/* What leaves together, of the first store that has room for one more. */
static void removals_fill_locked(struct removals *r, struct batch *b)
	REQUIRES(&r->lock)
{
	struct removals_locked *g = removals_locked(r);
	struct removal *e, *next;

	DL_FOREACH_SAFE(g->queue, e, next) {
		if (!b->store && !removals_store_busy_locked(r, e->store))
			b->store = store_ref(e->store);
		if (b->store != e->store)
			continue;
		removals_unqueue_locked(r, e);
		DL_APPEND(b->list, e);
		if (++b->n == BURST_BATCH)
			break;
	}
	if (b->n)
		DL_APPEND(g->leaving, b);
}

/* Sleeps until b has what is to leave, or others have ended. 0 or -EINTR. */
static int removals_next(struct removals *r, struct batch *b)
{
	struct removals_locked *g;
	int64_t now_ms, until_ms;
	int rc = 0;

	lock_take(&r->lock);
	g = removals_locked(r);
	while (rc != -EINTR) {
		now_ms = clock_mono_ms();
		until_ms = burst_due_ms(now_ms, &g->burst);
		if (until_ms <= now_ms) {
			removals_fill_locked(r, b);
			until_ms = WAIT_FOREVER; /* for one to end */
		}
		if (b->n || g->over)
			break;
		rc = waiter_list_sleep(&g->idle, &r->lock, until_ms);
	}
	lock_drop(&r->lock);
	return rc == -EINTR ? rc : 0;
}

static void removals_join(struct removals *r)
{
	struct batch *over, *b, *next;

	lock_take(&r->lock);
	over = removals_locked(r)->over;
	removals_locked(r)->over = NULL;
	lock_drop(&r->lock);
	DL_FOREACH_SAFE(over, b, next) {
		if (b->has_thread)
			pthread_join(b->thread, NULL);
		batch_free(b);
	}
}

/* Without memory it is tried again with the next wake. */
static void removals_run(void *arg)
{
	struct removals *r = arg;
	struct batch *b;
	int rc = 0;

	while (!rc) {
		b = calloc(1, sizeof(*b));
		if (!b)
			continue;
		b->removals = r;
		rc = removals_next(r, b);
		if (!b->n) {
			free(b);
		} else {
			b->has_thread = !thread_start(&b->thread, "removals",
						      batch_run, b);
			if (!b->has_thread)
				batch_run(b);
		}
		removals_join(r);
	}
}

/* ---- the operations ---- */

/* The task runs, and there is to be one more. */
static bool removals_gathers_locked(struct removals *r, int64_t now_ms,
				    int64_t last_ms) REQUIRES(&r->lock)
{
	if (!burst_gathers(now_ms, &removals_locked(r)->burst, last_ms))
		return false;
	return r->task.started ||
	       !thread_task_start(&r->task, "removals", removals_run, r);
}

static bool removals_queue_locked(struct removals *r, struct removal *e,
				  struct inode *i, int64_t now_ms)
	REQUIRES(&r->lock)
{
	struct removals_locked *g = removals_locked(r);

	e->absent = tree_remove_ahead(r->fs->tree, i);
	if (!e->absent)
		return false;
	e->since_ms = now_ms;
	if (!g->queue)
		g->burst.oldest_ms = now_ms;
	DL_APPEND(g->queue, e);
	g->burst.n++;
	removals_note_any_locked(r);
	if (g->burst.n == 1 || g->burst.n == BURST_BATCH)
		waiter_list_wake(&g->idle);
	return true;
}

int removals_add(struct removals *r, struct inode *dir, struct inode *i,
		 struct stage *stage, const char *key, bool keeps)
{
	int64_t now_ms = clock_mono_ms();
	int64_t last_ms = inode_removed_ms(r->fs->tree, dir);
	struct removal *e = calloc(1, sizeof(*e));
	bool queued = false;

	if (!e)
		return 1;
	e->store = store_ref(stage->store);
	e->dir = inode_ref(r->fs->tree, dir);
	e->key = strdup(key);
	e->keeps = keeps;
	lock_take(&r->lock);
	if (e->key && removals_gathers_locked(r, now_ms, last_ms))
		queued = removals_queue_locked(r, e, i, now_ms);
	lock_drop(&r->lock);
	if (!queued)
		removal_free(r->fs, e);
	return !queued;
}

void removals_asked(struct removals *r, struct inode *dir)
{
	inode_set_removed(r->fs->tree, dir, clock_mono_ms());
}

/* Which of them; all zeros: all. */
struct removals_want {
	struct inode *dir;
	const char *name; /* in dir */
	bool below; /* dir, too */
};

static bool removal_is_wanted(struct fs *fs, const struct removal *e,
			      const struct removals_want *w)
{
	if (!w->dir)
		return true;
	if (w->name)
		return e->dir == w->dir && !strcmp(removal_name(e), w->name);
	return e->dir == w->dir ||
	       (w->below && inode_is_below(fs->tree, e->dir, w->dir));
}

static bool removals_have_locked(struct removals *r,
				 const struct removals_want *w)
	REQUIRES(&r->lock)
{
	struct removals_locked *g = removals_locked(r);
	struct removal *e;
	struct batch *b;

	DL_FOREACH(g->queue, e)
		if (removal_is_wanted(r->fs, e, w))
			return true;
	DL_FOREACH(g->leaving, b)
		DL_FOREACH(b->list, e)
			if (removal_is_wanted(r->fs, e, w))
				return true;
	return false;
}

static int removals_wait(struct removals *r, const struct removals_want *w,
			 bool interruptible)
{
	struct removals_locked *g;
	int rc = 0;

	if (!atomic_load(&r->any))
		return 0;
	lock_take(&r->lock);
	g = removals_locked(r);
	if (removals_have_locked(r, w)) {
		g->burst.needed = g->burst.n;
		waiter_list_wake(&g->idle);
	}
	while (!rc && removals_have_locked(r, w))
		rc = interruptible
			     ? waiter_list_sleep(&g->waiters, &r->lock,
						 WAIT_FOREVER)
			     : waiter_list_sleep_uninterrupted(
				       &g->waiters, &r->lock, WAIT_FOREVER);
	lock_drop(&r->lock);
	return rc;
}

int removals_wait_name(struct removals *r, struct inode *dir, const char *name)
{
	return removals_wait(
		r, &(struct removals_want){ .dir = dir, .name = name }, true);
}

int removals_wait_dir(struct removals *r, struct inode *dir)
{
	return removals_wait(r, &(struct removals_want){ .dir = dir }, true);
}

int removals_wait_below(struct removals *r, struct inode *dir)
{
	return removals_wait(
		r, &(struct removals_want){ .dir = dir, .below = true }, true);
}

/* dir NULL: the oldest, of any. */
static int removals_take_refusal(struct removals *r, struct inode *dir)
{
	struct removals_locked *g;
	struct removal *f;
	int rc = 0;

	lock_take(&r->lock);
	g = removals_locked(r);
	DL_FOREACH(g->refused, f)
		if (!dir || f->dir == dir)
			break;
	if (f) {
		rc = f->rc;
		DL_DELETE(g->refused, f);
		g->n_refused--;
		removals_note_any_locked(r);
	}
	lock_drop(&r->lock);
	if (f)
		removal_free(r->fs, f);
	return rc;
}

static void removals_leave(struct removals *r, struct inode *dir)
{
	struct removal *e;

	lock_take(&r->lock);
	DL_FOREACH(removals_locked(r)->queue, e)
		if (e->dir == dir)
			e->keeps = false;
	lock_drop(&r->lock);
}

int removals_settle(struct removals *r, struct inode *dir, bool leaves)
{
	int rc;

	if (!atomic_load(&r->any))
		return 0;
	if (leaves)
		removals_leave(r, dir);
	rc = removals_wait_dir(r, dir);
	return rc ? rc : removals_take_refusal(r, dir);
}

int removals_drain(struct removals *r)
{
	int first = 0, rc;

	removals_wait(r, &(struct removals_want){ 0 }, false);
	while ((rc = removals_take_refusal(r, NULL)))
		first = first ? first : rc;
	return first;
}

void removals_overtaken(struct removals *r, struct store *s, const char *key)
{
	struct removal *e, *next, *stays = NULL;
	struct removals_locked *g;
	struct batch *b;

	if (!atomic_load(&r->any))
		return;
	lock_take(&r->lock);
	g = removals_locked(r);
	DL_FOREACH_SAFE(g->queue, e, next)
		if (e->store == s && !strcmp(e->key, key)) {
			removals_unqueue_locked(r, e);
			DL_APPEND(stays, e);
		}
	DL_FOREACH(g->leaving, b)
		DL_FOREACH(b->list, e)
			if (e->store == s && !strcmp(e->key, key))
				e->overtaken = true;
	DL_FOREACH(stays, e)
		tree_removed(r->fs->tree, e->absent, false);
	removals_note_any_locked(r);
	waiter_list_wake(&g->waiters);
	lock_drop(&r->lock);
	DL_FOREACH_SAFE(stays, e, next)
		removal_free(r->fs, e);
}

void removals_free(struct removals *r)
{
	if (!r)
		return;
	removals_drain(r);
	thread_task_stop(&r->task);
	removals_join(r);
	lock_destroy(&r->lock);
	free(r);
}
