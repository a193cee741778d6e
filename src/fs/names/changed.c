/*
 * What this mount did to names. Every change counts the clock up and stamps
 * the name, so that what was asked of the store before cannot undo it.
 */
#include "fs/names/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stage/stage.h"

static void stamp_locked(struct tree *t, struct inode *i) REQUIRES(t->lock)
{
	i->stamp = ++tree_locked(t)->clock;
	i->refreshed_ms = clock_mono_ms();
}

/* The directory's own time: the store has none. */
static void dir_changed(struct inode *dir)
{
	dir->mtime = dir->ctime = inode_time(clock_now());
	if (dir->flags & INODE_OF_FILES)
		dir->refreshed_ms = -1; /* it has a time of its own */
}

static int create_locked(struct tree *t, struct inode *dir, const char *name,
			 enum inode_kind kind, struct inode **out)
	REQUIRES(t->lock)
{
	struct inode *i;

	if (!dir->dir || (dir->flags & INODE_ORPHAN))
		return -ENOENT;
	i = tree_hash_find_locked(t, dir, name);
	if (i && inode_live(i))
		return -EEXIST;
	if (i && tree_become_locked(t, i, kind))
		return -ENOMEM;
	if (!i)
		i = tree_add_locked(t, dir, name, kind);
	if (!i)
		return -ENOMEM;
	i->refs++;
	stamp_locked(t, i);
	inode_put_times(i, clock_now());
	i->flags |= INODE_OWN_MTIME;
	if (i->dir)
		i->dir->complete_ms = i->refreshed_ms; /* it is empty */
	dir_changed(dir);
	tree_lru_update_locked(t, i);
	*out = i;
	return 0;
}

int tree_create(struct tree *t, struct inode *dir, const char *name,
		enum inode_kind kind, mode_t mode, uid_t uid, gid_t gid,
		struct inode **out)
{
	int err;

	if (strlen(name) >= NAME_SIZE)
		return -ENAMETOOLONG;
	tree_lock(t);
	err = create_locked(t, dir, name, kind, out);
	if (!err) {
		(*out)->mode = mode & 07777;
		(*out)->uid = uid;
		(*out)->gid = gid;
		(*out)->flags |= INODE_OWN_MODE;
	}
	tree_unlock(t);
	return err;
}

void tree_remove(struct tree *t, struct inode *i)
{
	tree_lock(t);
	if (i->parent) {
		i->flags |= INODE_REMOVED;
		dir_changed(i->parent);
		i->flags |= INODE_REMOVED;
		tree_gone_locked(t, i, ++tree_locked(t)->clock);
	}
	tree_unlock(t);
}

/* Takes i to its new place; what stands there has gone already. */
static void reattach_locked(struct tree *t, struct inode *i,
			    struct inode *to_dir, char *text) REQUIRES(t->lock)
{
	tree_hash_remove_locked(t, i);
	free(i->text);
	i->text = text;
	i->seen = 0;
	tree_hash_add_locked(t, i, to_dir);
	tree_lru_update_locked(t, to_dir);
	stamp_locked(t, i);
	i->ctime = inode_time(clock_now());
	if (i->dir)
		i->dir->complete_ms = -1;
}

static char *text_of(const char *name, const char *etag)
{
	size_t len = strlen(name), etag_len = strlen(etag);
	char *text = malloc(len + etag_len + 2);

	if (text) {
		memcpy(text, name, len + 1);
		memcpy(text + len + 1, etag, etag_len + 1);
	}
	return text;
}

/* What is left of a name that went elsewhere. */
static void leave_absent_locked(struct tree *t, struct inode *dir,
				const char *name) REQUIRES(t->lock)
{
	struct inode *mark = tree_add_locked(t, dir, name, INODE_ABSENT);

	if (mark) {
		stamp_locked(t, mark);
		tree_lru_update_locked(t, mark);
		return;
	}
	dir->dir->lost_stamp = ++tree_locked(t)->clock;
	dir->dir->complete_ms = -1;
}

