/* What the engine does with good and bad answers, against the stand-in. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine_calls.h"

static struct standin server;
static struct http_engine *engine;
static struct http_lane *lane;

static int setup_all(void **state)
{
	standin_start(&server, NULL);
	return http_global_init();
}

static int teardown_all(void **state)
{
	standin_stop(&server);
	return 0;
}

static int setup(void **state)
{
	standin_reset(&server);
	engine = http_engine_new();
	lane = http_lane_new(engine, &probe_settings);
	return !engine || !lane;
}

static int teardown(void **state)
{
	http_engine_free(engine);
	http_lane_free(lane);
	return 0;
}

/* A fault, a request, and what must come of it. */
struct row {
	const char *sentence;
	const char *match; /* of the fault */
	const char *action; /* NULL: no fault */
	enum http_verb verb;
	const char *path;
	int err;
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
	assert_int_equal(setup(&none), 0);
	if (row->action)
		standin_fault(&server, row->match, row->action);
	probe_init(&p, server.port, row->verb, row->path);
	p.call.deadline_ms = row->deadline_ms;
	probe_run(lane, &p);
	if (p.err != row->err || p.status != row->status)
		fail_msg("%s: error %d (%s), status %ld", sentence, p.err,
			 p.why, p.status);
	if (row->attempts ? p.attempt != row->attempts : p.attempt < 2)
		fail_msg("%s: %u attempts", sentence, p.attempt);
	if (p.prepared != p.attempt)
		fail_msg("%s: prepared %u times for %u attempts", sentence,
			 p.prepared, p.attempt);
	if (standin_stat(&server, "requests") != p.attempt)
		fail_msg("%s: the server saw other requests", sentence);
	teardown(&none);
}

static void test_answers(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		run_row(&rows[i], rows[i].sentence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests_name("http_engine", tests, setup_all,
					   teardown_all);
}
