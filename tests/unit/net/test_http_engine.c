/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine does with good and bad answers, against the stand-in.
 *
 * Covers: net/http_easy.c net/http_inbox.c net/http_poller.c
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/http_loop.h"
#include "engine_calls.h"

/* A fault, a request, and what must come of it. */
struct row {
	const char *sentence;
	const char *match; /* of the fault */
	const char *action; /* NULL: no fault */
	enum http_verb verb;
	const char *path;
	int rc;
	long status;
	unsigned attempts; /* 0: any number above 1 */
	int64_t deadline_ms; /* 0: the lane's */
};

#define ONCE "\"count\": 1"
#define ALWAYS "\"count\": 0"
#define STATUS(n) "\"type\": \"status\", \"status\": " #n

static const struct row rows[] = {
	{ "a GET is answered", "", NULL, HTTP_GET, "/x", 0, 200, 1, 0 },
	{ "a HEAD is answered", "", NULL, HTTP_HEAD, "/x", 0, 200, 1, 0 },
	{ "a DELETE is answered", "", NULL, HTTP_DELETE, "/x", 0, 200, 1, 0 },
	{ "a PUT of nothing", "", NULL, HTTP_PUT, "/x", 0, 200, 1, 0 },
	{ "a POST of nothing", "", NULL, HTTP_POST, "/x", 0, 200, 1, 0 },
	{ "a 204 is answered", ONCE, STATUS(204), HTTP_DELETE, "/x", 0, 204, 1,
	  0 },
	{ "a reset is tried again", ONCE, "\"type\": \"reset\"", HTTP_GET, "/x",
	  0, 200, 2, 0 },
	{ "a reset in the body is tried again", ONCE,
	  "\"type\": \"reset\", \"when\": \"body\", \"after\": 9", HTTP_GET,
	  "/bytes/99", 0, 200, 2, 0 },
	{ "a body that ends early is tried again", ONCE,
	  "\"type\": \"cut\", \"after\": 9", HTTP_GET, "/bytes/99", 0, 200, 2,
	  0 },
	{ "a wrong Content-Length is tried again", ONCE,
	  "\"type\": \"wrong_length\", \"delta\": 7", HTTP_GET, "/bytes/99", 0,
	  200, 2, 0 },
	{ "what is no HTTP is tried again", ONCE,
	  "\"type\": \"raw\", \"text\": \"SSH-2.0-hello\\n\"", HTTP_GET, "/x",
	  0, 200, 2, 0 },
	{ "half a header is tried again", ONCE,
	  "\"type\": \"raw\", \"text\": \"HTTP/1.1 200 OK\\r\\nContent-Le\"",
	  HTTP_GET, "/x", 0, 200, 2, 0 },
	{ "429 is tried again", ONCE, STATUS(429), HTTP_GET, "/x", 0, 200, 2,
	  0 },
	{ "503 SlowDown is tried again", ONCE,
	  STATUS(503) ", \"code\": \"SlowDown\"", HTTP_GET, "/x", 0, 200, 2,
	  0 },
	{ "500 is tried again", ONCE, STATUS(500), HTTP_PUT, "/x", 0, 200, 2,
	  0 },
	{ "502 is tried again", ONCE, STATUS(502), HTTP_GET, "/x", 0, 200, 2,
	  0 },
	{ "504 is tried again", ONCE, STATUS(504), HTTP_DELETE, "/x", 0, 200, 2,
	  0 },
	{ "408 is tried again", ONCE, STATUS(408), HTTP_GET, "/x", 0, 200, 2,
	  0 },
	{ "a HEAD is tried again", ONCE, STATUS(500), HTTP_HEAD, "/x", 0, 200,
	  2, 0 },
	{ "three faults in a row are outlasted", "\"count\": 3", STATUS(500),
	  HTTP_GET, "/x", 0, 200, 4, 0 },
	{ "404 is an answer", ALWAYS, STATUS(404), HTTP_GET, "/x", 0, 404, 1,
	  0 },
	{ "403 is an answer", ALWAYS, STATUS(403), HTTP_GET, "/x", 0, 403, 1,
	  0 },
	{ "412 is an answer", ALWAYS, STATUS(412), HTTP_PUT, "/x", 0, 412, 1,
	  0 },
	{ "501 is an answer", ALWAYS, STATUS(501), HTTP_GET, "/x", 0, 501, 1,
	  0 },
	{ "505 is an answer", ALWAYS, STATUS(505), HTTP_GET, "/x", 0, 505, 1,
	  0 },
	{ "a redirect is an answer and is not followed", ALWAYS,
	  STATUS(301) ", \"headers\": {\"Location\": \"/y\"}", HTTP_GET, "/x",
	  0, 301, 1, 0 },
	{ "a deadline ends the attempts: the last answer stands", ALWAYS,
	  STATUS(500), HTTP_GET, "/x", 0, 500, 0, 1500 },
	{ "a deadline ends the attempts: the last failure stands", ALWAYS,
	  "\"type\": \"reset\"", HTTP_GET, "/x", -ECONNRESET, 0, 0, 1500 },
	{ "Retry-After beyond the deadline gives up at once", ALWAYS,
	  STATUS(503) ", \"retry_after\": 60", HTTP_GET, "/x", 0, 503, 1,
	  5000 },
	{ "Retry-After is waited for", ONCE, STATUS(503) ", \"retry_after\": 1",
	  HTTP_GET, "/x", 0, 200, 2, 0 },
	{ "no answer within the deadline", ALWAYS,
	  "\"type\": \"stall\", \"seconds\": 3", HTTP_GET, "/x", -ETIMEDOUT, 0,
	  1, 500 },
	{ "no whole answer within the deadline", ALWAYS,
	  "\"type\": \"stall\", \"when\": \"body\", \"after\": 5, "
	  "\"seconds\": 3",
	  HTTP_GET, "/bytes/99", -ETIMEDOUT, 200, 1, 500 },
};

