/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that are slow, many, or have much to say: the threads of others go
 * on.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "gateway_rig.h"

#define KEY "stage/a.txt"
#define TEXT "hello, stage"
#define PLACES 20
#define HEADER_S 1
#define BODY_S 2

static struct gateway_rig rig;

static void few_places(struct gateway_settings *set)
{
	set->connections = PLACES;
	set->header_timeout_s = HEADER_S;
	set->body_timeout_s = BODY_S;
}

static int setup(void **state)
{
	gateway_rig_open(&rig, few_places);
	local_rig_put(rig.disk.s, KEY, TEXT);
	return 0;
}

static int teardown(void **state)
{
	gateway_rig_close(&rig);
	return 0;
}

static const struct ask get = { .key = KEY };

/* Three times as many as there are places, and each one silent. */
static void test_silent(void **state)
{
	int fds[3 * PLACES];

	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = rig_connect(&rig);
	for (int i = 0; i < 5; i++)
		rig_expect(&rig, "others are served", &get, 200, NULL);
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

/* Each sends a byte of its head now and then, for ever. */
static void test_slow_loris(void **state)
{
	static const char head[] = "GET /storage/stage/a.txt HTTP/1.1\r\nX-A: ";
	int fds[PLACES], gone = 0;
	int64_t until = clock_mono_ms() + 10000;

	for (size_t i = 0; i < COUNT(fds); i++) {
		fds[i] = rig_connect(&rig);
		assert_true(send(fds[i], head, sizeof(head) - 1, MSG_NOSIGNAL) >
			    0);
	}
	rig_expect(&rig, "others are served at once", &get, 200, NULL);
	while (gone < PLACES && clock_mono_ms() < until) {
		gone = 0;
		for (size_t i = 0; i < COUNT(fds); i++)
			gone += send(fds[i], "x", 1, MSG_NOSIGNAL) < 0;
		usleep(100000);
	}
	row_number("all were cut off", gone, PLACES);
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
	rig_expect(&rig, "and after that", &get, 200, NULL);
}

/* A URL is right, and its body comes by a byte at a time. */
static void test_slow_body(void **state)
{
	const struct ask a = { .method = "PUT", .key = "stage/slow" };
	char *target = rig_target(&rig, &a);
	struct buf head = BUF_INIT(BUF_URL);
	int64_t began = clock_mono_ms();
	int fd = rig_connect(&rig);

	buf_addf(&head,
		 "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 100000\r\n"
		 "\r\n",
		 target, rig.host);
	assert_int_equal(send(fd, head.data, head.len, 0), head.len);
	while (send(fd, "x", 1, MSG_NOSIGNAL) == 1 &&
	       clock_mono_ms() - began < 15000)
		usleep(100000);
	row_check("it was cut off", clock_mono_ms() - began < 15000);
	row_check("not at once", clock_mono_ms() - began > BODY_S * 500);
	close(fd);
	rig_expect(&rig, "nothing is left",
		   &(const struct ask){ .key = "stage/slow" }, 404,
		   "NoSuchKey");
	buf_clear(&head);
	free(target);
}

/* Answers that did not arrive whole. */
static unsigned long broken_total(void)
{
	static const char name[] =
		"\nstagefs_gateway_broken_total{kind=\"object\"} ";
	const struct ask a = { .key = "" };
	unsigned long n;
	struct reply r;

	rig_ask(&rig, &a, "/metrics", &r);
	reply_expect("metrics", &r, 200, NULL);
	assert_non_null(strstr(r.body, name));
	n = strtoul(strstr(r.body, name) + sizeof(name) - 1, NULL, 10);
	reply_clear(&r);
	return n;
}

static void put_zeros(const char *key, size_t n)
{
	char *text = calloc(1, n);
	const struct store_body body = { .data = text, .fd = -1, .len = n };
	struct object_info info;

	assert_non_null(text);
	assert_int_equal(store_put(rig.disk.s, key, &body, NULL, NULL, &info),
			 0);
	free(text);
}

/* A client that takes what it asked for by little pieces. */
static void read_slowly(const char *sentence, size_t piece)
{
	const struct ask a = { .key = "stage/big" };
	char *target = rig_target(&rig, &a), room[4096];
	struct buf head = BUF_INIT(BUF_URL);
	int small = 4096, fd = rig_connect(&rig);
	unsigned long before = broken_total();
	int64_t began = clock_mono_ms();

	put_zeros(a.key, 16 << 20);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	buf_addf(&head, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", target,
		 rig.host);
	assert_int_equal(send(fd, head.data, head.len, 0), head.len);
	while (broken_total() == before && clock_mono_ms() - began < 20000) {
		recv(fd, room, piece, 0);
		usleep(250000);
	}
	row_number(sentence, broken_total(), before + 1);
	row_check(sentence, clock_mono_ms() - began > BODY_S * 500);
	close(fd);
	buf_clear(&head);
	free(target);
}

static void test_slow_reader(void **state)
{
	read_slowly("a few bytes at a time", 16);
	read_slowly("enough for the kernel to see him move", 1024);
}

/* A client that is slow, but not that slow. */
static void test_steady_reader(void **state)
{
	const struct ask a = { .key = "stage/big" };
	char *target = rig_target(&rig, &a), room[65536];
	struct buf head = BUF_INIT(BUF_URL);
	int small = 65536, fd = rig_connect(&rig);
	size_t all = 0;
	ssize_t n;

	put_zeros(a.key, 2 << 20);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	buf_addf(&head,
		 "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
		 "\r\n",
		 target, rig.host);
	assert_int_equal(send(fd, head.data, head.len, 0), head.len);
	while ((n = recv(fd, room, sizeof(room), 0)) > 0) {
		all += n;
		usleep(150000);
	}
	row_check("all of it came", all > 2 << 20);
	row_number("nothing was cut off", broken_total(), 0);
	close(fd);
	buf_clear(&head);
	free(target);
}

/* ---- heads ---- */

static void ask_with(const char *sentence, size_t n_headers, size_t value,
		     unsigned least, unsigned most)
{
	struct buf head = BUF_INIT(1 << 20);
	struct reply r;

	buf_addf(&head,
		 "GET /health HTTP/1.1\r\nHost: %s\r\n"
		 "Connection: close\r\n",
		 rig.host);
	for (size_t i = 0; i < n_headers; i++) {
		buf_addf(&head, "X-%zu: ", i);
		for (size_t j = 0; j < value; j++)
			buf_addc(&head, 'x');
		buf_adds(&head, "\r\n");
	}
	buf_adds(&head, "\r\n");
	rig_raw(&rig, head.data, head.len, &r);
	if (r.status < least || r.status > most)
		fail_msg("%s: %u", sentence, r.status);
	reply_clear(&r);
	buf_clear(&head);
}

static void test_heads(void **state)
{
	ask_with("a few headers", 20, 100, 200, 200);
	ask_with("a long one", 1, 16000, 200, 200);
	ask_with("too many", 1000, 10, 400, 431);
	ask_with("too long a one", 1, 500000, 0, 431);
	rig_expect(&rig, "and others are served", &get, 200, NULL);
}

static const char *const broken[] = {
	"\r\n\r\n\r\n",
	"GET\r\n\r\n",
	"GET / HTTP/9.9\r\n\r\n",
	"GET /health HTTP/1.1\r\n\r\n",
	"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
	"GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n",
	"GET /health HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"get /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
};

static void test_broken(void **state)
{
	for (size_t i = 0; i < COUNT(broken); i++) {
		int fd = rig_connect(&rig);
		struct reply r;

		send(fd, broken[i], strlen(broken[i]), MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		rig_read(fd, &r);
		if (r.status == 200)
			fail_msg("request %zu was answered: %s", i, r.head);
		reply_clear(&r);
	}
	rig_expect(&rig, "and others are served", &get, 200, NULL);
}

/* ---- one connection, many requests ---- */

static void test_keep_alive(void **state)
{
	struct buf all = BUF_INIT(1 << 20);
	unsigned answers = 0;
	struct reply r;

	for (int i = 0; i < 50; i++)
		buf_addf(&all, "GET /health HTTP/1.1\r\nHost: %s\r\n%s\r\n",
			 rig.host, i == 49 ? "Connection: close\r\n" : "");
	rig_raw(&rig, all.data, all.len, &r);
	reply_expect("the first", &r, 200, NULL);
	for (const char *p = r.body; p; p = strstr(p + 1, "HTTP/1.1 200"))
		answers++;
	row_number("all are answered", answers, 50);
	reply_clear(&r);
	buf_clear(&all);
}

static void test_stop(void **state)
{
	int idle = rig_connect(&rig);
	int64_t began = clock_mono_ms();

	row_check("nothing is under way", gateway_stop(rig.gateway, 60));
	row_check("and so it is quick", clock_mono_ms() - began < 40000);
	close(idle);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* What stands between the request line and Content-Length. */
static const struct {
	const char *sentence, *lines;
	unsigned status;
} unclear[] = {
	{ "two lengths", "Content-Length: 0\r\n", 400 },
	{ "the same twice", "Content-Length: 5\r\n", 400 },
	{ "chunks too", "Transfer-Encoding: chunked\r\n", 400 },
	{ "a blank before the colon", "Content-Length : 0\r\n", 400 },
	{ "a name with a slash", "a/b: c\r\n", 400 },
	{ "a CR in a value", "X-A: a\rContent-Length: 0\r\n", 400 },
	{ "a control byte in a value", "X-A: a\x01\r\n", 400 },
};

/* What another server takes for the body is never the next request. */
static void test_unclear(void **state)
{
	static const char rest[] = "GET /health HTTP/1.1\r\nHost: localhost"
				   "\r\nConnection: close\r\n\r\n";

	for (size_t i = 0; i < COUNT(unclear); i++) {
		const struct ask a = { .method = "PUT", .key = "stage/two" };
		char *target = rig_target(&rig, &a);
		struct buf all = BUF_INIT(BUF_URL);
		struct reply r;

		buf_addf(&all,
			 "PUT %s HTTP/1.1\r\nHost: %s\r\n%s"
			 "Content-Length: 5\r\n\r\nhello%s",
			 target, rig.host, unclear[i].lines, rest);
		rig_raw(&rig, all.data, all.len, &r);
		reply_expect(unclear[i].sentence, &r, unclear[i].status, NULL);
		row_equal("the connection ends", reply_header(&r, "Connection"),
			  "close");
		row_check(unclear[i].sentence,
			  !strstr(r.body, "HTTP/1.1") && !strstr(r.body, "ok"));
		reply_clear(&r);
		buf_clear(&all);
		free(target);
	}
	rig_expect(&rig, "and nothing is there",
		   &(const struct ask){ .key = "stage/two" }, 404, "NoSuchKey");
}

SUITE(gateway_limits)
{
	const struct CMUnitTest tests[] = {
		WITH(test_silent),        WITH(test_slow_loris),
		WITH(test_slow_body),     WITH(test_slow_reader),
		WITH(test_steady_reader), WITH(test_heads),
		WITH(test_broken),        WITH(test_keep_alive),
		WITH(test_unclear),       WITH(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
