/*
 * Mutexes that clang's -Wthread-safety can check.
 *
 * A structure that threads share has a `struct lock` and, beside it, a
 * `struct NAME_locked guarded_` with everything that the lock guards. Only an
 * accessor with REQUIRES(&x->lock) touches `guarded_`, so the compiler checks
 * the data and not only the calls (in C, clang 14 cannot attach GUARDED_BY to
 * a sibling field).
 *
 * Locks are held for a few lines: never over I/O, a callback or a FUSE reply.
 * The order in which two may be held is in docs/architecture.md.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>

#ifdef __clang__
#define THREAD_ATTR(x) __attribute__((x))
#else
#define THREAD_ATTR(x)
#endif

#define CAPABILITY(name) THREAD_ATTR(capability(name))
#define REQUIRES(...) THREAD_ATTR(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) THREAD_ATTR(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) THREAD_ATTR(acquire_capability(__VA_ARGS__))
#define RELEASE(...) THREAD_ATTR(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) THREAD_ATTR(try_acquire_capability(__VA_ARGS__))
#define ASSERTS(...) THREAD_ATTR(assert_capability(__VA_ARGS__))
#define NO_THREAD_CHECK THREAD_ATTR(no_thread_safety_analysis)

struct CAPABILITY("mutex") lock {
	pthread_mutex_t mutex;
	unsigned long taken; /* how often: tests hold the counts */
};

#define LOCK_INIT \
	{ \
		.mutex = PTHREAD_MUTEX_INITIALIZER \
	}

static inline void lock_init(struct lock *l)
{
	pthread_mutex_init(&l->mutex, NULL);
	l->taken = 0;
}

static inline void lock_destroy(struct lock *l)
{
	pthread_mutex_destroy(&l->mutex);
}

static inline void lock_take(struct lock *l) ACQUIRE(*l) NO_THREAD_CHECK
{
	pthread_mutex_lock(&l->mutex);
	l->taken++;
}

static inline void lock_drop(struct lock *l) RELEASE(*l) NO_THREAD_CHECK
{
	pthread_mutex_unlock(&l->mutex);
}

#endif
