/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for object data: buffers that the budget has counted. Large ones are
 * mapped, and a few that were given back are kept, because mapping and
 * clearing megabytes costs as much as copying them. Kept ones stay counted
 * until the budget asks for them (pool_trim()).
 *
 * Lock: its own, below the block cache's and above the budget's.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct budget;
struct pool;

struct pool *pool_new(struct budget *budget); /* NULL without memory */
void pool_free(struct pool *p);
struct budget *pool_budget(struct pool *p);

/*
 * A buffer of exactly `size` bytes, contents undefined. As budget_try(),
 * budget_try_idle() and budget_take(); NULL: none to be had.
 */
void *pool_try(struct pool *p, size_t size);
void *pool_try_idle(struct pool *p, size_t size, unsigned permille);
int pool_take(struct pool *p, size_t size, void **out);

/* Gives a buffer back: perhaps kept; drop: certainly not. */
void pool_put(struct pool *p, void *mem, size_t size);
void pool_drop(struct pool *p, void *mem, size_t size);
/* Gives kept buffers back to the budget; how many bytes. */
size_t pool_trim(struct pool *p, size_t bytes);

/*
 * Writers' buffers take half of the budget at most: a part that a program has
 * not filled does not become free by itself, and one on its way to a store
 * that does not answer takes its time; readers elsewhere get through. Of that
 * half each writer has a fair share: one that holds some gets more only as far
 * as all others could have as much. One that is refused its first counts as one
 * of those until it has some, or is cleared. hold before taking, unhold before
 * giving back.
 */
struct pool_share { /* zeros; under the pool's lock */
	size_t held;
	bool wants; /* it was refused its first */
};
bool pool_hold(struct pool *p, struct pool_share *s, size_t size);
void pool_unhold(struct pool *p, struct pool_share *s, size_t size);
void pool_share_clear(struct pool *p, struct pool_share *s); /* holds nothing */

#endif
