/*
 * The engine's border: the thread, and the inbox through which calls and
 * cancellations reach it.
 *
 * Under the engine's lock stand the inbox, the counters and each call's way
 * back to its attempts (call->state), so that http_cancel() finds either a
 * live call or none. The lock is a leaf, and no callback runs under it.
 */
#include "net/http_engine.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/text.h"
#include "net/http_loop.h"

#define BYTES_PER_MS 64 /* the slowest pace that a deadline allows for */

struct engine_locked {
	struct http_attempts *inbox;
	bool stopping;
	struct http_metrics metrics;
};

struct http_engine {
	pthread_t thread;
	struct http_loop loop; /* the thread's own */
	struct lock lock;
	struct engine_locked guarded_;
};

static struct engine_locked *engine_locked(struct http_engine *e)
	REQUIRES(&e->lock)
{
	return &e->guarded_;
}

static struct attempts_shared *attempts_shared(struct http_engine *e,
					       struct http_attempts *a)
	REQUIRES(&e->lock)
{
	(void)e;
	return &a->shared_;
}

static struct http_attempts **call_state(struct http_engine *e,
					 struct http_call *call)
	REQUIRES(&e->lock)
{
	(void)e;
	return &call->state;
}

int http_global_init(void)
{
	return curl_global_init(CURL_GLOBAL_ALL) ? -ENOMEM : 0;
}

struct http_loop *engine_loop(struct http_engine *e)
{
	return &e->loop;
}

/* The inbox is threaded through shared_, so utlist's names do not fit. */
static void inbox_add_locked(struct http_engine *e, struct http_attempts *a)
	REQUIRES(&e->lock)
{
	struct attempts_shared *s = attempts_shared(e, a);

	if (s->in_inbox)
		return;
	DL_APPEND2(engine_locked(e)->inbox, a, shared_.prev, shared_.next);
	s->in_inbox = true;
}

static void inbox_remove_locked(struct http_engine *e, struct http_attempts *a)
	REQUIRES(&e->lock)
{
	struct attempts_shared *s = attempts_shared(e, a);

	if (!s->in_inbox)
		return;
	DL_DELETE2(engine_locked(e)->inbox, a, shared_.prev, shared_.next);
	s->in_inbox = false;
}

/* The next in the inbox, out of it; NULL when it is empty. */
static struct http_attempts *inbox_take(struct http_engine *e, bool *cancelled)
{
	struct http_attempts *a;

	lock_take(&e->lock);
	a = engine_locked(e)->inbox;
	if (a) {
		inbox_remove_locked(e, a);
		*cancelled = attempts_shared(e, a)->cancelled;
	}
	lock_drop(&e->lock);
	return a;
}

static bool is_stopping(struct http_engine *e)
{
	bool stopping;

	lock_take(&e->lock);
	stopping = engine_locked(e)->stopping;
	lock_drop(&e->lock);
	return stopping;
}

static void read_inbox(struct http_engine *e, bool stopping)
{
	struct http_attempts *a;
	bool cancelled;

	while ((a = inbox_take(e, &cancelled))) {
		if (cancelled || stopping)
			loop_cancel(&e->loop, a);
		else
			loop_admit(&e->loop, a);
	}
}

static void *engine_thread(void *arg)
{
	struct http_engine *e = arg;

	pthread_setname_np(pthread_self(), "http");
	while (!is_stopping(e)) {
		read_inbox(e, false);
		loop_turn(&e->loop);
	}
	/* a done() may start another call */
	do {
		loop_cancel_all(&e->loop);
		read_inbox(e, true);
	} while (e->loop.timers.first);
	return NULL;
}

/* No signal of the process is to be handled on the engine's thread. */
static int start_thread(struct http_engine *e)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&e->thread, NULL, engine_thread, e);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

