/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/names/inode_meta.h"

#include <string.h>

#include "base/clock.h"
#include "fs/names/tree.h"
#include "store/attr_meta.h"

/* A time that has passed but now may be that of another change as well: then
 * the next listing is not believed to show the same. */
#define SETTLED_S 2
#define AHEAD_LOOK 1024 /* entries that are passed over at most */

static bool meta_is_settled(const struct object_info *info)
{
	return clock_now_s() - info->mtime.tv_sec >= SETTLED_S;
}

/* ---- what is to be asked for ---- */

/* NULL: none, or too many that have gone stand between. */
static const struct inode *meta_before(const struct inode *i)
{
	i = i->prev;
	for (unsigned k = 0; i && !inode_live(i); k++)
		i = k < AHEAD_LOOK ? i->prev : NULL;
	return i;
}

static unsigned meta_ahead_locked(struct tree *t, struct inode *i,
				  struct inode **out, unsigned max)
	REQUIRES(t->lock)
{
	struct inode *dir = i->parent, *at = i->next;
	const struct inode *before;
	unsigned n = 0;

	out[n++] = inode_ref_locked(t, i);
	if (!dir || !dir->dir)
		return n;
	before = meta_before(i);
	if (!before || before != dir->dir->attr_last)
		max = 1;
	for (unsigned k = 0; at && n < max && k < AHEAD_LOOK; k++) {
		if (inode_is_unlearned_locked(t, at))
			out[n++] = inode_ref_locked(t, at);
		at = at->next;
	}
	dir->dir->attr_last = out[n - 1];
	return n;
}

unsigned inode_meta_ahead(struct tree *t, struct inode *i, struct inode **out,
			  unsigned max)
{
	return TREE_UNDER(t, meta_ahead_locked(t, i, out, max));
}

/* ---- what was told ---- */

static void meta_take_owner_locked(struct tree *t, struct inode *i,
				   const struct store_attr *a) REQUIRES(t->lock)
{
	bool is_file = i->kind == INODE_FILE;
	unsigned fixed = t->set.fixed;
	unsigned mode = is_file ? t->set.file_mode : t->set.dir_mode;

	if (i->flags & INODE_PIN_MODE) /* what is fixed was changed here */
		return;
	if (!(fixed & TREE_FIXED_UID) && (a->which & STORE_SET_UID))
		i->uid = a->uid;
	else
		i->uid = t->set.uid;
	if (!(fixed & TREE_FIXED_GID) && (a->which & STORE_SET_GID))
		i->gid = a->gid;
	else
		i->gid = t->set.gid;
	if (!(fixed & (is_file ? TREE_FIXED_FILE_MODE : TREE_FIXED_DIR_MODE)) &&
	    (a->which & STORE_SET_MODE))
		mode = a->mode;
	i->mode = (i->flags & INODE_LINK ? 0777 : mode) & 07777;
	i->flags |= INODE_OWN_MODE;
}

/* A time that is not told is that of the object, and of a directory without one
 * what it was. */
static void meta_take_times(struct inode *i, const struct object_info *info,
			    const struct store_attr *a)
{
	struct inode_time was = i->mtime, mtime = was;

	if (a->which & STORE_SET_MTIME)
		mtime = inode_time(a->mtime);
	else if (info)
		mtime = inode_time(info->mtime);
	i->mtime = mtime;
	i->atime = a->which & STORE_SET_ATIME ? inode_time(a->atime) : mtime;
	i->ctime = a->which & STORE_SET_CTIME ? inode_time(a->ctime) : mtime;
	if (a->which & STORE_SET_MTIME)
		i->flags |= INODE_OWN_MTIME;
	/* The kernel drops its pages when it sees another time. */
	if (was.sec != mtime.sec || was.nsec != mtime.nsec)
		i->flags &= ~INODE_KERNEL_BEGIN;
}

static void meta_refresh_locked(struct tree *t, struct inode *i,
				const struct object_info *info,
				const struct store_attr *a) REQUIRES(t->lock)
{
	uint32_t version = info ? inode_attr_version(info) : 0;
	bool known = i->flags & INODE_ATTR_KNOWN;

	if (i->dir)
		i->dir->attr_ms = clock_mono_ms();
	/* A directory's times move here with the names in it, once it was made
	 * or changed here too. */
	if (known && version && version == i->attr_version)
		return;
	if (i->kind == INODE_FILE && (a->which & STORE_SET_MODE))
		i->flags = (i->flags & ~INODE_LINK) |
			   (S_ISLNK(a->mode) ? INODE_LINK : 0);
	else if (i->kind == INODE_FILE)
		i->flags &= ~INODE_LINK;
	meta_take_owner_locked(t, i, a);
	if (!(i->dir && known && !i->attr_version))
		meta_take_times(i, info, a);
	i->flags |= INODE_ATTR_KNOWN;
	i->attr_version = info && meta_is_settled(info) ? version : 0;
}

/* The kernel knows it as what it is not. */
static bool meta_is_other(const struct inode *i, enum inode_kind kind,
			  const struct store_attr *a)
{
	bool is_link = (a->which & STORE_SET_MODE) && S_ISLNK(a->mode);

	return kind == INODE_FILE && i->kind == INODE_FILE && i->lookups &&
	       is_link != !!(i->flags & INODE_LINK);
}

