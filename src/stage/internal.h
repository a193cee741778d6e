/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The internal stages of a storage, and the users' own: the store is the
 * catalog of these.
 */
#ifndef STAGE_INTERNAL_H
#define STAGE_INTERNAL_H

#include "base/lock.h"
#include "stage/catalog.h"
#include "store/store.h"

struct internal_found;

struct internal_locked {
	struct internal_found *found; /* uthash */
	uint64_t changes, listings; /* so far */
};

struct internal {
	struct store *store;
	char *root; /* <root>stage/ */
	char *prefix; /* <root>stage/internal/ */
	bool ro, upload_api;
	uint64_t part_size;
	int64_t ttl_ms; /* how long what was found is believed */
	struct stage *user; /* `~` of the settings' user */
	struct lock lock;
	struct internal_locked guarded_;
};

/* Opens the store of s->storage. internal_close() in either case. 0 or
 * -errno, why set. No network. */
int internal_open(struct internal *in, const struct catalog_settings *s,
		  struct http_engine *engine, struct buf *why);
void internal_close(struct internal *in);

/* One by name, with a reference. believe: one that was found a short while ago
 * is given without a request. -ENOENT. */
int internal_get(struct internal *in, const char *name, bool believe,
		 struct stage **out);
/* The same without asking; the next that asks does. */
int internal_assume(struct internal *in, const char *name, struct stage **out);
/* `~` of that user. -EINVAL, -ENOMEM. */
int internal_get_user(struct internal *in, const char *user,
		      struct stage **out);
/* Is there one, by the store's word? */
int internal_ask(struct internal *in, const char *name, bool *present);
/* All of them, by a listing, with a reference each; *out to be freed. */
int internal_list(struct internal *in, struct stage ***out, unsigned *n);
/* As catalog_create() and catalog_drop(), of one that is not external. */
int internal_create(struct internal *in, const char *name,
		    const struct conn *properties, struct stage **out);
int internal_drop(struct internal *in, const char *name);
void internal_keep(struct internal *in, const char *name);

/* The key of an internal stage: what store_stat() takes, or its marker's. */
char *internal_marker_key(const struct internal *in, const char *name,
			  bool marker);

/* As catalog_properties() and those beside it. */
ssize_t internal_marker_size(const struct conn *properties);
int internal_marker_properties(struct internal *in, const char *name,
			       struct conn *out, char etag[STORE_ETAG_SIZE]);
/* Writes the marker, properties (or NULL) with it. */
int internal_marker_put(struct internal *in, const char *name,
			const struct conn *properties,
			const struct store_cond *cond);

#endif
