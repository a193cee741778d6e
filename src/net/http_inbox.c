/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Under the lock stand the queue, the counters, and each call's way back to
 * its attempts (call->state), so that a cancellation finds either a live call
 * or none.
 */
#include "net/http_inbox.h"

#include <utlist.h>

#include "net/http_loop.h"

LOCK_GUARDS(inbox_locked, http_inbox, http_inbox_locked);

static struct http_inbox_entry *inbox_entry(struct http_inbox *in,
					    struct http_attempts *a)
	REQUIRES(&in->lock)
{
	(void)in;
	return &a->inbox_;
}

static struct http_attempts **inbox_state(struct http_inbox *in,
					  struct http_call *call)
	REQUIRES(&in->lock)
{
	(void)in;
	return &call->state;
}

void http_inbox_init(struct http_inbox *in)
{
	lock_init(&in->lock, LOCK_HTTP_INBOX);
}

void http_inbox_clear(struct http_inbox *in)
{
	lock_destroy(&in->lock);
}

/* The queue is threaded through inbox_, so utlist's names do not fit. */
static void inbox_add_locked(struct http_inbox *in, struct http_attempts *a)
	REQUIRES(&in->lock)
{
	struct http_inbox_entry *e = inbox_entry(in, a);

	if (e->in_inbox)
		return;
	DL_APPEND2(inbox_locked(in)->first, a, inbox_.prev, inbox_.next);
	e->in_inbox = true;
}

static void inbox_remove_locked(struct http_inbox *in, struct http_attempts *a)
	REQUIRES(&in->lock)
{
	struct http_inbox_entry *e = inbox_entry(in, a);

	if (!e->in_inbox)
		return;
	DL_DELETE2(inbox_locked(in)->first, a, inbox_.prev, inbox_.next);
	e->in_inbox = false;
}

void http_inbox_open(struct http_inbox *in, struct http_attempts *a)
{
	lock_take(&in->lock);
	*inbox_state(in, a->call) = a;
	lock_drop(&in->lock);
}

bool http_inbox_submit(struct http_inbox *in, struct http_attempts *a)
{
	bool was_empty;

	lock_take(&in->lock);
	was_empty = !inbox_locked(in)->first;
	inbox_entry(in, a)->submitted = true;
	inbox_add_locked(in, a);
	lock_drop(&in->lock);
	return was_empty;
}

bool http_inbox_cancel(struct http_inbox *in, struct http_call *call)
{
	struct http_attempts *a;

	lock_take(&in->lock);
	a = *inbox_state(in, call);
	if (a) {
		inbox_entry(in, a)->cancelled = true;
		if (inbox_entry(in, a)->submitted)
			inbox_add_locked(in, a);
	}
	lock_drop(&in->lock);
	return a != NULL;
}

void http_inbox_stop(struct http_inbox *in)
{
	lock_take(&in->lock);
	inbox_locked(in)->stopping = true;
	lock_drop(&in->lock);
}

bool http_inbox_stopping(struct http_inbox *in)
{
	return LOCK_UNDER(&in->lock, inbox_locked(in)->stopping);
}

struct http_attempts *http_inbox_take(struct http_inbox *in, bool *cancelled)
{
	struct http_attempts *a;

	lock_take(&in->lock);
	a = inbox_locked(in)->first;
	if (a) {
		inbox_remove_locked(in, a);
		*cancelled = inbox_entry(in, a)->cancelled;
	}
	lock_drop(&in->lock);
	return a;
}

void http_inbox_forget(struct http_inbox *in, struct http_attempts *a)
{
	lock_take(&in->lock);
	*inbox_state(in, a->call) = NULL;
	inbox_remove_locked(in, a);
	lock_drop(&in->lock);
}
