/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listings that were begun and are not read yet. One is in its place, and
 * its directory referenced, before it is begun, so that no two threads begin
 * the same; it is its beginner's until `list` is set.
 */
#include "fs/dir_ahead.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/number.h"
#include "fs/names.h"
#include "fs/names/dircache.h"
#include "fs/traversal.h"
#include "stage/stage.h"

#define AHEAD_MAX 16
#define WALK_STEPS 256 /* to find the next directories */

struct ahead {
	struct inode *dir; /* referenced; NULL: the place is free */
	struct stage *stage; /* referenced, as long as the listing is there */
	struct store_list *list; /* NULL: it is being begun */
	struct dir_merge merge;
	char *key;
};

struct dir_ahead_locked {
	struct ahead at[AHEAD_MAX];
};

struct dir_ahead {
	struct fs *fs;
	struct lock lock;
	struct dir_ahead_locked guarded_;
};

LOCK_GUARDS(dir_ahead_locked, dir_ahead, dir_ahead_locked);

struct dir_ahead *dir_ahead_new(struct fs *fs)
{
	struct dir_ahead *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->fs = fs;
	lock_init(&a->lock, LOCK_DIR_AHEAD);
	return a;
}

/* All but the listing. */
static void ahead_drop(struct dir_ahead *a, struct ahead *e)
{
	inode_unref(a->fs->tree, e->dir);
	stage_unref(e->stage);
	free(e->key);
}

static void ahead_clear(struct dir_ahead *a, struct ahead *e)
{
	store_list_close(e->list);
	ahead_drop(a, e);
}

bool dir_ahead_is_old(struct fs *fs, const struct dir_merge *m)
{
	return clock_mono_ms() - m->began_ms > fs->set.metadata_ttl_s * 500LL;
}

/* Takes out one that has been begun; only_old: and is not believed any more. */
static bool ahead_take_any(struct dir_ahead *a, bool only_old,
			   struct ahead *out)
{
	bool found = false;

	lock_take(&a->lock);
	for (unsigned k = 0; k < AHEAD_MAX && !found; k++) {
		struct ahead *e = &dir_ahead_locked(a)->at[k];

		if (!e->list ||
		    (only_old && !dir_ahead_is_old(a->fs, &e->merge)))
			continue;
		*out = *e;
		memset(e, 0, sizeof(*e));
		found = true;
	}
	lock_drop(&a->lock);
	return found;
}

void dir_ahead_forget(struct dir_ahead *a)
{
	struct ahead e;

	while (ahead_take_any(a, false, &e))
		ahead_clear(a, &e);
}

void dir_ahead_free(struct dir_ahead *a)
{
	if (!a)
		return;
	dir_ahead_forget(a);
	lock_destroy(&a->lock);
	free(a);
}

bool dir_ahead_take(struct dir_ahead *a, struct inode *dir, const char *key,
		    struct dir_merge *merge, struct store_list **out)
{
	struct ahead e = { 0 };
	bool good;

	lock_take(&a->lock);
	for (unsigned k = 0; k < AHEAD_MAX; k++) {
		struct ahead *at = &dir_ahead_locked(a)->at[k];

		if (at->dir != dir || !at->list)
			continue;
		e = *at;
		memset(at, 0, sizeof(*at));
		break;
	}
	lock_drop(&a->lock);
	if (!e.dir)
		return false;
	good = !strcmp(e.key, key) && !dir_ahead_is_old(a->fs, &e.merge) &&
	       !dircache_moved(a->fs->tree, dir, &e.merge);
	if (good) {
		*merge = e.merge;
		*out = e.list;
		ahead_drop(a, &e);
	} else {
		ahead_clear(a, &e);
	}
	return good;
}

/* A place for one that is about to be begun; false: there is none, or it is
 * there already. */
static bool ahead_reserve(struct dir_ahead *a, struct inode *dir)
{
	struct ahead *place = NULL;

	lock_take(&a->lock);
	for (unsigned k = 0; k < AHEAD_MAX; k++) {
		struct ahead *e = &dir_ahead_locked(a)->at[k];

		if (e->dir == dir) {
			place = NULL;
			break;
		}
		if (!e->dir)
			place = e;
	}
	if (place)
		place->dir = inode_ref(a->fs->tree, dir);
	lock_drop(&a->lock);
	return place;
}

static unsigned dir_ahead_count(struct dir_ahead *a)
{
	unsigned n = 0;

	lock_take(&a->lock);
	for (unsigned k = 0; k < AHEAD_MAX; k++)
		n += dir_ahead_locked(a)->at[k].dir != NULL;
	lock_drop(&a->lock);
	return n;
}

