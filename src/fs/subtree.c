/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listings that are under way. One thread at a time reads one; others that
 * want it wait.
 *
 * What one says counts from when its page was asked for, which is when the page
 * before it came at the latest.
 */
#include "fs/subtree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/number.h"
#include "base/text.h"
#include "base/waiter.h"
#include "fs/dir_ahead.h"
#include "fs/names/dir_levels.h"
#include "fs/names.h"
#include "fs/names/inode.h"
#include "fs/traversal.h"
#include "stage/stage.h"

#define SUBTREES_MAX 4
#define FILL_PAGES 4 /* for one directory */

/* The greatest code point; with '.' before it, what is right before a '/'. */
#define BEFORE_SLASH ".\xf4\x8f\xbf\xbf"

/* A listing. Its busy thread's, but for what the lock guards. */
struct subtree {
	struct subtrees *all;
	struct dir_levels levels; /* its top: what it lists is below */
	struct stage *stage; /* referenced */
	struct store_list *list;
	struct dir_merge next_page; /* since when what it says counts */
	unsigned pages; /* that were counted */
	bool is_ahead; /* the next one was asked for */
	struct list_entry next; /* key NULL: it is yet to be read */
	bool ended;
	char name[256]; /* in the top, below which its reader is */
	/* under the lock */
	char *passed; /* the directory up to which it has come */
	bool busy;
	uint64_t used;
};

struct subtrees_locked {
	struct subtree *subtrees[SUBTREES_MAX];
	uint64_t uses;
	struct waiter_list waiters; /* for any that is busy */
};

struct subtrees {
	struct fs *fs;
	struct lock lock;
	struct subtrees_locked guarded_;
};

LOCK_GUARDS(subtrees_locked, subtrees, subtrees_locked);

/* ---- one listing ---- */

/* Has top moved, so that the listing is of another directory by now? To be
 * asked when a page has come; one that moves later is newer than the page. */
static int subtree_check_top(struct subtree *s)
{
	BUF_LOCAL key = NAMES_KEY;
	int rc = inode_key(s->all->fs->tree, s->levels.top, &key);

	if (!rc && strcmp(buf_str(&key), s->levels.prefix) != 0)
		rc = -ESTALE;
	return rc;
}

static bool subtree_affords(const struct subtree *s, unsigned more)
{
	return traversal_affords(s->all->fs->traversals, s->levels.top, s->name,
				 more);
}

/* The next entry, as s->next; its end; or -EDQUOT: that would cost too much. */
static int subtree_next(struct subtree *s, unsigned *fetched)
{
	bool asks = !s->list->left && s->list->more;
	struct dir_merge now;
	int rc, moved;

	if (s->next.key || s->ended)
		return 0;
	if (asks && s->pages &&
	    (*fetched == FILL_PAGES || !subtree_affords(s, 2)))
		return -EDQUOT;
	dircache_begin(s->all->fs->tree, NULL, &now);
	if (asks && s->pages && !s->is_ahead)
		s->next_page = now;
	s->list->ahead = asks && subtree_affords(s, 16);
	rc = store_list_next(s->list, &s->next);
	s->levels.lost = s->list->lost;
	if (s->list->pages != s->pages) {
		s->pages = s->list->pages;
		s->is_ahead = s->list->ahead;
		s->levels.page = s->next_page;
		s->next_page = now;
		(*fetched)++;
		traversal_asked_below(s->all->fs->traversals, s->levels.top,
				      s->name);
		moved = subtree_check_top(s);
		rc = rc >= 0 && moved ? moved : rc;
	}
	if (rc <= 0)
		s->next.key = NULL;
	s->ended = !rc;
	return rc < 0 ? rc : 0;
}

static void subtree_set_name(struct subtree *s, const char *key)
{
	const char *name = key + strlen(s->levels.prefix);
	size_t n = strcspn(name, "/");

	n = number_min(n, sizeof(s->name) - 1);
	memcpy(s->name, name, n);
	s->name[n] = '\0';
}

static bool subtree_is_past(const struct subtree *s, const char *key)
{
	return s->ended || (!text_starts_with(s->next.key, key) &&
			    strcmp(s->next.key, key) > 0);
}

/* Reads on until the directory of this key is behind. */
static int subtree_advance(struct subtree *s, const char *key)
{
	unsigned fetched = 0;
	int rc;

	subtree_set_name(s, key);
	rc = subtree_next(s, &fetched);
	while (!rc && !subtree_is_past(s, key)) {
		rc = dir_levels_take(&s->levels, &s->next);
		s->next.key = NULL;
		if (!rc)
			rc = subtree_next(s, &fetched);
	}
	return rc ? rc
		  : dir_levels_leave(&s->levels, s->ended ? NULL : s->next.key);
}

