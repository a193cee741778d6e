/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/names/ask.h"

#include <errno.h>

#include "fs/names/tree.h"

/* What stands at dir/name, if that or dir is another thread's now: *known. */
static bool ask_waits_locked(struct tree *t, struct inode *dir,
			     const char *name, const struct waiter *self,
			     struct inode **known) REQUIRES(t->lock)
{
	*known = NULL;
	if (!inode_policy(dir)->renames || (dir->flags & INODE_ORPHAN) ||
	    !dir->dir)
		return false;
	*known = tree_hash_find_locked(t, dir, name);
	if (*known && !inode_live(*known))
		*known = NULL;
	return claims_publish_waits_locked(t, dir, self) ||
	       (*known && claims_publish_waits_locked(t, *known, self));
}

static int ask_begin_locked(struct tree *t, struct inode *dir, const char *name,
			    struct ask *out) REQUIRES(t->lock)
{
	struct tree_claim *room[2] = { &out->claims[0], &out->claims[1] };
	struct waiter *self = waiter_self();
	int rc = 0;

	out->dir = NULL;
	while (!rc && ask_waits_locked(t, dir, name, self, &out->known))
		rc = claims_sleep_locked(t, self);
	if (rc)
		return rc;
	if (inode_policy(dir)->renames && !(dir->flags & INODE_ORPHAN)) {
		out->dir = dir;
		claims_add_publish_locked(t, dir, &room[0]);
		if (out->known)
			claims_add_publish_locked(t, out->known, &room[1]);
	}
	dir_merge_begin_locked(t, NULL, &out->page);
	out->is_begun = true;
	return 0;
}

int ask_begin(struct tree *t, struct inode *dir, const char *name,
	      struct ask *out)
{
	int rc;

	out->is_begun = false;
	tree_lock(t);
	rc = ask_begin_locked(t, dir, name, out);
	inode_look_locked(t, dir, &out->at);
	tree_unlock(t);
	return rc;
}

static bool ask_is_of_dir_locked(struct tree *t, struct inode *dir,
				 const char *name) REQUIRES(t->lock)
{
	struct inode *i = dir->dir ? tree_hash_find_locked(t, dir, name) : NULL;

	return i && i->kind == INODE_DIR;
}

int ask_find(struct tree *t, struct inode *dir, const char *name, bool sure,
	     enum tree_answer *answer, struct inode **i, struct ask *out)
{
	int rc = 0;

	out->is_begun = false;
	tree_lock(t);
	*answer = tree_find_locked(t, dir, name, i);
	*i = *answer == TREE_KNOWN ? inode_ref_locked(t, *i) : NULL;
	if (*answer == TREE_ABSENT && sure)
		*answer = TREE_UNKNOWN;
	if (*answer == TREE_UNKNOWN && !ask_is_of_dir_locked(t, dir, name))
		rc = ask_begin_locked(t, dir, name, out);
	inode_look_locked(t, dir, &out->at);
	tree_unlock(t);
	return rc;
}

static void ask_end_locked(struct tree *t, struct ask *a) REQUIRES(t->lock)
{
	if (a->is_begun && a->dir) {
		if (a->known)
			claims_remove_publish_locked(t, a->known);
		claims_remove_publish_locked(t, a->dir);
	}
	a->is_begun = false;
}

static struct inode *ask_answered_locked(struct tree *t, struct ask *a,
					 struct inode *dir, const char *name,
					 const struct name_info *found)
	REQUIRES(t->lock)
{
	struct inode *i;

	if (found->is_prefix)
		i = tree_refresh_locked(t, dir, name, INODE_DIR, &found->info,
					found->has_marker, a->page.asked);
	else if (found->is_object)
		i = tree_refresh_locked(t, dir, name, INODE_FILE, &found->info,
					false, a->page.asked);
	else
		i = tree_refresh_absent_locked(t, dir, name, a->page.asked);
	ask_end_locked(t, a);
	return i;
}

struct inode *ask_answered(struct tree *t, struct ask *a, struct inode *dir,
			   const char *name, const struct name_info *found)
{
	return TREE_UNDER(t, ask_answered_locked(t, a, dir, name, found));
}

int ask_create(struct tree *t, struct ask *a, struct inode *dir,
	       const char *name, const struct tree_new_name *n,
	       struct inode **out)
{
	static const struct name_info nothing = { .is_object = false };
	int rc = 0;

	*out = NULL;
	tree_lock(t);
	if (a->is_begun) {
		*out = ask_answered_locked(t, a, dir, name, &nothing);
		rc = *out ? -EEXIST : 0;
	}
	if (!rc)
		rc = tree_create_locked(t, dir, name, n, out);
	tree_unlock(t);
	return rc;
}

void ask_end(struct tree *t, struct ask *a)
{
	if (a->is_begun && a->dir)
		TREE_DO(t, ask_end_locked(t, a));
	a->is_begun = false;
	inode_place_clear(&a->at);
}