bool dir_ahead_has(struct dir_ahead *a, struct inode *dir)
{
	bool has = false;

	lock_take(&a->lock);
	for (unsigned k = 0; k < AHEAD_MAX && !has; k++)
		has = dir_ahead_locked(a)->at[k].dir == dir;
	lock_drop(&a->lock);
	return has;
}

/* What became of a place that was reserved: the listing, or nothing. */
static void ahead_settle(struct dir_ahead *a, const struct ahead *e)
{
	lock_take(&a->lock);
	for (unsigned k = 0; k < AHEAD_MAX; k++) {
		struct ahead *at = &dir_ahead_locked(a)->at[k];

		if (at->dir != e->dir || at->list)
			continue;
		if (e->list)
			*at = *e;
		else
			memset(at, 0, sizeof(*at));
		break;
	}
	lock_drop(&a->lock);
}

/* Begins the listing of a directory that a place is reserved for. */
static int ahead_begin(struct dir_ahead *a, struct inode *dir)
{
	struct list_query q = { .delimiter = '/' };
	struct ahead e = { .dir = dir };
	INODE_OBJECT_LOCAL o;
	int rc = inode_object(a->fs->tree, dir, &o);

	if (!rc) {
		e.stage = stage_ref(o.stage);
		e.key = buf_detach(&o.key);
		rc = e.key ? 0 : -ENOMEM;
	}
	if (!rc) {
		traversal_asked(a->fs->traversals, dir);
		q.prefix = e.key;
		dircache_begin(a->fs->tree, dir, &e.merge);
		rc = store_list_open(e.stage->store, &q, &e.list);
	}
	ahead_settle(a, &e);
	if (rc)
		ahead_drop(a, &e);
	return rc;
}

/* A place in the tree, at one depth; both referenced. */
struct level {
	struct inode *dir;
	struct inode *at; /* in dir; NULL: before its first entry */
};

static void ahead_level_set(struct tree *t, struct inode **at, struct inode *to)
{
	inode_unref(t, *at);
	*at = to;
}

/* Into the next directory beside that of the place; false: it is not known what
 * is in it. */
static bool ahead_level_cross(struct fs *fs, struct level *l, unsigned *steps)
{
	struct inode *up = inode_parent(fs->tree, l->dir, NULL), *next = NULL;
	struct inode_view v = { .kind = INODE_ABSENT };

	if (up && !names_is_root(fs, up))
		next = inode_ref(fs->tree, l->dir);
	while (next && (*steps)++ < WALK_STEPS) {
		ahead_level_set(fs->tree, &next,
				dircache_behind(fs->tree, up, next));
		if (next)
			inode_view(fs->tree, next, &v);
		if (v.kind == INODE_DIR)
			break;
	}
	inode_unref(fs->tree, up);
	if (!next || v.kind != INODE_DIR ||
	    !dircache_complete(fs->tree, next)) {
		inode_unref(fs->tree, next);
		return false;
	}
	ahead_level_set(fs->tree, &l->dir, next);
	ahead_level_set(fs->tree, &l->at, NULL);
	return true;
}

/* The next directory at that depth which is not known yet; NULL: none. It is
 * the level's. */
static struct inode *ahead_level_next(struct fs *fs, struct level *l,
				      unsigned *steps)
{
	struct inode_view v;

	while ((*steps)++ < WALK_STEPS) {
		struct inode *i = dircache_behind(fs->tree, l->dir, l->at);

		if (!i && !ahead_level_cross(fs, l, steps))
			return NULL;
		if (!i)
			continue;
		ahead_level_set(fs->tree, &l->at, i);
		inode_view(fs->tree, i, &v);
		if (v.kind == INODE_DIR && !dircache_complete(fs->tree, i))
			return i;
	}
	return NULL;
}

void dir_ahead_go_on(struct dir_ahead *a, struct inode *dir)
{
	struct fs *fs = a->fs;
	struct level l = { .dir = inode_parent(fs->tree, dir, NULL) };
	unsigned steps = 0, n, room = 0;
	struct ahead old;
	struct inode *i;

	while (ahead_take_any(a, true, &old))
		ahead_clear(a, &old);
	n = dir_ahead_count(a);
	if (l.dir && !names_is_root(fs, l.dir) && fs->set.metadata_ttl_s &&
	    n < AHEAD_MAX)
		room = traversal_room(fs->traversals, dir);
	room = number_min(room, AHEAD_MAX - n);
	l.at = inode_ref(fs->tree, dir);
	while (room && (i = ahead_level_next(fs, &l, &steps))) {
		if (!ahead_reserve(a, i))
			continue;
		room--;
		if (ahead_begin(a, i))
			break;
	}
	inode_unref(fs->tree, l.at);
	inode_unref(fs->tree, l.dir);
}
