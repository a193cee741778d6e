/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes that a caller chose, or the store keeps. Mode and owner stand in
 * the inode and are lost with it, unless a caller changed them: then it is
 * pinned and stays.
 */
#include "fs/names/tree.h"

#include <errno.h>

#include "base/clock.h"
#include "base/hash.h"

void inode_attr_own_mode_locked(struct tree *t, struct inode *i)
{
	if (i->flags & INODE_OWN_MODE)
		return;
	i->uid = t->set.uid;
	i->gid = t->set.gid;
	i->mode = i->kind == INODE_FILE ? t->set.file_mode : t->set.dir_mode;
	i->flags |= INODE_OWN_MODE;
}

static void inode_attr_changed_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock)
{
	i->ctime = inode_time(clock_now());
	tree_lru_update_locked(t, i);
}

/* Would these be shown of i if nothing were known of it? */
static bool inode_attr_is_default(const struct tree *t, const struct inode *i,
				  mode_t mode, uid_t uid, gid_t gid)
{
	bool is_file = i->kind == INODE_FILE;
	unsigned hidden = TREE_FIXED_UID | TREE_FIXED_GID |
			  TREE_FIXED_FILE_MODE | TREE_FIXED_DIR_MODE;

	if (policy_has_owners(inode_policy(i))) /* and shows the others */
		hidden = t->set.fixed;
	return (uid == t->set.uid || !(hidden & TREE_FIXED_UID)) &&
	       (gid == t->set.gid || !(hidden & TREE_FIXED_GID)) &&
	       (mode == (is_file ? t->set.file_mode : t->set.dir_mode) ||
		!(hidden &
		  (is_file ? TREE_FIXED_FILE_MODE : TREE_FIXED_DIR_MODE)));
}

static int inode_attr_set_mode_locked(struct tree *t, struct inode *i,
				      mode_t mode, uid_t uid, gid_t gid)
	REQUIRES(t->lock)
{
	int rc = 0;

	if (inode_attr_is_default(t, i, mode, uid, gid))
		tree_lru_unpin_locked(t, i, INODE_PIN_MODE);
	else
		rc = tree_lru_pin_locked(t, i, INODE_PIN_MODE);
	/* What is so already fails never, nor does taking set-id bits away:
	 * nothing brings them back. */
	if (rc && uid == i->uid && gid == i->gid &&
	    (mode | (i->mode & (S_ISUID | S_ISGID))) == i->mode)
		rc = 0;
	if (rc)
		return rc;
	i->mode = mode;
	i->uid = uid;
	i->gid = gid;
	inode_attr_changed_locked(t, i);
	return 0;
}

int inode_attr_set_mode(struct tree *t, struct inode *i, mode_t mode)
{
	int rc;

	tree_lock(t);
	inode_attr_own_mode_locked(t, i);
	rc = inode_attr_set_mode_locked(t, i, mode & 07777, i->uid, i->gid);
	tree_unlock(t);
	return rc;
}

int inode_attr_set_owner(struct tree *t, struct inode *i, uid_t uid, gid_t gid)
{
	int rc;

	tree_lock(t);
	inode_attr_own_mode_locked(t, i);
	rc = inode_attr_set_mode_locked(t, i, i->mode,
					uid == (uid_t)-1 ? i->uid : uid,
					gid == (gid_t)-1 ? i->gid : gid);
	tree_unlock(t);
	return rc;
}

static bool inode_attr_is_time(struct inode_time t, const struct timespec *to)
{
	return !to || (t.sec == to->tv_sec && t.nsec == to->tv_nsec);
}

/* atime and mtime as a caller set them; NULL: as it is. */
static void inode_attr_put_times(struct inode *i, const struct timespec *atime,
				 const struct timespec *mtime)
{
	if (atime)
		i->atime = inode_time(*atime);
	if (mtime)
		i->mtime = inode_time(*mtime);
}

int inode_attr_set_times(struct tree *t, struct inode *i,
			 const struct timespec *atime,
			 const struct timespec *mtime)
{
	int rc = 0;

	tree_lock(t);
	if (!inode_attr_is_time(i->atime, atime) ||
	    !inode_attr_is_time(i->mtime, mtime)) {
		rc = tree_lru_pin_locked(t, i, INODE_PIN_TIMES);
		if (!rc) {
			inode_attr_put_times(i, atime, mtime);
			i->flags |= mtime ? INODE_OWN_MTIME : 0;
			i->flags &= mtime ? ~INODE_KERNEL_BEGIN : ~0;
		}
	}
	if (!rc)
		inode_attr_changed_locked(t, i);
	tree_unlock(t);
	return rc;
}

