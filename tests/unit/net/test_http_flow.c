/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes in and out: bodies, limits, and the timeouts that watch them.
 *
 * Covers: net/http_flow.c
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/waiter.h"
#include "net/http_loop.h"
#include "engine_calls.h"

#define BIG (3 << 20)
#define STALL(s) "\"type\": \"stall\", \"seconds\": " #s

static struct http_lane *lane_with(unsigned connect_s, unsigned idle_s,
				   unsigned deadline_s)
{
	struct http_lane_settings set = probe_settings;

	set.connect_timeout_s = connect_s;
	set.idle_timeout_s = idle_s;
	set.deadline_s = deadline_s;
	http_lane_free(lane);
	lane = http_lane_new(engine, &set);
	return lane;
}

static unsigned char *some_bytes(size_t n)
{
	unsigned char *b = malloc(n);

	for (size_t i = 0; i < n; i++)
		b[i] = (unsigned char)(i * 7 + i / 251);
	return b;
}

/* What /echo said of the body it got. */
static void check_echo(const struct probe *p, const void *bytes, size_t n)
{
	char hex[SHA256_HEX_SIZE], length[64];

	assert_int_equal(p->rc, 0);
	assert_int_equal(p->status, 200);
	sha256_hex(bytes, n, hex);
	snprintf(length, sizeof(length), "\"length\": %zu,", n);
	assert_non_null(strstr(p->body, hex));
	assert_non_null(strstr(p->body, length));
}

static void test_a_body_from_memory(void **state)
{
	unsigned char *bytes = some_bytes(BIG);
	struct probe p;

	probe_init(&p, server.port, HTTP_PUT, "/echo");
	p.call.body.data = bytes;
	p.call.body.len = BIG;
	probe_run(lane, &p);
	check_echo(&p, bytes, BIG);
	assert_null(strstr(p.body, "expect"));
	probe_clear(&p);
	free(bytes);
}

static int file_with(const void *bytes, size_t n)
{
	char name[] = "/tmp/stagefs-test-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(write(fd, bytes, n), n);
	return fd;
}

static void test_a_body_from_a_file_is_sent_again(void **state)
{
	unsigned char *bytes = some_bytes(BIG);
	int fd = file_with(bytes, BIG);
	struct probe p;

	standin_fault(&server, "", "\"type\": \"reset\"");
	standin_fault(&server, "", "\"type\": \"status\", \"status\": 500");
	probe_init(&p, server.port, HTTP_PUT, "/echo");
	p.call.body.fd = fd;
	p.call.body.offset = 1000;
	p.call.body.len = BIG - 1234;
	probe_run(lane, &p);
	assert_int_equal(p.attempt, 3);
	check_echo(&p, bytes + 1000, BIG - 1234);
	probe_clear(&p);
	close(fd);
	free(bytes);
}

static void test_a_file_that_became_shorter_is_an_error(void **state)
{
	int fd = file_with("12345", 5);
	struct probe p;

	probe_init(&p, server.port, HTTP_PUT, "/x");
	p.call.body.fd = fd;
	p.call.body.len = 10;
	probe_run(lane, &p);
	assert_int_equal(p.rc, -EIO);
	assert_int_equal(p.attempt, 1);
	probe_clear(&p);
	close(fd);
}

static void test_data_goes_on_where_it_broke(void **state)
{
	struct probe p;

	standin_fault(&server, "", "\"type\": \"cut\", \"after\": 50000");
	standin_fault(&server, "",
		      "\"type\": \"reset\", \"when\": \"body\", "
		      "\"after\": 70000");
	probe_init(&p, server.port, HTTP_GET, "/bytes/200000");
	p.call.ops = &probe_data_ops;
	probe_run(lane, &p);
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.status, 206);
	assert_int_equal(p.attempt, 3);
	assert_int_equal(p.data, 200000);
	assert_false(p.wrong);
	probe_clear(&p);
}

static void test_data_can_refuse(void **state)
{
	struct probe p;

	probe_init(&p, server.port, HTTP_GET, "/bytes/200000");
	p.call.ops = &probe_data_ops;
	p.data_err = -ESTALE;
	probe_run(lane, &p);
	assert_int_equal(p.rc, -ESTALE);
	assert_int_equal(p.attempt, 1);
	probe_clear(&p);
}

static void test_data_is_not_called_for_an_error(void **state)
{
	struct probe p;

	standin_fault(&server, "",
		      "\"type\": \"status\", \"status\": 403, "
		      "\"code\": \"AccessDenied\"");
	probe_init(&p, server.port, HTTP_GET, "/bytes/1000");
	p.call.ops = &probe_data_ops;
	probe_run(lane, &p);
	assert_int_equal(p.status, 403);
	assert_int_equal(p.data, 0);
	assert_non_null(strstr(p.body, "<Code>AccessDenied</Code>"));
	probe_clear(&p);
}

