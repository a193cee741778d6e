/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls for the engine's tests: a path of the stand-in, what came of it, and a
 * done() that can be waited for.
 */
#ifndef TESTS_LIB_ENGINE_CALLS_H
#define TESTS_LIB_ENGINE_CALLS_H

#include <pthread.h>
#include <stdbool.h>

#include "net/http_engine.h"
#include "standin.h"

struct probe {
	struct http_call call;
	unsigned port;
	const char *path;
	const char *url; /* instead of port and path, or NULL */
	const char *header, *value; /* one to send, or NULL */
	int prepare_rc, data_err;
	unsigned prepare_rc_at; /* the preparation that fails; 0: all */
	unsigned prepared; /* times */
	uint64_t data; /* bytes that data() got */
	bool wrong; /* ... not what /bytes/ has there */

	pthread_mutex_t mutex;
	pthread_cond_t cond;
	char *body; /* of the reply; freed by probe_clear() */
	size_t body_len;
	bool begun, ended; /* data() was called; done() was */
	int rc;
	long status;
	unsigned attempt;
	char why[200];
};

extern const struct http_call_ops probe_ops; /* gathers the body */
extern const struct http_call_ops probe_data_ops; /* has data() */

void probe_init(struct probe *p, unsigned port, enum http_verb verb,
		const char *path);
void probe_clear(struct probe *p);
void probe_wait_begun(struct probe *p);
void probe_wait(struct probe *p); /* for done() */
/* http_start(), then probe_wait(). */
void probe_run(struct http_lane *on, struct probe *p);

/* What most tests want: 4 connections, timeouts of 5, 5 and 20 s. */
extern const struct http_lane_settings probe_settings;

/* The server for all tests of a program; an engine and a lane for each. */
extern struct standin server;
extern struct http_engine *engine;
extern struct http_lane *lane;
int engine_setup_all(void **state);
int engine_teardown_all(void **state);
int engine_setup(void **state);
int engine_teardown(void **state);
#define engine_test(f) \
	cmocka_unit_test_setup_teardown(f, engine_setup, engine_teardown)

/* A port that takes no connection and refuses none, until it is closed. */
struct black_hole {
	int listener, fillers[8];
	unsigned port;
};
void black_hole_open(struct black_hole *b);
void black_hole_close(struct black_hole *b);

/* Waits until the stand-in has seen n requests. */
void wait_for_requests(long n);

#endif
