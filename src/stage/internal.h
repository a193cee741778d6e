/*
 * The internal stages of a storage, and the users' own: the store is the
 * catalog of these. What this process knows of them is believed for a while
 * (stage/stage_cache.h).
 */
#ifndef STAGE_INTERNAL_H
#define STAGE_INTERNAL_H

#include "base/lock.h"
#include "base/waiter.h"
#include "stage/catalog.h"
#include "stage/stage_cache.h"
#include "store/store.h"

/* A listing that is under way, and how the last one ended. */
struct internal_locked {
	struct stage_cache cache;
	bool listing;
	uint64_t listing_id; /* ticket of that one, or the last */
	int listing_err; /* of the last */
	struct waiter_list waiting;
};

struct internal {
	struct store *store;
	char *root; /* <root>stage/ */
	char *prefix; /* <root>stage/internal/ */
	bool ro, upload_api;
	uint64_t part_size;
	struct stage *user; /* `~` of the settings' user */
	struct lock lock;
	struct internal_locked guarded_;
};

/* Opens the store of s->storage. internal_close() in either case. 0 or
 * -errno, why in err. No network. */
int internal_open(struct internal *in, const struct catalog_settings *s,
		  struct http_engine *engine, struct buf *err);
void internal_close(struct internal *in);

/* One by name, with a reference. anew: that there is none is not believed
 * without a request. -ENOENT. */
int internal_get(struct internal *in, const char *name, bool anew,
		 struct stage **out);
/* `~` of that user. -EINVAL, -ENOMEM. */
int internal_get_user(struct internal *in, const char *user,
		      struct stage **out);
/* Is there one, by the store's word? */
int internal_ask(struct internal *in, const char *name, bool *present);
/* Sees to a listing that is fresh; then all that are known, with a reference
 * each. *err: why the listing failed. 0 or -ENOMEM. */
int internal_list(struct internal *in, struct stage ***out, unsigned *n,
		  int *err);
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
