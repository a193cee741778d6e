/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One inode: its references, what a caller sees of it, its path, and the
 * attributes that callers changed.
 *
 * Mode and owner stand in the inode and are lost with it, unless a caller
 * changed them: then the inode is pinned and stays (tree_lru.c).
 */
#include "fs/names/dircache.h"
#include "fs/names/tree.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "stage/location.h"
#include "stage/stage.h"

bool inode_is_fresh_locked(struct tree *t, const struct inode *i,
			   int64_t refreshed_ms)
{
	return inode_ttl_left_locked(t, i, refreshed_ms) > 0;
}

unsigned inode_ttl_left_locked(struct tree *t, const struct inode *i,
			       int64_t refreshed_ms)
{
	int64_t age = clock_mono_ms() - refreshed_ms;
	unsigned ttl = inode_ttl_ms(t, i);

	return refreshed_ms >= 0 && age < ttl ? ttl - age : 0;
}

struct inode *inode_ref_locked(struct tree *t, struct inode *i)
{
	i->refs++;
	tree_lru_update_locked(t, i);
	return i;
}

void inode_unref_locked(struct tree *t, struct inode *i)
{
	i->refs--;
	tree_lru_update_locked(t, i);
}

struct inode *inode_ref(struct tree *t, struct inode *i)
{
	TREE_DO(t, inode_ref_locked(t, i));
	return i;
}

void inode_unref(struct tree *t, struct inode *i)
{
	if (!i)
		return;
	TREE_DO(t, inode_unref_locked(t, i));
}

void inode_remember(struct tree *t, struct inode *i, uint32_t version,
		    unsigned ms)
{
	tree_lock(t);
	inode_etag_set_attr_locked(t, i, version, ms);
	i->lookups++;
	inode_unref_locked(t, i);
	tree_unlock(t);
}

bool inode_forget(struct tree *t, struct inode *i, uint64_t n)
{
	bool kept = false;

	tree_lock(t);
	i->lookups = i->lookups > n ? i->lookups - n : 0;
	if (!i->lookups) {
		inode_etag_no_pages(i); /* dropped with the kernel's inode */
		kept = i->flags & INODE_KEPT_OPEN;
		i->flags &= ~INODE_KEPT_OPEN;
	}
	tree_lru_update_locked(t, i);
	tree_unlock(t);
	return kept;
}

static bool inode_is_stage_root(const struct inode *i)
{
	return i->ext && i->ext->stage;
}

static void inode_view_mode(const struct tree *t, const struct inode *i,
			    struct inode_view *out)
{
	bool own = i->flags & INODE_OWN_MODE;

	out->uid = own ? i->uid : t->set.uid;
	out->gid = own ? i->gid : t->set.gid;
	if (own)
		out->mode = i->mode;
	else
		out->mode = i->kind == INODE_FILE ? t->set.file_mode
						  : t->set.dir_mode;
}

/* The root of i's stage, or what i hangs below otherwise. */
static const struct inode *inode_top(const struct inode *i)
{
	while (i->parent && !inode_is_stage_root(i))
		i = i->parent;
	return i;
}

static bool inode_has_lost_name(const struct inode *i)
{
	const struct inode *top = inode_top(i);

	return !(i->flags & INODE_REMOVED) && (top->flags & INODE_ORPHAN) &&
	       !inode_is_stage_root(top);
}

bool inode_is_unlearned_locked(struct tree *t, const struct inode *i)
{
	if (!inode_policy(i)->in_metadata || !inode_live(i) || !i->parent ||
	    inode_is_stage_root(i) || inode_dirty(i) ||
	    (i->flags & (INODE_ORPHAN | INODE_ATTR_DIRTY)))
		return false;
	return !(i->flags & INODE_ATTR_KNOWN) ||
	       (i->dir && !inode_is_fresh_locked(t, i, i->dir->attr_ms));
}

void inode_view_locked(struct tree *t, struct inode *i, struct inode_view *out)
{
	memset(out, 0, sizeof(*out));
	out->kind = i->kind;
	out->policy = inode_policy(i);
	out->ino = tree_number_get_locked(t, i);
	inode_view_mode(t, i, out);
	out->info.size = i->size;
	out->info.mtime = inode_timespec(i->mtime);
	out->info.class = i->class;
	strncpy(out->info.etag, inode_etag(i), sizeof(out->info.etag) - 1);
	out->atime = inode_timespec(i->atime);
	out->ctime = inode_timespec(i->ctime);
	out->stage_root = inode_is_stage_root(i);
	out->has_marker = i->flags & INODE_MARKER;
	out->published = i->flags & INODE_PUBLISHED;
	if (i == t->root || inode_is_stage_root(i) ||
	    ((inode_dirty(i) || inode_n_pending(i)) &&
	     !(i->flags & INODE_RENAMING))) {
		out->fresh = true;
		out->fresh_ms = inode_ttl_ms(t, i);
	} else {
		out->fresh_ms =
			i->flags & INODE_RENAMING
				? 0
				: inode_ttl_left_locked(t, i, i->refreshed_ms);
		out->fresh = out->fresh_ms > 0;
	}
	out->own_mtime = i->flags & INODE_OWN_MTIME;
	out->is_link = i->flags & INODE_LINK;
	out->unlearned = inode_is_unlearned_locked(t, i);
	out->made = (i->flags & INODE_ATTR_KNOWN) && !i->attr_version;
	out->changes = i->flags & INODE_CHANGES;
	out->open = i->ext && i->ext->file;
	out->stamp = i->stamp;
	out->expire = i->ext ? i->ext->expire : 0;
	out->orphan = i->flags & INODE_ORPHAN;
	out->lost = inode_has_lost_name(i);
	out->dirty = inode_dirty(i);
	out->pending = i->flags & INODE_PENDING;
	out->pending_below = i->dir && i->dir->n_pending;
}

