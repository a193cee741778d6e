/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where blocks are kept, and for how long: block_source.c finds the blocks of
 * one object's version, block_cache.c has those that are not read. block.c,
 * with the bytes that are under way, stands above.
 */
#ifndef FS_CACHE_BLOCK_CACHE_H
#define FS_CACHE_BLOCK_CACHE_H

#include <stdatomic.h>

#include "base/lock.h"
#include "base/metric.h"
#include "base/waiter.h"
#include "fs/cache/block.h"
#include "base/pool.h"
#include "fs/cache/disk_segment.h"
#include "fs/cache/wire.h"

/* The name that a GET asks for; it stays as it is while the GET runs. */
struct block_name {
	unsigned refs; /* atomic */
	char *key;
	char etag[STORE_ETAG_SIZE]; /* "": whatever is there */
	bool keeps; /* on the disk, as that version: */
	struct disk_version version;
};

enum block_state { BLOCK_FETCHING, BLOCK_READY, BLOCK_FAILED };

/* Idle blocks, in the order in which they are reclaimed. */
enum block_rank { RANK_KEPT, RANK_PASSED, RANK_USED, RANK_UNREAD, RANKS };

#define BLOCK_KEPT 4096 /* sources without a user, at most */
#define BLOCK_SOURCE_LISTS 4096

struct block_locked {
	enum block_state state;
	int rc; /* BLOCK_FAILED */
	unsigned refs; /* the GET has one too */
	unsigned holds; /* of them */
	bool indexed; /* the source finds it */
	bool idle; /* in a list of the cache's */
	enum block_rank rank;
	struct block *prev, *next; /* that list */
	struct waiter_list waiters; /* of struct block_waiter */
};

/* What the threads of block_disk.c do with a block; under their lock. */
enum block_queue_state { BLOCK_ELSEWHERE, BLOCK_QUEUED, BLOCK_LOADING };
struct block_queued {
	enum block_queue_state state;
	bool cancelled;
	struct block *prev, *next;
};

struct block {
	struct store_get get;
	struct block_cache *cache;
	struct block_source *source; /* a reference */
	struct block_name *name; /* a reference */
	uint64_t start;
	uint64_t len;
	size_t cap; /* bytes of mem, counted by the budget */
	char *mem;
	/*
	 * Without the lock: bytes that may be read, which the store's thread
	 * alone raises, and the least that a reader waits for (UINT64_MAX: none
	 * waits), lowered under the lock. The thread that writes one then looks
	 * at the other.
	 */
	_Atomic(uint64_t) have, need;
	uint64_t asked_us; /* when its GET began */
	uint64_t first_us; /* the store's thread alone: when bytes came, or 0 */
	bool from_disk; /* not from the store; before it is READY */
	struct block *dropped; /* block_source_cancel()'s list */
	struct block_queued queued_;
	struct block_locked guarded_;
};

struct source_locked {
	struct block_name *name;
	struct block **blocks; /* by start */
	size_t n, cap;
	unsigned refs;
	unsigned users; /* of them; none: the reference is the cache's */
	bool listed; /* block_source_new() finds it */
	bool dropped; /* idle blocks are not kept any more */
	struct block_source *prev, *next; /* that list */
	struct wire wire;
};

struct block_source {
	struct block_cache *cache;
	struct store *store; /* a reference */
	uint64_t size;
	struct source_locked guarded_;
};

struct cache_locked {
	struct block *idle[RANKS]; /* each oldest first */
	size_t bytes[RANKS]; /* of blocks of that rank, idle or not */
	size_t held_bytes;
	size_t saving_bytes; /* of those that the disk cache is to write */
	/* Each where its key says. */
	struct block_source *sources[BLOCK_SOURCE_LISTS];
	unsigned n_kept; /* of them without a user */
	unsigned n_sources; /* all that there are */
	struct waiter_list
		waiters; /* block_cache_free(), for the last source */
};

/* Bytes, and calls of block_get() by readers. */
struct block_counts {
	metric hits; /* the block was there, or on its way */
	metric misses;
	metric ahead; /* asked for by read-ahead */
	metric disk; /* that came from the disk cache */
	metric unread; /* that went and had never been read */
};

struct block_cache {
	struct block_counts counts;
	struct pool *pool;
	struct block_disk *disk; /* NULL: none; set before the first source */
	size_t passed_max; /* bytes that readers have passed and that stay */
	size_t kept_max, held_max; /* the same of RANK_KEPT, and of holds */
	struct lock lock; /* of everything here but the pool */
	struct cache_locked guarded_;
};

/* Whatever is guarded is reached through the cache whose lock it is. */
static inline struct block_locked *block_locked(struct block_cache *c,
						struct block *b)
	REQUIRES(&c->lock)
{
	return &b->guarded_;
}

static inline struct source_locked *source_locked(struct block_cache *c,
						  struct block_source *s)
	REQUIRES(&c->lock)
{
	return &s->guarded_;
}

LOCK_GUARDS(cache_locked, block_cache, cache_locked);

/* ---- block_source.c ---- */

/* The name that a GET begun now asks for, with a reference. */
struct block_name *block_source_name(struct block_source *s);
void block_source_name_unref(struct block_name *n);
/* It is not found any more. */
void block_source_unlist_locked(struct block_cache *c, struct block_source *s)
	REQUIRES(&c->lock);
/* The block that holds offset, or NULL. */
struct block *block_source_find_locked(struct block_cache *c,
				       struct block_source *s, uint64_t offset)
	REQUIRES(&c->lock);
/* Narrows [*start, *end), which holds offset, to what no block has. */
void block_source_room_locked(struct block_cache *c, struct block_source *s,
			      uint64_t offset, uint64_t *start, uint64_t *end)
	REQUIRES(&c->lock);
int block_source_insert_locked(struct block_cache *c, struct block *b)
	REQUIRES(&c->lock);
void block_source_remove_locked(struct block_cache *c, struct block *b)
	REQUIRES(&c->lock);

/* ---- block_cache.c ---- */

/* One reference more; the block is not idle any more. */
void block_cache_ref_locked(struct block_cache *c, struct block *b)
	REQUIRES(&c->lock);
/* One less: idle from now on, or true: to be ended without the lock. */
bool block_cache_unref_locked(struct block_cache *c, struct block *b)
	REQUIRES(&c->lock);
/* From now on the block, which is referenced, is of that rank. */
void block_cache_rank_locked(struct block_cache *c, struct block *b,
			     enum block_rank rank) REQUIRES(&c->lock);
/* Readers have passed more than may stay, and it is not free yet. */
bool block_cache_crowded(struct block_cache *c);
/* Ends what may not stay. */
void block_cache_trim(struct block_cache *c);
/* Frees the block. keep: its memory may go to the pool. */
void block_cache_end(struct block *b, bool keep);
/* Frees idle blocks of at least so many bytes, none above a rank. */
size_t block_cache_reclaim(struct block_cache *c, size_t bytes,
			   enum block_rank worst);

#endif
