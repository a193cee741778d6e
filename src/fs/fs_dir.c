/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading directories.
 *
 * A handle shows its entries in the order in which it found them, and holds
 * on to what it has shown: a cookie is a place in that row, so any earlier one
 * can be read again. The row grows as the kernel asks:
 *
 *   START -> LISTING -> ENDED
 *                    -> FAILED (sticks until the handle is rewound)
 *
 * LISTING pulls entries from the store's iterator; at its end come the names
 * that this mount made meanwhile. A directory that is complete in memory, and
 * the root of stages, go from START to ENDED at once.
 *
 * One that is closed while it is LISTING is kept until the next one, and the
 * next open of the directory, if it comes soon, goes on with its row: `rm -r`
 * looks whether there is anything in a directory before it reads it.
 *
 * One thread fills a handle at a time; the others wait for it. No lock is held
 * while it does.
 *
 * A directory that is open when the mount ends is never closed by the kernel:
 * its handle, and the page of a listing that is on its way to it, end with the
 * file system.
 */
#include "fs/dirlist.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/hash.h"
#include "base/lock.h"
#include "base/waiter.h"
#include "fs/attr/attr_queue.h"
#include "fs/dir_ahead.h"
#include "fs/names.h"

#define COOKIE_FIRST 3 /* of the first name; 1 and 2 are . and .. */
#define DIR_LINK_MAX 4096 /* no symbolic link has as many bytes */

struct dir_locked {
	bool busy;
	struct waiter_list waiters;
};

struct dir_handle {
	struct inode *dir; /* referenced */
	struct dirlist *list; /* of the thread that is busy */
	struct lock lock;
	struct dir_locked guarded_;
	struct dir_handle *prev, *next; /* of fs_locked.dirs */
};

LOCK_GUARDS(dir_locked, dir_handle, dir_locked);

int fs_dir_open(struct fs *fs, struct inode *dir, struct dir_handle **out)
{
	struct inode_view v;
	struct dir_handle *h;

	inode_view(fs->tree, dir, &v);
	if (v.kind == INODE_FILE)
		return -ENOTDIR;
	h = calloc(1, sizeof(*h));
	if (h)
		h->list = malloc(sizeof(*h->list));
	if (!h || !h->list) {
		free(h);
		return -ENOMEM;
	}
	lock_init(&h->lock, LOCK_DIR);
	h->dir = inode_ref(fs->tree, dir);
	dirlist_init(h->list, fs, dir);
	lock_take(&fs->lock);
	DL_APPEND(fs_locked(fs)->dirs, h);
	lock_drop(&fs->lock);
	*out = h;
	return 0;
}

static void dir_free(struct fs *fs, struct dir_handle *h)
{
	if (!h)
		return;
	dirlist_clear(h->list);
	free(h->list);
	inode_unref(fs->tree, h->dir);
	lock_destroy(&h->lock);
	free(h);
}

/* Has it a listing that the next one may go on with? */
static bool dir_is_left(struct fs *fs, const struct dir_handle *h)
{
	struct inode_view v;

	if (h->list->state != DIRLIST_LISTING || !fs->set.metadata_ttl_s)
		return false;
	inode_view(fs->tree, h->dir, &v);
	return v.policy->implied_dirs && !v.orphan;
}

void fs_dir_close(struct fs *fs, struct dir_handle *h)
{
	struct dir_handle *gone = h;
	bool left = dir_is_left(fs, h);

	lock_take(&fs->lock);
	DL_DELETE(fs_locked(fs)->dirs, h);
	if (left) {
		gone = fs_locked(fs)->dir_left;
		fs_locked(fs)->dir_left = h;
	}
	lock_drop(&fs->lock);
	dir_free(fs, gone);
}

static bool dir_is_old(struct fs *fs, const struct dir_handle *h)
{
	return dir_ahead_is_old(fs, &h->list->fill.merge);
}

/* Of dir, or one that is too old to go on with; dir NULL: any. */
static struct dir_handle *dir_take_left(struct fs *fs, struct inode *dir)
{
	struct dir_handle *left;

	lock_take(&fs->lock);
	left = fs_locked(fs)->dir_left;
	if (left && dir && left->dir != dir && !dir_is_old(fs, left))
		left = NULL;
	if (left)
		fs_locked(fs)->dir_left = NULL;
	lock_drop(&fs->lock);
	return left;
}

int fs_dir_sync(struct fs *fs, struct dir_handle *h)
{
	int refused = removals_settle(fs->removals, h->dir, false);
	int unkept = attr_queue_settle(fs->attr_queue, h->dir);
	int rc = names_sync(fs, h->dir);

	rc = unkept ? unkept : rc;
	if (!rc)
		rc = write_back_sync(fs->write_back);
	return refused ? refused : rc;
}

void fs_dir_clear(struct fs *fs)
{
	struct dir_handle *h;

	while ((h = LOCK_UNDER(&fs->lock, fs_locked(fs)->dirs)))
		fs_dir_close(fs, h);
	dir_free(fs, dir_take_left(fs, NULL));
}

