/*
 * The tree's frame: the hash table from (parent, name) to an inode, and the
 * lists of children. Who lives how long is lifetime.c's.
 *
 * A name and an ETag share one allocation, since most names have both and
 * neither changes often: about 260 bytes a cached file altogether.
 */
#include "fs/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stage/stage.h"

#define BUCKETS_MIN 1024

/*
 * st_ino: 64 bits under one st_dev. The first disk whose files we show has its
 * own numbers; those of the next have the disk's place in the list above
 * INO_BITS, and numbers of ours the class above all of these.
 */
#define INO_BITS 56
#define INO_OWN 0x7fULL

static uint64_t hash_bytes(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ULL;
	return h;
}

static size_t bucket_of(const struct tree_locked *g, const struct inode *dir,
			const char *name)
{
	uint64_t h = hash_bytes(0xcbf29ce484222325ULL ^ (uintptr_t)dir, name);

	return (h ^ h >> 29) & (g->n_buckets - 1);
}

static void grow_locked(struct tree *t) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	size_t old_n = g->n_buckets;
	struct inode **old = g->buckets;
	struct inode **new = calloc(old_n * 2, sizeof(*new));

	if (!new)
		return; /* slower, not wrong */
	g->buckets = new;
	g->n_buckets = old_n * 2;
	for (size_t b = 0; b < old_n; b++) {
		struct inode *next;

		for (struct inode *i = old[b]; i; i = next) {
			struct inode **to;

			next = i->hash_next;
			to = &new[bucket_of(g, i->parent, inode_name(i))];
			i->hash_next = *to;
			*to = i;
		}
	}
	free(old);
}

struct inode *tree_child_locked(struct tree *t, struct inode *dir,
				const char *name)
{
	struct tree_locked *g = tree_locked(t);

	for (struct inode *i = g->buckets[bucket_of(g, dir, name)]; i;
	     i = i->hash_next)
		if (i->parent == dir && !strcmp(inode_name(i), name))
			return i;
	return NULL;
}

void tree_attach_locked(struct tree *t, struct inode *i, struct inode *dir)
{
	struct tree_locked *g = tree_locked(t);
	struct inode **bucket = &g->buckets[bucket_of(g, dir, inode_name(i))];

	i->hash_next = *bucket;
	*bucket = i;
	i->parent = dir;
	i->prev = NULL;
	i->next = dir->dir->first;
	if (i->next)
		i->next->prev = i;
	dir->dir->first = i;
	dir->dir->n_children++;
	dir->dir->n_live += inode_live(i);
	if (++g->n_hashed > g->n_buckets)
		grow_locked(t);
	tree_settle_locked(t, dir);
}

void tree_detach_locked(struct tree *t, struct inode *i)
{
	struct tree_locked *g = tree_locked(t);
	struct inode *dir = i->parent;
	struct inode **p = &g->buckets[bucket_of(g, dir, inode_name(i))];

	while (*p != i)
		p = &(*p)->hash_next;
	*p = i->hash_next;
	g->n_hashed--;
	if (i->prev)
		i->prev->next = i->next;
	else
		dir->dir->first = i->next;
	if (i->next)
		i->next->prev = i->prev;
	i->prev = i->next = i->parent = NULL;
	dir->dir->n_children--;
	dir->dir->n_live -= inode_live(i);
}

bool tree_within(const struct inode *i, const struct inode *above)
{
	while (i && i != above)
		i = i->parent;
	return i != NULL;
}

static int make_dir(struct inode *i)
{
	i->dir = calloc(1, sizeof(*i->dir));
	if (!i->dir)
		return -ENOMEM;
	i->dir->complete_ms = -1;
	return 0;
}

uint64_t tree_own_ino_locked(struct tree *t)
{
	return INO_OWN << INO_BITS | ++tree_locked(t)->last_ino;
}

uint64_t tree_disk_ino_locked(struct tree *t, const struct object_info *info)
{
	struct tree_locked *g = tree_locked(t);
	uint64_t k = 0;

	/* 0 is none, 1 the root's. */
	if (info->ino <= 1 || info->ino >> INO_BITS)
		return 0;
	while (k < g->n_disks && g->disks[k] != info->dev)
		k++;
	if (k == TREE_DISKS)
		return 0;
	if (k == g->n_disks)
		g->disks[g->n_disks++] = info->dev;
	return k << INO_BITS | info->ino;
}

