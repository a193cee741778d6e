/*
 * Two stages that hold each other's keys would show one object under two
 * names, with two caches: they are refused unless both say that they may.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "stage/catalog_impl.h"

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

static int check_other(const char *name, const struct conn *conn,
		       const char *below, const struct place *self,
		       struct buf *err)
{
	struct place other = { 0 };
	int rc = find_place(&other, name, conn, below, err);

	if (!rc)
		rc = check_pair(&other, self, err);
	conn_place_clear(&other.at);
	return rc;
}

int overlap_check(const struct conn *storage, const struct external_set *set,
		  const char *name, const struct conn *conn, struct buf *err)
{
	struct place self = { 0 };
	int rc = find_place(&self, name, conn, "", err);

	if (!rc && storage)
		rc = check_other("[storage]", storage, "stage/", &self, err);
	for (unsigned i = 0; i < set->n && !rc; i++) {
		const struct external *x = &set->list[i];

		if (strcmp(x->stage->name, name))
			rc = check_other(x->stage->name, x->conn, "", &self,
					 err);
	}
	conn_place_clear(&self.at);
	return rc;
}
