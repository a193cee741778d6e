/*
 * A name is present (it has a stage), or gone: dropped here while answers to
 * older questions may still come. A gone name is forgotten when no ticket is
 * out, so the table is as large as the last listing and what was asked since.
 *
 * Invariant: `told` is the clock of the newest word on a name, an own change or
 * an answer's ticket, and no answer with an older ticket overrules it. A kept
 * name outlives answers that do not have it.
 */
#include "stage/known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "stage/stage.h"

struct known_name {
	char *name;
	struct stage *stage; /* NULL: gone */
	bool kept;
	uint64_t told;
	int64_t seen_ms;
	UT_hash_handle hh;
};

void known_init(struct known *k, int64_t ttl_ms,
		struct stage *(*make)(void *arg, const char *name), void *arg)
{
	*k = (struct known){ .ttl_ms = ttl_ms, .make = make, .arg = arg };
}

static struct known_name *find(struct known *k, const char *name)
{
	struct known_name *e;

	HASH_FIND_STR(k->names, name, e);
	return e;
}

static void forget(struct known *k, struct known_name *e)
{
	k->gone -= !e->stage;
	HASH_DEL(k->names, e);
	stage_unref(e->stage);
	free(e->name);
	free(e);
}

void known_clear(struct known *k)
{
	struct known_name *e, *next;

	HASH_ITER(hh, k->names, e, next)
		forget(k, e);
}

static struct known_name *add(struct known *k, const char *name)
{
	struct known_name *e = calloc(1, sizeof(*e));

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
static int set_present(struct known *k, struct known_name *e, bool present)
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

static bool fresh(const struct known *k, int64_t since_ms, int64_t now_ms)
{
	return now_ms - since_ms < k->ttl_ms;
}

bool known_list_fresh(const struct known *k, int64_t now_ms)
{
	return k->listed && fresh(k, k->listed_ms, now_ms);
}

enum known_answer known_find(struct known *k, const char *name, int64_t now_ms,
			     struct stage **out)
{
	struct known_name *e = find(k, name);

	if (!(e && fresh(k, e->seen_ms, now_ms)) &&
	    !known_list_fresh(k, now_ms))
		return KNOWN_NOT;
	if (!e || !e->stage)
		return KNOWN_ABSENT;
	*out = e->stage;
	return KNOWN_PRESENT;
}

struct stage *known_stage(struct known *k, const char *name)
{
	struct known_name *e = find(k, name);

	return e ? e->stage : NULL;
}

uint64_t known_ask(struct known *k)
{
	k->asking++;
	return ++k->clock;
}

/* With no ticket out, no answer can come that a gone name must withstand. */
static void forget_gone(struct known *k)
{
	struct known_name *e, *next;

	if (k->asking || !k->gone)
		return;
	HASH_ITER(hh, k->names, e, next)
		if (!e->stage)
			forget(k, e);
}

void known_asked(struct known *k)
{
	k->asking--;
	forget_gone(k);
}

int known_stat(struct known *k, uint64_t ticket, const char *name, bool present,
	       int64_t began_ms)
{
	struct known_name *e = find(k, name);

	if (!e && !present)
		return 0;
	if (!e)
		e = add(k, name);
	if (!e)
		return -ENOMEM;
	if (e->told > ticket)
		return 0;
	e->told = ticket;
	e->seen_ms = began_ms;
	return set_present(k, e, present || e->kept);
}

int known_listing(struct known *k, uint64_t ticket, char *const *names,
		  unsigned n, int64_t began_ms)
{
	struct known_name *e, *next;
	int rc = 0;

	for (unsigned i = 0; i < n && !rc; i++)
		rc = known_stat(k, ticket, names[i], true, began_ms);
	if (rc)
		return rc;
	HASH_ITER(hh, k->names, e, next)
		if (e->told < ticket && !e->kept)
			set_present(k, e, false);
	k->listed = ticket;
	k->listed_ms = began_ms;
	return 0;
}

int known_change(struct known *k, const char *name, bool present,
		 int64_t now_ms)
{
	struct known_name *e = find(k, name);
	int rc;

	if (!e)
		e = add(k, name);
	if (!e)
		return -ENOMEM;
	e->told = ++k->clock;
	e->seen_ms = now_ms;
	rc = set_present(k, e, present);
	forget_gone(k);
	return rc;
}

void known_keep(struct known *k, const char *name)
{
	struct known_name *e = find(k, name);

	if (e && e->stage)
		e->kept = true;
}

bool known_kept(struct known *k, const char *name)
{
	struct known_name *e = find(k, name);

	return e && e->kept;
}

unsigned known_count(struct known *k)
{
	return HASH_COUNT(k->names) - k->gone;
}

unsigned known_stages(struct known *k, struct stage **out)
{
	struct known_name *e, *next;
	unsigned n = 0;

	HASH_ITER(hh, k->names, e, next)
		if (e->stage)
			out[n++] = stage_ref(e->stage);
	return n;
}
