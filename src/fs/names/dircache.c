/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole directories. A listing that was read to its end says which names there
 * are, so what it did not show is not there: that answers lookups of absent
 * names without a request, and lets `ls` twice in a row cost one listing.
 *
 * Several listings of one directory may be under way. Each has an id, larger
 * than those before it, and a name remembers the largest id that showed it: an
 * older listing that ends later does not take away what a newer one has seen.
 */
#include "fs/names/dircache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "fs/names/likeness.h"
#include "fs/names/tree.h"

#define STEPS 64 /* children that are looked at in one go under the lock */

void dircache_begin(struct tree *t, struct inode *dir, struct dir_merge *m)
{
	TREE_DO(t, dir_merge_begin_locked(t, dir, m));
}

/* What came of a question is of the place where the directory was then, and
 * not of one that was made or moved since, or is below such a one. */
static bool dircache_moved_locked(struct tree *t, const struct inode *dir,
				  const struct dir_merge *m) REQUIRES(t->lock)
{
	while (dir && dir->stamp <= m->asked)
		dir = dir->parent;
	return dir;
}

bool dircache_moved(struct tree *t, struct inode *dir,
		    const struct dir_merge *m)
{
	return TREE_UNDER(t, dircache_moved_locked(t, dir, m));
}

struct inode *dircache_put(struct tree *t, struct dir_merge *m,
			   const char *name, enum inode_kind kind,
			   const struct object_info *info, bool has_marker)
{
	struct inode *i;

	tree_lock(t);
	i = tree_refresh_locked(t, m->dir, name, kind, info, has_marker,
				m->asked);
	if (i && i->seen < m->id)
		i->seen = m->id;
	if (i && i->stamp <= m->asked && dircache_moved_locked(t, m->dir, m))
		i->refreshed_ms = -1;
	tree_unlock(t);
	return i;
}

static bool dircache_is_kept_locked(struct tree *t, struct inode *i,
				    const struct dir_merge *m) REQUIRES(t->lock)
{
	return !inode_live(i) || i->seen >= m->id ||
	       tree_stamp_all(i) > m->asked ||
	       dircache_moved_locked(t, m->dir, m) ||
	       claims_renaming_locked(t, m->dir, i) || inode_dirty(i) ||
	       inode_n_pending(i) || inode_file_dirty_below_locked(t, i);
}

/* The next some of m->dir's children, the last of which may make us look at
 * all that is open; false: there are no more. */
static bool dircache_end_some(struct tree *t, struct dir_merge *m,
			      struct dir_walk *w)
{
	struct inode *i;

	tree_lock(t);
	for (unsigned k = 0; k < STEPS && (i = w->next); k++) {
		w->next = i->next;
		if (i->dir && inode_n_open(i))
			k = STEPS;
		if (!dircache_is_kept_locked(t, i, m))
			tree_lru_orphan_locked(t, i);
	}
	i = w->next;
	tree_unlock(t);
	return i;
}

void dircache_end(struct tree *t, struct dir_merge *m)
{
	struct inode_dir *d = m->dir->dir;
	struct dir_walk w;

	tree_lock(t);
	m->dir->refs++;
	tree_hash_walk_locked(t, m->dir, &w);
	tree_unlock(t);
	while (dircache_end_some(t, m, &w))
		;
	tree_lock(t);
	tree_hash_walked_locked(t, m->dir, &w);
	if (d->dropped_id < m->id && m->began_ms > d->complete_ms &&
	    !dircache_moved_locked(t, m->dir, m) &&
	    !claims_renaming_locked(t, m->dir, NULL)) {
		d->complete_ms = m->began_ms;
		d->n_asked = d->n_asked_tried = 0;
		d->n_made = d->n_made_tried = 0;
		d->all_named = m->all_named;
	}
	inode_unref_locked(t, m->dir);
	tree_unlock(t);
}

/* How long it is complete yet; 0: it is not. */
static unsigned dircache_left_ms(struct tree *t, struct inode *dir)
{
	return dir->dir ? TREE_UNDER(t, inode_ttl_left_locked(
						t, dir, dir->dir->complete_ms))
			: 0;
}

#define LIST_MAX 900 /* names that surely fit into a page */
#define LIST_SHARE \
	100 /* names that are listed as cheaply as one is asked for */

/* In a directory of which not all is known, before it is listed: */
#define MADE_MIN 16 /* new names */
#define ASKED_MIN 4 /* names that are asked for, one after the other */
#define TRIED_MORE 4 /* times as many, before it is listed in vain again */