/*
 * Each row has an engine of its own: curl itself asks again, on another
 * connection, when one that was kept turns out to be dead.
 */
static void run_row(const struct row *row, const char *sentence)
{
	struct probe p;
	void *none = NULL;

	print_message("# %s\n", sentence);
	assert_int_equal(engine_setup(&none), 0);
	if (row->action)
		standin_fault(&server, row->match, row->action);
	probe_init(&p, server.port, row->verb, row->path);
	p.call.deadline_ms = row->deadline_ms;
	probe_run(lane, &p);
	/* the deadline may also come in the middle of the last attempt */
	if (!row->attempts && p.rc == -ETIMEDOUT)
		p.rc = row->rc, p.status = row->status;
	if (p.rc != row->rc || p.status != row->status)
		fail_msg("%s: error %d (%s), status %ld", sentence, p.rc, p.why,
			 p.status);
	if (row->attempts ? p.attempt != row->attempts : p.attempt < 2)
		fail_msg("%s: %u attempts", sentence, p.attempt);
	if (p.prepared != p.attempt)
		fail_msg("%s: prepared %u times for %u attempts", sentence,
			 p.prepared, p.attempt);
	if (standin_stat(&server, "requests") != p.attempt)
		fail_msg("%s: the server saw other requests", sentence);
	probe_clear(&p);
	engine_teardown(&none);
}

static void test_answers(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		run_row(&rows[i], rows[i].sentence);
}

static void test_connections_are_kept(void **state)
{
	struct probe p;

	for (int i = 0; i < 5; i++) {
		probe_init(&p, server.port, HTTP_GET, "/bytes/1000");
		probe_run(lane, &p);
		assert_int_equal(p.rc, 0);
		probe_clear(&p);
	}
	assert_int_equal(standin_stat(&server, "connections"), 1);
	assert_int_equal(standin_stat(&server, "requests"), 5);
}

static void some_requests(unsigned n)
{
	struct probe p;

	for (unsigned k = 0; k < n; k++) {
		probe_init(&p, server.port, HTTP_GET, "/bytes/1000");
		probe_run(lane, &p);
		assert_int_equal(p.status, 200);
		probe_clear(&p);
	}
}

/* A kept connection costs no system call to be watched again. */
static void test_what_is_watched(void **state)
{
	uint64_t before;

	some_requests(5);
	before = engine->loop.poller.changes;
	some_requests(50);
	assert_int_equal(engine->loop.poller.changes - before, 0);
	/* one that the server has closed is not watched for ever, and another
	 * file that gets its number is watched anew */
	standin_reset(&server);
	standin_fault(&server, "", "\"type\": \"reset\"");
	some_requests(5);
	assert_int_equal(standin_stat(&server, "requests"), 6);
	assert_in_range(engine->loop.poller.changes - before, 1, 20);
}

static void test_faults_are_tried_again(void **state)
{
	struct probe p;

	standin_fault(&server, "", "\"type\": \"reset\"");
	standin_fault(&server, "", STATUS(500));
	probe_init(&p, server.port, HTTP_PUT, "/x");
	p.call.body.data = "12345";
	p.call.body.len = 5;
	probe_run(lane, &p);
	assert_int_equal(p.attempt, 3);
	assert_int_equal(p.status, 200);
	assert_int_equal(standin_stat(&server, "requests"), 3);
	probe_clear(&p);
}

static void test_a_dead_port_is_refused(void **state)
{
	struct probe p;

	probe_init(&p, standin_dead_port(), HTTP_GET, "/x");
	p.call.deadline_ms = 1500;
	probe_run(lane, &p);
	assert_int_equal(p.rc, -ECONNREFUSED);
	assert_string_equal(p.why, "connection refused");
	assert_true(p.attempt > 1);
	probe_clear(&p);
}

static void test_a_large_body_does_not_wait_longer_for_nobody(void **state)
{
	struct http_lane_settings set = probe_settings;
	struct http_lane *hasty;
	int64_t start = clock_mono_ms();
	struct probe p;

	set.deadline_s = 1;
	hasty = http_lane_new(engine, &set);
	assert_non_null(hasty);
	probe_init(&p, standin_dead_port(), HTTP_GET, "/x");
	p.call.expect = 64LL << 20; /* 1,024 s at the slowest pace */
	probe_run(hasty, &p);
	assert_int_equal(p.rc, -ECONNREFUSED);
	assert_true(p.attempt > 1);
	assert_true(clock_mono_ms() - start < 60000);
	probe_clear(&p);
	http_lane_free(hasty);
}

