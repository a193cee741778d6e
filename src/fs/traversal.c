/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small table of what was opened lately, by the directory above it and by
 * where: each program that goes through a directory has a place of its own in
 * it, which a name goes on with that stands behind it. What is forgotten costs
 * requests, nothing else.
 */
#include "fs/traversal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/number.h"
#include "fs/names.h"
#include "fs/names/dircache.h"

#define TRAVERSALS_MAX 64 /* as deep as trees are, and several at once */
#define PLACES_MAX 4 /* in one directory */
#define RUN_MIN 2 /* directories opened in order */
#define BACK_FIRST 8U /* directories, where they are entered backwards */
#define BACK_MAX 64U
#define WHOLE_AGAIN 64 /* opened between two attempts, at most */

/* What was opened below a directory, as far as this place in it. */
struct traversal {
	uint64_t ino; /* its number; 0: it is free */
	char last[256]; /* the child that was opened last */
	unsigned run; /* children opened in ascending order */
	unsigned opened, asked; /* anywhere below: directories; requests */
	/* All that is below is not asked for before so many were opened, after
	 * so many attempts that were of no use. */
	unsigned whole_at, whole_failed;
	unsigned back; /* directories that are asked for before one; 0: unset */
	uint64_t used;
};

struct traversals_locked {
	struct traversal at[TRAVERSALS_MAX];
	uint64_t uses;
};

struct traversals {
	struct fs *fs;
	struct lock lock;
	struct traversals_locked guarded_;
};

LOCK_GUARDS(traversals_locked, traversals, traversals_locked);

struct traversals *traversals_new(struct fs *fs)
{
	struct traversals *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fs = fs;
	lock_init(&t->lock, LOCK_TRAVERSAL);
	return t;
}

void traversals_free(struct traversals *t)
{
	if (!t)
		return;
	lock_destroy(&t->lock);
	free(t);
}

/* Where a key has it: with the '/' behind the name. */
static int traversal_order(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return (unsigned char)(a[n] ? a[n] : '/') -
	       (unsigned char)(b[n] ? b[n] : '/');
}

/* In the order of names or of keys. */
static bool traversal_is_behind(const char *name, const char *last)
{
	return strcmp(name, last) >= 0 || traversal_order(name, last) >= 0;
}

/* The place in that directory which the name goes on with: the nearest that it
 * stands behind. *latest: the one that was used last, if any. */
static struct traversal *traversal_before(struct traversals *t, uint64_t ino,
					  const char *name,
					  struct traversal **latest)
	REQUIRES(t->lock)
{
	struct traversal *found = NULL;

	*latest = NULL;
	for (unsigned k = 0; k < TRAVERSALS_MAX; k++) {
		struct traversal *r = &traversals_locked(t)->at[k];

		if (r->ino != ino)
			continue;
		if (!*latest || r->used > (*latest)->used)
			*latest = r;
		if (traversal_is_behind(name, r->last) &&
		    (!found || strcmp(r->last, found->last) > 0))
			found = r;
	}
	return found;
}

/* The same, or where none is before it the one that was used last: directories
 * are gone through level by level as well. */
static struct traversal *traversal_find(struct traversals *t, uint64_t ino,
					const char *name) REQUIRES(t->lock)
{
	struct traversal *latest, *r = traversal_before(t, ino, name, &latest);

	if (!r)
		r = latest;
	if (r)
		r->used = ++traversals_locked(t)->uses;
	return r;
}

/* One that begins anew, with nothing to go by. */
static struct traversal *traversal_make(struct traversals *t, uint64_t ino)
	REQUIRES(t->lock)
{
	struct traversal *of_dir = NULL, *oldest = traversals_locked(t)->at;
	unsigned places = 0;

	for (unsigned k = 0; k < TRAVERSALS_MAX; k++) {
		struct traversal *r = &traversals_locked(t)->at[k];

		places += r->ino == ino;
		if (r->ino == ino && (!of_dir || r->used < of_dir->used))
			of_dir = r;
		if (r->used < oldest->used)
			oldest = r;
	}
	if (places == PLACES_MAX)
		oldest = of_dir;
	memset(oldest, 0, sizeof(*oldest));
	oldest->ino = ino;
	return oldest;
}

