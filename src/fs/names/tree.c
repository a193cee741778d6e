/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree's frame: the hash table from (parent, name) to an inode, and the
 * lists of children. How long an inode lives is tree_lru.c's.
 *
 * A name and an ETag share one allocation, since most names have both and
 * neither changes often: about 270 bytes a cached file altogether.
 */
#include "fs/names/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "stage/stage.h"

static int tree_new_dir(struct inode *i)
{
	i->dir = calloc(1, sizeof(*i->dir));
	if (!i->dir)
		return -ENOMEM;
	i->dir->complete_ms = i->dir->attr_ms = -1;
	return 0;
}

static struct inode *tree_new_inode_locked(struct tree *t, const char *name,
					   enum inode_kind kind)
	REQUIRES(t->lock)
{
	size_t len = strlen(name);
	struct inode *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->text = calloc(1, len + 2);
	i->kind = kind;
	i->ino = kind == INODE_ABSENT ? 0 : tree_number_new_locked(t);
	i->refreshed_ms = -1;
	inode_put_times(i, t->began);
	if (!i->text ||
	    ((kind == INODE_DIR || kind == INODE_ROOT) && tree_new_dir(i))) {
		free(i->text);
		free(i);
		return NULL;
	}
	memcpy(i->text, name, len);
	return i;
}

struct inode *tree_add_locked(struct tree *t, struct inode *dir,
			      const char *name, enum inode_kind kind)
{
	struct inode *i = tree_new_inode_locked(t, name, kind);

	if (!i)
		return NULL;
	i->policy = dir->policy;
	tree_hash_add_locked(t, i, dir);
	tree_lru_update_locked(t, dir);
	return i;
}

int tree_become_locked(struct tree *t, struct inode *i, enum inode_kind kind)
{
	struct inode_dir *d = i->parent->dir;

	if (kind == INODE_DIR && !i->dir && tree_new_dir(i))
		return -ENOMEM;
	d->n_live -= inode_live(i);
	i->kind = kind;
	i->ino = tree_number_new_locked(t); /* another file under an old name */
	i->flags &= ~(INODE_OWN_MODE | INODE_ATTR_KNOWN | INODE_ATTR_DIRTY |
		      INODE_LINK | INODE_LEFT);
	d->n_live += inode_live(i);
	inode_put_times(i, t->began);
	return 0;
}

struct tree *tree_new(const struct tree_settings *s, struct stage *stage)
{
	struct tree *t = calloc(1, sizeof(*t));
	struct inode_ext *m;
	int rc;

	if (!t)
		return NULL;
	t->set = *s;
	if (!t->set.cache_max)
		t->set.cache_max = INODE_CACHE_MAX;
	if (!t->set.pins_max)
		t->set.pins_max = INODE_PINS_MAX;
	t->began = clock_now();
	lock_init(&t->lock, LOCK_TREE);
	tree_lock(t);
	rc = tree_hash_init_locked(t);
	t->root = tree_new_inode_locked(t, "", stage ? INODE_DIR : INODE_ROOT);
	if (t->root)
		t->root->ino = 1;
	m = t->root ? inode_ext(t->root) : NULL;
	if (m && stage) {
		m->stage = stage_ref(stage);
		t->root->policy = policy_kind_of(stage);
	}
	tree_unlock(t);
	if (rc || !m) {
		tree_free(t);
		return NULL;
	}
	return t;
}

/* i, what is below and beside it, held or not. */
static void tree_free_all_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock)
{
	struct inode *next;

	for (struct inode *at = i; at; at = next) {
		if (at->dir && at->dir->first) {
			next = at->dir->first;
			continue;
		}
		next = at->next ? at->next : at->parent;
		if (at->parent)
			at->parent->dir->first = at->next;
		tree_lru_free_locked(t, at);
	}
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	tree_lock(t);
	tree_free_all_locked(t, t->root);
	tree_free_all_locked(t, tree_locked(t)->orphans);
	tree_hash_clear_locked(t);
	tree_unlock(t);
	lock_destroy(&t->lock);
	free(t);
}

struct inode *tree_root(struct tree *t)
{
	return t->root;
}

static struct inode *tree_find_child_locked(struct tree *t, struct inode *dir,
					    const char *name) REQUIRES(t->lock)
{
	return dir->dir ? tree_hash_find_locked(t, dir, name) : NULL;
}

