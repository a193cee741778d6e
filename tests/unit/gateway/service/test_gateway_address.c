/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports that are held: by a gateway of the same stores, by another program, by
 * one that passes on what a gateway says.
 *
 * Covers: gateway/address.c gateway/proof.c gateway/server.c
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "gateway_rig.h"

static struct gateway_rig rig;

static int setup(void **state)
{
	gateway_rig_open(&rig, NULL);
	return 0;
}

static int teardown(void **state)
{
	gateway_rig_close(&rig);
	return 0;
}

/* One more gateway over the same stores; its origin, good until the next. */
static struct gateway *another(const char *listen, bool any, int *rc,
			       const char **origin)
{
	static struct buf where = BUF_INIT(256);
	const struct gateway_settings set = { .listen = listen,
					      .any_port = any,
					      .user = "root",
					      .budget = rig.budget };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct gateway *g = NULL;

	*rc = gateway_new(&set, rig.catalog, &g, &why);
	row_check("a failure has words", !*rc == !why.len);
	buf_reset(&where);
	if (g)
		gateway_origin(g, &where);
	*origin = buf_str(&where);
	buf_clear(&why);
	return g;
}

/* Does a server answer there within so many seconds? */
static bool answers(unsigned seconds)
{
	int64_t until = clock_mono_ms() + seconds * 1000;
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(rig.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	do {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int rc = connect(fd, (const struct sockaddr *)&to, sizeof(to));

		close(fd);
		if (!rc)
			return true;
		usleep(20000);
	} while (clock_mono_ms() < until);
	return false;
}

static void test_shared(void **state)
{
	const struct ask a = { .key = "stage/x" };
	struct gateway *second;
	const char *origin;
	char first[64];
	int rc;

	local_rig_put(rig.disk.s, "stage/x", "hello");
	snprintf(first, sizeof(first), "http://%s", rig.host);
	second = another(rig.host, false, &rc, &origin);
	row_number("the second shares", rc, 0);
	row_equal("the address", origin, first);
	rig_expect(&rig, "the first answers", &a, 200, NULL);
	gateway_free(rig.gateway);
	rig.gateway = second;
	row_check("the second takes over", answers(5));
	rig_now = clock_now_s();
	rig_expect(&rig, "and answers", &a, 200, NULL);
}

/* As `localhost:8000` is where there is IPv6. */
static void test_shared_two(void **state)
{
	struct gateway *first, *second;
	char both[64];
	const char *origin;
	int rc;

	gateway_free(rig.gateway);
	rig.gateway = NULL;
	snprintf(both, sizeof(both), "127.0.0.1:%u, 127.0.0.2:%u", rig.port,
		 rig.port);
	first = another(both, false, &rc, &origin);
	row_number("the first has both", rc, 0);
	second = another(both, false, &rc, &origin);
	row_number("the second shares both", rc, 0);
	gateway_free(first);
	row_check("and takes over", answers(5));
	gateway_free(second);
	first = another(rig.host, false, &rc, &origin);
	row_number("one of two", rc, 0);
	second = another(both, false, &rc, &origin);
	row_number("is not both", rc, -EADDRINUSE);
	gateway_free(first);
}

static void test_leave_first(void **state)
{
	const char *origin;
	int rc;
	struct gateway *second = another(rig.host, false, &rc, &origin);

	gateway_free(second);
	row_check("the first is still there", answers(0));
}

/* ---- other programs ---- */

struct squatter {
	int fd;
	in_addr_t address; /* 0: 127.0.0.1 */
	unsigned port; /* 0: any */
	unsigned relay_to; /* 0: it says nothing of worth */
	pthread_t thread;
	atomic_bool asked;
};

static void relay(struct squatter *s, int client)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(s->relay_to),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char room[4096];
	ssize_t n = recv(client, room, sizeof(room), 0);

	if (n > 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)) &&
	    send(fd, room, n, MSG_NOSIGNAL) == n)
		while ((n = recv(fd, room, sizeof(room), 0)) > 0)
			send(client, room, n, MSG_NOSIGNAL);
	close(fd);
}

static void *squat(void *arg)
{
	static const char lie[] =
		"HTTP/1.1 200 OK\r\n\r\n{\"status\":\"ok\",\"proof\":\""
		"00000000000000000000000000000000"
		"00000000000000000000000000000000\"}";
	struct squatter *s = arg;
	int client;

	while ((client = accept(s->fd, NULL, NULL)) >= 0) {
		s->asked = true;
		if (s->relay_to)
			relay(s, client);
		else
			send(client, lie, sizeof(lie) - 1, MSG_NOSIGNAL);
		close(client);
	}
	return NULL;
}

static void squatter_start(struct squatter *s)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(s->port),
		.sin_addr.s_addr = htonl(s->address ?: INADDR_LOOPBACK),
	};
	socklen_t n = sizeof(at);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &n), 0);
	s->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, squat, s), 0);
}

