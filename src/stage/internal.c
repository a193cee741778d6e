/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was found is believed for metadata_ttl, by those that keep no account of
 * names of their own (a mount does: fs/names); that there is none never is. A
 * stage whose last file this process has removed is there until it is dropped.
 *
 * What this process made stands against an answer that was asked for before. An
 * answer that was asked for before any change of ours is given, but not
 * believed: it may be of what was dropped.
 */
#include "stage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "stage/external.h"
#include "stage/location.h"

LOCK_GUARDS(internal_locked, internal, internal_locked);

/* ---- what was found ---- */

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

static struct stage *internal_make(struct internal *in, const char *name)
{
	MEM_LOCAL char *prefix = internal_join(in->prefix, name, "/", "");
	struct stage *s = NULL;

	if (prefix)
		s = stage_new(name, STAGE_INTERNAL, in->store, prefix, in->ro,
			      in->part_size);
	if (s)
		s->upload_api = in->upload_api;
	return s;
}

struct internal_found {
	struct stage *stage; /* a reference */
	int64_t seen_ms; /* when the question began; UNBELIEVED */
	uint64_t listing; /* the last that showed it */
	uint64_t made; /* changes, when this process made it */
	bool kept;
	UT_hash_handle hh;
};

#define UNBELIEVED (-INT64_MAX / 2)

static struct internal_found *internal_find_locked(struct internal *in,
						   const char *name)
	REQUIRES(&in->lock)
{
	struct internal_found *e;

	HASH_FIND_STR(internal_locked(in)->found, name, e);
	return e;
}

/* The one there, or a new one. asked: changes, when the question began. */
static struct internal_found *internal_found_locked(struct internal *in,
						    const char *name,
						    uint64_t asked,
						    int64_t began_ms)
	REQUIRES(&in->lock)
{
	struct internal_found *e = internal_find_locked(in, name);
	struct internal_locked *g = internal_locked(in);

	if (!e) {
		e = calloc(1, sizeof(*e));
		if (e)
			e->stage = internal_make(in, name);
		if (!e || !e->stage) {
			free(e);
			return NULL;
		}
		HASH_ADD_KEYPTR(hh, g->found, e->stage->name,
				strlen(e->stage->name), e);
	}
	e->seen_ms = asked == g->changes ? began_ms : UNBELIEVED;
	return e;
}

static void internal_forget_locked(struct internal *in,
				   struct internal_found *e) REQUIRES(&in->lock)
{
	HASH_DEL(internal_locked(in)->found, e);
	stage_unref(e->stage);
	free(e);
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

int internal_get(struct internal *in, const char *name, bool believe,
		 struct stage **out)
{
	int64_t began_ms = clock_mono_ms();
	struct internal_found *e;
	bool present = false;
	uint64_t asked;
	int rc = 0;

