/*
 * A name is present (it has a stage), or gone: dropped here while answers to
 * older questions may still come. A gone name is forgotten when no ticket is
 * out, so the table is as large as the last listing and what was asked since.
 *
 * Invariant: `stamp` is the clock of the newest word on a name, an own change or
 * an answer's ticket, and no answer with an older ticket overrules it. A kept
 * name outlives answers that do not have it.
 */
#include "stage/stage_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "stage/stage.h"

struct stage_cache_name {
	char *name;
	struct stage *stage; /* NULL: gone */
	bool kept;
	uint64_t stamp;
	int64_t seen_ms;
	UT_hash_handle hh;
};

void stage_cache_init(struct stage_cache *k, int64_t ttl_ms,
		      struct stage *(*make)(void *arg, const char *name),
		      void *arg)
{
	*k = (struct stage_cache){ .ttl_ms = ttl_ms, .make = make, .arg = arg };
}

static struct stage_cache_name *cache_find(struct stage_cache *k,
					   const char *name)
{
	struct stage_cache_name *e;

	HASH_FIND_STR(k->names, name, e);
	return e;
}

static void cache_forget(struct stage_cache *k, struct stage_cache_name *e)
{
	k->gone -= !e->stage;
	HASH_DEL(k->names, e);
	stage_unref(e->stage);
	free(e->name);
	free(e);
}

void stage_cache_clear(struct stage_cache *k)
{
	struct stage_cache_name *e, *next;

	HASH_ITER(hh, k->names, e, next)
		cache_forget(k, e);
}

static struct stage_cache_name *cache_add(struct stage_cache *k,
					  const char *name)
{
	struct stage_cache_name *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->name = strdup(name);
	if (!e->name) {
		free(e);
		return NULL;
	}
	k->gone++;
	HASH_ADD_KEYPTR(hh, k->names, e->name, strlen(e->name), e);
	return e;
}

/* The one place where a name becomes present or gone. */
static int cache_set_present(struct stage_cache *k, struct stage_cache_name *e,
			     bool present)
{
	if (present && !e->stage) {
		e->stage = k->make(k->arg, e->name);
		if (!e->stage)
			return -ENOMEM;
		k->gone--;
	} else if (!present && e->stage) {
		stage_unref(e->stage);
		e->stage = NULL;
		e->kept = false;
		k->gone++;
	}
	return 0;
}

static bool cache_is_fresh(const struct stage_cache *k, int64_t since_ms,
			   int64_t now_ms)
{
	return now_ms - since_ms < k->ttl_ms;
}

bool stage_cache_list_fresh(const struct stage_cache *k, int64_t now_ms)
{
	return k->listed && cache_is_fresh(k, k->listed_ms, now_ms);
}

enum stage_cache_answer stage_cache_find(struct stage_cache *k,
					 const char *name, int64_t now_ms,
					 struct stage **out)
{
	struct stage_cache_name *e = cache_find(k, name);

	if (!(e && cache_is_fresh(k, e->seen_ms, now_ms)) &&
	    !stage_cache_list_fresh(k, now_ms))
		return STAGE_CACHE_UNKNOWN;
	if (!e || !e->stage)
		return STAGE_CACHE_ABSENT;
	*out = e->stage;
	return STAGE_CACHE_PRESENT;
}

struct stage *stage_cache_stage(struct stage_cache *k, const char *name)
{
	struct stage_cache_name *e = cache_find(k, name);

	return e ? e->stage : NULL;
}

uint64_t stage_cache_ask(struct stage_cache *k)
{
	k->asking++;
	return ++k->clock;
}

/* With no ticket out, no answer can come that a gone name must withstand. */
static void cache_forget_gone(struct stage_cache *k)
{
	struct stage_cache_name *e, *next;

	if (k->asking || !k->gone)
		return;
	HASH_ITER(hh, k->names, e, next)
		if (!e->stage)
			cache_forget(k, e);
}

void stage_cache_asked(struct stage_cache *k)
{
	k->asking--;
	cache_forget_gone(k);
}

int stage_cache_stat(struct stage_cache *k, uint64_t ticket, const char *name,
		     bool present, int64_t began_ms)
{
	struct stage_cache_name *e = cache_find(k, name);

	if (!e && !present)
		return 0;
	if (!e)
		e = cache_add(k, name);
	if (!e)
		return -ENOMEM;
	if (e->stamp > ticket)
		return 0;
	e->stamp = ticket;
	e->seen_ms = began_ms;
	return cache_set_present(k, e, present || e->kept);
}

int stage_cache_listing(struct stage_cache *k, uint64_t ticket,
			char *const *names, unsigned n, int64_t began_ms)
{
	struct stage_cache_name *e, *next;
	int rc = 0;

	for (unsigned i = 0; i < n && !rc; i++)
		rc = stage_cache_stat(k, ticket, names[i], true, began_ms);
	if (rc)
		return rc;
	HASH_ITER(hh, k->names, e, next)
		if (e->stamp < ticket && !e->kept)
			cache_set_present(k, e, false);
	k->listed = ticket;
	k->listed_ms = began_ms;
	return 0;
}

int stage_cache_change(struct stage_cache *k, const char *name, bool present,
		       int64_t now_ms)
{
	struct stage_cache_name *e = cache_find(k, name);
	int rc;

	if (!e)
		e = cache_add(k, name);
	if (!e)
		return -ENOMEM;
	e->stamp = ++k->clock;
	e->seen_ms = now_ms;
	rc = cache_set_present(k, e, present);
	cache_forget_gone(k);
	return rc;
}

void stage_cache_keep(struct stage_cache *k, const char *name)
{
	struct stage_cache_name *e = cache_find(k, name);

	if (e && e->stage)
		e->kept = true;
}

bool stage_cache_kept(struct stage_cache *k, const char *name)
{
	struct stage_cache_name *e = cache_find(k, name);

	return e && e->kept;
}

unsigned stage_cache_count(struct stage_cache *k)
{
	return HASH_COUNT(k->names) - k->gone;
}

unsigned stage_cache_stages(struct stage_cache *k, struct stage **out)
{
	struct stage_cache_name *e, *next;
	unsigned n = 0;

	HASH_ITER(hh, k->names, e, next)
		if (e->stage)
			out[n++] = stage_ref(e->stage);
	return n;
}
