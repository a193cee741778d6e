/*
 * Timers of one thread: which is due next. Embedded, so that setting one
 * never fails.
 */
#ifndef NET_HTTP_TIMER_H
#define NET_HTTP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: not set. */
struct timer {
	int64_t due_ms;
	bool set;
	struct timer *child, *next, *prev;
};

struct timers {
	struct timer *first; /* the one that is due next; NULL: none is set */
};

/* Sets it, or sets it anew. */
void timer_set(struct timers *ts, struct timer *t, int64_t due_ms);
void timer_unset(struct timers *ts, struct timer *t);

#endif