void inode_view(struct tree *t, struct inode *i, struct inode_view *out)
{
	TREE_DO(t, inode_view_locked(t, i, out));
}

static void inode_show_locked(struct tree *t, struct inode *i,
			      struct inode_view *out) REQUIRES(t->lock)
{
	inode_view_locked(t, i, out);
	inode_etag_set_attr_locked(t, i, inode_etag_hash(out), out->fresh_ms);
}

void inode_show(struct tree *t, struct inode *i, struct inode_view *out)
{
	TREE_DO(t, inode_show_locked(t, i, out));
}

void inode_enter_locked(struct tree *t, struct inode *i, struct inode_view *out)
{
	inode_show_locked(t, i, out);
	i->lookups++;
	if (i->parent)
		i->parent->dir->used = i;
	tree_lru_update_locked(t, i);
}

#define OPENED_MAX 32 /* look-ups by bytes that others' opens allow */

/* What is found by its bytes there will be opened as well: dircache_way(). */
static void inode_opened_locked(struct tree *t, struct inode_dir *d)
	REQUIRES(t->lock)
{
	int8_t *elsewhere = &tree_locked(t)->unopened;

	if (d->unopened > -OPENED_MAX)
		d->unopened -= 2;
	*elsewhere = *elsewhere > 2 ? *elsewhere - 2 : 0;
}

void inode_use(struct tree *t, struct inode *i, struct inode_view *out)
{
	tree_lock(t);
	inode_view_locked(t, i, out);
	if (i->parent && i->size && i->size <= DIRCACHE_SMALL)
		inode_opened_locked(t, i->parent->dir);
	for (; i->parent; i = i->parent)
		i->parent->dir->used = i;
	tree_unlock(t);
}

void inode_enter(struct tree *t, struct inode *i, struct inode_view *out)
{
	tree_lock(t);
	inode_enter_locked(t, i, out);
	inode_unref_locked(t, i);
	tree_unlock(t);
}

bool inode_is_orphan(struct tree *t, struct inode *i)
{
	return TREE_UNDER(t, i->flags & INODE_ORPHAN);
}

static struct stage *inode_find_stage(const struct inode *i)
{
	for (; i; i = i->parent)
		if (inode_is_stage_root(i))
			return i->ext->stage;
	return NULL;
}

struct stage *inode_stage(struct tree *t, struct inode *i)
{
	struct stage *s;

	tree_lock(t);
	s = inode_find_stage(i);
	if (s)
		stage_ref(s);
	tree_unlock(t);
	return s;
}

bool inode_is_of_stage(struct tree *t, struct inode *i, const struct stage *s)
{
	return TREE_UNDER(t, inode_find_stage(i) == s);
}

bool inode_is_lost(struct tree *t, struct inode *i)
{
	return TREE_UNDER(t, inode_has_lost_name(i));
}

/* The path of i below its stage's root, or the root of stages. -ENOENT when it
 * does not hang there any more. */
static int inode_write_path(const struct inode *i, struct buf *out)
{
	const struct inode *at;
	size_t len = 0;
	char *end;

	for (at = i; at->parent && !inode_is_stage_root(at); at = at->parent)
		len += strlen(inode_name(at)) + (len > 0);
	if ((at->flags & INODE_ORPHAN) && !inode_is_stage_root(at))
		return -ENOENT;
	if (len > STORE_KEY_MAX)
		return -ENAMETOOLONG;
	end = len ? buf_reserve(out, len) : NULL;
	if (end) {
		out->len += len;
		end += len;
		for (at = i; at->parent && !inode_is_stage_root(at);
		     at = at->parent) {
			size_t n = strlen(inode_name(at));

			if (at != i)
				*--end = '/';
			end -= n;
			memcpy(end, inode_name(at), n);
		}
		out->data[out->len] = '\0';
	}
	return buf_err(out);
}

/* forgotten: also when its stage is not one of the root's any more, which was
 * dropped, or altered and so is another one. */
static void inode_place_locked(struct tree *t, struct inode *i, bool forgotten,
			       struct inode_place *out) REQUIRES(t->lock)
{
	struct stage *s = inode_find_stage(i);

