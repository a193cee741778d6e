/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that are being fetched. A block is FETCHING while its GET runs, then
 * READY, or FAILED and out of its source's index, so that the next reader asks
 * anew. Its GET has a reference, so that it outlives readers that give up.
 *
 * The store's thread copies bytes into the block without a lock: readers do not
 * look beyond `have`. It takes the lock only when there is as much as one of
 * them waits for, however many pieces that came in.
 */
#include "fs/cache/block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "fs/cache/block_cache.h"
#include "fs/cache/block_disk.h"

#define PAGE 4096U
#define AHEAD_PERMILLE 500 /* of the budget may be taken by read-ahead */

/* A reader, and how much it waits for. */
struct block_waiter {
	struct waiter_entry entry; /* first */
	uint64_t need;
};

/* Each is woken once when it has what it waits for. */
static void block_wake_locked(struct block_cache *c, struct block *b)
	REQUIRES(&c->lock)
{
	struct block_locked *g = block_locked(c, b);
	uint64_t have = atomic_load(&b->have), need = UINT64_MAX;

	for (struct waiter_entry *e = g->waiters.head; e; e = e->next) {
		uint64_t its = ((struct block_waiter *)e)->need;

		if (its <= have || g->state != BLOCK_FETCHING)
			waiter_unpark(e->waiter);
		else
			need = number_min(need, its);
	}
	atomic_store(&b->need, need);
}

/* Told at once: its reader, which this wakes, looks how far the store is. */
static void block_first_byte(struct block *b)
{
	struct block_cache *c = b->cache;

	b->first_us = clock_mono_us();
	lock_take(&c->lock);
	wire_saw_first(&source_locked(c, b->source)->wire,
		       b->first_us - b->asked_us);
	lock_drop(&c->lock);
}

static void block_on_data(struct store_get *get, const void *bytes, size_t n)
{
	struct block *b = (struct block *)get;
	struct block_cache *c = b->cache;
	uint64_t have = atomic_load(&b->have);

	n = (size_t)number_min(n, b->len - have);
	memcpy(b->mem + have, bytes, n);
	if (!b->first_us)
		block_first_byte(b);
	atomic_store(&b->have, have + n);
	if (atomic_load(&b->need) > have + n)
		return;
	lock_take(&c->lock);
	block_wake_locked(c, b);
	lock_drop(&c->lock);
}

/* What a failed GET means to readers. */
static int block_error_locked(struct block_cache *c, struct block *b, int rc)
	REQUIRES(&c->lock)
{
	if (b->name != source_locked(c, b->source)->name)
		return -EAGAIN;
	return rc == -ENOENT || rc == -ERANGE ? -ESTALE : rc;
}

static void block_on_done(struct store_get *get, int rc,
			  const struct object_info *info)
{
	struct block *b = (struct block *)get;
	struct block_cache *c = b->cache;
	struct block_locked *g;
	bool last;

	if (!rc && atomic_load(&b->have) < b->len)
		rc = -ESTALE; /* the object is shorter than it was */
	if (!rc)
		block_disk_save(b);
	lock_take(&c->lock);
	g = block_locked(c, b);
	if (rc) {
		g->state = BLOCK_FAILED;
		g->rc = block_error_locked(c, b, rc);
		block_source_remove_locked(c, b);
	} else {
		g->state = BLOCK_READY;
		if (!b->from_disk)
			wire_saw(&source_locked(c, b->source)->wire,
				 b->first_us - b->asked_us,
				 clock_mono_us() - b->asked_us, b->len);
	}
	block_wake_locked(c, b);
	last = block_cache_unref_locked(c, b);
	lock_drop(&c->lock);
	if (last)
		block_cache_end(b, true);
}

static int block_memory(struct block_cache *c, size_t cap, enum block_want want,
			void **mem)
{
	*mem = NULL;
	switch (want) {
	case BLOCK_WAIT:
		return pool_take(c->pool, cap, mem);
	case BLOCK_TRY:
		*mem = pool_try(c->pool, cap);
		break;
	case BLOCK_AHEAD:
		if (block_cache_crowded(c))
			return -EAGAIN;
		do
			*mem = pool_try_idle(c->pool, cap, AHEAD_PERMILLE);
		while (!*mem && (pool_trim(c->pool, cap) ||
				 block_cache_reclaim(c, cap, RANK_USED)));
		break;
	}
	return *mem ? 0 : -EAGAIN;
}

