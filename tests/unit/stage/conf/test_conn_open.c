/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From settings to a store, at the stand-in.
 *
 * Covers: stage/conf/conn_open.c
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/option.h"
#include "s3_rig.h"
#include "stage/conf/conn.h"
#include "store/store.h"

static struct standin server;
static struct http_engine *engine;

static struct store *open_with_deadline(unsigned seconds)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct store *s = NULL;
	char url[64];
	struct conn c = {
		.url = (char *)"s3://" RIG_BUCKET "/",
		.lane = { .connections = 4,
			  .connect_timeout_s = 5,
			  .idle_timeout_s = 5,
			  .deadline_s = seconds },
		.creds = { .credentials = "static",
			   .access_key_id = RIG_KEY,
			   .secret_access_key = RIG_SECRET },
		.s3 = { .endpoint_url = url, .region = "us-east-1" },
		.public_addressing = CONN_SAME,
	};

	snprintf(url, sizeof(url), "http://127.0.0.1:%u", server.port);
	if (conn_open(&c, "test", engine, &s, &why))
		fail_msg("conn_open: %s", buf_str(&why));
	return s;
}

/* Of every call, also of what the server does by itself: 120 s otherwise. */
static void the_deadline_is_the_stores(void **state)
{
	const struct store_body body = { .data = "k", .fd = -1, .len = 1 };
	struct store *s = open_with_deadline(2);
	int64_t began = clock_mono_ms();

	assert_int_equal(store_put(s, "k", &body, NULL, NULL, NULL), 0);
	standin_fault(&server, "\"method\": \"PUT\", \"count\": 0",
		      "\"type\": \"status\", \"status\": 500");
	assert_int_equal(store_put(s, "k", &body, NULL, NULL, NULL), -EIO);
	assert_int_equal(store_copy(s, "k", NULL, "to", NULL, NULL), -EIO);
	assert_true(clock_mono_ms() - began < 60000);
	store_unref(s);
}

static int set_up(void **state)
{
	static const char *const words[] = { "--s3",     "--access-key",
					     RIG_KEY,    "--secret",
					     RIG_SECRET, "--bucket",
					     RIG_BUCKET, NULL };

	standin_start(&server, words);
	engine = http_engine_new();
	return engine ? 0 : -1;
}

static int tear_down(void **state)
{
	http_engine_free(engine);
	standin_stop(&server);
	return 0;
}

SUITE(conn_open)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_deadline_is_the_stores),
	};

	return digest_init() ? 1
			     : cmocka_run_group_tests_name("conn_open", tests,
							   set_up, tear_down);
}
