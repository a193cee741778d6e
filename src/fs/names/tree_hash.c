/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a name stands: the children of a directory, by one hash table for all.
 */
#include "fs/names/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BUCKETS_MIN 1024 /* a power of two */

/*
 * The table grows by linear hashing: with each name by one bucket, which takes
 * what is its own from one other bucket. The buckets stand in segments of one
 * size, so no operation waits for a million names to be moved, or for memory
 * that as many need.
 */
static struct inode **tree_hash_at(const struct tree_locked *g, size_t k)
{
	size_t row = k / TREE_SEGMENT;

	return &g->rows[row / TREE_SEGMENT][row % TREE_SEGMENT]
		       [k % TREE_SEGMENT];
}

/* The power of two that n buckets have reached. */
static size_t tree_hash_whole(size_t n)
{
	return (size_t)1 << (63 - __builtin_clzll(n));
}

/* Which bucket a name is in while there are n of them. */
static size_t tree_hash_number(size_t n, const struct inode *dir,
			       const char *name)
{
	uint64_t h = hash_string(HASH_START ^ (uintptr_t)dir, name);
	size_t whole = tree_hash_whole(n);

	h ^= h >> 29;
	if ((h & (whole * 2 - 1)) < n)
		return h & (whole * 2 - 1);
	return h & (whole - 1);
}

static struct inode **tree_hash_bucket(const struct tree_locked *g,
				       const struct inode *dir,
				       const char *name)
{
	return tree_hash_at(g, tree_hash_number(g->n_buckets, dir, name));
}

/* Is there memory for bucket k? */
static bool tree_hash_room(struct tree_locked *g, size_t k)
{
	size_t row = k / TREE_SEGMENT;
	struct inode ****at = &g->rows[row / TREE_SEGMENT];

	if (row / TREE_SEGMENT >= TREE_SEGMENT)
		return false;
	if (!*at)
		*at = calloc(TREE_SEGMENT, sizeof(**at));
	if (*at && !(*at)[row % TREE_SEGMENT])
		(*at)[row % TREE_SEGMENT] = calloc(TREE_SEGMENT, sizeof(***at));
	return *at && (*at)[row % TREE_SEGMENT];
}

int tree_hash_init_locked(struct tree *t)
{
	struct tree_locked *g = tree_locked(t);

	for (size_t k = 0; k < BUCKETS_MIN; k += TREE_SEGMENT)
		if (!tree_hash_room(g, k))
			return -ENOMEM;
	g->n_buckets = BUCKETS_MIN;
	return 0;
}

void tree_hash_clear_locked(struct tree *t)
{
	struct tree_locked *g = tree_locked(t);

	for (size_t k = 0; k < TREE_SEGMENT && g->rows[k]; k++) {
		for (size_t n = 0; n < TREE_SEGMENT; n++)
			free(g->rows[k][n]);
		free(g->rows[k]);
	}
}

static void tree_hash_grow_locked(struct tree *t) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	size_t k = g->n_buckets;
	struct inode **from, **to, *i;

	if (g->n_hashed <= k || !tree_hash_room(g, k))
		return; /* without memory: slower, not wrong */
	from = tree_hash_at(g, k - tree_hash_whole(k));
	to = tree_hash_at(g, k);
	g->n_buckets++;
	while ((i = *from)) {
		if (tree_hash_number(k + 1, i->parent, inode_name(i)) == k) {
			*from = i->hash_next;
			i->hash_next = *to;
			*to = i;
		} else {
			from = &i->hash_next;
		}
	}
}

struct inode *tree_hash_find_locked(struct tree *t, struct inode *dir,
				    const char *name)
{
	struct inode *i = *tree_hash_bucket(tree_locked(t), dir, name);

	while (i && (i->parent != dir || strcmp(inode_name(i), name)))
		i = i->hash_next;
	return i;
}

/* From dir on upwards; what is to be less wraps round to that. */
static void tree_hash_count(struct inode *dir, unsigned pending, unsigned open)
{
	for (; (pending || open) && dir; dir = dir->parent) {
		dir->dir->n_pending += pending;
		dir->dir->n_open += open;
	}
}

void tree_hash_set_pending_locked(struct tree *t, struct inode *i, bool pending)
{
	if (!(i->flags & INODE_PENDING) == !pending)
		return;
	i->flags ^= INODE_PENDING;
	tree_hash_count(i->parent, pending ? 1 : -1U, 0);
}

void tree_hash_set_open_locked(struct tree *t, struct inode *i,
			       struct file *file)
{
	unsigned was = inode_n_open(i);

	i->ext->file = file;
	tree_hash_count(i->parent, 0, inode_n_open(i) - was);
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
	tree_hash_count(dir, inode_n_pending(i), inode_n_open(i));
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
	if (dir->dir->used == i)
		dir->dir->used = NULL;
	dir->dir->n_children--;
	dir->dir->n_live -= inode_live(i);
	tree_hash_count(dir, -inode_n_pending(i), -inode_n_open(i));
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
