/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long an inode lives. It is in exactly one of these places:
 *
 *   held    it is needed: a lookup, a reference, a pin, open content,
 *           children, or it is a stage's root
 *   cached  it is not: it stands in the LRU and its name still answers
 *   (gone)  freed: evicted from the LRU, or an orphan that is not held
 *
 * tree_lru_update_locked() alone moves it between them.
 */
#include "fs/names/tree.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stage/stage.h"

static bool tree_lru_held(const struct tree *t, const struct inode *i)
{
	return i->lookups || i->refs || (i->flags & INODE_PINNED) ||
	       (i->dir && i->dir->n_children) || i == t->root ||
	       (i->ext && (i->ext->file ||
			   (i->ext->stage && !(i->flags & INODE_ORPHAN))));
}

static void tree_lru_remove_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock)
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

static void tree_lru_add_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);

	tree_lru_remove_locked(t, i);
	i->lru_next = g->lru_head;
	*(g->lru_head ? &g->lru_head->lru_prev : &g->lru_tail) = i;
	g->lru_head = i;
	i->flags |= INODE_IN_LRU;
	g->n_lru++;
}

/* ---- pins ----
 *
 * Names whose attributes a caller chose, which no store keeps. They stay
 * in memory, and their number is limited.
 *
 * A pin costs what a cached name costs. What would be shown without it is not
 * worth one; nor has a file one that is yet to be published when there is no
 * room, since making a file is not to fail for its mode: that holds as long as
 * its inode happens to.
 */

#define SAY_MS 60000

int tree_lru_pin_locked(struct tree *t, struct inode *i, unsigned what)
{
	struct tree_locked *g = tree_locked(t);

	if ((i->flags & what) || (i->flags & INODE_ORPHAN) || i == t->root)
		return 0;
	if (!(i->flags & INODE_PINNED)) {
		if (g->n_pinned >= t->set.pins_max) {
			g->pins_full = true;
			return inode_dirty(i) ? 0 : -ENOSPC;
		}
		g->n_pinned++;
	}
	i->flags |= what;
	return 0;
}

void tree_lru_unpin_locked(struct tree *t, struct inode *i, unsigned what)
{
	if (!(i->flags & what))
		return;
	i->flags &= ~what;
	if (!(i->flags & INODE_PINNED))
		tree_locked(t)->n_pinned--;
}

bool tree_lru_pins_full(struct tree *t)
{
	int64_t now_ms = clock_mono_ms();
	struct tree_locked *g;
	bool say;

	tree_lock(t);
	g = tree_locked(t);
	say = g->pins_full &&
	      (!g->pins_said_ms || now_ms - g->pins_said_ms >= SAY_MS);
	if (say) {
		g->pins_full = false;
		g->pins_said_ms = now_ms;
	}
	tree_unlock(t);
	return say;
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
static void tree_lru_evict_locked(struct tree *t) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	struct inode *i = g->lru_tail, *dir = i->parent;

	tree_lru_remove_locked(t, i);
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
static void tree_lru_drop_ext(struct tree *t, struct inode *i) REQUIRES(t->lock)
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

	if (tree_lru_held(t, i)) {
		tree_lru_remove_locked(t, i);
	} else if (i->flags & INODE_ORPHAN) {
		tree_lru_remove_locked(t, i);
		tree_lru_free_locked(t, i);
	} else {
		tree_lru_drop_ext(t, i);
		tree_lru_add_locked(t, i);
		if (g->n_lru > t->set.cache_max)
			tree_lru_evict_locked(t);
	}
}

void tree_lru_orphan_locked(struct tree *t, struct inode *i)
{
	struct tree_locked *g = tree_locked(t);
	struct inode *dir = i->parent;

	tree_lru_unpin_locked(t, i, INODE_PINNED);
	tree_hash_remove_locked(t, i);
	i->flags |= INODE_ORPHAN;
	if (i->ext && i->ext->stage)
		g->stages_left++;
	i->next = g->orphans;
	if (i->next)
		i->next->prev = i;
	g->orphans = i;
	tree_lru_update_locked(t, i);
	tree_lru_update_locked(t, dir);
}

unsigned tree_lru_stages_left(struct tree *t)
{
	return TREE_UNDER(t, tree_locked(t)->stages_left);
}

/* The stages of inodes that were freed: their end may take other locks. */
void tree_lru_bury(struct inode_ext *dead)
{
	struct inode_ext *next;

	for (; dead; dead = next) {
		next = dead->next_dead;
		stage_unref(dead->stage);
		free(dead);
	}
}
