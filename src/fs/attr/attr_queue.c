/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inode that is dirty and is changed again is waiting already. What changes
 * while it is leaving makes it dirty again, and it waits once more.
 */
#include "fs/attr/attr_queue.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "fs/attr/attr_send.h"
#include "fs/burst/gather.h"
#include "fs/names/inode.h"
#include "stage/stage.h"

#define AT_ONCE 32 /* of one store */

struct attr_queue {
	struct tree *tree;
	_Atomic(int64_t) last_ms; /* when the last one came; 0: none has */
	struct gather gather;
};

static void attr_queue_log(struct attr_queue *q, const struct gathered *e)
{
	INODE_OBJECT_LOCAL o;
	struct log_where where = { .rc = e->rc };
	int rc = inode_object(q->tree, e->inode, &o);

	where.stage = o.stage ? o.stage->name : NULL;
	where.key = rc ? NULL : buf_str(&o.key);
	log_at(LOG_LEVEL_ERROR, &where,
	       "changed attributes were not stored after all: they are what "
	       "they were");
}

static void attr_queue_send(void *arg, struct gathered *list, unsigned n)
{
	struct attr_queue *q = arg;
	struct gathered *e;

	DL_FOREACH(list, e) {
		e->rc = attr_send(q->tree, e->inode);
		if (e->rc)
			attr_queue_log(q, e);
	}
}

static void queue_change_free(struct gathered *e)
{
	free(e);
}

static const struct gather_kind attr_queue_kind = {
	.name = "attributes",
	.batch = 1,
	.at_once = AT_ONCE,
	.send = attr_queue_send,
	.free = queue_change_free,
};

struct attr_queue *attr_queue_new(struct tree *t)
{
	struct attr_queue *q = calloc(1, sizeof(*q));

	if (q) {
		q->tree = t;
		gather_init(&q->gather, &attr_queue_kind, q, t);
	}
	return q;
}

/* True: it waits. */
static bool attr_queue_put(struct attr_queue *q, struct gathered *e, bool made)
{
	int64_t now_ms = clock_mono_ms();
	int64_t last_ms = atomic_exchange(&q->last_ms, now_ms);
	bool gathered;

	lock_take(&q->gather.lock);
	gathered = gather_takes_locked(&q->gather, e->store,
				       made ? now_ms : last_ms);
	if (gathered)
		gather_put_locked(&q->gather, e);
	else
		gather_alone_locked(&q->gather, e);
	lock_drop(&q->gather.lock);
	return gathered;
}

int attr_queue_add(struct attr_queue *q, struct inode *i, bool made)
{
	struct stage *stage = inode_stage(q->tree, i);
	struct gathered *e = stage ? calloc(1, sizeof(*e)) : NULL;
	int rc = 0;

	if (!e) {
		rc = attr_send(q->tree, i);
	} else {
		e->inode = inode_ref(q->tree, i);
		e->store = store_ref(stage->store);
		if (!attr_queue_put(q, e, made)) {
			rc = attr_send(q->tree, i);
			gather_alone_end(&q->gather, e);
		}
	}
	stage_unref(stage);
	return rc;
}

int attr_queue_settle(struct attr_queue *q, struct inode *i)
{
	const struct gather_want w = { .inode = i, .below = true };
	int rc = gather_wait(&q->gather, &w);

	return rc ? rc : gather_take_refusal(&q->gather, &w);
}

int attr_queue_wait_all(struct attr_queue *q, int64_t until_ms)
{
	return gather_wait_all(&q->gather, until_ms);
}

int attr_queue_drain(struct attr_queue *q)
{
	return gather_drain(&q->gather);
}

void attr_queue_free(struct attr_queue *q)
{
	if (!q)
		return;
	attr_queue_drain(q);
	gather_destroy(&q->gather);
	free(q);
}
