/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block cache: bytes of objects in memory, of all files, in one budget.
 *
 * A block is a run of one version of one object, as long as one ranged GET
 * brings it: small for the first bytes, large when a reader is sequential.
 * Blocks of a version do not overlap. Readers share them. A block that arrives
 * can be read up to where it has got. What is not read is reclaimed, least
 * recently used first, when the budget asks.
 *
 * Lock: each cache's own, below the file's and above the budget's.
 */
#ifndef FS_CACHE_BLOCK_H
#define FS_CACHE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct block;
struct block_cache;
struct block_source;
struct budget;
struct buf;
struct pool;
struct wire;

#define BLOCK_MAX (4U << 20) /* bytes of the largest */
#define BLOCK_KEPT_MAX (1U << 20) /* bytes of one that stays without a user */

/* Registers for the budget's pressure. NULL without memory. */
struct block_cache *block_cache_new(struct budget *budget);
/* After the last source. */
void block_cache_free(struct block_cache *c);
/* Where blocks have their memory from; others may share it. */
struct pool *block_cache_pool(struct block_cache *c);
/* Appends what it did, as base/metric.h has it. */
void block_cache_write_metrics(struct block_cache *c, struct buf *out);

/*
 * One version of one object: (store, key, ETag), for one more user. All users
 * of a version that has an ETag share one source, and so its blocks and the
 * GETs that are under way. A user has a reference, which block_source_leave()
 * or block_source_drop() gives up; blocks hold others. Strings are copied. NULL
 * without memory.
 */
struct block_source *block_source_new(struct block_cache *c,
				      struct store *store, const char *key,
				      const char *etag, uint64_t size);
struct block_source *block_source_ref(struct block_source *s);
void block_source_unref(struct block_source *s);
/* Further GETs ask for this key and ETag: the same bytes, moved. 0, -ENOMEM. */
int block_source_move(struct block_source *s, const char *key,
		      const char *etag);
/*
 * A user goes. With the last one what is under way is cancelled and what is not
 * read dropped; but when all of a small object is there, that stays for a
 * while, and block_source_new() of the same version has it again. NULL is fine.
 */
void block_source_leave(struct block_source *s);
/* The same when the store has another version now: nothing stays, and no new
 * user shares it with those that still read it. NULL is fine. */
void block_source_drop(struct block_source *s);
/* All bytes of a version, which have come by another way: they stay as if a
 * user had read them and gone, if the budget has room to spare. */
void block_give(struct block_cache *c, struct store *store, const char *key,
		const char *etag, const void *bytes, uint64_t size);
/* What stays so of that store (NULL: of any) is dropped. */
void block_cache_forget(struct block_cache *c, const struct store *store);
uint64_t block_source_size(const struct block_source *s);
/* What its GETs have told of the way to the store. */
void block_source_wire(struct block_source *s, struct wire *out);

/* How to come by the memory for a new block. */
enum block_want {
	BLOCK_AHEAD, /* read-ahead: only if the budget has room to spare */
	BLOCK_TRY, /* without waiting */
	BLOCK_WAIT, /* waiting in turn: hold no other block meanwhile */
};

/*
 * The block that holds `offset`, referenced, or a new one whose GET is
 * started: it begins at `low` (at most offset) and has `len` bytes at most,
 * less where it meets its neighbours or the object's end. 0, -EAGAIN (no room,
 * not waited for), -EINTR, -ENOMEM, -EINVAL (not in the object).
 */
int block_get(struct block_source *s, uint64_t offset, uint64_t low,
	      uint64_t len, enum block_want want, struct block **out);
/*
 * Sleeps until the bytes at `offset` (up to want of them, as far as the block
 * goes) are there. 0 with the bytes in place, valid until block_unref(), or
 * -errno: -ESTALE when the object is another one by now, -EAGAIN when it was
 * moved meanwhile (ask for a new block), -EINTR.
 */
int block_wait(struct block *b, uint64_t offset, size_t want,
	       const char **bytes, size_t *n);
/* After block_wait(): no store was asked for it, so that it says nothing of
 * what is there now. */
bool block_from_disk(const struct block *b);
/*
 * All of the object, if it is in one block that is there or on its way:
 * referenced, and not given back before block_release(). NULL: it is not, or
 * too much is held already.
 */
struct block *block_hold(struct block_source *s);
/* Until its last byte is there: 0, -ESTALE, -EINTR; -EAGAIN: it failed. */
int block_wait_all(struct block *b);
void block_release(struct block *b);
/* A sequential reader is beyond it: the first to be reclaimed. Until then what
 * it has yet to read of it stays. */
void block_passed(struct block *b);
/* A reader has what it wanted of it, and goes on elsewhere. */
void block_used(struct block *b);
uint64_t block_end(const struct block *b);
void block_unref(struct block *b);
/* True when `offset` is in a block that is there or on its way; *end is then
 * where the first byte after it is that is in none. */
bool block_present(struct block_source *s, uint64_t offset, uint64_t *end);

#endif
