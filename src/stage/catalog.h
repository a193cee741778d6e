/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which stages there are: `~`, the internal ones that the store has, and the
 * external ones of the configuration and of its folder of drop-ins. The object
 * store is the catalog of the internal ones: two machines with one storage see
 * the same. The folder is looked at when names are looked up, at most once a
 * second: what statements made, altered or dropped is seen while we run.
 */
#ifndef STAGE_CATALOG_H
#define STAGE_CATALOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "stage/conf/conn.h"
#include "stage/drop_ins.h"
#include "stage/stage.h"
#include "store/store.h"

struct catalog;
struct external_folder;

struct catalog_external {
	const char *name;
	const struct conn *conn;
	bool drop_in; /* of the folder, so it may change */
	const char *fault; /* why it cannot be used; NULL: it can */
};

/* Borrowed during catalog_new() only. */
struct catalog_settings {
	const char *user; /* whose stage `~` is */
	const struct conn *storage; /* NULL: external stages only */
	const struct catalog_external *external;
	unsigned n_external;
	unsigned metadata_ttl; /* s: how long a listing is believed */
	/* Where drop-ins are, and its stamp from before they were read to be
	 * among external; NULL: there is no such folder. */
	const char *drop_ins;
	struct drop_ins_stamp stamp;
	uint64_t deadline_max; /* s, of those that come later; 0: none */
	/* conn_open(); tests put stores in memory here. */
	conn_open_fn *open;
};

/*
 * Opens the stores (no I/O) and refuses overlapping stages. A stage of the
 * folder that cannot be one, for its fault, an overlap or otherwise, is there
 * all the same, every call of its store fails, and its check says why; the log
 * says it too. 0, or -EINVAL with why set.
 */
int catalog_new(const struct catalog_settings *s, struct http_engine *engine,
		struct catalog **out, struct buf *why);
void catalog_free(struct catalog *c);

/* Is there a [storage]? Without one mkdir at the root is -EROFS. */
bool catalog_has_storage(struct catalog *c);
/* The store of user and internal stages, borrowed; NULL without [storage]. */
struct store *catalog_storage(struct catalog *c);
/* `<root>stage/` where they lie in it. */
const char *catalog_storage_prefix(struct catalog *c);

/*
 * One stage by name, with a reference. `~` and external ones cost no request,
 * an internal one does unless it was found in the last metadata_ttl seconds.
 * -ENOENT.
 */
int catalog_get(struct catalog *c, const char *name, struct stage **out);
/* The two halves of that, for a mount, which keeps account itself of what it
 * has found: `~` and external ones; internal ones, by a request in any case. */
int catalog_find(struct catalog *c, const char *name, struct stage **out);
int catalog_ask(struct catalog *c, const char *name, struct stage **out);

/* An internal stage of that name, or another that is there, without asking: for
 * what was written into it and is to be sent yet. -ENOENT: there is no storage.
 */
int catalog_assume(struct catalog *c, const char *name, struct stage **out);

/* The same for another user than the catalog's: `~` is his own then. A stage
 * that another process made a moment ago is found, whatever is cached. -EINVAL
 * a name that cannot be part of a key. */
int catalog_get_as(struct catalog *c, const char *user, const char *name,
		   struct stage **out);

/*
 * All of them, `~` first and the rest in byte order, as an array of
 * references that catalog_list_free() drops. The internal ones come by a
 * request; when that fails, *storage_rc says why and the others are given.
 * storage_rc NULL: it is not asked, and there are no internal ones. 0 or
 * -ENOMEM.
 */
int catalog_list(struct catalog *c, struct stage ***out, unsigned *n,
		 int *storage_rc);
void catalog_list_free(struct stage **stages, unsigned n);

/* The external stages as they were when the catalog was opened, without I/O,
 * for `check`. They live as long as the catalog. */
unsigned catalog_n_external(struct catalog *c);
struct stage *catalog_external(struct catalog *c, unsigned i); /* borrowed */
/* True when an internal stage of that name is hidden by an external one. */
int catalog_hidden(struct catalog *c, const char *name, bool *hidden);

/* Is an external stage of that name there now? No request to any store. */
bool catalog_is_external(struct catalog *c, const char *name);
/* An external stage's settings, to be cleared by option_clear(). drop_in:
 * whether it is one of the folder. -ENOENT, -ENOMEM. */
int catalog_conn(struct catalog *c, const char *name, struct conn *out,
		 bool *drop_in);
/* What keeps the external ones (stage/external_folder.h), borrowed. */
struct external_folder *catalog_folder(struct catalog *c);
/*
 * The configuration was read again: as external_configure(), with
 * storage's credentials (NULL: as they were).
 */
int catalog_configure(struct catalog *c, const struct conn *storage,
		      const struct catalog_external *external, unsigned n,
		      bool keys_only, struct buf *said, struct buf *why);
/* Looks at the folder now, whatever was seen last and when. */
void catalog_refresh(struct catalog *c);
/*
 * Could a stage of that name, new or altered, be an external one with these
 * settings? 0, or -EINVAL with why set: it overlaps another, or cannot be
 * opened.
 */
int catalog_check(struct catalog *c, const char *name, const struct conn *conn,
		  struct buf *why);

/* mkdir at the root. -EINVAL the name, -EEXIST, -EROFS no storage. properties:
 * the settings to be kept with it, or NULL; -E2BIG. */
int catalog_create(struct catalog *c, const char *name,
		   const struct conn *properties, struct stage **out);
/* rmdir at the root: an empty internal one. -ENOTEMPTY, -EPERM `~` and
 * external ones, -EROFS, -ENOENT. */
int catalog_drop(struct catalog *c, const char *name);

/* A file of that stage was removed by this process: an internal stage is there
 * from now on though it may be empty, for this process and until it is dropped.
 */
void catalog_keep(struct catalog *c, const struct stage *s);

/*
 * What statements keep with an internal stage: comment, file_format,
 * copy_options and created_on of a struct conn. They are metadata of the
 * stage's marker, so they are the same on all machines.
 */
#define CATALOG_PROPERTIES_MAX 2048 /* bytes: S3 keeps no more */
/* The bytes that they take as metadata; -ENOMEM. */
ssize_t catalog_properties_size(const struct conn *properties);
/* One request. out is to be cleared by option_clear() in either case. etag:
 * the marker's, for the change; "" there is none, and so no properties. */
int catalog_properties(struct catalog *c, const char *name, struct conn *out,
		       char etag[STORE_ETAG_SIZE]);
/* Replaces them all. etag: catalog_properties()'s, -ESTALE when that is no
 * longer so; NULL: whatever is there. -E2BIG, -EROFS. */
int catalog_properties_set(struct catalog *c, const char *name,
			   const struct conn *properties, const char *etag);

#endif
