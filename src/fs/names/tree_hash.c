/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a name stands: the children of a directory, by one hash table for all.
 */
#include "fs/names/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define MOVED_AT_ONCE 4 /* buckets, when a name is added */

/* While the table grows, a name stands in its old bucket until that moves. */
static struct inode **tree_hash_bucket(const struct tree_locked *g,
				       const struct inode *dir,
				       const char *name)
{
	uint64_t h = hash_string(HASH_START ^ (uintptr_t)dir, name);

	h ^= h >> 29;
	if (g->old_buckets && (h & (g->n_old - 1)) >= g->n_moved)
		return &g->old_buckets[h & (g->n_old - 1)];
	return &g->buckets[h & (g->n_buckets - 1)];
}

/* A few at a time: no operation waits for a million names to be moved. */
static void tree_hash_move_locked(struct tree *t) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);

	for (int k = 0; k < MOVED_AT_ONCE && g->n_moved < g->n_old; k++) {
		struct inode *i = g->old_buckets[g->n_moved++], *next;

		for (; i; i = next) {
			struct inode **to =
				tree_hash_bucket(g, i->parent, inode_name(i));

			next = i->hash_next;
			i->hash_next = *to;
			*to = i;
		}
	}
	if (g->n_moved == g->n_old) {
		free(g->old_buckets);
		g->old_buckets = NULL;
	}
}

static void tree_hash_grow_locked(struct tree *t) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	struct inode **new;

	if (!g->old_buckets && g->n_hashed > g->n_buckets) {
		new = calloc(g->n_buckets * 2, sizeof(*new));
		if (!new)
			return; /* slower, not wrong */
		g->old_buckets = g->buckets;
		g->n_old = g->n_buckets;
		g->n_moved = 0;
		g->buckets = new;
		g->n_buckets *= 2;
	}
	if (g->old_buckets)
		tree_hash_move_locked(t);
}

struct inode *tree_hash_find_locked(struct tree *t, struct inode *dir,
				    const char *name)
{
	struct inode *i = *tree_hash_bucket(tree_locked(t), dir, name);

	while (i && (i->parent != dir || strcmp(inode_name(i), name)))
		i = i->hash_next;
	return i;
}

/* From dir on upwards. */
static void tree_hash_count_pending(struct inode *dir, unsigned n)
{
	for (; n && dir; dir = dir->parent)
		dir->dir->n_pending += n;
}

void tree_hash_set_pending_locked(struct tree *t, struct inode *i, bool pending)
{
	if (!(i->flags & INODE_PENDING) == !pending)
		return;
	i->flags ^= INODE_PENDING;
	/* It wraps round to what it is to be. */
	tree_hash_count_pending(i->parent, pending ? 1 : -1U);
}

void tree_hash_add_locked(struct tree *t, struct inode *i, struct inode *dir)
{
	struct tree_locked *g = tree_locked(t);
	struct inode **bucket = tree_hash_bucket(g, dir, inode_name(i));

	i->hash_next = *bucket;
	*bucket = i;
	i->parent = dir;
	i->next = NULL;
	i->prev = dir->dir->last;
	*(i->prev ? &i->prev->next : &dir->dir->first) = i;
	dir->dir->last = i;
	dir->dir->n_children++;
	dir->dir->n_live += inode_live(i);
	tree_hash_count_pending(dir, inode_n_pending(i));
	g->n_hashed++;
	tree_hash_grow_locked(t);
}

void tree_hash_remove_locked(struct tree *t, struct inode *i)
{
	struct tree_locked *g = tree_locked(t);
	struct inode *dir = i->parent;
	struct inode **p = tree_hash_bucket(g, dir, inode_name(i));

	while (*p != i)
		p = &(*p)->hash_next;
	*p = i->hash_next;
	g->n_hashed--;
	for (struct dir_walk *w = dir->dir->walks; w; w = w->other)
		if (w->next == i)
			w->next = i->next;
	*(i->prev ? &i->prev->next : &dir->dir->first) = i->next;
	*(i->next ? &i->next->prev : &dir->dir->last) = i->prev;
	i->prev = i->next = i->parent = NULL;
	dir->dir->n_children--;
	dir->dir->n_live -= inode_live(i);
	tree_hash_count_pending(dir, -inode_n_pending(i));
}

void tree_hash_walk_locked(struct tree *t, struct inode *dir,
			   struct dir_walk *w)
{
	w->next = dir->dir->first;
	w->other = dir->dir->walks;
	dir->dir->walks = w;
}

void tree_hash_walked_locked(struct tree *t, struct inode *dir,
			     struct dir_walk *w)
{
	struct dir_walk **p = &dir->dir->walks;

	while (*p != w)
		p = &(*p)->other;
	*p = w->other;
}
