/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store says of names, and what it is worth.
 *
 * An answer counts for a name unless this mount changed the name after the
 * question was asked (its stamp is later), is changing it in the store just now
 * (claims_renaming_locked()), or has something there that the store cannot know
 * yet (inode_dirty()). A stamp that left memory with its name is remembered in
 * the directory as lost_stamp: an older answer then makes a name that is not
 * believed, so that the next caller that needs it asks again.
 */
#include "fs/names/tree.h"

#include <string.h>

#include "base/clock.h"

void tree_set_ttl(struct tree *t, unsigned ttl_ms)
{
	t->set.ttl_ms = ttl_ms;
}

/* The same bytes: by the ETag, or where there is none by what else is known. */
static bool tree_refresh_same_bytes(const struct inode *i,
				    const struct object_info *info)
{
	int64_t apart = info->mtime.tv_sec - i->mtime.sec;

	if (!(i->flags & INODE_PUBLISHED))
		return false;
	if (info->etag[0])
		return !strcmp(inode_etag(i), info->etag);
	return i->size == info->size &&
	       ((i->flags & INODE_OWN_MTIME) || (apart >= -1 && apart <= 1));
}

/* The same bytes as we know keep their times: a time that we gave a file does
 * not jump to the store's when it is asked again. */
static void tree_refresh_file(struct tree *t, struct inode *i,
			      const struct object_info *info) REQUIRES(t->lock)
{
	bool same = tree_refresh_same_bytes(i, info);

	i->flags |= INODE_PUBLISHED;
	i->size = info->size;
	i->class = info->class;
	if (!same) {
		if (*inode_etag(i))
			i->flags |= INODE_CHANGES;
		inode_put_times(i, info->mtime);
		i->flags &= ~INODE_OWN_MTIME;
		i->mode &= ~(S_ISUID | S_ISGID); /* not for other bytes */
		tree_lru_unpin_locked(t, i, INODE_PIN_TIMES);
		inode_etag_put(i, info->etag);
	}
	inode_attr_refresh_locked(t, i, info);
	inode_attr_listed_locked(i, info, same);
}

/* The object that we know; of one without an ETag by its size. */
static bool tree_refresh_same_object(const struct inode *i,
				     const struct object_info *info)
{
	if (!(i->flags & INODE_PUBLISHED))
		return false;
	if (!info->etag[0] || !inode_etag(i)[0])
		return i->size == info->size;
	return !strcmp(inode_etag(i), info->etag);
}

/* A file that is open, and another one now: as on a disk, a descriptor of the
 * old one keeps that, with pages of its own in the kernel, and the name gets
 * another inode. */
static bool tree_refresh_is_other(const struct inode *i,
				  const struct object_info *info)
{
	return i->kind == INODE_FILE && (i->flags & INODE_PUBLISHED) &&
	       i->ext && i->ext->file && !tree_refresh_same_object(i, info);
}

/* The inode at dir/name that is of this kind: the one there, or a new one in
 * place of what it was. NULL without memory. */
static struct inode *tree_refresh_place_locked(
	struct tree *t, struct inode *dir, const char *name,
	enum inode_kind kind, const struct object_info *info) REQUIRES(t->lock)
{
	struct inode *i = tree_hash_find_locked(t, dir, name);
	uint64_t was = 0;

	if (i && inode_live(i) &&
	    (i->kind != kind || (info && tree_refresh_is_other(i, info)))) {
		was = i->kind == kind ? i->ino : 0;
		tree_lru_orphan_locked(t, i);
		i = NULL;
	}
	if (i && !inode_live(i))
		return tree_become_locked(t, i, kind) ? NULL : i;
	if (!i)
		i = tree_add_locked(t, dir, name, kind);
	if (i && was) {
		i->flags |= INODE_CHANGES;
		tree_number_delay_locked(t, i, was);
	}
	return i;
}

/*
 * What is below a directory shows that it is there: dir and those above it are
 * believed anew, from ms on, by the answer to a question that was asked when
 * the clock stood at `asked`. Not what has moved since, which stands elsewhere.
 */
static void tree_refresh_above_locked(struct tree *t, struct inode *dir,
				      uint64_t asked, int64_t ms)
	REQUIRES(t->lock)
{
	if (!inode_policy(dir)->implied_dirs || dir->refreshed_ms >= ms)
		return;
	for (const struct inode *d = dir; d; d = d->parent)
		if (d->stamp > asked || (d->flags & INODE_ORPHAN) ||
		    (d->parent && claims_renaming_locked(t, d->parent, d)))
			return;
	for (; dir->parent && !(dir->ext && dir->ext->stage); dir = dir->parent)
		if (dir->refreshed_ms >= 0 && dir->refreshed_ms < ms)
			dir->refreshed_ms = ms;
}