static struct inode *meta_learn_locked(struct tree *t, struct inode *dir,
				       const char *name, enum inode_kind kind,
				       const struct object_info *info,
				       const struct store_attr *a,
				       uint64_t asked) REQUIRES(t->lock)
{
	struct inode *i = dir->dir ? tree_hash_find_locked(t, dir, name) : NULL;
	bool counts = i && i->stamp <= asked && !inode_dirty(i) &&
		      !(i->flags & (INODE_ATTR_DIRTY | INODE_REMOVING)) &&
		      i->kind == kind;

	if (counts && meta_is_other(i, kind, a)) {
		inode_ref_locked(t, dir);
		tree_lru_orphan_locked(t, i);
		i = tree_refresh_locked(t, dir, name, kind, info, false, asked);
		inode_unref_locked(t, dir);
	} else if (info) {
		i = tree_refresh_locked(t, dir, name, kind, info,
					kind == INODE_DIR, asked);
	} else if (i) {
		i = inode_live(i) ? inode_ref_locked(t, i) : NULL;
	}
	if (i && counts && !(i->flags & INODE_ATTR_DIRTY) && !inode_dirty(i) &&
	    i->kind == kind)
		meta_refresh_locked(t, i, info, a);
	return i;
}

struct inode *inode_meta_learn(struct tree *t, struct inode *dir,
			       const char *name, enum inode_kind kind,
			       const struct object_info *info,
			       const struct store_attr *a, uint64_t asked)
{
	return TREE_UNDER(t, meta_learn_locked(t, dir, name, kind, info, a,
					       asked));
}

void inode_meta_forget(struct tree *t, struct inode *i)
{
	tree_lock(t);
	if (!(i->flags & INODE_ATTR_DIRTY))
		i->flags &= ~INODE_ATTR_KNOWN;
	tree_unlock(t);
}

/* ---- what is changed ---- */

static bool meta_is_time(struct inode_time is, struct timespec to)
{
	return is.sec == to.tv_sec && is.nsec == (uint32_t)to.tv_nsec;
}

static bool meta_is_so(const struct inode *i, const struct store_attr *a)
{
	unsigned w = a->which;

	return (!(w & STORE_SET_MODE) || i->mode == (a->mode & 07777)) &&
	       (!(w & STORE_SET_UID) || i->uid == a->uid) &&
	       (!(w & STORE_SET_GID) || i->gid == a->gid) &&
	       (!(w & STORE_SET_ATIME) || meta_is_time(i->atime, a->atime)) &&
	       (!(w & STORE_SET_MTIME) || meta_is_time(i->mtime, a->mtime));
}

static bool meta_set_locked(struct tree *t, struct inode *i,
			    const struct store_attr *a) REQUIRES(t->lock)
{
	bool was_dirty;

	inode_attr_own_mode_locked(t, i);
	if (meta_is_so(i, a))
		return false;
	inode_attr_put_locked(t, i, a);
	if (a->which & STORE_SET_MTIME) {
		i->flags |= INODE_OWN_MTIME;
		i->flags &= ~INODE_KERNEL_BEGIN;
	}
	was_dirty = i->flags & INODE_ATTR_DIRTY;
	i->flags |= INODE_ATTR_KNOWN | INODE_ATTR_DIRTY;
	return !was_dirty;
}

bool inode_meta_set(struct tree *t, struct inode *i, const struct store_attr *a)
{
	return TREE_UNDER(t, meta_set_locked(t, i, a));
}

static void meta_get_locked(struct tree *t, struct inode *i,
			    struct store_attr *out) REQUIRES(t->lock)
{
	struct inode_view v;

	inode_view_locked(t, i, &v);
	memset(out, 0, sizeof(*out));
	out->which = i->flags & INODE_ATTR_KNOWN
			     ? ATTR_META_ALL
			     : STORE_SET_MTIME | STORE_SET_CTIME;
	out->mode = v.mode | inode_view_type(&v);
	out->uid = v.uid;
	out->gid = v.gid;
	out->atime = v.atime;
	out->mtime = v.info.mtime;
	out->ctime = v.ctime;
}

bool inode_meta_take(struct tree *t, struct inode *i, struct store_attr *out)
{
	bool dirty;

	tree_lock(t);
	dirty = i->flags & INODE_ATTR_DIRTY;
	i->flags &= ~INODE_ATTR_DIRTY;
	meta_get_locked(t, i, out);
	tree_unlock(t);
	return dirty;
}

void inode_meta_stored(struct tree *t, struct inode *i, int rc)
{
	tree_lock(t);
	if (!rc) {
		tree_stamp_stored_locked(t, i);
		inode_attr_known_locked(i);
	} else if (!(i->flags & INODE_ATTR_DIRTY)) {
		i->flags &= ~INODE_ATTR_KNOWN;
	}
	tree_unlock(t);
}

void inode_meta_untake(struct tree *t, struct inode *i)
{
	tree_lock(t);
	i->flags |= INODE_ATTR_KNOWN | INODE_ATTR_DIRTY;
	tree_unlock(t);
}

unsigned inode_meta_age_ms(struct tree *t, const struct inode *i)
{
	return inode_ttl_ms(t, i);
}

bool inode_meta_is_dirty(struct tree *t, struct inode *i)
{
	return TREE_UNDER(t, i->flags & INODE_ATTR_DIRTY);
}