static void squatter_stop(struct squatter *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static void check_squatter(const char *sentence, unsigned relay_to)
{
	struct squatter s = { .relay_to = relay_to };
	struct buf known = BUF_INIT(256);
	char listen[32], theirs[64];
	const char *origin;
	struct gateway *g;
	int rc;

	squatter_start(&s);
	snprintf(listen, sizeof(listen), "127.0.0.1:%u", s.port);
	snprintf(theirs, sizeof(theirs), "http://%s", listen);
	g = another(listen, false, &rc, &origin);
	row_number(sentence, rc, -EADDRINUSE);
	row_check(sentence, !g);
	/* The default address gives way. What is remembered is a gateway's. */
	local_address_set(rig.disk.s, theirs);
	g = another(listen, true, &rc, &origin);
	row_number(sentence, rc, 0);
	row_check(sentence, s.asked);
	row_check(sentence, strcmp(origin, theirs) != 0);
	row_check(sentence, text_starts_with(origin, "http://127.0.0.1:"));
	assert_int_equal(local_address(rig.disk.s, &known), 0);
	row_equal(sentence, buf_str(&known), origin);
	buf_clear(&known);
	gateway_free(g);
	squatter_stop(&s);
}

static void test_squatters(void **state)
{
	check_squatter("one that makes something up", 0);
	check_squatter("one that asks a gateway and passes it on", rig.port);
}

/* What holds another address with the same port, as [::1] of localhost. */
static void test_neighbour(void **state)
{
	struct squatter s = { .address = INADDR_LOOPBACK + 1,
			      .port = rig.port,
			      .relay_to = rig.port };
	char listen[64];
	const char *origin;
	struct gateway *g;
	int rc;

	squatter_start(&s);
	snprintf(listen, sizeof(listen), "127.0.0.1:%u, 127.0.0.2:%u", s.port,
		 s.port);
	g = another(listen, false, &rc, &origin);
	row_number("passes on what the gateway says", rc, -EADDRINUSE);
	row_check("it was asked", s.asked);
	row_check("and is not shared with", !g);
	squatter_stop(&s);
}

/* URLs live longer than processes: the port of the last time is tried first. */
static void test_remembered(void **state)
{
	struct squatter s = { 0 };
	char listen[32], origin[256];
	const char *again;
	struct gateway *g;
	int rc;

	squatter_start(&s);
	snprintf(listen, sizeof(listen), "127.0.0.1:%u", s.port);
	gateway_free(rig.gateway);
	rig.gateway = NULL;
	g = another(listen, true, &rc, &again);
	row_number("another port", rc, 0);
	snprintf(origin, sizeof(origin), "%s", again);
	gateway_free(g);
	squatter_stop(&s);
	g = another(listen, true, &rc, &again);
	row_number("once more", rc, 0);
	row_equal("the same as before", again, origin);
	gateway_free(g);
}

/* ---- beyond this machine ---- */

static const struct {
	const char *sentence;
	struct gateway_settings set;
	int rc;
	const char *word; /* of the message */
} rows[] = {
	{ "in a mounting daemon", { .listen = "0.0.0.0:0" }, -EINVAL, "serve" },
	{ "there, with a word",
	  { .listen = "0.0.0.0:0", .allow_plain_http = true },
	  -EINVAL,
	  "serve" },
	{ "alone, without TLS",
	  { .listen = "0.0.0.0:0", .alone = true },
	  -EINVAL,
	  "tls_certificate" },
	{ "alone, with a word",
	  { .listen = "0.0.0.0:0", .alone = true, .allow_plain_http = true },
	  0,
	  NULL },
	{ "loopback", { .listen = "127.0.0.2:0" }, 0, NULL },
	{ "one of two",
	  { .listen = "127.0.0.1:0, 0.0.0.0:0" },
	  -EINVAL,
	  "0.0.0.0" },
	{ "a certificate without a key",
	  { .listen = "127.0.0.1:0", .tls_certificate = "/dev/null" },
	  -EINVAL,
	  "tls_key" },
	{ "a certificate that is not there",
	  { .listen = "127.0.0.1:0",
	    .tls_certificate = "/nowhere",
	    .tls_key = "/nowhere" },
	  -ENOENT,
	  "/nowhere" },
	{ "an address of somebody else",
	  { .listen = "192.0.2.1:8000",
	    .alone = true,
	    .allow_plain_http = true },
	  -EADDRNOTAVAIL,
	  "192.0.2.1" },
	{ "no address", { .listen = "x" }, -EINVAL, "HOST:PORT" },
};

static void test_reach(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct gateway *g = NULL;

		row_number(rows[i].sentence,
			   gateway_new(&rows[i].set, rig.catalog, &g, &why),
			   rows[i].rc);
		if (rows[i].word)
			row_check(rows[i].sentence,
				  strstr(buf_str(&why), rows[i].word));
		gateway_free(g);
		buf_clear(&why);
	}
}

/* A socket of a socket unit. */
static void test_inherited(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct gateway_settings set = { .inherited = &other, .n_inherited = 1 };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct gateway *g = NULL;

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	row_number("one that does not listen",
		   gateway_new(&set, rig.catalog, &g, &why), -EINVAL);
	set.inherited = &fd;
	buf_reset(&why);
	row_number("one that does", gateway_new(&set, rig.catalog, &g, &why),
		   0);
	gateway_free(g);
	close(other);
	buf_clear(&why);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

SUITE(gateway_address)
{
	const struct CMUnitTest tests[] = {
		WITH(test_shared),      WITH(test_shared_two),
		WITH(test_leave_first), WITH(test_squatters),
		WITH(test_neighbour),   WITH(test_remembered),
		WITH(test_reach),       WITH(test_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
