/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutexes that clang's -Wthread-safety can check.
 *
 * A structure that threads share has a `struct lock` and, beside it, a
 * `struct NAME_locked guarded_` with everything that the lock guards. Only the
 * accessor that LOCK_GUARDS() makes touches `guarded_`, so the compiler checks
 * the data and not only the calls (in C, clang 14 cannot attach GUARDED_BY to
 * a sibling field).
 *
 * Locks are held for a few lines: never over I/O, a callback or a FUSE reply.
 * The order in which two may be held is the table of ranks below, which
 * docs/architecture.md shows with what each lock guards.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>

#ifdef __clang__
#define THREAD_ATTR(x) __attribute__((x))
#else
#define THREAD_ATTR(x)
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LOCK_CHECKED
#elif defined(__has_feature) /* clang's */
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LOCK_CHECKED
#endif
#endif

/* All kinds of locks, in the order in which two may be held. */
#define LOCK_RANKS(LOCK_RANK) \
	LOCK_RANK(RELOAD, "reload") \
	LOCK_RANK(ADDRESS, "address") \
	LOCK_RANK(CONNECTIONS, "connections") \
	LOCK_RANK(LOGIN_THROTTLE, "login throttle") \
	LOCK_RANK(SPEECH, "speech") \
	LOCK_RANK(TRANSFER, "transfer") \
	LOCK_RANK(CATALOG, "catalog") \
	LOCK_RANK(FS, "fs") \
	LOCK_RANK(DIR, "dir") \
	LOCK_RANK(TRAVERSAL, "traversal") \
	LOCK_RANK(SUBTREE, "subtree") \
	LOCK_RANK(DIR_AHEAD, "directories ahead") \
	LOCK_RANK(FILE_AHEAD, "file ahead") \
	LOCK_RANK(QUESTIONS, "questions") \
	LOCK_RANK(RENAME_KEYS, "rename keys") \
	LOCK_RANK(CLOSE_ERRORS, "close errors") \
	LOCK_RANK(GATHER, "gather") \
	LOCK_RANK(INVAL_QUEUE, "inval queue") \
	LOCK_RANK(WRITE_BACK, "write back") \
	LOCK_RANK(JOURNAL, "journal") \
	LOCK_RANK(TREE, "tree") \
	LOCK_RANK(READER, "reader") \
	LOCK_RANK(FILE, "file") \
	LOCK_RANK(SPILL, "spill") \
	LOCK_RANK(UPLOAD_PARTS, "upload parts") \
	LOCK_RANK(BLOCK_CACHE, "block cache") \
	LOCK_RANK(BLOCK_DISK, "block disk") \
	LOCK_RANK(POOL, "pool") \
	LOCK_RANK(BUDGET, "budget") \
	LOCK_RANK(LOCAL, "local") \
	LOCK_RANK(LOCAL_UPLOAD, "local upload") \
	LOCK_RANK(S3, "s3") \
	LOCK_RANK(S3_LIST, "s3 list") \
	LOCK_RANK(S3_UPLOAD, "s3 upload") \
	LOCK_RANK(S3_URL, "s3 url") \
	LOCK_RANK(GET_SYNC, "get sync") \
	LOCK_RANK(SIGNER, "signer") \
	LOCK_RANK(CRED_CACHE, "cred cache") \
	LOCK_RANK(HTTP_PERFORM, "http perform") \
	LOCK_RANK(HTTP_INBOX, "http inbox") \
	LOCK_RANK(PARALLEL, "parallel") \
	LOCK_RANK(THREAD_TASK, "thread task") \
	LOCK_RANK(STORE_TEST, "store test") \
	LOCK_RANK(TEST, "test") \
	LOCK_RANK(WAITER, "waiter")

#define CAPABILITY(name) THREAD_ATTR(capability(name))
#define REQUIRES(...) THREAD_ATTR(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) THREAD_ATTR(acquire_capability(__VA_ARGS__))
#define RELEASE(...) THREAD_ATTR(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) THREAD_ATTR(try_acquire_capability(__VA_ARGS__))
#define ASSERTS(...) THREAD_ATTR(assert_capability(__VA_ARGS__))
#define NO_THREAD_CHECK THREAD_ATTR(no_thread_safety_analysis)

/* accessor(x) is &x->guarded_, of a struct owner that has a `lock` held. */
#define LOCK_GUARDS(accessor, owner, guarded) \
	static inline struct guarded *accessor(struct owner *owner_) \
		REQUIRES(&owner_->lock) \
	{ \
		return &owner_->guarded_; \
	} \
	struct owner /* for the semicolon */

enum lock_rank {
#define LOCK_RANK(rank, name) LOCK_##rank,
	LOCK_RANKS(LOCK_RANK)
#undef LOCK_RANK
};

struct CAPABILITY("mutex") lock {
	pthread_mutex_t mutex;
	unsigned long taken; /* how often: tests hold the counts */
	enum lock_rank rank;
};

#define LOCK_INIT(rank_) \
	{ \
		.mutex = PTHREAD_MUTEX_INITIALIZER, .rank = (rank_) \
	}

/*
 * In a build with a sanitizer: ends the program, with both names, when a thread
 * takes a lock while it holds one of the same or of a later rank.
 */
void lock_check_take(const struct lock *l);
void lock_check_drop(const struct lock *l);

static inline void lock_init(struct lock *l, enum lock_rank rank)
{
	pthread_mutex_init(&l->mutex, NULL);
	l->taken = 0;
	l->rank = rank;
}

static inline void lock_destroy(struct lock *l)
{
	pthread_mutex_destroy(&l->mutex);
}

static inline void lock_take(struct lock *l) ACQUIRE(*l) NO_THREAD_CHECK
{
#ifdef LOCK_CHECKED
	lock_check_take(l);
#endif
	pthread_mutex_lock(&l->mutex);
	l->taken++;
}

static inline void lock_drop(struct lock *l) RELEASE(*l) NO_THREAD_CHECK
{
	pthread_mutex_unlock(&l->mutex);
#ifdef LOCK_CHECKED
	lock_check_drop(l);
#endif
}

/* What is to be read under a lock, and no more. */
#define LOCK_UNDER(lock_, value) \
	({ \
		lock_take(lock_); \
		__typeof__(value) value_ = (value); \
		lock_drop(lock_); \
		value_; \
	})
/* What is to be changed under a lock, by a single statement. */
#define LOCK_DO(lock_, ...) \
	do { \
		lock_take(lock_); \
		__VA_ARGS__; \
		lock_drop(lock_); \
	} while (0)

#endif
