/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a call in the engine's thread.
 *
 *   STARTING --> QUEUED --> RUNNING --> ENDED --> done()
 *                  ^           |
 *                  |           v
 *                  +------- RESTING       (a retry; at once: without a rest)
 *
 * http_loop_become() alone changes the state, and with it what the state
 * means: its place in the lane's queue, the slot it holds, and its timer. Every
 * live call has a timer set: QUEUED for its deadline, RUNNING for its next look
 * at the idle timeout or its deadline, RESTING for its end. So the timers also
 * are the list of all calls.
 *
 * http_loop_finish() calls done() last of all: neither the call nor its lane
 * may be touched afterwards.
 */
#include "net/http_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "net/http_retry.h"

#define IDLE_CONNECTIONS_MAX 256L
#define POLL_MAX_MS 60000
/* A request that waited longer than this for its slot is signed again. */
#define PREPARED_MAX_MS 60000

int http_loop_init(struct http_loop *l)
{
	if (curl_global_init(CURL_GLOBAL_ALL))
		return -ENOMEM;
	l->poller = (struct http_poller){ .epoll = -1, .wake = -1 };
	l->multi = curl_multi_init();
	l->share = curl_share_init();
	if (!l->multi || !l->share || http_poller_init(&l->poller, l->multi)) {
		http_loop_clear(l);
		return -ENOMEM;
	}
	curl_share_setopt(l->share, CURLSHOPT_SHARE,
			  CURL_LOCK_DATA_SSL_SESSION);
	curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS_MAX);
	curl_multi_setopt(l->multi, CURLMOPT_PIPELINING,
			  (long)CURLPIPE_NOTHING);
	return 0;
}

void http_loop_clear(struct http_loop *l)
{
	http_easy_pool_clear(l);
	http_outage_clear(l);
	http_counts_clear(&l->counts);
	if (l->multi)
		curl_multi_cleanup(l->multi);
	if (l->share)
		curl_share_cleanup(l->share);
	http_poller_clear(&l->poller);
}

static void http_loop_become(struct http_loop *l, struct http_attempts *a,
			     enum attempts_state to)
{
	if (a->state == ATTEMPTS_QUEUED)
		http_lane_unqueue(a);
	else if (a->state == ATTEMPTS_RUNNING)
		a->lane->running[a->class]--;
	http_timer_unset(&l->timers, &a->timer);

	a->state = to;
	switch (to) {
	case ATTEMPTS_QUEUED:
		http_lane_queue(a, a->reply.attempt > 0);
		http_timer_set(&l->timers, &a->timer, a->deadline_ms);
		break;
	case ATTEMPTS_RUNNING:
		a->lane->running[a->class]++;
		http_flow_begin(a);
		http_timer_set(&l->timers, &a->timer,
			       http_flow_check_at(a, clock_mono_ms()));
		break;
	case ATTEMPTS_RESTING:
		http_timer_set(&l->timers, &a->timer, a->again_ms);
		break;
	case ATTEMPTS_STARTING:
	case ATTEMPTS_ENDED:
		break;
	}
}

static void http_loop_finish(struct http_loop *l, struct http_attempts *a)
{
	http_loop_become(l, a, ATTEMPTS_ENDED);
	http_inbox_forget(&l->inbox, a);
	a->done(a->done_arg, a->call, &a->reply);
	buf_wipe(&a->wire.url);
	buf_wipe(&a->wire.headers);
	http_reply_clear(&a->reply);
	free(a);
}

/* Ends the call in any state but RUNNING, without an answer. */
static void http_loop_finish_without(struct http_loop *l,
				     struct http_attempts *a, int rc,
				     const char *why)
{
	a->reply.rc = rc;
	a->reply.why = why;
	http_loop_finish(l, a);
}

static enum http_verdict http_loop_judge(struct http_attempts *a, bool stopped)
{
	if (stopped || (a->reply.rc && !http_is_transient(a->reply.rc)))
		return HTTP_DONE;
	if (a->call->ops->judge)
		return a->call->ops->judge(a->call, &a->reply);
	return http_judge_default(&a->reply);
}

