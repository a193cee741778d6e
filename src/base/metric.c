/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One set of bounds for all histograms: from a hit in memory to a call that
 * waits for its deadline.
 */
#include "base/metric.h"

#include "base/buf.h"

static const struct {
	uint64_t us;
	const char *text; /* s */
} bounds[METRIC_BOUNDS] = {
	{ 100, "0.0001" },  { 1000, "0.001" },  { 5000, "0.005" },
	{ 10000, "0.01" },  { 50000, "0.05" },  { 100000, "0.1" },
	{ 500000, "0.5" },  { 1000000, "1" },   { 5000000, "5" },
	{ 10000000, "10" }, { 60000000, "60" }, { UINT64_MAX, "+Inf" },
};

typedef unsigned long long number; /* as printf(3) has it */

void metric_observe(struct metric_times *t, uint64_t us)
{
	unsigned i = 0;

	while (us > bounds[i].us)
		i++;
	metric_add(&t->bucket[i], 1);
	metric_add(&t->us, us);
}

uint64_t metric_times_count(const struct metric_times *t)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < METRIC_BOUNDS; i++)
		sum += metric_get(&t->bucket[i]);
	return sum;
}

void metric_head(struct buf *out, const char *name, const char *type,
		 const char *help)
{
	buf_addf(out, "# HELP stagefs_%s %s\n# TYPE stagefs_%s %s\n", name,
		 help, name, type);
}

void metric_value(struct buf *out, const char *name, const char *labels,
		  uint64_t value)
{
	buf_addf(out, "stagefs_%s%s%s%s %llu\n", name, labels ? "{" : "",
		 labels ? labels : "", labels ? "}" : "", (number)value);
}

void metric_one(struct buf *out, const char *name, const char *type,
		const char *help, uint64_t value)
{
	metric_head(out, name, type, help);
	metric_value(out, name, NULL, value);
}

void metric_write_times(struct buf *out, const char *name, const char *labels,
			const struct metric_times *t)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < METRIC_BOUNDS; i++) {
		sum += metric_get(&t->bucket[i]);
		buf_addf(out, "stagefs_%s_bucket{%s,le=\"%s\"} %llu\n", name,
			 labels, bounds[i].text, (number)sum);
	}
	buf_addf(out, "stagefs_%s_sum{%s} %.6f\n", name, labels,
		 (double)metric_get(&t->us) / 1e6);
	buf_addf(out, "stagefs_%s_count{%s} %llu\n", name, labels, (number)sum);
}
