/*
 * External stages, one and in sets: opened from their settings, or, where that
 * fails, as a stage whose every call says why.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "stage/catalog_impl.h"
#include "store/store.h"

int external_fail(const char *name, int rc, struct buf *why, struct buf *err)
{
	if (rc)
		buf_addf(err, "%s: %s", name,
			 why->len ? buf_str(why) : strerror(-rc));
	buf_clear(why);
	return rc;
}

static int external_order(const void *name, const void *x)
{
	return strcmp(name, ((const struct external *)x)->stage->name);
}

struct external *external_find(const struct external_set *set, const char *name)
{
	return bsearch(name, set->list, set->n, sizeof(*set->list),
		       external_order);
}

static int external_compare(const void *a, const void *b)
{
	const struct external *x = a, *y = b;

	return strcmp(x->stage->name, y->stage->name);
}

void external_sort(struct external_set *set)
{
	qsort(set->list, set->n, sizeof(*set->list), external_compare);
}

static int external_stage(struct catalog *c, const char *name,
			  struct external *out, struct buf *why)
{
	const struct conn *conn = out->conn;
	struct conn_location place;
	struct store *store = NULL;
	int rc = conn_location(conn, &place, why);

	if (!rc)
		rc = c->open(conn, name, c->engine, &store, why);
	if (!rc) {
		out->stage = stage_new(name, STAGE_EXTERNAL, store,
				       place.prefix, conn->ro, conn->part_size);
		store_unref(store);
		if (out->stage)
			out->stage->upload_api = conn->upload_api;
		else
			rc = -ENOMEM;
	}
	conn_location_clear(&place);
	return rc;
}

static int external_keys(struct catalog *c, const struct external_set *set,
			 const char *name, const struct conn *conn, char **keys,
			 struct buf *err)
{
	const struct holder storage = storage_holder(c);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = overlap_keys(conn, "", keys, &why);
	const struct holder self = { name, conn, *keys };

	if (rc)
		return external_fail(name, rc, &why, err);
	return overlap_check(&storage, set, &self, err);
}

int external_open(struct catalog *c, const struct external_set *set,
		  const char *name, const struct conn *conn, bool drop_in,
		  struct external *out, struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc;

	*out = (struct external){ .drop_in = drop_in };
	rc = external_keys(c, set, name, conn, &out->keys, err);
	if (rc)
		goto out;
	out->conn = calloc(1, sizeof(*out->conn));
	rc = out->conn ? conn_copy(conn, out->conn) : -ENOMEM;
	if (!rc)
		rc = external_stage(c, name, out, &why);
	external_fail(name, rc, &why, err);
out:
	if (rc)
		external_clear(out);
	return rc;
}

int external_broken(const char *name, const struct conn *conn, const char *why,
		    struct external *out)
{
	struct buf url = BUF_INIT(BUF_URL), unused = BUF_INIT(BUF_MESSAGE);
	struct conn_location place = { 0 };
	struct store *store = NULL;
	int rc;

	*out = (struct external){ .drop_in = true, .fault = strdup(why) };
	out->conn = calloc(1, sizeof(*out->conn));
	rc = out->conn && out->fault ? 0 : -ENOMEM;
	if (!rc && conn)
		rc = conn_copy(conn, out->conn);
	if (!rc && conn && !conn_location(conn, &place, &unused))
		conn_location_show(&place, "", &url);
	if (!rc)
		rc = store_broken_new(name, buf_str(&url), -ENODEV, why,
				      &store);
	if (!rc) {
		out->stage =
			stage_new(name, STAGE_EXTERNAL, store, "", false, 0);
		store_unref(store);
		rc = out->stage ? 0 : -ENOMEM;
	}
	if (rc)
		external_clear(out);
	conn_location_clear(&place);
	buf_clear(&url);
	buf_clear(&unused);
	return rc;
}

void external_clear(struct external *x)
{
	stage_unref(x->stage);
	if (x->conn)
		option_clear(conn_options, x->conn);
	free(x->conn);
	free(x->keys);
	free(x->fault);
	*x = (struct external){ 0 };
}
