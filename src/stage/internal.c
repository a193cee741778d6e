/*
 * An answer comes from what is known while that is fresh, else from one
 * request; what this process made or dropped is recorded after the store has
 * done it.
 *
 * A listing is shared: a caller that wants one while it runs waits for it, and
 * takes it if it began late enough: after the call, or within metadata_ttl
 * before it. When it failed, all that waited for it get its error, so a dead
 * store is asked once for all; when its caller was interrupted, another takes
 * over. States of a listing: none, running (`listing`), ended (`listing_err`);
 * only listing_run() moves between them.
 */
#include "stage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "stage/external.h"
#include "stage/location.h"

static struct internal_locked *internal_locked(struct internal *in)
	REQUIRES(&in->lock)
{
	return &in->guarded_;
}

/* ---- one of them ---- */

int internal_ask(struct internal *in, const char *name, bool *present)
{
	char *key = internal_marker_key(in, name, false);
	struct name_info info = { 0 };
	int rc = key ? store_stat(in->store, key, &info) : -ENOMEM;

	free(key);
	*present = info.is_prefix;
	return rc;
}

/* What is known after one request at most. anew: that there is none is not
 * believed without one. */
static int internal_look_up(struct internal *in, const char *name, bool anew,
			    struct stage **out)
{
	int64_t began_ms = clock_mono_ms();
	struct internal_locked *g;
	enum stage_cache_answer answer;
	struct stage *s = NULL;
	uint64_t ticket;
	bool present;
	int rc = 0;

	lock_take(&in->lock);
	g = internal_locked(in);
	answer = stage_cache_find(&g->cache, name, began_ms, &s);
	if (answer == STAGE_CACHE_UNKNOWN ||
	    (anew && answer == STAGE_CACHE_ABSENT)) {
		ticket = stage_cache_ask(&g->cache);
		lock_drop(&in->lock);
		rc = internal_ask(in, name, &present);
		lock_take(&in->lock);
		if (!rc)
			rc = stage_cache_stat(&g->cache, ticket, name, present,
					      began_ms);
		if (!rc)
			s = stage_cache_stage(&g->cache, name);
		stage_cache_asked(&g->cache);
	}
	if (!rc && s)
		*out = stage_ref(s);
	else if (!rc)
		rc = -ENOENT;
	lock_drop(&in->lock);
	return rc;
}

int internal_get(struct internal *in, const char *name, bool anew,
		 struct stage **out)
{
	if (!in->store || !location_name_visible(name, strlen(name)))
		return -ENOENT;
	return internal_look_up(in, name, anew, out);
}

int internal_get_user(struct internal *in, const char *user, struct stage **out)
{
	struct buf prefix = BUF_INIT(STORE_KEY_MAX);
	int rc;

	if (!location_name_visible(user, strlen(user)))
		return -EINVAL;
	buf_addf(&prefix, "%suser/%s/", in->root, user);
	rc = buf_err(&prefix);
	*out = rc ? NULL
		  : stage_new("~", STAGE_USER, in->store, buf_str(&prefix),
			      in->ro, in->part_size);
	buf_clear(&prefix);
	if (!rc && !*out)
		rc = -ENOMEM;
	if (!rc)
		(*out)->upload_api = in->upload_api;
	return rc;
}

/* ---- a listing ---- */

struct listing_names {
	char **names;
	unsigned n;
	size_t cap;
};

static int listing_add(struct listing_names *l, const char *name, size_t len)
{
	if (ARRAY_RESERVE(l->names, l->cap, l->n + 1))
		return -ENOMEM;
	l->names[l->n] = strndup(name, len);
	return l->names[l->n++] ? 0 : -ENOMEM;
}

static void listing_clear(struct listing_names *l)
{
	for (unsigned i = 0; i < l->n; i++)
		free(l->names[i]);
	free(l->names);
}

