/*
 * Where blocks are kept. A source finds its blocks in an array sorted by their
 * start; a block with a reference (a reader's, or its GET's) stays, one without
 * is idle and stands in the cache's list of its rank until it is wanted again
 * or the budget asks for memory:
 *
 *   passed   a sequential reader is beyond it: reclaimed first, and a
 *            sixteenth of the budget at most, so that a stream goes round in
 *            memory that is warm instead of taking all that there is
 *   used     somebody has read from it
 *   unread   read ahead for somebody who will come: reclaimed last
 *
 * A block that is neither indexed nor referenced does not exist.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/budget.h"
#include "fs/cache/block_internal.h"

uint64_t block_end(const struct block *b)
{
	return b->start + b->len;
}

static struct cache_locked *cache_locked(struct block_cache *c)
	REQUIRES(&c->lock)
{
	return &c->guarded_;
}

static void on_pressure(void *arg, size_t bytes)
{
	struct block_cache *c = arg;
	size_t freed = pool_trim(c->pool, bytes);

	if (freed < bytes)
		cache_reclaim(c, bytes - freed, RANK_UNREAD);
}

struct block_cache *block_cache_new(struct budget *budget,
				    struct budget *writers)
{
	struct block_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->pool = pool_new(budget, writers);
	if (!c->pool) {
		free(c);
		return NULL;
	}
	c->passed_max = budget_limit(budget) / 16;
	lock_init(&c->lock);
	budget_on_pressure(budget, on_pressure, c);
	return c;
}

/* A GET that its reader has left may still be under way. */
static void wait_for_sources(struct block_cache *c)
{
	struct wait_entry e = { .waiter = waiter_self() };

	lock_take(&c->lock);
	wait_list_add(&cache_locked(c)->waiters, &e);
	while (cache_locked(c)->n_sources) {
		lock_drop(&c->lock);
		waiter_park_uninterrupted(e.waiter, WAIT_FOREVER);
		lock_take(&c->lock);
	}
	wait_list_remove(&cache_locked(c)->waiters, &e);
	lock_drop(&c->lock);
}

void block_cache_free(struct block_cache *c)
{
	if (!c)
		return;
	wait_for_sources(c);
	budget_on_pressure(pool_budget(c->pool), NULL, NULL);
	pool_free(c->pool);
	lock_destroy(&c->lock);
	free(c);
}

struct pool *block_cache_pool(struct block_cache *c)
{
	return c->pool;
}

struct block_name *block_name_new(const char *key, const char *etag)
{
	struct block_name *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->refs = 1;
	n->key = strdup(key);
	if (!n->key) {
		free(n);
		return NULL;
	}
	strncpy(n->etag, etag ? etag : "", sizeof(n->etag) - 1);
	return n;
}

struct block_name *block_name_ref(struct block_name *n)
{
	__atomic_add_fetch(&n->refs, 1, __ATOMIC_RELAXED);
	return n;
}

void block_name_unref(struct block_name *n)
{
	if (__atomic_sub_fetch(&n->refs, 1, __ATOMIC_ACQ_REL))
		return;
	free(n->key);
	free(n);
}

