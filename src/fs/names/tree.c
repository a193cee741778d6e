/*
 * The tree's frame: the hash table from (parent, name) to an inode, and the
 * lists of children. Who lives how long is lifetime.c's.
 *
 * A name and an ETag share one allocation, since most names have both and
 * neither changes often: about 260 bytes a cached file altogether.
 */
#include "fs/names/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stage/stage.h"

#define BUCKETS_MIN 1024

static int make_dir(struct inode *i)
{
	i->dir = calloc(1, sizeof(*i->dir));
	if (!i->dir)
		return -ENOMEM;
	i->dir->complete_ms = -1;
	return 0;
}

static struct inode *make_inode(struct tree *t, const char *name,
				enum inode_kind kind) REQUIRES(t->lock)
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
	    ((kind == INODE_DIR || kind == INODE_ROOT) && make_dir(i))) {
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
	struct inode *i = make_inode(t, name, kind);

	if (!i)
		return NULL;
	i->flags |= dir->flags & INODE_OF_FILES;
	tree_hash_add_locked(t, i, dir);
	tree_lru_update_locked(t, dir);
	return i;
}

int tree_become_locked(struct tree *t, struct inode *i, enum inode_kind kind)
{
	struct inode_dir *d = i->parent->dir;

	if (kind == INODE_DIR && !i->dir && make_dir(i))
		return -ENOMEM;
	d->n_live -= inode_live(i);
	i->kind = kind;
	i->ino = tree_number_new_locked(t); /* another file under an old name */
	i->flags &= ~INODE_OWN_MODE;
	d->n_live += inode_live(i);
	inode_put_times(i, t->began);
	return 0;
}

struct tree *tree_new(const struct tree_settings *s, struct stage *stage)
{
	struct tree *t = calloc(1, sizeof(*t));
	struct tree_locked *g;
	struct inode_ext *m;

	if (!t)
		return NULL;
	t->set = *s;
	if (!t->set.cache_max)
		t->set.cache_max = INODE_CACHE_MAX;
	if (!t->set.pins_max)
		t->set.pins_max = INODE_PINS_MAX;
	t->began = clock_now();
	lock_init(&t->lock);
	tree_lock(t);
	g = tree_locked(t);
	g->n_buckets = BUCKETS_MIN;
	g->buckets = calloc(g->n_buckets, sizeof(*g->buckets));
	t->root = make_inode(t, "", stage ? INODE_DIR : INODE_ROOT);
	if (t->root)
		t->root->ino = 1;
	m = t->root ? inode_ext(t->root) : NULL;
	if (m && stage)
		m->stage = stage_ref(stage);
	if (m && stage && stage_of_files(stage))
		t->root->flags |= INODE_OF_FILES;
	tree_unlock(t);
	if (!t->guarded_.buckets || !m) {
		tree_free(t);
		return NULL;
	}
	return t;
}

/* i, what is below and beside it, whoever holds it: nobody is left to ask. */
static void free_all_locked(struct tree *t, struct inode *i) REQUIRES(t->lock)
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
	free_all_locked(t, t->root);
	free_all_locked(t, tree_locked(t)->orphans);
	free(tree_locked(t)->buckets);
	tree_unlock(t);
	lock_destroy(&t->lock);
	free(t);
}

struct inode *tree_root(struct tree *t)
{
	return t->root;
}