enum tree_answer tree_find_locked(struct tree *t, struct inode *dir,
				  const char *name, struct inode **out)
{
	struct inode *i = tree_find_child_locked(t, dir, name);

	*out = i;
	if (i && inode_live(i)) {
		if (!(i->flags & INODE_RENAMING) &&
		    (inode_dirty(i) || inode_n_pending(i) ||
		     inode_is_fresh_locked(t, i, i->refreshed_ms)))
			return TREE_KNOWN;
	} else if ((i && (i->flags & (INODE_REMOVING | INODE_LEFT))) ||
		   (dir->dir &&
		    inode_is_fresh_locked(t, dir, dir->dir->complete_ms)) ||
		   (i && inode_is_fresh_locked(t, i, i->refreshed_ms))) {
		return TREE_ABSENT;
	}
	return TREE_UNKNOWN;
}

enum tree_answer tree_find(struct tree *t, struct inode *dir, const char *name,
			   struct inode **out, struct inode_place *at)
{
	enum tree_answer answer;
	struct inode *i;

	tree_lock(t);
	answer = tree_find_locked(t, dir, name, &i);
	if (answer == TREE_KNOWN)
		*out = inode_ref_locked(t, i);
	if (at)
		inode_look_locked(t, dir, at);
	tree_unlock(t);
	return answer;
}

static unsigned tree_absent_ms_locked(struct tree *t, struct inode *dir,
				      const char *name) REQUIRES(t->lock)
{
	struct inode *i = tree_find_child_locked(t, dir, name);
	unsigned left = i && !inode_live(i)
				? inode_ttl_left_locked(t, i, i->refreshed_ms)
				: 0;
	unsigned whole =
		dir->dir ? inode_ttl_left_locked(t, dir, dir->dir->complete_ms)
			 : 0;

	return number_max(left, whole);
}

unsigned tree_absent_ms(struct tree *t, struct inode *dir, const char *name)
{
	return TREE_UNDER(t, tree_absent_ms_locked(t, dir, name));
}

static bool tree_absent_just_locked(struct tree *t, struct inode *dir,
				    const char *name, unsigned ms)
	REQUIRES(t->lock)
{
	const struct inode *i = tree_find_child_locked(t, dir, name);
	int64_t since = clock_mono_ms() - ms;

	if (i && (inode_live(i) || (i->flags & (INODE_REMOVING | INODE_LEFT))))
		return false;
	return (i && i->refreshed_ms > since) ||
	       (dir->dir && dir->dir->complete_ms > since);
}

bool tree_absent_just(struct tree *t, struct inode *dir, const char *name,
		      unsigned ms)
{
	return TREE_UNDER(t, tree_absent_just_locked(t, dir, name, ms));
}

enum tree_answer tree_lookup(struct tree *t, struct inode *dir,
			     const char *name, struct inode **out,
			     struct inode_view *v, unsigned *absent_ms)
{
	enum tree_answer answer;

	tree_lock(t);
	answer = tree_find_locked(t, dir, name, out);
	if (answer == TREE_KNOWN)
		inode_view_locked(t, *out, v);
	if (answer == TREE_KNOWN && v->unlearned)
		inode_ref_locked(t, *out);
	else if (answer == TREE_KNOWN)
		inode_enter_locked(t, *out, v);
	else if (answer == TREE_ABSENT)
		*absent_ms = tree_absent_ms_locked(t, dir, name);
	tree_unlock(t);
	return answer;
}

enum tree_answer tree_guess(struct tree *t, struct inode *dir, const char *name,
			    struct inode **out)
{
	enum tree_answer answer = TREE_UNKNOWN;
	struct inode *i;

	*out = NULL;
	tree_lock(t);
	i = tree_find_child_locked(t, dir, name);
	if (i && inode_live(i)) {
		*out = inode_ref_locked(t, i);
		answer = TREE_KNOWN;
	} else if (i || (dir->dir && dir->dir->complete_ms >= 0)) {
		answer = TREE_ABSENT;
	}
	tree_unlock(t);
	return answer;
}

struct inode *tree_peek(struct tree *t, struct inode *dir, const char *name)
{
	struct inode *i;

	tree_guess(t, dir, name, &i);
	return i;
}

uint64_t tree_clock(struct tree *t)
{
	return TREE_UNDER(t, tree_locked(t)->clock);
}

void tree_stamp_locked(struct tree *t, struct inode *i)
{
	i->stamp = ++tree_locked(t)->clock;
	i->refreshed_ms = clock_mono_ms();
}

void tree_dir_changed(struct inode *dir)
{
	dir->mtime = dir->ctime = inode_time(clock_now());
	if (!inode_policy(dir)->implied_dirs)
		dir->refreshed_ms = -1; /* it has a time of its own */
}