	*out = NULL;
	if (!in->store || !location_name_visible(name, strlen(name)))
		return -ENOENT;
	lock_take(&in->lock);
	asked = internal_locked(in)->changes;
	e = internal_find_locked(in, name);
	if (!e || !believe || began_ms - e->seen_ms >= in->ttl_ms) {
		lock_drop(&in->lock);
		rc = internal_ask(in, name, &present);
		lock_take(&in->lock);
		e = present ? internal_found_locked(in, name, asked, began_ms)
			    : internal_find_locked(in, name);
		if (present && !e)
			rc = -ENOMEM;
		if (!rc && !present && e && !e->kept && e->made <= asked) {
			internal_forget_locked(in, e);
			e = NULL;
		}
	}
	if (!rc && e)
		*out = stage_ref(e->stage);
	lock_drop(&in->lock);
	return rc || *out ? rc : -ENOENT;
}

int internal_assume(struct internal *in, const char *name, struct stage **out)
{
	struct internal_found *e;

	if (!in->store || !location_name_visible(name, strlen(name)))
		return -ENOENT;
	lock_take(&in->lock);
	e = internal_find_locked(in, name);
	if (!e)
		e = internal_found_locked(in, name,
					  internal_locked(in)->changes - 1, 0);
	*out = e ? stage_ref(e->stage) : NULL;
	lock_drop(&in->lock);
	return *out ? 0 : -ENOMEM;
}

int internal_get_user(struct internal *in, const char *user, struct stage **out)
{
	BUF_LOCAL prefix = BUF_INIT(STORE_KEY_MAX);
	int rc;

	if (!location_name_visible(user, strlen(user)))
		return -EINVAL;
	buf_addf(&prefix, "%suser/%s/", in->root, user);
	rc = buf_err(&prefix);
	*out = rc ? NULL
		  : stage_new("~", STAGE_USER, in->store, buf_str(&prefix),
			      in->ro, in->part_size);
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

static int internal_listing_add(struct listing_names *l, const char *name,
				size_t len)
{
	if (ARRAY_RESERVE(l->names, l->cap, l->n + 1))
		return -ENOMEM;
	l->names[l->n] = strndup(name, len);
	return l->names[l->n++] ? 0 : -ENOMEM;
}

static void internal_listing_clear(struct listing_names *l)
{
	for (unsigned i = 0; i < l->n; i++)
		free(l->names[i]);
	free(l->names);
}

static int internal_listing_of_store(struct internal *in,
				     struct listing_names *out)
{
	const struct list_query query = {
		.prefix = in->prefix,
		.delimiter = '/',
		.ahead = true,
	};
	size_t skip = strlen(in->prefix);
	STORE_LIST_LOCAL *list = NULL;
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
		rc = internal_listing_add(out, e.key + skip, len - skip - 1);
		if (rc)
			break;
	}
	return rc;
}

/* Takes a listing in: all that it has, and those that are there for this
 * process. */
static int internal_listed_locked(struct internal *in,
				  const struct listing_names *l, uint64_t asked,
				  int64_t began_ms, struct stage ***out,
				  unsigned *n) REQUIRES(&in->lock)
{
	struct internal_locked *g = internal_locked(in);
	struct internal_found *e, *next;

	g->listings++;
	for (unsigned i = 0; i < l->n; i++) {
		e = internal_found_locked(in, l->names[i], asked, began_ms);
		if (!e)
			return -ENOMEM;
		e->listing = g->listings;
	}
	*out = calloc(HASH_COUNT(g->found) + 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	HASH_ITER(hh, g->found, e, next)
		if (e->listing == g->listings || e->kept || e->made > asked)
			(*out)[(*n)++] = stage_ref(e->stage);
		else
			internal_forget_locked(in, e);
	return 0;
}

int internal_list(struct internal *in, struct stage ***out, unsigned *n)
{
	int64_t began_ms = clock_mono_ms();
	struct listing_names names = { 0 };
	uint64_t asked;
	int rc = 0;

	*out = NULL;
	*n = 0;
	if (!in->store)
		return 0;
	asked = LOCK_UNDER(&in->lock, internal_locked(in)->changes);
	rc = internal_listing_of_store(in, &names);
	lock_take(&in->lock);
	if (!rc)
		rc = internal_listed_locked(in, &names, asked, began_ms, out,
					    n);
	lock_drop(&in->lock);
	internal_listing_clear(&names);
	return rc;
}

/* ---- mkdir and rmdir at the root ---- */

static int internal_made(struct internal *in, const char *name,
			 struct stage **out)
{
	struct internal_found *e;
	uint64_t changes;

	lock_take(&in->lock);
	changes = ++internal_locked(in)->changes;
	e = internal_found_locked(in, name, changes, clock_mono_ms());
	if (e)
		e->made = changes;
	*out = e ? stage_ref(e->stage) : NULL;
	lock_drop(&in->lock);
	return *out ? 0 : -ENOMEM;
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
	rc = internal_get(in, name, true, &s);
	if (!rc) {
		stage_unref(s);
		return -EEXIST;
	}
	if (rc != -ENOENT)
		return rc;
	rc = internal_marker_put(in, name, properties, &cond);
	return rc ? rc : internal_made(in, name, out);
}

/* 0 and whether anything is there, or -ENOTEMPTY. */
static int internal_check_empty(struct internal *in, const char *marker,
				bool *there)
{
	const struct list_query query = { .prefix = marker, .page = 2 };
	STORE_LIST_LOCAL *list = NULL;
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
	return rc;
}

int internal_drop(struct internal *in, const char *name)
{
	struct internal_found *e;
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
	internal_locked(in)->changes++;
	e = internal_find_locked(in, name);
	kept = e && e->kept;
	if (e)
		internal_forget_locked(in, e);
	lock_drop(&in->lock);
	return there || kept ? 0 : -ENOENT;
}

void internal_keep(struct internal *in, const char *name)
{
	struct internal_found *e;

	lock_take(&in->lock);
	e = internal_find_locked(in, name);
	if (e)
		e->kept = true;
	lock_drop(&in->lock);
}

/* ---- its life ---- */

static int internal_open_store(struct internal *in,
			       const struct catalog_settings *s,
			       struct http_engine *engine, struct buf *why)
{
	CONN_LOCATION_LOCAL at = { 0 };
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
	return rc;
}

int internal_open(struct internal *in, const struct catalog_settings *s,
		  struct http_engine *engine, struct buf *why)
{
	struct buf detail = BUF_INIT(BUF_MESSAGE);
	int rc;

	*in = (struct internal){ 0 };
	lock_init(&in->lock, LOCK_CATALOG);
	if (!s->storage)
		return 0;
	if (!s->user || !location_name_visible(s->user, strlen(s->user)))
		return buf_fail(why, -EINVAL,
				"the user's name cannot be part of a key");
	rc = internal_open_store(in, s, engine, &detail);
	if (!rc) {
		in->ro = s->storage->ro;
		in->part_size = s->storage->part_size;
		in->upload_api = s->storage->upload_api;
		/* A folder is asked for less than it costs to remember. */
		if (!in->store->limits.files)
			in->ttl_ms = s->metadata_ttl * INT64_C(1000);
		rc = internal_get_user(in, s->user, &in->user);
	}
	return external_fail("[storage]", rc, &detail, why);
}

void internal_close(struct internal *in)
{
	struct internal_found *e, *next;

	lock_take(&in->lock);
	HASH_ITER(hh, internal_locked(in)->found, e, next)
		internal_forget_locked(in, e);
	lock_drop(&in->lock);
	stage_unref(in->user);
	if (in->store)
		store_unref(in->store);
	free(in->root);
	free(in->prefix);
	lock_destroy(&in->lock);
}
