/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One version of one object. It finds its blocks in an array that is sorted by
 * their start, and is itself found in a list of versions.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/array.h"
#include "base/hash.h"
#include "fs/cache/block_cache.h"

uint64_t block_end(const struct block *b)
{
	return b->start + b->len;
}

/* Only what is surely the same bytes may be kept on the disk. */
static bool source_keeps(const struct block_source *s, struct block_name *n)
{
	const char *store = s->store->identity;

	return s->cache->disk && store && *n->etag &&
	       !disk_segment_version(&n->version, store, n->key, n->etag,
				     s->size);
}

static struct block_name *source_name_new(const struct block_source *s,
					  const char *key, const char *etag)
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
	n->keeps = source_keeps(s, n);
	return n;
}

void block_source_name_unref(struct block_name *n)
{
	if (__atomic_sub_fetch(&n->refs, 1, __ATOMIC_ACQ_REL))
		return;
	free(n->key);
	free(n);
}

/* The first block that ends after offset; n when there is none. */
static size_t source_lower_locked(struct block_cache *c, struct block_source *s,
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

struct block *block_source_find_locked(struct block_cache *c,
				       struct block_source *s, uint64_t offset)
{
	size_t at = source_lower_locked(c, s, offset);
	struct source_locked *g = source_locked(c, s);

	if (at == g->n || g->blocks[at]->start > offset)
		return NULL;
	return g->blocks[at];
}

void block_source_room_locked(struct block_cache *c, struct block_source *s,
			      uint64_t offset, uint64_t *start, uint64_t *end)
{
	size_t at = source_lower_locked(c, s, offset);
	struct source_locked *g = source_locked(c, s);

	if (at > 0 && block_end(g->blocks[at - 1]) > *start)
		*start = block_end(g->blocks[at - 1]);
	if (at < g->n && g->blocks[at]->start < *end)
		*end = g->blocks[at]->start;
	if (s->size < *end)
		*end = s->size;
}

int block_source_insert_locked(struct block_cache *c, struct block *b)
{
	size_t at = source_lower_locked(c, b->source, b->start);
	struct source_locked *g = source_locked(c, b->source);

	if (ARRAY_RESERVE(g->blocks, g->cap, g->n + 1))
		return -ENOMEM;
	memmove(g->blocks + at + 1, g->blocks + at,
		(g->n - at) * sizeof(*g->blocks));
	g->blocks[at] = b;
	g->n++;
	block_locked(c, b)->indexed = true;
	return 0;
}

void block_source_remove_locked(struct block_cache *c, struct block *b)
{
	struct source_locked *g = source_locked(c, b->source);
	size_t at;

	if (!block_locked(c, b)->indexed)
		return;
	block_locked(c, b)->indexed = false;
	at = source_lower_locked(c, b->source, b->start);
	memmove(g->blocks + at, g->blocks + at + 1,
		(g->n - at - 1) * sizeof(*g->blocks));
	g->n--;
}

static struct block_source **source_list_locked(struct block_cache *c,
						const char *key)
	REQUIRES(&c->lock)
{
	uint64_t hash = hash_string(HASH_START, key);

	return &cache_locked(c)->sources[hash % BLOCK_SOURCE_LISTS];
}

static void source_enlist_locked(struct block_cache *c, struct block_source *s)
	REQUIRES(&c->lock)
{
	struct source_locked *g = source_locked(c, s);
	struct block_source **list = source_list_locked(c, g->name->key);

	g->listed = true;
	DL_APPEND2(*list, s, guarded_.prev, guarded_.next);
}

void block_source_unlist_locked(struct block_cache *c, struct block_source *s)
{
	struct source_locked *g = source_locked(c, s);
	struct block_source **list = source_list_locked(c, g->name->key);

	if (g->listed)
		DL_DELETE2(*list, s, guarded_.prev, guarded_.next);
	g->listed = false;
}

/* The one that is listed of the version of s. */
static struct block_source *source_same_locked(struct block_cache *c,
					       struct block_source *s)
	REQUIRES(&c->lock)
{
	const struct block_name *n = source_locked(c, s)->name;
	struct block_source *x;

	DL_FOREACH2(*source_list_locked(c, n->key), x, guarded_.next)
	{
		const struct block_name *its = source_locked(c, x)->name;

		if (x->store == s->store && x->size == s->size &&
		    !strcmp(its->key, n->key) && !strcmp(its->etag, n->etag))
			return x;
	}
	return NULL;
}

/* The one of the version of s, which is new, with a user more: s itself if
 * there is no other. Without an ETag it may be anything. */
static struct block_source *source_enter(struct block_cache *c,
					 struct block_source *s)
{
	struct block_source *same = NULL;
	struct source_locked *g;

	lock_take(&c->lock);
	cache_locked(c)->n_sources++;
	if (*source_locked(c, s)->name->etag && !s->store->limits.files) {
		same = source_same_locked(c, s);
		if (!same)
			source_enlist_locked(c, s);
	}
	g = source_locked(c, same ? same : s);
	if (g->users++)
		g->refs++;
	else if (same)
		cache_locked(c)->n_kept--; /* its reference was the cache's */
	lock_drop(&c->lock);
	return same ? same : s;
}

static void source_free(struct block_source *s)
{
	struct block_cache *c = s->cache;

	block_source_name_unref(s->guarded_.name);
	store_unref(s->store);
	free(s->guarded_.blocks);
	free(s);
	lock_take(&c->lock);
	if (--cache_locked(c)->n_sources == 0)
		waiter_list_wake(&cache_locked(c)->waiters);
	lock_drop(&c->lock);
}

struct block_source *block_source_new(struct block_cache *c,
				      struct store *store, const char *key,
				      const char *etag, uint64_t size)
{
	struct block_source *fresh = calloc(1, sizeof(*fresh)), *s;

	if (!fresh)
		return NULL;
	fresh->cache = c;
	fresh->store = store;
	fresh->size = size;
	fresh->guarded_.refs = 1;
	fresh->guarded_.name = source_name_new(fresh, key, etag);
	if (!fresh->guarded_.name) {
		free(fresh);
		return NULL;
	}
	store_ref(store);
	s = source_enter(c, fresh);
	if (s != fresh)
		source_free(fresh);
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
	if (last) /* so it has no block, and is not listed */
		source_free(s);
}

struct block_name *block_source_name(struct block_source *s)
{
	struct block_cache *c = s->cache;
	struct block_name *n;

	lock_take(&c->lock);
	n = source_locked(c, s)->name;
	__atomic_add_fetch(&n->refs, 1, __ATOMIC_RELAXED);
	lock_drop(&c->lock);
	return n;
}

int block_source_move(struct block_source *s, const char *key, const char *etag)
{
	struct block_name *fresh = source_name_new(s, key, etag), *old;
	struct block_cache *c = s->cache;
	struct source_locked *g;
	bool listed;

	if (!fresh)
		return -ENOMEM;
	lock_take(&c->lock);
	g = source_locked(c, s);
	listed = g->listed;
	block_source_unlist_locked(c, s);
	old = g->name;
	g->name = fresh;
	if (listed)
		source_enlist_locked(c, s);
	lock_drop(&c->lock);
	block_source_name_unref(old);
	return 0;
}

uint64_t block_source_size(const struct block_source *s)
{
	return s->size;
}

void block_source_wire(struct block_source *s, struct wire *out)
{
	struct block_cache *c = s->cache;

	lock_take(&c->lock);
	*out = source_locked(c, s)->wire;
	lock_drop(&c->lock);
}

bool block_present(struct block_source *s, uint64_t offset, uint64_t *end)
{
	struct block_cache *c = s->cache;
	struct source_locked *g;
	bool present;
	size_t at;

	lock_take(&c->lock);
	g = source_locked(c, s);
	at = source_lower_locked(c, s, offset);
	present = at < g->n && g->blocks[at]->start <= offset;
	if (present) {
		*end = block_end(g->blocks[at]);
		while (++at < g->n && g->blocks[at]->start == *end)
			*end = block_end(g->blocks[at]);
	}
	lock_drop(&c->lock);
	return present;
}