static void traversal_step(struct traversals *t, uint64_t ino, const char *name)
	REQUIRES(t->lock)
{
	struct traversal *latest, *r = traversal_before(t, ino, name, &latest);

	if (!r)
		r = traversal_make(t, ino);
	r->used = ++traversals_locked(t)->uses;
	if (strcmp(name, r->last))
		r->run++;
	strcpy(r->last, name);
}

static uint64_t traversal_ino(struct fs *fs, struct inode *i)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	return v.ino;
}

/* The directory above, with the name in it; NULL: there is none that is gone
 * through. Ends the reference to i. */
static struct inode *traversal_up(struct fs *fs, struct inode *i,
				  char name[256])
{
	struct inode *up = inode_parent(fs->tree, i, name);

	inode_unref(fs->tree, i);
	if (up && names_is_root(fs, up)) {
		inode_unref(fs->tree, up);
		up = NULL;
	}
	return up;
}

/* dir, from that name on, and what is above it, as far as something was opened
 * in them. */
static void traversal_count(struct traversals *t, struct inode *dir,
			    const char *name, unsigned opened, unsigned asked)
{
	struct fs *fs = t->fs;
	struct inode *at = dir && !names_is_root(fs, dir)
				   ? inode_ref(fs->tree, dir)
				   : NULL;
	char below[256];

	strcpy(below, name);
	while (at) {
		uint64_t ino = traversal_ino(fs, at);
		struct traversal *r;

		lock_take(&t->lock);
		r = traversal_find(t, ino, below);
		if (r) {
			r->opened += opened;
			r->asked += asked;
		}
		lock_drop(&t->lock);
		at = traversal_up(fs, at, below);
	}
}

void traversal_opened(struct traversals *t, struct inode *dir)
{
	char name[256];
	struct inode *up =
		traversal_up(t->fs, inode_ref(t->fs->tree, dir), name);
	uint64_t ino;

	if (!up)
		return;
	ino = traversal_ino(t->fs, up);
	LOCK_DO(&t->lock, traversal_step(t, ino, name));
	traversal_count(t, up, name, 1, 0);
	inode_unref(t->fs->tree, up);
}

/* The place at `last` goes on with a name before it. */
static void traversal_step_back(struct traversals *t, uint64_t ino,
				const char *last, const char *name)
	REQUIRES(t->lock)
{
	for (unsigned k = 0; k < TRAVERSALS_MAX; k++) {
		struct traversal *r = &traversals_locked(t)->at[k];

		if (r->ino != ino || strcmp(r->last, last) != 0)
			continue;
		r->used = ++traversals_locked(t)->uses;
		r->run++;
		strcpy(r->last, name);
		return;
	}
}

static enum traversal_entry traversal_enter(struct traversals *t,
					    struct inode *up, struct inode *dir,
					    const char *name)
{
	uint64_t ino = traversal_ino(t->fs, up);
	char before[256] = "", last[256] = "";
	struct traversal *r, *latest;
	bool follows;

	lock_take(&t->lock);
	r = traversal_before(t, ino, name, &latest);
	if (r)
		strcpy(before, r->last);
	if (latest)
		strcpy(last, latest->last);
	lock_drop(&t->lock);
	if (!strcmp(before, name))
		return TRAVERSAL_NO_ENTRY;
	follows = dircache_is_beside(t->fs->tree, dir, before, false);
	if (!follows && dircache_is_beside(t->fs->tree, dir, last, true)) {
		LOCK_DO(&t->lock, traversal_step_back(t, ino, last, name));
		traversal_count(t, up, name, 1, 0);
		return TRAVERSAL_BACKWARDS;
	}
	traversal_opened(t, dir);
	return follows ? TRAVERSAL_IN_ORDER : TRAVERSAL_ENTRY;
}

