/*
 * One stage by name, and changes of what there is. An answer comes from what
 * is known while that is fresh, else from one request; what this process made
 * or dropped is noted after the store has done it.
 */
#include "stage/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "stage/catalog_impl.h"
#include "stage/location.h"

bool catalog_has_storage(struct catalog *c)
{
	return c->storage != NULL;
}

struct store *catalog_storage(struct catalog *c)
{
	return c->storage;
}

const char *catalog_storage_prefix(struct catalog *c)
{
	return c->storage_prefix;
}

/* ---- one of them ---- */

/* Asks the store for one name. */
static int ask_store(struct catalog *c, const char *name, bool *present)
{
	char *key = catalog_key(c, name, false);
	struct name_info info = { 0 };
	int rc = key ? store_stat(c->storage, key, &info) : -ENOMEM;

	free(key);
	*present = info.is_prefix;
	return rc;
}

/* What is known after one request at most. anew: that there is none is not
 * believed without one. */
static int look_up(struct catalog *c, const char *name, bool anew,
		   struct stage **out)
{
	int64_t began_ms = clock_mono_ms();
	struct catalog_locked *g;
	enum stage_cache_answer answer;
	struct stage *s = NULL;
	uint64_t ticket;
	bool present;
	int rc = 0;

	lock_take(&c->lock);
	g = catalog_locked(c);
	answer = stage_cache_find(&g->cache, name, began_ms, &s);
	if (answer == STAGE_CACHE_UNKNOWN ||
	    (anew && answer == STAGE_CACHE_ABSENT)) {
		ticket = stage_cache_ask(&g->cache);
		lock_drop(&c->lock);
		rc = ask_store(c, name, &present);
		lock_take(&c->lock);
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
	lock_drop(&c->lock);
	return rc;
}

static int get(struct catalog *c, const char *name, bool anew,
	       struct stage **out)
{
	struct stage *external = catalog_find_external(c, name);

	if (external) {
		*out = external;
		return 0;
	}
	if (!strcmp(name, "~")) {
		if (!c->user)
			return -ENOENT;
		*out = stage_ref(c->user);
		return 0;
	}
	if (!c->storage || !location_name_visible(name, strlen(name)))
		return -ENOENT;
	return look_up(c, name, anew, out);
}

int catalog_get(struct catalog *c, const char *name, struct stage **out)
{
	return get(c, name, false, out);
}

int catalog_get_as(struct catalog *c, const char *user, const char *name,
		   struct stage **out)
{
	struct buf prefix = BUF_INIT(STORE_KEY_MAX);
	int rc;

	if (strcmp(name, "~")) {
		rc = catalog_get(c, name, out);
		if (rc != -ENOENT)
			return rc;
		catalog_refresh(c);
		return get(c, name, true, out);
	}
	if (!location_name_visible(user, strlen(user)))
		return -EINVAL;
	if (!c->user)
		return -ENOENT;
	buf_addf(&prefix, "%suser/%s/", c->storage_prefix, user);
	rc = buf_err(&prefix);
	*out = rc ? NULL
		  : stage_new("~", STAGE_USER, c->storage, buf_str(&prefix),
			      c->user->ro, c->user->part_size);
	buf_clear(&prefix);
	if (!rc && !*out)
		rc = -ENOMEM;
	if (!rc)
		(*out)->upload_api = c->user->upload_api;
	return rc;
}

int catalog_hidden(struct catalog *c, const char *name, bool *hidden)
{
	*hidden = false;
	if (!c->storage || !catalog_has_external(c, name))
		return 0;
	return ask_store(c, name, hidden);
}

/* ---- mkdir and rmdir at the root ---- */

static int note_change(struct catalog *c, const char *name, bool present,
		       struct stage **out)
{
	struct stage_cache *k;
	int rc;

	lock_take(&c->lock);
	k = &catalog_locked(c)->cache;
	rc = stage_cache_change(k, name, present, clock_mono_ms());
	if (!rc && out)
		*out = stage_ref(stage_cache_stage(k, name));
	lock_drop(&c->lock);
	return rc;
}

int catalog_create(struct catalog *c, const char *name,
		   const struct conn *notes, struct stage **out)
{
	const struct store_cond cond = { .if_absent = true };
	struct stage *s;
	int rc;

	catalog_look(c, false);
	if (!strcmp(name, "~") || catalog_has_external(c, name))
		return -EEXIST;
	if (!c->storage || c->storage_ro)
		return -EROFS;
	if (!stage_name_valid(name))
		return -EINVAL;
	rc = look_up(c, name, false, &s);
	if (!rc) {
		stage_unref(s);
		return -EEXIST;
	}
	if (rc != -ENOENT)
		return rc;
	rc = catalog_put_marker(c, name, notes, &cond);
	return rc ? rc : note_change(c, name, true, out);
}

/* 0 and whether anything is there, or -ENOTEMPTY. */
static int check_empty(struct catalog *c, const char *marker, bool *there)
{
	const struct list_query query = { .prefix = marker, .page = 2 };
	struct store_list *list;
	struct list_entry e;
	int rc = store_list_open(c->storage, &query, &list);

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

int catalog_drop(struct catalog *c, const char *name)
{
	bool there, kept;
	char *marker;
	int rc;

	catalog_look(c, false);
	if (!strcmp(name, "~") || catalog_has_external(c, name))
		return -EPERM;
	if (!c->storage || !location_name_visible(name, strlen(name)))
		return -ENOENT;
	if (c->storage_ro)
		return -EROFS;
	marker = catalog_key(c, name, true);
	if (!marker)
		return -ENOMEM;
	rc = check_empty(c, marker, &there);
	if (!rc && there)
		rc = store_remove(c->storage, marker);
	free(marker);
	if (rc)
		return rc;
	lock_take(&c->lock);
	kept = stage_cache_kept(&catalog_locked(c)->cache, name);
	lock_drop(&c->lock);
	rc = note_change(c, name, false, NULL);
	return rc || there || kept ? rc : -ENOENT;
}
