/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What /metrics tells of the gateway's own: atomic counters, no locks, and
 * never a name, a key or a URL.
 */
#ifndef GATEWAY_COUNTERS_H
#define GATEWAY_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct counters;

struct counters *counters_new(void); /* NULL without memory */
void counters_free(struct counters *c);

/* A request that has ended. kind: its handler's; status 0: cut off without an
 * answer. */
struct counters_request {
	const char *kind, *method;
	unsigned status;
	uint64_t bytes_in, bytes_out; /* of bodies */
	uint64_t us; /* from the headers to the end */
	bool broken; /* the answer did not arrive whole */
};
void counters_count(struct counters *c, const struct counters_request *r);

/* A call to a store on a request's behalf. */
enum counters_call {
	COUNTERS_OPEN,
	COUNTERS_HEAD,
	COUNTERS_PUT,
	COUNTERS_REMOVE,
	COUNTERS_PART,
	COUNTERS_COMPLETE,
	COUNTERS_CALLS
};
void counters_store(struct counters *c, enum counters_call call, uint64_t us,
		    int rc);

/* Prometheus' text format. */
void counters_write(struct counters *c, struct buf *out);

#endif
