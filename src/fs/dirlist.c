/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/dirlist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "fs/dir_ahead.h"
#include "fs/names.h"
#include "fs/subtree.h"
#include "fs/traversal.h"
#include "stage/stage.h"

void dirlist_init(struct dirlist *l, struct fs *fs, struct inode *dir)
{
	memset(l, 0, sizeof(*l));
	l->fs = fs;
	l->dir = dir;
}

static void dirlist_set_state(struct dirlist *l, enum dirlist_state state,
			      int rc)
{
	if (l->list)
		store_list_close(l->list);
	l->list = NULL;
	dir_filler_clear(&l->fill);
	l->state = state;
	l->rc = rc;
}

void dirlist_rewind(struct dirlist *l)
{
	dirlist_set_state(l, DIRLIST_START, 0);
	for (size_t k = 0; k < l->n; k++)
		inode_unref(l->fs->tree, l->shown[k].inode);
	l->n = 0;
}

void dirlist_clear(struct dirlist *l)
{
	dirlist_rewind(l);
	free(l->shown);
	free(l->prefix);
}

/* Takes the reference; i NULL: not to be shown. */
static int dirlist_show(void *arg, struct inode *i)
{
	struct dirlist *l = arg;

	if (i && ARRAY_RESERVE(l->shown, l->cap, l->n + 1)) {
		inode_unref(l->fs->tree, i);
		return -ENOMEM;
	}
	if (i)
		l->shown[l->n++] = (struct dirlist_shown){ i, 0 };
	return 0;
}

/* ---- what is known without a listing ---- */

static int dirlist_show_known(struct dirlist *l, const struct dir_merge *unseen)
{
	return dircache_children(l->fs->tree, l->dir, unseen, dirlist_show, l);
}

/* ---- the store's listing ---- */

/* One that was begun ahead, or a new one. */
static int dirlist_open(struct dirlist *l, struct store *store,
			struct dir_merge *merge)
{
	struct list_query q = { .delimiter = '/',
				.ahead = true,
				.prefix = l->prefix };

	l->was_ahead = dir_ahead_take(l->fs->dir_ahead, l->dir, l->prefix,
				      merge, &l->list);
	if (l->was_ahead) {
		l->list->ahead = true;
		return 0;
	}
	traversal_asked(l->fs->traversals, l->dir);
	dircache_begin(l->fs->tree, l->dir, merge);
	return store_list_open(store, &q, &l->list);
}

