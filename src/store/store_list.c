/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wrapper of listings. What a server lists is taken apart by callers, which
 * take the prefix off and merge by order, so it is checked here, for every
 * store: a name that was not asked for, or out of order, ends the listing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store.h"
#include "store/store_check.h"

struct store_list_check {
	char *prefix;
	char delimiter;
	struct buf last; /* the key before */
	char *after; /* NULL: none */
	bool failed;
};

static void list_check_free(struct store_list_check *c)
{
	if (!c)
		return;
	buf_clear(&c->last);
	free(c->prefix);
	free(c->after);
	free(c);
}

static struct store_list_check *list_check_new(const struct list_query *q)
{
	struct store_list_check *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	buf_init(&c->last, SIZE_MAX);
	c->delimiter = q->delimiter;
	c->prefix = strdup(q->prefix);
	c->after = q->after ? strdup(q->after) : NULL;
	if (c->prefix && !c->after == !q->after)
		return c;
	list_check_free(c);
	return NULL;
}

int store_list_open(struct store *s, const struct list_query *q,
		    struct store_list **out)
{
	struct store_list_check *check;
	int rc = store_check_prefix(s, q->prefix);

	*out = NULL;
	if (!rc && q->after && store_lacks(s, STORE_LACKS_AFTER))
		rc = -EOPNOTSUPP;
	if (rc)
		return rc;
	check = list_check_new(q);
	if (!check)
		return -ENOMEM;
	rc = s->ops->list_open(s, q, out);
	if (rc) {
		list_check_free(check);
		return rc;
	}
	(*out)->check = check;
	(*out)->ahead = q->ahead;
	(*out)->more = true;
	return 0;
}

static const char *list_entry_fault(const struct store_list *l,
				    const struct list_entry *e)
{
	const struct store_list_check *c = l->check;
	size_t n = strlen(c->prefix), len = strlen(e->key);

	if (!text_starts_with(e->key, c->prefix))
		return "a name that does not begin as was asked for";
	if (e->is_prefix && (len == n || e->key[len - 1] != c->delimiter))
		return "a group that is none";
	if (!l->unordered && c->last.len &&
	    strcmp(e->key, buf_str(&c->last)) <= 0)
		return "names that are not in order";
	return NULL;
}

static int list_failed(const struct store *s, const char *prefix,
		       const char *fault)
{
	struct log_where where = { .stage = s->name,
				   .key = prefix,
				   .rc = -EIO };

	log_at(LOG_LEVEL_ERROR, &where, "cannot list: the store lists %s",
	       fault);
	return -EIO;
}

static int list_check_entry(struct store_list *l, const struct list_entry *e)
{
	struct store_list_check *c = l->check;
	const char *fault = list_entry_fault(l, e);

	if (fault) {
		c->failed = true;
		return list_failed(l->store, c->prefix, fault);
	}
	buf_reset(&c->last);
	buf_adds(&c->last, e->key);
	return buf_err(&c->last);
}

/* Not every server knows where to begin. What it has of others on a page that
 * is the last one costs nothing; whole pages of them are not read. 1: the entry
 * is to be left out; 0; -EOPNOTSUPP. */
static int list_is_before(const struct store_list *l,
			  const struct list_entry *e)
{
	const struct store_list_check *c = l->check;
	int order = c->after ? strcmp(e->key, c->after) : 1;

	if (order > 0)
		return 0;
	if (!order || !l->pages || !l->more || l->left)
		return 1;
	store_learn_lack(l->store, STORE_LACKS_AFTER);
	return -EOPNOTSUPP;
}

int store_list_next(struct store_list *l, struct list_entry *out)
{
	int more, rc, before;

	if (l->check->failed)
		return -EIO;
	do {
		memset(out, 0, sizeof(*out));
		more = l->store->ops->list_next(l, out);
		rc = more > 0 ? list_check_entry(l, out) : 0;
		before = !rc && more > 0 ? list_is_before(l, out) : 0;
	} while (before > 0);
	more = before ? before : more;
	return rc ? rc : more;
}

void store_list_close(struct store_list *l)
{
	if (!l)
		return;
	list_check_free(l->check);
	l->store->ops->list_close(l);
}
