/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: its thread, and calls on their way in and out of it.
 */
#include "net/http_engine.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/number.h"
#include "base/thread.h"
#include "base/waiter.h"
#include "net/http_loop.h"

#define BYTES_PER_MS 64 /* the slowest pace that a deadline allows for */

static void http_engine_read_inbox(struct http_engine *e, bool stopping)
{
	struct http_attempts *a;
	bool cancelled;

	while ((a = http_inbox_take(&e->loop.inbox, &cancelled))) {
		if (cancelled || stopping)
			http_loop_cancel(&e->loop, a);
		else
			http_loop_admit(&e->loop, a);
	}
}

static void *http_engine_run(void *arg)
{
	struct http_engine *e = arg;

	while (!http_inbox_stopping(&e->loop.inbox)) {
		http_engine_read_inbox(e, false);
		http_loop_turn(&e->loop);
	}
	/* a done() may start another call */
	do {
		http_loop_cancel_all(&e->loop);
		http_engine_read_inbox(e, true);
	} while (e->loop.timers.first);
	return NULL;
}

struct http_engine *http_engine_new(void)
{
	struct http_engine *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return NULL;
	http_inbox_init(&e->loop.inbox);
	rc = -http_loop_init(&e->loop);
	if (!rc) {
		rc = -thread_start(&e->thread, "http", http_engine_run, e);
		if (rc)
			http_loop_clear(&e->loop);
	}
	if (rc) {
		http_inbox_clear(&e->loop.inbox);
		free(e);
		errno = rc;
		return NULL;
	}
	return e;
}

const struct http_counts *http_engine_counts(struct http_engine *e)
{
	return atomic_load(&e->loop.counts);
}

void http_engine_tell_outages(struct http_engine *e)
{
	atomic_store(&e->loop.tells_outages, true);
}

unsigned http_engine_down(struct http_engine *e)
{
	return atomic_load(&e->loop.n_down);
}

void http_engine_free(struct http_engine *e)
{
	if (!e)
		return;
	http_inbox_stop(&e->loop.inbox);
	http_poller_wake(&e->loop.poller);
	pthread_join(e->thread, NULL);
	http_loop_clear(&e->loop);
	http_inbox_clear(&e->loop.inbox);
	free(e);
}

static int64_t http_engine_deadline(const struct http_lane *lane,
				    const struct http_call *call)
{
	int64_t expect = call->expect > 0 ? call->expect : 0;
	int64_t ms = call->deadline_ms;

	if (ms <= 0)
		ms = lane->deadline_ms + expect / BYTES_PER_MS +
		     (int64_t)(call->body.len / BYTES_PER_MS);
	return clock_mono_ms() + ms;
}

static struct http_attempts *http_engine_attempts_new(struct http_lane *lane,
						      struct http_call *call,
						      http_done_fn *done,
						      void *arg)
{
	struct http_attempts *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->call = call;
	a->lane = lane;
	a->class = call->class;
	a->done = done;
	a->done_arg = arg;
	a->deadline_ms = http_engine_deadline(lane, call);
	if (call->deadline_ms <= 0)
		a->late_ms = http_flow_late(lane, waiter_began(waiter_self()));
	a->deadline_ms -= a->late_ms;
	buf_init(&a->wire.url, BUF_URL);
	buf_init(&a->wire.headers, HTTP_HEADERS_MAX);
	buf_init(&a->reply.headers, HTTP_HEADERS_MAX);
	buf_init(&a->reply.body, HTTP_ERROR_MAX);
	return a;
}

/* As http_start(), with another function to call at the end. */
static void http_engine_start(struct http_lane *lane, struct http_call *call,
			      http_done_fn *done, void *arg)
{
	struct http_loop *l = lane->loop;
	struct http_attempts *a =
		http_engine_attempts_new(lane, call, done, arg);

	if (!a) {
		struct http_reply reply = {
			.rc = -ENOMEM,
			.why = "out of memory",
		};

		done(arg, call, &reply);
		return;
	}
	http_inbox_open(&l->inbox, a);
	a->prepare_rc = http_loop_prepare(a);
	if (http_inbox_submit(&l->inbox, a))
		http_poller_wake(&l->poller);
}

static void http_engine_call_done(void *arg, struct http_call *call,
				  struct http_reply *reply)
{
	(void)arg;
	call->ops->done(call, reply);
}