/* A block that is nowhere yet, for `len` bytes at most. */
static int block_new(struct block_source *s, uint64_t len, enum block_want want,
		     struct block **out)
{
	struct block *b = calloc(1, sizeof(*b));
	struct block_cache *c = s->cache;
	void *mem;
	int rc;

	if (!b)
		return -ENOMEM;
	b->cap = (len + PAGE - 1) / PAGE * PAGE;
	rc = block_memory(c, b->cap, want, &mem);
	if (rc) {
		free(b);
		return rc;
	}
	b->mem = mem;
	atomic_init(&b->need, UINT64_MAX);
	b->cache = c;
	b->source = block_source_ref(s);
	b->name = block_source_name(s);
	*out = b;
	return 0;
}

/* Puts the new block where there is room for it, or finds one there. */
static int block_place_locked(struct block_cache *c, struct block *b,
			      uint64_t offset, uint64_t start, uint64_t end,
			      struct block **found) REQUIRES(&c->lock)
{
	int rc;

	*found = block_source_find_locked(c, b->source, offset);
	if (*found) {
		block_cache_ref_locked(c, *found);
		return 0;
	}
	block_source_room_locked(c, b->source, offset, &start, &end);
	b->start = start;
	b->len = end - start;
	rc = block_source_insert_locked(c, b);
	if (rc)
		return rc;
	block_locked(c, b)->refs = 2; /* the caller's and the GET's */
	block_locked(c, b)->rank = RANK_UNREAD;
	cache_locked(c)->bytes[RANK_UNREAD] += b->cap;
	*found = b;
	return 0;
}

static void block_fetch(struct block_source *s, struct block *b, bool ahead)
{
	b->get = (struct store_get){
		.key = b->name->key,
		.etag = b->name->etag[0] ? b->name->etag : NULL,
		.offset = b->start,
		.len = b->len,
		.ahead = ahead,
		.data = block_on_data,
		.done = block_on_done,
	};
	b->asked_us = clock_mono_us();
	if (!block_disk_fetch(b, ahead))
		store_get(s->store, &b->get);
}

static struct block *block_find(struct block_source *s, uint64_t offset,
				uint64_t *start, uint64_t *end)
{
	struct block_cache *c = s->cache;
	struct block *b;

	lock_take(&c->lock);
	b = block_source_find_locked(c, s, offset);
	if (b)
		block_cache_ref_locked(c, b);
	else
		block_source_room_locked(c, s, offset, start, end);
	lock_drop(&c->lock);
	return b;
}

int block_get(struct block_source *s, uint64_t offset, uint64_t low,
	      uint64_t len, enum block_want want, struct block **out)
{
	struct block_cache *c = s->cache;
	struct block *b = NULL;
	uint64_t start, end;
	int rc;

	if (offset >= s->size || low > offset)
		return -EINVAL;
	if (len > BLOCK_MAX)
		len = BLOCK_MAX;
	if (len <= offset - low)
		low = offset; /* it would not reach the byte that is wanted */
	start = low;
	end = low + (len ? len : 1);
	*out = block_find(s, offset, &start, &end);
	if (*out) {
		if (want != BLOCK_AHEAD)
			metric_add(&c->counts.hits, 1);
		return 0;
	}
	rc = block_new(s, end - start, want, &b);
	if (rc)
		return rc;
	lock_take(&c->lock);
	rc = block_place_locked(c, b, offset, start, end, out);
	lock_drop(&c->lock);
	if (rc || *out != b) {
		block_cache_end(b, true);
		return rc;
	}
	if (want == BLOCK_AHEAD)
		metric_add(&c->counts.ahead, b->len);
	else
		metric_add(&c->counts.misses, 1);
	block_fetch(s, b, want == BLOCK_AHEAD);
	return 0;
}

