/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store does of that in which servers differ, tried out.
 */
#ifndef STORE_STORE_PROBE_H
#define STORE_STORE_PROBE_H

struct buf;
struct store;

/*
 * Writes two small objects below prefix, with conditions and checksums as any
 * other write has them, lists them and removes them. 0, and what the store
 * knows and does in says, in words ("" where stores do not differ); or -errno
 * with why. What it does not know it says by store_describe() from then on.
 * Blocks.
 */
int store_probe(struct store *s, const char *prefix, struct buf *says,
		struct buf *why);

#endif