/* The first block that ends after offset; n when there is none. */
static size_t lower_locked(struct block_cache *c, struct block_source *s,
			   uint64_t offset) REQUIRES(&c->lock)
{
	struct source_locked *g = source_locked(c, s);
	size_t lo = 0, hi = g->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (block_end(g->blocks[mid]) > offset)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

struct block *source_find_locked(struct block_cache *c, struct block_source *s,
				 uint64_t offset)
{
	size_t at = lower_locked(c, s, offset);
	struct source_locked *g = source_locked(c, s);

	if (at == g->n || g->blocks[at]->start > offset)
		return NULL;
	return g->blocks[at];
}

void source_room_locked(struct block_cache *c, struct block_source *s,
			uint64_t offset, uint64_t *start, uint64_t *end)
{
	size_t at = lower_locked(c, s, offset);
	struct source_locked *g = source_locked(c, s);

	if (at > 0 && block_end(g->blocks[at - 1]) > *start)
		*start = block_end(g->blocks[at - 1]);
	if (at < g->n && g->blocks[at]->start < *end)
		*end = g->blocks[at]->start;
	if (s->size < *end)
		*end = s->size;
}

int source_insert_locked(struct block_cache *c, struct block *b)
{
	size_t at = lower_locked(c, b->source, b->start);
	struct source_locked *g = source_locked(c, b->source);

	if (g->n == g->cap) {
		size_t cap = g->cap ? 2 * g->cap : 16;
		struct block **blocks =
			realloc(g->blocks, cap * sizeof(*blocks));

		if (!blocks)
			return -ENOMEM;
		g->blocks = blocks;
		g->cap = cap;
	}
	memmove(g->blocks + at + 1, g->blocks + at,
		(g->n - at) * sizeof(*g->blocks));
	g->blocks[at] = b;
	g->n++;
	block_locked(c, b)->indexed = true;
	return 0;
}

void source_remove_locked(struct block_cache *c, struct block *b)
{
	struct source_locked *g = source_locked(c, b->source);
	size_t at;

	if (!block_locked(c, b)->indexed)
		return;
	block_locked(c, b)->indexed = false;
	at = lower_locked(c, b->source, b->start);
	memmove(g->blocks + at, g->blocks + at + 1,
		(g->n - at - 1) * sizeof(*g->blocks));
	g->n--;
}

static void unidle_locked(struct block_cache *c, struct block *b)
	REQUIRES(&c->lock)
{
	struct block_locked *g = block_locked(c, b);

	if (!g->idle)
		return;
	g->idle = false;
	if (g->rank == RANK_PASSED)
		cache_locked(c)->passed_bytes -= b->cap;
	DL_DELETE2(cache_locked(c)->idle[g->rank], b, guarded_.prev,
		   guarded_.next);
}

void block_ref_locked(struct block_cache *c, struct block *b)
{
	unidle_locked(c, b);
	block_locked(c, b)->refs++;
}

bool block_unref_locked(struct block_cache *c, struct block *b)
{
	struct block_locked *g = block_locked(c, b);

	if (--g->refs)
		return false;
	if (source_locked(c, b->source)->dropped)
		source_remove_locked(c, b);
	if (!g->indexed)
		return true;
	g->idle = true;
	if (g->rank == RANK_PASSED)
		cache_locked(c)->passed_bytes += b->cap;
	DL_APPEND2(cache_locked(c)->idle[g->rank], b, guarded_.prev,
		   guarded_.next);
	return false;
}

void block_free(struct block *b, bool keep)
{
	struct pool *pool = b->cache->pool;

	if (keep)
		pool_put(pool, b->mem, b->cap);
	else
		pool_drop(pool, b->mem, b->cap);
	block_name_unref(b->name);
	block_source_unref(b->source);
	free(b);
}

/* The next to go, out of its source and its list; NULL: none is idle. */
static struct block *evict_locked(struct block_cache *c, enum block_rank worst)
	REQUIRES(&c->lock)
{
	for (unsigned rank = 0; rank <= (unsigned)worst; rank++) {
		struct block *b = cache_locked(c)->idle[rank];

		if (!b)
			continue;
		unidle_locked(c, b);
		source_remove_locked(c, b);
		return b;
	}
	return NULL;
}

struct block *cache_overflow_locked(struct block_cache *c)
{
	if (cache_locked(c)->passed_bytes <= c->passed_max)
		return NULL;
	return evict_locked(c, RANK_PASSED);
}

size_t cache_reclaim(struct block_cache *c, size_t bytes, enum block_rank worst)
{
	size_t freed = 0;

	while (freed < bytes) {
		struct block *b;

		lock_take(&c->lock);
		b = evict_locked(c, worst);
		lock_drop(&c->lock);
		if (!b)
			break;
		freed += b->cap;
		block_free(b, false);
	}
	return freed;
}

struct block_source *block_source_new(struct block_cache *c,
				      struct store *store, const char *key,
				      const char *etag, uint64_t size)
{
	struct block_source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->guarded_.name = block_name_new(key, etag);
	if (!s->guarded_.name) {
		free(s);
		return NULL;
	}
	s->guarded_.refs = 1;
	s->cache = c;
	s->store = store_ref(store);
	s->size = size;
	lock_take(&c->lock);
	cache_locked(c)->n_sources++;
	lock_drop(&c->lock);
	return s;
}

struct block_source *block_source_ref(struct block_source *s)
{
	struct block_cache *c = s->cache;

	lock_take(&c->lock);
	source_locked(c, s)->refs++;
	lock_drop(&c->lock);
	return s;
}

/* No block has a reference to it any more, so there is none. */
static void source_free(struct block_source *s)
{
	struct block_cache *c = s->cache;

	block_name_unref(s->guarded_.name);
	store_unref(s->store);
	free(s->guarded_.blocks);
	free(s);
	lock_take(&c->lock);
	if (--cache_locked(c)->n_sources == 0)
		wait_list_wake(&cache_locked(c)->waiters);
	lock_drop(&c->lock);
}

void block_source_unref(struct block_source *s)
{
	struct block_cache *c;
	bool last;

	if (!s)
		return;
	c = s->cache;
	lock_take(&c->lock);
	last = --source_locked(c, s)->refs == 0;
	lock_drop(&c->lock);
	if (last)
		source_free(s);
}

int block_source_move(struct block_source *s, const char *key, const char *etag)
{
	struct block_name *fresh = block_name_new(key, etag), *old;
	struct block_cache *c = s->cache;

	if (!fresh)
		return -ENOMEM;
	lock_take(&c->lock);
	old = source_locked(c, s)->name;
	source_locked(c, s)->name = fresh;
	lock_drop(&c->lock);
	block_name_unref(old);
	return 0;
}

uint64_t block_source_size(const struct block_source *s)
{
	return s->size;
}

bool block_present(struct block_source *s, uint64_t offset, uint64_t *end)
{
	struct block_cache *c = s->cache;
	struct source_locked *g;
	bool present;
	size_t at;

	lock_take(&c->lock);
	g = source_locked(c, s);
	at = lower_locked(c, s, offset);
	present = at < g->n && g->blocks[at]->start <= offset;
	if (present) {
		*end = block_end(g->blocks[at]);
		while (++at < g->n && g->blocks[at]->start == *end)
			*end = block_end(g->blocks[at]);
	}
	lock_drop(&c->lock);
	return present;
}
