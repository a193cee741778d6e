/*
 * Building a catalog: stores are opened, places compared, and nothing is
 * asked of any server.
 */
#include "stage/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "stage/catalog_impl.h"
#include "stage/location.h"
#include "store/store.h"

/* ---- the parts ---- */

static char *join(const char *a, const char *b, const char *c, const char *d)
{
	struct buf path = BUF_INIT(STORE_KEY_MAX);

	buf_adds(&path, a);
	buf_adds(&path, b);
	buf_adds(&path, c);
	buf_adds(&path, d);
	return buf_detach(&path);
}

static struct stage *make_internal(void *arg, const char *name)
{
	struct catalog *c = arg;
	char *prefix = join(c->internal_prefix, name, "/", "");
	struct stage *s = NULL;

	if (prefix)
		s = stage_new(name, STAGE_INTERNAL, c->storage, prefix,
			      c->storage_ro, c->storage_part_size);
	if (s)
		s->upload_api = c->storage_upload_api;
	free(prefix);
	return s;
}

/* A file removed in an internal stage: the stage stays, though it be empty. */
static void storage_changed(struct store_observer *w, struct store *store,
			    const char *key, const struct object_info *info)
{
	struct catalog *c =
		(void *)((char *)w - offsetof(struct catalog, watcher));
	const char *name = key + strlen(c->internal_prefix);
	char stage[NAME_BYTES_MAX + 1];
	size_t n;

	if (info || !text_starts_with(key, c->internal_prefix))
		return;
	n = strcspn(name, "/");
	if (!name[n] || !name[n + 1] || n > NAME_BYTES_MAX)
		return;
	memcpy(stage, name, n);
	stage[n] = '\0';
	lock_take(&c->lock);
	stage_cache_keep(&catalog_locked(c)->cache, stage);
	lock_drop(&c->lock);
}

static bool user_valid(const char *user)
{
	return user && location_name_visible(user, strlen(user));
}

static int open_storage(struct catalog *c, const struct catalog_settings *s,
			struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct conn_location place = { 0 };
	char *prefix = NULL;
	int rc;

	if (!user_valid(s->user)) {
		buf_adds(err, "the user's name cannot be part of a key");
		return -EINVAL;
	}
	rc = conn_location(s->storage, &place, &why);
	if (!rc)
		rc = c->open(s->storage, "storage", c->engine, &c->storage,
			     &why);
	if (rc)
		goto out;
	/* A folder is asked for less than it costs to remember. */
	if (c->storage->limits.files) {
		lock_take(&c->lock);
		catalog_locked(c)->cache.ttl_ms = 0;
		lock_drop(&c->lock);
	}
	c->storage_ro = s->storage->ro;
	c->storage_part_size = s->storage->part_size;
	c->storage_upload_api = s->storage->upload_api;
	c->storage_prefix = join(place.prefix, STORAGE_BELOW, "", "");
	c->internal_prefix = join(place.prefix, "stage/internal/", "", "");
	prefix = join(place.prefix, "stage/user/", s->user, "/");
	if (c->storage_prefix && c->internal_prefix && prefix)
		c->user = stage_new("~", STAGE_USER, c->storage, prefix,
				    c->storage_ro, c->storage_part_size);
	if (c->user) {
		c->user->upload_api = c->storage_upload_api;
		store_observer_add(c->storage, &c->watcher);
	} else {
		rc = -ENOMEM;
	}
out:
	free(prefix);
	conn_location_clear(&place);
	return external_fail("[storage]", rc, &why, err);
}

/* One at the start. A drop-in costs itself at most. */
static int open_first(struct catalog *c, const struct external_set *set,
		      const struct catalog_external *x, struct external *out,
		      struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if (x->fault)
		buf_adds(&why, x->fault);
	else
		rc = external_open(c, set, x->name, x->conn, x->drop_in, out,
				   &why);
	if (x->fault || (rc && rc != -ENOMEM && x->drop_in)) {
		log_warn("stage %s cannot be used: %s", x->name, buf_str(&why));
		rc = external_broken(x->name, x->fault ? NULL : x->conn,
				     buf_str(&why), out);
	} else if (rc) {
		buf_adds(err, buf_str(&why));
	} else if (out->stage->store->broken) {
		store_check(out->stage->store, "", &why);
		log_warn("stage %s cannot be used: %s", x->name, buf_str(&why));
	}
	buf_clear(&why);
	return rc;
}

