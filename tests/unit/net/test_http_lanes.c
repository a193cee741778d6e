/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which attempt may run, and when: slots, classes, cancellation, dead
 * endpoints.
 *
 * Covers: net/http_lane.c net/http_loop.c
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine_calls.h"
#include "net/http_loop.h"

/* What is held here is held for as long as it takes. */
static const struct http_lane_settings patient = {
	.connections = 4,
	.connect_timeout_s = 120,
	.idle_timeout_s = 120,
	.deadline_s = 240,
};

static int lane_setup(void **state)
{
	if (engine_setup(state))
		return -1;
	http_lane_free(lane);
	lane = http_lane_new(engine, &patient);
	return !lane;
}

#define lane_test(f) \
	cmocka_unit_test_setup_teardown(f, lane_setup, engine_teardown)

static void start_many(struct probe *p, unsigned n, enum http_class class)
{
	for (unsigned i = 0; i < n; i++) {
		probe_init(&p[i], server.port, HTTP_GET, "/x");
		p[i].call.class = class;
		http_start(lane, &p[i].call);
	}
}

static void end_many(struct probe *p, unsigned n, int rc)
{
	for (unsigned i = 0; i < n; i++) {
		probe_wait(&p[i]);
		assert_int_equal(p[i].rc, rc);
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

	standin_fault(&server, "\"count\": 0", STANDIN_HOLD);
	start_many(data, 12, HTTP_DATA);
	start_many(ahead, 12, HTTP_AHEAD);
	wait_for_requests(4);
	standin_release(&server);
	end_many(data, 12, 0);
	end_many(ahead, 12, 0);
	assert_int_equal(standin_stat(&server, "requests"), 24);
	assert_int_equal(standin_stat(&server, "most_at_once"), 4);
}

static void test_meta_has_as_many_of_its_own(void **state)
{
	struct probe data[12], meta[12];

	standin_fault(&server, "\"count\": 0", STANDIN_HOLD);
	start_many(data, 12, HTTP_DATA);
	start_many(meta, 12, HTTP_META);
	wait_for_requests(8);
	standin_release(&server);
	end_many(data, 12, 0);
	end_many(meta, 12, 0);
	assert_int_equal(standin_stat(&server, "most_at_once"), 8);
}

static void test_meta_passes_data_that_is_stuck(void **state)
{
	struct probe data[12], meta[1];

	standin_fault(&server, "\"count\": 4", STANDIN_HOLD);
	start_many(data, 12, HTTP_DATA);
	wait_for_requests(4);
	start_many(meta, 1, HTTP_META);
	end_many(meta, 1, 0);
	cancel_many(data, 12);
}

#define PATIENCE_MS 2000 /* of read-ahead */

/* The engine takes what is started in its order: what came before is queued. */
static void wait_for_the_queue(void)
{
	struct probe p;

	start_many(&p, 1, HTTP_META);
	end_many(&p, 1, 0);
}

/*
 * One slot, and it is taken. Queues /ahead, then /data0 and /data1, and
 * returns the log of what ran then, and how long /ahead was there at the most.
 */
static char *ahead_and_data(unsigned pause_ms, int64_t *took_ms)
{
	struct http_lane_settings set = patient;
	struct probe first, ahead, data[2];

	set.connections = 1;
	http_lane_free(lane);
	lane = http_lane_new(engine, &set);
	standin_reset(&server);
	standin_fault(&server, "", STANDIN_HOLD);
	probe_init(&first, server.port, HTTP_GET, "/first");
	probe_init(&ahead, server.port, HTTP_GET, "/ahead");
	ahead.call.class = HTTP_AHEAD;
	probe_init(&data[0], server.port, HTTP_GET, "/data0");
	probe_init(&data[1], server.port, HTTP_GET, "/data1");
	http_start(lane, &first.call);
	wait_for_requests(1);
	*took_ms = -clock_mono_ms();
	http_start(lane, &ahead.call);
	wait_for_the_queue();
	usleep(pause_ms * 1000);
	http_start(lane, &data[0].call);
	http_start(lane, &data[1].call);
	wait_for_the_queue();
	standin_release(&server);
	end_many(&first, 1, 0);
	end_many(&ahead, 1, 0);
	end_many(data, 2, 0);
	*took_ms += clock_mono_ms();
	return standin_get(&server, "/_requests");
}

static void check_order(char *log, const char *a, const char *b, const char *c)
{
	const char *at_a = strstr(log, a), *at_b = strstr(log, b);
	const char *at_c = strstr(log, c);

	assert_true(at_a && at_b && at_c && at_a < at_b && at_b < at_c);
	free(log);
}

/* Where the machine stood still, read-ahead may have lost its patience. */
static void test_ahead_waits_for_data(void **state)
{
	int64_t took_ms;
	char *log = ahead_and_data(10, &took_ms);

	for (int i = 0; took_ms > PATIENCE_MS && i < 20; i++) {
		free(log);
		log = ahead_and_data(10, &took_ms);
	}
	if (took_ms > PATIENCE_MS) /* test_who_is_next knows all the same */
		check_order(log, "/first", "/data0", "/data1");
	else
		check_order(log, "/data0", "/data1", "/ahead");
}

static void test_ahead_does_not_wait_for_ever(void **state)
{
	int64_t took_ms;

	check_order(ahead_and_data(PATIENCE_MS + 100, &took_ms), "/ahead",
		    "/data0", "/data1");
}

#define HOUR_MS 3600000

/* When each was queued, from now on: what is to come was not waited for. */
static const struct {
	const char *sentence;
	bool has_data, has_ahead;
	int64_t data_ms, ahead_ms;
	unsigned running; /* of two */
	enum { NOBODY, DATA, AHEAD } next;
} turns[] = {
	{ "nobody is there", false, false, 0, 0, 0, NOBODY },
	{ "a reader", true, false, 0, 0, 1, DATA },
	{ "read-ahead alone", false, true, 0, 0, 1, AHEAD },
	{ "no slot", true, true, 0, -HOUR_MS, 2, NOBODY },
	{ "a reader who came first", true, true, HOUR_MS, HOUR_MS + 1, 0,
	  DATA },
	{ "a reader who came later", true, true, HOUR_MS + 1, HOUR_MS, 0,
	  DATA },
	{ "... to what has waited long", true, true, 0, -PATIENCE_MS - 1, 0,
	  AHEAD },
	{ "a reader who has waited longer", true, true, -PATIENCE_MS - 2,
	  -PATIENCE_MS - 1, 0, DATA },
};

static void test_who_is_next(void **state)
{
	for (size_t i = 0; i < COUNT(turns); i++) {
		int64_t now = clock_mono_ms();
		struct http_attempts data = { .queued_ms =
						      now + turns[i].data_ms };
		struct http_attempts ahead = { .queued_ms = now +
							    turns[i].ahead_ms };
		struct http_attempts *const who[] = { NULL, &data, &ahead };
		struct http_lane l = { .connections = 2 };

		l.queue[HTTP_DATA] = turns[i].has_data ? &data : NULL;
		l.queue[HTTP_AHEAD] = turns[i].has_ahead ? &ahead : NULL;
		l.running[HTTP_DATA] = turns[i].running / 2;
		l.running[HTTP_AHEAD] = turns[i].running - turns[i].running / 2;
		row_check(turns[i].sentence,
			  http_lane_next(&l) == who[turns[i].next]);
	}
}

static void test_cancel_in_the_queue(void **state)
{
	struct probe stuck[4], queued;

	standin_fault(&server, "\"count\": 0", STANDIN_HOLD);
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

	standin_fault(&server, "", STANDIN_HOLD);
	start_many(&p, 1, HTTP_DATA);
	wait_for_requests(1);
	cancel_many(&p, 1);
}

static void test_cancel_in_the_body(void **state)
{
	struct probe p;

	standin_fault(&server, "",
		      "\"type\": \"stall\", \"seconds\": 120, "
		      "\"when\": \"body\", \"after\": 10");
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
		      "\"retry_after\": 60");
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
	assert_int_equal(p.rc, 0);
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
		assert_true(!p[i].rc || p[i].rc == -ECANCELED);
	}
	pthread_join(t, NULL);
	for (unsigned i = 0; i < 40; i++)
		probe_clear(&p[i]);
}