enum traversal_entry traversal_entered(struct traversals *t, struct inode *dir)
{
	enum traversal_entry how = TRAVERSAL_NO_ENTRY;
	char name[256];
	struct inode *up =
		traversal_up(t->fs, inode_ref(t->fs->tree, dir), name);

	if (up && dircache_complete(t->fs->tree, up))
		how = traversal_enter(t, up, dir, name);
	inode_unref(t->fs->tree, up);
	return how;
}

struct inode *traversal_begins(struct traversals *t, struct inode *dir)
{
	char name[256];
	struct inode *up =
		traversal_up(t->fs, inode_ref(t->fs->tree, dir), name);
	unsigned back = 0;

	if (up) {
		uint64_t ino = traversal_ino(t->fs, up);
		struct traversal *r;

		lock_take(&t->lock);
		r = traversal_find(t, ino, name);
		back = r && r->back ? r->back : BACK_FIRST;
		lock_drop(&t->lock);
	}
	inode_unref(t->fs->tree, up);
	return dircache_before(t->fs->tree, dir, back);
}

void traversal_asked_below(struct traversals *t, struct inode *top,
			   const char *name)
{
	traversal_count(t, top, name, 0, 1);
}

void traversal_asked(struct traversals *t, struct inode *dir)
{
	char name[256];
	struct inode *up = inode_parent(t->fs->tree, dir, name);

	if (up)
		traversal_count(t, up, name, 0, 1);
	inode_unref(t->fs->tree, up);
}

static bool traversal_may(const struct traversal *r, unsigned more)
{
	return r && r->run >= RUN_MIN && r->asked + more <= 2 * r->opened;
}

bool traversal_affords(struct traversals *t, struct inode *dir,
		       const char *name, unsigned more)
{
	uint64_t ino = traversal_ino(t->fs, dir);

	return LOCK_UNDER(&t->lock,
			  traversal_may(traversal_find(t, ino, name), more));
}

bool traversal_affords_whole(struct traversals *t, struct inode *dir,
			     const char *name)
{
	uint64_t ino = traversal_ino(t->fs, dir);
	struct traversal *r;
	bool affords;

	lock_take(&t->lock);
	r = traversal_find(t, ino, name);
	affords = traversal_may(r, 2) && r->opened >= r->whole_at;
	lock_drop(&t->lock);
	return affords;
}

static unsigned traversal_next_back(unsigned back, bool useful)
{
	back = back ? back : BACK_FIRST;
	if (useful)
		return number_min(2 * back, BACK_MAX);
	return back > 4 ? back / 4 : 1;
}

void traversal_whole(struct traversals *t, struct inode *top, const char *name,
		     bool useful)
{
	uint64_t ino = traversal_ino(t->fs, top);
	struct traversal *r;

	lock_take(&t->lock);
	r = traversal_find(t, ino, name);
	if (r)
		r->back = traversal_next_back(r->back, useful);
	if (r && useful) {
		r->whole_failed = 0;
	} else if (r) {
		unsigned wait = 2u << r->whole_failed;

		if (wait < WHOLE_AGAIN)
			r->whole_failed++;
		r->whole_at = r->opened + wait;
	}
	lock_drop(&t->lock);
}

unsigned traversal_room(struct traversals *t, struct inode *dir)
{
	struct fs *fs = t->fs;
	char name[256];
	struct inode *at = traversal_up(fs, inode_ref(fs->tree, dir), name);
	unsigned room = UINT_MAX;
	bool runs = false;

	for (unsigned level = 0; at; level++) {
		uint64_t ino = traversal_ino(fs, at);
		struct traversal *r;
		unsigned left = 0;

		lock_take(&t->lock);
		r = traversal_find(t, ino, name);
		runs |= level < 2 && r && r->run >= RUN_MIN && r->whole_failed;
		if (r && r->asked < 2 * r->opened)
			left = 2 * r->opened - r->asked;
		room = r ? number_min(left, room) : room;
		lock_drop(&t->lock);
		at = traversal_up(fs, at, name);
	}
	return runs ? room : 0;
}
