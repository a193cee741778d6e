/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list in the order of the times. Most are set to be due after all others, a
 * deadline as long from now as that of the call before; what is due soon finds
 * its place near the head.
 */
#include "net/http_timer.h"

#include <stddef.h>
#include <utlist.h>

static int http_timer_order(const struct http_timer *a,
			    const struct http_timer *b)
{
	return a->due_ms < b->due_ms ? -1 : a->due_ms > b->due_ms;
}

void http_timer_unset(struct http_timers *ts, struct http_timer *t)
{
	if (t->set)
		DL_DELETE(ts->first, t);
	t->set = false;
}

void http_timer_set(struct http_timers *ts, struct http_timer *t,
		    int64_t due_ms)
{
	http_timer_unset(ts, t);
	t->due_ms = due_ms;
	t->set = true;
	if (!ts->first || ts->first->prev->due_ms <= due_ms)
		DL_APPEND(ts->first, t);
	else
		DL_INSERT_INORDER(ts->first, t, http_timer_order);
}