struct http_engine *http_engine_new(void)
{
	struct http_engine *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return NULL;
	lock_init(&e->lock);
	err = -loop_init(&e->loop);
	if (!err) {
		err = start_thread(e);
		if (err)
			loop_clear(&e->loop);
	}
	if (err) {
		lock_destroy(&e->lock);
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
	lock_take(&e->lock);
	engine_locked(e)->stopping = true;
	lock_drop(&e->lock);
	curl_multi_wakeup(e->loop.multi);
	pthread_join(e->thread, NULL);
	loop_clear(&e->loop);
	lock_destroy(&e->lock);
	free(e);
}

static int64_t call_deadline(const struct http_lane *lane,
			     const struct http_call *call)
{
	int64_t expect = call->expect > 0 ? call->expect : 0;
	int64_t ms = call->deadline_ms;

	if (ms <= 0)
		ms = lane->deadline_ms + expect / BYTES_PER_MS +
		     (int64_t)(call->body.len / BYTES_PER_MS);
	return clock_mono_ms() + ms;
}

int attempts_prepare(struct http_attempts *a)
{
	struct http_wire *w = &a->wire;
	int err;

	buf_reset(&w->url);
	buf_reset(&w->headers);
	err = a->call->ops->prepare(a->call, w);
	if (!err)
		err = buf_err(&w->url);
	if (!err)
		err = buf_err(&w->headers);
	if (!err && !text_starts_with(buf_str(&w->url), "http://") &&
	    !text_starts_with(buf_str(&w->url), "https://"))
		err = -EINVAL;
	a->prepared_ms = clock_mono_ms();
	return err;
}

static struct http_attempts *attempts_new(struct http_lane *lane,
					  struct http_call *call,
					  http_done_fn *done, void *arg)
{
	struct http_attempts *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->call = call;
	a->lane = lane;
	a->class = call->class;
	a->done = done;
	a->done_arg = arg;
	a->deadline_ms = call_deadline(lane, call);
	buf_init(&a->wire.url, BUF_URL);
	buf_init(&a->wire.headers, HTTP_HEADERS_MAX);
	buf_init(&a->reply.headers, HTTP_HEADERS_MAX);
	buf_init(&a->reply.body, HTTP_ERROR_MAX);
	return a;
}

void http_start_with(struct http_lane *lane, struct http_call *call,
		     http_done_fn *done, void *arg)
{
	struct http_engine *e = lane->engine;
	struct http_attempts *a = attempts_new(lane, call, done, arg);

	if (!a) {
		struct http_reply reply = {
			.err = -ENOMEM,
			.why = "out of memory",
		};

		done(arg, call, &reply);
		return;
	}
	lock_take(&e->lock);
	*call_state(e, call) = a; /* from here on it can be cancelled */
	lock_drop(&e->lock);

	a->prepare_err = attempts_prepare(a);

	lock_take(&e->lock);
	attempts_shared(e, a)->submitted = true;
	inbox_add_locked(e, a);
	lock_drop(&e->lock);
	curl_multi_wakeup(e->loop.multi);
}

static void call_done(void *arg, struct http_call *call,
		      struct http_reply *reply)
{
	(void)arg;
	call->ops->done(call, reply);
}

void http_start(struct http_lane *lane, struct http_call *call)
{
	http_start_with(lane, call, call_done, NULL);
}

void http_cancel(struct http_lane *lane, struct http_call *call)
{
	struct http_engine *e = lane->engine;
	struct http_attempts *a;

	lock_take(&e->lock);
	a = *call_state(e, call);
	if (a) {
		attempts_shared(e, a)->cancelled = true;
		if (attempts_shared(e, a)->submitted)
			inbox_add_locked(e, a);
	}
	lock_drop(&e->lock);
	if (a)
		curl_multi_wakeup(e->loop.multi);
}

void engine_forget(struct http_attempts *a)
{
	struct http_engine *e = a->lane->engine;

	lock_take(&e->lock);
	*call_state(e, a->call) = NULL;
	inbox_remove_locked(e, a);
	lock_drop(&e->lock);
}

void engine_count(struct http_attempts *a, const struct attempt_cost *cost)
{
	struct http_engine *e = a->lane->engine;
	unsigned class = a->reply.status > 0 ? a->reply.status / 100 : 0;
	struct http_metrics *m;

	if (class >= HTTP_STATUS_CLASSES)
		class = 0;
	lock_take(&e->lock);
	m = &engine_locked(e)->metrics;
	m->requests[a->call->verb][class]++;
	m->bytes_sent += cost->sent;
	m->bytes_received += cost->received;
	m->connections += cost->connections;
	m->retries += cost->retry;
	lock_drop(&e->lock);
}

void http_engine_metrics(struct http_engine *e, struct http_metrics *out)
{
	lock_take(&e->lock);
	*out = engine_locked(e)->metrics;
	lock_drop(&e->lock);
}