	out->path = (struct buf)BUF_INIT(STORE_KEY_MAX + 1);
	out->stage = s ? stage_ref(s) : NULL;
	out->is_dir = i->dir;
	out->rc = !forgotten && (inode_top(i)->flags & INODE_ORPHAN)
			  ? -ENOENT
			  : inode_write_path(i, &out->path);
}

void inode_look_locked(struct tree *t, struct inode *i, struct inode_place *out)
{
	inode_view_locked(t, i, &out->view);
	inode_place_locked(t, i, false, out);
	out->expire = 0;
	for (; i && !out->expire; i = i->parent)
		out->expire = i->ext ? i->ext->expire : 0;
}

void inode_look(struct tree *t, struct inode *i, struct inode_place *out)
{
	TREE_DO(t, inode_look_locked(t, i, out));
}

void inode_place_clear(struct inode_place *p)
{
	stage_unref(p->stage);
	buf_clear(&p->path);
}

int inode_place_key(const struct inode_place *p, const char *name,
		    struct buf *out)
{
	size_t name_len = name ? strlen(name) : 0;

	buf_reset(out);
	if (name_len > NAME_BYTES_MAX)
		return -ENAMETOOLONG;
	if (name && !p->is_dir)
		return -ENOTDIR;
	if (!p->stage || p->rc)
		return p->rc ? p->rc : -ENOENT;
	if (name && p->stage->store->limits.utf8_keys && !text_is_utf8(name))
		return -EILSEQ;
	buf_adds(out, p->stage->prefix);
	buf_add(out, p->path.data, p->path.len);
	if (p->is_dir && p->path.len)
		buf_addc(out, '/');
	if (name)
		buf_adds(out, name);
	return out->len > STORE_KEY_MAX || buf_err(out) == -EMSGSIZE
		       ? -ENAMETOOLONG
		       : buf_err(out);
}

static int inode_make_key(struct tree *t, struct inode *i, bool forgotten,
			  const char *name, struct buf *out)
{
	INODE_PLACE_LOCAL p;

	TREE_DO(t, inode_place_locked(t, i, forgotten, &p));
	return inode_place_key(&p, name, out);
}

int inode_key(struct tree *t, struct inode *i, struct buf *out)
{
	return inode_make_key(t, i, false, NULL, out);
}

int inode_open_key(struct tree *t, struct inode *i, struct buf *out)
{
	return inode_make_key(t, i, true, NULL, out);
}

int inode_key_of(struct tree *t, struct inode *dir, const char *name,
		 struct buf *out)
{
	return inode_make_key(t, dir, false, name, out);
}

int inode_object(struct tree *t, struct inode *i, struct inode_object *out)
{
	struct inode_place p;
	int rc;

	TREE_DO(t, inode_place_locked(t, i, false, &p));
	out->stage = p.stage;
	out->key = (struct buf)BUF_INIT(STORE_KEY_MAX + 1);
	rc = inode_place_key(&p, NULL, &out->key);
	buf_clear(&p.path);
	return rc;
}

void inode_object_clear(struct inode_object *o)
{
	stage_unref(o->stage);
	buf_clear(&o->key);
}

bool inode_is_below(struct tree *t, struct inode *i, struct inode *above)
{
	return TREE_UNDER(t, inode_within(i, above));
}

struct inode *inode_parent(struct tree *t, struct inode *i, char name[256])
{
	struct inode *dir;

	tree_lock(t);
	dir = i->parent;
	if (dir && name)
		strcpy(name, inode_name(i));
	if (dir)
		inode_ref_locked(t, dir);
	tree_unlock(t);
	return dir;
}

void inode_touch(struct tree *t, struct inode *i)
{
	tree_lock(t);
	i->mtime = i->ctime = inode_time(clock_now());
	i->flags |= INODE_WRITTEN | INODE_OWN_MTIME;
	/* The kernel drops its pages when it sees another time. */
	i->flags &= ~INODE_KERNEL_BEGIN;
	tree_unlock(t);
}

void inode_set_pending(struct tree *t, struct inode *i, bool pending)
{
	TREE_DO(t, tree_hash_set_pending_locked(t, i, pending));
}

void inode_invalidate(struct tree *t, struct inode *i)
{
	TREE_DO(t, i->refreshed_ms = -1);
}

void inode_set_marker(struct tree *t, struct inode *dir, bool has_marker)
{
	tree_lock(t);
	if (has_marker)
		dir->flags |= INODE_MARKER;
	else
		dir->flags &= ~INODE_MARKER;
	tree_unlock(t);
}

bool inode_has_child(struct tree *t, struct inode *dir, const struct inode *but)
{
	unsigned live;

	tree_lock(t);
	live = dir->dir ? dir->dir->n_live : 0;
	live -= but && but->parent == dir && inode_live(but);
	tree_unlock(t);
	return live > 0;
}

int64_t inode_removed_ms(struct tree *t, struct inode *dir)
{
	return TREE_UNDER(t, dir->dir ? dir->dir->removed_ms : 0);
}

void inode_set_removed(struct tree *t, struct inode *dir, int64_t ms)
{
	tree_lock(t);
	if (dir->dir)
		dir->dir->removed_ms = ms;
	tree_unlock(t);
}
