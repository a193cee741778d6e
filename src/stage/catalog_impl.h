/*
 * The catalog's insides, for catalog.c (what callers ask) and catalog_new.c
 * (how it comes to be).
 */
#ifndef STAGE_CATALOG_IMPL_H
#define STAGE_CATALOG_IMPL_H

#include "base/lock.h"
#include "base/wait.h"
#include "stage/catalog.h"
#include "stage/known.h"
#include "store/store.h"

/* A listing that is under way, and how the last one ended. */
struct catalog_locked {
	struct known known;
	bool listing;
	uint64_t listing_id; /* ticket of that one, or the last */
	int listing_err; /* of the last */
	struct wait_list waiting;
};

struct catalog {
	struct store *storage; /* NULL: none */
	char *storage_prefix; /* <root>stage/ */
	char *internal_prefix; /* <root>stage/internal/ */
	bool storage_ro;
	uint64_t storage_part_size;
	struct stage *user; /* NULL without storage */
	struct stage **external; /* in byte order */
	unsigned n_external;
	struct store_watcher watcher;
	struct lock lock;
	struct catalog_locked guarded_;
};

static inline struct catalog_locked *catalog_locked(struct catalog *c)
	REQUIRES(&c->lock)
{
	return &c->guarded_;
}

/* The external stage of that name, borrowed, or NULL. */
struct stage *catalog_find_external(struct catalog *c, const char *name);

#endif
