/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything has a place in a fixed array, so that what clients send cannot
 * make new time series: a method or kind that is not in the tables is "other".
 */
#include "gateway/counters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric.h"

static const char *const kinds[] = { "object", "upload", "health", "metrics",
				     "other" };
static const char *const methods[] = { "GET",    "HEAD",    "PUT",  "POST",
				       "DELETE", "OPTIONS", "other" };
static const char *const calls[COUNTERS_CALLS] = {
	[COUNTERS_OPEN] = "open", [COUNTERS_HEAD] = "head",
	[COUNTERS_PUT] = "put",   [COUNTERS_REMOVE] = "remove",
	[COUNTERS_PART] = "part", [COUNTERS_COMPLETE] = "complete",
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))
#define METHODS (sizeof(methods) / sizeof(*methods))
#define STATUS_MAX 600
#define LABELS_SIZE 96

struct counters {
	metric requests[KINDS][METHODS][STATUS_MAX];
	metric bytes_in[KINDS], bytes_out[KINDS];
	metric broken[KINDS];
	struct metric_times took[KINDS];
	metric store_errors[COUNTERS_CALLS];
	struct metric_times store[COUNTERS_CALLS];
};

struct counters *counters_new(void)
{
	return calloc(1, sizeof(struct counters));
}

void counters_free(struct counters *c)
{
	free(c);
}

/* The last place is for what is not in the table. */
static size_t counter_place(const char *const *table, size_t n,
			    const char *name)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (!strcmp(table[i], name))
			return i;
	return n - 1;
}

void counters_count(struct counters *c, const struct counters_request *r)
{
	size_t kind = counter_place(kinds, KINDS, r->kind);
	size_t method = counter_place(methods, METHODS, r->method);

	metric_add(&c->requests[kind][method]
			       [r->status < STATUS_MAX ? r->status : 0],
		   1);
	metric_add(&c->bytes_in[kind], r->bytes_in);
	metric_add(&c->bytes_out[kind], r->bytes_out);
	if (r->broken)
		metric_add(&c->broken[kind], 1);
	metric_observe(&c->took[kind], r->us);
}

void counters_store(struct counters *c, enum counters_call call, uint64_t us,
		    int rc)
{
	metric_observe(&c->store[call], us);
	if (rc && rc != -ENOENT && rc != -ESTALE && rc != -EEXIST)
		metric_add(&c->store_errors[call], 1);
}

/* ---- the text ---- */

static void counters_write_requests(struct counters *c, struct buf *out)
{
	static const char name[] = "gateway_requests_total";
	char labels[LABELS_SIZE];

	metric_head(out, name, "counter",
		    "Requests by kind, method and status (0: no answer).");
	for (size_t k = 0; k < KINDS; k++)
		for (size_t m = 0; m < METHODS; m++)
			for (size_t s = 0; s < STATUS_MAX; s++) {
				uint64_t n = metric_get(&c->requests[k][m][s]);

				if (!n)
					continue;
				snprintf(labels, sizeof(labels),
					 "kind=\"%s\",method=\"%s\","
					 "status=\"%zu\"",
					 kinds[k], methods[m], s);
				metric_value(out, name, labels, n);
			}
}

static void counters_write_each(struct buf *out, const char *name,
				const char *help, const char *label,
				const char *const *names, metric *values,
				size_t n)
{
	char labels[LABELS_SIZE];

	metric_head(out, name, "counter", help);
	for (size_t i = 0; i < n; i++) {
		snprintf(labels, sizeof(labels), "%s=\"%s\"", label, names[i]);
		metric_value(out, name, labels, metric_get(&values[i]));
	}
}

static void counters_write_times(struct buf *out, const char *name,
				 const char *help, const char *label,
				 const char *const *names,
				 struct metric_times *t, size_t n)
{
	char labels[LABELS_SIZE];

	metric_head(out, name, "histogram", help);
	for (size_t i = 0; i < n; i++) {
		snprintf(labels, sizeof(labels), "%s=\"%s\"", label, names[i]);
		metric_write_times(out, name, labels, &t[i]);
	}
}

void counters_write(struct counters *c, struct buf *out)
{
	counters_write_requests(c, out);
	counters_write_each(out, "gateway_received_bytes_total",
			    "Bytes of bodies that came.", "kind", kinds,
			    c->bytes_in, KINDS);
	counters_write_each(out, "gateway_sent_bytes_total",
			    "Bytes of bodies that were sent.", "kind", kinds,
			    c->bytes_out, KINDS);
	counters_write_each(out, "gateway_broken_total",
			    "Requests that ended half-way.", "kind", kinds,
			    c->broken, KINDS);
	counters_write_times(out, "gateway_request_seconds",
			     "Time from a request's headers to its end.",
			     "kind", kinds, c->took, KINDS);
	counters_write_each(out, "gateway_store_errors_total",
			    "Calls to stores that failed, by call.", "call",
			    calls, c->store_errors, COUNTERS_CALLS);
	counters_write_times(out, "gateway_store_seconds",
			     "Time in calls to stores.", "call", calls,
			     c->store, COUNTERS_CALLS);
}
