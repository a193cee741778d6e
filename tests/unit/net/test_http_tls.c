/* SPDX-License-Identifier: Apache-2.0 */
/* Which server the engine believes to be the one it means; what a proxy
 * sees. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine_calls.h"

static struct standin tls;
static char pem[64]; /* the certificate of tls, of no known authority */
static char url[64]; /* something there */

static int setup_tls(void **state)
{
	snprintf(pem, sizeof(pem), "/tmp/stagefs-test-%d.pem", (int)getpid());
	standin_certificate(pem);
	standin_start(&tls, (const char *const[]){ "--tls", pem, NULL });
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/bytes/100000",
		 tls.port);
	return engine_setup_all(state);
}

static int teardown_tls(void **state)
{
	standin_stop(&tls);
	unlink(pem);
	return engine_teardown_all(state);
}

static struct http_lane *lane_with(const char *ca_file, const char *proxy)
{
	struct http_lane_settings set = probe_settings;

	set.ca_file = ca_file;
	set.proxy = proxy;
	return http_lane_new(engine, &set);
}

static void fetch(struct http_lane *on, struct probe *p)
{
	probe_init(p, 0, HTTP_GET, NULL);
	p->url = url;
	p->header = "Authorization";
	p->value = "geheim";
	probe_run(on, p);
	probe_clear(p);
}

static void test_a_stranger_is_refused_at_once(void **state)
{
	struct probe p;

	fetch(lane, &p);
	assert_int_equal(p.rc, -EKEYREJECTED);
	assert_int_equal(p.attempt, 1);
	assert_string_equal(p.why, "the server's certificate is not trusted");
}

/* A user whose clock is off can tell it from that. */
static void test_a_certificate_has_its_time(void **state)
{
	static const struct {
		const char *from, *until, *why;
	} rows[] = {
		{ "20400101000000Z", "20410101000000Z",
		  "the server's certificate is not valid yet by this "
		  "machine's clock" },
		{ "20000101000000Z", "20010101000000Z",
		  "the server's certificate has expired by this machine's "
		  "clock" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct standin dated;
		struct http_lane *trusting;
		struct probe p;
		char file[80], at[64];

		snprintf(file, sizeof(file), "%s.%zu", pem, i);
		standin_certificate_dated(file, rows[i].from, rows[i].until);
		standin_start(&dated,
			      (const char *const[]){ "--tls", file, NULL });
		snprintf(at, sizeof(at), "https://127.0.0.1:%u/bytes/1",
			 dated.port);
		trusting = lane_with(file, NULL);
		probe_init(&p, 0, HTTP_GET, NULL);
		p.url = at;
		probe_run(trusting, &p);
		assert_int_equal(p.rc, -EKEYREJECTED);
		assert_string_equal(p.why, rows[i].why);
		probe_clear(&p);
		http_lane_free(trusting);
		standin_stop(&dated);
		unlink(file);
	}
}

static void test_the_ca_file_of_a_lane_is_its_own(void **state)
{
	struct http_lane *trusting = lane_with(pem, NULL);
	struct probe p;

	for (int i = 0; i < 3; i++) {
		fetch(trusting, &p);
		assert_int_equal(p.rc, 0);
		assert_int_equal(p.body_len, 100000);
	}
	/* nor does a lane use a connection that another one trusts */
	fetch(lane, &p);
	assert_int_equal(p.rc, -EKEYREJECTED);
	http_lane_free(trusting);
}

static void test_a_ca_file_that_is_none(void **state)
{
	struct http_lane *bad = lane_with("/nonexistent.pem", NULL);
	struct probe p;

	fetch(bad, &p);
	assert_int_equal(p.rc, -EINVAL);
	assert_string_equal(p.why, "the CA file cannot be used");
	http_lane_free(bad);
}

static void test_a_proxy_sees_the_host_alone(void **state)
{
	struct http_lane *by_proxy;
	char proxy[64];
	struct probe p;
	char *log;

	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", server.port);
	by_proxy = lane_with(pem, proxy);
	fetch(by_proxy, &p);
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.status, 200);
	assert_int_equal(p.body_len, 100000);
	log = standin_get(&server, "/_requests");
	assert_non_null(strstr(log, "\"CONNECT\""));
	assert_null(strstr(log, "geheim"));
	free(log);
	http_lane_free(by_proxy);
}

static void test_plain_http_is_no_tls(void **state)
{
	struct probe p;
	char plain[64];

	snprintf(plain, sizeof(plain), "https://127.0.0.1:%u/x", server.port);
	probe_init(&p, 0, HTTP_GET, NULL);
	p.url = plain;
	p.call.deadline_ms = 1000;
	probe_run(lane, &p);
	assert_true(p.rc == -EPROTO || p.rc == -ETIMEDOUT);
	probe_clear(&p);
}

SUITE(http_tls)
{
	const struct CMUnitTest tests[] = {
		engine_test(test_a_stranger_is_refused_at_once),
		engine_test(test_a_certificate_has_its_time),
		engine_test(test_the_ca_file_of_a_lane_is_its_own),
		engine_test(test_a_ca_file_that_is_none),
		engine_test(test_a_proxy_sees_the_host_alone),
		engine_test(test_plain_http_is_no_tls),
	};

	return cmocka_run_group_tests_name("http_tls", tests, setup_tls,
					   teardown_tls);
}
