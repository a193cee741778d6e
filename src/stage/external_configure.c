/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All stages are opened before the first is swapped in; one thread at a time
 * changes the set (external_folder.h: looking). A stage whose credentials alone
 * differ stays the same stage, with what is open: its store signs with the new
 * ones from then on.
 */
#include "stage/external_configure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "stage/external_folder.h"
#include "store/store.h"

/* The set that is coming. */
struct configure_change {
	struct external_folder *f;
	struct external_set old, new;
	bool *kept; /* of old */
};

LOCK_GUARDS(configure_locked, external_folder, external_folder_locked);

#define LOOKING_MS 5000

static const struct catalog_external *configure_named(
	const struct catalog_external *list, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (!list[i].drop_in && !strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}

/* The same stage with other credentials. */
static int configure_renew(struct external_folder *f, const struct external *x,
			   const struct conn *conn, struct buf *said)
{
	struct conn *copy = calloc(1, sizeof(*copy)), *old = NULL;
	struct external *now;
	int rc = copy ? conn_copy(conn, copy) : -ENOMEM;

	if (!rc)
		rc = conn_renew(conn, f->with.engine, x->stage->store);
	if (!rc) {
		lock_take(&f->lock);
		now = external_find(&configure_locked(f)->set, x->stage->name);
		old = now->conn;
		now->conn = copy;
		lock_drop(&f->lock);
		copy = old;
		buf_addf(said, "stage %s has other credentials\n",
			 x->stage->name);
	}
	if (copy)
		conn_clear(copy);
	free(copy);
	return rc;
}

static int configure_renew_all(struct external_folder *f,
			       const struct external_set *set,
			       const struct catalog_external *list, unsigned n,
			       struct buf *said)
{
	int rc = 0;

	for (unsigned i = 0; i < set->n && !rc; i++) {
		const struct external *x = &set->list[i];
		const struct catalog_external *c =
			x->drop_in ? NULL
				   : configure_named(list, n, x->stage->name);

		if (c && !c->fault && !x->stage->store->broken &&
		    conn_only_creds_differ(x->conn, c->conn))
			rc = configure_renew(f, x, c->conn, said);
	}
	return rc;
}

/* One of the configuration: as it was, or opened anew. */
static int configure_one(struct configure_change *ch,
			 const struct catalog_external *c, struct buf *said,
			 struct buf *why)
{
	struct external *x = external_find(&ch->old, c->name);
	int rc;

	if (x && !x->drop_in &&
	    (conn_equal(x->conn, c->conn) ||
	     (!x->stage->store->broken &&
	      conn_only_creds_differ(x->conn, c->conn)))) {
		ch->kept[x - ch->old.list] = true;
		ch->new.list[ch->new.n++] = *x;
		return 0;
	}
	rc = external_open(&ch->f->with, &ch->new, c->name, c->conn, false,
			   &ch->new.list[ch->new.n], why);
	if (rc)
		return rc;
	ch->new.n++;
	buf_addf(said, "stage %s is %s\n", c->name, x ? "another" : "new");
	return 0;
}

static int configure_build(struct configure_change *ch,
			   const struct catalog_external *list, unsigned n,
			   struct buf *said, struct buf *why)
{
	unsigned room = ch->old.n + n + 1;
	int rc = 0;

	ch->new.list = calloc(room, sizeof(*ch->new.list));
	ch->kept = calloc(room, sizeof(*ch->kept));
	if (!ch->new.list || !ch->kept)
		return -ENOMEM;
	for (unsigned i = 0; i < ch->old.n; i++) {
		struct external *x = &ch->old.list[i];
		bool named = configure_named(list, n, x->stage->name);

		if (x->drop_in && !named) {
			ch->kept[i] = true;
			ch->new.list[ch->new.n++] = *x;
		} else if (!named) {
			buf_addf(said, "stage %s is gone\n", x->stage->name);
		}
	}
	for (unsigned i = 0; i < n && !rc; i++)
		if (!list[i].drop_in)
			rc = configure_one(ch, &list[i], said, why);
	return rc;
}

/* What was opened for nothing. */
static void configure_undo(struct configure_change *ch)
{
	for (unsigned i = 0; ch->new.list &&i < ch->new.n; i++) {
		struct external *x =
			external_find(&ch->old, ch->new.list[i].stage->name);

		if (!x || x->stage != ch->new.list[i].stage)
			external_clear(&ch->new.list[i]);
	}
	free(ch->new.list);
}

static void configure_swap(struct configure_change *ch)
{
	LOCK_DO(&ch->f->lock, configure_locked(ch->f)->set = ch->new);
	for (unsigned i = 0; i < ch->old.n; i++)
		if (!ch->kept[i])
			external_clear(&ch->old.list[i]);
	free(ch->old.list);
}

int external_configure(struct external_folder *f,
		       const struct catalog_external *list, unsigned n,
		       bool keys_only, struct buf *said, struct buf *why)
{
	struct configure_change ch = { .f = f };
	int rc =
		external_folder_begin(f, clock_mono_ms() + LOOKING_MS, &ch.old);

	if (rc)
		return rc;
	if (!keys_only) {
		rc = configure_build(&ch, list, n, said, why);
		if (rc) {
			configure_undo(&ch);
		} else {
			external_sort(&ch.new);
			configure_swap(&ch);
			ch.old = ch.new;
		}
		free(ch.kept);
	}
	if (!rc)
		rc = configure_renew_all(f, &ch.old, list, n, said);
	external_folder_end(f);
	return rc;
}