/* Are n of them enough now? *tried: when they were last. */
static bool dircache_is_worth_a_try(unsigned n, unsigned least, unsigned *tried)
{
	if (n < least || n < TRIED_MORE * *tried)
		return false;
	*tried = n;
	return true;
}

/* Programs make names in it, and each one is asked for before it is made: as
 * many as were made since are expected to be. */
static bool dircache_is_filled_locked(struct tree *t, struct inode_dir *d)
	REQUIRES(t->lock)
{
	if (d->complete_ms >= 0)
		return d->n_made && d->n_live <= LIST_SHARE * d->n_made;
	return dircache_is_worth_a_try(d->n_made, MADE_MIN, &d->n_made_tried);
}

static bool dircache_worth_locked(struct tree *t, struct inode_dir *d)
	REQUIRES(t->lock)
{
	if (dircache_is_filled_locked(t, d))
		return true;
	if (d->complete_ms < 0 || d->n_live > LIST_MAX)
		return false;
	return d->n_live <= LIST_SHARE * ++d->n_asked;
}

bool dircache_lasts(struct tree *t, struct inode *dir)
{
	unsigned left_ms = dircache_left_ms(t, dir);

	if (left_ms > inode_ttl_ms(t, dir) / 2)
		return true;
	return left_ms &&
	       TREE_UNDER(t, dir->dir->complete_ms >= 0 &&
				     dircache_is_filled_locked(t, dir->dir));
}

unsigned dircache_worth(struct tree *t, struct inode *dir)
{
	return dir->dir ? TREE_UNDER(t, LIST_SHARE * dir->dir->n_made) : 0;
}

#define ALIKE_MIN 4 /* small files that tell what a name like theirs is */
#define UNOPENED_MAX 4 /* then names are not asked for by bytes */
#define UNOPENED_NONE 4 /* as many as a name that is no small file */
#define UNOPENED_ELSEWHERE 8 /* then one is enough in each directory */

/* By those that came into dir last: a name like those of small files, of most
 * of which it is so, and of no directory. */
static bool dircache_is_like_small_locked(struct tree *t,
					  const struct inode_dir *d,
					  const char *name) REQUIRES(t->lock)
{
	const struct inode *i = d->last;
	unsigned small = 0, other = 0;

	for (unsigned k = 0; i && k < STEPS; k++, i = i->prev) {
		if (!inode_live(i) || !likeness_of_names(inode_name(i), name))
			continue;
		if (i->kind == INODE_DIR)
			return false;
		if (i->size && i->size <= DIRCACHE_SMALL)
			small++;
		else
			other++;
	}
	return small >= ALIKE_MIN && small > other;
}

static bool dircache_expects_file_locked(struct tree *t, struct inode_dir *d,
					 const char *name) REQUIRES(t->lock)
{
	int8_t *elsewhere = &tree_locked(t)->unopened;

	if (d->unopened >= UNOPENED_MAX ||
	    (d->unopened > 0 && *elsewhere >= UNOPENED_ELSEWHERE) ||
	    !dircache_is_like_small_locked(t, d, name))
		return false;
	d->unopened++;
	*elsewhere += *elsewhere < UNOPENED_ELSEWHERE;
	return true;
}

/* By those that came into it last. */
static bool dircache_has_dirs_locked(struct tree *t, const struct inode_dir *d)
	REQUIRES(t->lock)
{
	const struct inode *i = d->last;

	for (unsigned k = 0; i && k < STEPS; k++, i = i->prev)
		if (i->kind == INODE_DIR)
			return true;
	return false;
}

/* One name after the other is asked for, of which nothing was known: a page
 * has them all if the directory is not very large. But a directory's own
 * question brings what is in it as well. */
static bool dircache_is_asked_for_locked(struct tree *t, struct inode_dir *d)
	REQUIRES(t->lock)
{
	return d->complete_ms < 0 && !dircache_has_dirs_locked(t, d) &&
	       dircache_is_worth_a_try(++d->n_asked, ASKED_MIN,
				       &d->n_asked_tried);
}

/* Where nothing was, and nothing was looked for. */
static enum dircache_way dircache_way_new_locked(struct tree *t,
						 struct inode_dir *d,
						 const char *name)
	REQUIRES(t->lock)
{
	if (dircache_expects_file_locked(t, d, name))
		return DIRCACHE_BY_BYTES;
	return dircache_is_asked_for_locked(t, d) ? DIRCACHE_BY_LISTING
						  : DIRCACHE_BY_NAME;
}

