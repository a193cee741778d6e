/*
 * Inodes are numbers here, without a reference: the kernel answers one that it
 * has forgotten with ENOENT, and one whose number is another's by now merely
 * asks about that other again.
 *
 * The queue has an end. What does not fit is left out: the kernel believes
 * what it knows for metadata_ttl at most.
 */
#include "fs/notices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/wait.h"
#include "fs/fs.h"

#define NOTICES_MAX 16384
#define SETTLE_MS 500

struct notice {
	struct notice *next;
	struct inode *inode;
	enum fs_notice_kind kind;
	char name[]; /* of an entry */
};

enum notices_state { NOTICES_OFF, NOTICES_ON, NOTICES_ENDED };

struct notices_locked {
	enum notices_state state;
	struct notice *head, **tail;
	unsigned n;
	uint64_t added, done; /* since the beginning */
	struct waiter *listener; /* NULL: none has come yet */
	bool handed; /* it is at the one after `done` */
	bool said; /* that some were left out */
	struct wait_list waiters;
};

struct notices {
	struct lock lock; /* a leaf */
	struct notices_locked guarded_;
};

static struct notices_locked *notices_locked(struct notices *q)
	REQUIRES(&q->lock)
{
	return &q->guarded_;
}

struct notices *notices_new(void)
{
	struct notices *q = calloc(1, sizeof(*q));

	if (q) {
		lock_init(&q->lock);
		q->guarded_.tail = &q->guarded_.head;
	}
	return q;
}

void notices_free(struct notices *q)
{
	struct notice *n;

	if (!q)
		return;
	while ((n = q->guarded_.head)) { /* nobody else has it any more */
		q->guarded_.head = n->next;
		free(n);
	}
	lock_destroy(&q->lock);
	free(q);
}

static void set_state(struct notices *q, enum notices_state state)
{
	lock_take(&q->lock);
	notices_locked(q)->state = state;
	wait_list_wake(&notices_locked(q)->waiters);
	lock_drop(&q->lock);
}

void notices_begin(struct notices *q)
{
	set_state(q, NOTICES_ON);
}

void notices_end(struct notices *q)
{
	set_state(q, NOTICES_ENDED);
}

static bool add(struct notices *q, struct inode *i, enum fs_notice_kind kind,
		const char *name)
{
	struct notice *n = malloc(sizeof(*n) + strlen(name) + 1);
	struct notices_locked *g;
	bool full = false, added = false;

	if (!n)
		return false;
	*n = (struct notice){ .inode = i, .kind = kind };
	strcpy(n->name, name);
	lock_take(&q->lock);
	g = notices_locked(q);
	if (g->state == NOTICES_ON && g->n < NOTICES_MAX) {
		*g->tail = n;
		g->tail = &n->next;
		g->n++;
		g->added++;
		n = NULL;
		added = true;
		wait_list_wake(&g->waiters);
	} else if (g->state == NOTICES_ON) {
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

void notices_entry(struct notices *q, struct inode *dir, const char *name)
{
	add(q, dir, FS_NOTICE_ENTRY, name);
}

bool notices_inode(struct notices *q, struct inode *i, bool bytes)
{
	return add(q, i, bytes ? FS_NOTICE_BYTES : FS_NOTICE_ATTR, "");
}

bool notices_settle(struct notices *q)
{
	struct wait_entry e = { .waiter = waiter_self() };
	int64_t until_ms = clock_mono_ms() + SETTLE_MS;
	struct notices_locked *g;
	bool settled;
	uint64_t all;
	int err = 0;

	lock_take(&q->lock);
	g = notices_locked(q);
	all = g->listener && g->listener != e.waiter ? g->added : 0;
	wait_list_add(&g->waiters, &e);
	while (err != -ETIMEDOUT && g->state == NOTICES_ON && g->done < all) {
		lock_drop(&q->lock);
		err = waiter_park_uninterrupted(e.waiter, until_ms);
		lock_take(&q->lock);
	}
	wait_list_remove(&g->waiters, &e);
	settled = all && g->done >= all && g->state == NOTICES_ON;
	lock_drop(&q->lock);
	return settled;
}

static struct notice *take_locked(struct notices *q) REQUIRES(&q->lock)
{
	struct notices_locked *g = notices_locked(q);
	struct notice *n = g->state == NOTICES_ON ? g->head : NULL;

	if (!n)
		return NULL;
	g->head = n->next;
	if (!g->head)
		g->tail = &g->head;
	g->n--;
	return n;
}

bool notices_next(struct notices *q, struct fs_notice *out)
{
	struct wait_entry e = { .waiter = waiter_self() };
	struct notice *n;

	lock_take(&q->lock);
	notices_locked(q)->listener = e.waiter;
	if (notices_locked(q)->handed) {
		notices_locked(q)->handed = false;
		notices_locked(q)->done++;
		wait_list_wake(&notices_locked(q)->waiters);
	}
	wait_list_add(&notices_locked(q)->waiters, &e);
	while (!(n = take_locked(q)) &&
	       notices_locked(q)->state != NOTICES_ENDED) {
		lock_drop(&q->lock);
		waiter_park_uninterrupted(e.waiter, WAIT_FOREVER);
		lock_take(&q->lock);
	}
	wait_list_remove(&notices_locked(q)->waiters, &e);
	notices_locked(q)->handed = n != NULL;
	lock_drop(&q->lock);
	if (!n)
		return false;
	out->kind = n->kind;
	out->inode = n->inode;
	memcpy(out->name, n->name, strlen(n->name) + 1);
	free(n);
	return true;
}
