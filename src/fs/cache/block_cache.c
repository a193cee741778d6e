/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks that are not read. One without a reference (a reader's, or its GET's)
 * stands in the list of its rank until it is wanted again or the budget asks
 * for memory:
 *
 *   kept     all of a small object that was read, whose user has gone: for the
 *            next one. Reclaimed first, and a sixteenth of the budget at most
 *   passed   a sequential reader is beyond it: reclaimed next, and a
 *            thirty-second of the budget at most, so that a stream goes round
 *            in memory that is warm instead of taking all that there is. With
 *            what GETs still hold that have brought all their bytes and have
 *            yet to be told to have ended it may be twice that; read-ahead
 *            waits then
 *   used     a reader has read from it, and went on elsewhere
 *   unread   read ahead for a reader that will come, or has come and is amid
 *            it: reclaimed last, and never for others' read-ahead
 *
 * A block that is neither indexed nor referenced does not exist.
 */
#include "fs/cache/block_cache.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/budget.h"

static void cache_on_pressure(void *arg, size_t bytes)
{
	struct block_cache *c = arg;
	size_t freed = pool_trim(c->pool, bytes);

	if (freed < bytes)
		block_cache_reclaim(c, bytes - freed, RANK_UNREAD);
}

struct block_cache *block_cache_new(struct budget *budget)
{
	struct block_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->pool = pool_new(budget);
	if (!c->pool) {
		free(c);
		return NULL;
	}
	c->passed_max = budget_limit(budget) / 32;
	c->kept_max = budget_limit(budget) / 16;
	c->held_max = budget_limit(budget) / 8;
	lock_init(&c->lock, LOCK_BLOCK_CACHE);
	budget_on_pressure(budget, cache_on_pressure, c);
	return c;
}

/* A GET that its reader has left may still be under way. */
static void cache_wait_for_sources(struct block_cache *c)
{
	lock_take(&c->lock);
	WAITER_LIST_UNTIL(&cache_locked(c)->waiters, &c->lock, false,
			  !cache_locked(c)->n_sources);
	lock_drop(&c->lock);
}

struct pool *block_cache_pool(struct block_cache *c)
{
	return c->pool;
}

static void cache_unidle_locked(struct block_cache *c, struct block *b)
	REQUIRES(&c->lock)
{
	struct block_locked *g = block_locked(c, b);

	if (!g->idle)
		return;
	g->idle = false;
	DL_DELETE2(cache_locked(c)->idle[g->rank], b, guarded_.prev,
		   guarded_.next);
}

static void cache_uncount_locked(struct block_cache *c, struct block *b)
	REQUIRES(&c->lock)
{
	cache_locked(c)->bytes[block_locked(c, b)->rank] -= b->cap;
}

void block_cache_rank_locked(struct block_cache *c, struct block *b,
			     enum block_rank rank)
{
	cache_uncount_locked(c, b);
	block_locked(c, b)->rank = rank;
	cache_locked(c)->bytes[rank] += b->cap;
}

bool block_cache_crowded(struct block_cache *c)
{
	bool crowded;

	lock_take(&c->lock);
	crowded = cache_locked(c)->bytes[RANK_PASSED] >
		  2 * c->passed_max + cache_locked(c)->saving_bytes;
	lock_drop(&c->lock);
	return crowded;
}

void block_cache_ref_locked(struct block_cache *c, struct block *b)
{
	cache_unidle_locked(c, b);
	block_locked(c, b)->refs++;
}

bool block_cache_unref_locked(struct block_cache *c, struct block *b)
{
	struct block_locked *g = block_locked(c, b);

	if (--g->refs)
		return false;
	if (source_locked(c, b->source)->dropped)
		block_source_remove_locked(c, b);
	if (!g->indexed) {
		cache_uncount_locked(c, b);
		return true;
	}
	g->idle = true;
	DL_APPEND2(cache_locked(c)->idle[g->rank], b, guarded_.prev,
		   guarded_.next);
	return false;
}

void block_cache_end(struct block *b, bool keep)
{
	struct pool *pool = b->cache->pool;

	if (keep)
		pool_put(pool, b->mem, b->cap);
	else
		pool_drop(pool, b->mem, b->cap);
	block_source_name_unref(b->name);
	block_source_unref(b->source);
	free(b);
}

/* A kept source that has no block is of no use. */
static void cache_unkeep_locked(struct block_cache *c, struct block_source *s)
	REQUIRES(&c->lock)
{
	struct source_locked *g = source_locked(c, s);

	if (!g->listed || g->users)
		return;
	block_source_unlist_locked(c, s);
	cache_locked(c)->n_kept--;
	g->refs--; /* not the last: a block has one */
}