/* What of a long answer is kept. */
static const struct {
	const char *sentence;
	const char *path;
	const char *action; /* of a fault, or NULL */
	size_t reply_max;
	int rc;
	long status;
	size_t kept;
} limits[] = {
	{ "an answer of the largest size", "/bytes/5000", NULL, 5000, 0, 200,
	  5000 },
	{ "an answer that is too long", "/bytes/5001", NULL, 5000, -EMSGSIZE,
	  200, 0 },
	{ "an answer nobody wants", "/bytes/5000", NULL, 0, 0, 200, 0 },
	{ "a short error, whatever the limit", "/x",
	  "\"type\": \"status\", \"status\": 404, \"body\": \"none\"", 2, 0,
	  404, 4 },
	{ "a long error is kept in part", "/x", "LONG", 5000, 0, 404,
	  HTTP_ERROR_MAX },
	{ "headers without an end", "/x", "HEADERS", 5000, -EPROTO, 200, 0 },
};

static void set_long(const char *kind)
{
	char *action = malloc(200000);
	int n;

	if (!strcmp(kind, "LONG"))
		n = sprintf(action, "{\"action\": {\"type\": \"status\", "
				    "\"status\": 404, \"body\": \"");
	else
		n = sprintf(action, "{\"match\": {\"count\": 0}, \"action\": "
				    "{\"type\": \"status\", \"status\": 200, "
				    "\"headers\": {\"x\": \"");
	memset(action + n, 'e', 80000);
	strcpy(action + n + 80000, strcmp(kind, "LONG") ? "\"}}}" : "\"}}");
	free(standin_post(&server, "/_fault", action));
	free(action);
}

static void test_limits(void **state)
{
	struct probe p;

	for (size_t i = 0; i < COUNT(limits); i++) {
		const char *action = limits[i].action;

		standin_reset(&server);
		if (action && *action == '"')
			standin_fault(&server, "", action);
		else if (action)
			set_long(action);
		probe_init(&p, server.port, HTTP_GET, limits[i].path);
		p.call.reply_max = limits[i].reply_max;
		probe_run(lane, &p);
		row_number(limits[i].sentence, p.rc, limits[i].rc);
		row_number(limits[i].sentence, p.status, limits[i].status);
		row_number(limits[i].sentence, p.attempt, 1);
		if (!p.rc)
			row_number(limits[i].sentence, p.body_len,
				   limits[i].kept);
		probe_clear(&p);
	}
}

/* The idle timeout is a second, the server's pause two and a half. */
static const struct {
	const char *sentence;
	enum http_verb verb;
	const char *path, *action;
	bool again;
} pauses[] = {
	{ "a GET that is not answered is tried again", HTTP_GET, "/x",
	  STALL(2.5), true },
	{ "a GET that stops in its body is tried again", HTTP_GET, "/bytes/99",
	  STALL(2.5) ", \"when\": \"body\", \"after\": 9", true },
	{ "a server may work on a POST", HTTP_POST, "/x", STALL(2.5), false },
	{ "a server may work in the midst of its answer to a POST", HTTP_POST,
	  "/bytes/99", STALL(2.5) ", \"when\": \"body\", \"after\": 9", false },
	{ "a server may work on a PUT", HTTP_PUT, "/x", STALL(2.5), false },
};

static void test_idle_timeout(void **state)
{
	struct probe p;

	lane_with(5, 1, 20);
	for (size_t i = 0; i < COUNT(pauses); i++) {
		standin_reset(&server);
		standin_fault(&server, "", pauses[i].action);
		probe_init(&p, server.port, pauses[i].verb, pauses[i].path);
		if (pauses[i].verb == HTTP_POST) {
			p.call.body.data = "abc";
			p.call.body.len = 3;
		}
		probe_run(lane, &p);
		row_number(pauses[i].sentence, p.rc, 0);
		row_number(pauses[i].sentence, p.status, 200);
		row_number(pauses[i].sentence, p.attempt > 1, pauses[i].again);
		probe_clear(&p);
	}
}

static void test_idle_to_the_end(void **state)
{
	struct probe p;

	lane_with(5, 1, 20);
	standin_fault(&server, "\"count\": 0", STALL(6));
	probe_init(&p, server.port, HTTP_GET, "/x");
	p.call.deadline_ms = 3500;
	probe_run(lane, &p);
	assert_int_equal(p.rc, -ETIMEDOUT);
	assert_true(p.attempt > 1);
	probe_clear(&p);
}

