/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers of one thread: which is due next. Embedded, so that setting one
 * never fails.
 */
#ifndef NET_HTTP_TIMER_H
#define NET_HTTP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: not set. */
struct http_timer {
	int64_t due_ms;
	bool set;
	struct http_timer *next, *prev;
};

struct http_timers {
	struct http_timer
		*first; /* the one that is due next; NULL: none is set */
};

/* Sets it, or sets it anew. */
void http_timer_set(struct http_timers *ts, struct http_timer *t,
		    int64_t due_ms);
void http_timer_unset(struct http_timers *ts, struct http_timer *t);

#endif