/* The stages that are there at the start, and who keeps them for good. */
static int open_externals(struct catalog *c, const struct catalog_settings *s,
			  struct buf *err)
{
	struct external_set set = { 0 };
	int rc = 0;

	set.list = calloc(s->n_external + 1, sizeof(*set.list));
	c->first = calloc(s->n_external + 1, sizeof(*c->first));
	if (!set.list || !c->first)
		rc = -ENOMEM;
	for (unsigned i = 0; i < s->n_external && !rc; i++) {
		rc = open_first(c, &set, &s->external[i], &set.list[set.n],
				err);
		set.n += !rc;
	}
	external_sort(&set);
	for (unsigned i = 0; i < set.n && c->first; i++)
		c->first[c->n_first++] = stage_ref(set.list[i].stage);
	lock_take(&c->lock);
	catalog_locked(c)->external = set;
	lock_drop(&c->lock);
	return rc;
}

/* What a look at the folder needs later. */
static int keep_settings(struct catalog *c, const struct catalog_settings *s,
			 struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc;

	c->open = s->open;
	c->deadline_max = s->deadline_max;
	lock_take(&c->lock);
	catalog_locked(c)->stamp = s->stamp;
	catalog_locked(c)->looked_ms = clock_mono_ms();
	lock_drop(&c->lock);
	if (s->drop_ins && !(c->drop_ins = strdup(s->drop_ins)))
		return -ENOMEM;
	if (!s->storage)
		return 0;
	c->storage_conn = calloc(1, sizeof(*c->storage_conn));
	rc = c->storage_conn ? conn_copy(s->storage, c->storage_conn) : -ENOMEM;
	if (!rc)
		rc = overlap_keys(s->storage, STORAGE_BELOW, &c->storage_keys,
				  &why);
	return external_fail("[storage]", rc, &why, err);
}

static int check_names(const struct catalog_settings *s, struct buf *err)
{
	for (unsigned i = 0; i < s->n_external; i++) {
		const char *name = s->external[i].name;

		if (!stage_name_valid(name)) {
			buf_addc(err, '"');
			text_printable(err, name);
			buf_adds(err, "\" cannot be the name of a stage");
			return -EINVAL;
		}
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(s->external[j].name, name))
				continue;
			buf_addf(err, "two stages are named %s", name);
			return -EINVAL;
		}
	}
	return 0;
}

int catalog_new(const struct catalog_settings *s, struct http_engine *engine,
		struct catalog **out, struct buf *err)
{
	struct catalog *c;
	int rc = check_names(s, err);

	if (rc)
		return rc;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	lock_init(&c->lock, LOCK_CATALOG);
	c->watcher.changed = storage_changed;
	lock_take(&c->lock);
	stage_cache_init(&catalog_locked(c)->cache,
			 s->metadata_ttl * INT64_C(1000), make_internal, c);
	lock_drop(&c->lock);
	c->engine = engine;
	rc = keep_settings(c, s, err);
	if (!rc && s->storage)
		rc = open_storage(c, s, err);
	if (!rc)
		rc = open_externals(c, s, err);
	if (rc)
		catalog_free(c);
	else
		*out = c;
	return rc;
}

void catalog_free(struct catalog *c)
{
	struct external_set set;

	if (!c)
		return;
	if (c->user)
		store_observer_remove(c->storage, &c->watcher);
	lock_take(&c->lock);
	stage_cache_clear(&catalog_locked(c)->cache);
	set = catalog_locked(c)->external;
	lock_drop(&c->lock);
	for (unsigned i = 0; i < set.n; i++)
		external_clear(&set.list[i]);
	free(set.list);
	for (unsigned i = 0; i < c->n_first; i++)
		stage_unref(c->first[i]);
	free(c->first);
	free(c->drop_ins);
	if (c->storage_conn)
		option_clear(conn_options, c->storage_conn);
	free(c->storage_conn);
	free(c->storage_keys);
	stage_unref(c->user);
	if (c->storage)
		store_unref(c->storage);
	free(c->storage_prefix);
	free(c->internal_prefix);
	lock_destroy(&c->lock);
	free(c);
}
