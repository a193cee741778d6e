/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span is what one listing covered: all keys that begin with its prefix, or,
 * where it was cut short, those up to the last that came. Keys come in order.
 */
#include "transfer/transfer_index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/text.h"
#include "store/store.h"

struct index_entry {
	UT_hash_handle hh;
	uint64_t size;
	const char *etag; /* in key, behind it */
	char key[];
};

struct index_span {
	char *prefix;
	char *last; /* NULL: to its end */
	bool deep;
	struct index_span *next;
};

struct transfer_index {
	struct store *store;
	struct index_entry *entries;
	struct index_span *spans;
};

struct transfer_index *transfer_index_new(struct store *s)
{
	struct transfer_index *x = calloc(1, sizeof(*x));

	if (x)
		x->store = store_ref(s);
	return x;
}

static void index_free_span(struct index_span *s)
{
	free(s->prefix);
	free(s->last);
	free(s);
}

void transfer_index_free(struct transfer_index *x)
{
	struct index_entry *e, *next;

	if (!x)
		return;
	HASH_ITER(hh, x->entries, e, next) {
		HASH_DEL(x->entries, e);
		free(e);
	}
	while (x->spans) {
		struct index_span *s = x->spans;

		x->spans = s->next;
		index_free_span(s);
	}
	store_unref(x->store);
	free(x);
}

static bool index_covers(const struct index_span *s, const char *key)
{
	if (!text_starts_with(key, s->prefix))
		return false;
	if (!s->deep && strchr(key + strlen(s->prefix), '/'))
		return false;
	return !s->last || strcmp(key, s->last) <= 0;
}

/* Was the same listed before, or more? */
static bool index_has_span(const struct transfer_index *x, const char *prefix,
			   bool deep)
{
	for (const struct index_span *s = x->spans; s; s = s->next)
		if (s->deep >= deep &&
		    (s->deep ? text_starts_with(prefix, s->prefix)
			     : !strcmp(prefix, s->prefix)))
			return true;
	return false;
}

static int index_add(struct transfer_index *x, const char *key,
		     const struct object_info *info)
{
	size_t n = strlen(key), m = strlen(info->etag);
	struct index_entry *e;

	HASH_FIND(hh, x->entries, key, n, e);
	if (e)
		return 0;
	e = calloc(1, sizeof(*e) + n + 1 + m + 1);
	if (!e)
		return -ENOMEM;
	memcpy(e->key, key, n);
	e->etag = memcpy(e->key + n + 1, info->etag, m);
	e->size = info->size;
	HASH_ADD_KEYPTR(hh, x->entries, e->key, n, e);
	return 0;
}

static int index_read(struct transfer_index *x, struct store_list *list,
		      struct index_span *span, uint64_t most)
{
	struct list_entry e;
	int rc;

	while ((rc = store_list_next(list, &e)) > 0) {
		if (!e.is_prefix && index_add(x, e.key, &e.info))
			return -ENOMEM;
		if (--most)
			continue;
		span->last = strdup(e.key);
		return span->last ? 0 : -ENOMEM;
	}
	return rc;
}

int transfer_index_list(struct transfer_index *x, const char *prefix, bool deep,
			uint64_t most)
{
	const struct list_query query = { .prefix = prefix,
					  .delimiter = deep ? 0 : '/',
					  .ahead = true };
	struct index_span *span;
	struct store_list *list;
	int rc;

	if (index_has_span(x, prefix, deep))
		return 0;
	span = calloc(1, sizeof(*span));
	if (!span || !(span->prefix = strdup(prefix))) {
		free(span);
		return -ENOMEM;
	}
	span->deep = deep;
	rc = store_list_open(x->store, &query, &list);
	if (!rc) {
		rc = index_read(x, list, span, most);
		store_list_close(list);
	}
	if (rc) {
		/* Nothing is covered, and it is not tried again. */
		free(span->last);
		span->last = strdup("");
		if (!span->last)
			rc = -ENOMEM;
	}
	span->next = x->spans;
	x->spans = span;
	return rc == -EINTR || rc == -ENOMEM ? rc : 0;
}

enum transfer_there transfer_index_find(const struct transfer_index *x,
					const char *key,
					struct object_info *out)
{
	struct index_entry *e = NULL;

	if (!x)
		return TRANSFER_ASK;
	HASH_FIND(hh, x->entries, key, strlen(key), e);
	if (e) {
		*out = (struct object_info){ .size = e->size };
		snprintf(out->etag, sizeof(out->etag), "%s", e->etag);
		return TRANSFER_THERE;
	}
	for (const struct index_span *s = x->spans; s; s = s->next)
		if (index_covers(s, key))
			return TRANSFER_ABSENT;
	return TRANSFER_ASK;
}
