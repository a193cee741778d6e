/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims: which thread publishes a file, and which moves a directory.
 *
 * A claim stands in one of two short lists. A publisher is in the way of a
 * move of any directory above it, a move of any publisher below, and of moves
 * above and below itself; a file has one publisher at a time. No
 * thread is in its own way. One that finds another in the way sleeps until a
 * claim ends, and looks again.
 */
#include "fs/names/tree.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"

static bool claims_moving_above_locked(struct tree *t, const struct inode *i,
				       const struct waiter *self)
	REQUIRES(t->lock)
{
	for (struct tree_claim *c = tree_locked(t)->moving; c; c = c->next)
		if (c->owner != self && inode_within(i, c->inode))
			return true;
	return false;
}

bool claims_renaming_locked(struct tree *t, const struct inode *dir,
			    const struct inode *i)
{
	if (i && (i->flags & INODE_RENAMING))
		return true;
	return inode_policy(dir)->renames &&
	       claims_moving_above_locked(t, dir, NULL);
}

bool claims_publish_waits_locked(struct tree *t, const struct inode *i,
				 const struct waiter *self)
{
	struct tree_claim *c = tree_locked(t)->publishing;

	if (claims_moving_above_locked(t, i, self))
		return true;
	for (; c && i->kind == INODE_FILE; c = c->next)
		if (c->inode == i && c->owner != self)
			return true;
	return false;
}

static bool claims_move_waits_locked(struct tree *t, const struct inode *dir,
				     const struct waiter *self)
	REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);

	if (claims_moving_above_locked(t, dir, self))
		return true;
	for (struct tree_claim *c = g->moving; c; c = c->next)
		if (c->owner != self && inode_within(c->inode, dir))
			return true;
	for (struct tree_claim *c = g->publishing; c; c = c->next)
		if (c->owner != self && inode_within(c->inode, dir))
			return true;
	return false;
}

int claims_sleep_locked(struct tree *t, struct waiter *self)
{
	struct waiter_entry entry = { .waiter = self };
	int rc;

	waiter_list_add(&tree_locked(t)->waiters, &entry);
	tree_unlock(t);
	rc = waiter_park(self, WAIT_FOREVER);
	tree_lock(t);
	waiter_list_remove(&tree_locked(t)->waiters, &entry);
	return rc;
}

static struct tree_claim *claims_find_own(struct tree_claim *list,
					  const struct inode *i,
					  const struct waiter *self)
{
	while (list && (list->inode != i || list->owner != self))
		list = list->next;
	return list;
}

/* *room becomes the claim, and NULL, unless there is one already. */
static void claims_add_locked(struct tree *t, struct tree_claim **list,
			      struct inode *i, struct tree_claim **room)
	REQUIRES(t->lock)
{
	struct waiter *self = waiter_self();
	struct tree_claim *c = claims_find_own(*list, i, self);

	if (c) {
		c->depth++;
		return;
	}
	**room = (struct tree_claim){ i, self, 1, *list };
	*list = *room;
	*room = NULL;
	inode_ref_locked(t, i);
}

/* The claim that has ended by this; NULL: there was another one in it. */
static struct tree_claim *claims_remove_locked(struct tree *t,
					       struct tree_claim **list,
					       struct inode *i)
	REQUIRES(t->lock)
{
	struct tree_claim *c = claims_find_own(*list, i, waiter_self());

	if (!c || --c->depth)
		return NULL;
	while (*list != c)
		list = &(*list)->next;
	*list = c->next;
	waiter_list_wake(&tree_locked(t)->waiters);
	inode_unref_locked(t, i);
	return c;
}

void claims_add_publish_locked(struct tree *t, struct inode *i,
			       struct tree_claim **room)
{
	claims_add_locked(t, &tree_locked(t)->publishing, i, room);
}

struct tree_claim *claims_remove_publish_locked(struct tree *t, struct inode *i)
{
	return claims_remove_locked(t, &tree_locked(t)->publishing, i);
}

static int claims_begin(struct tree *t, struct inode *i, bool move)
{
	struct waiter *self = waiter_self();
	MEM_LOCAL struct tree_claim *new = calloc(1, sizeof(*new));
	int rc = 0;

	if (!new)
		return -ENOMEM;
	tree_lock(t);
	while (!rc && !(i->flags & INODE_ORPHAN) &&
	       (move ? claims_move_waits_locked(t, i, self)
		     : claims_publish_waits_locked(t, i, self)))
		rc = claims_sleep_locked(t, self);
	if (!rc && (i->flags & INODE_ORPHAN))
		rc = -ENOENT;
	if (!rc)
		claims_add_locked(t,
				  move ? &tree_locked(t)->moving
				       : &tree_locked(t)->publishing,
				  i, &new);
	tree_unlock(t);
	return rc;
}

static void claims_end(struct tree *t, struct inode *i, bool move)
{
	free(TREE_UNDER(t,
			claims_remove_locked(t,
					     move ? &tree_locked(t)->moving
						  : &tree_locked(t)->publishing,
					     i)));
}

int claims_publish_begin(struct tree *t, struct inode *i, struct buf *key)
{
	BUF_LOCAL unused = BUF_INIT(STORE_KEY_MAX + 1);
	int rc = claims_begin(t, i, false);

	if (rc)
		return rc;
	rc = inode_open_key(t, i, key ? key : &unused);
	if (rc)
		claims_end(t, i, false);
	return rc;
}

void claims_publish_end(struct tree *t, struct inode *i)
{
	claims_end(t, i, false);
}

int claims_publish_wait(struct tree *t, struct inode *i)
{
	int rc = claims_begin(t, i, false);

	if (!rc)
		claims_end(t, i, false);
	return rc;
}

void claims_set_renaming(struct tree *t, struct inode *i, bool moving)
{
	tree_lock(t);
	if (moving)
		i->flags |= INODE_RENAMING;
	else
		i->flags &= ~INODE_RENAMING;
	tree_unlock(t);
}

int claims_move_begin(struct tree *t, struct inode *dir)
{
	return claims_begin(t, dir, true);
}

void claims_move_end(struct tree *t, struct inode *dir)
{
	claims_end(t, dir, true);
}
