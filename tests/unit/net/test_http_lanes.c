/*
 * Who may run when: slots, classes, cancellation, and dead endpoints.
 *
 * Covers: net/http_loop.c
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine_calls.h"

#define SLOW "\"type\": \"latency\", \"seconds\": 0.1"
#define STUCK "\"type\": \"stall\", \"seconds\": 30"

static void start_many(struct probe *p, unsigned n, enum http_class class)
{
	for (unsigned i = 0; i < n; i++) {
		probe_init(&p[i], server.port, HTTP_GET, "/x");
		p[i].call.class = class;
		http_start(lane, &p[i].call);
	}
}

static void end_many(struct probe *p, unsigned n, int err)
{
	for (unsigned i = 0; i < n; i++) {
		probe_wait(&p[i]);
		assert_int_equal(p[i].err, err);
		probe_clear(&p[i]);
	}
}

/* The last first: else what is queued comes to run, and may end well. */
static void cancel_many(struct probe *p, unsigned n)
{
	for (unsigned i = n; i--;)
		http_cancel(lane, &p[i].call);
	end_many(p, n, -ECANCELED);
}

static void test_data_and_ahead_share_the_slots(void **state)
{
	struct probe data[12], ahead[12];

	standin_fault(&server, "\"count\": 0", SLOW);
	start_many(data, 12, HTTP_DATA);
	start_many(ahead, 12, HTTP_AHEAD);
	end_many(data, 12, 0);
	end_many(ahead, 12, 0);
	assert_int_equal(standin_stat(&server, "requests"), 24);
	assert_int_equal(standin_stat(&server, "most_at_once"), 4);
}

static void test_meta_has_as_many_of_its_own(void **state)
{
	struct probe data[12], meta[12];

	standin_fault(&server, "\"count\": 0", SLOW);
	start_many(data, 12, HTTP_DATA);
	start_many(meta, 12, HTTP_META);
	end_many(data, 12, 0);
	end_many(meta, 12, 0);
	assert_int_equal(standin_stat(&server, "most_at_once"), 8);
}

static void test_meta_passes_data_that_is_stuck(void **state)
{
	struct probe data[12], meta[1];

	standin_fault(&server, "\"count\": 4", STUCK);
	start_many(data, 12, HTTP_DATA);
	wait_for_requests(4);
	start_many(meta, 1, HTTP_META);
	end_many(meta, 1, 0);
	cancel_many(data, 12);
}

/*
 * One slot, and it is taken. Queues /ahead, then /data0 and /data1, and
 * returns the log of what ran then.
 */
static char *ahead_and_data(const char *first_takes)
{
	struct http_lane_settings set = probe_settings;
	struct probe first, ahead, data[2];

	set.connections = 1;
	http_lane_free(lane);
	lane = http_lane_new(engine, &set);
	standin_fault(&server, "", first_takes);
	probe_init(&first, server.port, HTTP_GET, "/first");
	probe_init(&ahead, server.port, HTTP_GET, "/ahead");
	ahead.call.class = HTTP_AHEAD;
	probe_init(&data[0], server.port, HTTP_GET, "/data0");
	probe_init(&data[1], server.port, HTTP_GET, "/data1");
	http_start(lane, &first.call);
	wait_for_requests(1);
	http_start(lane, &ahead.call);
	usleep(20000);
	http_start(lane, &data[0].call);
	http_start(lane, &data[1].call);
	end_many(&first, 1, 0);
	end_many(&ahead, 1, 0);
	end_many(data, 2, 0);
	return standin_get(&server, "/_requests");
}

static void check_order(char *log, const char *a, const char *b, const char *c)
{
	const char *at_a = strstr(log, a), *at_b = strstr(log, b);
	const char *at_c = strstr(log, c);

	assert_true(at_a && at_b && at_c && at_a < at_b && at_b < at_c);
	free(log);
}

static void test_ahead_waits_for_data(void **state)
{
	check_order(ahead_and_data(SLOW), "/data0", "/data1", "/ahead");
}

static void test_ahead_does_not_wait_for_ever(void **state)
{
	check_order(ahead_and_data("\"type\": \"latency\", \"seconds\": 3"),
		    "/ahead", "/data0", "/data1");
}

static void test_cancel_in_the_queue(void **state)
{
	struct probe stuck[4], queued;

	standin_fault(&server, "\"count\": 0", STUCK);
	start_many(stuck, 4, HTTP_DATA);
	wait_for_requests(4);
	start_many(&queued, 1, HTTP_DATA);
	cancel_many(&queued, 1);
	assert_int_equal(standin_stat(&server, "requests"), 4);
	cancel_many(stuck, 4);
}

static void test_cancel_before_the_answer(void **state)
{
	struct probe p;

	standin_fault(&server, "", STUCK);
	start_many(&p, 1, HTTP_DATA);
	wait_for_requests(1);
	cancel_many(&p, 1);
}

static void test_cancel_in_the_body(void **state)
{
	struct probe p;

	standin_fault(&server, "", STUCK ", \"when\": \"body\", \"after\": 10");
	probe_init(&p, server.port, HTTP_GET, "/bytes/100");
	p.call.ops = &probe_data_ops;
	http_start(lane, &p.call);
	probe_wait_begun(&p);
	cancel_many(&p, 1);
	assert_int_equal(p.data, 10);
}

