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

#include "base/clock.h"
#include "fs/names/tree.h"

void dircache_begin(struct tree *t, struct inode *dir, struct dir_merge *m)
{
	tree_lock(t);
	m->dir = dir;
	m->asked = tree_locked(t)->clock;
	m->id = ++tree_locked(t)->listings;
	m->began_ms = clock_mono_ms();
	tree_unlock(t);
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
	tree_unlock(t);
	return i;
}

static bool dircache_is_kept_locked(struct tree *t, struct inode *i,
				    const struct dir_merge *m) REQUIRES(t->lock)
{
	return !inode_live(i) || i->seen >= m->id || i->stamp > m->asked ||
	       claims_renaming_locked(t, m->dir, i) || inode_dirty(i) ||
	       inode_file_dirty_below_locked(t, i);
}

void dircache_end(struct tree *t, struct dir_merge *m)
{
	struct inode_dir *d = m->dir->dir;
	struct inode *next;

	tree_lock(t);
	m->dir->refs++;
	for (struct inode *i = d->first; i; i = next) {
		next = i->next;
		if (!dircache_is_kept_locked(t, i, m))
			tree_lru_orphan_locked(t, i);
	}
	if (d->dropped_id < m->id && m->began_ms > d->complete_ms &&
	    !claims_renaming_locked(t, m->dir, NULL))
		d->complete_ms = m->began_ms;
	inode_unref_locked(t, m->dir);
	tree_unlock(t);
}

unsigned dircache_left_ms(struct tree *t, struct inode *dir)
{
	unsigned left;

	tree_lock(t);
	left = dir->dir ? inode_ttl_left_locked(t, dir, dir->dir->complete_ms)
			: 0;
	tree_unlock(t);
	return left;
}

bool dircache_complete(struct tree *t, struct inode *dir)
{
	return dircache_left_ms(t, dir) > 0;
}

static int dircache_by_name(const void *a, const void *b)
{
	return strcmp(inode_name(*(struct inode *const *)a),
		      inode_name(*(struct inode *const *)b));
}

int dircache_children(struct tree *t, struct inode *dir,
		      const struct dir_merge *unseen, struct inode ***out,
		      unsigned *n)
{
	struct inode **list = NULL;
	int err = 0;

	*n = 0;
	*out = NULL;
	tree_lock(t);
	if (dir->dir && dir->dir->n_live) {
		list = malloc(dir->dir->n_live * sizeof(*list));
		if (!list)
			err = -ENOMEM;
	}
	for (struct inode *i = list ? dir->dir->first : NULL; i; i = i->next) {
		if (!inode_live(i) || (unseen && i->seen >= unseen->id))
			continue;
		inode_ref_locked(t, i);
		list[(*n)++] = i;
	}
	if (*n)
		qsort(list, *n, sizeof(*list), dircache_by_name);
	tree_unlock(t);
	*out = list;
	return err;
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
