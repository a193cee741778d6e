/*
 * Two stages that hold each other's keys would show one object under two
 * names, with two caches: they are refused unless both say that they may.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "stage/catalog_impl.h"

static void show(const struct conn *conn, const char *below, struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct conn_location place;

	if (!conn_location(conn, &place, &why))
		conn_location_show(&place, below, err);
	conn_location_clear(&place);
	buf_clear(&why);
}

static int check_pair(const struct holder *a, const char *below,
		      const struct holder *b, struct buf *err)
{
	if (a->conn->allow_overlap && b->conn->allow_overlap)
		return 0;
	if (!conn_keys_overlap(a->keys, b->keys))
		return 0;
	buf_addf(err, "%s and %s overlap: ", a->name, b->name);
	show(a->conn, below, err);
	buf_adds(err, " and ");
	show(b->conn, "", err);
	buf_adds(err, " hold the same keys (`allow_overlap = yes` in both "
		      "permits it)");
	return -EINVAL;
}

int overlap_check(const struct holder *storage, const struct external_set *set,
		  const struct holder *self, struct buf *err)
{
	int rc = 0;

	if (storage->conn)
		rc = check_pair(storage, STORAGE_BELOW, self, err);
	for (unsigned i = 0; i < set->n && !rc; i++) {
		const struct external *x = &set->list[i];
		const struct holder other = { x->stage->name, x->conn,
					      x->keys };

		if (other.keys && strcmp(other.name, self->name))
			rc = check_pair(&other, "", self, err);
	}
	return rc;
}

int overlap_keys(const struct conn *conn, const char *below, char **out,
		 struct buf *err)
{
	struct buf keys = BUF_INIT(2 * BUF_URL);
	int rc = conn_keys(conn, below, &keys, err);

	*out = NULL;
	if (!rc && !(*out = buf_detach(&keys)))
		rc = -ENOMEM;
	buf_clear(&keys);
	return rc;
}
