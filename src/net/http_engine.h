/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP engine: one thread that owns a curl multi handle and every easy
 * handle in it. Everything crosses its border through a queue.
 *
 * A *lane* is one store's way in: its limits, timeouts, proxy and CA. A lane
 * with a dead server fills only its own slots, so it holds up no other.
 * Several engines may run side by side; nothing here is global but curl's own
 * initialisation.
 */
#ifndef NET_HTTP_ENGINE_H
#define NET_HTTP_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"

struct http_counts;
struct http_engine;
struct http_lane;

/* Starts the thread: only after the fork. NULL with errno on failure. */
struct http_engine *http_engine_new(void);
/* Cancels what is under way, calls every done(), joins the thread. */
void http_engine_free(struct http_engine *e);

/* From here on the log says when a server does not answer, and when it is back:
 * for what runs long. */
void http_engine_tell_outages(struct http_engine *e);
/* How many servers are told to be down now. Any thread. */
unsigned http_engine_down(struct http_engine *e);

/* What was counted; the first of a list that lives as long as the engine. */
const struct http_counts *http_engine_counts(struct http_engine *e);

#define HTTP_NO_PROXY "none"

/* What is "" is not given. */
struct http_lane_settings {
	uint64_t connections; /* HTTP_DATA and HTTP_AHEAD at once;
					   HTTP_META may use as many again */
	uint64_t connect_timeout_s;
	uint64_t idle_timeout_s; /* no byte moved */
	/*
	 * Of a call that has none of its own: within it, counted from its
	 * start, the last attempt begins, whatever fails and however often,
	 * and in silence it ends. More is given to bytes that move, and to
	 * what a server was asked to move by itself (call->works).
	 */
	uint64_t deadline_s;
	/*
	 * Not given: the environment's, as curl reads it (https_proxy,
	 * http_proxy, all_proxy, no_proxy), but never to this machine or to
	 * where cloud machines have their metadata. HTTP_NO_PROXY: none.
	 */
	const char *proxy;
	const char *ca_file; /* not given: the system's */
	const char *name; /* for the log; NULL: its outages are not told */
};
/* Copies the settings. NULL without memory. */
struct http_lane *http_lane_new(struct http_engine *e,
				const struct http_lane_settings *s);
/* Its deadline_s, in milliseconds. */
int64_t http_lane_deadline(const struct http_lane *lane);
/* Where its proxy for a scheme is from, for people: "the setting `proxy`",
 * "https_proxy, unless no_proxy has the host", or NULL: there is none. */
const char *http_lane_proxy(const struct http_lane *lane, const char *scheme);
/* Is its server told to be down? What failed for that need not be said. Any
 * thread. */
bool http_lane_is_down(const struct http_lane *lane);
/* No call of the lane may be under way. */
void http_lane_free(struct http_lane *lane);

/*
 * Starts the call; never blocks on the network and never fails by itself:
 * every failure arrives at done(), perhaps before this returns.
 */
void http_start(struct http_lane *lane, struct http_call *call);

/*
 * Asks for the call's early end: done() then comes soon, with -ECANCELED
 * unless the call had ended already. From any thread, as soon as the call's
 * http_start() was entered. Must not race with done() freeing the call: the
 * caller holds something that keeps it alive.
 */
void http_cancel(struct http_lane *lane, struct http_call *call);

/*
 * Starts the call and sleeps until it is done. An interrupt of the calling
 * thread's operation (base/waiter.h) cancels it: -EINTR. Else 0 when an answer
 * came, whatever its status, or reply.rc. done of call->ops is not used;
 * *out gets the last reply, whose buffers the caller clears with
 * http_reply_clear().
 */
int http_perform(struct http_lane *lane, struct http_call *call,
		 struct http_reply *out);

/*
 * The same for calls that stand side by side: starts all, returns when all are
 * done; results[i] as http_perform() would have returned it.
 */
void http_perform_all(struct http_lane *lane, struct http_call **calls,
		      struct http_reply *outs, int *results, unsigned n);

/* The library that does it, with its version and those that it uses. Static. */
const char *http_engine_library(void);

#endif