static void test_a_body_that_nobody_reads_is_idle(void **state)
{
	unsigned char *bytes = some_bytes(BIG * 8);
	struct probe p;

	/* before headers: the server has not read the body then */
	lane_with(5, 1, 20);
	standin_fault(&server, "", STALL(3) ", \"when\": \"request\"");
	probe_init(&p, server.port, HTTP_PUT, "/echo");
	p.call.body.data = bytes;
	p.call.body.len = BIG * 8;
	probe_run(lane, &p);
	assert_true(p.attempt > 1);
	check_echo(&p, bytes, BIG * 8);
	probe_clear(&p);
	free(bytes);
}

static void test_connect_timeout(void **state)
{
	struct black_hole hole;
	struct probe p;

	lane_with(1, 5, 20);
	black_hole_open(&hole);
	probe_init(&p, hole.port, HTTP_GET, "/x");
	p.call.deadline_ms = 3500;
	probe_run(lane, &p);
	assert_int_equal(p.rc, -ETIMEDOUT);
	assert_true(p.attempt > 1);
	black_hole_close(&hole);
	probe_clear(&p);
}

static void test_the_deadline_grows_with_what_is_expected(void **state)
{
	struct probe p;

	lane_with(5, 20, 5);
	standin_fault(&server, "\"count\": 0",
		      "\"type\": \"trickle\", \"pieces\": 3, "
		      "\"seconds\": 2.5");
	probe_init(&p, server.port, HTTP_GET, "/bytes/4096");
	probe_run(lane, &p);
	assert_int_equal(p.rc, -ETIMEDOUT);
	probe_clear(&p);

	probe_init(&p, server.port, HTTP_GET, "/bytes/4096");
	p.call.expect = 20 * 65536;
	probe_run(lane, &p);
	assert_int_equal(p.rc, 0);
	probe_clear(&p);
}

/* The minutes that a long body may take are not waited for in silence. */
static void test_the_deadline_does_not_grow_for_a_silent_server(void **state)
{
	unsigned char *bytes = some_bytes(BIG * 4);
	int64_t began = clock_mono_ms();
	struct probe p;

	lane_with(5, 3, 2);
	standin_fault(&server, "\"count\": 0", STALL(400));
	probe_init(&p, server.port, HTTP_GET, "/x");
	p.call.expect = BIG * 4;
	probe_run(lane, &p);
	assert_int_equal(p.rc, -ETIMEDOUT);
	probe_clear(&p);

	/* it takes all of the body, each time */
	probe_init(&p, server.port, HTTP_PUT, "/echo");
	p.call.body.data = bytes;
	p.call.body.len = BIG * 4;
	probe_run(lane, &p);
	assert_int_equal(p.rc, -ETIMEDOUT);
	probe_clear(&p);
	/* 3 and 5 s; with what is allowed for the bytes 190 each */
	assert_true(clock_mono_ms() - began < 150000);
	free(bytes);
}

/*
 * An attempt at what the server does by itself, that began a second ago: when
 * it ends (s from now), of a deadline in 10 s, a patience of so many, and work
 * for 100 s at the slowest pace.
 */
#define WORK ((uint64_t)100 * 1000 * 4096)
static const struct {
	const char *sentence;
	bool works, connected;
	uint64_t unsent;
	long status; /* with all its headers; 0: nothing has come */
	int patience, end;
} ends[] = {
	{ "a server that does nothing by itself", false, true, 0, 0, 10, 10 },
	{ "a server that is not reached", true, false, 0, 0, 10, 10 },
	{ "a server that has not all of it", true, true, 1, 0, 10, 10 },
	{ "a server at work has its pace besides", true, true, 0, 0, 10, 110 },
	{ "... of the patience, when less is left", true, true, 0, 0, 4, 104 },
	{ "... and bytes that move make it no longer", true, true, 0, 0, 60,
	  110 },
	{ "... but those of an answer of 200", true, true, 0, 200, 60, 160 },
	{ "... for a quarter of an hour", true, true, 0, 200, 5000, 999 },
	{ "a failure that takes its time", true, true, 0, 500, 60, 110 },
};

static void test_when_work_ends(void **state)
{
	struct http_lane none = { .deadline_ms = 10000 };
	int64_t now = 1000000;

	for (size_t k = 0; k < COUNT(ends); k++) {
		struct http_call call = {
			.verb = HTTP_POST,
			.body.len = 7,
			.works = ends[k].works,
			.work = WORK,
		};
		struct http_attempts a = {
			.call = &call,
			.lane = &none,
			.deadline_ms = now + 10000,
			.patience_ms = now + ends[k].patience * 1000,
			.launched_ms = now - 1000,
			.now.connected = ends[k].connected,
			.now.sent = 7 - (curl_off_t)ends[k].unsent,
			.now.headers_done = ends[k].status != 0,
			.reply.status = ends[k].status,
		};

		row_number(ends[k].sentence, http_flow_end(&a) - now,
			   ends[k].end * 1000);
		row_check(ends[k].sentence,
			  http_flow_deadline(&a) <= now + 10000);
	}
}

