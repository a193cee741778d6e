/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of an object, from the PUT that brought them to the answers that
 * repeat them.
 *
 * Covers: gateway/request_filter.c gateway/route.c
 */
#include "base/mime.h"
#include "gateway_rig.h"

#define KEY "stage/user/root/a.html"

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

static const struct {
	const char *name, *value;
	bool lifetime; /* a 304 has it */
} kept[] = {
	{ "Content-Type", "text/css", false },
	{ "Content-Encoding", "gzip", false },
	{ "Content-Disposition", "attachment; filename=\"a b\"", false },
	{ "Content-Language", "de, en", false },
	{ "Cache-Control", "max-age=60", true },
	{ "Expires", "Thu, 01 Dec 2044 16:00:00 GMT", true },
};

static void put_kept(void)
{
	struct ask a = { .method = "PUT", .key = KEY, .body = "bytes" };

	for (size_t i = 0; i < COUNT(kept); i++)
		a.sends[i] = (struct field){ kept[i].name, kept[i].value };
	rig_expect(&rig, "stored", &a, 200, NULL);
}

static void test_repeated(void **state)
{
	static const char *const methods[] = { "GET", "HEAD" };
	struct reply r;

	put_kept();
	for (size_t m = 0; m < COUNT(methods); m++) {
		struct ask a = { .method = methods[m], .key = KEY };

		rig_ask(&rig, &a, NULL, &r);
		reply_expect(methods[m], &r, 200, NULL);
		for (size_t i = 0; i < COUNT(kept); i++)
			row_equal(kept[i].name,
				  reply_header(&r, kept[i].name) ?: "(none)",
				  kept[i].value);
		reply_clear(&r);
	}
}

static void test_not_modified(void **state)
{
	struct ask a = { .key = KEY };
	struct object_details d;
	struct reply r;

	put_kept();
	assert_int_equal(store_head(rig.disk.s, KEY, &d), 0);
	a.sends[0] = (struct field){ "If-None-Match", d.info.etag };
	rig_ask(&rig, &a, NULL, &r);
	reply_expect("the same", &r, 304, NULL);
	for (size_t i = 0; i < COUNT(kept); i++)
		row_equal(kept[i].name,
			  reply_header(&r, kept[i].name) ?: "(none)",
			  kept[i].lifetime ? kept[i].value : "(none)");
	reply_clear(&r);
}

/* Signed words win, and the others stay. */
static void test_overridden(void **state)
{
	struct ask a = { .key = KEY };
	struct reply r;

	put_kept();
	a.query[0] = (struct field){ "response-content-type", "text/plain" };
	a.query[1] = (struct field){ "response-cache-control", "no-store" };
	rig_ask(&rig, &a, NULL, &r);
	reply_expect("asked for", &r, 200, NULL);
	row_equal("type", reply_header(&r, "Content-Type"), "text/plain");
	row_equal("cache", reply_header(&r, "Cache-Control"), "no-store");
	row_equal("encoding", reply_header(&r, "Content-Encoding"), "gzip");
	reply_clear(&r);
}

/* An edit on the mount is another version of it; another PUT is another
 * object. */
static void test_how_long(void **state)
{
	const struct store_body body = { .data = "edited", .fd = -1, .len = 6 };
	const struct store_meta edit = { .inherit = true };
	struct ask a = { .method = "PUT", .key = KEY, .body = "other" };
	struct ask get = { .key = KEY };
	struct reply r;

	put_kept();
	assert_int_equal(store_put(rig.disk.s, KEY, &body, &edit, NULL, NULL),
			 0);
	rig_ask(&rig, &get, NULL, &r);
	row_equal("edited", reply_header(&r, "Content-Encoding") ?: "", "gzip");
	reply_clear(&r);
	rig_expect(&rig, "stored", &a, 200, NULL);
	rig_ask(&rig, &get, NULL, &r);
	assert_null(reply_header(&r, "Content-Encoding"));
	reply_clear(&r);
}

static void test_type_by_name(void **state)
{
	struct ask a = { .method = "PUT", .key = KEY, .body = "<p>" };
	struct ask get = { .key = KEY };
	struct reply r;

	if (!mime_type(KEY))
		skip();
	rig_expect(&rig, "stored", &a, 200, NULL);
	rig_ask(&rig, &get, NULL, &r);
	row_equal("by name", reply_header(&r, "Content-Type"), mime_type(KEY));
	reply_clear(&r);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

SUITE(gateway_headers)
{
	const struct CMUnitTest tests[] = {
		WITH(test_repeated),     WITH(test_not_modified),
		WITH(test_overridden),   WITH(test_how_long),
		WITH(test_type_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
