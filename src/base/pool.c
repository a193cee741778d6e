/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kept buffers stand in one list for each power of two, linked through their
 * first bytes. All of them together are a quarter of the budget at most. The
 * one that was given back last is taken first: it may be in the processor's
 * cache.
 *
 * Those of 2 MiB and more begin where a huge page does, and ask for such: one
 * page fault instead of 512, and the kernel, which copies into and out of them,
 * has fewer pages to look up.
 */
#include "base/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/lock.h"
#include "base/waiter.h"

#define MAPPED_MIN (128U << 10) /* smaller ones are the heap's */
#define KEPT_MIN_SHIFT 17
#define KEPT_CLASSES 10 /* 128 KiB .. 64 MiB */
#define HUGE ((size_t)2 << 20)

struct kept {
	struct kept *next;
};

struct pool_locked {
	struct kept *kept[KEPT_CLASSES];
	size_t kept_bytes;
	size_t held; /* by writers */
	unsigned sharers; /* writers that hold some, or want to */
};

struct pool {
	struct budget *budget;
	size_t kept_max;
	size_t held_max;
	struct lock lock;
	struct pool_locked guarded_;
};

LOCK_GUARDS(pool_locked, pool, pool_locked);

struct pool *pool_new(struct budget *budget)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->budget = budget;
	p->kept_max = budget_limit(budget) / 4;
	p->held_max = budget_limit(budget) / 2;
	lock_init(&p->lock, LOCK_POOL);
	return p;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pool_trim(p, SIZE_MAX);
	lock_destroy(&p->lock);
	free(p);
}

struct budget *pool_budget(struct pool *p)
{
	return p->budget;
}

/* The list that buffers of this size are kept in, or -1. */
static int pool_class_of(size_t size)
{
	for (int i = 0; i < KEPT_CLASSES; i++)
		if (size == (size_t)1 << (KEPT_MIN_SHIFT + i))
			return i;
	return -1;
}

static void *pool_map(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

/* What lies before and behind the part that begins with a huge page goes. */
static void *pool_map_huge(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), before;
	char *mem, *at;

	size = (size + page - 1) / page * page;
	mem = pool_map(size + HUGE);
	if (!mem)
		return NULL;
	before = -(uintptr_t)mem % HUGE;
	at = mem + before;
	if (before)
		munmap(mem, before);
	if (before < HUGE)
		munmap(at + size, HUGE - before);
	/* A kernel without them has small ones. */
	(void)madvise(at, size, MADV_HUGEPAGE);
	return at;
}

static void *pool_memory_new(size_t size)
{
	if (size < MAPPED_MIN)
		return malloc(size);
	return size < HUGE ? pool_map(size) : pool_map_huge(size);
}

static void pool_memory_free(void *mem, size_t size)
{
	if (size < MAPPED_MIN)
		free(mem);
	else
		munmap(mem, size);
}

static struct kept *pool_unkeep_locked(struct pool *p, int class)
	REQUIRES(&p->lock)
{
	struct kept *k = pool_locked(p)->kept[class];

	if (k) {
		pool_locked(p)->kept[class] = k->next;
		pool_locked(p)->kept_bytes -= (size_t)1
					      << (KEPT_MIN_SHIFT + class);
	}
	return k;
}

static void *pool_unkeep(struct pool *p, size_t size)
{
	int class = pool_class_of(size);

	if (class < 0)
		return NULL;
	return LOCK_UNDER(&p->lock, pool_unkeep_locked(p, class));
}

/*
 * The memory for bytes that the budget has granted. Kept buffers of other sizes
 * go for it: a reader whose blocks grow leaves none of each size behind.
 */
static void *pool_granted(struct pool *p, size_t size)
{
	void *mem;

	if (size >= MAPPED_MIN)
		pool_trim(p, size);
	mem = pool_memory_new(size);

	if (!mem)
		budget_give(p->budget, size);
	return mem;
}

void *pool_try(struct pool *p, size_t size)
{
	void *mem = pool_unkeep(p, size);

	if (!mem && budget_try(p->budget, size))
		mem = pool_granted(p, size);
	return mem;
}

void *pool_try_idle(struct pool *p, size_t size, unsigned permille)
{
	void *mem = pool_unkeep(p, size);

	if (!mem && budget_try_idle(p->budget, size, permille))
		mem = pool_granted(p, size);
	return mem;
}

int pool_take(struct pool *p, size_t size, void **out)
{
	int rc = 0;

	*out = pool_unkeep(p, size);
	if (*out)
		return 0;
	rc = budget_take(p->budget, size, WAIT_FOREVER);
	if (rc)
		return rc;
	*out = pool_granted(p, size);
	return *out ? 0 : -ENOMEM;
}

void pool_drop(struct pool *p, void *mem, size_t size)
{
	pool_memory_free(mem, size);
	budget_give(p->budget, size);
}

void pool_put(struct pool *p, void *mem, size_t size)
{
	int class = pool_class_of(size);
	bool keep = false;

	if (class >= 0) {
		lock_take(&p->lock);
		if (pool_locked(p)->kept_bytes + size <= p->kept_max) {
			struct kept *k = mem;

			k->next = pool_locked(p)->kept[class];
			pool_locked(p)->kept[class] = k;
			pool_locked(p)->kept_bytes += size;
			keep = true;
		}
		lock_drop(&p->lock);
	}
	if (!keep)
		pool_drop(p, mem, size);
}

size_t pool_trim(struct pool *p, size_t bytes)
{
	size_t freed = 0;

	for (int class = KEPT_CLASSES - 1; class >= 0; class --) {
		size_t size = (size_t)1 << (KEPT_MIN_SHIFT + class);

		while (freed < bytes) {
			void *mem = pool_unkeep(p, size);

			if (!mem)
				break;
			pool_drop(p, mem, size);
			freed += size;
		}
	}
	return freed;
}

static bool pool_share_counts(const struct pool_share *s)
{
	return s->held || s->wants;
}

bool pool_hold(struct pool *p, struct pool_share *s, size_t size)
{
	struct pool_locked *g;
	bool ok;

	lock_take(&p->lock);
	g = pool_locked(p);
	g->sharers += !pool_share_counts(s);
	ok = size <= p->held_max - g->held &&
	     (!s->held || s->held + size <= p->held_max / g->sharers);
	if (ok) {
		g->held += size;
		s->held += size;
	}
	s->wants = !s->held;
	lock_drop(&p->lock);
	return ok;
}

void pool_unhold(struct pool *p, struct pool_share *s, size_t size)
{
	struct pool_locked *g;

	lock_take(&p->lock);
	g = pool_locked(p);
	g->held -= size;
	s->held -= size;
	g->sharers -= !pool_share_counts(s);
	lock_drop(&p->lock);
}

void pool_share_clear(struct pool *p, struct pool_share *s)
{
	lock_take(&p->lock);
	pool_locked(p)->sharers -= s->wants;
	s->wants = false;
	lock_drop(&p->lock);
}