static int64_t http_loop_retry_delay(struct http_attempts *a,
				     enum http_verdict verdict)
{
	struct http_retry r = {
		.verdict = verdict,
		.attempt = a->reply.attempt,
		.agains = a->agains,
		.now_ms = clock_mono_ms(),
		.deadline_ms = http_flow_deadline(a),
	};

	if (verdict == HTTP_DONE)
		return -1;
	r.retry_after_ms = http_retry_after(&a->reply, clock_now_s());
	random_bytes(&r.random, sizeof(r.random));
	return http_retry_delay(&r);
}

static void http_loop_log(const struct http_attempts *a,
			  const struct http_cost *cost)
{
	const struct log_where where = { .stage = a->lane->name,
					 .status = cost->status,
					 .rc = a->reply.rc };

	if (log_wants(LOG_LEVEL_DEBUG))
		log_at(LOG_LEVEL_DEBUG, &where,
		       "request %llu: %s, attempt %u, %llu bytes sent, "
		       "%llu received, %lld ms%s",
		       (unsigned long long)a->number,
		       http_verb_name(cost->verb), a->reply.attempt,
		       (unsigned long long)cost->sent,
		       (unsigned long long)cost->received, (long long)cost->ms,
		       cost->retry ? "; it is sent again" : "");
}

/* An attempt is over: what it came to decides what follows. */
static void http_loop_attempt_ended(struct http_loop *l,
				    struct http_attempts *a, CURLcode code)
{
	struct http_cost cost = {
		.received = a->reply.received,
		.ms = clock_mono_ms() - a->launched_ms,
		.verb = a->call->verb,
	};
	bool stopped = a->now.stop_rc && a->now.stop_rc != -ETIMEDOUT;
	enum http_verdict verdict;
	curl_off_t sent = 0;
	int64_t delay;