/* What is waited for is said before it is looked at, as block_on_data() does it
 * the other way round. need beyond the block's end: until its GET has ended. */
static int block_look_locked(struct block_cache *c, struct block *b,
			     uint64_t need) REQUIRES(&c->lock)
{
	struct block_locked *g = block_locked(c, b);

	if (atomic_load(&b->need) > need)
		atomic_store(&b->need, need);
	if (atomic_load(&b->have) >= need || g->state == BLOCK_READY)
		return 0;
	return g->state == BLOCK_FAILED ? g->rc : -EINPROGRESS;
}

/* Sleeps until block_look_locked() knows; park says how. What is waited for is
 * used, or dropped. */
static int block_sleep(struct block *b, uint64_t need,
		       int (*park)(struct waiter *w, int64_t until_ms))
{
	struct block_cache *c = b->cache;
	struct block_waiter w = { .entry = { .waiter = waiter_self() },
				  .need = need };
	int rc, interrupted = 0;

	lock_take(&c->lock);
	rc = block_look_locked(c, b, need);
	if (rc == -EINPROGRESS) {
		waiter_list_add(&block_locked(c, b)->waiters, &w.entry);
		while (rc == -EINPROGRESS && !interrupted) {
			lock_drop(&c->lock);
			interrupted = park(w.entry.waiter, WAIT_FOREVER);
			lock_take(&c->lock);
			rc = block_look_locked(c, b, need);
		}
		waiter_list_remove(&block_locked(c, b)->waiters, &w.entry);
	}
	lock_drop(&c->lock);
	return rc == -EINPROGRESS ? interrupted : rc;
}

int block_wait(struct block *b, uint64_t offset, size_t want,
	       const char **bytes, size_t *n)
{
	if (want > block_end(b) - offset)
		want = (size_t)(block_end(b) - offset);
	*bytes = b->mem + (offset - b->start);
	*n = want;
	return block_sleep(b, offset - b->start + want, waiter_park);
}

bool block_from_disk(const struct block *b)
{
	return b->from_disk;
}

void block_passed(struct block *b)
{
	struct block_cache *c = b->cache;

	lock_take(&c->lock);
	if (!block_locked(c, b)->holds)
		block_cache_rank_locked(c, b, RANK_PASSED);
	lock_drop(&c->lock);
}

void block_used(struct block *b)
{
	struct block_cache *c = b->cache;

	lock_take(&c->lock);
	if (block_locked(c, b)->rank != RANK_PASSED)
		block_cache_rank_locked(c, b, RANK_USED);
	lock_drop(&c->lock);
}

/* ---- all of an object ---- */

static struct block *block_whole_locked(struct block_cache *c,
					struct block_source *s)
	REQUIRES(&c->lock)
{
	struct block *b = block_source_find_locked(c, s, 0);

	return b && b->len == s->size ? b : NULL;
}

struct block *block_hold(struct block_source *s)
{
	struct block_cache *c = s->cache;
	struct block *b;

	lock_take(&c->lock);
	b = block_whole_locked(c, s);
	if (b && !block_locked(c, b)->holds &&
	    cache_locked(c)->held_bytes + b->cap > c->held_max)
		b = NULL;
	if (b) {
		block_cache_ref_locked(c, b);
		if (block_locked(c, b)->rank == RANK_KEPT)
			block_cache_rank_locked(c, b, RANK_UNREAD);
		if (!block_locked(c, b)->holds++)
			cache_locked(c)->held_bytes += b->cap;
	}
	lock_drop(&c->lock);
	return b;
}

int block_wait_all(struct block *b)
{
	int rc = block_sleep(b, b->len + 1, waiter_park);

	return !rc || rc == -ESTALE || rc == -EINTR ? rc : -EAGAIN;
}

void block_release(struct block *b)
{
	struct block_cache *c = b->cache;

	lock_take(&c->lock);
	if (!--block_locked(c, b)->holds)
		cache_locked(c)->held_bytes -= b->cap;
	lock_drop(&c->lock);
	block_unref(b);
}

