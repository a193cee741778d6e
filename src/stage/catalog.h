/*
 * Which stages there are: `~`, the internal ones that the store has, and the
 * external ones of the configuration. The object store is the catalog of the
 * internal ones: two machines with one storage see the same.
 */
#ifndef STAGE_CATALOG_H
#define STAGE_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "stage/conn.h"
#include "stage/stage.h"

struct catalog;

struct catalog_external {
	const char *name;
	const struct conn *conn;
};

/* Borrowed during catalog_new() only. */
struct catalog_settings {
	const char *user; /* whose stage `~` is */
	const struct conn *storage; /* NULL: external stages only */
	const struct catalog_external *external;
	unsigned n_external;
	unsigned metadata_ttl; /* s: how long a listing is believed */
	/* conn_open(); tests put stores in memory here. */
	int (*open)(const struct conn *conn, const char *name,
		    struct http_engine *engine, struct store **out,
		    struct buf *err);
};

/*
 * Opens the stores (no I/O) and refuses overlapping stages. 0, or -EINVAL
 * with why in err.
 */
int catalog_new(const struct catalog_settings *s, struct http_engine *engine,
		struct catalog **out, struct buf *err);
void catalog_free(struct catalog *c);

/* Is there a [storage]? Without one mkdir at the root is -EROFS. */
bool catalog_has_storage(struct catalog *c);
/* The store of user and internal stages, borrowed; NULL without [storage]. */
struct store *catalog_storage(struct catalog *c);
/* `<root>stage/` where they lie in it. */
const char *catalog_storage_prefix(struct catalog *c);

/*
 * One stage by name, with a reference. An internal one costs a request when
 * no fresh listing knows it; `~` and external ones never do. -ENOENT.
 */
int catalog_get(struct catalog *c, const char *name, struct stage **out);

/*
 * All of them, `~` first and the rest in byte order, as an array of
 * references that catalog_list_free() drops. May block on [storage] only; when
 * that fails, *storage_err says why and the others are given, with the
 * internal ones that were known before. 0 or -ENOMEM.
 */
int catalog_list(struct catalog *c, struct stage ***out, unsigned *n,
		 int *storage_err);
void catalog_list_free(struct stage **stages, unsigned n);

/* Every external stage, without I/O, for `check`. */
unsigned catalog_n_external(struct catalog *c);
struct stage *catalog_external(struct catalog *c, unsigned i); /* borrowed */
/* True when an internal stage of that name is hidden by an external one. */
int catalog_hidden(struct catalog *c, const char *name, bool *hidden);

/* mkdir at the root. -EINVAL the name, -EEXIST, -EROFS no storage. */
int catalog_create(struct catalog *c, const char *name, struct stage **out);
/* rmdir at the root: an empty internal one. -ENOTEMPTY, -EPERM `~` and
 * external ones, -EROFS, -ENOENT. */
int catalog_drop(struct catalog *c, const char *name);

#endif