static _Atomic(unsigned) judged;

static enum http_verdict judge(struct http_call *call,
			       const struct http_reply *reply)
{
	judged++;
	return http_judge_default(reply);
}

static void test_cancel_while_it_rests(void **state)
{
	struct http_call_ops ops = probe_ops;
	struct probe p;

	standin_fault(&server, "\"count\": 0",
		      "\"type\": \"status\", \"status\": 503, "
		      "\"retry_after\": 15");
	ops.judge = judge;
	judged = 0;
	probe_init(&p, server.port, HTTP_GET, "/x");
	p.call.ops = &ops;
	http_start(lane, &p.call);
	while (!judged)
		usleep(10000);
	cancel_many(&p, 1);
	assert_int_equal(standin_stat(&server, "requests"), 1);
}

static void test_cancel_while_it_connects(void **state)
{
	struct black_hole hole;
	struct probe p;

	black_hole_open(&hole);
	probe_init(&p, hole.port, HTTP_GET, "/x");
	http_start(lane, &p.call);
	usleep(50000);
	cancel_many(&p, 1);
	black_hole_close(&hole);
}

static void test_cancel_of_what_has_ended(void **state)
{
	struct probe p;

	probe_init(&p, server.port, HTTP_GET, "/x");
	probe_run(lane, &p);
	http_cancel(lane, &p.call);
	assert_int_equal(p.err, 0);
	probe_clear(&p);
}

static void *cancel_thread(void *arg)
{
	struct probe *p = arg;

	for (unsigned i = 0; i < 40; i++)
		http_cancel(lane, &p[i].call);
	return NULL;
}

static void test_cancel_races_with_the_end(void **state)
{
	struct probe p[40];
	pthread_t t;

	start_many(p, 40, HTTP_DATA);
	assert_int_equal(pthread_create(&t, NULL, cancel_thread, p), 0);
	for (unsigned i = 0; i < 40; i++) {
		probe_wait(&p[i]);
		assert_true(!p[i].err || p[i].err == -ECANCELED);
	}
	pthread_join(t, NULL);
	for (unsigned i = 0; i < 40; i++)
		probe_clear(&p[i]);
}

static void test_a_dead_endpoint_holds_up_no_other_lane(void **state)
{
	struct http_lane *dead = http_lane_new(engine, &probe_settings);
	struct probe stuck[200], live[8];
	struct black_hole hole;

	black_hole_open(&hole);
	for (unsigned i = 0; i < 200; i++) {
		probe_init(&stuck[i], hole.port, HTTP_GET, "/x");
		http_start(dead, &stuck[i].call);
	}
	start_many(live, 8, HTTP_DATA);
	end_many(live, 8, 0);
	for (unsigned i = 0; i < 200; i++) {
		assert_false(stuck[i].ended);
		http_cancel(dead, &stuck[i].call);
	}
	end_many(stuck, 200, -ECANCELED);
	black_hole_close(&hole);
	http_lane_free(dead);
}

static void test_the_deadline_holds_in_the_queue(void **state)
{
	struct probe stuck[4], queued;

	standin_fault(&server, "\"count\": 0", STUCK);
	start_many(stuck, 4, HTTP_DATA);
	wait_for_requests(4);
	probe_init(&queued, server.port, HTTP_GET, "/x");
	queued.call.deadline_ms = 300;
	probe_run(lane, &queued);
	assert_int_equal(queued.err, -ETIMEDOUT);
	assert_int_equal(queued.attempt, 0);
	probe_clear(&queued);
	cancel_many(stuck, 4);
}

static void test_the_engine_ends_what_is_under_way(void **state)
{
	struct probe p[12];

	standin_fault(&server, "\"count\": 0", STUCK);
	start_many(p, 12, HTTP_DATA);
	wait_for_requests(4);
	http_engine_free(engine);
	engine = NULL;
	end_many(p, 12, -ECANCELED);
}

SUITE(http_lanes)
{
	const struct CMUnitTest tests[] = {
		engine_test(test_data_and_ahead_share_the_slots),
		engine_test(test_meta_has_as_many_of_its_own),
		engine_test(test_meta_passes_data_that_is_stuck),
		engine_test(test_ahead_waits_for_data),
		engine_test(test_ahead_does_not_wait_for_ever),
		engine_test(test_cancel_in_the_queue),
		engine_test(test_cancel_before_the_answer),
		engine_test(test_cancel_in_the_body),
		engine_test(test_cancel_while_it_rests),
		engine_test(test_cancel_while_it_connects),
		engine_test(test_cancel_of_what_has_ended),
		engine_test(test_cancel_races_with_the_end),
		engine_test(test_a_dead_endpoint_holds_up_no_other_lane),
		engine_test(test_the_deadline_holds_in_the_queue),
		engine_test(test_the_engine_ends_what_is_under_way),
	};

	return cmocka_run_group_tests_name(
		"http_lanes", tests, engine_setup_all, engine_teardown_all);
}
