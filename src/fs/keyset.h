/*
 * The keys below one place of a store, and their copies below another: what a
 * renamed directory is made of. Blocks on the store; one caller at a time.
 */
#ifndef FS_KEYSET_H
#define FS_KEYSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/lock.h"
#include "store/store.h"

enum keyset_copied {
	KEYSET_NOT,
	KEYSET_UNSURE, /* the answer is missing */
	KEYSET_COPIED,
};

struct keyset_key {
	size_t at; /* in text: what follows the place, NUL, ETag, NUL */
	enum keyset_copied copied;
	bool remove; /* in the batches that are being removed */
};

/* A copy whose ETag is not the old one's. */
struct keyset_copy {
	size_t k;
	struct object_info info;
};

struct keyset_locked {
	struct keyset_copy *copies;
	size_t n, cap;
	size_t failed; /* the first key that could not be copied */
};

struct keyset {
	struct store *store;
	struct buf from, to; /* without the '/' */
	bool keep_marker;
	struct buf text;
	struct keyset_key *keys;
	size_t n, cap;
	struct lock lock;
	struct keyset_locked guarded_;
};

/* keep_marker: `to/` stood there before, and is not undone. To be cleared
 * also after a failure. */
int keyset_init(struct keyset *m, struct store *store, const char *from,
		const char *to, bool keep_marker);
void keyset_clear(struct keyset *m);

/* Lists them. -ENAMETOOLONG when one would not fit at its new place. */
int keyset_collect(struct keyset *m);
/* Copies all, several at once, each pinned to its ETag and to where nothing is;
 * the first failure, or an interrupt, ends it. -EEXIST: another machine has put
 * something there. */
int keyset_copy(struct keyset *m);
/* Removes the copies that were made, as long as they are the ones. Not
 * interrupted. */
void keyset_undo(struct keyset *m);
/* Removes the old ones that still are what was copied; what cannot be removed
 * is logged. Not interrupted. */
int keyset_remove(struct keyset *m);

/* What follows the place. */
const char *keyset_rest(const struct keyset *m, size_t k);
/* Copies whose ETag is new; *n of them, until keyset_clear(). */
size_t keyset_changed(struct keyset *m, const struct keyset_copy **out);
/* The key that failed first, or the place itself. */
void keyset_failed(struct keyset *m, struct buf *key);

#endif