static void test_a_dead_endpoint_holds_up_no_other_lane(void **state)
{
	struct http_lane *dead = http_lane_new(engine, &patient);
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

	standin_fault(&server, "\"count\": 0", STANDIN_HOLD);
	start_many(stuck, 4, HTTP_DATA);
	wait_for_requests(4);
	probe_init(&queued, server.port, HTTP_GET, "/x");
	queued.call.deadline_ms = 300;
	probe_run(lane, &queued);
	assert_int_equal(queued.rc, -ETIMEDOUT);
	assert_int_equal(queued.attempt, 0);
	probe_clear(&queued);
	cancel_many(stuck, 4);
}

static void test_the_engine_ends_what_is_under_way(void **state)
{
	struct probe p[12];

	standin_fault(&server, "\"count\": 0", STANDIN_HOLD);
	start_many(p, 12, HTTP_DATA);
	wait_for_requests(4);
	http_engine_free(engine);
	engine = NULL;
	end_many(p, 12, -ECANCELED);
}

SUITE(http_lanes)
{
	const struct CMUnitTest tests[] = {
		lane_test(test_data_and_ahead_share_the_slots),
		lane_test(test_meta_has_as_many_of_its_own),
		lane_test(test_meta_passes_data_that_is_stuck),
		lane_test(test_ahead_waits_for_data),
		lane_test(test_ahead_does_not_wait_for_ever),
		cmocka_unit_test(test_who_is_next),
		lane_test(test_cancel_in_the_queue),
		lane_test(test_cancel_before_the_answer),
		lane_test(test_cancel_in_the_body),
		lane_test(test_cancel_while_it_rests),
		lane_test(test_cancel_while_it_connects),
		lane_test(test_cancel_of_what_has_ended),
		lane_test(test_cancel_races_with_the_end),
		lane_test(test_a_dead_endpoint_holds_up_no_other_lane),
		lane_test(test_the_deadline_holds_in_the_queue),
		lane_test(test_the_engine_ends_what_is_under_way),
	};

	return cmocka_run_group_tests_name(
		"http_lanes", tests, engine_setup_all, engine_teardown_all);
}
