/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/attr/attr_learn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "fs/names/inode_meta.h"
#include "stage/stage.h"
#include "store/attr_meta.h"

/* A name that is asked for. */
struct learn {
	struct inode *inode; /* referenced */
	struct inode *now; /* what stands there; referenced, or NULL */
	int rc;
};

struct learn_batch {
	struct tree *tree;
	unsigned n;
	struct learn names[ATTR_LEARN_AT_ONCE];
};

/* What may not be read has the attributes of what has none. */
static int learn_ask(struct store *s, const char *key, struct object_details *d,
		     struct store_attr *a)
{
	size_t n = strlen(key);
	int rc = store_head(s, key, d);

	memset(a, 0, sizeof(*a));
	if (!rc)
		attr_meta_read(&d->props, n && key[n - 1] == '/', a);
	return rc;
}

static int learn_at(struct tree *t, struct learn *l, struct inode *dir,
		    const char *name, struct inode_object *o)
{
	uint64_t asked = tree_clock(t);
	struct object_details *d = malloc(sizeof(*d));
	struct store_attr a;
	struct inode_view v;
	bool is_refreshed;
	int rc = -ENOMEM;

	inode_view(t, l->inode, &v);
	if (d)
		rc = learn_ask(o->stage->store, buf_str(&o->key), d, &a);
	is_refreshed = !rc;
	if (rc == -EACCES || (rc == -ENOENT && v.kind == INODE_DIR))
		rc = 0;
	if (!rc && !is_refreshed && v.kind == INODE_FILE)
		d->info = v.info;
	if (!rc)
		l->now = inode_meta_learn(
			t, dir, name, v.kind,
			is_refreshed || v.kind == INODE_FILE ? &d->info : NULL,
			&a, asked);
	else if (rc == -ENOENT)
		l->now = tree_refresh_absent(t, dir, name, asked);
	free(d);
	return rc || l->now ? rc : -ENOENT;
}

/* One that fails does not keep the others from being asked for. */
static int learn_one(void *arg, size_t k)
{
	struct learn_batch *b = arg;
	struct learn *l = &b->names[k];
	char name[256];
	struct inode *dir = inode_parent(b->tree, l->inode, name);
	INODE_OBJECT_LOCAL o;
	int rc = inode_object(b->tree, l->inode, &o);

	if (!dir)
		rc = -ENOENT;
	l->rc = rc ? rc : learn_at(b->tree, l, dir, name, &o);
	inode_unref(b->tree, dir);
	return l->rc == -EINTR || !k ? l->rc : 0;
}

int attr_learn(struct tree *t, struct inode **i)
{
	struct inode *all[ATTR_LEARN_AT_ONCE];
	struct learn_batch b = { .tree = t };
	struct inode_view v;
	int rc;

	inode_view(t, *i, &v);
	if (!v.unlearned)
		return 0;
	b.n = inode_meta_ahead(t, *i, all, ATTR_LEARN_AT_ONCE);
	for (unsigned k = 0; k < b.n; k++)
		b.names[k].inode = all[k];
	rc = b.n > 1 ? parallel_run(ATTR_LEARN_AT_ONCE, b.n, learn_one, &b,
				    true)
		     : learn_one(&b, 0);
	if (!rc && b.names[0].now) {
		inode_unref(t, *i);
		*i = inode_ref(t, b.names[0].now);
	}
	for (unsigned k = 0; k < b.n; k++) {
		inode_unref(t, b.names[k].now);
		inode_unref(t, all[k]);
	}
	return rc;
}
