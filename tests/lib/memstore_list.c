/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listing of the memory store, page by page as a server would do it: a page
 * is copied under the lock, and the next one begins after the last key or
 * past the last group, whatever has changed meanwhile.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "memstore_impl.h"

#define PAGE_DEFAULT 1000

struct mem_entry {
	char *key;
	bool is_prefix;
	struct object_info info;
};

struct mem_list {
	struct store_list base;
	char *prefix;
	char delimiter;
	char *after; /* the last key or group listed; NULL: none yet */
	bool after_group;
	bool end;
	struct mem_entry *page;
	unsigned n, at, max;
};

int mem_list_open(struct store *s, const struct list_query *q,
		  struct store_list **out)
{
	struct mem_list *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->base.store = s;
	l->prefix = strdup(q->prefix);
	l->after = q->after ? strdup(q->after) : NULL;
	l->delimiter = q->delimiter;
	l->max = q->page && q->page < PAGE_DEFAULT ? q->page : PAGE_DEFAULT;
	l->page = calloc(l->max, sizeof(*l->page));
	if (!l->prefix || !l->page) {
		mem_list_close(&l->base);
		return -ENOMEM;
	}
	*out = &l->base;
	return 0;
}

static void clear_page(struct mem_list *l)
{
	for (unsigned i = 0; i < l->n; i++)
		free(l->page[i].key);
	l->n = l->at = 0;
}

static bool behind(const struct mem_list *l, const char *key)
{
	if (!l->after)
		return false;
	if (l->after_group)
		return text_starts_with(key, l->after) ||
		       strcmp(key, l->after) <= 0;
	return strcmp(key, l->after) <= 0;
}

/* The entry that key is listed as; NULL key without memory. */
static struct mem_entry entry_of(const struct mem_list *l,
				 const struct mem_object *o)
{
	struct mem_entry e = { .info = o->info };
	const char *end = NULL;

	if (l->delimiter)
		end = strchr(o->key + strlen(l->prefix), l->delimiter);
	if (end) {
		e.is_prefix = true;
		memset(&e.info, 0, sizeof(e.info));
		e.key = strndup(o->key, end - o->key + 1);
	} else {
		e.key = strdup(o->key);
	}
	return e;
}

static int fill_locked(struct memstore *m, struct mem_list *l)
	REQUIRES(&m->lock)
{
	const char *from = l->after && strcmp(l->after, l->prefix) > 0
				   ? l->after
				   : l->prefix;
	size_t i = mem_lower_locked(m, from);

	for (; i < mem_locked(m)->n_objects && l->n < l->max; i++) {
		const struct mem_object *o = &mem_locked(m)->objects[i];
		struct mem_entry e;

		if (!text_starts_with(o->key, l->prefix))
			break;
		if (behind(l, o->key))
			continue;
		e = entry_of(l, o);
		free(l->after);
		l->after = e.key ? strdup(e.key) : NULL;
		l->after_group = e.is_prefix;
		if (!l->after) {
			free(e.key);
			return -ENOMEM;
		}
		l->page[l->n++] = e;
	}
	l->end = l->n < l->max;
	return 0;
}

int mem_list_next(struct store_list *base, struct list_entry *out)
{
	struct mem_list *l = (struct mem_list *)base;
	struct memstore *m = memstore_of(base->store);
	int rc;

	if (l->at == l->n && !l->end) {
		clear_page(l);
		rc = mem_enter(m, MEM_LIST);
		if (rc)
			return rc;
		lock_take(&m->lock);
		rc = fill_locked(m, l);
		lock_drop(&m->lock);
		if (rc)
			return rc;
		base->pages++;
	}
	if (l->at == l->n)
		return 0;
	out->key = l->page[l->at].key;
	out->is_prefix = l->page[l->at].is_prefix;
	out->info = l->page[l->at].info;
	l->at++;
	base->left = l->n - l->at;
	base->more = !l->end;
	return 1;
}

void mem_list_close(struct store_list *base)
{
	struct mem_list *l = (struct mem_list *)base;

	if (l->page)
		clear_page(l);
	free(l->page);
	free(l->prefix);
	free(l->after);
	free(l);
}