/* The first read of h: what another has read of the directory counts for it. */
static void dir_go_on(struct fs *fs, struct dir_handle *h)
{
	struct dir_handle *left = dir_take_left(fs, h->dir);
	struct dirlist *list = h->list;

	if (left && left->dir == h->dir && !dir_is_old(fs, left) &&
	    !dircache_moved(fs->tree, h->dir, &left->list->fill.merge) &&
	    !dircache_lasts(fs->tree, h->dir)) {
		h->list = left->list;
		left->list = list;
		for (size_t k = 0; k < h->list->n; k++)
			h->list->shown[k].as = 0;
	}
	dir_free(fs, left);
}

static int dir_begin(struct dir_handle *h)
{
	int rc = 0;

	lock_take(&h->lock);
	rc = WAITER_LIST_UNTIL(&dir_locked(h)->waiters, &h->lock, true,
			       !dir_locked(h)->busy);
	if (!rc)
		dir_locked(h)->busy = true;
	lock_drop(&h->lock);
	return rc;
}

static void dir_end(struct dir_handle *h)
{
	lock_take(&h->lock);
	dir_locked(h)->busy = false;
	waiter_list_wake(&dir_locked(h)->waiters);
	lock_drop(&h->lock);
}

/* `.` (cookie 0) or `..` (1). Non-zero: no room. */
static int dir_emit_dot(struct fs *fs, struct dir_handle *h, off_t which,
			fs_emit *emit, void *arg)
{
	struct inode *of = which ? inode_parent(fs->tree, h->dir, NULL) : NULL;
	struct fs_entry e = { 0 };

	names_stat(fs, of ? of : h->dir, &e.st);
	inode_unref(fs->tree, of);
	return emit(arg, which ? ".." : ".", &e, which ? COOKIE_FIRST : 1);
}

static uint32_t dir_name_hash(const char *name)
{
	return (uint32_t)hash_string(HASH_START, name) | 1; /* 0: none */
}

/* Does it stand elsewhere in the row, so that the name came or will come? */
static bool dir_comes_anyway(const struct dir_handle *h, const struct inode *i,
			     off_t place, const char *name)
{
	for (off_t k = 0; k < (off_t)h->list->n; k++)
		if (h->list->shown[k].inode == i)
			return k > place ||
			       h->list->shown[k].as == dir_name_hash(name);
	return false;
}

/* The kernel is to look it up when a program asks for more than the name: which
 * is when the store is asked. What may be a symbolic link is of no known type
 * until then. */
static void dir_hide_attributes(const struct inode_view *v, struct fs_entry *e)
{
	e->inode = NULL;
	if (v->kind == INODE_FILE && v->info.size &&
	    v->info.size < DIR_LINK_MAX)
		e->st.st_mode &= ~S_IFMT;
}

/* The name at a place in the row, or 0 when it has gone since: what stood there
 * when it was listed, or what has taken its name. */
static int dir_emit_name(struct fs *fs, struct dir_handle *h, off_t place,
			 bool plus, fs_emit *emit, void *arg)
{
	struct inode *listed = h->list->shown[place].inode, *i;
	struct inode_view v;
	struct fs_entry e;
	char name[256];
	int full = 0;

	i = dircache_entry(fs->tree, h->dir, listed, name, &v);
	if (!i)
		return 0;
	if (i == listed || !dir_comes_anyway(h, i, place, name)) {
		names_fill(fs, i, &v, &e);
		if (v.unlearned)
			dir_hide_attributes(&v, &e);
		full = emit(arg, name, &e, place + 1 + COOKIE_FIRST);
		if (!full)
			h->list->shown[place].as = dir_name_hash(name);
		if (!full && plus && !v.unlearned) {
			inode_remember(fs->tree, i, e.version, v.fresh_ms);
			return 0;
		}
	}
	inode_unref(fs->tree, i);
	return full != 0;
}

static int dir_read_from(struct fs *fs, struct dir_handle *h, off_t at,
			 bool plus, fs_emit *emit, void *arg)
{
	bool any = false;
	int rc = at ? 1 : dirlist_reach(h->list, 0);

	if (rc < 0) /* before `.` and `..` make it look empty */
		return rc;
	for (; at < 2; at++, any = true)
		if (dir_emit_dot(fs, h, at, emit, arg))
			return 0;
	for (at = at < COOKIE_FIRST ? 0 : at - COOKIE_FIRST;; at++) {
		rc = dirlist_reach(h->list, at);
		if (rc <= 0)
			return any ? 0 : rc;
		if (dir_emit_name(fs, h, at, plus, emit, arg))
			return 0;
		any = true;
	}
}

int fs_dir_read(struct fs *fs, struct dir_handle *h, off_t offset, bool plus,
		fs_emit *emit, void *arg)
{
	int rc;

	if (offset < 0)
		return -EINVAL;
	rc = dir_begin(h);
	if (rc)
		return rc;
	if (offset == 0 && h->list->state == DIRLIST_START)
		dir_go_on(fs, h);
	else if (offset == 0)
		dirlist_rewind(h->list);
	rc = dir_read_from(fs, h, offset, plus, emit, arg);
	dir_end(h);
	return rc;
}