struct inode *tree_refresh_locked(struct tree *t, struct inode *dir,
				  const char *name, enum inode_kind kind,
				  const struct object_info *info,
				  bool has_marker, uint64_t asked)
{
	struct inode *i;
	bool lost;

	if (!dir->dir || (dir->flags & INODE_ORPHAN) ||
	    strlen(name) >= NAME_SIZE)
		return NULL;
	i = tree_hash_find_locked(t, dir, name);
	if (i && inode_live(i) &&
	    (i->stamp > asked || inode_dirty(i) ||
	     claims_renaming_locked(t, dir, i) ||
	     (i->kind != kind &&
	      (tree_stamp_all(i) > asked || inode_n_pending(i) ||
	       inode_file_dirty_below_locked(t, i)))))
		return inode_ref_locked(t, i);
	if (claims_renaming_locked(t, dir, i) ||
	    (i &&
	     (i->stamp > asked || (i->flags & (INODE_REMOVING | INODE_LEFT)))))
		return NULL;
	lost = !i && dir->dir->lost_stamp > asked;
	dir->refs++; /* survives the loss of its last child */
	i = tree_refresh_place_locked(t, dir, name, kind, info);
	if (i) {
		inode_ref_locked(t, i);
		i->refreshed_ms = lost ? -1 : clock_mono_ms();
		if (!lost)
			tree_refresh_above_locked(t, dir, asked,
						  i->refreshed_ms);
		if (kind == INODE_FILE)
			tree_refresh_file(t, i, info);
		else if (has_marker)
			i->flags |= INODE_MARKER;
		if (kind == INODE_DIR && info)
			inode_attr_refresh_locked(t, i, info);
	}
	inode_unref_locked(t, dir);
	return i;
}

struct inode *tree_refresh(struct tree *t, struct inode *dir, const char *name,
			   enum inode_kind kind, const struct object_info *info,
			   bool has_marker, uint64_t asked)
{
	return TREE_UNDER(t, tree_refresh_locked(t, dir, name, kind, info,
						 has_marker, asked));
}

void tree_refresh_confirm(struct tree *t, struct inode *i, const char *etag,
			  uint64_t asked, int64_t asked_ms)
{
	tree_lock(t);
	if (i->parent && i->stamp <= asked && !inode_dirty(i) &&
	    !claims_renaming_locked(t, i->parent, i) &&
	    !strcmp(inode_etag(i), etag) && i->refreshed_ms < asked_ms) {
		i->refreshed_ms = asked_ms;
		tree_refresh_above_locked(t, i->parent, asked, asked_ms);
	}
	tree_unlock(t);
}

struct inode *tree_refresh_absent_locked(struct tree *t, struct inode *dir,
					 const char *name, uint64_t asked)
{
	struct inode *i = NULL;

	if (strlen(name) >= NAME_SIZE)
		return NULL;
	if (dir->dir)
		i = tree_hash_find_locked(t, dir, name);
	if (!dir->dir || (dir->flags & INODE_ORPHAN)) {
		/* no path leads below it */
	} else if (claims_renaming_locked(t, dir, i)) {
		/* perhaps it is only elsewhere already */
	} else if (!i && dir->dir->lost_stamp <= asked) {
		i = tree_add_locked(t, dir, name, INODE_ABSENT);
		if (i) {
			i->refreshed_ms = clock_mono_ms();
			tree_lru_update_locked(t, i);
		}
		i = NULL;
	} else if (i && i->stamp <= asked && !inode_live(i)) {
		i->refreshed_ms = clock_mono_ms();
	} else if (i && tree_stamp_all(i) <= asked && !inode_n_pending(i) &&
		   !inode_file_dirty_below_locked(t, i) && !inode_dirty(i)) {
		tree_gone_locked(t, i, i->stamp);
		i = NULL;
	}
	return i && inode_live(i) ? inode_ref_locked(t, i) : NULL;
}

struct inode *tree_refresh_absent(struct tree *t, struct inode *dir,
				  const char *name, uint64_t asked)
{
	return TREE_UNDER(t, tree_refresh_absent_locked(t, dir, name, asked));
}

void tree_refresh_root(struct tree *t, struct inode *i,
		       const struct object_info *info)
{
	TREE_DO(t, inode_attr_refresh_locked(t, i, info));
}
