/*
 * The one place where a thread of ours sleeps.
 *
 * Every thread has a waiter. Whoever wants to sleep puts its waiter on a list
 * that stands under the lock of the thing it waits for, drops that lock and
 * parks; whoever changes the thing takes the lock, finds the list and unparks.
 * An unpark that comes before the park is kept, so nothing is lost between the
 * two. A park may also return for no reason: look at the condition again.
 *
 * An operation that the kernel interrupts (FUSE_INTERRUPT) unparks its thread
 * with the interrupted flag set, and every later wait of that operation
 * returns -EINTR until waiter_begin() starts the next one.
 */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <stdint.h>

struct waiter;

/* No bound on the time. */
#define WAIT_FOREVER INT64_MAX

/* The calling thread's own waiter. Lives as long as the thread; never NULL. */
struct waiter *waiter_self(void);

/* A new operation begins on this thread: forget the last one's interrupt. */
void waiter_begin(struct waiter *w);

/*
 * Sleeps until unparked, interrupted, or the monotonic clock (clock_mono_ms())
 * reaches until_ms. 0, -EINTR or -ETIMEDOUT. Only the owner may call it.
 */
int waiter_park(struct waiter *w, int64_t until_ms);

/*
 * As waiter_park(), but an interrupt does not end it: for the wait that
 * follows a cancel, which is bounded by whoever was cancelled.
 */
int waiter_park_uninterrupted(struct waiter *w, int64_t until_ms);

/* Wakes the owner. Any thread; takes only the waiter's own lock (a leaf). */
void waiter_unpark(struct waiter *w);

/* Ends the owner's present operation early. Any thread. */
void waiter_interrupt(struct waiter *w);

/* True when the present operation was interrupted. */
int waiter_interrupted(struct waiter *w);

/* A waiter in a list that stands under somebody's lock. On the stack. */
struct wait_entry {
	struct waiter *waiter;
	struct wait_entry *prev, *next;
};

struct wait_list {
	struct wait_entry *head;
};

/* The list's lock is the caller's business for these four. */
void wait_list_add(struct wait_list *l, struct wait_entry *e);
void wait_list_remove(struct wait_list *l, struct wait_entry *e);
void wait_list_wake(struct wait_list *l);
int wait_list_empty(const struct wait_list *l);

#endif
