/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be kept of an S3 store's objects beyond this moment, and by which
 * name: its identity, and answers without a strong ETag.
 */
#include "base/digest.h"
#include "base/waiter.h"
#include "s3_rig.h"

#define ALWAYS(m) "\"method\": \"" m "\", \"count\": 0"
#define REWRITE_ETAG(from, to) \
	"\"type\": \"rewrite\", \"header\": \"ETag\", \"from\": \"" from \
	"\", \"to\": \"" to "\""

static struct s3_rig rig;

static const struct {
	const char *says;
	const char *endpoint, *bucket;
	bool virtual_host, disk_cache;
	const char *identity; /* NULL: none */
} identities[] = {
	{ "a bucket of a server", "http://a.test:81", "b", false, true,
	  "s3 http://a.test:81 b" },
	{ "in front of the host it is the same", "http://A.test:81", "b", true,
	  true, "s3 http://a.test:81 b" },
	{ "a port that goes without saying", "https://a.test:443/", "b", false,
	  true, "s3 https://a.test b" },
	{ "a path", "https://a.test/x", "b", false, true,
	  "s3 https://a.test/x b" },
	{ "one that is not to be kept", "http://a.test", "b", false, false,
	  NULL },
};

static void test_identities(void **state)
{
	for (size_t i = 0; i < COUNT(identities); i++) {
		struct s3_rig_options o = {
			.set = { .endpoint_url = identities[i].endpoint,
				 .bucket = identities[i].bucket,
				 .virtual_host = identities[i].virtual_host,
				 .disk_cache = identities[i].disk_cache }
		};

		s3_rig_open(&rig, &o);
		row_equal(identities[i].says,
			  rig.s->identity ? rig.s->identity : "none",
			  identities[i].identity ? identities[i].identity
						 : "none");
	}
}

struct pinned_get {
	struct store_get get; /* first */
	struct waiter *waiter;
	_Atomic(bool) ended;
	int rc;
};

static void pinned_data(struct store_get *get, const void *bytes, size_t n)
{
}

static void pinned_done(struct store_get *get, int rc,
			const struct object_info *info)
{
	struct pinned_get *p = (struct pinned_get *)get;
	struct waiter *w = p->waiter;

	p->rc = rc;
	p->ended = true;
	waiter_unpark(w);
}

/* Are the bytes surely those of the object's ETag? */
static bool get_is_unverified(void)
{
	struct pinned_get p = { .get = { .key = "k",
					 .len = 5,
					 .data = pinned_data,
					 .done = pinned_done },
				.waiter = waiter_self() };

	store_get(rig.s, &p.get);
	while (!p.ended)
		waiter_park(p.waiter, WAIT_FOREVER);
	assert_int_equal(p.rc, 0);
	return p.get.unverified;
}

static void test_unverified(void **state)
{
	struct store_body body = { .data = "0123456789", .fd = -1, .len = 10 };
	struct object_info info;

	s3_rig_open(&rig, NULL);
	assert_int_equal(store_put(rig.s, "k", &body, NULL, NULL, &info), 0);
	assert_false(get_is_unverified());
	standin_fault(&rig.standin, ALWAYS("GET"), REWRITE_ETAG("^", "W/"));
	assert_true(get_is_unverified());
	standin_reset(&rig.standin);
	standin_fault(&rig.standin, ALWAYS("GET"), REWRITE_ETAG("^.*$", ""));
	assert_true(get_is_unverified());
}

static int setup(void **state)
{
	s3_rig_start(&rig, NULL);
	return 0;
}

static int teardown(void **state)
{
	s3_rig_stop(&rig);
	return 0;
}

SUITE(s3_identity)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identities),
		cmocka_unit_test(test_unverified),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
