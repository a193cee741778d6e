/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list only grows, by its head; so it is read without a lock.
 */
#include "net/http_counts.h"

#include <stdlib.h>
#include <string.h>

/* The last is for what is not in the table. */
static const struct {
	long status;
	const char *text;
} statuses[HTTP_COUNTS_STATUSES] = {
	{ 0, "none" },  { 200, "200" }, { 201, "201" }, { 202, "202" },
	{ 204, "204" }, { 206, "206" }, { 301, "301" }, { 302, "302" },
	{ 303, "303" }, { 304, "304" }, { 307, "307" }, { 308, "308" },
	{ 400, "400" }, { 401, "401" }, { 403, "403" }, { 404, "404" },
	{ 405, "405" }, { 408, "408" }, { 409, "409" }, { 411, "411" },
	{ 412, "412" }, { 416, "416" }, { 429, "429" }, { 500, "500" },
	{ 501, "501" }, { 503, "503" }, { 504, "504" }, { -1, "other" },
};

const char *http_counts_status(unsigned place)
{
	return statuses[place].text;
}

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

void http_counts_add(struct http_counts *c, const struct http_cost *cost)
{
	unsigned i = 0;

	while (i < HTTP_COUNTS_STATUSES - 1 &&
	       statuses[i].status != cost->status)
		i++;
	metric_add(&c->requests[cost->verb][i], 1);
	metric_add(&c->sent, cost->sent);
	metric_add(&c->received, cost->received);
	metric_add(&c->retries, cost->retry != 0);
	metric_observe(&c->took, cost->ms > 0 ? (uint64_t)cost->ms * 1000 : 0);
}