static void cache_take_out_locked(struct block_cache *c, struct block *b)
	REQUIRES(&c->lock)
{
	if (block_locked(c, b)->rank == RANK_UNREAD)
		metric_add(&c->counts.unread, atomic_load(&b->have));
	cache_unidle_locked(c, b);
	cache_uncount_locked(c, b);
	block_source_remove_locked(c, b);
	if (!source_locked(c, b->source)->n)
		cache_unkeep_locked(c, b->source);
}

/* The oldest that is idle, out of its source and its list; NULL: none is. */
static struct block *cache_evict_locked(struct block_cache *c,
					enum block_rank rank) REQUIRES(&c->lock)
{
	struct block *b = cache_locked(c)->idle[rank];

	if (b)
		cache_take_out_locked(c, b);
	return b;
}

/* One that may not stay, out of everything; NULL: there is none. */
static struct block *cache_overflow_locked(struct block_cache *c)
	REQUIRES(&c->lock)
{
	if (cache_locked(c)->bytes[RANK_PASSED] > c->passed_max)
		return cache_evict_locked(c, RANK_PASSED);
	if (cache_locked(c)->bytes[RANK_KEPT] > c->kept_max ||
	    cache_locked(c)->n_kept > BLOCK_KEPT)
		return cache_evict_locked(c, RANK_KEPT);
	return NULL;
}

void block_cache_trim(struct block_cache *c)
{
	struct block *b;

	do {
		lock_take(&c->lock);
		b = cache_overflow_locked(c);
		lock_drop(&c->lock);
		if (b)
			block_cache_end(b, true);
	} while (b);
}

void block_unref(struct block *b)
{
	struct block_cache *c = b->cache;
	bool last;

	lock_take(&c->lock);
	last = block_cache_unref_locked(c, b);
	lock_drop(&c->lock);
	if (last)
		block_cache_end(b, true);
	block_cache_trim(c);
}

size_t block_cache_reclaim(struct block_cache *c, size_t bytes,
			   enum block_rank worst)
{
	size_t freed = 0;

	while (freed < bytes) {
		struct block *b = NULL;

		lock_take(&c->lock);
		for (unsigned rank = 0; rank <= (unsigned)worst && !b; rank++)
			b = cache_evict_locked(c, rank);
		lock_drop(&c->lock);
		if (!b)
			break;
		freed += b->cap;
		block_cache_end(b, false);
	}
	return freed;
}

/* A kept source has one block, which may be on its way to a reader yet. False:
 * there is none in that list. */
static bool cache_forget_one(struct block_cache *c, unsigned k,
			     const struct store *store)
{
	struct block_source *s;
	struct block *b = NULL;

	lock_take(&c->lock);
	DL_FOREACH2(cache_locked(c)->sources[k], s, guarded_.next)
	if (!source_locked(c, s)->users && (!store || s->store == store))
		break;
	if (s) {
		b = source_locked(c, s)->blocks[0];
		source_locked(c, s)->dropped = true;
		if (block_locked(c, b)->idle) {
			cache_take_out_locked(c, b);
		} else {
			cache_unkeep_locked(c, s);
			b = NULL;
		}
	}
	lock_drop(&c->lock);
	if (b)
		block_cache_end(b, false);
	return s;
}

void block_cache_forget(struct block_cache *c, const struct store *store)
{
	for (unsigned k = 0; k < BLOCK_SOURCE_LISTS; k++)
		while (cache_forget_one(c, k, store))
			;
}

void block_cache_free(struct block_cache *c)
{
	if (!c)
		return;
	block_cache_forget(c, NULL);
	cache_wait_for_sources(c);
	budget_on_pressure(pool_budget(c->pool), NULL, NULL);
	pool_free(c->pool);
	lock_destroy(&c->lock);
	free(c);
}

void block_cache_write_metrics(struct block_cache *c, struct buf *out)
{
	metric_one(out, "cache_hits_total", "counter",
		   "Reads that found their block in memory, or on its way.",
		   metric_get(&c->counts.hits));
	metric_one(out, "cache_misses_total", "counter",
		   "Reads that had to ask for their block.",
		   metric_get(&c->counts.misses));
	metric_one(out, "cache_disk_bytes_total", "counter",
		   "Bytes that came from the disk cache.",
		   metric_get(&c->counts.disk));
	metric_one(out, "read_ahead_bytes_total", "counter",
		   "Bytes that were asked for ahead of their reader.",
		   metric_get(&c->counts.ahead));
	metric_one(out, "read_ahead_wasted_bytes_total", "counter",
		   "Bytes that were fetched and never read.",
		   metric_get(&c->counts.unread));
}
