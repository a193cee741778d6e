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

/*
 * What tells a version from others in a listing: its ETag, or where listings
 * have none that counts, size and time, which no ETag looks like.
 */
#define RENAME_VERSION_SIZE (STORE_ETAG_SIZE > 64 ? STORE_ETAG_SIZE : 64)

struct rename_key {
	size_t at; /* in text: what follows the place, NUL, version, NUL */
	uint64_t size;
	uint8_t copied; /* enum rename_copied */
	uint8_t class; /* object_info's */
	bool listed : 1; /* rename_keys_collect() has found that version ... */
	bool late : 1; /* ... and it was copied after that */
	bool remove : 1; /* in the batches that are being removed */
};

/* A copy whose ETag is not the old one's. */
struct rename_copy {
	size_t at; /* the key's */
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
	bool begun; /* what is at the new place may be copies of ours */
	bool guessed; /* those that are copied are as the tree knew them */
	int64_t free_until_ms; /* nothing is at the new place, as is known */
	int64_t listed_ms; /* when the listing of the old one began */
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

/* One that is known, before they are listed. -ENAMETOOLONG when it would not
 * fit at its new place. */
int rename_keys_note(struct rename_keys *m, const char *rest,
		     const struct object_info *info);
/* Copies those, where nothing is at the new place; but not what is another
 * object by now. As rename_keys_copy(). */
int rename_keys_copy_known(struct rename_keys *m);
/* Lists them all. -ENAMETOOLONG as above. */
int rename_keys_collect(struct rename_keys *m);
/* Copies all that is not yet, several at once, each pinned to its ETag and to
 * where nothing is; the first failure, or an interrupt, ends it. -EEXIST:
 * another machine has put something there. */
int rename_keys_copy(struct rename_keys *m);

/* What follows the place of the key that has this in the text; of key k. */
static inline const char *rename_keys_text(const struct rename_keys *m,
					   size_t at)
{
	return m->text.data + at;
}
static inline const char *rename_keys_rest(const struct rename_keys *m,
					   size_t k)
{
	return rename_keys_text(m, m->keys[k].at);
}
/* Its version as it was noted. */
static inline const char *rename_keys_version_of(const struct rename_keys *m,
						 size_t k)
{
	const char *rest = rename_keys_rest(m, k);

	return rest + strlen(rest) + 1;
}
/* Its ETag; NULL: it is not known. */
const char *rename_keys_etag(const struct rename_keys *m, size_t k);
/* That of a listed object. */
void rename_keys_version(const struct object_info *info,
			 char out[RENAME_VERSION_SIZE]);
/* The log is told that such a one is another machine's by now. */
void rename_keys_log_other(const struct rename_keys *m, const char *rest);
/* `dir` (m's from or to) and `rest` with the '/' between. 0, -ENAMETOOLONG. */
int rename_keys_whole_key(const struct buf *dir, const char *rest,
			  struct buf *out);

LOCK_GUARDS(rename_keys_locked, rename_keys, rename_keys_locked);

/* Copies whose ETag is new; *n of them, until rename_keys_clear(). */
size_t rename_keys_changed(struct rename_keys *m,
			   const struct rename_copy **out);
/* The key that failed first, or the place itself. */
void rename_keys_failed(struct rename_keys *m, struct buf *key);

#endif
