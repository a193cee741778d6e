/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory that object data may take, as one number of bytes.
 *
 * Takers wait in turn and hold nothing of the budget while they do, or only
 * what ends by itself (a part in flight); so every taker gets through. A cache
 * may fill what no taker needs and registers a function that gives some back.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget;
struct buf;

struct budget *budget_new(size_t limit); /* NULL without memory */
void budget_free(struct budget *b);

/*
 * reclaim(arg, bytes) frees what it can of at least that many bytes, by
 * budget_give(), and returns. Called without any lock of the budget's, by the
 * thread that needs the memory, and again every few milliseconds by the first
 * that waits (what was in use may be idle by then); must not block. Set before
 * threads start.
 */
void budget_on_pressure(struct budget *b, void (*reclaim)(void *, size_t),
			void *arg);

/* Without waiting, but with reclaim. Never overtakes one that waits. */
bool budget_try(struct budget *b, size_t bytes);
/* Without waiting or reclaim, and only below `permille` of the limit. */
bool budget_try_idle(struct budget *b, size_t bytes, unsigned permille);
/* In turn. 0, -EINTR, -ETIMEDOUT (WAIT_FOREVER), or -EFBIG: over the limit. */
int budget_take(struct budget *b, size_t bytes, int64_t until_ms);
void budget_give(struct budget *b, size_t bytes);

size_t budget_limit(const struct budget *b);
size_t budget_used(struct budget *b);
size_t budget_peak(struct budget *b);
/* Appends the three, as metric.h has it. */
void budget_write_metrics(struct budget *b, struct buf *out);

#endif
