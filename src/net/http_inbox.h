/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The border of an engine: how calls and cancellations of any thread reach the
 * engine's own, and what it has counted. No callback runs under its lock, which
 * is a leaf.
 */
#ifndef NET_HTTP_INBOX_H
#define NET_HTTP_INBOX_H

#include <stdbool.h>

#include "base/lock.h"
#include "net/http_engine.h"

struct http_attempts;

/* What crosses the border; a part of struct http_attempts. */
struct http_inbox_entry {
	struct http_attempts *prev, *next;
	bool submitted, in_inbox, cancelled;
};

struct http_inbox_locked {
	struct http_attempts *first;
	bool stopping;
};

struct http_inbox {
	struct lock lock;
	struct http_inbox_locked guarded_;
};

void http_inbox_init(struct http_inbox *in);
void http_inbox_clear(struct http_inbox *in);

/* From here on the call can be cancelled. */
void http_inbox_open(struct http_inbox *in, struct http_attempts *a);
/* It is the engine thread's. True: which is to be woken; else it has been, for
 * what is there already. */
bool http_inbox_submit(struct http_inbox *in, struct http_attempts *a);
/* False when the call is not under way. Else the thread is to be woken. */
bool http_inbox_cancel(struct http_inbox *in, struct http_call *call);
void http_inbox_stop(struct http_inbox *in);

/* ---- the engine's thread ---- */

bool http_inbox_stopping(struct http_inbox *in);
/* The next in the inbox, out of it; NULL when it is empty. */
struct http_attempts *http_inbox_take(struct http_inbox *in, bool *cancelled);
/* The call cannot be reached from now on: it is about to end. */
void http_inbox_forget(struct http_inbox *in, struct http_attempts *a);

#endif
