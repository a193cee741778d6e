/* SPDX-License-Identifier: Apache-2.0 */
/*
 * External stages are opened from their settings, or, where that fails, as a
 * stage whose every call says why.
 *
 * Two stages that hold each other's keys would show one object under two
 * names, with two caches: they are refused unless both say that they may.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "stage/external.h"
#include "store/store.h"

int external_fail(const char *name, int rc, struct buf *detail, struct buf *why)
{
	if (rc)
		buf_addf(why, "%s: %s", name,
			 detail->len ? buf_str(detail) : strerror(-rc));
	buf_clear(detail);
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

/* ---- which stage holds which keys ---- */

static void external_show(const struct conn *conn, const char *below,
			  struct buf *why)
{
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	CONN_LOCATION_LOCAL at = { 0 };

	if (!conn_location(conn, &at, &detail))
		conn_location_show(&at, below, why);
}

static int external_check_pair(const struct external_owner *a,
			       const char *below,
			       const struct external_owner *b, struct buf *why)
{
	if (a->conn->allow_overlap && b->conn->allow_overlap)
		return 0;
	if (!conn_keys_overlap(a->keys, b->keys))
		return 0;
	buf_addf(why, "%s and %s overlap: ", a->name, b->name);
	external_show(a->conn, below, why);
	buf_adds(why, " and ");
	external_show(b->conn, "", why);
	return buf_fail(why, -EINVAL,
			" hold the same keys (`allow_overlap = yes` in both "
			"permits it)");
}

int external_overlap(const struct external_owner *storage,
		     const struct external_set *set,
		     const struct external_owner *self, struct buf *why)
{
	int rc = 0;

	if (storage->conn)
		rc = external_check_pair(storage, EXTERNAL_STORAGE_BELOW, self,
					 why);
	for (unsigned i = 0; i < set->n && !rc; i++) {
		const struct external *x = &set->list[i];
		const struct external_owner other = { x->stage->name, x->conn,
						      x->keys };

		if (other.keys && strcmp(other.name, self->name))
			rc = external_check_pair(&other, "", self, why);
	}
	return rc;
}

int external_keys(const struct conn *conn, const char *below, char **out,
		  struct buf *why)
{
	BUF_LOCAL keys = BUF_INIT(2 * BUF_URL);
	int rc = conn_keys(conn, below, &keys, why);

	*out = NULL;
	if (!rc && !(*out = buf_detach(&keys)))
		rc = -ENOMEM;
	return rc;
}

/* ---- one ---- */

static int external_open_stage(const struct external_context *with,
			       const char *name, struct external *out,
			       struct buf *why)
{
	const struct conn *conn = out->conn;
	CONN_LOCATION_LOCAL at = { 0 };
	struct store *store = NULL;
	int rc = conn_location(conn, &at, why);

	if (!rc)
		rc = with->open(conn, name, with->engine, &store, why);
	if (!rc) {
		out->stage = stage_new(name, STAGE_EXTERNAL, store, at.prefix,
				       conn->ro, conn->part_size);
		store_unref(store);
		if (out->stage)
			out->stage->upload_api = conn->upload_api;
		else
			rc = -ENOMEM;
	}
	return rc;
}

static int external_check(const struct external_context *with,
			  const struct external_set *set, const char *name,
			  const struct conn *conn, char **keys, struct buf *why)
{
	struct buf detail = BUF_INIT(BUF_MESSAGE);
	int rc = external_keys(conn, "", keys, &detail);
	const struct external_owner self = { name, conn, *keys };

	if (rc)
		return external_fail(name, rc, &detail, why);
	return external_overlap(&with->storage, set, &self, why);
}

int external_open(const struct external_context *with,
		  const struct external_set *set, const char *name,
		  const struct conn *conn, bool drop_in, struct external *out,
		  struct buf *why)
{
	struct buf detail = BUF_INIT(BUF_MESSAGE);
	int rc;

	*out = (struct external){ .drop_in = drop_in };
	rc = external_check(with, set, name, conn, &out->keys, why);
	if (rc)
		goto out;
	out->conn = calloc(1, sizeof(*out->conn));
	rc = out->conn ? conn_copy(conn, out->conn) : -ENOMEM;
	if (!rc)
		rc = external_open_stage(with, name, out, &detail);
	external_fail(name, rc, &detail, why);
out:
	if (rc)
		external_clear(out);
	return rc;
}

int external_broken(const char *name, const struct conn *conn, const char *why,
		    struct external *out)
{
	BUF_LOCAL url = BUF_INIT(BUF_URL), unused = BUF_INIT(BUF_MESSAGE);
	CONN_LOCATION_LOCAL at = { 0 };
	struct store *store = NULL;
	int rc;

	*out = (struct external){ .drop_in = true, .fault = strdup(why) };
	out->conn = calloc(1, sizeof(*out->conn));
	rc = out->conn && out->fault ? 0 : -ENOMEM;
	if (!rc && conn)
		rc = conn_copy(conn, out->conn);
	if (!rc && conn && !conn_location(conn, &at, &unused))
		conn_location_show(&at, "", &url);
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
	return rc;
}

void external_clear(struct external *x)
{
	stage_unref(x->stage);
	if (x->conn)
		conn_clear(x->conn);
	free(x->conn);
	free(x->keys);
	free(x->fault);
	*x = (struct external){ 0 };
}
