/*
 * One inode: who holds it, what a caller sees of it, its path, and the
 * attributes that callers changed.
 *
 * Mode and owner stand in the inode and are lost with it, unless a caller
 * changed them: then the inode is pinned and stays (pins.c).
 */
#include "fs/names/tree.h"

#include <errno.h>
#include <stdlib.h>
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
	unsigned ttl =
		i->flags & INODE_OF_FILES ? t->set.files_ttl_ms : t->set.ttl_ms;

	return refreshed_ms >= 0 && age < ttl ? ttl - age : 0;
}

void inode_own_mode_locked(struct tree *t, struct inode *i)
{
	if (i->flags & INODE_OWN_MODE)
		return;
	i->uid = t->set.uid;
	i->gid = t->set.gid;
	i->mode = i->kind == INODE_FILE ? t->set.file_mode : t->set.dir_mode;
	i->flags |= INODE_OWN_MODE;
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
	tree_lock(t);
	inode_ref_locked(t, i);
	tree_unlock(t);
	return i;
}

void inode_unref(struct tree *t, struct inode *i)
{
	if (!i)
		return;
	tree_lock(t);
	inode_unref_locked(t, i);
	tree_unlock(t);
}

void inode_remember(struct tree *t, struct inode *i)
{
	tree_lock(t);
	i->lookups++;
	tree_lru_update_locked(t, i);
	tree_unlock(t);
}

