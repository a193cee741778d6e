/*
 * Building a catalog: stores are opened, places compared, and nothing is
 * asked of any server. Two stages that hold each other's keys would show one
 * object under two names, with two caches: they are refused unless both say
 * that they may.
 */
#include "stage/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "stage/catalog_impl.h"
#include "stage/path.h"

typedef int conn_opener(const struct conn *, const char *, struct http_engine *,
			struct store **, struct buf *);

/* ---- overlap ---- */

struct place {
	const char *name;
	const struct conn *conn;
	struct conn_place at;
};

/* [storage] holds keys under stage/ only. */
static int find_place(struct place *p, const char *name,
		      const struct conn *conn, const char *below,
		      struct buf *err)
{
	struct buf prefix = BUF_INIT(STORE_KEY_MAX);
	int rc = conn_place(conn, &p->at, err);

	p->name = name;
	p->conn = conn;
	if (rc || !*below)
		return rc;
	buf_adds(&prefix, p->at.prefix);
	buf_adds(&prefix, below);
	free(p->at.prefix);
	p->at.prefix = buf_detach(&prefix);
	return p->at.prefix ? 0 : -ENOMEM;
}

static int check_pair(const struct place *a, const struct place *b,
		      struct buf *err)
{
	if (a->conn->allow_overlap && b->conn->allow_overlap)
		return 0;
	if (!conn_overlap(a->conn, a->at.prefix, b->conn, b->at.prefix))
		return 0;
	buf_addf(err, "%s and %s overlap: s3://%s/", a->name, b->name,
		 a->at.bucket);
	text_printable(err, a->at.prefix);
	buf_addf(err, " and s3://%s/", b->at.bucket);
	text_printable(err, b->at.prefix);
	buf_adds(err, " hold the same keys (`allow_overlap = yes` in both "
		      "permits it)");
	return -EINVAL;
}

static int check_overlap(const struct catalog_settings *s, struct buf *err)
{
	unsigned n = 0, count = s->n_external + 1;
	struct place *places = calloc(count, sizeof(*places));
	int rc = places ? 0 : -ENOMEM;

	if (!rc && s->storage)
		rc = find_place(&places[n++], "[storage]", s->storage, "stage/",
				err);
	for (unsigned i = 0; i < s->n_external && !rc; i++)
		rc = find_place(&places[n++], s->external[i].name,
				s->external[i].conn, "", err);
	for (unsigned i = 0; i < n && !rc; i++)
		for (unsigned j = i + 1; j < n && !rc; j++)
			rc = check_pair(&places[i], &places[j], err);
	for (unsigned i = 0; i < n; i++)
		conn_place_clear(&places[i].at);
	free(places);
	return rc;
}

/* ---- the parts ---- */

static int fail_named(const char *name, int rc, struct buf *why,
		      struct buf *err)
{
	if (rc)
		buf_addf(err, "%s: %s", name,
			 why->len ? buf_str(why) : strerror(-rc));
	buf_clear(why);
	return rc;
}

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
	free(prefix);
	return s;
}

/* A file removed in an internal stage: the stage stays, though it be empty. */
static void storage_changed(struct store_watcher *w, struct store *store,
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
	known_keep(&catalog_locked(c)->known, stage);
	lock_drop(&c->lock);
}

static bool user_valid(const char *user)
{
	return user && name_visible(user, strlen(user));
}

static int open_storage(struct catalog *c, const struct catalog_settings *s,
			conn_opener *open, struct http_engine *engine,
			struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct conn_place place = { 0 };
	char *prefix = NULL;
	int rc;

	if (!user_valid(s->user)) {
		buf_adds(err, "the user's name cannot be part of a key");
		return -EINVAL;
	}
	rc = conn_place(s->storage, &place, &why);
	if (!rc)
		rc = open(s->storage, "storage", engine, &c->storage, &why);
	if (rc)
		goto out;
	c->storage_ro = s->storage->ro;
	c->storage_part_size = s->storage->part_size;
	c->storage_prefix = join(place.prefix, "stage/", "", "");
	c->internal_prefix = join(place.prefix, "stage/internal/", "", "");
	prefix = join(place.prefix, "stage/user/", s->user, "/");
	if (c->storage_prefix && c->internal_prefix && prefix)
		c->user = stage_new("~", STAGE_USER, c->storage, prefix,
				    c->storage_ro, c->storage_part_size);
	if (!c->user)
		rc = -ENOMEM;
	else
		store_watch(c->storage, &c->watcher);
out:
	free(prefix);
	conn_place_clear(&place);
	return fail_named("[storage]", rc, &why, err);
}

static int open_external(struct catalog *c, const struct catalog_external *x,
			 conn_opener *open, struct http_engine *engine,
			 struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct conn_place place = { 0 };
	struct store *store = NULL;
	struct stage *stage;
	int rc = conn_place(x->conn, &place, &why);

	if (!rc)
		rc = open(x->conn, x->name, engine, &store, &why);
	if (!rc) {
		stage = stage_new(x->name, STAGE_EXTERNAL, store, place.prefix,
				  x->conn->ro, x->conn->part_size);
		store_unref(store);
		if (stage)
			c->external[c->n_external++] = stage;
		else
			rc = -ENOMEM;
	}
	conn_place_clear(&place);
	return fail_named(x->name, rc, &why, err);
}

static int by_name(const void *a, const void *b)
{
	const struct stage *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int open_externals(struct catalog *c, const struct catalog_settings *s,
			  conn_opener *open, struct http_engine *engine,
			  struct buf *err)
{
	int rc = 0;

	c->external = calloc(s->n_external + 1, sizeof(*c->external));
	if (!c->external)
		return -ENOMEM;
	for (unsigned i = 0; i < s->n_external && !rc; i++)
		rc = open_external(c, &s->external[i], open, engine, err);
	qsort(c->external, c->n_external, sizeof(*c->external), by_name);
	return rc;
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
	conn_opener *open = s->open;
	struct catalog *c;
	int rc = check_names(s, err);

	if (!rc)
		rc = check_overlap(s, err);
	if (rc)
		return rc;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	lock_init(&c->lock);
	c->watcher.changed = storage_changed;
	lock_take(&c->lock);
	known_init(&catalog_locked(c)->known, s->metadata_ttl * INT64_C(1000),
		   make_internal, c);
	lock_drop(&c->lock);
	if (s->storage)
		rc = open_storage(c, s, open, engine, err);
	if (!rc)
		rc = open_externals(c, s, open, engine, err);
	if (rc)
		catalog_free(c);
	else
		*out = c;
	return rc;
}

void catalog_free(struct catalog *c)
{
	if (!c)
		return;
	if (c->user)
		store_unwatch(c->storage, &c->watcher);
	lock_take(&c->lock);
	known_clear(&catalog_locked(c)->known);
	lock_drop(&c->lock);
	for (unsigned i = 0; i < c->n_external; i++)
		stage_unref(c->external[i]);
	free(c->external);
	stage_unref(c->user);
	if (c->storage)
		store_unref(c->storage);
	free(c->storage_prefix);
	free(c->internal_prefix);
	lock_destroy(&c->lock);
	free(c);
}
