/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/burst/burst.h"

bool burst_gathers(int64_t now_ms, const struct burst *b, int64_t last_ms)
{
	return last_ms && now_ms - last_ms <= BURST_MS && b->n < BURST_MAX;
}

int64_t burst_due_ms(int64_t now_ms, const struct burst *b)
{
	if (!b->n)
		return INT64_MAX;
	if (b->needed || b->n >= BURST_BATCH)
		return now_ms;
	return b->oldest_ms + BURST_MS;
}
