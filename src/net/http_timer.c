/*
 * A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): a tree in which
 * no child is due before its parent; children are a list. prev is the left
 * sibling, or the parent of a first child, and NULL at the root.
 */
#include "net/http_timer.h"

#include <stddef.h>

static struct http_timer *http_timer_merge(struct http_timer *a,
					   struct http_timer *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->due_ms < a->due_ms) {
		struct http_timer *swap = a;

		a = b;
		b = swap;
	}
	b->prev = a;
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	a->child = b;
	return a;
}

/* Makes one tree of a list of siblings: pairs from left to right, then all. */
static struct http_timer *http_timer_merge_siblings(struct http_timer *list)
{
	struct http_timer *pairs = NULL, *root = NULL;

	while (list) {
		struct http_timer *a = list, *b = a->next;

		list = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b)
			b->next = b->prev = NULL;
		a = http_timer_merge(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct http_timer *a = pairs;

		pairs = a->next;
		a->next = NULL;
		root = http_timer_merge(root, a);
	}
	return root;
}

void http_timer_unset(struct http_timers *ts, struct http_timer *t)
{
	if (!t->set)
		return;
	if (!t->prev) {
		ts->first = http_timer_merge_siblings(t->child);
	} else {
		if (t->prev->child == t)
			t->prev->child = t->next;
		else
			t->prev->next = t->next;
		if (t->next)
			t->next->prev = t->prev;
		ts->first = http_timer_merge(
			ts->first, http_timer_merge_siblings(t->child));
	}
	t->child = t->next = t->prev = NULL;
	t->set = false;
}

void http_timer_set(struct http_timers *ts, struct http_timer *t,
		    int64_t due_ms)
{
	http_timer_unset(ts, t);
	t->due_ms = due_ms;
	t->set = true;
	ts->first = http_timer_merge(ts->first, t);
}
