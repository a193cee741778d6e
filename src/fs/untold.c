#include "fs/untold.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/lock.h"

struct untold_error {
	char *stage, *key; /* one allocation */
	int err;
	struct untold_error *prev, *next;
};

struct untold_locked {
	struct untold_error *head; /* the oldest */
	unsigned n;
};

struct untold {
	_Atomic(bool) any;
	struct lock lock; /* a leaf */
	struct untold_locked guarded_;
};

static struct untold_locked *untold_locked(struct untold *u) REQUIRES(&u->lock)
{
	return &u->guarded_;
}

struct untold *untold_new(void)
{
	struct untold *u = calloc(1, sizeof(*u));

	if (u)
		lock_init(&u->lock);
	return u;
}

static void drop(struct untold_error *e)
{
	if (e)
		free(e->stage);
	free(e);
}

void untold_free(struct untold *u)
{
	struct untold_error *e, *next;

	if (!u)
		return;
	DL_FOREACH_SAFE(u->guarded_.head, e, next)
		drop(e);
	lock_destroy(&u->lock);
	free(u);
}

bool untold_any(struct untold *u)
{
	return atomic_load(&u->any);
}

static void remove_locked(struct untold *u, struct untold_error *e)
	REQUIRES(&u->lock)
{
	struct untold_locked *g = untold_locked(u);

	DL_DELETE(g->head, e);
	atomic_store(&u->any, --g->n > 0);
}

static struct untold_error *take_locked(struct untold *u, const char *stage,
					const char *key) REQUIRES(&u->lock)
{
	struct untold_error *e;

	DL_FOREACH(untold_locked(u)->head, e)
		if (!strcmp(e->key, key) && !strcmp(e->stage, stage))
			break;
	if (e)
		remove_locked(u, e);
	return e;
}

static struct untold_error *make(const char *stage, const char *key, int err)
{
	size_t len = strlen(stage) + 1;
	struct untold_error *e = calloc(1, sizeof(*e));

	if (e)
		e->stage = malloc(len + strlen(key) + 1);
	if (!e || !e->stage) {
		free(e);
		return NULL;
	}
	e->key = e->stage + len;
	strcpy(e->stage, stage);
	strcpy(e->key, key);
	e->err = err;
	return e;
}

void untold_add(struct untold *u, const char *stage, const char *key, int err)
{
	struct untold_error *e = make(stage, key, err), *same, *oldest = NULL;
	struct untold_locked *g;

	if (!e)
		return;
	lock_take(&u->lock);
	g = untold_locked(u);
	same = take_locked(u, stage, key);
	if (g->n == UNTOLD_MAX) {
		oldest = g->head;
		remove_locked(u, oldest);
	}
	DL_APPEND(g->head, e);
	g->n++;
	atomic_store(&u->any, true);
	lock_drop(&u->lock);
	drop(same);
	drop(oldest);
}

int untold_take(struct untold *u, const char *stage, const char *key)
{
	struct untold_error *e;
	int err;

	if (!untold_any(u))
		return 0;
	lock_take(&u->lock);
	e = take_locked(u, stage, key);
	lock_drop(&u->lock);
	err = e ? e->err : 0;
	drop(e);
	return err;
}
