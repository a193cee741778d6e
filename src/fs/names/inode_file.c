/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open content of a file: at most one at a time, and the tree's list of
 * those that have one.
 */
#include "fs/names/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static struct file *inode_file_join_locked(struct tree *t, struct inode *i,
					   struct file *fresh) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	struct inode_ext *m = fresh ? inode_ext(i) : i->ext;

	if (!m || (!m->file && !fresh))
		return NULL;
	if (!m->file) {
		tree_hash_set_open_locked(t, i, fresh);
		m->open_prev = NULL;
		m->open_next = g->open;
		if (g->open)
			g->open->ext->open_prev = i;
		g->open = i;
		tree_lru_update_locked(t, i);
	}
	m->users++;
	return m->file;
}

int inode_file_join(struct tree *t, struct inode *i, struct file *fresh,
		    const char *etag, struct file **out)
{
	bool replaced;

	tree_lock(t);
	replaced = etag && inode_policy(i)->replaced_is_orphan &&
		   !(i->ext && i->ext->file) && strcmp(inode_etag(i), etag);
	*out = replaced ? NULL : inode_file_join_locked(t, i, fresh);
	tree_unlock(t);
	return replaced ? -ESTALE : *out ? 0 : -ENOMEM;
}

int inode_file_enter(struct tree *t, struct inode *i, struct file *fresh,
		     const struct object_info *number, struct inode_view *v)
{
	uint64_t ino;
	int rc = -EEXIST;

	tree_lock(t);
	if (!i->ext || !i->ext->file)
		rc = inode_file_join_locked(t, i, fresh) ? 0 : -ENOMEM;
	if (!rc) {
		ino = tree_number_of_disk_locked(t, number);
		i->ino = ino ? ino : i->ino;
		i->mtime = i->ctime = inode_time(clock_now());
		i->flags |= INODE_WRITTEN | INODE_OWN_MTIME;
		inode_enter_locked(t, i, v);
		inode_etag_no_pages(i);
		i->kernel_pages_etag = inode_etag_hash(v);
	}
	tree_unlock(t);
	return rc;
}

struct file *inode_file_get(struct tree *t, struct inode *i)
{
	return TREE_UNDER(t, inode_file_join_locked(t, i, NULL));
}

struct file *inode_file_find(struct tree *t, struct inode *i,
			     struct inode_place *at)
{
	struct file *f;

	*at = (struct inode_place){ .stage = NULL };
	tree_lock(t);
	f = inode_file_join_locked(t, i, NULL);
	if (!f) {
		inode_look_locked(t, i, at);
		inode_ref_locked(t, i);
	}
	tree_unlock(t);
	return f;
}

void inode_file_view(struct tree *t, struct inode *i, struct inode_view *v)
{
	bool asks;

	tree_lock(t);
	inode_view_locked(t, i, v);
	/* To look at a disk costs little; content that is not open is looked at
	 * when its file is opened. And a listing without ETags: nothing could
	 * be asked for by one. */
	if (v->policy->asked_by_etag)
		asks = !v->dirty && !*v->info.etag;
	else
		asks = v->open;
	if (asks && v->published && !v->orphan) {
		i->refreshed_ms = -1;
		inode_view_locked(t, i, v);
	}
	tree_unlock(t);
}

/* Neither size, time nor pages are those of the object that is there. */
static void inode_file_give_up_locked(struct tree *t, struct inode *i,
				      struct inode_given_up *out)
	REQUIRES(t->lock)
{
	i->flags &= ~(INODE_WRITTEN | INODE_ATTR_KNOWN | INODE_ATTR_DIRTY);
	i->refreshed_ms = -1;
	inode_etag_no_pages(i);
	i->kernel_attr_etag = 0;
	/* The times are the store's when it tells of the object. */
	if (!(i->flags & INODE_PIN_TIMES) && !inode_policy(i)->keeps_owner)
		inode_etag_put(i, "");
	if (!i->parent)
		return;
	out->dir = i->parent;
	strcpy(out->name, inode_name(i));
	out->is_gone = !(i->flags & INODE_PUBLISHED);
}

static void inode_file_last_left_locked(struct tree *t, struct inode *i,
					struct inode_given_up *out)
	REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	struct inode_ext *m = i->ext;

	tree_hash_set_open_locked(t, i, NULL);
	if (m->next_ino && inode_policy(i)->keeps_numbers) {
		/* its old one is the disk's to give again, which the kernel may
		 * have yet: the next open tells it */
		i->ino = m->next_ino;
		m->next_ino = 0;
		i->kernel_attr_etag = 0;
	}
	*(m->open_prev ? &m->open_prev->ext->open_next : &g->open) =
		m->open_next;
	if (m->open_next)
		m->open_next->ext->open_prev = m->open_prev;
	if (i->flags & INODE_WRITTEN)
		inode_file_give_up_locked(t, i, out);
	if (!(i->flags & (INODE_PUBLISHED | INODE_ORPHAN)) && i->parent)
		tree_lru_orphan_locked(t, i);
	else
		tree_lru_update_locked(t, i);
}

/* The name is what the store has there, with the mode and owner that were
 * chosen for it here. */
