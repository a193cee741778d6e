/*
 * Everything has a place in a fixed array, so that what clients send cannot
 * make new time series: a method or kind that is not in the tables is "other".
 */
#include "gateway/counters.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

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

static const struct {
	uint64_t us;
	const char *text; /* s */
} bounds[] = {
	{ 1000, "0.001" },  { 5000, "0.005" },      { 10000, "0.01" },
	{ 50000, "0.05" },  { 100000, "0.1" },      { 500000, "0.5" },
	{ 1000000, "1" },   { 5000000, "5" },       { 10000000, "10" },
	{ 60000000, "60" }, { UINT64_MAX, "+Inf" },
};
#define BOUNDS (sizeof(bounds) / sizeof(*bounds))

typedef _Atomic uint64_t counter; /* as atomic_uint is one */

struct histogram {
	counter bucket[BOUNDS];
	counter us;
};

struct counters {
	counter requests[KINDS][METHODS][STATUS_MAX];
	counter bytes_in[KINDS], bytes_out[KINDS];
	counter broken[KINDS];
	struct histogram took[KINDS];
	counter store_errors[COUNTERS_CALLS];
	struct histogram store[COUNTERS_CALLS];
};

struct counters *counters_new(void)
{
	return calloc(1, sizeof(struct counters));
}

void counters_free(struct counters *c)
{
	free(c);
}

static void counter_add(counter *c, uint64_t n)
{
	atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static uint64_t counter_get(counter *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
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

static void histogram_observe(struct histogram *h, uint64_t us)
{
	size_t i = 0;

	while (us > bounds[i].us)
		i++;
	counter_add(&h->bucket[i], 1);
	counter_add(&h->us, us);
}

void counters_count(struct counters *c, const struct counters_request *r)
{
	size_t kind = counter_place(kinds, KINDS, r->kind);
	size_t method = counter_place(methods, METHODS, r->method);

	counter_add(&c->requests[kind][method]
				[r->status < STATUS_MAX ? r->status : 0],
		    1);
	counter_add(&c->bytes_in[kind], r->bytes_in);
	counter_add(&c->bytes_out[kind], r->bytes_out);
	if (r->broken)
		counter_add(&c->broken[kind], 1);
	histogram_observe(&c->took[kind], r->us);
}

void counters_store(struct counters *c, enum counters_call call, uint64_t us,
		    int err)
{
	histogram_observe(&c->store[call], us);
	if (err && err != -ENOENT && err != -ESTALE && err != -EEXIST)
		counter_add(&c->store_errors[call], 1);
}

/* ---- the text ---- */

static void counters_write_head(struct buf *out, const char *name,
				const char *type, const char *help)
{
	buf_addf(out, "# HELP stagefs_gateway_%s %s\n", name, help);
	buf_addf(out, "# TYPE stagefs_gateway_%s %s\n", name, type);
}

static void counters_write_requests(struct counters *c, struct buf *out)
{
	counters_write_head(
		out, "requests_total", "counter",
		"Requests by kind, method and status (0: no answer).");
	for (size_t k = 0; k < KINDS; k++)
		for (size_t m = 0; m < METHODS; m++)
			for (size_t s = 0; s < STATUS_MAX; s++) {
				uint64_t n = counter_get(&c->requests[k][m][s]);

				if (n)
					buf_addf(out,
						 "stagefs_gateway_requests_"
						 "total{kind=\"%s\",method="
						 "\"%s\",status=\"%zu\"} "
						 "%llu\n",
						 kinds[k], methods[m], s,
						 (unsigned long long)n);
			}
}

static void counters_write_each(struct buf *out, const char *name,
				const char *help, const char *label,
				const char *const *names, counter *values,
				size_t n)
{
	counters_write_head(out, name, "counter", help);
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "stagefs_gateway_%s{%s=\"%s\"} %llu\n", name,
			 label, names[i],
			 (unsigned long long)counter_get(&values[i]));
}

static void counters_write_histograms(struct buf *out, const char *name,
				      const char *help, const char *label,
				      const char *const *names,
				      struct histogram *h, size_t n)
{
	counters_write_head(out, name, "histogram", help);
	for (size_t i = 0; i < n; i++) {
		uint64_t sum = 0;

		for (size_t b = 0; b < BOUNDS; b++) {
			sum += counter_get(&h[i].bucket[b]);
			buf_addf(out,
				 "stagefs_gateway_%s_bucket{%s=\"%s\","
				 "le=\"%s\"} %llu\n",
				 name, label, names[i], bounds[b].text,
				 (unsigned long long)sum);
		}
		buf_addf(out, "stagefs_gateway_%s_sum{%s=\"%s\"} %.6f\n", name,
			 label, names[i], (double)counter_get(&h[i].us) / 1e6);
		buf_addf(out, "stagefs_gateway_%s_count{%s=\"%s\"} %llu\n",
			 name, label, names[i], (unsigned long long)sum);
	}
}

void counters_write(struct counters *c, struct buf *out)
{
	counters_write_requests(c, out);
	counters_write_each(out, "received_bytes_total",
			    "Bytes of bodies that came.", "kind", kinds,
			    c->bytes_in, KINDS);
	counters_write_each(out, "sent_bytes_total",
			    "Bytes of bodies that were sent.", "kind", kinds,
			    c->bytes_out, KINDS);
	counters_write_each(out, "broken_total",
			    "Requests that ended half-way.", "kind", kinds,
			    c->broken, KINDS);
	counters_write_histograms(out, "request_seconds",
				  "Time from a request's headers to its end.",
				  "kind", kinds, c->took, KINDS);
	counters_write_each(out, "store_errors_total",
			    "Calls to stores that failed, by call.", "call",
			    calls, c->store_errors, COUNTERS_CALLS);
	counters_write_histograms(out, "store_seconds",
				  "Time in calls to stores.", "call", calls,
				  c->store, COUNTERS_CALLS);
}
