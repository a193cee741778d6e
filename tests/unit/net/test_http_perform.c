/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are waited for, what ends the wait, and what prepare() decides. */
#include "unit.h"

#include <errno.h>

#include "base/waiter.h"
#include "engine_calls.h"

#define STUCK "\"type\": \"stall\", \"seconds\": 30"

static void test_the_answer_is_handed_over(void **state)
{
	struct buf value = BUF_INIT(100);
	struct http_reply r;
	uint64_t length;
	struct probe p;

	probe_init(&p, server.port, HTTP_GET, "/bytes/1000");
	assert_int_equal(http_perform(lane, &p.call, &r), 0);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body.len, 1000);
	assert_int_equal(r.received, 1000);
	assert_int_equal(r.attempt, 1);
	assert_true(http_reply_header(&r, "etag", &value));
	assert_string_equal(buf_str(&value), "\"bytes-1000\"");
	assert_true(http_reply_number(&r, "content-length", &length));
	assert_int_equal(length, 1000);
	assert_false(p.ended);
	http_reply_clear(&r);
	buf_clear(&value);
	probe_clear(&p);
}

static void test_head_has_a_length_and_no_body(void **state)
{
	struct http_reply r;
	uint64_t length;
	struct probe p;

	probe_init(&p, server.port, HTTP_HEAD, "/bytes/1000");
	assert_int_equal(http_perform(lane, &p.call, &r), 0);
	assert_true(http_reply_number(&r, "content-length", &length));
	assert_int_equal(length, 1000);
	assert_int_equal(r.body.len, 0);
	http_reply_clear(&r);
	probe_clear(&p);
}

static void test_a_failure_is_returned(void **state)
{
	struct http_reply r;
	struct probe p;

	probe_init(&p, standin_dead_port(), HTTP_GET, "/x");
	p.call.deadline_ms = 300;
	assert_int_equal(http_perform(lane, &p.call, &r), -ECONNREFUSED);
	assert_string_equal(r.why, "connection refused");
	http_reply_clear(&r);
	probe_clear(&p);
}

static void *interrupt_soon(void *arg)
{
	wait_for_requests(1);
	waiter_interrupt(arg);
	return NULL;
}

static void test_an_interrupt_ends_the_wait(void **state)
{
	struct waiter *self = waiter_self();
	struct http_reply r;
	struct probe p;
	pthread_t t;

	standin_fault(&server, "\"count\": 0", STUCK);
	waiter_begin(self);
	assert_int_equal(pthread_create(&t, NULL, interrupt_soon, self), 0);
	probe_init(&p, server.port, HTTP_GET, "/x");
	assert_int_equal(http_perform(lane, &p.call, &r), -EINTR);
	pthread_join(t, NULL);
	http_reply_clear(&r);

	/* what is interrupted already does not begin */
	assert_int_equal(http_perform(lane, &p.call, &r), -EINTR);
	http_reply_clear(&r);
	assert_int_equal(standin_stat(&server, "requests"), 1);

	standin_reset(&server);
	waiter_begin(self);
	assert_int_equal(http_perform(lane, &p.call, &r), 0);
	http_reply_clear(&r);
	probe_clear(&p);
}

static void test_all_are_waited_for(void **state)
{
	struct http_call *calls[70];
	struct http_reply outs[70];
	struct probe p[70];
	int results[70];

	standin_fault(&server, "\"key\": \"gone\"",
		      "\"type\": \"status\", \"status\": 404");
	for (int i = 0; i < 70; i++) {
		probe_init(&p[i], server.port, HTTP_GET,
			   i == 33 ? "/gone" : "/bytes/10");
		calls[i] = &p[i].call;
	}
	p[40].prepare_rc = -EACCES;
	http_perform_all(lane, calls, outs, results, 70);
	for (int i = 0; i < 70; i++) {
		assert_int_equal(results[i], i == 40 ? -EACCES : 0);
		assert_int_equal(outs[i].status, i == 40   ? 0
						 : i == 33 ? 404
							   : 200);
		http_reply_clear(&outs[i]);
		probe_clear(&p[i]);
	}
}

static void test_an_interrupt_ends_all(void **state)
{
	struct waiter *self = waiter_self();
	struct http_call *calls[8];
	struct http_reply outs[8];
	struct probe p[8];
	int results[8];
	pthread_t t;

	standin_fault(&server, "\"count\": 0", STUCK);
	for (int i = 0; i < 8; i++) {
		probe_init(&p[i], server.port, HTTP_GET, "/x");
		calls[i] = &p[i].call;
	}
	waiter_begin(self);
	assert_int_equal(pthread_create(&t, NULL, interrupt_soon, self), 0);
	http_perform_all(lane, calls, outs, results, 8);
	pthread_join(t, NULL);
	waiter_begin(self);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(results[i], -EINTR);
		http_reply_clear(&outs[i]);
		probe_clear(&p[i]);
	}
}

static void test_prepare_fails(void **state)
{
	struct probe p;

	probe_init(&p, server.port, HTTP_GET, "/x");
	p.prepare_rc = -EAGAIN;
	probe_run(lane, &p);
	assert_int_equal(p.rc, -EAGAIN);
	assert_int_equal(p.attempt, 0);
	probe_clear(&p);

	standin_fault(&server, "", "\"type\": \"status\", \"status\": 500");
	probe_init(&p, server.port, HTTP_GET, "/x");
	p.prepare_rc = -EACCES;
	p.prepare_rc_at = 2;
	probe_run(lane, &p);
	assert_int_equal(p.rc, -EACCES);
	assert_int_equal(p.prepared, 2);
	assert_int_equal(p.attempt, 1);
	probe_clear(&p);
}

static enum http_verdict again(struct http_call *call,
			       const struct http_reply *reply)
{
	return reply->status == 400 ? HTTP_AGAIN : HTTP_DONE;
}

static void test_again_is_granted_twice(void **state)
{
	struct http_call_ops ops = probe_ops;
	struct probe p;

	ops.judge = again;
	standin_fault(&server, "\"count\": 2",
		      "\"type\": \"status\", \"status\": 400");
	probe_init(&p, server.port, HTTP_GET, "/x");
	p.call.ops = &ops;
	probe_run(lane, &p);
	assert_int_equal(p.status, 200);
	assert_int_equal(p.prepared, 3);
	probe_clear(&p);

	standin_fault(&server, "\"count\": 0",
		      "\"type\": \"status\", \"status\": 400");
	probe_init(&p, server.port, HTTP_GET, "/x");
	p.call.ops = &ops;
	probe_run(lane, &p);
	assert_int_equal(p.status, 400);
	assert_int_equal(p.attempt, 3);
	probe_clear(&p);
}

SUITE(http_perform)
{
	const struct CMUnitTest tests[] = {
		engine_test(test_the_answer_is_handed_over),
		engine_test(test_head_has_a_length_and_no_body),
		engine_test(test_a_failure_is_returned),
		engine_test(test_an_interrupt_ends_the_wait),
		engine_test(test_all_are_waited_for),
		engine_test(test_an_interrupt_ends_all),
		engine_test(test_prepare_fails),
		engine_test(test_again_is_granted_twice),
	};

	return cmocka_run_group_tests_name(
		"http_perform", tests, engine_setup_all, engine_teardown_all);
}
