/*
 * The block cache: bytes of objects in memory, of all files, in one budget.
 *
 * A block is a run of one version of one object, as long as one ranged GET
 * brings it: small for the first bytes, large when a reader is sequential.
 * Blocks of a version do not overlap. Readers share them. A block that arrives
 * can be read up to where it has got. What nobody reads is reclaimed, least
 * recently used first, when the budget asks.
 *
 * Lock: each cache's own, below the file's and above the budget's.
 */
#ifndef FS_BLOCK_H
#define FS_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct block;
struct block_cache;
struct block_source;
struct budget;

#define BLOCK_MAX (8U << 20)	/* bytes of the largest */

/* Registers for the budget's pressure. */
struct block_cache *block_cache_new(struct budget *budget);
void block_cache_free(struct block_cache *c);

/*
 * One version of one object: (store, key, ETag). Counted: blocks hold it while
 * their GET is under way. Strings are copied.
 */
struct block_source *block_source_new(struct block_cache *c,
				      struct store *store, const char *key,
				      const char *etag, uint64_t size);
void block_source_unref(struct block_source *s);
/* Further GETs ask for this key and ETag: the same bytes, moved. */
int block_source_move(struct block_source *s, const char *key,
		      const char *etag);
/* Cancels what is under way and drops what nobody reads. */
void block_source_drop(struct block_source *s);

/*
 * The block that holds `offset`, referenced, or a new one whose GET is
 * started: of `len` bytes at most (it ends earlier at the next block or the
 * object's end). ahead: only if the budget has room to spare, else NULL with
 * -EAGAIN; otherwise waits for the budget in turn.
 */
int block_get(struct block_source *s, uint64_t offset, size_t len, bool ahead,
	      struct block **out);
/*
 * Sleeps until the bytes at `offset` (up to want of them) are there. 0 with
 * the bytes in place, valid until block_unref(), or -errno.
 */
int block_wait(struct block *b, uint64_t offset, size_t want,
	       const char **bytes, size_t *n);
void block_unref(struct block *b);
/* True when `offset` is in a block that is there or on its way. */
bool block_present(struct block_source *s, uint64_t offset, uint64_t *end);

#endif