static int listing_of_store(struct internal *in, struct listing_names *out)
{
	const struct list_query query = {
		.prefix = in->prefix,
		.delimiter = '/',
		.ahead = true,
	};
	size_t skip = strlen(in->prefix);
	struct store_list *list;
	struct list_entry e;
	int rc = store_list_open(in->store, &query, &list);

	if (rc)
		return rc;
	while ((rc = store_list_next(list, &e)) > 0) {
		size_t len = strlen(e.key);

		if (!e.is_prefix || len < skip + 2 ||
		    !location_name_visible(e.key + skip, len - skip - 1) ||
		    !strcmp(e.key + skip, "~/"))
			continue;
		rc = listing_add(out, e.key + skip, len - skip - 1);
		if (rc)
			break;
	}
	store_list_close(list);
	return rc;
}

/* Returns with the lock taken again, and the waiting ones woken. */
static int listing_run(struct internal *in) REQUIRES(&in->lock)
{
	struct internal_locked *g = internal_locked(in);
	int64_t began_ms = clock_mono_ms();
	struct listing_names names = { 0 };
	int rc;

	g->listing = true;
	g->listing_id = stage_cache_ask(&g->cache);
	lock_drop(&in->lock);
	rc = listing_of_store(in, &names);
	lock_take(&in->lock);
	if (!rc)
		rc = stage_cache_listing(&g->cache, g->listing_id, names.names,
					 names.n, began_ms);
	stage_cache_asked(&g->cache);
	g->listing = false;
	g->listing_err = rc;
	waiter_list_wake(&g->waiting);
	listing_clear(&names);
	return rc;
}

/* 0 when the listing that ran has ended, -EINTR. */
static int listing_await(struct internal *in) REQUIRES(&in->lock)
{
	struct internal_locked *g = internal_locked(in);
	uint64_t id = g->listing_id;
	int rc = 0;

	while (!rc && g->listing && g->listing_id == id)
		rc = waiter_list_sleep(&g->waiting, &in->lock, WAIT_FOREVER);
	return rc;
}

static int listing_refresh_locked(struct internal *in) REQUIRES(&in->lock)
{
	struct internal_locked *g = internal_locked(in);
	uint64_t came = g->cache.clock;

	for (;;) {
		uint64_t id = g->listing_id;
		int rc;

		if (g->cache.listed > came ||
		    stage_cache_list_fresh(&g->cache, clock_mono_ms()))
			return 0;
		if (!g->listing)
			return listing_run(in);
		rc = listing_await(in);
		if (rc)
			return rc;
		if (g->listing_id == id && !g->listing && g->listing_err &&
		    g->listing_err != -EINTR)
			return g->listing_err;
	}
}

int internal_list(struct internal *in, struct stage ***out, unsigned *n,
		  int *err)
{
	struct stage_cache *cache;

	lock_take(&in->lock);
	cache = &internal_locked(in)->cache;
	*err = in->store ? listing_refresh_locked(in) : 0;
	*out = calloc(stage_cache_count(cache) + 1, sizeof(**out));
	*n = *out ? stage_cache_stages(cache, *out) : 0;
	lock_drop(&in->lock);
	return *out ? 0 : -ENOMEM;
}

/* ---- mkdir and rmdir at the root ---- */

static int internal_changed(struct internal *in, const char *name, bool present,
			    struct stage **out)
{
	struct stage_cache *k;
	int rc;

	lock_take(&in->lock);
	k = &internal_locked(in)->cache;
	rc = stage_cache_change(k, name, present, clock_mono_ms());
	if (!rc && out)
		*out = stage_ref(stage_cache_stage(k, name));
	lock_drop(&in->lock);
	return rc;
}

int internal_create(struct internal *in, const char *name,
		    const struct conn *properties, struct stage **out)
{
	const struct store_cond cond = { .if_absent = true };
	struct stage *s;
	int rc;

	if (!in->store || in->ro)
		return -EROFS;
	if (!stage_name_valid(name))
		return -EINVAL;
	rc = internal_look_up(in, name, false, &s);
	if (!rc) {
		stage_unref(s);
		return -EEXIST;
	}
	if (rc != -ENOENT)
		return rc;
	rc = internal_marker_put(in, name, properties, &cond);
	return rc ? rc : internal_changed(in, name, true, out);
}

/* 0 and whether anything is there, or -ENOTEMPTY. */
static int internal_check_empty(struct internal *in, const char *marker,
				bool *there)
{
	const struct list_query query = { .prefix = marker, .page = 2 };
	struct store_list *list;
	struct list_entry e;
	int rc = store_list_open(in->store, &query, &list);

	*there = false;
	if (rc)
		return rc;
	while ((rc = store_list_next(list, &e)) > 0) {
		*there = true;
		if (strcmp(e.key, marker)) {
			rc = -ENOTEMPTY;
			break;
		}
	}
	store_list_close(list);
	return rc;
}