	curl_easy_getinfo(a->now.easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	http_easy_end(l, a, code);
	http_outage_note(l, a);
	verdict = http_loop_judge(a, stopped);
	delay = http_loop_retry_delay(a, verdict);
	cost.sent = (uint64_t)sent;
	cost.status = a->reply.status;
	cost.retry = delay >= 0;
	if (a->lane->counts)
		http_counts_add(a->lane->counts, &cost);
	http_loop_log(a, &cost);
	if (delay < 0) {
		http_loop_finish(l, a);
		return;
	}
	if (verdict == HTTP_AGAIN)
		a->agains++;
	a->prepared_ms = 0;
	a->again_ms = clock_mono_ms() + delay;
	http_loop_become(l, a, delay ? ATTEMPTS_RESTING : ATTEMPTS_QUEUED);
}

/* Ends the running attempt from our side. */
static void http_loop_stop_attempt(struct http_loop *l, struct http_attempts *a,
				   int rc, const char *why)
{
	a->now.stop_rc = rc;
	a->now.stop_why = why;
	http_loop_attempt_ended(l, a, CURLE_ABORTED_BY_CALLBACK);
}

static void http_loop_reset_reply(struct http_reply *r)
{
	r->rc = 0;
	r->why = NULL;
	r->status = 0;
	r->received = 0;
	buf_reset(&r->headers);
	buf_reset(&r->body);
}

int http_loop_prepare(struct http_attempts *a)
{
	struct http_wire *w = &a->wire;
	int rc;

	buf_reset(&w->url);
	buf_reset(&w->headers);
	rc = a->call->ops->prepare(a->call, w);
	if (!rc)
		rc = buf_err(&w->url);
	if (!rc)
		rc = buf_err(&w->headers);
	if (!rc && !text_starts_with(buf_str(&w->url), "http://") &&
	    !text_starts_with(buf_str(&w->url), "https://"))
		rc = -EINVAL;
	a->prepared_ms = clock_mono_ms();
	return rc;
}

static void http_loop_launch(struct http_loop *l, struct http_attempts *a)
{
	int64_t age = clock_mono_ms() - a->prepared_ms;
	int rc = 0;

	http_loop_become(l, a, ATTEMPTS_RUNNING);
	if (!a->prepared_ms || age > PREPARED_MAX_MS)
		rc = http_loop_prepare(a);
	if (rc) {
		http_loop_finish_without(l, a, rc,
					 "the request cannot be prepared");
		return;
	}
	http_loop_reset_reply(&a->reply);
	a->reply.attempt++;
	a->launched_ms = clock_mono_ms();
	if (!a->number)
		a->number = ++l->n_calls;
	rc = http_easy_begin(l, a);
	if (rc)
		http_loop_finish_without(l, a, rc, "out of memory");
}

static void http_loop_launch_waiting(struct http_loop *l)
{
	struct http_lane *lane, *next;
	struct http_attempts *a;

	DL_FOREACH_SAFE(l->waiting, lane, next) {
		/* the last call's done() may let go of the lane */
		for (unsigned n = lane->n_queued; n; n--) {
			a = http_lane_next(lane);
			if (!a)
				break;
			http_loop_launch(l, a);
		}
	}
}

void http_loop_admit(struct http_loop *l, struct http_attempts *a)
{
	if (a->prepare_rc)
		http_loop_finish_without(l, a, a->prepare_rc,
					 "the request cannot be prepared");
	else
		http_loop_become(l, a, ATTEMPTS_QUEUED);
}

void http_loop_cancel(struct http_loop *l, struct http_attempts *a)
{
	if (a->state == ATTEMPTS_RUNNING)
		http_loop_stop_attempt(l, a, -ECANCELED, "cancelled");
	else
		http_loop_finish_without(l, a, -ECANCELED, "cancelled");
}

static struct http_attempts *http_loop_attempts_of(struct http_timer *t)
{
	return (void *)((char *)t - offsetof(struct http_attempts, timer));
}

void http_loop_cancel_all(struct http_loop *l)
{
	while (l->timers.first)
		http_loop_cancel(l, http_loop_attempts_of(l->timers.first));
}

static void http_loop_on_timer(struct http_loop *l, struct http_attempts *a,
			       int64_t now_ms)
{
	if (a->state == ATTEMPTS_RESTING)
		http_loop_become(l, a, ATTEMPTS_QUEUED);
	else if (a->state == ATTEMPTS_QUEUED)
		http_loop_finish_without(
			l, a, -ETIMEDOUT,
			"no free connection within the deadline");
	else if (now_ms >= http_flow_end(a))
		http_loop_stop_attempt(l, a, -ETIMEDOUT,
				       "no whole answer within the deadline");
	else if (http_flow_stalled(a, now_ms))
		http_loop_stop_attempt(l, a, -ETIMEDOUT,
				       "no byte moved within the idle timeout");
	else
		http_timer_set(&l->timers, &a->timer,
			       http_flow_check_at(a, now_ms));
}

static void http_loop_run_timers(struct http_loop *l)
{
	int64_t now_ms = clock_mono_ms();

	while (l->timers.first && l->timers.first->due_ms <= now_ms)
		http_loop_on_timer(l, http_loop_attempts_of(l->timers.first),
				   now_ms);
}

static void http_loop_collect(void *arg)
{
	struct http_loop *l = arg;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(l->multi, &left))) {
		CURLcode code = msg->data.result;
		struct http_attempts *a;

		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &a);
		http_loop_attempt_ended(l, a, code);
	}
}

static int http_loop_sleep_ms(struct http_loop *l)
{
	int64_t now_ms = clock_mono_ms(), ms = POLL_MAX_MS;
	int64_t tell_ms = http_outage_turn(l, now_ms);

	if (l->timers.first)
		ms = l->timers.first->due_ms - now_ms;
	if (tell_ms >= 0 && tell_ms < ms)
		ms = tell_ms;
	if (ms < 0)
		return 0;
	return ms < POLL_MAX_MS ? (int)ms : POLL_MAX_MS;
}

void http_loop_turn(struct http_loop *l)
{
	http_loop_launch_waiting(l);
	http_poller_turn(&l->poller, http_loop_sleep_ms(l), http_loop_collect,
			 l);
	http_loop_run_timers(l);
}