bool inode_forget(struct tree *t, struct inode *i, uint64_t n)
{
	bool lingers = false;

	tree_lock(t);
	i->lookups = i->lookups > n ? i->lookups - n : 0;
	if (!i->lookups) {
		i->kernel_pages_etag =
			0; /* the kernel drops them with its inode */
		lingers = i->flags & INODE_KEPT_OPEN;
		i->flags &= ~INODE_KEPT_OPEN;
	}
	tree_lru_update_locked(t, i);
	tree_unlock(t);
	return lingers;
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

void inode_view(struct tree *t, struct inode *i, struct inode_view *out)
{
	memset(out, 0, sizeof(*out));
	tree_lock(t);
	out->kind = i->kind;
	out->files = i->flags & INODE_OF_FILES;
	out->ino = tree_number_get_locked(t, i);
	inode_view_mode(t, i, out);
	out->info.size = i->size;
	out->info.mtime = inode_timespec(i->mtime);
	strncpy(out->info.etag, inode_etag(i), sizeof(out->info.etag) - 1);
	out->atime = inode_timespec(i->atime);
	out->ctime = inode_timespec(i->ctime);
	out->stage_root = inode_is_stage_root(i);
	out->has_marker = i->flags & INODE_MARKER;
	out->published = i->flags & INODE_PUBLISHED;
	if (i == t->root || inode_is_stage_root(i) ||
	    (inode_dirty(i) && !(i->flags & INODE_RENAMING))) {
		out->fresh = true;
		out->fresh_ms =
			out->files ? t->set.files_ttl_ms : t->set.ttl_ms;
	} else {
		out->fresh_ms =
			i->flags & INODE_RENAMING
				? 0
				: inode_ttl_left_locked(t, i, i->refreshed_ms);
		out->fresh = out->fresh_ms > 0;
	}
	out->own_mtime = i->flags & INODE_OWN_MTIME;
	out->open = i->ext && i->ext->file;
	out->stamp = i->stamp;
	out->expire = i->ext ? i->ext->expire : 0;
	out->orphan = i->flags & INODE_ORPHAN;
	out->lost = inode_has_lost_name(i);
	out->dirty = inode_dirty(i);
	tree_unlock(t);
}

bool inode_is_orphan(struct tree *t, struct inode *i)
{
	bool is;

	tree_lock(t);
	is = i->flags & INODE_ORPHAN;
	tree_unlock(t);
	return is;
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

bool inode_is_lost(struct tree *t, struct inode *i)
{
	bool lost;

	tree_lock(t);
	lost = inode_has_lost_name(i);
	tree_unlock(t);
	return lost;
}

/*
 * Writes head and the path of i below its stage's root, or the root of
 * stages, and tail. -ENOENT when it does not hang there any more.
 */
static int inode_write_path(const struct inode *i, const char *head,
			    const char *tail, struct buf *out)
{
	size_t len = 0, used = strlen(head) + strlen(tail);
	const struct inode *at;
	char *end;

	for (at = i; at->parent && !inode_is_stage_root(at); at = at->parent)
		len += strlen(inode_name(at)) + (len > 0);
	if ((at->flags & INODE_ORPHAN) && !inode_is_stage_root(at))
		return -ENOENT;
	if (len + used > STORE_KEY_MAX)
		return -ENAMETOOLONG;
	buf_adds(out, head);
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
	buf_adds(out, tail);
	return buf_err(out);
}

/* Its stage is not one of the root's any more: dropped, or altered, by which it
 * is another one. */
static bool inode_is_forgotten(const struct inode *i)
{
	return inode_top(i)->flags & INODE_ORPHAN;
}

int inode_path(struct tree *t, struct inode *i, struct buf *out)
{
	int err;

	tree_lock(t);
	err = inode_is_forgotten(i) ? -ENOENT
				    : inode_write_path(i, "", "", out);
	tree_unlock(t);
	return err;
}

static int inode_write_key(const struct inode *i, const char *name,
			   struct buf *out)
{
	struct stage *s = inode_find_stage(i);
	bool slash = i->dir && !inode_is_stage_root(i);
	int err;

	if (!s)
		return -ENOENT;
	if (name && s->store->limits.utf8_keys && !text_is_utf8(name))
		return -EILSEQ;
	err = inode_write_path(i, s->prefix, slash ? "/" : "", out);
	if (!err && name) {
		if (out->len + strlen(name) > STORE_KEY_MAX)
			return -ENAMETOOLONG;
		buf_adds(out, name);
	}
	return err ? err : buf_err(out);
}

int inode_key(struct tree *t, struct inode *i, struct buf *out)
{
	int err;

	buf_reset(out);
	tree_lock(t);
	err = inode_is_forgotten(i) ? -ENOENT : inode_write_key(i, NULL, out);
	tree_unlock(t);
	return err;
}

int inode_open_key(struct tree *t, struct inode *i, struct buf *out)
{
	int err;

	buf_reset(out);
	tree_lock(t);
	err = inode_write_key(i, NULL, out);
	tree_unlock(t);
	return err;
}

int inode_key_of(struct tree *t, struct inode *dir, const char *name,
		 struct buf *out)
{
	int err;

	if (strlen(name) > NAME_BYTES_MAX)
		return -ENAMETOOLONG;
	buf_reset(out);
	tree_lock(t);
	err = !dir->dir                 ? -ENOTDIR
	      : inode_is_forgotten(dir) ? -ENOENT
					: inode_write_key(dir, name, out);
	tree_unlock(t);
	return err;
}

struct inode *inode_parent(struct tree *t, struct inode *i)
{
	struct inode *dir;

	tree_lock(t);
	dir = i->parent;
	if (dir) {
		inode_ref_locked(t, dir);
	}
	tree_unlock(t);
	return dir;
}

void inode_put_attr_locked(struct tree *t, struct inode *i,
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
	inode_own_mode_locked(t, i);
	if (!(fixed & TREE_FIXED_UID))
		i->uid = info->uid;
	if (!(fixed & TREE_FIXED_GID))
		i->gid = info->gid;
	if (!(fixed & (is_file ? TREE_FIXED_FILE_MODE : TREE_FIXED_DIR_MODE)))
		i->mode = info->mode & 07777;
}

static void inode_changed_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock)
{
	i->ctime = inode_time(clock_now());
	tree_lru_update_locked(t, i);
}

/* Would these be shown of i if nothing were known of it? */
static bool inode_is_default(const struct tree *t, const struct inode *i,
			     mode_t mode, uid_t uid, gid_t gid)
{
	bool is_file = i->kind == INODE_FILE;
	unsigned hidden = TREE_FIXED_UID | TREE_FIXED_GID |
			  TREE_FIXED_FILE_MODE | TREE_FIXED_DIR_MODE;

	if (i->flags & INODE_OF_FILES) /* it keeps the others itself */
		hidden = t->set.fixed;
	return (uid == t->set.uid || !(hidden & TREE_FIXED_UID)) &&
	       (gid == t->set.gid || !(hidden & TREE_FIXED_GID)) &&
	       (mode == (is_file ? t->set.file_mode : t->set.dir_mode) ||
		!(hidden &
		  (is_file ? TREE_FIXED_FILE_MODE : TREE_FIXED_DIR_MODE)));
}

static int inode_set_mode_locked(struct tree *t, struct inode *i, mode_t mode,
				 uid_t uid, gid_t gid) REQUIRES(t->lock)
{
	int err = 0;

	if (inode_is_default(t, i, mode, uid, gid))
		tree_lru_unpin_locked(t, i, INODE_PIN_MODE);
	else
		err = tree_lru_pin_locked(t, i, INODE_PIN_MODE);
	/* What is so already fails never, nor does taking set-id bits away:
	 * nothing brings them back. */
	if (err && uid == i->uid && gid == i->gid &&
	    (mode | (i->mode & (S_ISUID | S_ISGID))) == i->mode)
		err = 0;
	if (err)
		return err;
	i->mode = mode;
	i->uid = uid;
	i->gid = gid;
	inode_changed_locked(t, i);
	return 0;
}

int inode_set_mode(struct tree *t, struct inode *i, mode_t mode)
{
	int err;

	tree_lock(t);
	inode_own_mode_locked(t, i);
	err = inode_set_mode_locked(t, i, mode & 07777, i->uid, i->gid);
	tree_unlock(t);
	return err;
}

int inode_set_owner(struct tree *t, struct inode *i, uid_t uid, gid_t gid)
{
	int err;

	tree_lock(t);
	inode_own_mode_locked(t, i);
	err = inode_set_mode_locked(t, i, i->mode,
				    uid == (uid_t)-1 ? i->uid : uid,
				    gid == (gid_t)-1 ? i->gid : gid);
	tree_unlock(t);
	return err;
}

static bool inode_is_time(struct inode_time t, const struct timespec *to)
{
	return !to || (t.sec == to->tv_sec && t.nsec == to->tv_nsec);
}

/* atime and mtime as a caller set them; NULL: as it is. */
static void inode_set_given_times(struct inode *i, const struct timespec *atime,
				  const struct timespec *mtime)
{
	if (atime)
		i->atime = inode_time(*atime);
	if (mtime)
		i->mtime = inode_time(*mtime);
}

int inode_set_times(struct tree *t, struct inode *i,
		    const struct timespec *atime, const struct timespec *mtime)
{
	int err = 0;

	tree_lock(t);
	if (!inode_is_time(i->atime, atime) ||
	    !inode_is_time(i->mtime, mtime)) {
		err = tree_lru_pin_locked(t, i, INODE_PIN_TIMES);
		if (!err) {
			inode_set_given_times(i, atime, mtime);
			i->flags |= mtime ? INODE_OWN_MTIME : 0;
		}
	}
	if (!err)
		inode_changed_locked(t, i);
	tree_unlock(t);
	return err;
}

void inode_keep(struct tree *t, struct inode *i, const struct store_attr *a)
{
	unsigned w = a->which;

	tree_lock(t);
	inode_set_given_times(i, w & STORE_SET_ATIME ? &a->atime : NULL,
			      w & STORE_SET_MTIME ? &a->mtime : NULL);
	if (w & (STORE_SET_MODE | STORE_SET_UID | STORE_SET_GID))
		inode_own_mode_locked(t, i);
	if (w & STORE_SET_MODE)
		i->mode = a->mode & 07777;
	if (w & STORE_SET_UID)
		i->uid = a->uid;
	if (w & STORE_SET_GID)
		i->gid = a->gid;
	inode_changed_locked(t, i);
	tree_unlock(t);
}

int inode_set_expire(struct tree *t, struct inode *i, int64_t expire)
{
	struct inode_ext *m;
	int err = 0;

	tree_lock(t);
	m = expire ? inode_ext(i) : i->ext;
	if (expire)
		err = m ? tree_lru_pin_locked(t, i, INODE_PIN_EXPIRE) : -ENOMEM;
	else
		tree_lru_unpin_locked(t, i, INODE_PIN_EXPIRE);
	if (!err && m)
		m->expire = expire;
	tree_lru_update_locked(t, i);
	tree_unlock(t);
	return err;
}

int64_t inode_expire(struct tree *t, struct inode *i)
{
	int64_t expire = 0;

	tree_lock(t);
	for (; i && !expire; i = i->parent)
		expire = i->ext ? i->ext->expire : 0;
	tree_unlock(t);
	return expire;
}

void inode_touch(struct tree *t, struct inode *i)
{
	tree_lock(t);
	i->mtime = i->ctime = inode_time(clock_now());
	i->flags |= INODE_WRITTEN | INODE_OWN_MTIME;
	tree_unlock(t);
}

void inode_invalidate(struct tree *t, struct inode *i)
{
	tree_lock(t);
	i->refreshed_ms = -1;
	tree_unlock(t);
}

void inode_set_number(struct tree *t, struct inode *i,
		      const struct object_info *info)
{
	uint64_t ino;

	tree_lock(t);
	ino = tree_number_of_disk_locked(t, info);
	if (ino && i != t->root)
		i->ino = ino;
	tree_unlock(t);
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
