/*
 * The engine: its thread, and calls on their way in and out of it.
 */
#include "net/http_engine.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
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
	int err;

	if (!e)
		return NULL;
	http_inbox_init(&e->loop.inbox);
	err = -http_loop_init(&e->loop);
	if (!err) {
		err = -thread_start(&e->thread, "http", http_engine_run, e);
		if (err)
			http_loop_clear(&e->loop);
	}
	if (err) {
		http_inbox_clear(&e->loop.inbox);
		free(e);
		errno = err;
		return NULL;
	}
	return e;
}

void http_engine_free(struct http_engine *e)
{
	if (!e)
		return;
	http_inbox_stop(&e->loop.inbox);
	curl_multi_wakeup(e->loop.multi);
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
	buf_init(&a->wire.url, BUF_URL);
	buf_init(&a->wire.headers, HTTP_HEADERS_MAX);
	buf_init(&a->reply.headers, HTTP_HEADERS_MAX);
	buf_init(&a->reply.body, HTTP_ERROR_MAX);
	return a;
}

void http_start_with(struct http_lane *lane, struct http_call *call,
		     http_done_fn *done, void *arg)
{
	struct http_loop *l = lane->loop;
	struct http_attempts *a =
		http_engine_attempts_new(lane, call, done, arg);

	if (!a) {
		struct http_reply reply = {
			.err = -ENOMEM,
			.why = "out of memory",
		};

		done(arg, call, &reply);
		return;
	}
	http_inbox_open(&l->inbox, a);
	a->prepare_err = http_loop_prepare(a);
	http_inbox_submit(&l->inbox, a);
	curl_multi_wakeup(l->multi);
}

static void http_engine_call_done(void *arg, struct http_call *call,
				  struct http_reply *reply)
{
	(void)arg;
	call->ops->done(call, reply);
}

void http_start(struct http_lane *lane, struct http_call *call)
{
	http_start_with(lane, call, http_engine_call_done, NULL);
}

void http_cancel(struct http_lane *lane, struct http_call *call)
{
	if (http_inbox_cancel(&lane->loop->inbox, call))
		curl_multi_wakeup(lane->loop->multi);
}

void http_engine_metrics(struct http_engine *e, struct http_metrics *out)
{
	http_inbox_metrics(&e->loop.inbox, out);
}
