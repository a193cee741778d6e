/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys below one place of a store, and their copies below another: what a
 * renamed directory is made of. Blocks on the store; one caller at a time.
 */
#ifndef FS_RENAME_RENAME_KEYS_H
#define FS_RENAME_RENAME_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/lock.h"
#include "store/store.h"

enum rename_copied {
	RENAME_NOT_COPIED,
	RENAME_MAYBE_COPIED, /* the answer is missing */
	RENAME_COPIED,
};

struct rename_key {
	size_t at; /* in text: what follows the place, NUL, version, NUL */
	enum rename_copied copied;
	bool remove; /* in the batches that are being removed */
};

/* A copy whose ETag is not the old one's. */
struct rename_copy {
	size_t k;
	struct object_info info;
};

struct rename_keys_locked {
	struct rename_copy *copies;
	size_t n, cap;
	size_t failed; /* the first key that could not be copied */
};

struct rename_keys {
	struct store *store, *to_store; /* may be one */
	struct buf from, to; /* without the '/' */
	bool keep_marker;
	bool looked; /* where the next ones are copied to nothing is */
	struct buf text;
	struct rename_key *keys;
	size_t n, cap;
	struct lock lock;
	struct rename_keys_locked guarded_;
};

/* keep_marker: `to/` stood there before, and is not undone. To be cleared
 * also after a failure. */
int rename_keys_init(struct rename_keys *m, struct store *store,
		     const char *from, struct store *to_store, const char *to,
		     bool keep_marker);
void rename_keys_clear(struct rename_keys *m);

/* Lists them. -ENAMETOOLONG when one would not fit at its new place. */
int rename_keys_collect(struct rename_keys *m);
/* Copies all, several at once, each pinned to its ETag and to where nothing is;
 * the first failure, or an interrupt, ends it. -EEXIST: another machine has put
 * something there. */
int rename_keys_copy(struct rename_keys *m);
/* Removes the copies that were made, as long as they are the ones. Not
 * interrupted. */
void rename_keys_undo(struct rename_keys *m);
/* Removes the old ones that still are what was copied; what cannot be removed
 * is logged. Not interrupted. */
int rename_keys_remove(struct rename_keys *m);

/* What follows the place. */
const char *rename_keys_rest(const struct rename_keys *m, size_t k);
/* Copies whose ETag is new; *n of them, until rename_keys_clear(). */
size_t rename_keys_changed(struct rename_keys *m,
			   const struct rename_copy **out);
/* The key that failed first, or the place itself. */
void rename_keys_failed(struct rename_keys *m, struct buf *key);

#endif