int internal_drop(struct internal *in, const char *name)
{
	bool there, kept;
	char *marker;
	int rc;

	if (!in->store || !location_name_visible(name, strlen(name)))
		return -ENOENT;
	if (in->ro)
		return -EROFS;
	marker = internal_marker_key(in, name, true);
	if (!marker)
		return -ENOMEM;
	rc = internal_check_empty(in, marker, &there);
	if (!rc && there)
		rc = store_remove(in->store, marker);
	free(marker);
	if (rc)
		return rc;
	lock_take(&in->lock);
	kept = stage_cache_kept(&internal_locked(in)->cache, name);
	lock_drop(&in->lock);
	rc = internal_changed(in, name, false, NULL);
	return rc || there || kept ? rc : -ENOENT;
}

void internal_keep(struct internal *in, const char *name)
{
	lock_take(&in->lock);
	stage_cache_keep(&internal_locked(in)->cache, name);
	lock_drop(&in->lock);
}

/* ---- its life ---- */

static char *internal_join(const char *a, const char *b, const char *c,
			   const char *d)
{
	struct buf path = BUF_INIT(STORE_KEY_MAX);

	buf_adds(&path, a);
	buf_adds(&path, b);
	buf_adds(&path, c);
	buf_adds(&path, d);
	return buf_detach(&path);
}

static struct stage *internal_make(void *arg, const char *name)
{
	struct internal *in = arg;
	char *prefix = internal_join(in->prefix, name, "/", "");
	struct stage *s = NULL;

	if (prefix)
		s = stage_new(name, STAGE_INTERNAL, in->store, prefix, in->ro,
			      in->part_size);
	if (s)
		s->upload_api = in->upload_api;
	free(prefix);
	return s;
}

static int internal_open_store(struct internal *in,
			       const struct catalog_settings *s,
			       struct http_engine *engine, struct buf *why)
{
	struct conn_location at = { 0 };
	int rc = conn_location(s->storage, &at, why);

	if (!rc)
		rc = s->open(s->storage, "storage", engine, &in->store, why);
	if (!rc) {
		in->root = internal_join(at.prefix, EXTERNAL_STORAGE_BELOW, "",
					 "");
		in->prefix =
			internal_join(at.prefix, "stage/internal/", "", "");
		if (!in->root || !in->prefix)
			rc = -ENOMEM;
	}
	conn_location_clear(&at);
	return rc;
}

int internal_open(struct internal *in, const struct catalog_settings *s,
		  struct http_engine *engine, struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct stage_cache *cache;
	int rc;

	*in = (struct internal){ 0 };
	lock_init(&in->lock, LOCK_CATALOG);
	lock_take(&in->lock);
	cache = &internal_locked(in)->cache;
	stage_cache_init(cache, s->metadata_ttl * INT64_C(1000), internal_make,
			 in);
	lock_drop(&in->lock);
	if (!s->storage)
		return 0;
	if (!s->user || !location_name_visible(s->user, strlen(s->user))) {
		buf_adds(err, "the user's name cannot be part of a key");
		return -EINVAL;
	}
	rc = internal_open_store(in, s, engine, &why);
	if (!rc) {
		in->ro = s->storage->ro;
		in->part_size = s->storage->part_size;
		in->upload_api = s->storage->upload_api;
		/* A folder is asked for less than it costs to remember. */
		lock_take(&in->lock);
		if (in->store->limits.files)
			cache->ttl_ms = 0;
		lock_drop(&in->lock);
		rc = internal_get_user(in, s->user, &in->user);
	}
	return external_fail("[storage]", rc, &why, err);
}

void internal_close(struct internal *in)
{
	lock_take(&in->lock);
	stage_cache_clear(&internal_locked(in)->cache);
	lock_drop(&in->lock);
	stage_unref(in->user);
	if (in->store)
		store_unref(in->store);
	free(in->root);
	free(in->prefix);
	lock_destroy(&in->lock);
}
