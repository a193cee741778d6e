/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes are numbers here, without a reference: the kernel answers one that it
 * has forgotten with ENOENT, and one whose number is another's by now merely
 * asks about that other again.
 *
 * The queue has an end. What does not fit is left out: the kernel believes
 * what it knows for metadata_ttl at most.
 */
#include "fs/inval_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/waiter.h"

#define INVAL_QUEUE_MAX 16384
#define SETTLE_MS 500

struct inval_item {
	struct inval_item *next;
	struct inode *inode;
	enum inval_kind kind;
	char name[]; /* of an entry */
};

enum inval_queue_state { INVAL_QUEUE_OFF, INVAL_QUEUE_ON, INVAL_QUEUE_ENDED };

struct inval_queue_locked {
	enum inval_queue_state state;
	struct inval_item *head, **tail;
	unsigned n;
	uint64_t added, done; /* since the beginning */
	struct waiter *listener; /* NULL: none has come yet */
	bool handed; /* it is at the one after `done` */
	bool said; /* that some were left out */
	struct waiter_list waiters;
};

struct inval_queue {
	struct lock lock; /* a leaf */
	struct inval_queue_locked guarded_;
};

LOCK_GUARDS(inval_queue_locked, inval_queue, inval_queue_locked);

struct inval_queue *inval_queue_new(void)
{
	struct inval_queue *q = calloc(1, sizeof(*q));

	if (q) {
		lock_init(&q->lock, LOCK_INVAL_QUEUE);
		q->guarded_.tail = &q->guarded_.head;
	}
	return q;
}

void inval_queue_free(struct inval_queue *q)
{
	struct inval_item *n;

	if (!q)
		return;
	while ((n = q->guarded_.head)) { /* only the caller has it */
		q->guarded_.head = n->next;
		free(n);
	}
	lock_destroy(&q->lock);
	free(q);
}

static void inval_queue_set_state(struct inval_queue *q,
				  enum inval_queue_state state)
{
	lock_take(&q->lock);
	inval_queue_locked(q)->state = state;
	waiter_list_wake(&inval_queue_locked(q)->waiters);
	lock_drop(&q->lock);
}

void inval_queue_begin(struct inval_queue *q)
{
	inval_queue_set_state(q, INVAL_QUEUE_ON);
}

void inval_queue_end(struct inval_queue *q)
{
	inval_queue_set_state(q, INVAL_QUEUE_ENDED);
}

static bool inval_queue_add(struct inval_queue *q, struct inode *i,
			    enum inval_kind kind, const char *name)
{
	struct inval_item *n = malloc(sizeof(*n) + strlen(name) + 1);
	struct inval_queue_locked *g;
	bool full = false, added = false;

	if (!n)
		return false;
	*n = (struct inval_item){ .inode = i, .kind = kind };
	strcpy(n->name, name);
	lock_take(&q->lock);
	g = inval_queue_locked(q);
	if (g->state == INVAL_QUEUE_ON && g->n < INVAL_QUEUE_MAX) {
		*g->tail = n;
		g->tail = &n->next;
		g->n++;
		g->added++;
		n = NULL;
		added = true;
		waiter_list_wake(&g->waiters);
	} else if (g->state == INVAL_QUEUE_ON) {
		full = !g->said;
		g->said = true;
	}
	lock_drop(&q->lock);
	free(n);
	if (full)
		log_warn("more changes than the kernel can be told of: it "
			 "learns the others within metadata_ttl");
	return added;
}

void inval_queue_entry(struct inval_queue *q, struct inode *dir,
		       const char *name)
{
	inval_queue_add(q, dir, INVAL_ENTRY, name);
}

bool inval_queue_inode(struct inval_queue *q, struct inode *i, bool bytes)
{
	return inval_queue_add(q, i, bytes ? INVAL_BYTES : INVAL_ATTR, "");
}

bool inval_queue_settle(struct inval_queue *q)
{
	int64_t until_ms = clock_mono_ms() + SETTLE_MS;
	struct inval_queue_locked *g;
	bool done;
	uint64_t all;

	lock_take(&q->lock);
	g = inval_queue_locked(q);
	all = g->listener && g->listener != waiter_self() ? g->added : 0;
	WAITER_LIST_UNTIL_MS(&g->waiters, &q->lock, until_ms, false,
			     g->state != INVAL_QUEUE_ON || g->done >= all);
	done = all && g->done >= all && g->state == INVAL_QUEUE_ON;
	lock_drop(&q->lock);
	return done;
}

static struct inval_item *inval_queue_take_locked(struct inval_queue *q)
	REQUIRES(&q->lock)
{
	struct inval_queue_locked *g = inval_queue_locked(q);
	struct inval_item *n = g->state == INVAL_QUEUE_ON ? g->head : NULL;

	if (!n)
		return NULL;
	g->head = n->next;
	if (!g->head)
		g->tail = &g->head;
	g->n--;
	return n;
}

bool inval_queue_next(struct inval_queue *q, struct inval *out)
{
	struct inval_item *n;

	lock_take(&q->lock);
	inval_queue_locked(q)->listener = waiter_self();
	if (inval_queue_locked(q)->handed) {
		inval_queue_locked(q)->handed = false;
		inval_queue_locked(q)->done++;
		waiter_list_wake(&inval_queue_locked(q)->waiters);
	}
	WAITER_LIST_UNTIL(&inval_queue_locked(q)->waiters, &q->lock, false,
			  (n = inval_queue_take_locked(q)) ||
				  inval_queue_locked(q)->state ==
					  INVAL_QUEUE_ENDED);
	inval_queue_locked(q)->handed = n != NULL;
	lock_drop(&q->lock);
	if (!n)
		return false;
	out->kind = n->kind;
	out->inode = n->inode;
	memcpy(out->name, n->name, strlen(n->name) + 1);
	free(n);
	return true;
}
