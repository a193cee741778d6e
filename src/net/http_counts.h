/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went to servers and came back, for each name that lanes have (a
 * stage's), since the engine's start. Written by the engine's thread, read by
 * any.
 */
#ifndef NET_HTTP_COUNTS_H
#define NET_HTTP_COUNTS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/metric.h"
#include "net/http.h"

#define HTTP_COUNTS_STATUSES 28

struct http_counts {
	char *name;
	/* Attempts. By status: http_counts_status(). */
	metric requests[HTTP_VERBS][HTTP_COUNTS_STATUSES];
	metric sent, received; /* bytes of bodies */
	metric retries;
	struct metric_times took; /* attempts */
	struct http_counts *next;
};

/* What a place of requests[][] is for: "206", "none" (no answer), "other". */
const char *http_counts_status(unsigned place);

/* All names so far; they live as long as the engine. */
typedef _Atomic(struct http_counts *) http_counts_list;

/* Those of that name, which are made if need be. Any thread. NULL without
 * memory. */
struct http_counts *http_counts_get(http_counts_list *list, const char *name);
void http_counts_clear(http_counts_list *list);

/* What an attempt has cost. */
struct http_cost {
	uint64_t sent, received;
	int64_t ms;
	enum http_verb verb;
	long status;
	int retry; /* another one follows */
};
void http_counts_add(struct http_counts *c, const struct http_cost *cost);

#endif
