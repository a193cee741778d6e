/*
 * Calls that are waited for. The engine's thread takes the reply's buffers out
 * of the call and wakes the waiter; a group of calls shares one count.
 *
 * The group lives on the waiter's stack: the engine touches it only under its
 * lock, and the waiter leaves only after it has seen the count at zero under
 * that lock.
 */
#include <errno.h>
#include <string.h>

#include "base/lock.h"
#include "base/wait.h"
#include "net/http_loop.h"

struct http_group_locked {
	unsigned left;
};

struct group {
	struct waiter *waiter;
	struct lock lock;
	struct http_group_locked guarded_;
};

/* One call of it. */
struct member {
	struct group *group;
	struct http_reply *out;
};

static struct http_group_locked *http_group_locked(struct group *g)
	REQUIRES(&g->lock)
{
	return &g->guarded_;
}

static void http_group_init(struct group *g, unsigned n)
{
	memset(g, 0, sizeof(*g));
	lock_init(&g->lock);
	g->waiter = waiter_self();
	lock_take(&g->lock);
	http_group_locked(g)->left = n;
	lock_drop(&g->lock);
}

static bool http_group_done(struct group *g)
{
	bool done;

	lock_take(&g->lock);
	done = !http_group_locked(g)->left;
	lock_drop(&g->lock);
	return done;
}

static void http_group_member_done(void *arg, struct http_call *call,
				   struct http_reply *reply)
{
	struct member *m = arg;
	struct group *g = m->group;

	*m->out = *reply;
	buf_init(&reply->headers, 0);
	buf_init(&reply->body, 0);
	lock_take(&g->lock);
	if (!--http_group_locked(g)->left)
		waiter_unpark(g->waiter);
	lock_drop(&g->lock);
}

/* 0 when all are done, -EINTR when an interrupt came first. */
static int http_group_wait(struct group *g)
{
	while (!http_group_done(g))
		if (waiter_park(g->waiter, WAIT_FOREVER) == -EINTR)
			return http_group_done(g) ? 0 : -EINTR;
	return 0;
}

static void http_group_wait_out(struct group *g)
{
	while (!http_group_done(g))
		waiter_park_uninterrupted(g->waiter, WAIT_FOREVER);
}

/* How many run side by side from one http_perform_all(). */
#define GROUP_MAX 64

static void http_perform_some(struct http_lane *lane, struct http_call **calls,
			      struct http_reply *outs, int *results, unsigned n)
{
	struct member members[GROUP_MAX];
	struct group g;
	int interrupted;

	http_group_init(&g, n);
	for (unsigned i = 0; i < n; i++) {
		members[i] = (struct member){ .group = &g, .out = &outs[i] };
		http_start_with(lane, calls[i], http_group_member_done,
				&members[i]);
	}
	interrupted = http_group_wait(&g);
	if (interrupted) {
		for (unsigned i = 0; i < n; i++)
			http_cancel(lane, calls[i]);
		http_group_wait_out(&g);
	}
	lock_destroy(&g.lock);
	for (unsigned i = 0; i < n; i++) {
		results[i] = outs[i].err;
		if (interrupted && results[i] == -ECANCELED)
			results[i] = -EINTR;
	}
}

void http_perform_all(struct http_lane *lane, struct http_call **calls,
		      struct http_reply *outs, int *results, unsigned n)
{
	memset(outs, 0, n * sizeof(*outs));
	for (unsigned i = 0; i < n;) {
		unsigned some = n - i < GROUP_MAX ? n - i : GROUP_MAX;

		if (waiter_interrupted(waiter_self())) {
			for (; i < n; i++)
				results[i] = -EINTR;
			return;
		}
		http_perform_some(lane, calls + i, outs + i, results + i, some);
		i += some;
	}
}

int http_perform(struct http_lane *lane, struct http_call *call,
		 struct http_reply *out)
{
	int result;

	http_perform_all(lane, &call, out, &result, 1);
	return result;
}