void http_start(struct http_lane *lane, struct http_call *call)
{
	http_engine_start(lane, call, http_engine_call_done, NULL);
}

void http_cancel(struct http_lane *lane, struct http_call *call)
{
	if (http_inbox_cancel(&lane->loop->inbox, call))
		http_poller_wake(&lane->loop->poller);
}

/*
 * Calls that are waited for. The engine's thread takes the reply's buffers out
 * of the call and wakes the waiter; a group of calls shares one count.
 *
 * The group lives on the waiter's stack: the engine touches it only under its
 * lock, and the waiter leaves only after it has seen the count at zero under
 * that lock.
 */
struct http_group_locked {
	unsigned left;
};

struct group {
	struct waiter *waiter;
	struct lock lock;
	struct http_group_locked guarded_;
};

/* One call of it. */
struct member {
	struct group *group;
	struct http_reply *out;
};

LOCK_GUARDS(http_engine_group_locked, group, http_group_locked);

static void http_engine_group_init(struct group *g, unsigned n)
{
	memset(g, 0, sizeof(*g));
	lock_init(&g->lock, LOCK_HTTP_PERFORM);
	g->waiter = waiter_self();
	lock_take(&g->lock);
	http_engine_group_locked(g)->left = n;
	lock_drop(&g->lock);
}

static bool http_engine_group_done(struct group *g)
{
	return LOCK_UNDER(&g->lock, !http_engine_group_locked(g)->left);
}

static void http_engine_group_member_done(void *arg, struct http_call *call,
					  struct http_reply *reply)
{
	struct member *m = arg;
	struct group *g = m->group;

	*m->out = *reply;
	buf_init(&reply->headers, 0);
	buf_init(&reply->body, 0);
	lock_take(&g->lock);
	if (!--http_engine_group_locked(g)->left)
		waiter_unpark(g->waiter);
	lock_drop(&g->lock);
}

/* 0 when all are done, -EINTR when an interrupt came first. */
static int http_engine_group_wait(struct group *g)
{
	while (!http_engine_group_done(g))
		if (waiter_park(g->waiter, WAIT_FOREVER) == -EINTR)
			return http_engine_group_done(g) ? 0 : -EINTR;
	return 0;
}

static void http_engine_group_wait_out(struct group *g)
{
	while (!http_engine_group_done(g))
		waiter_park_uninterrupted(g->waiter, WAIT_FOREVER);
}

/* How many run side by side from one http_perform_all(). */
#define GROUP_MAX 64

static void http_engine_perform_some(struct http_lane *lane,
				     struct http_call **calls,
				     struct http_reply *outs, int *results,
				     unsigned n)
{
	struct member members[GROUP_MAX];
	struct group g;
	int interrupted;

	http_engine_group_init(&g, n);
	for (unsigned i = 0; i < n; i++) {
		members[i] = (struct member){ .group = &g, .out = &outs[i] };
		http_engine_start(lane, calls[i], http_engine_group_member_done,
				  &members[i]);
	}
	interrupted = http_engine_group_wait(&g);
	if (interrupted) {
		for (unsigned i = 0; i < n; i++)
			http_cancel(lane, calls[i]);
		http_engine_group_wait_out(&g);
	}
	lock_destroy(&g.lock);
	for (unsigned i = 0; i < n; i++) {
		results[i] = outs[i].rc;
		if (interrupted && results[i] == -ECANCELED)
			results[i] = -EINTR;
	}
}

void http_perform_all(struct http_lane *lane, struct http_call **calls,
		      struct http_reply *outs, int *results, unsigned n)
{
	memset(outs, 0, n * sizeof(*outs));
	for (unsigned i = 0; i < n;) {
		unsigned some = number_min(n - i, GROUP_MAX);

		if (waiter_interrupted(waiter_self())) {
			for (; i < n; i++)
				results[i] = -EINTR;
			return;
		}
		http_engine_perform_some(lane, calls + i, outs + i, results + i,
					 some);
		i += some;
	}
}

int http_perform(struct http_lane *lane, struct http_call *call,
		 struct http_reply *out)
{
	int result;

	http_perform_all(lane, &call, out, &result, 1);
	return result;
}

const char *http_engine_library(void)
{
	return curl_version();
}