static int tree_make_locked(struct tree *t, struct inode *dir, const char *name,
			    enum inode_kind kind, struct inode **out)
	REQUIRES(t->lock)
{
	struct inode *i;

	if (!dir->dir || (dir->flags & INODE_ORPHAN))
		return -ENOENT;
	i = tree_hash_find_locked(t, dir, name);
	if (i && inode_live(i))
		return -EEXIST;
	if (i && (i->flags & INODE_REMOVING))
		return -EINPROGRESS;
	if (i && tree_become_locked(t, i, kind))
		return -ENOMEM;
	if (!i)
		i = tree_add_locked(t, dir, name, kind);
	if (!i)
		return -ENOMEM;
	i->refs++;
	tree_stamp_locked(t, i);
	inode_put_times(i, clock_now());
	i->flags |= INODE_OWN_MTIME;
	if (i->dir) { /* it is empty */
		i->dir->complete_ms = i->refreshed_ms;
		i->dir->all_named = true;
	}
	tree_dir_changed(dir);
	tree_lru_update_locked(t, i);
	*out = i;
	return 0;
}

int tree_create_locked(struct tree *t, struct inode *dir, const char *name,
		       const struct tree_new_name *n, struct inode **out)
{
	struct inode *i;
	int rc = -ENAMETOOLONG;

	if (strlen(name) < NAME_SIZE)
		rc = tree_make_locked(t, dir, name, n->kind, &i);
	if (rc)
		return rc;
	if (n->kind == INODE_DIR)
		i->flags |= INODE_MADE;
	i->mode = n->mode & 07777;
	i->uid = n->uid;
	i->gid = n->gid;
	i->flags |=
		S_ISLNK(n->mode) ? INODE_OWN_MODE | INODE_LINK : INODE_OWN_MODE;
	inode_attr_known_locked(i);
	dir->dir->read = true; /* which others are free is asked next */
	dir->dir->n_made++;
	*out = i;
	return 0;
}

int tree_create(struct tree *t, struct inode *dir, const char *name,
		enum inode_kind kind, mode_t mode, uid_t uid, gid_t gid,
		struct inode **out)
{
	const struct tree_new_name n = { kind, mode, uid, gid };

	return TREE_UNDER(t, tree_create_locked(t, dir, name, &n, out));
}

/* A question that was asked meanwhile may have the answer of before. */
void tree_dir_made(struct tree *t, struct inode *dir)
{
	tree_lock(t);
	dir->flags &= ~INODE_MADE;
	tree_stamp_stored_locked(t, dir);
	dir->refreshed_ms = clock_mono_ms();
	tree_unlock(t);
}

void tree_invalidate(struct tree *t, struct inode *dir, const char *name)
{
	struct inode *i;

	tree_lock(t);
	i = dir->dir ? tree_hash_find_locked(t, dir, name) : NULL;
	if (i && !inode_dirty(i))
		i->refreshed_ms = -1;
	if (dir->dir)
		dir->dir->complete_ms = -1;
	tree_unlock(t);
}

/* A stage that was dropped and made again, or altered, is another. */
static bool tree_same_stage(const struct stage *a, const struct stage *b)
{
	return a == b || (a->store == b->store && a->ro == b->ro &&
			  a->kind == b->kind && !strcmp(a->prefix, b->prefix));
}

static struct inode *tree_put_stage_locked(struct tree *t, struct stage *stage)
	REQUIRES(t->lock)
{
	struct inode *i = tree_hash_find_locked(t, t->root, stage->name);

	if (i && inode_live(i)) {
		if (tree_same_stage(i->ext->stage, stage))
			return i;
		tree_lru_orphan_locked(t, i);
		i = NULL;
	}
	if (i && tree_become_locked(t, i, INODE_DIR))
		return NULL;
	if (!i)
		i = tree_add_locked(t, t->root, stage->name, INODE_DIR);
	if (!i)
		return NULL;
	if (!inode_ext(i)) {
		tree_lru_orphan_locked(t, i);
		return NULL;
	}
	i->ext->stage = stage_ref(stage);
	i->policy = policy_kind_of(stage);
	return i;
}

struct inode *tree_put_stage(struct tree *t, struct stage *stage,
			     uint64_t asked, uint64_t seen)
{
	struct inode *i;

	if (strlen(stage->name) >= NAME_SIZE || t->root->kind != INODE_ROOT)
		return NULL;
	tree_lock(t);
	i = tree_hash_find_locked(t, t->root, stage->name);
	if (i && i->stamp > asked) { /* it was made or dropped since */
		i = inode_live(i) ? i : NULL;
	} else {
		i = tree_put_stage_locked(t, stage);
		if (i && asked == TREE_LOCAL)
			tree_stamp_locked(t, i);
		if (i)
			i->refreshed_ms = clock_mono_ms();
	}
	if (i) {
		if (i->seen < seen)
			i->seen = seen;
		inode_ref_locked(t, i);
	}
	tree_unlock(t);
	return i;
}