static void test_the_request_is_ours(void **state)
{
	struct probe p;
	char *log;

	/* whatever the environment says */
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("all_proxy", "http://127.0.0.1:1/", 1);
	probe_init(&p, server.port, HTTP_POST, "/a//../b/./c%20d?x=%2F");
	p.call.body.data = "<x/>";
	p.call.body.len = 4;
	p.header = "x-amz-empty";
	p.value = "";
	probe_run(lane, &p);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	assert_int_equal(p.status, 200);
	log = standin_get(&server, "/_requests");
	assert_non_null(strstr(log, "\"path\": \"/a//../b/./c%20d\""));
	assert_non_null(strstr(log, "\"query\": \"x=%2F\""));
	assert_non_null(strstr(log, "\"content-length\": \"4\""));
	assert_non_null(strstr(log, "\"x-amz-empty\": \"\""));
	assert_null(strstr(log, "content-type"));
	assert_non_null(strstr(log, "\"accept-encoding\": \"identity\""));
	assert_null(strstr(log, "transfer-encoding"));
	assert_null(strstr(log, "expect"));
	free(log);
	probe_clear(&p);
}

static void test_a_proxy_is_asked(void **state)
{
	struct http_lane_settings set = probe_settings;
	struct http_lane *by_proxy;
	struct probe p;
	char proxy[64];
	char *log;

	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", server.port);
	set.proxy = proxy;
	by_proxy = http_lane_new(engine, &set);
	probe_init(&p, 0, HTTP_GET, NULL);
	p.url = "http://nowhere.invalid/x";
	probe_run(by_proxy, &p);
	assert_int_equal(p.status, 200);
	log = standin_get(&server, "/_requests");
	assert_non_null(strstr(log, "http://nowhere.invalid/x"));
	free(log);
	probe_clear(&p);
	http_lane_free(by_proxy);
}

/* The environment's, unless the lane says that there is none. */
static void test_the_environments_proxy(void **state)
{
	static const struct {
		const char *sentence, *no_proxy, *proxy;
		long status;
	} proxies[] = {
		{ "it is asked", NULL, NULL, 200 },
		{ "but for some hosts", "other,nowhere.invalid", NULL, 0 },
		{ "or for any", "*", NULL, 0 },
		{ "or for this lane", NULL, HTTP_NO_PROXY, 0 },
		{ "which says nothing by an empty word", NULL, "", 200 },
	};
	struct http_lane_settings set = probe_settings;
	char proxy[64];

	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", server.port);
	setenv("http_proxy", proxy, 1);
	set.deadline_s = 1;
	for (size_t i = 0; i < sizeof(proxies) / sizeof(*proxies); i++) {
		struct http_lane *by;
		struct probe p;

		if (proxies[i].no_proxy)
			setenv("no_proxy", proxies[i].no_proxy, 1);
		else
			unsetenv("no_proxy");
		set.proxy = proxies[i].proxy;
		by = http_lane_new(engine, &set);
		probe_init(&p, 0, HTTP_GET, NULL);
		p.url = "http://nowhere.invalid/x";
		probe_run(by, &p);
		if (p.status != proxies[i].status)
			fail_msg("%s: %ld", proxies[i].sentence, p.status);
		probe_clear(&p);
		http_lane_free(by);
	}
	unsetenv("http_proxy");
	unsetenv("no_proxy");
}

static const struct {
	const char *sentence;
	const char *url;
	int rc;
} bad_urls[] = {
	{ "a scheme that is not for us", "file:///etc/passwd", -EINVAL },
	{ "no URL at all", "http://", -EINVAL },
	{ "a port out of range", "http://127.0.0.1:99999/", -EINVAL },
};

static void test_bad_urls(void **state)
{
	struct probe p;

	for (size_t i = 0; i < COUNT(bad_urls); i++) {
		probe_init(&p, 0, HTTP_GET, NULL);
		p.url = bad_urls[i].url;
		p.call.deadline_ms = 300;
		probe_run(lane, &p);
		row_number(bad_urls[i].sentence, p.rc, bad_urls[i].rc);
		row_check(bad_urls[i].sentence, !strstr(p.why, "127.0.0.1"));
		probe_clear(&p);
	}
}

SUITE(http_engine)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		engine_test(test_connections_are_kept),
		engine_test(test_what_is_watched),
		engine_test(test_faults_are_tried_again),
		engine_test(test_a_dead_port_is_refused),
		engine_test(test_a_large_body_does_not_wait_longer_for_nobody),
		engine_test(test_the_request_is_ours),
		engine_test(test_a_proxy_is_asked),
		engine_test(test_the_environments_proxy),
		engine_test(test_bad_urls),
	};

	return cmocka_run_group_tests_name(
		"http_engine", tests, engine_setup_all, engine_teardown_all);
}
