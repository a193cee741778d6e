/*
 * Who lives how long. An inode is in exactly one of these places:
 *
 *   held    somebody needs it: a lookup, a reference, a pin, open content,
 *           children, or it is a stage's root
 *   cached  nobody does: it stands in the LRU and its name still answers
 *   (gone)  freed: evicted from the LRU, or an orphan that nobody holds
 *
 * tree_lru_update_locked() alone moves it between them.
 */
#include "fs/names/tree.h"

#include <stdlib.h>

#include "stage/stage.h"

bool inode_held(const struct tree *t, const struct inode *i)
{
	return i->lookups || i->refs || (i->flags & INODE_PINNED) ||
	       (i->dir && i->dir->n_children) || i == t->root ||
	       (i->ext && (i->ext->file ||
			   (i->ext->stage && !(i->flags & INODE_ORPHAN))));
}

static void lru_remove_locked(struct tree *t, struct inode *i) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);

	if (!(i->flags & INODE_IN_LRU))
		return;
	*(i->lru_prev ? &i->lru_prev->lru_next : &g->lru_head) = i->lru_next;
	*(i->lru_next ? &i->lru_next->lru_prev : &g->lru_tail) = i->lru_prev;
	i->lru_prev = i->lru_next = NULL;
	i->flags &= ~INODE_IN_LRU;
	g->n_lru--;
}

static void lru_add_locked(struct tree *t, struct inode *i) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);

	lru_remove_locked(t, i);
	i->lru_next = g->lru_head;
	*(g->lru_head ? &g->lru_head->lru_prev : &g->lru_tail) = i;
	g->lru_head = i;
	i->flags |= INODE_IN_LRU;
	g->n_lru++;
}

void tree_lru_free_locked(struct tree *t, struct inode *i)
{
	struct tree_locked *g = tree_locked(t);

	if (i->flags & INODE_ORPHAN) {
		*(i->prev ? &i->prev->next : &g->orphans) = i->next;
		if (i->next)
			i->next->prev = i->prev;
	}
	if (i->ext && i->ext->stage) {
		i->ext->next_dead = g->dead;
		g->dead = i->ext;
	} else {
		free(i->ext);
	}
	free(i->dir);
	free(i->text);
	free(i);
}

/* The oldest of the LRU leaves. What it knew is not forgotten without trace:
 * its directory is no longer complete, and its stamp is remembered there. */
static void evict_locked(struct tree *t) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	struct inode *i = g->lru_tail, *dir = i->parent;

	lru_remove_locked(t, i);
	if (i->stamp > dir->dir->lost_stamp)
		dir->dir->lost_stamp = i->stamp;
	if (inode_live(i)) {
		dir->dir->complete_ms = -1;
		dir->dir->dropped_id = g->listings;
	}
	tree_hash_remove_locked(t, i);
	tree_lru_free_locked(t, i);
	tree_lru_update_locked(t, dir);
}

/* A name that is merely cached does not pay for having been open once. */
static void drop_unneeded(struct tree *t, struct inode *i) REQUIRES(t->lock)
{
	struct inode_ext *m = i->ext;

	tree_number_get_locked(t, i); /* it may be time for another */
	if (m && !m->stage && !m->file && !m->expire && !m->next_ino) {
		free(m);
		i->ext = NULL;
	}
}

void tree_lru_update_locked(struct tree *t, struct inode *i)
{
	struct tree_locked *g = tree_locked(t);

	if (inode_held(t, i)) {
		lru_remove_locked(t, i);
	} else if (i->flags & INODE_ORPHAN) {
		lru_remove_locked(t, i);
		tree_lru_free_locked(t, i);
	} else {
		drop_unneeded(t, i);
		lru_add_locked(t, i);
		if (g->n_lru > t->set.cache_max)
			evict_locked(t);
	}
}

void tree_lru_orphan_locked(struct tree *t, struct inode *i)
{
	struct tree_locked *g = tree_locked(t);
	struct inode *dir = i->parent;

	tree_pins_remove_locked(t, i, INODE_PINNED);
	tree_hash_remove_locked(t, i);
	i->flags |= INODE_ORPHAN;
	i->next = g->orphans;
	if (i->next)
		i->next->prev = i;
	g->orphans = i;
	tree_lru_update_locked(t, i);
	tree_lru_update_locked(t, dir);
}

void tree_unlock(struct tree *t)
{
	struct inode_ext *dead = tree_locked(t)->dead, *next;

	tree_locked(t)->dead = NULL;
	lock_drop(&t->lock);
	for (; dead; dead = next) {
		next = dead->next_dead;
		stage_unref(dead->stage);
		free(dead);
	}
}