static void subtree_free(struct subtree *s)
{
	if (!s)
		return;
	dir_levels_clear(&s->levels);
	inode_unref(s->all->fs->tree, s->levels.top);
	if (s->list)
		store_list_close(s->list);
	stage_unref(s->stage);
	free(s->passed);
	free(s);
}

/* Everything below top from the directory of this key on. */
static int subtree_open(struct subtrees *t, struct inode *top, const char *key,
			struct subtree **out)
{
	struct list_query q = { 0 };
	BUF_LOCAL after = NAMES_KEY;
	INODE_PLACE_LOCAL at = { 0 };
	struct subtree *s = calloc(1, sizeof(*s));
	int rc = s ? 0 : -ENOMEM;

	if (rc)
		return rc;
	s->all = t;
	s->busy = true;
	inode_look(t->fs->tree, top, &at);
	rc = dir_levels_init(&s->levels, t->fs->tree,
			     inode_ref(t->fs->tree, top), &at);
	s->stage = at.stage ? stage_ref(at.stage) : NULL;
	buf_add(&after, key, strlen(key) - 1);
	buf_adds(&after, BEFORE_SLASH);
	if (!rc)
		rc = s->stage ? buf_err(&after) : -ENOENT;
	if (!rc) {
		q.prefix = s->levels.prefix;
		q.after = buf_str(&after);
		dircache_begin(t->fs->tree, NULL, &s->next_page);
		rc = store_list_open(s->stage->store, &q, &s->list);
	}
	if (rc)
		subtree_free(s);
	else
		*out = s;
	return rc;
}

/* ---- which listing ---- */

/* Where it stands; under the lock. */
static const char *subtree_at(const struct subtree *s)
{
	return s->passed ? s->passed : s->levels.prefix;
}

/* Is the directory of this key ahead of it, and below its top? */
static bool subtree_covers(struct subtrees *t, const struct subtree *s,
			   const struct stage *stage, const char *key)
	REQUIRES(t->lock)
{
	return s->stage == stage && strcmp(key, s->levels.prefix) > 0 &&
	       text_starts_with(key, s->levels.prefix) &&
	       (!s->passed || strcmp(key, s->passed) > 0);
}

/* Of several it is the nearest: another may be another program's. */
static struct subtree *subtree_find(struct subtrees *t,
				    const struct stage *stage, const char *key)
	REQUIRES(t->lock)
{
	struct subtree *found = NULL;

	for (unsigned k = 0; k < SUBTREES_MAX; k++) {
		struct subtree *s = subtrees_locked(t)->subtrees[k];

		if (s && subtree_covers(t, s, stage, key) &&
		    (!found || strcmp(subtree_at(s), subtree_at(found)) > 0))
			found = s;
	}
	return found;
}

/* One that can fill the directory of this key, which is the caller's until
 * subtree_end(); NULL: none. -EINTR. */
static int subtree_begin(struct subtrees *t, const struct stage *stage,
			 const char *key, struct subtree **out)
{
	struct subtree *s;
	int rc = 0;

	lock_take(&t->lock);
	rc = WAITER_LIST_UNTIL(&subtrees_locked(t)->waiters, &t->lock, true,
			       !(s = subtree_find(t, stage, key)) || !s->busy);
	*out = rc ? NULL : s;
	if (*out) {
		s->busy = true;
		s->used = ++subtrees_locked(t)->uses;
	}
	lock_drop(&t->lock);
	return rc;
}

/* One of the caller's for the table, unless all that is there is busy. */
static bool subtree_add(struct subtrees *t, struct subtree *s)
{
	struct subtree **at = NULL, *old = NULL;

	lock_take(&t->lock);
	for (unsigned k = 0; k < SUBTREES_MAX; k++) {
		struct subtree **p = &subtrees_locked(t)->subtrees[k];

		if (!*p ||
		    (!(*p)->busy && (!at || (*at && (*p)->used < (*at)->used))))
			at = p;
	}
	if (at) {
		old = *at;
		*at = s;
		s->used = ++subtrees_locked(t)->uses;
	}
	lock_drop(&t->lock);
	subtree_free(old);
	return at;
}

/* passed: the caller has read so far (it is taken); NULL: it may go on. drop:
 * it is of no use any more. */