static const struct {
	const char *sentence, *action;
	uint64_t work;
	int rc;
	long status;
	bool again;
} works[] = {
	{ "it fails always", "\"type\": \"status\", \"status\": 500",
	  100 * WORK, 0, 500, true },
	{ "it is taken and never done", STALL(400), 0, -ETIMEDOUT, 0, false },
	{ "it takes longer than the deadline", STALL(5), WORK, 0, 200, false },
};

static void test_the_deadline_of_work(void **state)
{
	lane_with(5, 1, 3);
	for (size_t k = 0; k < COUNT(works); k++) {
		int64_t began = clock_mono_ms();
		struct probe p;

		standin_reset(&server);
		standin_fault(&server, "\"count\": 0", works[k].action);
		probe_init(&p, server.port, HTTP_POST, "/x");
		p.call.body.data = "abc";
		p.call.body.len = 3;
		p.call.works = true;
		p.call.work = works[k].work;
		probe_run(lane, &p);
		row_number(works[k].sentence, p.rc, works[k].rc);
		row_number(works[k].sentence, p.status, works[k].status);
		row_number(works[k].sentence, p.attempt > 1, works[k].again);
		row_check(works[k].sentence, clock_mono_ms() - began < 60000);
		probe_clear(&p);
	}
}

/* A server has said nothing for `silent` s (0: it has) to work that began
 * `began` s ago (0: each call has a whole deadline, of 60 s). */
static const struct {
	const char *sentence;
	int silent, began;
	int least_s, most_s; /* of the deadline that have gone by */
} lates[] = {
	{ "a server that was heard has all of it", 0, 40, 0, 0 },
	{ "a call of no work has too", 50, 0, 0, 0 },
	{ "work that has waited has the rest", 50, 20, 20, 59 },
	{ "not of what was before the silence", 20, 40, 20, 59 },
	{ "a second is left in any case", 300, 200, 59, 59 },
};

static void test_what_has_waited_already(void **state)
{
	struct waiter *self = waiter_self();
	int64_t now;
	struct probe p;

	lane_with(1, 5, 60);
	for (size_t k = 0; k < COUNT(lates); k++) {
		int64_t late;

		now = clock_mono_ms();
		lane->silent_ms =
			lates[k].silent ? now - lates[k].silent * 1000 : 0;
		late = http_flow_late(
			lane, lates[k].began ? now - lates[k].began * 1000
					     : WAIT_FOREVER);
		row_check(lates[k].sentence,
			  late >= lates[k].least_s * 1000 &&
				  late <= lates[k].most_s * 1000);
	}
	/* it ends so, and begins anew with an answer */
	now = clock_mono_ms();
	lane->silent_ms = now - 58000;
	waiter_set_began(self, now - 58000);
	probe_init(&p, standin_dead_port(), HTTP_GET, "/x");
	probe_run(lane, &p);
	assert_int_equal(p.rc, -ECONNREFUSED);
	assert_true(clock_mono_ms() - now < 40000); /* 60 s otherwise */
	assert_int_not_equal(lane->silent_ms, 0);
	probe_clear(&p);
	probe_init(&p, server.port, HTTP_GET, "/x");
	probe_run(lane, &p);
	assert_int_equal(p.status, 200);
	assert_int_equal(lane->silent_ms, 0);
	probe_clear(&p);
	waiter_set_began(self, WAIT_FOREVER);
}

SUITE(http_flow)
{
	const struct CMUnitTest tests[] = {
		engine_test(test_a_body_from_memory),
		engine_test(test_a_body_from_a_file_is_sent_again),
		engine_test(test_a_file_that_became_shorter_is_an_error),
		engine_test(test_data_goes_on_where_it_broke),
		engine_test(test_data_can_refuse),
		engine_test(test_data_is_not_called_for_an_error),
		engine_test(test_limits),
		engine_test(test_idle_timeout),
		engine_test(test_idle_to_the_end),
		engine_test(test_a_body_that_nobody_reads_is_idle),
		engine_test(test_connect_timeout),
		cmocka_unit_test(test_when_work_ends),
		engine_test(test_the_deadline_of_work),
		engine_test(test_the_deadline_grows_with_what_is_expected),
		engine_test(
			test_the_deadline_does_not_grow_for_a_silent_server),
		engine_test(test_what_has_waited_already),
	};

	return cmocka_run_group_tests_name("http_flow", tests, engine_setup_all,
					   engine_teardown_all);
}