/*
 * Programs look at a name, open it and look again (cp, tail): another number is
 * another file to them. So a number changes only when no descriptor is open,
 * though each of our publications is another file of the disk, and after the
 * kernel has forgotten the one that it was told.
 */
static void later_locked(struct tree *t, struct inode *i, uint64_t ino)
	REQUIRES(t->lock)
{
	struct inode_more *m = inode_more(i);

	if (!m) {
		i->ino = ino;
	} else if (m->next_ino != ino) {
		m->next_ino = ino;
		m->next_ino_ms =
			clock_mono_ms() + (i->flags & INODE_OF_FILES
						   ? t->set.files_ttl_ms
						   : t->set.ttl_ms);
	}
}

void tree_number_locked(struct tree *t, struct inode *i, uint64_t ino)
{
	bool shown =
		i->lookups || (i->more && (i->more->file || i->more->next_ino));

	if (!ino || i == t->root)
		return;
	if (shown && ino != i->ino) {
		later_locked(t, i, ino);
		return;
	}
	i->ino = ino;
	if (i->more)
		i->more->next_ino = 0;
}

void tree_renumber_locked(struct tree *t, struct inode *i, uint64_t was)
{
	uint64_t ino = i->ino;

	i->ino = was;
	later_locked(t, i, ino);
}

uint64_t tree_ino_locked(struct tree *t, struct inode *i)
{
	struct inode_more *m = i->more;

	if (m && m->next_ino && !m->file && clock_mono_ms() >= m->next_ino_ms) {
		i->ino = m->next_ino;
		m->next_ino = 0;
	}
	return i->ino;
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
	i->ino = kind == INODE_ABSENT ? 0 : tree_own_ino_locked(t);
	i->told_ms = -1;
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
	tree_attach_locked(t, i, dir);
	return i;
}

int tree_become_locked(struct tree *t, struct inode *i, enum inode_kind kind)
{
	struct inode_dir *d = i->parent->dir;

	if (kind == INODE_DIR && !i->dir && make_dir(i))
		return -ENOMEM;
	d->n_live -= inode_live(i);
	i->kind = kind;
	i->ino = tree_own_ino_locked(t); /* another file under an old name */
	i->flags &= ~INODE_OWN_MODE;
	d->n_live += inode_live(i);
	inode_put_times(i, t->began);
	return 0;
}

void tree_drop(struct tree *t)
{
	struct inode_more *dead = tree_locked(t)->dead, *next;

	tree_locked(t)->dead = NULL;
	lock_drop(&t->lock);
	for (; dead; dead = next) {
		next = dead->next_dead;
		stage_unref(dead->stage);
		free(dead);
	}
}

struct tree *tree_new(const struct tree_settings *s, struct stage *stage)
{
	struct tree *t = calloc(1, sizeof(*t));
	struct tree_locked *g;
	struct inode_more *m;

	if (!t)
		return NULL;
	t->set = *s;
	if (!t->set.cache_max)
		t->set.cache_max = INODE_CACHE_MAX;
	if (!t->set.pins_max)
		t->set.pins_max = INODE_PINS_MAX;
	t->began = clock_now();
	lock_init(&t->lock);
	tree_take(t);
	g = tree_locked(t);
	g->n_buckets = BUCKETS_MIN;
	g->buckets = calloc(g->n_buckets, sizeof(*g->buckets));
	t->root = make_inode(t, "", stage ? INODE_DIR : INODE_ROOT);
	if (t->root)
		t->root->ino = 1;
	m = t->root ? inode_more(t->root) : NULL;
	if (m && stage)
		m->stage = stage_ref(stage);
	if (m && stage && stage_of_files(stage))
		t->root->flags |= INODE_OF_FILES;
	tree_drop(t);
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
		tree_free_inode_locked(t, at);
	}
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	tree_take(t);
	free_all_locked(t, t->root);
	free_all_locked(t, tree_locked(t)->orphans);
	free(tree_locked(t)->buckets);
	tree_drop(t);
	lock_destroy(&t->lock);
	free(t);
}

struct inode *tree_root(struct tree *t)
{
	return t->root;
}
