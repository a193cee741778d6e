/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in memory: for tests of everything that stands on a store. It obeys
 * the same contract test as the S3 store, and can be told to fail.
 */
#ifndef TESTS_LIB_MEMSTORE_H
#define TESTS_LIB_MEMSTORE_H

#include "store/store.h"

struct store *memstore_new(const char *name); /* NULL without memory */

/*
 * Its limits are S3's; a test may lower them in s->limits before it begins.
 * A listing asks for one page at a time, so its faults come from
 * store_list_next(). Each key of store_remove_many() is a "remove".
 *
 * The nth next call of that operation ("get", "put", "part", "part_copy",
 * "copy", "head", "list", "stat", "remove", "complete", "open", "abort",
 * "pending") fails with rc (-errno); n 1 is the next one, 0 every one until
 * rc 0 is set.
 */
void memstore_fail(struct store *s, const char *op, unsigned n, int rc);

/* Data calls answer this much later, on a thread of the store's own (0: at
 * once, before the call returns). */
void memstore_delay(struct store *s, unsigned ms);

/* How often an operation was asked for, and what is there. */
unsigned memstore_calls(struct store *s, const char *op);
unsigned memstore_uploads(struct store *s); /* neither completed nor aborted */

/* A change that another machine made. */
int memstore_poke(struct store *s, const char *key, const void *bytes,
		  size_t n);
int memstore_poke_remove(struct store *s, const char *key);

#endif
