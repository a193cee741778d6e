/*
 * Blocks that are not read. One without a reference (a reader's, or its GET's)
 * stands in the list of its rank until it is wanted again or the budget asks
 * for memory:
 *
 *   passed   a sequential reader is beyond it: reclaimed first, and a
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
	lock_init(&c->lock, LOCK_BLOCK_CACHE);
	budget_on_pressure(budget, cache_on_pressure, c);
	return c;
}

/* A GET that its reader has left may still be under way. */
static void cache_wait_for_sources(struct block_cache *c)
{
	lock_take(&c->lock);
	while (cache_locked(c)->n_sources)
		waiter_list_sleep_uninterrupted(&cache_locked(c)->waiters,
						&c->lock, WAIT_FOREVER);
	lock_drop(&c->lock);
}

void block_cache_free(struct block_cache *c)
{
	if (!c)
		return;
	cache_wait_for_sources(c);
	budget_on_pressure(pool_budget(c->pool), NULL, NULL);
	pool_free(c->pool);
	lock_destroy(&c->lock);
	free(c);
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

static void cache_forget_passed_locked(struct block_cache *c, struct block *b)
	REQUIRES(&c->lock)
{
	if (block_locked(c, b)->rank == RANK_PASSED)
		cache_locked(c)->passed_bytes -= b->cap;
}

void block_cache_pass_locked(struct block_cache *c, struct block *b)
{
	if (block_locked(c, b)->rank == RANK_PASSED)
		return;
	block_locked(c, b)->rank = RANK_PASSED;
	cache_locked(c)->passed_bytes += b->cap;
}

bool block_cache_crowded(struct block_cache *c)
{
	bool crowded;

	lock_take(&c->lock);
	crowded = cache_locked(c)->passed_bytes >
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
		cache_forget_passed_locked(c, b);
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

/* The next to go, out of its source and its list; NULL: none is idle. */
static struct block *cache_evict_locked(struct block_cache *c,
					enum block_rank worst)
	REQUIRES(&c->lock)
{
	for (unsigned rank = 0; rank <= (unsigned)worst; rank++) {
		struct block *b = cache_locked(c)->idle[rank];

		if (!b)
			continue;
		cache_unidle_locked(c, b);
		cache_forget_passed_locked(c, b);
		block_source_remove_locked(c, b);
		return b;
	}
	return NULL;
}

struct block *block_cache_overflow_locked(struct block_cache *c)
{
	if (cache_locked(c)->passed_bytes <= c->passed_max)
		return NULL;
	return cache_evict_locked(c, RANK_PASSED);
}

void block_unref(struct block *b)
{
	struct block_cache *c = b->cache;
	struct block *passed;
	bool last;

	lock_take(&c->lock);
	last = block_cache_unref_locked(c, b);
	lock_drop(&c->lock);
	if (last)
		block_cache_end(b, true);
	do {
		lock_take(&c->lock);
		passed = block_cache_overflow_locked(c);
		lock_drop(&c->lock);
		if (passed)
			block_cache_end(passed, true);
	} while (passed);
}

size_t block_cache_reclaim(struct block_cache *c, size_t bytes,
			   enum block_rank worst)
{
	size_t freed = 0;

	while (freed < bytes) {
		struct block *b;

		lock_take(&c->lock);
		b = cache_evict_locked(c, worst);
		lock_drop(&c->lock);
		if (!b)
			break;
		freed += b->cap;
		block_cache_end(b, false);
	}
	return freed;
}
