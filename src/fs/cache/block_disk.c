/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block that is to be read ahead goes QUEUED -> LOADING -> its done(), or, if
 * the disk has not got it, to the store. It has the reference of its GET all
 * the while. One that is to be saved has a reference of the queue's: so its
 * memory, which the budget has counted, stays; an eighth of the budget at most.
 */
#include "fs/cache/block_disk.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/budget.h"
#include "base/thread.h"
#include "fs/cache/block_cache.h"
#include "fs/cache/disk_cache.h"

#define LOADERS 4 /* so many reads at once keep a disk busy */
#define THREADS (LOADERS + 1)

struct disk_locked {
	struct block *loads, *saves; /* each oldest first */
	bool over; /* no more are queued */
	struct waiter_list loaders, savers;
};

struct block_disk {
	struct disk_cache *disk;
	struct block_cache *cache;
	size_t saving_max;
	pthread_t threads[THREADS];
	unsigned n_threads;
	struct lock lock;
	struct disk_locked guarded_;
};

static struct disk_locked *disk_locked(struct block_disk *d) REQUIRES(&d->lock)
{
	return &d->guarded_;
}

/* Of a block that is, or was, in the queue. */
static struct block_queued *disk_queued_locked(struct block_disk *d,
					       struct block *b)
	REQUIRES(&d->lock)
{
	return &b->queued_;
}

/* ---- loading ---- */

static bool disk_load(struct block_disk *d, struct block *b)
{
	struct object_info info = { .size = b->source->size };

	if (!disk_cache_load(d->disk, &b->name->version, b->start, b->mem,
			     b->len))
		return false;
	strcpy(info.etag, b->name->etag);
	metric_add(&b->cache->counts.disk, b->len);
	atomic_store(&b->have, b->len);
	b->from_disk = true;
	b->get.done(&b->get, 0, &info);
	return true;
}

static bool disk_queue_load(struct block_disk *d, struct block *b)
{
	bool over;

	lock_take(&d->lock);
	over = disk_locked(d)->over;
	if (!over) {
		disk_queued_locked(d, b)->state = BLOCK_QUEUED;
		DL_APPEND2(disk_locked(d)->loads, b, queued_.prev,
			   queued_.next);
		waiter_list_wake(&disk_locked(d)->loaders);
	}
	lock_drop(&d->lock);
	return !over;
}

bool block_disk_fetch(struct block *b, bool ahead)
{
	struct block_disk *d = b->cache->disk;

	if (!d || !b->name->keeps ||
	    !disk_cache_may_have(d->disk, &b->name->version, b->start))
		return false;
	return ahead ? disk_queue_load(d, b) : disk_load(d, b);
}

bool block_disk_cancel(struct block *b)
{
	static const struct object_info none;
	struct block_disk *d = b->cache->disk;
	struct block_queued *q;
	bool queued, loading;

	if (!d)
		return false;
	lock_take(&d->lock);
	q = disk_queued_locked(d, b);
	queued = q->state == BLOCK_QUEUED;
	loading = q->state == BLOCK_LOADING;
	if (queued) {
		DL_DELETE2(disk_locked(d)->loads, b, queued_.prev,
			   queued_.next);
		q->state = BLOCK_ELSEWHERE;
	}
	q->cancelled = q->cancelled || loading;
	lock_drop(&d->lock);
	if (queued)
		b->get.done(&b->get, -ECANCELED, &none);
	return queued || loading;
}

/* The next to load; NULL: it is over. */
static struct block *disk_next_load(struct block_disk *d)
{
	struct block *b;

	lock_take(&d->lock);
	WAITER_LIST_UNTIL(&disk_locked(d)->loaders, &d->lock, false,
			  disk_locked(d)->loads || disk_locked(d)->over);
	b = disk_locked(d)->loads;
	if (b) {
		DL_DELETE2(disk_locked(d)->loads, b, queued_.prev,
			   queued_.next);
		disk_queued_locked(d, b)->state = BLOCK_LOADING;
	}
	lock_drop(&d->lock);
	return b;
}

/* The disk has not got it. */
static void disk_leave_to_store(struct block_disk *d, struct block *b)
{
	static const struct object_info none;
	bool cancelled;

	lock_take(&d->lock);
	cancelled = disk_queued_locked(d, b)->cancelled || disk_locked(d)->over;
	disk_queued_locked(d, b)->state = BLOCK_ELSEWHERE;
	lock_drop(&d->lock);
	if (cancelled)
		b->get.done(&b->get, -ECANCELED, &none);
	else
		store_get(b->source->store, &b->get);
}