static int move_locked(struct tree *t, struct inode *i, struct inode *to_dir,
		       const char *name) REQUIRES(t->lock)
{
	struct inode *dir = i->parent, *there;
	char *text, old_name[NAME_SIZE];

	if (!dir || !to_dir->dir || (to_dir->flags & INODE_ORPHAN) ||
	    inode_within(to_dir, i))
		return -ENOENT;
	text = text_of(name, inode_etag(i));
	if (!text)
		return -ENOMEM;
	strcpy(old_name, inode_name(i));
	dir->refs++;
	to_dir->refs++;
	i->refs++;
	there = tree_hash_find_locked(t, to_dir, name);
	if (there && there != i) {
		there->flags |= INODE_REMOVED;
		tree_lru_orphan_locked(t, there);
	}
	reattach_locked(t, i, to_dir, text);
	if (there != i)
		leave_absent_locked(t, dir, old_name);
	dir_changed(dir);
	dir_changed(to_dir);
	i->refs--;
	to_dir->refs--;
	dir->refs--;
	tree_lru_update_locked(t, i);
	tree_lru_update_locked(t, to_dir);
	tree_lru_update_locked(t, dir);
	return 0;
}

int tree_move(struct tree *t, struct inode *i, struct inode *to_dir,
	      const char *name)
{
	int err;

	if (strlen(name) >= NAME_SIZE)
		return -ENAMETOOLONG;
	tree_lock(t);
	err = move_locked(t, i, to_dir, name);
	tree_unlock(t);
	return err;
}

void inode_invalidate(struct tree *t, struct inode *i)
{
	tree_lock(t);
	i->refreshed_ms = -1;
	tree_unlock(t);
}

void tree_invalidate(struct tree *t, struct inode *dir, const char *name)
{
	struct inode *i;

	tree_lock(t);
	i = dir->dir ? tree_hash_find_locked(t, dir, name) : NULL;
	if (i && !inode_dirty(i))
		i->refreshed_ms = -1;
	if (dir->dir)
		dir->dir->complete_ms = -1;
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

/* A stage that was dropped and made again, or altered, is another. */
static bool same_stage(const struct stage *a, const struct stage *b)
{
	return a == b || (a->store == b->store && a->ro == b->ro &&
			  a->kind == b->kind && !strcmp(a->prefix, b->prefix));
}

static struct inode *put_stage_locked(struct tree *t, struct stage *stage)
	REQUIRES(t->lock)
{
	struct inode *i = tree_hash_find_locked(t, t->root, stage->name);

	if (i && inode_live(i)) {
		if (same_stage(i->ext->stage, stage))
			return i;
		tree_lru_orphan_locked(t, i);
		i = NULL;
	}
	if (i && tree_become_locked(t, i, INODE_DIR))
		return NULL;
	if (!i)
		i = tree_add_locked(t, t->root, stage->name, INODE_DIR);
	if (!i)
		return NULL;
	if (!inode_ext(i)) {
		tree_lru_orphan_locked(t, i);
		return NULL;
	}
	i->ext->stage = stage_ref(stage);
	if (stage_of_files(stage))
		i->flags |= INODE_OF_FILES;
	return i;
}

struct inode *tree_put_stage(struct tree *t, struct stage *stage)
{
	struct inode *i;

	if (strlen(stage->name) >= NAME_SIZE || t->root->kind != INODE_ROOT)
		return NULL;
	tree_lock(t);
	i = put_stage_locked(t, stage);
	if (i) {
		i->refs++;
		i->refreshed_ms = clock_mono_ms();
		tree_lru_update_locked(t, i);
	}
	tree_unlock(t);
	return i;
}

void tree_forget_stage(struct tree *t, const char *name)
{
	struct inode *i;

	tree_lock(t);
	i = t->root->kind == INODE_ROOT
		    ? tree_hash_find_locked(t, t->root, name)
		    : NULL;
	if (i && inode_live(i))
		tree_lru_orphan_locked(t, i);
	tree_unlock(t);
}
