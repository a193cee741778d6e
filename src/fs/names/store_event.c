/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An announcement is worth as much as our own change: it is stamped. But two of
 * them may arrive in another order than the changes were made, so what is
 * changed again within a moment is not believed: the next caller that needs it
 * asks.
 *
 * The walk ends at the first name that is not cached, since the kernel knows
 * nothing below it either; the name itself the kernel may believe to be absent.
 */
#include "fs/names/store_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "fs/names/tree.h"

#define MOMENT_MS 1000
#define STEPS 64 /* stages that are looked at under one hold of the lock */

/* One place where the key is shown. */
struct event_place {
	struct tree *tree;
	const struct object_info *info; /* of the whole key */
	struct store_event out;
	char name[NAME_SIZE];
	struct event_place *next;
};

static bool event_known_to_kernel(const struct tree *t, const struct inode *i)
{
	return i->lookups || i == t->root;
}

static bool event_is_recent(const struct inode *i)
{
	return i->refreshed_ms >= 0 &&
	       clock_mono_ms() - i->refreshed_ms < MOMENT_MS;
}

static void event_stamp_locked(struct tree *t, struct inode *i, bool invalidate)
	REQUIRES(t->lock)
{
	tree_stamp_stored_locked(t, i);
	if (invalidate)
		i->refreshed_ms = -1;
}

/* Something is at dir/name now. If neither the name nor a complete listing is
 * cached, nothing is. */
static void event_there_locked(struct tree *t, struct event_place *n,
			       struct inode *dir, enum inode_kind kind,
			       const struct object_info *info, bool has_marker)
	REQUIRES(t->lock)
{
	struct inode *was = tree_hash_find_locked(t, dir, n->name), *now;
	bool recent = was && event_is_recent(was),
	     live = was && inode_live(was);

	n->out.tell_entry = !live;
	n->out.tell_dir = !live;
	if (!was && dir->dir->complete_ms < 0)
		return;
	if (live && (inode_dirty(was) ||
		     (kind == INODE_FILE && was->kind == INODE_DIR)))
		return;
	now = tree_refresh_locked(t, dir, n->name, kind, info, has_marker,
				  tree_locked(t)->clock);
	if (!now)
		return;
	/* Of a directory above the key the event says only that it is there. */
	event_stamp_locked(
		t, now, recent || (!info && !inode_policy(now)->implied_dirs));
	n->out.inode = now;
	n->out.tell_inode = live && now == was && event_known_to_kernel(t, now);
	n->out.tell_entry = !live || now != was;
}

/* The path within a stage, name by name. */
static void event_walk_locked(struct tree *t, struct event_place *n,
			      struct inode *dir, const char *path)
	REQUIRES(t->lock)
{
	for (;;) {
		size_t len = strcspn(path, "/");
		bool last = !path[len], is_dir = !last && !path[len + 1];
		struct inode *below;

		if (!len || len >= NAME_SIZE)
			return; /* no path can name it */
		memcpy(n->name, path, len);
		n->name[len] = '\0';
		n->out.dir = dir;
		below = tree_hash_find_locked(t, dir, n->name);
		if (last || is_dir) {
			event_there_locked(t, n, dir,
					   last ? INODE_FILE : INODE_DIR,
					   n->info, is_dir);
			return;
		}
		if (!below || !inode_live(below) || !below->dir) {
			event_there_locked(t, n, dir, INODE_DIR, NULL, false);
			return;
		}
		dir = below;
		path += len + 1;
	}
}

/* The place of the key in one stage; NULL: it has none. */
static struct event_place *event_in_stage_locked(
	struct tree *t, struct inode *root, struct store *s, const char *key,
	const struct object_info *info) REQUIRES(t->lock)
{
	const struct stage *stage = root->ext ? root->ext->stage : NULL;
	struct event_place *n;

	if (!stage || stage->store != s || !inode_live(root) ||
	    !text_starts_with(key, stage->prefix) ||
	    !key[strlen(stage->prefix)])
		return NULL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL; /* the names' time ends soon */
	n->tree = t;
	n->info = info;
	n->out.name = n->name;
	event_walk_locked(t, n, root, key + strlen(stage->prefix));
	if (!n->out.dir) {
		free(n);
		return NULL;
	}
	if (!event_known_to_kernel(t, n->out.dir))
		n->out.tell_entry = n->out.tell_dir = false;
	if (n->out.tell_dir && !inode_policy(n->out.dir)->implied_dirs &&
	    n->out.dir != root)
		n->out.dir->refreshed_ms = -1; /* it has a time of its own */
	return n;
}

/* What is looked for, and the places that were found so far. */
struct event_search {
	struct store *store;
	const char *key;
	const struct object_info *info;
	struct event_place *found;
};

static void event_search_locked(struct tree *t, struct event_search *e,
				struct inode *root) REQUIRES(t->lock)
{
	struct event_place *n =
		event_in_stage_locked(t, root, e->store, e->key, e->info);

	if (n) {
		n->next = e->found;
		e->found = n;
	}
}

/* In the next some stages; false: there are no more. */
static bool event_search_some(struct tree *t, struct event_search *e,
			      struct dir_walk *w)
{
	struct inode *root;
	bool more;

	tree_lock(t);
	for (unsigned k = 0; k < STEPS && (root = w->next); k++) {
		w->next = root->next;
		event_search_locked(t, e, root);
	}
	more = w->next;
	tree_unlock(t);
	return more;
}

void store_event_apply(struct tree *t, struct store *s, const char *key,
		       const struct object_info *info,
		       void (*each)(void *arg, const struct store_event *a),
		       void *arg)
{
	struct event_search e = { .store = s, .key = key, .info = info };
	struct event_place *n;
	struct dir_walk w;

	if (t->root->kind == INODE_ROOT) {
		TREE_DO(t, tree_hash_walk_locked(t, t->root, &w));
		while (event_search_some(t, &e, &w))
			;
		TREE_DO(t, tree_hash_walked_locked(t, t->root, &w));
	} else {
		TREE_DO(t, event_search_locked(t, &e, t->root));
	}
	for (; e.found; e.found = n) {
		n = e.found->next;
		each(arg, &e.found->out);
		inode_unref(t, e.found->out.inode);
		free(e.found);
	}
}
