/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's inside: what its thread works with. Only src/net includes this.
 *
 * Everything here belongs to the engine's thread, except what is marked
 * otherwise; so there are no locks but the inbox's (net/http_inbox.h).
 */
#ifndef NET_HTTP_LOOP_H
#define NET_HTTP_LOOP_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/http_engine.h"
#include "net/http_counts.h"
#include "net/http_inbox.h"
#include "net/http_outage.h"
#include "net/http_poller.h"
#include "net/http_timer.h"

#define EASY_POOL_MAX 64

enum attempts_state {
	ATTEMPTS_STARTING, /* on its way from the caller's thread */
	ATTEMPTS_QUEUED, /* waits for one of its lane's slots */
	ATTEMPTS_RUNNING, /* has a slot, curl works on it */
	ATTEMPTS_RESTING, /* waits until it may try again */
	ATTEMPTS_ENDED, /* done() comes next */
};

/* The attempt that curl works on. All zero between attempts. */
struct attempt {
	CURL *easy;
	struct curl_slist *headers;
	uint64_t read_at; /* next byte of the body that curl gets */
	curl_off_t sent, got; /* bytes that have moved, by curl's count */
	int64_t moved_ms; /* when one did last */
	bool connected;
	bool headers_done;
	bool cut; /* an error's body, as long as we keep it */
	bool resent; /* curl was about to send it once more by itself */
	int stop_rc; /* why a callback of ours ended it; 0: none did */
	const char *stop_why;
};

typedef void http_done_fn(void *arg, struct http_call *call,
			  struct http_reply *reply);

/* One call in the engine's hands. */
struct http_attempts {
	/* Constant after the start. */
	struct http_call *call;
	struct http_lane *lane;
	enum http_class class;
	http_done_fn *done;
	void *done_arg;
	int64_t deadline_ms; /* on clock_mono_ms(), if bytes move */

	/* The starter's until it submits, then the engine thread's. */
	enum attempts_state state;
	struct http_wire wire;
	uint64_t number; /* of the call, for the log; 0: not launched yet */
	int64_t launched_ms; /* when the last attempt began */
	int64_t prepared_ms; /* when wire was written; 0: not for this try */
	int prepare_rc;
	struct http_reply reply;
	unsigned agains;
	int64_t patience_ms; /* until when nothing need move; http_flow.c */
	int64_t late_ms; /* of it that its caller has waited already */
	int64_t again_ms; /* while resting */
	int64_t queued_ms; /* since when it is in the queue */
	struct http_timer timer;
	struct http_attempts *prev, *next; /* the lane's queue */
	struct attempt now;

	struct http_inbox_entry inbox_; /* the inbox's */
};

#define HTTP_CLASSES 3

struct http_lane {
	/* Constant. */
	struct http_loop *loop;
	unsigned connections;
	int64_t connect_timeout_ms, idle_timeout_ms, deadline_ms;
	char *proxy; /* "" none; NULL: the environment's ... */
	char *no_proxy; /* ... but not to these */
	char *ca_file;
	char *name; /* NULL: it is not watched */
	struct http_counts *counts; /* of that name; NULL: not counted */
	_Atomic(struct http_outage *)
		outage; /* the last; any thread reads it */
	/* Since when requests were sent and nothing was heard; 0: it was. Any
	 * thread reads it. */
	_Atomic(int64_t) silent_ms;

	/* The engine thread's. */
	struct http_attempts *queue[HTTP_CLASSES];
	unsigned running[HTTP_CLASSES];
	unsigned n_queued; /* in all of them; not 0: the lane is on the list */
	struct http_lane *prev, *next; /* the loop's list of lanes that wait */
};

struct http_loop {
	struct http_inbox inbox;
	CURLM *multi;
	struct http_poller poller;
	CURLSH *share; /* TLS sessions */
	struct http_timers timers; /* every live call has one set */
	struct http_lane *waiting;
	CURL *pool[EASY_POOL_MAX];
	unsigned n_pool;
	uint64_t n_calls; /* so far */
	struct http_outage *outages;
	unsigned n_outages;
	_Atomic(unsigned) n_down; /* of them are told; any thread reads it */
	http_counts_list counts;
	_Atomic(bool) tells_outages; /* any thread sets it */
};

/* The loop is all of it but the thread. */
struct http_engine {
	struct http_loop loop;
	pthread_t thread;
};

/* net/http_lane.c: the queues. */
void http_lane_queue(struct http_attempts *a, bool first);
void http_lane_unqueue(struct http_attempts *a);
/* The next call that may run now, or NULL. Leaves it in its queue. */
struct http_attempts *http_lane_next(struct http_lane *lane);

/* net/http_easy.c: one attempt as curl sees it. */
/* 0 with curl at work, or -errno. */
int http_easy_begin(struct http_loop *l, struct http_attempts *a);
/* Takes it from curl, at its end or before; writes a->reply.rc and why. */
void http_easy_end(struct http_loop *l, struct http_attempts *a, CURLcode code);
void http_easy_pool_clear(struct http_loop *l);

/* net/http_flow.c: bytes in and out, as options of the handle. */
void http_flow_attach(struct http_attempts *a);
/* An attempt begins: what it waited for in the queue is no server's fault. */
void http_flow_begin(struct http_attempts *a);
/* How much of a deadline has gone by for work that began then, in waiting for a
 * server that says nothing. Any thread. */
int64_t http_flow_late(const struct http_lane *lane, int64_t began_ms);
/* When the call ends in any case, by what has moved until now, unless an
 * attempt is under way ... */
int64_t http_flow_deadline(const struct http_attempts *a);
/* ... and when that one ends: later, if the server works on it. */
int64_t http_flow_end(const struct http_attempts *a);
/* When to look again whether it still moves. */
int64_t http_flow_check_at(const struct http_attempts *a, int64_t now_ms);
/* True when no byte has moved for too long. */
bool http_flow_stalled(const struct http_attempts *a, int64_t now_ms);

/* net/http_loop.c: the states. */
/* All but the inbox, of a loop of zeros. 0 or -ENOMEM. */
int http_loop_init(struct http_loop *l);
void http_loop_clear(struct http_loop *l);
/* A new call from the inbox. */
void http_loop_admit(struct http_loop *l, struct http_attempts *a);
void http_loop_cancel(struct http_loop *l, struct http_attempts *a);
void http_loop_cancel_all(struct http_loop *l);
/* Has the call write its next attempt, into a->wire. Any thread, before it is
 * submitted. */
int http_loop_prepare(struct http_attempts *a);
/* Starts what may start, sleeps until something happens, and deals with it. */
void http_loop_turn(struct http_loop *l);

#endif
