/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that go: removed, or moved elsewhere. Each leaves a name that is absent
 * and stamped, so that what the store was asked before does not bring it back.
 * Where the store is still to remove it, no answer counts until it has
 * (INODE_REMOVING, INODE_LEFT), of however late a question.
 */
#include "fs/names/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void tree_gone_locked(struct tree *t, struct inode *i, uint64_t stamp)
{
	struct inode *dir = i->parent, *mark;
	char name[NAME_SIZE];

	strcpy(name, inode_name(i));
	dir->refs++;
	tree_lru_orphan_locked(t, i);
	mark = tree_add_locked(t, dir, name, INODE_ABSENT);
	if (mark) {
		mark->stamp = stamp;
		mark->refreshed_ms = clock_mono_ms();
		tree_lru_update_locked(t, mark);
	} else if (stamp) {
		dir->dir->lost_stamp = stamp;
		dir->dir->complete_ms = -1;
	}
	inode_unref_locked(t, dir);
}

static void gone_remove_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock)
{
	i->flags |= INODE_REMOVED;
	tree_dir_changed(i->parent);
	tree_gone_locked(t, i, ++tree_locked(t)->clock);
}

void tree_remove(struct tree *t, struct inode *i)
{
	tree_lock(t);
	if (i->parent)
		gone_remove_locked(t, i);
	tree_unlock(t);
}

/* What stands at a name that has just gone, marked and referenced. */
static struct inode *gone_mark_absent_locked(struct tree *t, struct inode *dir,
					     const char *name, unsigned flag)
	REQUIRES(t->lock)
{
	struct inode *absent = tree_hash_find_locked(t, dir, name);

	if (absent) {
		absent->flags |= flag;
		inode_ref_locked(t, absent);
	}
	return absent;
}

struct inode *tree_remove_ahead(struct tree *t, struct inode *i)
{
	struct inode *dir, *absent = NULL;
	char name[NAME_SIZE];

	tree_lock(t);
	dir = i->parent;
	if (dir) {
		strcpy(name, inode_name(i));
		inode_ref_locked(t, dir);
		gone_remove_locked(t, i);
		absent = gone_mark_absent_locked(t, dir, name, INODE_REMOVING);
		if (dir->dir->removed_ms < clock_mono_ms())
			dir->dir->removed_ms = clock_mono_ms();
		inode_unref_locked(t, dir);
	}
	tree_unlock(t);
	return absent;
}

/* A question that was asked meanwhile may have the answer of before. */
void tree_removed(struct tree *t, struct inode *absent, bool removed)
{
	tree_lock(t);
	absent->flags &= ~(INODE_REMOVING | INODE_LEFT);
	tree_stamp_locked(t, absent);
	if (!removed && absent->parent) {
		absent->refreshed_ms = -1;
		absent->parent->dir->complete_ms = -1;
		/* A listing that is under way has passed over it. */
		absent->parent->dir->dropped_id = tree_locked(t)->listings;
	}
	inode_unref_locked(t, absent);
	tree_unlock(t);
}

/* Takes i to its new place; what stands there has gone already. */
static void gone_reattach_locked(struct tree *t, struct inode *i,
				 struct inode *to_dir, char *text)
	REQUIRES(t->lock)
{
	tree_hash_remove_locked(t, i);
	free(i->text);
	i->text = text;
	i->seen = 0;
	tree_hash_add_locked(t, i, to_dir);
	tree_lru_update_locked(t, to_dir);
	tree_stamp_stored_locked(t, i);
	i->refreshed_ms = clock_mono_ms();
	i->ctime = inode_time(clock_now());
	if (inode_policy(i)->keeps_owner)
		i->refreshed_ms = -1; /* the disk has its own time for it */
	if (i->dir)
		i->dir->complete_ms = -1;
}

static char *gone_new_text(const char *name, const char *etag)
{
	size_t len = strlen(name), etag_len = strlen(etag);
	char *text = malloc(len + etag_len + 2);

	if (text) {
		memcpy(text, name, len + 1);
		memcpy(text + len + 1, etag, etag_len + 1);
	}
	return text;
}

static void gone_leave_absent_locked(struct tree *t, struct inode *dir,
				     const char *name) REQUIRES(t->lock)
{
	struct inode *mark = tree_add_locked(t, dir, name, INODE_ABSENT);

	if (mark) {
		tree_stamp_locked(t, mark);
		tree_lru_update_locked(t, mark);
		return;
	}
	dir->dir->lost_stamp = ++tree_locked(t)->clock;
	dir->dir->complete_ms = -1;
}

int tree_move_locked(struct tree *t, struct inode *i, struct inode *to_dir,
		     const char *name)
{
	struct inode *dir = i->parent, *there;
	char *text, old_name[NAME_SIZE];

	if (!dir || !to_dir->dir || (to_dir->flags & INODE_ORPHAN) ||
	    inode_within(to_dir, i))
		return -ENOENT;
	there = tree_hash_find_locked(t, to_dir, name);
	if (there && (there->flags & INODE_REMOVING))
		return -EINPROGRESS;
	text = gone_new_text(name, inode_etag(i));
	if (!text)
		return -ENOMEM;
	strcpy(old_name, inode_name(i));
	dir->refs++;
	to_dir->refs++;
	i->refs++;
	if (there && there != i) {
		there->flags |= INODE_REMOVED;
		tree_lru_orphan_locked(t, there);
	}
	gone_reattach_locked(t, i, to_dir, text);
	if (there != i)
		gone_leave_absent_locked(t, dir, old_name);
	tree_dir_changed(dir);
	tree_dir_changed(to_dir);
	i->refs--;
	to_dir->refs--;
	dir->refs--;
	tree_lru_update_locked(t, i);
	tree_lru_update_locked(t, to_dir);
	tree_lru_update_locked(t, dir);
	return 0;
}

int tree_move(struct tree *t, struct inode *i, struct inode *to_dir,
	      const char *name)
{
	if (strlen(name) >= NAME_SIZE)
		return -ENAMETOOLONG;
	return TREE_UNDER(t, tree_move_locked(t, i, to_dir, name));
}

int tree_move_ahead(struct tree *t, struct inode *i, struct inode *to_dir,
		    const char *name, bool closed, struct inode **left)
{
	char old_name[NAME_SIZE];
	struct inode *dir;
	int rc;

	*left = NULL;
	if (strlen(name) >= NAME_SIZE)
		return -ENAMETOOLONG;
	tree_lock(t);
	dir = i->parent;
	if (dir) {
		strcpy(old_name, inode_name(i));
		inode_ref_locked(t, dir);
	}
	rc = closed && inode_n_open(i) ? -EXDEV
				       : tree_move_locked(t, i, to_dir, name);
	if (!rc && tree_hash_find_locked(t, dir, old_name) != i)
		*left = gone_mark_absent_locked(t, dir, old_name, INODE_LEFT);
	if (dir)
		inode_unref_locked(t, dir);
	tree_unlock(t);
	return rc;
}

void tree_forget_stage(struct tree *t, const char *name, uint64_t asked)
{
	struct inode *i;

	tree_lock(t);
	i = tree_hash_find_locked(t, t->root, name);
	if (i && inode_live(i) && i->stamp <= asked) {
		tree_lru_orphan_locked(t, i);
		i = NULL;
	}
	if (asked == TREE_LOCAL && i)
		tree_stamp_locked(t, i);
	else if (asked == TREE_LOCAL)
		gone_leave_absent_locked(t, t->root, name);
	tree_unlock(t);
}