static void *disk_run_loader(void *arg)
{
	struct block_disk *d = arg;
	struct block *b;

	while ((b = disk_next_load(d)))
		if (!disk_load(d, b))
			disk_leave_to_store(d, b);
	return NULL;
}

/* ---- saving ---- */

static bool disk_queue_save(struct block_disk *d, struct block *b)
{
	bool over;

	lock_take(&d->lock);
	over = disk_locked(d)->over;
	if (!over) {
		DL_APPEND2(disk_locked(d)->saves, b, queued_.prev,
			   queued_.next);
		waiter_list_wake(&disk_locked(d)->savers);
	}
	lock_drop(&d->lock);
	return !over;
}

/* The queue's reference, if there is room for the block's memory. */
static bool disk_hold(struct block_disk *d, struct block *b)
{
	struct block_cache *c = b->cache;
	size_t *saving;
	bool room;

	lock_take(&c->lock);
	saving = &cache_locked(c)->saving_bytes;
	room = !*saving || *saving + b->cap <= d->saving_max;
	if (room) {
		*saving += b->cap;
		block_cache_ref_locked(c, b);
	}
	lock_drop(&c->lock);
	return room;
}

static void disk_unhold(struct block *b)
{
	struct block_cache *c = b->cache;

	lock_take(&c->lock);
	cache_locked(c)->saving_bytes -= b->cap;
	lock_drop(&c->lock);
	block_unref(b);
}

void block_disk_save(struct block *b)
{
	struct block_disk *d = b->cache->disk;

	if (!d || !b->name->keeps || b->from_disk || b->get.unverified ||
	    !disk_cache_saves(d->disk) || !disk_hold(d, b))
		return;
	if (!disk_queue_save(d, b))
		disk_unhold(b);
}

/* The next to save; NULL: it is over. */
static struct block *disk_next_save(struct block_disk *d)
{
	struct disk_locked *g;
	struct block *b;

	lock_take(&d->lock);
	g = disk_locked(d);
	WAITER_LIST_UNTIL(&g->savers, &d->lock, false, g->saves || g->over);
	b = g->saves;
	if (b)
		DL_DELETE2(g->saves, b, queued_.prev, queued_.next);
	lock_drop(&d->lock);
	return b;
}

static void *disk_run_saver(void *arg)
{
	struct block_disk *d = arg;
	struct block *b;

	while ((b = disk_next_save(d))) {
		disk_cache_save(d->disk, &b->name->version, b->start, b->mem,
				b->len);
		disk_unhold(b);
	}
	return NULL;
}

/* ---- all of it ---- */

static int disk_start(struct block_disk *d)
{
	int rc = 0;

	while (!rc && d->n_threads < THREADS) {
		bool loads = d->n_threads < LOADERS;

		rc = thread_start(&d->threads[d->n_threads],
				  loads ? "disk-load" : "disk-save",
				  loads ? disk_run_loader : disk_run_saver, d);
		if (!rc)
			d->n_threads++;
	}
	return rc;
}

int block_disk_new(struct block_cache *c, struct disk_cache *disk,
		   struct block_disk **out)
{
	struct block_disk *d = calloc(1, sizeof(*d));
	int rc;

	*out = NULL;
	if (!d)
		return -ENOMEM;
	d->disk = disk;
	d->cache = c;
	d->saving_max = budget_limit(pool_budget(c->pool)) / 8;
	lock_init(&d->lock, LOCK_BLOCK_DISK);
	rc = disk_start(d);
	if (rc) {
		block_disk_stop(d);
		block_disk_free(d);
		return rc;
	}
	c->disk = d;
	*out = d;
	return 0;
}

void block_disk_stop(struct block_disk *d)
{
	if (!d)
		return;
	lock_take(&d->lock);
	disk_locked(d)->over = true;
	waiter_list_wake(&disk_locked(d)->loaders);
	waiter_list_wake(&disk_locked(d)->savers);
	lock_drop(&d->lock);
	disk_cache_stop(d->disk);
	for (unsigned i = 0; i < d->n_threads; i++)
		pthread_join(d->threads[i], NULL);
	d->n_threads = 0;
}

void block_disk_free(struct block_disk *d)
{
	if (!d)
		return;
	lock_destroy(&d->lock);
	free(d);
}
