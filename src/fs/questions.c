#include "fs/questions.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/lock.h"
#include "base/waiter.h"

struct question {
	struct inode *dir; /* held by the threads that ask */
	char name[256];
	bool begun; /* else it waits for the one before it to end */
	bool led; /* a thread is to begin it, and to ask */
	bool answered; /* and out of the list */
	int rc;
	unsigned refs; /* threads */
	struct waiter_list waiters;
	struct waiter_list leader; /* while it has not begun */
	struct question *prev, *next;
};

struct questions_locked {
	struct question *list; /* those that have no answer yet */
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
				      const struct inode *dir, const char *name,
				      bool begun) REQUIRES(q->lock)
{
	struct question *x;

	DL_FOREACH(questions_locked(q)->list, x)
		if (x->dir == dir && x->begun == begun &&
		    !strcmp(x->name, name))
			return x;
	return NULL;
}

/* True: that was the last thread, which frees it without the lock. */
static bool question_leave(struct questions *q, struct question *x)
	REQUIRES(q->lock)
{
	return --x->refs == 0;
}

static struct question *question_new(struct inode *dir, const char *name)
{
	struct question *x = calloc(1, sizeof(*x));

	if (x) {
		x->dir = dir;
		strncpy(x->name, name, sizeof(x->name) - 1);
	}
	return x;
}

/* *fresh becomes the question, and NULL. */
static struct question *question_add(struct questions *q,
				     struct question **fresh, bool begun)
	REQUIRES(q->lock)
{
	struct question *x = *fresh;

	*fresh = NULL;
	x->begun = begun;
	DL_APPEND(questions_locked(q)->list, x);
	return x;
}

int questions_begin(struct questions *q, struct inode *dir, const char *name,
		    int *rc)
{
	struct question *fresh = question_new(dir, name), *x, *left = NULL;
	int result = 1;

	if (!fresh)
		return -ENOMEM;
	lock_take(&q->lock);
	x = question_find(q, dir, name, true);
	if (!x) {
		question_add(q, &fresh, true)->refs = 1;
	} else {
		x->refs++;
		result = 0;
		while (!x->answered && !result)
			result = waiter_list_sleep(&x->waiters, &q->lock,
						   WAIT_FOREVER);
		*rc = x->rc;
		result = x->answered ? 0 : result;
		left = question_leave(q, x) ? x : NULL;
	}
	lock_drop(&q->lock);
	free(fresh);
	free(left);
	return result;
}

/* The caller is to begin it once that before it has ended. 1 or -EINTR: another
 * of its threads is to. */
static int question_lead(struct questions *q, struct question *x)
	REQUIRES(q->lock)
{
	int rc = 0;

	x->led = true;
	while (!rc && question_find(q, x->dir, x->name, true))
		rc = waiter_list_sleep(&x->leader, &q->lock, WAIT_FOREVER);
	if (!rc) {
		x->begun = true;
		return 1;
	}
	x->led = false;
	waiter_list_wake(&x->waiters);
	return rc;
}

/* One of the threads that share x. 1: the caller asks; 0: it has an answer. */
static int question_share(struct questions *q, struct question *x)
	REQUIRES(q->lock)
{
	int rc = 0;

	while (!rc && !x->answered) {
		if (!x->led)
			return question_lead(q, x);
		rc = waiter_list_sleep(&x->waiters, &q->lock, WAIT_FOREVER);
	}
	return x->answered ? 0 : rc;
}

int questions_begin_next(struct questions *q, struct inode *dir,
			 const char *name, int *rc)
{
	struct question *fresh = question_new(dir, name), *x, *left = NULL;
	int result;

	if (!fresh)
		return -ENOMEM;
	lock_take(&q->lock);
	x = question_find(q, dir, name, false);
	if (!x)
		x = question_add(q, &fresh, false);
	x->refs++;
	result = question_share(q, x);
	*rc = x->rc;
	if (result < 1) {
		left = question_leave(q, x) ? x : NULL;
		if (left && !left->answered)
			DL_DELETE(questions_locked(q)->list, left);
	}
	lock_drop(&q->lock);
	free(fresh);
	free(left);
	return result;
}

void questions_end(struct questions *q, struct inode *dir, const char *name,
		   int rc)
{
	struct question *x, *next, *left;

	lock_take(&q->lock);
	x = question_find(q, dir, name, true);
	x->answered = true;
	x->rc = rc;
	DL_DELETE(questions_locked(q)->list, x);
	waiter_list_wake(&x->waiters);
	next = question_find(q, dir, name, false);
	if (next)
		waiter_list_wake(&next->leader);
	left = question_leave(q, x) ? x : NULL;
	lock_drop(&q->lock);
	free(left);
}
