/*
 * Where a name stands: the children of a directory, by one hash table for all.
 */
#include "base/hash.h"
#include "fs/names/tree.h"

#include <stdlib.h>
#include <string.h>

static size_t tree_hash_bucket(const struct tree_locked *g,
			       const struct inode *dir, const char *name)
{
	uint64_t h = hash_string(HASH_START ^ (uintptr_t)dir, name);

	return (h ^ h >> 29) & (g->n_buckets - 1);
}

static void tree_hash_grow_locked(struct tree *t) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	size_t old_n = g->n_buckets;
	struct inode **old = g->buckets;
	struct inode **new = calloc(old_n * 2, sizeof(*new));

	if (!new)
		return; /* slower, not wrong */
	g->buckets = new;
	g->n_buckets = old_n * 2;
	for (size_t b = 0; b < old_n; b++) {
		struct inode *next;

		for (struct inode *i = old[b]; i; i = next) {
			struct inode **to;

			next = i->hash_next;
			to = &new[tree_hash_bucket(g, i->parent,
						   inode_name(i))];
			i->hash_next = *to;
			*to = i;
		}
	}
	free(old);
}

struct inode *tree_hash_find_locked(struct tree *t, struct inode *dir,
				    const char *name)
{
	struct tree_locked *g = tree_locked(t);

	for (struct inode *i = g->buckets[tree_hash_bucket(g, dir, name)]; i;
	     i = i->hash_next)
		if (i->parent == dir && !strcmp(inode_name(i), name))
			return i;
	return NULL;
}

void tree_hash_add_locked(struct tree *t, struct inode *i, struct inode *dir)
{
	struct tree_locked *g = tree_locked(t);
	struct inode **bucket =
		&g->buckets[tree_hash_bucket(g, dir, inode_name(i))];

	i->hash_next = *bucket;
	*bucket = i;
	i->parent = dir;
	i->prev = NULL;
	i->next = dir->dir->first;
	if (i->next)
		i->next->prev = i;
	dir->dir->first = i;
	dir->dir->n_children++;
	dir->dir->n_live += inode_live(i);
	if (++g->n_hashed > g->n_buckets)
		tree_hash_grow_locked(t);
}

void tree_hash_remove_locked(struct tree *t, struct inode *i)
{
	struct tree_locked *g = tree_locked(t);
	struct inode *dir = i->parent;
	struct inode **p = &g->buckets[tree_hash_bucket(g, dir, inode_name(i))];

	while (*p != i)
		p = &(*p)->hash_next;
	*p = i->hash_next;
	g->n_hashed--;
	if (i->prev)
		i->prev->next = i->next;
	else
		dir->dir->first = i->next;
	if (i->next)
		i->next->prev = i->prev;
	i->prev = i->next = i->parent = NULL;
	dir->dir->n_children--;
	dir->dir->n_live -= inode_live(i);
}