static enum dircache_way dircache_way_locked(struct tree *t, struct inode *dir,
					     const char *name) REQUIRES(t->lock)
{
	struct inode_dir *d = dir->dir;
	const struct inode *i = d ? tree_hash_find_locked(t, dir, name) : NULL;

	if (!d || (i && i->kind == INODE_DIR))
		return DIRCACHE_BY_NAME;
	if (dircache_worth_locked(t, d))
		return DIRCACHE_BY_LISTING;
	return i ? DIRCACHE_BY_NAME : dircache_way_new_locked(t, d, name);
}

enum dircache_way dircache_way(struct tree *t, struct inode *dir,
			       const char *name)
{
	return TREE_UNDER(t, dircache_way_locked(t, dir, name));
}

static void dircache_unopened_locked(struct tree *t, struct inode_dir *d)
	REQUIRES(t->lock)
{
	if (d->unopened < UNOPENED_MAX)
		d->unopened += UNOPENED_NONE;
}

void dircache_no_small_file(struct tree *t, struct inode *dir)
{
	TREE_DO(t, dircache_unopened_locked(t, dir->dir));
}

void dircache_set_read(struct tree *t, struct inode *dir)
{
	if (dir->dir)
		TREE_DO(t, dir->dir->read = true);
}

static bool dircache_wants_all(const struct inode_dir *d)
{
	return d->read &&
	       (d->n_live <= LIST_MAX || d->n_live <= LIST_SHARE * d->n_made);
}

struct inode *dircache_used(struct tree *t, struct inode *dir)
{
	struct inode *i = dir;
	bool all;

	if (!dir->dir)
		return NULL;
	tree_lock(t);
	all = dircache_wants_all(dir->dir);
	dir->dir->read = false;
	while (!all && i->dir && i->dir->used && inode_live(i->dir->used)) {
		i = i->dir->used;
		all = i->dir && dircache_wants_all(i->dir);
	}
	i = all || i == dir ? NULL : inode_ref_locked(t, i);
	tree_unlock(t);
	return i;
}

bool dircache_complete(struct tree *t, struct inode *dir)
{
	return dircache_left_ms(t, dir) > 0;
}

bool dircache_emptied(struct tree *t, struct inode *dir)
{
	const struct inode_dir *d = dir->dir;
	bool emptied;

	if (!dircache_complete(t, dir))
		return false;
	tree_lock(t);
	emptied = d->all_named && d->complete_ms >= 0 && d->removed_ms &&
		  d->removed_ms >= d->complete_ms && !d->n_live;
	tree_unlock(t);
	return emptied;
}

/* ---- all children ---- */

struct dircache_child {
	struct inode *inode; /* referenced */
	char *name; /* as it was then */
};

struct dircache_children {
	struct dircache_child *list;
	size_t n, cap;
};

/* The next some of dir's children: how many, named in names; -1: the end. */
static int dircache_take_some(struct tree *t, struct dir_walk *w,
			      const struct dir_merge *unseen,
			      struct inode *list[STEPS],
			      char names[STEPS][NAME_SIZE])
{
	struct inode *i;
	int n = 0;

	tree_lock(t);
	for (unsigned k = 0; k < STEPS && (i = w->next); k++) {
		w->next = i->next;
		if (!inode_live(i) || (unseen && i->seen >= unseen->id))
			continue;
		strcpy(names[n], inode_name(i));
		list[n++] = inode_ref_locked(t, i);
	}
	n = i ? n : n ? n : -1;
	tree_unlock(t);
	return n;
}

static int dircache_add(struct tree *t, struct dircache_children *c,
			struct inode *i, const char *name)
{
	char *copy = strdup(name);

	if (!copy || ARRAY_RESERVE(c->list, c->cap, c->n + 1)) {
		free(copy);
		inode_unref(t, i);
		return -ENOMEM;
	}
	c->list[c->n++] = (struct dircache_child){ i, copy };
	return 0;
}

static int dircache_collect(struct tree *t, struct inode *dir,
			    const struct dir_merge *unseen,
			    struct dircache_children *c)
{
	char names[STEPS][NAME_SIZE];
	struct inode *list[STEPS];
	struct dir_walk w;
	int n, rc = 0;

	TREE_DO(t, tree_hash_walk_locked(t, dir, &w));
	while (!rc && (n = dircache_take_some(t, &w, unseen, list, names)) >= 0)
		for (int k = 0; k < n; k++) {
			int added = dircache_add(t, c, list[k], names[k]);

			if (!rc)
				rc = added;
		}
	TREE_DO(t, tree_hash_walked_locked(t, dir, &w));
	return rc;
}

