/*
 * What went to servers and came back, for each name that lanes have (a stage's),
 * since the engine's start. Written by the engine's thread, read by any.
 */
#ifndef NET_HTTP_COUNTS_H
#define NET_HTTP_COUNTS_H

#include <stdatomic.h>
#include <stdint.h>

#include "net/http.h"

#define HTTP_COUNTS_CLASSES 6 /* of status: 0 no answer; 1xx .. 5xx */
#define HTTP_COUNTS_BOUNDS 10

typedef _Atomic(uint64_t) http_count;

struct http_counts {
	char *name;
	http_count requests[HTTP_VERBS][HTTP_COUNTS_CLASSES]; /* attempts */
	http_count sent, received; /* bytes of bodies */
	http_count retries;
	http_count took[HTTP_COUNTS_BOUNDS]; /* attempts, by their time */
	http_count took_ms; /* of all of them */
	struct http_counts *next;
};

/* The most milliseconds of a place in took[]; -1: no end. */
extern const int64_t http_counts_bounds[HTTP_COUNTS_BOUNDS];

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
