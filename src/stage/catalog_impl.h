/*
 * The catalog's insides, for catalog.c (what callers ask) and catalog_new.c
 * (how it comes to be).
 */
#ifndef STAGE_CATALOG_IMPL_H
#define STAGE_CATALOG_IMPL_H

#include "base/lock.h"
#include "base/waiter.h"
#include "stage/catalog.h"
#include "stage/stage_cache.h"
#include "store/store.h"

/* An external stage; its parts are shared by copies of the array. */
struct external {
	struct stage *stage; /* a reference */
	struct conn *conn;
	char *keys; /* overlap_keys(); NULL: it has a fault, and holds none */
	bool drop_in;
	/* Why it cannot be used: its store is an absent one, and conn may be
	 * empty. Else NULL. */
	char *fault;
};

struct external_set {
	struct external *list; /* in byte order */
	unsigned n;
};

/* A listing that is under way, and how the last one ended. */
struct catalog_locked {
	struct stage_cache cache;
	bool listing;
	uint64_t listing_id; /* ticket of that one, or the last */
	int listing_err; /* of the last */
	struct waiter_list waiting;
	/* Only who has set `looking` changes the set. */
	struct external_set external;
	bool looking; /* at the folder of drop-ins */
	int64_t looked_ms; /* when that was last done */
	struct drop_ins_stamp stamp;
};

typedef int conn_opener(const struct conn *, const char *, struct http_engine *,
			struct store **, struct buf *);

struct catalog {
	struct store *storage; /* NULL: none */
	char *storage_prefix; /* <root>stage/ */
	char *internal_prefix; /* <root>stage/internal/ */
	bool storage_ro, storage_upload_api;
	uint64_t storage_part_size;
	struct stage *user; /* NULL without storage */
	struct stage **first; /* the external ones at the start */
	unsigned n_first;
	char *drop_ins; /* NULL: none */
	uint64_t deadline_max;
	struct conn *storage_conn; /* NULL: none */
	char *storage_keys; /* overlap_keys() of what is below it */
	struct http_engine *engine;
	conn_opener *open;
	struct store_observer watcher;
	struct lock lock;
	struct catalog_locked guarded_;
};

static inline struct catalog_locked *catalog_locked(struct catalog *c)
	REQUIRES(&c->lock)
{
	return &c->guarded_;
}

/* The external stage of that name, with a reference, or NULL. */
struct stage *catalog_find_external(struct catalog *c, const char *name);
/* Is there one? The folder is not looked at. */
bool catalog_has_external(struct catalog *c, const char *name);

/* Opens one that overlaps neither [storage] nor one of the set: 0 or -errno,
 * why in err. No network. */
int external_open(struct catalog *c, const struct external_set *set,
		  const char *name, const struct conn *conn, bool drop_in,
		  struct external *out, struct buf *err);
void external_clear(struct external *x);
/* Returns rc; of a failure err gets `name: why`. Clears why. */
int external_fail(const char *name, int rc, struct buf *why, struct buf *err);
/* In place of one that cannot be used: a stage that answers why. conn NULL:
 * not to be understood. 0 or -ENOMEM. */
int external_broken(const char *name, const struct conn *conn, const char *why,
		    struct external *out);
/* An array of its own; the stages and settings are shared, not counted. */
struct external *external_find(const struct external_set *set,
			       const char *name);
void external_sort(struct external_set *set);

/* The key of an internal stage: what store_stat() takes, or its marker's. */
char *catalog_key(struct catalog *c, const char *name, bool marker);
/* Writes the marker, notes (or NULL) with it. */
int catalog_put_marker(struct catalog *c, const char *name,
		       const struct conn *notes, const struct store_cond *cond);

/* Looks at the folder if the last look is a second old, or at once. */
void catalog_look(struct catalog *c, bool now);

/* [storage] holds keys below this only. */
#define STORAGE_BELOW "stage/"

/* Who holds which keys: all borrowed. */
struct holder {
	const char *name;
	const struct conn *conn; /* NULL: nobody */
	const char *keys;
};
/* conn_keys(), owned; it may look at a disk. 0 or -errno, why in err. */
int overlap_keys(const struct conn *conn, const char *below, char **out,
		 struct buf *err);
/* Does self hold keys of [storage] or of one of the set but itself? 0, or
 * -EINVAL with which in err. No I/O. */
int overlap_check(const struct holder *storage, const struct external_set *set,
		  const struct holder *self, struct buf *err);
static inline struct holder storage_holder(const struct catalog *c)
{
	return (struct holder){ "[storage]", c->storage_conn, c->storage_keys };
}

#endif
