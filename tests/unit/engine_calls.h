/*
 * Calls for the engine's tests: a path of the stand-in, what came of it, and a
 * done() that can be waited for.
 */
#ifndef TESTS_UNIT_ENGINE_CALLS_H
#define TESTS_UNIT_ENGINE_CALLS_H

#include <pthread.h>
#include <stdbool.h>

#include "net/http_engine.h"
#include "standin.h"

struct probe {
	struct http_call call;
	unsigned port;
	const char *path;
	const char *header, *value; /* one to send, or NULL */
	int prepare_err, data_err;
	unsigned prepared; /* times */
	uint64_t data; /* bytes that data() got */
	bool wrong; /* ... not what /bytes/ has there */

	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool begun, ended; /* data() was called; done() was */
	int err;
	long status;
	unsigned attempt;
	char why[200];
};

extern const struct http_call_ops probe_ops; /* gathers the body */
extern const struct http_call_ops probe_data_ops; /* has data() */

void probe_init(struct probe *p, unsigned port, enum http_verb verb,
		const char *path);
void probe_wait_begun(struct probe *p);
void probe_wait(struct probe *p); /* for done() */
/* http_start(), then probe_wait(). */
void probe_run(struct http_lane *lane, struct probe *p);

/* What most tests want: 4 connections, timeouts of 5, 5 and 20 s. */
extern const struct http_lane_settings probe_settings;

#endif
