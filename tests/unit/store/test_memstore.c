/* SPDX-License-Identifier: Apache-2.0 */
/* The memory store's own: faults, delays, cancel, and watchers that come and
 * go while others write. */
#include "unit.h"

#include <errno.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/waiter.h"
#include "memstore.h"

static int put(struct store *s, const char *key)
{
	struct store_body body = { .data = key, .fd = -1, .len = strlen(key) };

	return store_put(s, key, &body, NULL, NULL, NULL);
}

static void faults(void **state)
{
	struct store *s = memstore_new("m");
	struct object_details d;

	memstore_fail(s, "put", 2, -ENOSPC);
	assert_int_equal(put(s, "a"), 0);
	assert_int_equal(put(s, "a"), -ENOSPC);
	assert_int_equal(put(s, "a"), 0);
	memstore_fail(s, "head", 0, -EIO);
	assert_int_equal(store_head(s, "a", &d), -EIO);
	assert_int_equal(store_head(s, "a", &d), -EIO);
	memstore_fail(s, "head", 0, 0);
	assert_int_equal(store_head(s, "a", &d), 0);
	assert_int_equal(memstore_calls(s, "put"), 3);
	assert_int_equal(memstore_calls(s, "head"), 3);
	assert_int_equal(memstore_calls(s, "get"), 0);
	store_unref(s);
}

struct late {
	struct store_get get;
	struct waiter *waiter;
	int rc;
	int done; /* atomic */
};

static void on_data(struct store_get *get, const void *bytes, size_t n)
{
}

static void on_done(struct store_get *get, int rc,
		    const struct object_info *info)
{
	struct late *l = (struct late *)get;
	struct waiter *w = l->waiter;

	l->rc = rc;
	__atomic_store_n(&l->done, 1, __ATOMIC_RELEASE);
	waiter_unpark(w);
}

static int wait_late(struct late *l)
{
	while (!__atomic_load_n(&l->done, __ATOMIC_ACQUIRE))
		waiter_park_uninterrupted(l->waiter, WAIT_FOREVER);
	return l->rc;
}

static struct late late_get(const char *key)
{
	return (struct late){
		.get = { .key = key,
			 .len = 1,
			 .data = on_data,
			 .done = on_done },
		.waiter = waiter_self(),
	};
}

static void cancelled(void **state)
{
	struct store *s = memstore_new("m");
	struct late a = late_get("a"), b = late_get("a");
	int64_t began = clock_mono_ms();

	assert_int_equal(put(s, "a"), 0);
	memstore_delay(s, 20000);
	store_get(s, &a.get);
	store_get_cancel(s, &a.get);
	assert_int_equal(wait_late(&a), -ECANCELED);
	store_get_cancel(s, &a.get);
	memstore_delay(s, 50);
	store_get(s, &b.get);
	assert_int_equal(wait_late(&b), 0);
	assert_in_range(clock_mono_ms() - began, 50, 10000);
	store_unref(s);
}

static void freed_while_busy(void **state)
{
	struct store *s = memstore_new("m");
	struct late a = late_get("a");

	memstore_delay(s, 20000);
	store_get(s, &a.get);
	store_unref(s);
	assert_int_equal(wait_late(&a), -ECANCELED);
}

static void poked(void **state)
{
	struct store *s = memstore_new("m");
	struct object_details d;

	assert_int_equal(memstore_poke(s, "a", "x", 1), 0);
	assert_int_equal(store_head(s, "a", &d), 0);
	assert_int_equal(memstore_poke_remove(s, "a"), 0);
	assert_int_equal(store_head(s, "a", &d), -ENOENT);
	store_unref(s);
}

SUITE(memstore)
{
	const struct CMUnitTest tests[] = {
		{ "a fault comes when it was asked for", faults },
		{ "a call that waits is cancelled at once", cancelled },
		{ "a store that goes cancels what waits", freed_while_busy },
		{ "what others change is there", poked },
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("memstore", tests, NULL, NULL);
}
