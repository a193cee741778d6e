/*
 * The list only grows, by its head; so it is read without a lock.
 */
#include "net/http_counts.h"

#include <stdlib.h>
#include <string.h>

const int64_t http_counts_bounds[HTTP_COUNTS_BOUNDS] = {
	5, 10, 50, 100, 500, 1000, 5000, 10000, 60000, -1,
};

static struct http_counts *counts_find(http_counts_list *list, const char *name)
{
	struct http_counts *c = atomic_load(list);

	while (c && strcmp(c->name, name) != 0)
		c = c->next;
	return c;
}

struct http_counts *http_counts_get(http_counts_list *list, const char *name)
{
	struct http_counts *c = counts_find(list, name);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (c)
		c->name = strdup(name);
	if (!c || !c->name) {
		free(c);
		return NULL;
	}
	c->next = atomic_load(list);
	while (!atomic_compare_exchange_weak(list, &c->next, c))
		;
	return c;
}

void http_counts_clear(http_counts_list *list)
{
	struct http_counts *c = atomic_exchange(list, NULL), *next;

	for (; c; c = next) {
		next = c->next;
		free(c->name);
		free(c);
	}
}

static void counts_more(http_count *c, uint64_t n)
{
	atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

void http_counts_add(struct http_counts *c, const struct http_cost *cost)
{
	long class = cost->status > 0 ? cost->status / 100 : 0;
	unsigned i = 0;

	if (class >= HTTP_COUNTS_CLASSES)
		class = 0;
	while (http_counts_bounds[i] >= 0 && cost->ms > http_counts_bounds[i])
		i++;
	counts_more(&c->requests[cost->verb][class], 1);
	counts_more(&c->sent, cost->sent);
	counts_more(&c->received, cost->received);
	counts_more(&c->retries, cost->retry != 0);
	counts_more(&c->took[i], 1);
	counts_more(&c->took_ms, (uint64_t)(cost->ms > 0 ? cost->ms : 0));
}
