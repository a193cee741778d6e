/*
 * All the stages. A listing of the internal ones is shared: who wants one
 * while it runs waits for it, and takes it if it began late enough for the
 * caller: after the call, or within metadata_ttl before it. When it failed,
 * all who waited for it get its error, so a dead store is asked once for all;
 * when its caller was interrupted, another takes over. States of a listing:
 * none, running (`listing`), ended (`listing_err`); only run_listing() moves
 * between them.
 */
#include "base/array.h"
#include "stage/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stage/catalog_impl.h"
#include "stage/location.h"

/* ---- a listing ---- */

struct names {
	char **names;
	unsigned n;
	size_t cap;
};

static int names_add(struct names *l, const char *name, size_t len)
{
	if (ARRAY_RESERVE(l->names, l->cap, l->n + 1))
		return -ENOMEM;
	l->names[l->n] = strndup(name, len);
	return l->names[l->n++] ? 0 : -ENOMEM;
}

static void names_clear(struct names *l)
{
	for (unsigned i = 0; i < l->n; i++)
		free(l->names[i]);
	free(l->names);
}

static int list_store(struct catalog *c, struct names *out)
{
	const struct list_query query = {
		.prefix = c->internal_prefix,
		.delimiter = '/',
		.ahead = true,
	};
	size_t skip = strlen(c->internal_prefix);
	struct store_list *list;
	struct list_entry e;
	int rc = store_list_open(c->storage, &query, &list);

	if (rc)
		return rc;
	while ((rc = store_list_next(list, &e)) > 0) {
		size_t len = strlen(e.key);

		if (!e.is_prefix || len < skip + 2 ||
		    !location_name_visible(e.key + skip, len - skip - 1) ||
		    !strcmp(e.key + skip, "~/"))
			continue;
		rc = names_add(out, e.key + skip, len - skip - 1);
		if (rc)
			break;
	}
	store_list_close(list);
	return rc;
}

/* Returns with the lock taken again, and the waiting ones woken. */
static int run_listing(struct catalog *c) REQUIRES(&c->lock)
{
	struct catalog_locked *g = catalog_locked(c);
	int64_t began_ms = clock_mono_ms();
	struct names names = { 0 };
	int rc;

	g->listing = true;
	g->listing_id = stage_cache_ask(&g->cache);
	lock_drop(&c->lock);
	rc = list_store(c, &names);
	lock_take(&c->lock);
	if (!rc)
		rc = stage_cache_listing(&g->cache, g->listing_id, names.names,
					 names.n, began_ms);
	stage_cache_asked(&g->cache);
	g->listing = false;
	g->listing_err = rc;
	waiter_list_wake(&g->waiting);
	names_clear(&names);
	return rc;
}

/* 0 when the listing that ran has ended, -EINTR. */
static int await_listing(struct catalog *c) REQUIRES(&c->lock)
{
	struct catalog_locked *g = catalog_locked(c);
	uint64_t id = g->listing_id;
	int rc = 0;

	while (!rc && g->listing && g->listing_id == id)
		rc = waiter_list_sleep(&g->waiting, &c->lock, WAIT_FOREVER);
	return rc;
}

static int refresh_locked(struct catalog *c) REQUIRES(&c->lock)
{
	struct catalog_locked *g = catalog_locked(c);
	uint64_t came = g->cache.clock;

	for (;;) {
		uint64_t id = g->listing_id;
		int rc;

		if (g->cache.listed > came ||
		    stage_cache_list_fresh(&g->cache, clock_mono_ms()))
			return 0;
		if (!g->listing)
			return run_listing(c);
		rc = await_listing(c);
		if (rc)
			return rc;
		if (g->listing_id == id && !g->listing && g->listing_err &&
		    g->listing_err != -EINTR)
			return g->listing_err;
	}
}

/* ---- all of them ---- */

static int by_name(const void *a, const void *b)
{
	const struct stage *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* The external ones and the internal ones that they do not hide, in no order.
 * There is room for one more. */
static int take_all(struct catalog *c, struct stage ***out, unsigned *n,
		    int *storage_err)
{
	struct catalog_locked *g;
	unsigned all, shown = 0, room = 1;
	struct stage **list;

	lock_take(&c->lock);
	g = catalog_locked(c);
	*storage_err = c->storage ? refresh_locked(c) : 0;
	room += stage_cache_count(&g->cache) + g->external.n;
	list = calloc(room, sizeof(*list));
	all = list ? stage_cache_stages(&g->cache, list) : 0;
	for (unsigned i = 0; i < all; i++) {
		if (external_find(&g->external, list[i]->name))
			stage_unref(list[i]);
		else
			list[shown++] = list[i];
	}
	for (unsigned i = 0; i < g->external.n && list; i++)
		list[shown++] = stage_ref(g->external.list[i].stage);
	lock_drop(&c->lock);
	*out = list;
	*n = shown;
	return list ? 0 : -ENOMEM;
}

int catalog_list(struct catalog *c, struct stage ***out, unsigned *n,
		 int *storage_err)
{
	struct stage **list;
	unsigned count;
	int rc;

	catalog_look(c, false);
	rc = take_all(c, &list, &count, storage_err);
	if (rc)
		return rc;
	qsort(list, count, sizeof(*list), by_name);
	if (c->user) {
		memmove(list + 1, list, count * sizeof(*list));
		list[0] = stage_ref(c->user);
		count++;
	}
	*out = list;
	*n = count;
	return 0;
}

void catalog_list_free(struct stage **stages, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		stage_unref(stages[i]);
	free(stages);
}