static int dircache_by_name(const void *a, const void *b)
{
	const struct dircache_child *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int dircache_by_inode(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct dircache_child *)a)->inode;
	uintptr_t y = (uintptr_t)((const struct dircache_child *)b)->inode;

	return (x > y) - (x < y);
}

/* What was renamed while the lock was not held may have come twice. */
static void dircache_once(struct tree *t, struct dircache_children *c)
{
	size_t kept = 0;

	qsort(c->list, c->n, sizeof(*c->list), dircache_by_inode);
	for (size_t k = 0; k < c->n; k++) {
		if (kept && c->list[kept - 1].inode == c->list[k].inode) {
			inode_unref(t, c->list[k].inode);
			free(c->list[k].name);
		} else {
			c->list[kept++] = c->list[k];
		}
	}
	c->n = kept;
}

int dircache_children(struct tree *t, struct inode *dir,
		      const struct dir_merge *unseen,
		      int (*each)(void *arg, struct inode *i), void *arg)
{
	struct dircache_children c = { .list = NULL };
	uint64_t clock = tree_clock(t);
	int rc = dir->dir ? dircache_collect(t, dir, unseen, &c) : 0;

	if (c.n && tree_clock(t) != clock)
		dircache_once(t, &c);
	if (c.n)
		qsort(c.list, c.n, sizeof(*c.list), dircache_by_name);
	for (size_t k = 0; k < c.n; k++) {
		if (rc)
			inode_unref(t, c.list[k].inode);
		else
			rc = each(arg, c.list[k].inode);
		free(c.list[k].name);
	}
	free(c.list);
	return rc;
}

#define BEHIND_STEPS 256 /* over names that have gone, under the lock */

struct inode *dircache_behind(struct tree *t, struct inode *dir,
			      struct inode *after)
{
	struct inode *i;

	tree_lock(t);
	i = after && after->parent == dir ? after->next : NULL;
	if (!after && dir->dir)
		i = dir->dir->first;
	for (unsigned k = 0; i && !inode_live(i); k++)
		i = k < BEHIND_STEPS ? i->next : NULL;
	if (i)
		inode_ref_locked(t, i);
	tree_unlock(t);
	return i;
}

/* The next directory there, not far; NULL: none. */
static struct inode *dircache_beside_locked(struct tree *t, struct inode *dir,
					    bool behind) REQUIRES(t->lock)
{
	struct inode *i = dir->parent ? dir : NULL;

	for (unsigned k = 0; i && k < BEHIND_STEPS; k++) {
		i = behind ? i->next : i->prev;
		if (i && i->kind == INODE_DIR)
			return i;
	}
	return NULL;
}

bool dircache_is_beside(struct tree *t, struct inode *dir, const char *name,
			bool behind)
{
	struct inode *i;
	bool is;

	tree_lock(t);
	i = dircache_beside_locked(t, dir, behind);
	is = i && !strcmp(inode_name(i), name);
	if (i)
		inode_ref_locked(t, i);
	tree_unlock(t);
	is = is || (i && dircache_complete(t, i));
	inode_unref(t, i);
	return is;
}

struct inode *dircache_before(struct tree *t, struct inode *dir, unsigned dirs)
{
	struct inode *found = dir, *i = dir;

	tree_lock(t);
	for (unsigned k = 0; dirs && i->parent && i->prev && k < BEHIND_STEPS;
	     k++) {
		i = i->prev;
		if (i->kind != INODE_DIR)
			continue;
		found = i;
		dirs--;
	}
	inode_ref_locked(t, found);
	tree_unlock(t);
	return found;
}

struct inode *dircache_entry(struct tree *t, struct inode *dir, struct inode *i,
			     char name[256], struct inode_view *v)
{
	tree_lock(t);
	if ((i->flags & INODE_ORPHAN) && dir->dir)
		i = tree_hash_find_locked(t, dir, inode_name(i));
	if (i && (i->parent != dir || !inode_live(i)))
		i = NULL;
	if (i) {
		inode_ref_locked(t, i);
		inode_view_locked(t, i, v);
		strcpy(name, inode_name(i));
	}
	tree_unlock(t);
	return i;
}

bool dircache_name(struct tree *t, struct inode *dir, struct inode *child,
		   char name[256])
{
	bool here;

	tree_lock(t);
	here = child->parent == dir && inode_live(child);
	if (here)
		strcpy(name, inode_name(child));
	tree_unlock(t);
	return here;
}