static void subtree_end(struct subtrees *t, struct subtree *s, char *passed,
			bool drop)
{
	char *old = NULL;

	lock_take(&t->lock);
	if (passed) {
		old = s->passed;
		s->passed = passed;
	}
	s->busy = false;
	for (unsigned k = 0; drop && k < SUBTREES_MAX; k++)
		if (subtrees_locked(t)->subtrees[k] == s)
			subtrees_locked(t)->subtrees[k] = NULL;
	waiter_list_wake(&subtrees_locked(t)->waiters);
	lock_drop(&t->lock);
	free(old);
	if (drop)
		subtree_free(s);
}

/* Is what it would say next from too long ago? */
static bool subtree_is_old(const struct subtree *s)
{
	int64_t at = s->next.key || s->list->left ? s->levels.page.began_ms
		     : s->is_ahead || !s->pages   ? s->next_page.began_ms
						  : INT64_MAX;

	return clock_mono_ms() - at > s->all->fs->set.metadata_ttl_s * 500;
}

/* As subtree_begin(), or a new one from `first` on where the traversal is worth
 * it. */
static int subtree_take_up(struct subtrees *t, struct inode *dir,
			   const struct stage *stage, const char *key,
			   const char *first, struct subtree **out)
{
	char name[256];
	struct inode *up;
	int rc = subtree_begin(t, stage, key, out);

	if (!rc && *out && subtree_is_old(*out)) {
		subtree_end(t, *out, NULL, true);
		*out = NULL;
	}
	up = rc || *out ? NULL : inode_parent(t->fs->tree, dir, name);
	if (up && !dircache_complete(t->fs->tree, dir) &&
	    !dir_ahead_has(t->fs->dir_ahead, dir) &&
	    traversal_affords_whole(t->fs->traversals, up, name))
		rc = subtree_open(t, up, first, out);
	if (rc == -EOPNOTSUPP)
		traversal_whole(t->fs->traversals, up, name, false);
	if (*out && up && !subtree_add(t, *out)) {
		subtree_free(*out);
		*out = NULL;
	}
	inode_unref(t->fs->tree, up);
	return rc;
}

int subtree_fill_from(struct subtrees *t, struct inode *dir,
		      struct inode *first)
{
	struct subtree *s = NULL;
	INODE_OBJECT_LOCAL from = { 0 };
	struct inode_object o;
	int rc = inode_object(t->fs->tree, dir, &o);

	if (!rc)
		rc = inode_object(t->fs->tree, first, &from);

	if (!rc && t->fs->set.metadata_ttl_s &&
	    policy_of(o.stage)->implied_dirs)
		rc = subtree_take_up(t, dir, o.stage, buf_str(&o.key),
				     buf_str(&from.key), &s);
	if (s) {
		rc = subtree_advance(s, buf_str(&o.key));
		if (!rc || rc == -EDQUOT || rc == -EOPNOTSUPP)
			traversal_whole(t->fs->traversals, s->levels.top,
					s->name, !rc);
		subtree_end(t, s, rc ? NULL : buf_detach(&o.key),
			    s->ended || (rc && rc != -EINTR) ||
				    !inode_is_below(t->fs->tree, s->levels.top,
						    tree_root(t->fs->tree)));
	}
	inode_object_clear(&o);
	if (rc == -EINTR)
		return rc;
	return dircache_lasts(t->fs->tree, dir);
}

int subtree_fill(struct subtrees *t, struct inode *dir)
{
	return subtree_fill_from(t, dir, dir);
}

struct subtrees *subtrees_new(struct fs *fs)
{
	struct subtrees *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fs = fs;
	lock_init(&t->lock, LOCK_SUBTREE);
	return t;
}

/* What stands there, out of the table; NULL: nothing, or it is being read. */
static struct subtree *subtree_take_out(struct subtrees *t, unsigned k)
{
	struct subtree **at, *s;

	lock_take(&t->lock);
	at = &subtrees_locked(t)->subtrees[k];
	s = *at && !(*at)->busy ? *at : NULL;
	if (s)
		*at = NULL;
	lock_drop(&t->lock);
	return s;
}

void subtrees_forget(struct subtrees *t)
{
	for (unsigned k = 0; k < SUBTREES_MAX; k++)
		subtree_free(subtree_take_out(t, k));
}

void subtrees_free(struct subtrees *t)
{
	if (!t)
		return;
	subtrees_forget(t);
	lock_destroy(&t->lock);
	free(t);
}
