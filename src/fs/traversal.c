/*
 * A small table of what was opened lately, by the directory above it. What is
 * forgotten costs requests, nothing else.
 */
#include "fs/traversal.h"

#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "fs/names.h"

#define TRAVERSALS_MAX 32 /* as deep as trees are */
#define RUN_MIN 2 /* directories opened in order */

/* What was opened below a directory. */
struct traversal {
	uint64_t ino; /* its number; 0: the place is free */
	char last[256]; /* the child that was opened last */
	unsigned run; /* children opened in ascending order */
	unsigned opened, asked; /* anywhere below: directories; requests */
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

static struct traversal *traversal_find(struct traversals *t, uint64_t ino)
	REQUIRES(t->lock)
{
	for (unsigned k = 0; k < TRAVERSALS_MAX; k++) {
		struct traversal *r = &traversals_locked(t)->at[k];

		if (r->ino == ino) {
			r->used = ++traversals_locked(t)->uses;
			return r;
		}
	}
	return NULL;
}

static struct traversal *traversal_make(struct traversals *t, uint64_t ino)
	REQUIRES(t->lock)
{
	struct traversal *r = traversal_find(t, ino), *oldest;

	if (r)
		return r;
	oldest = traversals_locked(t)->at;
	for (unsigned k = 1; k < TRAVERSALS_MAX; k++) {
		r = &traversals_locked(t)->at[k];
		if (r->used < oldest->used)
			oldest = r;
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->ino = ino;
	oldest->used = ++traversals_locked(t)->uses;
	return oldest;
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

/* In the order of keys or of names; one that begins anew has nothing to go
 * by. */
static void traversal_step(struct traversal *r, const char *name)
{
	int order = strcmp(name, r->last);

	if (order < 0 && traversal_order(name, r->last) < 0)
		r->run = r->opened = r->asked = 0;
	if (order)
		r->run++;
	strcpy(r->last, name);
}

static uint64_t traversal_ino(struct fs *fs, struct inode *i)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	return v.ino;
}

/* dir and what is above it, as far as something was opened in them. */
static void traversal_count(struct traversals *t, struct inode *dir,
			    unsigned opened, unsigned asked)
{
	struct fs *fs = t->fs;
	struct inode *at = dir ? inode_ref(fs->tree, dir) : NULL, *up;

	while (at && !names_is_root(fs, at)) {
		uint64_t ino = traversal_ino(fs, at);
		struct traversal *r;

		lock_take(&t->lock);
		r = traversal_find(t, ino);
		if (r) {
			r->opened += opened;
			r->asked += asked;
		}
		lock_drop(&t->lock);
		up = inode_parent(fs->tree, at, NULL);
		inode_unref(fs->tree, at);
		at = up;
	}
	inode_unref(fs->tree, at);
}

void traversal_opened(struct traversals *t, struct inode *dir)
{
	char name[256];
	struct inode *up = inode_parent(t->fs->tree, dir, name);
	uint64_t ino;

	if (!up)
		return;
	if (!names_is_root(t->fs, up)) {
		ino = traversal_ino(t->fs, up);
		lock_take(&t->lock);
		traversal_step(traversal_make(t, ino), name);
		lock_drop(&t->lock);
		traversal_count(t, up, 1, 0);
	}
	inode_unref(t->fs->tree, up);
}

void traversal_asked_below(struct traversals *t, struct inode *top)
{
	traversal_count(t, top, 0, 1);
}

void traversal_asked(struct traversals *t, struct inode *dir)
{
	struct inode *up = inode_parent(t->fs->tree, dir, NULL);

	traversal_count(t, up, 0, 1);
	inode_unref(t->fs->tree, up);
}

/* May that many requests more be made below dir? */
bool traversal_affords(struct traversals *t, struct inode *dir, unsigned more)
{
	uint64_t ino = traversal_ino(t->fs, dir);
	struct traversal *r;
	bool affords;

	lock_take(&t->lock);
	r = traversal_find(t, ino);
	affords = r && r->run >= RUN_MIN && r->asked + more <= 2 * r->opened;
	lock_drop(&t->lock);
	return affords;
}
