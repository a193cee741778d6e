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
#include "stage/path.h"
#include "stage/stage.h"

struct inode *inode_ref(struct tree *t, struct inode *i)
{
	tree_lock(t);
	i->refs++;
	tree_lru_update_locked(t, i);
	tree_unlock(t);
	return i;
}

void inode_unref(struct tree *t, struct inode *i)
{
	if (!i)
		return;
	tree_lock(t);
	if (i->refs)
		i->refs--;
	tree_lru_update_locked(t, i);
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

static bool stage_root(const struct inode *i)
{
	return i->ext && i->ext->stage;
}

static void view_mode(const struct tree *t, const struct inode *i,
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
static const struct inode *top_of(const struct inode *i)
{
	while (i->parent && !stage_root(i))
		i = i->parent;
	return i;
}

static bool is_lost(const struct inode *i)
{
	const struct inode *top = top_of(i);

	return !(i->flags & INODE_REMOVED) && (top->flags & INODE_ORPHAN) &&
	       !stage_root(top);
}

void inode_view(struct tree *t, struct inode *i, struct inode_view *out)
{
	memset(out, 0, sizeof(*out));
	tree_lock(t);
	out->kind = i->kind;
	out->files = i->flags & INODE_OF_FILES;
	out->ino = tree_number_get_locked(t, i);
	view_mode(t, i, out);
	out->info.size = i->size;
	out->info.mtime = inode_timespec(i->mtime);
	strncpy(out->info.etag, inode_etag(i), sizeof(out->info.etag) - 1);
	out->atime = inode_timespec(i->atime);
	out->ctime = inode_timespec(i->ctime);
	out->stage_root = stage_root(i);
	out->has_marker = i->flags & INODE_MARKER;
	out->published = i->flags & INODE_PUBLISHED;
	if (i == t->root || stage_root(i) ||
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
	out->lost = is_lost(i);
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

static struct stage *stage_of(const struct inode *i)
{
	for (; i; i = i->parent)
		if (stage_root(i))
			return i->ext->stage;
	return NULL;
}

struct stage *inode_stage(struct tree *t, struct inode *i)
{
	struct stage *s;

	tree_lock(t);
	s = stage_of(i);
	if (s)
		stage_ref(s);
	tree_unlock(t);
	return s;
}

bool inode_is_lost(struct tree *t, struct inode *i)
{
	bool lost;

	tree_lock(t);
	lost = is_lost(i);
	tree_unlock(t);
	return lost;
}

/*
 * Writes head and the path of i below its stage's root, or the root of
 * stages, and tail. -ENOENT when it does not hang there any more.
 */
static int write_path(const struct inode *i, const char *head, const char *tail,
		      struct buf *out)
{
	size_t len = 0, used = strlen(head) + strlen(tail);
	const struct inode *at;
	char *end;

	for (at = i; at->parent && !stage_root(at); at = at->parent)
		len += strlen(inode_name(at)) + (len > 0);
	if ((at->flags & INODE_ORPHAN) && !stage_root(at))
		return -ENOENT;
	if (len + used > STORE_KEY_MAX)
		return -ENAMETOOLONG;
	buf_adds(out, head);
	end = len ? buf_reserve(out, len) : NULL;
	if (end) {
		out->len += len;
		end += len;
		for (at = i; at->parent && !stage_root(at); at = at->parent) {
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
static bool forgotten(const struct inode *i)
{
	return top_of(i)->flags & INODE_ORPHAN;
}

int inode_path(struct tree *t, struct inode *i, struct buf *out)
{
	int err;

	tree_lock(t);
	err = forgotten(i) ? -ENOENT : write_path(i, "", "", out);
	tree_unlock(t);
	return err;
}

static int write_key(const struct inode *i, const char *name, struct buf *out)
{
	struct stage *s = stage_of(i);
	bool slash = i->dir && !stage_root(i);
	int err;

	if (!s)
		return -ENOENT;
	if (name && s->store->limits.utf8_keys && !text_is_utf8(name))
		return -EILSEQ;
	err = write_path(i, s->prefix, slash ? "/" : "", out);
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
	err = forgotten(i) ? -ENOENT : write_key(i, NULL, out);
	tree_unlock(t);
	return err;
}

int inode_open_key(struct tree *t, struct inode *i, struct buf *out)
{
	int err;

	buf_reset(out);
	tree_lock(t);
	err = write_key(i, NULL, out);
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
	err = !dir->dir        ? -ENOTDIR
	      : forgotten(dir) ? -ENOENT
			       : write_key(dir, name, out);
	tree_unlock(t);
	return err;
}

struct inode *inode_parent(struct tree *t, struct inode *i)
{
	struct inode *dir;

	tree_lock(t);
	dir = i->parent;
	if (dir) {
		dir->refs++;
		tree_lru_update_locked(t, dir);
	}
	tree_unlock(t);
	return dir;
}