void inode_attr_put_locked(struct tree *t, struct inode *i,
			   const struct store_attr *a)
{
	unsigned w = a->which;

	inode_attr_put_times(i, w & STORE_SET_ATIME ? &a->atime : NULL,
			     w & STORE_SET_MTIME ? &a->mtime : NULL);
	if (w & (STORE_SET_MODE | STORE_SET_UID | STORE_SET_GID))
		inode_attr_own_mode_locked(t, i);
	if (w & STORE_SET_MODE)
		i->mode = a->mode & 07777;
	if (w & STORE_SET_UID)
		i->uid = a->uid;
	if (w & STORE_SET_GID)
		i->gid = a->gid;
	inode_attr_changed_locked(t, i);
}

void inode_attr_keep(struct tree *t, struct inode *i,
		     const struct store_attr *a)
{
	tree_lock(t);
	inode_attr_put_locked(t, i, a);
	i->refreshed_ms = -1; /* the disk has its own time for the change */
	tree_unlock(t);
}

int inode_attr_set_expire(struct tree *t, struct inode *i, int64_t expire)
{
	struct inode_ext *m;
	int rc = 0;

	tree_lock(t);
	m = expire ? inode_ext(i) : i->ext;
	if (expire)
		rc = m ? tree_lru_pin_locked(t, i, INODE_PIN_EXPIRE) : -ENOMEM;
	else
		tree_lru_unpin_locked(t, i, INODE_PIN_EXPIRE);
	if (!rc && m)
		m->expire = expire;
	tree_lru_update_locked(t, i);
	tree_unlock(t);
	return rc;
}

void inode_attr_made(struct tree *t, struct inode *i,
		     const struct object_info *info)
{
	TREE_DO(t, inode_attr_refresh_locked(t, i, info));
}

void inode_attr_refresh_locked(struct tree *t, struct inode *i,
			       const struct object_info *info)
{
	unsigned fixed = t->set.fixed;
	bool is_file = i->kind == INODE_FILE;

	if (!info->mode)
		return;
	if (info->mtime.tv_sec != i->mtime.sec ||
	    info->mtime.tv_nsec != i->mtime.nsec)
		inode_put_times(i, info->mtime);
	i->ctime = inode_time(info->ctime);
	i->flags &= ~INODE_OWN_MTIME;
	tree_number_set_locked(t, i, tree_number_of_disk_locked(t, info));
	inode_attr_own_mode_locked(t, i);
	if (!(fixed & TREE_FIXED_UID))
		i->uid = info->uid;
	if (!(fixed & TREE_FIXED_GID))
		i->gid = info->gid;
	if (!(fixed & (is_file ? TREE_FIXED_FILE_MODE : TREE_FIXED_DIR_MODE)))
		i->mode = info->mode & 07777;
}

bool inode_attr_is(const struct tree *t, const struct inode_view *v,
		   const struct store_attr *a)
{
	const struct tree_settings *s = &t->set;
	bool is_file = v->kind == INODE_FILE;
	mode_t mode = is_file ? s->file_mode : s->dir_mode;

	if (a->which & STORE_SET_MODE)
		mode = a->mode & 07777;
	if (v->is_link)
		mode = 0777;
	return ((s->fixed & TREE_FIXED_UID) ||
		v->uid == (a->which & STORE_SET_UID ? a->uid : s->uid)) &&
	       ((s->fixed & TREE_FIXED_GID) ||
		v->gid == (a->which & STORE_SET_GID ? a->gid : s->gid)) &&
	       ((s->fixed &
		 (is_file ? TREE_FIXED_FILE_MODE : TREE_FIXED_DIR_MODE)) ||
		v->mode == mode);
}

/* ---- in metadata ---- */

uint32_t inode_attr_version(const struct object_info *info)
{
	int64_t s = info->mtime.tv_sec;
	uint64_t h;

	if (!info->etag[0])
		return 0;
	h = hash_bytes(hash_string(HASH_START, info->etag), &s, sizeof(s));
	return (uint32_t)(h ^ h >> 32) | 1;
}

void inode_attr_known_locked(struct inode *i)
{
	i->flags |= INODE_ATTR_KNOWN;
	i->attr_version = 0;
	if (i->dir)
		i->dir->attr_ms = clock_mono_ms();
}

void inode_attr_listed_locked(struct inode *i, const struct object_info *info,
			      bool same)
{
	if (!(i->flags & INODE_ATTR_DIRTY) &&
	    (!same || i->attr_version != inode_attr_version(info)))
		i->flags &= ~INODE_ATTR_KNOWN;
}
