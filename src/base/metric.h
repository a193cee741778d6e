/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters that any thread raises, and Prometheus' text format for them:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * Every label comes from a fixed table, so that no request from outside makes
 * new time series. Names are given without the `stagefs_` that they begin with.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdatomic.h>
#include <stdint.h>

struct buf;

typedef _Atomic(uint64_t) metric;

static inline void metric_add(metric *m, uint64_t n)
{
	atomic_fetch_add_explicit(m, n, memory_order_relaxed);
}

static inline uint64_t metric_get(const metric *m)
{
	return atomic_load_explicit(m, memory_order_relaxed);
}

#define METRIC_BOUNDS 12

/* How long something took, as a histogram. Zero at first. */
struct metric_times {
	metric bucket[METRIC_BOUNDS];
	metric us;
};

void metric_observe(struct metric_times *t, uint64_t us);
/* How many there were. */
uint64_t metric_times_count(const struct metric_times *t);

/* The lines in front of a metric's values. type: "counter", "gauge",
 * "histogram". */
void metric_head(struct buf *out, const char *name, const char *type,
		 const char *help);
/* One value. labels: `stage="s",method="GET"`, or NULL. */
void metric_value(struct buf *out, const char *name, const char *labels,
		  uint64_t value);
/* Head and value of a metric that has one. */
void metric_one(struct buf *out, const char *name, const char *type,
		const char *help, uint64_t value);
/* The values of a histogram. labels are not NULL. */
void metric_write_times(struct buf *out, const char *name, const char *labels,
			const struct metric_times *t);

#endif
