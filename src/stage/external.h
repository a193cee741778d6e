/* SPDX-License-Identifier: Apache-2.0 */
/*
 * External stages, one and in sets, and which of them holds which keys.
 */
#ifndef STAGE_EXTERNAL_H
#define STAGE_EXTERNAL_H

#include <stdbool.h>

#include "stage/conf/conn.h"
#include "stage/stage.h"

/* An external stage; its parts are shared by copies of the array. */
struct external {
	struct stage *stage; /* a reference */
	struct conn *conn;
	char *keys; /* external_keys(); NULL: it has a fault, and holds none */
	bool drop_in;
	/* Why it cannot be used: its store is a broken one, and conn may be
	 * empty. Else NULL. */
	char *fault;
};

struct external_set {
	struct external *list; /* in byte order */
	unsigned n;
};

/* Which stage holds which keys: all borrowed. */
struct external_owner {
	const char *name;
	const struct conn *conn; /* NULL: no stage */
	const char *keys;
};

/* [storage] holds keys below this only. */
#define EXTERNAL_STORAGE_BELOW "stage/"

/* What they are opened with. */
struct external_context {
	conn_open_fn *open;
	struct http_engine *engine;
	struct external_owner storage;
};

/* Opens one that overlaps neither [storage] nor one of the set: 0 or -errno,
 * why set. No network. */
int external_open(const struct external_context *with,
		  const struct external_set *set, const char *name,
		  const struct conn *conn, bool drop_in, struct external *out,
		  struct buf *why);
void external_clear(struct external *x);
/* Returns rc; of a failure why gets `name: detail`. Clears detail. */
int external_fail(const char *name, int rc, struct buf *detail,
		  struct buf *why);
/* In place of one that cannot be used: a stage that answers why. conn NULL:
 * not to be understood. 0 or -ENOMEM. */
int external_broken(const char *name, const struct conn *conn, const char *why,
		    struct external *out);

struct external *external_find(const struct external_set *set,
			       const char *name);
void external_sort(struct external_set *set);

/* conn_keys(), owned; it may look at a disk. 0 or -errno, why set. */
int external_keys(const struct conn *conn, const char *below, char **out,
		  struct buf *why);
/* Does self hold keys of [storage] or of one of the set but itself? 0, or
 * -EINVAL with which in why. No I/O. */
int external_overlap(const struct external_owner *storage,
		     const struct external_set *set,
		     const struct external_owner *self, struct buf *why);

#endif