static void inode_file_succeed_locked(struct tree *t, struct inode *i,
				      struct inode *dir, const char *name)
	REQUIRES(t->lock)
{
	bool pinned = i->flags & INODE_PIN_MODE;
	struct inode *next;

	tree_lru_orphan_locked(t, i);
	dir->dir->complete_ms = -1;
	if (!pinned || !(i->flags & INODE_PUBLISHED))
		return;
	next = tree_add_locked(t, dir, name, INODE_FILE);
	if (!next)
		return;
	next->mode = i->mode;
	next->uid = i->uid;
	next->gid = i->gid;
	next->size = i->size;
	next->flags |= INODE_PUBLISHED | INODE_OWN_MODE;
	tree_lru_pin_locked(t, next, INODE_PIN_MODE);
	tree_lru_update_locked(t, next);
}

void inode_file_part(struct tree *t, struct inode *i,
		     struct inode_given_up *out)
{
	struct inode *dir;

	out->dir = NULL;
	tree_lock(t);
	dir = i->parent;
	if (dir && (i->flags & INODE_WRITTEN) && i->ext && i->ext->users > 1) {
		out->dir = dir;
		out->is_gone = true;
		strcpy(out->name, inode_name(i));
		dir->refs++;
		inode_file_succeed_locked(t, i, dir, out->name);
		dir->refs--;
		tree_lru_update_locked(t, dir);
	}
	tree_unlock(t);
}

/* Not counting the caller, and the handle that keeps it open to send it
 * later. */
static bool inode_file_is_alone(const struct inode *i)
{
	return i->ext && i->ext->users == (i->flags & INODE_PENDING ? 2 : 1);
}

bool inode_file_put(struct tree *t, struct inode *i, struct inode_given_up *out)
{
	bool last = false;

	out->dir = NULL;
	tree_lock(t);
	if (i->ext && i->ext->users)
		last = --i->ext->users == 0;
	if (last)
		inode_file_last_left_locked(t, i, out);
	else if (inode_file_is_alone(i))
		waiter_list_wake(&tree_locked(t)->waiters);
	tree_unlock(t);
	return last;
}

bool inode_file_wait_alone(struct tree *t, struct inode *i, unsigned ms)
{
	int64_t until_ms = clock_mono_ms() + ms;
	bool alone;
	int rc = 0;

	tree_lock(t);
	for (;;) {
		alone = inode_file_is_alone(i);
		if (alone || rc || clock_mono_ms() >= until_ms)
			break;
		rc = waiter_list_sleep(&tree_locked(t)->waiters, &t->lock,
				       until_ms);
	}
	tree_unlock(t);
	return alone;
}

bool inode_file_keep_open(struct tree *t, struct inode *i)
{
	bool can;

	tree_lock(t);
	can = i->lookups && !(i->flags & INODE_KEPT_OPEN);
	if (can)
		i->flags |= INODE_KEPT_OPEN;
	tree_unlock(t);
	return can;
}

struct file *inode_file_drop_any(struct tree *t)
{
	struct file *f = NULL;

	tree_lock(t);
	for (struct inode *i = tree_locked(t)->open; i && !f;
	     i = i->ext->open_next) {
		if (!(i->flags & INODE_KEPT_OPEN))
			continue;
		i->flags &= ~INODE_KEPT_OPEN;
		f = i->ext->file;
	}
	tree_unlock(t);
	return f;
}

/* How many are below (and at) i; the first `room` of them, referenced, in
 * list. */
static unsigned inode_file_list_locked(struct tree *t, const struct inode *i,
				       struct inode **list, unsigned room)
	REQUIRES(t->lock)
{
	unsigned n = inode_n_open(i), k = 0;

	if (n > room)
		return n;
	for (struct inode *o = tree_locked(t)->open; o && k < n;
	     o = o->ext->open_next) {
		if (!inode_within(o, i))
			continue;
		o->refs++;
		list[k++] = o;
	}
	return n;
}

int inode_file_list(struct tree *t, struct inode *i, struct inode ***out,
		    unsigned *n)
{
	unsigned room = 0;

	*out = NULL;
	while ((*n = TREE_UNDER(t, inode_file_list_locked(t, i, *out, room))) >
	       room) {
		free(*out);
		room = *n;
		*out = calloc(room, sizeof(**out));
		if (!*out) {
			*n = 0;
			return -ENOMEM;
		}
	}
	return 0;
}

bool inode_file_dirty_below_locked(struct tree *t, struct inode *i)
{
	struct tree_locked *g = tree_locked(t);
	unsigned n = inode_n_open(i);

	if (n && !i->dir)
		return inode_dirty(i);
	for (struct inode *o = g->open; o && n; o = o->ext->open_next) {
		g->scanned++;
		if (!inode_within(o, i))
			continue;
		if (inode_dirty(o))
			return true;
		n--;
	}
	return false;
}

int inode_file_supersede(struct tree *t, struct inode *i, struct inode *to,
			 struct inode *to_dir, const char *name)
{
	char etag[STORE_ETAG_SIZE] = "";
	bool published = false;
	int rc;

	if (strlen(name) >= NAME_SIZE)
		return -ENAMETOOLONG;
	tree_lock(t);
	if (to) {
		published = to->flags & INODE_PUBLISHED;
		strncpy(etag, inode_etag(to), sizeof(etag) - 1);
	}
	rc = tree_move_locked(t, i, to_dir, name);
	if (!rc && published) {
		i->flags |= INODE_PUBLISHED | INODE_WRITTEN;
		inode_etag_put(i, etag);
	}
	tree_unlock(t);
	return rc;
}