static int dirlist_start_listing(struct dirlist *l)
{
	struct dir_merge merge;
	INODE_OBJECT_LOCAL o;
	int rc = inode_object(l->fs->tree, l->dir, &o);

	if (!rc) {
		free(l->prefix);
		l->prefix = buf_detach(&o.key);
		rc = l->prefix ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = dirlist_open(l, o.stage->store, &merge);
	if (!rc) {
		dir_filler_init(&l->fill, l->fs->tree, &merge, dirlist_show, l);
		l->state = DIRLIST_LISTING;
		if (policy_of(o.stage)->implied_dirs)
			dir_ahead_go_on(l->fs->dir_ahead, l->dir);
	}
	return rc;
}

static int dirlist_start(struct dirlist *l)
{
	struct inode_view v;
	int rc;

	inode_view(l->fs->tree, l->dir, &v);
	if (v.orphan) { /* removed while it was open: empty */
		dirlist_set_state(l, DIRLIST_ENDED, 0);
		return 0;
	}
	if (names_is_root(l->fs, l->dir)) {
		rc = stages_list(l->fs, dirlist_show, l);
	} else {
		if (v.policy->implied_dirs)
			traversal_opened(l->fs->traversals, l->dir);
		dircache_set_read(l->fs->tree, l->dir);
		rc = dircache_lasts(l->fs->tree, l->dir)
			     ? 1
			     : subtree_fill(l->fs->subtrees, l->dir);
		if (!rc)
			return dirlist_start_listing(l);
		rc = rc < 0 ? rc : dirlist_show_known(l, NULL);
	}
	if (!rc)
		dirlist_set_state(l, DIRLIST_ENDED, 0);
	return rc;
}

static int dirlist_take_entry(struct dirlist *l, const struct list_entry *e)
{
	const char *rest = e->key + strlen(l->prefix);
	size_t len = strlen(rest) - e->is_prefix;
	struct inode *i;
	char name[256];
	int rc;

	l->any = true;
	if (!e->is_prefix && !len) {
		inode_set_marker(l->fs->tree, l->dir, true);
		return 0;
	}
	if (!dir_filler_name(&l->fill, rest, len, name))
		return 0;
	if (!e->is_prefix)
		return dir_filler_file(&l->fill, name, &e->info);
	rc = dir_filler_dir(&l->fill, name, &e->info, &i);
	return rc ? rc : dirlist_show(l, i);
}

static int dirlist_finish(struct dirlist *l)
{
	int rc = dir_filler_end(&l->fill, l->list->lost);

	if (rc)
		return rc;
	rc = dirlist_show_known(l, &l->fill.merge);
	if (rc)
		return rc;
	dir_filler_tell(&l->fill, l->prefix, l->list->lost);
	dirlist_set_state(l, DIRLIST_ENDED, 0);
	return 0;
}

/* What was begun ahead has failed: that is no answer to this caller, which asks
 * again itself. */
static int dirlist_ask_again(struct dirlist *l)
{
	bool ahead = l->list->ahead;
	int rc;

	dirlist_set_state(l, DIRLIST_START, 0);
	rc = dirlist_start_listing(l);
	if (!rc)
		l->list->ahead = ahead;
	return rc;
}

static int dirlist_pull(struct dirlist *l)
{
	struct list_entry e;
	int rc = store_list_next(l->list, &e);

	if (rc < 0 && rc != -EINTR && l->was_ahead && !l->list->pages)
		return dirlist_ask_again(l);
	if (rc > 0)
		return dirlist_take_entry(l, &e);
	return rc < 0 ? rc : dirlist_finish(l);
}

/* It has failed before it showed any: what waits to be sent is there all the
 * same, in front of the error. */
static int dirlist_show_waiting(struct dirlist *l, off_t at, int rc)
{
	struct inode_view v;

	inode_view(l->fs->tree, l->dir, &v);
	if (l->n || !v.pending_below || dirlist_show_known(l, NULL))
		return rc;
	dirlist_set_state(l, DIRLIST_FAILED, rc);
	return (size_t)at < l->n ? 1 : rc;
}

int dirlist_reach(struct dirlist *l, off_t at)
{
	int rc = 0;

	while ((size_t)at >= l->n && !rc) {
		switch (l->state) {
		case DIRLIST_START:
			rc = dirlist_start(l);
			break;
		case DIRLIST_LISTING:
			rc = dirlist_pull(l);
			break;
		case DIRLIST_ENDED:
			return 0;
		case DIRLIST_FAILED:
			return l->rc;
		}
	}
	/* An interrupt ends the call, not the listing. */
	if (rc && rc != -EINTR && l->state == DIRLIST_LISTING)
		dirlist_set_state(l, DIRLIST_FAILED, rc);
	return rc && rc != -EINTR ? dirlist_show_waiting(l, at, rc) : rc ?: 1;
}

static bool dirlist_has_page(const struct dirlist *l)
{
	return l->list->pages && !l->list->left && l->list->more;
}

int dirlist_renew(struct fs *fs, struct inode *dir)
{
	char name[256];
	struct inode *up = inode_parent(fs->tree, dir, name), *now = NULL;
	unsigned worth = dircache_worth(fs->tree, dir);
	uint64_t asked = tree_clock(fs->tree);
	struct inode_view v;
	struct dirlist l;
	int rc;

	inode_view(fs->tree, dir, &v);
	rc = up || v.stage_root ? 0 : -ENOENT;
	dirlist_init(&l, fs, dir);
	if (!rc)
		rc = dirlist_start_listing(&l);
	if (!rc)
		l.list->ahead = false;
	while (!rc && l.state == DIRLIST_LISTING &&
	       !(dirlist_has_page(&l) && l.n >= worth))
		rc = dirlist_pull(&l);
	inode_view(fs->tree, dir, &v); /* its marker may have come */
	if (!rc && l.any && !v.stage_root)
		now = tree_refresh(fs->tree, up, name, INODE_DIR, NULL,
				   v.has_marker, asked);
	inode_unref(fs->tree, now);
	inode_unref(fs->tree, up);
	dirlist_clear(&l);
	return rc ? rc : l.any;
}
