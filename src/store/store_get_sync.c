/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_get() for a caller that sleeps: done() unparks it. An interrupt
 * cancels the call and then waits for done(), which comes soon, because the
 * buffer is the caller's.
 */
#include "store/store.h"

#include <errno.h>
#include <string.h>

#include "base/lock.h"
#include "base/number.h"
#include "base/waiter.h"

struct get_sync_locked {
	bool done;
	int rc;
	struct object_info info;
	struct waiter_list waiters;
};

struct get_sync {
	struct store_get get;
	unsigned char *bytes; /* the store's thread alone, until done */
	size_t n;
	struct lock lock;
	struct get_sync_locked guarded_;
};

LOCK_GUARDS(get_sync_locked, get_sync, get_sync_locked);

static void get_sync_data(struct store_get *get, const void *bytes, size_t n)
{
	struct get_sync *g = (struct get_sync *)get;

	n = number_min(n, get->len - g->n);
	memcpy(g->bytes + g->n, bytes, n);
	g->n += n;
}

static void get_sync_done(struct store_get *get, int rc,
			  const struct object_info *info)
{
	struct get_sync *g = (struct get_sync *)get;

	lock_take(&g->lock);
	get_sync_locked(g)->done = true;
	get_sync_locked(g)->rc = rc;
	if (!rc)
		get_sync_locked(g)->info = *info;
	waiter_list_wake(&get_sync_locked(g)->waiters);
	lock_drop(&g->lock);
}

static int get_sync_sleep(struct get_sync *g, bool interruptible)
{
	int rc;

	lock_take(&g->lock);
	rc = WAITER_LIST_UNTIL(&get_sync_locked(g)->waiters, &g->lock,
			       interruptible, get_sync_locked(g)->done);
	lock_drop(&g->lock);
	return rc;
}

static int get_sync_wait(struct store *s, struct get_sync *g,
			 struct object_info *info)
{
	bool cancelled = get_sync_sleep(g, true) == -EINTR;
	int rc;

	if (cancelled) {
		store_get_cancel(s, &g->get);
		get_sync_sleep(g, false);
	}
	lock_take(&g->lock);
	rc = get_sync_locked(g)->rc;
	if (!rc && info)
		*info = get_sync_locked(g)->info;
	lock_drop(&g->lock);
	return cancelled && rc == -ECANCELED ? -EINTR : rc;
}

static int get_sync_run(struct store *s, struct get_sync *g, size_t *n,
			struct object_info *info)
{
	int rc;

	g->get.data = get_sync_data;
	g->get.done = get_sync_done;
	lock_init(&g->lock, LOCK_GET_SYNC);
	store_get(s, &g->get);
	rc = get_sync_wait(s, g, info);
	if (!rc)
		*n = g->n;
	lock_destroy(&g->lock);
	return rc;
}

int store_get_sync(struct store *s, const char *key, const char *etag,
		   uint64_t offset, void *bytes, size_t len, size_t *n,
		   struct object_info *info)
{
	struct get_sync g = {
		.get = { .key = key,
			 .etag = etag,
			 .offset = offset,
			 .len = len },
		.bytes = bytes,
	};

	return get_sync_run(s, &g, n, info);
}

int store_get_whole(struct store *s, const char *key, const char *etag,
		    void *bytes, size_t len, size_t *n,
		    struct object_details *out)
{
	struct get_sync g = {
		.get = { .key = key,
			 .etag = etag,
			 .len = len,
			 .quiet = !etag,
			 .props = &out->props },
		.bytes = bytes,
	};
	int rc;

	memset(out, 0, sizeof(*out));
	rc = get_sync_run(s, &g, n, &out->info);
	return rc ? rc : !g.get.has_props;
}
