/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place where a thread of ours sleeps.
 *
 * Every thread has a waiter. A thread that wants to sleep puts its waiter on a
 * list that stands under the lock of the thing it waits for, drops that lock
 * and parks; the thread that changes the thing takes the lock, finds the list
 * and unparks. An unpark that comes before the park is kept, so nothing is lost
 * between the two. A park may also return for no reason: look at the condition
 * again.
 *
 * An operation that is interrupted ends early: every later wait of it returns
 * -EINTR until waiter_begin() starts the next one. waiter_interrupt() is such
 * an end. waiter_ask() is the question whether it is to end: the kernel
 * interrupts a request (FUSE_INTERRUPT) for any signal of the process that
 * waits, and says nothing more when one comes that kills it. So the thread asks
 * the operation's judge, and while it goes on waiting it asks again.
 *
 * What is not to be broken off (waiter_finish(), and the uninterrupted waits)
 * goes on when the judge says that it is to end, but its caller need not wait:
 * the operation's leave(), if it has one, is called instead, once.
 */
#ifndef BASE_WAITER_H
#define BASE_WAITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"

struct waiter;

/*
 * Is the operation to end? Called on the owner's thread, holding nothing, soon
 * after waiter_ask() and every WAITER_JUDGE_MS from then on. since_ms: when
 * that was, by clock_mono_ms().
 */
typedef bool waiter_judge(void *arg, int64_t since_ms);
#define WAITER_JUDGE_MS 100

/* No thread waits for the operation any more, which goes on. Called as the
 * judge is, with its argument. */
typedef void waiter_leave(void *arg);

/* No bound on the time. */
#define WAIT_FOREVER INT64_MAX

/* The calling thread's own waiter. Lives as long as the thread; never NULL. */
struct waiter *waiter_self(void);

/*
 * A new operation begins on this thread: forget the last one's interrupt, its
 * judge and what it was asked. Without a judge a question ends nothing.
 */
void waiter_begin(struct waiter *w);
void waiter_begin_judged(struct waiter *w, waiter_judge *judge, void *arg);
/* Of the operation that has just begun. */
void waiter_set_leave(struct waiter *w, waiter_leave *leave);

/*
 * From here on what was begun is finished: the interrupt that came is
 * forgotten, and the judge ends nothing any more. Only the owner may call it.
 */
void waiter_finish(struct waiter *w);
/* Was leave() called in the present operation? */
bool waiter_left(struct waiter *w);

/*
 * Sleeps until unparked, interrupted, or the monotonic clock (clock_mono_ms())
 * reaches until_ms. 0, -EINTR or -ETIMEDOUT. Only the owner may call it.
 */
int waiter_park(struct waiter *w, int64_t until_ms);

/*
 * As waiter_park(), but an interrupt does not end it: for the wait that
 * follows a cancel, which is bounded by what was cancelled.
 */
int waiter_park_uninterrupted(struct waiter *w, int64_t until_ms);

/* Wakes the owner. Any thread; takes only the waiter's own lock (a leaf). */
void waiter_unpark(struct waiter *w);

/*
 * When the work began that is to end within one deadline of a store that says
 * nothing, however many questions it takes, its own and those that it waits
 * for: by clock_mono_ms(). WAIT_FOREVER, at first: each question has a whole
 * one. Only the owner may call them; waiter_begin() leaves it as it is.
 */
void waiter_set_began(struct waiter *w, int64_t ms);
int64_t waiter_began(const struct waiter *w);

/* Ends the owner's present operation early. Any thread. */
void waiter_interrupt(struct waiter *w);

/* Has the owner's present operation to end? Any thread. */
void waiter_ask(struct waiter *w);

/* True when the present operation was interrupted. Only the owner may call it:
 * it may ask the judge. */
int waiter_interrupted(struct waiter *w);

/* A waiter in a list that stands under its owner's lock. On the stack. */
struct waiter_entry {
	struct waiter *waiter;
	struct waiter_entry *prev, *next;
};

struct waiter_list {
	struct waiter_entry *head;
};

/* The list's lock is the caller's business for these three. */
void waiter_list_add(struct waiter_list *l, struct waiter_entry *e);
void waiter_list_remove(struct waiter_list *l, struct waiter_entry *e);
void waiter_list_wake(struct waiter_list *l);

/*
 * The calling thread on the list for one park, without the list's lock, which
 * is held before and afterwards. As waiter_park(): look again.
 */
int waiter_list_sleep(struct waiter_list *l, struct lock *lock,
		      int64_t until_ms) REQUIRES(*lock);
int waiter_list_sleep_uninterrupted(struct waiter_list *l, struct lock *lock,
				    int64_t until_ms) REQUIRES(*lock);

/*
 * On the list until `so` is true, which is looked at with the lock held: 0, or
 * -EINTR once an interruptible operation is to end, or -ETIMEDOUT.
 */
int waiter_list_wait(struct waiter_list *l, struct lock *lock, int64_t until_ms,
		     bool interruptible) REQUIRES(*lock);
#define WAITER_LIST_UNTIL_MS(list_, lock_, until_ms_, interruptible_, so_) \
	({ \
		int rc_ = 0; \
		while (!rc_ && !(so_)) \
			rc_ = waiter_list_wait(list_, lock_, until_ms_, \
					       interruptible_); \
		rc_; \
	})
#define WAITER_LIST_UNTIL(list_, lock_, interruptible_, so_) \
	WAITER_LIST_UNTIL_MS(list_, lock_, WAIT_FOREVER, interruptible_, so_)

#endif