/* A block that is not read, out of the index and referenced; NULL: none. */
static struct block *block_droppable_locked(struct block_cache *c,
					    struct block_source *s,
					    bool *fetching) REQUIRES(&c->lock)
{
	struct source_locked *g = source_locked(c, s);

	for (size_t i = g->n; i-- > 0;) {
		struct block *b = g->blocks[i];
		unsigned refs = block_locked(c, b)->refs;

		*fetching = block_locked(c, b)->state == BLOCK_FETCHING;
		if (refs > (*fetching ? 1U : 0U))
			continue;
		block_cache_ref_locked(c, b);
		block_source_remove_locked(c, b);
		return b;
	}
	return NULL;
}

/*
 * What has no user any more. The GETs are cancelled all at once and waited for,
 * so that the last reference to a source is never given up by the store's own
 * thread.
 */
static void block_source_cancel(struct block_source *s)
{
	struct block_cache *c = s->cache;
	struct block *cancelled = NULL, *b;
	bool fetching;

	for (;;) {
		lock_take(&c->lock);
		source_locked(c, s)->dropped = true;
		b = block_droppable_locked(c, s, &fetching);
		lock_drop(&c->lock);
		if (!b)
			break;
		if (!fetching) {
			block_unref(b);
			continue;
		}
		b->dropped = cancelled;
		cancelled = b;
		if (!block_disk_cancel(b))
			store_get_cancel(s->store, &b->get);
	}
	while ((b = cancelled)) {
		cancelled = b->dropped;
		block_sleep(b, b->len + 1, waiter_park_uninterrupted);
		block_unref(b);
	}
}

/* It stays, without a user: the reference is the cache's. */
static bool block_source_keep_locked(struct block_cache *c,
				     struct block_source *s) REQUIRES(&c->lock)
{
	struct block *b = block_whole_locked(c, s);

	if (!b || block_locked(c, b)->state != BLOCK_READY ||
	    !source_locked(c, s)->listed || s->size > BLOCK_KEPT_MAX)
		return false;
	cache_locked(c)->n_kept++;
	block_cache_ref_locked(c, b);
	block_cache_rank_locked(c, b, RANK_KEPT);
	block_cache_unref_locked(c, b);
	return true;
}

static void block_source_end_use(struct block_source *s, bool keeps)
{
	struct block_cache *c = s->cache;
	bool last, kept;

	lock_take(&c->lock);
	last = !--source_locked(c, s)->users;
	kept = keeps && last && block_source_keep_locked(c, s);
	if (!keeps || (last && !kept))
		block_source_unlist_locked(c, s);
	lock_drop(&c->lock);
	if (last && !kept)
		block_source_cancel(s);
	if (!kept)
		block_source_unref(s);
	block_cache_trim(c);
}

void block_source_leave(struct block_source *s)
{
	if (s)
		block_source_end_use(s, true);
}

void block_source_drop(struct block_source *s)
{
	if (s)
		block_source_end_use(s, false);
}

/* ---- bytes that were not asked for by block_get() ---- */

/* False: it has these already, or there is no memory. */
static bool block_give_locked(struct block_cache *c, struct block *b,
			      struct block **found) REQUIRES(&c->lock)
{
	if (block_place_locked(c, b, 0, 0, b->source->size, found))
		return false;
	if (*found != b)
		return false;
	atomic_store(&b->have, b->len);
	block_locked(c, b)->state = BLOCK_READY;
	block_cache_unref_locked(c, b); /* in place of its GET's */
	return true;
}

void block_give(struct block_cache *c, struct store *store, const char *key,
		const char *etag, const void *bytes, uint64_t size)
{
	struct block_source *s = block_source_new(c, store, key, etag, size);
	struct block *b = NULL, *found = NULL;

	if (s && !block_new(s, size, BLOCK_AHEAD, &b)) {
		memcpy(b->mem, bytes, size);
		if (LOCK_UNDER(&c->lock, block_give_locked(c, b, &found)))
			block_disk_save(b);
		else
			block_cache_end(b, true);
		if (found)
			block_unref(found);
	}
	block_source_leave(s);
}
