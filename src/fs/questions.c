/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/questions.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/lock.h"
#include "base/waiter.h"

struct question {
	struct inode *dir; /* held by the thread that asks */
	char name[256];
	bool answered; /* and out of the list */
	int rc;
	unsigned refs; /* threads */
	struct waiter_list waiters;
	struct question *prev, *next;
};

struct questions_locked {
	struct question *list; /* those that are under way */
};

struct questions {
	struct lock lock;
	struct questions_locked guarded_;
};

LOCK_GUARDS(questions_locked, questions, questions_locked);

struct questions *questions_new(void)
{
	struct questions *q = calloc(1, sizeof(*q));

	if (q)
		lock_init(&q->lock, LOCK_QUESTIONS);
	return q;
}

void questions_free(struct questions *q)
{
	if (!q)
		return;
	lock_destroy(&q->lock);
	free(q);
}

static struct question *question_find(struct questions *q,
				      const struct inode *dir, const char *name)
	REQUIRES(q->lock)
{
	struct question *x;

	DL_FOREACH(questions_locked(q)->list, x)
		if (x->dir == dir && !strcmp(x->name, name))
			return x;
	return NULL;
}

/* True: that was the last thread, which frees it without the lock. */
static bool question_leave(struct questions *q, struct question *x)
	REQUIRES(q->lock)
{
	return --x->refs == 0;
}

int questions_begin(struct questions *q, struct inode *dir, const char *name,
		    int *rc)
{
	struct question *fresh = calloc(1, sizeof(*fresh)), *x, *left = NULL;
	int result = 1;

	if (!fresh)
		return -ENOMEM;
	fresh->dir = dir;
	strncpy(fresh->name, name, sizeof(fresh->name) - 1);
	lock_take(&q->lock);
	x = question_find(q, dir, name);
	if (!x) {
		fresh->refs = 1;
		DL_APPEND(questions_locked(q)->list, fresh);
		fresh = NULL;
	} else {
		x->refs++;
		result = 0;
		result = WAITER_LIST_UNTIL(&x->waiters, &q->lock, true,
					   x->answered);
		*rc = x->rc;
		result = x->answered ? 0 : result;
		left = question_leave(q, x) ? x : NULL;
	}
	lock_drop(&q->lock);
	free(fresh);
	free(left);
	return result;
}

void questions_end(struct questions *q, struct inode *dir, const char *name,
		   int rc)
{
	struct question *x, *left;

	lock_take(&q->lock);
	x = question_find(q, dir, name);
	x->answered = true;
	x->rc = rc;
	DL_DELETE(questions_locked(q)->list, x);
	waiter_list_wake(&x->waiters);
	left = question_leave(q, x) ? x : NULL;
	lock_drop(&q->lock);
	free(left);
}
