/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the change of a name is sent to the store: the first one at once, so
 * that its program hears of a refusal; those that follow closely are gathered
 * and sent together (fs/burst/gather.h). Pure.
 */
#ifndef FS_BURST_BURST_H
#define FS_BURST_BURST_H

#include <stdbool.h>
#include <stdint.h>

#define BURST_MS 100 /* from one change to the next; and to wait at most */
#define BURST_BATCH 1000 /* so many leave without waiting for more */
#define BURST_MAX \
	16384 /* that wait; further ones are asked for by themselves */

/* What waits, of one store. */
struct burst {
	unsigned n;
	int64_t oldest_ms; /* since when */
	unsigned needed; /* the oldest of them, on which something depends */
};

/* Does a name that is changed now wait with the others? last_ms: when one was
 * changed before, and the store has not refused it; 0: none was. */
bool burst_gathers(int64_t now_ms, const struct burst *b, int64_t last_ms);
/* When what waits is to leave: now_ms or earlier is at once; INT64_MAX, there
 * is nothing. */
int64_t burst_due_ms(int64_t now_ms, const struct burst *b);

#endif
