/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the GETs of an object have told of the way to its store. Pure.
 *
 * Both figures are the best that was seen: what made others slower were the
 * GETs beside them, and a window that follows those would never stop to grow.
 */
#ifndef FS_CACHE_WIRE_H
#define FS_CACHE_WIRE_H

#include <stdint.h>

/* All zero: nothing is known. Plain data, its owner's lock. */
struct wire {
	uint64_t rtt_us; /* from the asking to the first byte */
	uint64_t speed; /* bytes a second of one GET from then on */
};

/* A GET's first byte has come, so long after it was asked for. */
void wire_saw_first(struct wire *w, uint64_t first_us);
/* A GET of `bytes` has ended: when its first byte came, and its last. */
void wire_saw(struct wire *w, uint64_t first_us, uint64_t whole_us,
	      uint64_t bytes);
/* How long a GET of so many bytes takes, in microseconds; 0: not known. */
uint64_t wire_takes_us(const struct wire *w, uint64_t bytes);

#endif
