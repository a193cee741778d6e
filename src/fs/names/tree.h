/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that make up the tree of names share: the structures under
 * the tree lock, and the steps that are taken while holding it. For the
 * files of this folder only; all others have inode.h and dircache.h.
 */
#ifndef FS_NAMES_TREE_H
#define FS_NAMES_TREE_H

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/waiter.h"
#include "fs/names/inode.h"
#include "stage/stage.h"

#define NAME_SIZE 256 /* of a component, with its NUL */

/* A walk along a directory's children that lets go of the lock between two
 * steps. What is added meanwhile stands at the end. */
struct dir_walk {
	struct inode *next; /* NULL: the end */
	struct dir_walk *other; /* of the same directory */
};

/* Only directories. */
struct inode_dir {
	struct inode *first, *last; /* children, absent ones among them */
	struct dir_walk *walks;
	unsigned n_children;
	unsigned n_live;
	unsigned n_pending; /* INODE_PENDING names below it, at any depth */
	unsigned n_open; /* the same of those with open content */
	struct inode *used; /* the child that was looked up last, or NULL */
	bool read; /* by a program, or a name made, since dircache_used() */
	int8_t unopened; /* names that were found by their bytes, in vain */
	/* Beginning of the listing that was read to its end; -1: none. */
	int64_t complete_ms;
	unsigned n_asked; /* names that were asked for one by one since */
	unsigned n_asked_tried; /* n_asked when it was listed last, in vain */
	unsigned n_made; /* names that this mount made since */
	unsigned n_made_tried; /* n_made when it was listed last, in vain */
	/* A live child was dropped from memory when this was the latest
	 * listing: neither it nor an older one can make us complete. */
	uint64_t dropped_id;
	/* Latest stamp that was dropped from memory with its name. */
	uint64_t lost_stamp;
	/* Latest stamp of what was stored below it, at any depth: no older
	 * question can tell that it is not there. */
	uint64_t below_stamp;
	bool all_named; /* struct dir_merge, of that listing */
	int64_t removed_ms; /* inode_removed_ms() */
	/* When its own attributes were asked for; and the entry that was last,
	 * which may be gone by now. */
	int64_t attr_ms;
	const void *attr_last;
};

/* Only what few inodes need. */
struct inode_ext {
	struct stage *stage; /* a stage's root */
	struct file *file;
	unsigned users; /* of file */
	struct inode *open_prev, *open_next; /* the tree's list of open ones */
	int64_t expire;
	/* Its number from a time on, when what is open is closed; 0: none. */
	uint64_t next_ino;
	int64_t next_ino_ms;
	struct inode_ext *next_dead;
};

enum inode_flag {
	INODE_PUBLISHED = 1, /* the store has an object here */
	INODE_WRITTEN = 2, /* ... other than what is open here */
	INODE_ORPHAN = 4,
	INODE_MARKER = 8,
	INODE_PIN_MODE = 16, /* a caller chose mode or owner */
	INODE_OWN_MODE = 32, /* mode and owner are not the tree's */
	INODE_PIN_TIMES = 64, /* ... times */
	INODE_IN_LRU = 128,
	INODE_OWN_MTIME = 256, /* the store has another one */
	INODE_REMOVING = 512, /* ABSENT, but the store may still have it */
	INODE_RENAMING = 1024, /* it, or another over it, is being renamed */
	INODE_KEPT_OPEN = 2048, /* its content is kept open for the kernel */
	INODE_REMOVED = 4096, /* ORPHAN, and it was this mount that did it */
	INODE_PIN_EXPIRE = 8192, /* more->expire */
	INODE_KERNEL_BEGIN = 16384, /* the kernel caches its first page */
	INODE_CHANGES = 32768, /* another program has replaced its object */
	/* Of a policy that keeps attributes in metadata: */
	INODE_ATTR_KNOWN = 1 << 16, /* they are as in the object */
	INODE_ATTR_DIRTY = 1 << 17, /* a caller changed them since */
	INODE_LINK = 1 << 18, /* FILE: a symbolic link */
	INODE_PENDING = 1 << 19, /* a change of it waits to be sent */
	/* A rename has taken the name away, but the store may still have it: as
	 * with REMOVING its answers do not count, but a caller may make the
	 * name anew. */
	INODE_LEFT = 1 << 20,
	INODE_MADE = 1 << 21, /* DIR: made here, perhaps not in the store */
};

#define INODE_PINNED (INODE_PIN_MODE | INODE_PIN_TIMES | INODE_PIN_EXPIRE)

/* A struct timespec in 12 bytes. */
struct inode_time {
	int64_t sec;
	uint32_t nsec;
} __attribute__((packed, aligned(4)));

struct inode {
	struct inode *hash_next;
	struct inode *parent; /* NULL: the root, or an orphan */
	struct inode *prev, *next; /* in the parent's children */
	struct inode *lru_prev, *lru_next;
	char *text; /* name, NUL, ETag, NUL: one allocation */
	struct inode_dir *dir;
	struct inode_ext *ext;
	uint64_t ino; /* st_ino */
	uint64_t lookups; /* the kernel's */
	uint64_t stamp; /* the clock at our latest change */
	uint64_t seen; /* latest listing that showed it */
	int64_t refreshed_ms; /* when the store said so; -1: not believed */
	uint64_t size;
	struct inode_time atime, mtime, ctime;
	/* Hashes of the ETag of the kernel's pages, and of the object whose
	 * size it was told. */
	uint32_t kernel_pages_etag, kernel_attr_etag;
	unsigned refs;
	uid_t uid;
	gid_t gid;
	/* Of which ETag and time of the object its attributes are; 0: of none
	 * that a listing could name. */
	uint32_t attr_version;
	uint32_t flags;
	uint16_t mode : 12;
	uint16_t kind : 4;
	/* inode_policy(): set when it is made, and read without the lock. */
	uint8_t policy;
	uint8_t class; /* its object's (object_info); 0: unknown */
};

#define TREE_DISKS 64
#define TREE_SEGMENT 1024 /* buckets of the hash table, and segments of a row */

struct tree_locked {
	struct inode ***rows[TREE_SEGMENT]; /* of segments of buckets */
	size_t n_buckets, n_hashed;
	unsigned long
		scanned; /* open inodes, in search of one: tests hold it */
	struct inode *lru_head, *lru_tail; /* head: used last */
	size_t n_lru, n_pinned;
	int8_t unopened; /* as that of all directories of late; 0: few */
	bool pins_full; /* there was no room for one since it was last said */
	int64_t pins_said_ms; /* when; 0: never */
	uint64_t clock;
	uint64_t listings; /* ids given out */
	uint64_t
		last_ino; /* the latest that the tree gave, without its class */
	uint64_t disks[TREE_DISKS]; /* st_dev of those whose numbers we show */
	unsigned n_disks;
	struct inode *open; /* those with open content */
	struct inode *orphans; /* linked by prev and next */
	struct tree_claim *publishing, *moving;
	/* For a claim to end, or a use of content. */
	struct waiter_list waiters;
	struct inode_ext *dead; /* stages to drop once unlocked */
	unsigned stages_left; /* the root, so far */
};

struct tree {
	struct tree_settings set;
	struct inode *root;
	struct timespec began; /* directories' time until they change */
	struct lock lock;
	struct tree_locked guarded_;
};

LOCK_GUARDS(tree_locked, tree, tree_locked);

static inline void tree_lock(struct tree *t) ACQUIRE(t->lock)
{
	lock_take(&t->lock);
}

void tree_lru_bury(struct inode_ext *dead);

/* Unlocks, and drops the stages that the held time left behind. */
static inline void tree_unlock(struct tree *t) RELEASE(t->lock)
{
	struct inode_ext *dead = tree_locked(t)->dead;

	tree_locked(t)->dead = NULL;
	lock_drop(&t->lock);
	if (dead)
		tree_lru_bury(dead);
}

static inline const struct policy *inode_policy(const struct inode *i)
{
	return &policies[i->policy];
}
static inline unsigned inode_ttl_ms(const struct tree *t, const struct inode *i)
{
	return policy_ttl_ms(inode_policy(i), t->set.ttl_ms);
}

/* What is to be read under the lock. */
#define TREE_UNDER(t, value) \
	({ \
		tree_lock(t); \
		__typeof__(value) value_ = (value); \
		tree_unlock(t); \
		value_; \
	})
/* What is to be changed under it, by a single statement. */
#define TREE_DO(t, ...) \
	do { \
		tree_lock(t); \
		__VA_ARGS__; \
		tree_unlock(t); \
	} while (0)

static inline const char *inode_name(const struct inode *i)
{
	return i->text;
}
static inline const char *inode_etag(const struct inode *i)
{
	return i->text + strlen(i->text) + 1;
}
/* Replaces the ETag; without memory it is unknown from now on. */
void inode_etag_put(struct inode *i, const char *etag);
/* The kernel has none, or not of what stands there now. */
static inline void inode_etag_no_pages(struct inode *i)
{
	i->kernel_pages_etag = 0;
	i->flags &= ~INODE_KERNEL_BEGIN;
}
static inline bool inode_live(const struct inode *i)
{
	return i->kind != INODE_ABSENT;
}
static inline struct timespec inode_timespec(struct inode_time t)
{
	return (struct timespec){ .tv_sec = t.sec, .tv_nsec = t.nsec };
}
static inline struct inode_time inode_time(struct timespec t)
{
	return (struct inode_time){ .sec = t.tv_sec,
				    .nsec = (uint32_t)t.tv_nsec };
}
/* All of them are that. */
static inline void inode_put_times(struct inode *i, struct timespec t)
{
	i->atime = i->mtime = i->ctime = inode_time(t);
}
/* Ours alone: what the store says of it does not count. */
static inline bool inode_dirty(const struct inode *i)
{
	if (i->kind != INODE_FILE)
		return i->flags & INODE_MADE;
	return !(i->flags & INODE_PUBLISHED) || (i->flags & INODE_WRITTEN);
}
/* What waits to be sent of it, and of what is below it: the store does not know
 * of these, so what it says of them does not count. */
static inline unsigned inode_n_pending(const struct inode *i)
{
	return !!(i->flags & INODE_PENDING) + (i->dir ? i->dir->n_pending : 0);
}
/* What of it, and of what is below it, has open content. */
static inline unsigned inode_n_open(const struct inode *i)
{
	return (i->ext && i->ext->file) + (i->dir ? i->dir->n_open : 0);
}
static inline void dir_merge_begin_locked(struct tree *t, struct inode *dir,
					  struct dir_merge *m) REQUIRES(t->lock)
{
	m->dir = dir;
	m->asked = tree_locked(t)->clock;
	m->id = ++tree_locked(t)->listings;
	m->began_ms = clock_mono_ms();
	m->all_named = false;
}
/* Is a move above i, or a publication of it, another thread's? */
bool claims_publish_waits_locked(struct tree *t, const struct inode *i,
				 const struct waiter *self) REQUIRES(t->lock);
/* Until a claim ends: 0 or -EINTR. The lock is not held meanwhile. */
int claims_sleep_locked(struct tree *t, struct waiter *self) REQUIRES(t->lock);
/* i is the caller's to publish: *room becomes the claim, and NULL, unless it
 * has one already. */
void claims_add_publish_locked(struct tree *t, struct inode *i,
			       struct tree_claim **room) REQUIRES(t->lock);
/* The claim that has ended by this; NULL: there was another one in it. */
struct tree_claim *claims_remove_publish_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock);
/* A rename in the store is under way there: what the store says of dir/name, of
 * which i is known (or NULL), may be of before or of after it. */
bool claims_renaming_locked(struct tree *t, const struct inode *dir,
			    const struct inode *i) REQUIRES(t->lock);
/* What few inodes have, allocated at the first need; NULL without memory. */
static inline struct inode_ext *inode_ext(struct inode *i)
{
	if (!i->ext)
		i->ext = calloc(1, sizeof(*i->ext));
	return i->ext;
}

struct inode *inode_ref_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock);
void inode_unref_locked(struct tree *t, struct inode *i) REQUIRES(t->lock);
void inode_view_locked(struct tree *t, struct inode *i, struct inode_view *out)
	REQUIRES(t->lock);
void inode_enter_locked(struct tree *t, struct inode *i, struct inode_view *out)
	REQUIRES(t->lock);
void inode_look_locked(struct tree *t, struct inode *i, struct inode_place *out)
	REQUIRES(t->lock);
void inode_etag_set_attr_locked(struct tree *t, struct inode *i,
				uint32_t version, unsigned ms)
	REQUIRES(t->lock);

/* How long what was refreshed then is still believed, in ms. */
unsigned inode_ttl_left_locked(struct tree *t, const struct inode *i,
			       int64_t refreshed_ms) REQUIRES(t->lock);
bool inode_is_fresh_locked(struct tree *t, const struct inode *i,
			   int64_t refreshed_ms) REQUIRES(t->lock);
/* Mode and owner stand in i from now on: the settings', until they change. */
void inode_attr_own_mode_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock);
/* What a caller has set, wherever it is kept. */
void inode_attr_put_locked(struct tree *t, struct inode *i,
			   const struct store_attr *a) REQUIRES(t->lock);
/* inode_meta.h: is a HEAD to tell its attributes? */
bool inode_is_unlearned_locked(struct tree *t, const struct inode *i)
	REQUIRES(t->lock);
/* They are ours: it was made, or published, here. */
void inode_attr_known_locked(struct inode *i);
/* Of an object: its ETag and time; 0: none. */
uint32_t inode_attr_version(const struct object_info *info);
/* A listing has shown it so; same: the bytes that we know. */
void inode_attr_listed_locked(struct inode *i, const struct object_info *info,
			      bool same);
/* Owner, mode and times as the store keeps them, if it does. */
void inode_attr_refresh_locked(struct tree *t, struct inode *i,
			       const struct object_info *info)
	REQUIRES(t->lock);
struct inode *tree_hash_find_locked(struct tree *t, struct inode *dir,
				    const char *name) REQUIRES(t->lock);
/* A new inode under dir/name, which is free. NULL without memory. */
struct inode *tree_add_locked(struct tree *t, struct inode *dir,
			      const char *name, enum inode_kind kind)
	REQUIRES(t->lock);
/* An absent name comes to life, or a live one that is not held dies. */
int tree_become_locked(struct tree *t, struct inode *i, enum inode_kind kind)
	REQUIRES(t->lock);
/* Takes i from its parent's children and from the hash table. */
void tree_hash_remove_locked(struct tree *t, struct inode *i) REQUIRES(t->lock);
/* i, which has an ext, has this open content from now on, or none. */
void tree_hash_set_open_locked(struct tree *t, struct inode *i,
			       struct file *file) REQUIRES(t->lock);
int tree_hash_init_locked(struct tree *t) REQUIRES(t->lock);
void tree_hash_clear_locked(struct tree *t) REQUIRES(t->lock);
/* Begins a walk from the first child, and ends it. dir is held meanwhile. */
void tree_hash_walk_locked(struct tree *t, struct inode *dir,
			   struct dir_walk *w) REQUIRES(t->lock);
void tree_hash_walked_locked(struct tree *t, struct inode *dir,
			     struct dir_walk *w) REQUIRES(t->lock);
/* A change of i waits to be sent, or none does. */
void tree_hash_set_pending_locked(struct tree *t, struct inode *i, bool pending)
	REQUIRES(t->lock);
/* tree_lru_update_locked(dir) is to follow. */
void tree_hash_add_locked(struct tree *t, struct inode *i, struct inode *dir)
	REQUIRES(t->lock);
/* What a caller chose of i stays with it (one INODE_PIN_*); -ENOSPC
 * beyond the limit, 0 for a file that is yet to be published. */
int tree_lru_pin_locked(struct tree *t, struct inode *i, unsigned what)
	REQUIRES(t->lock);
void tree_lru_unpin_locked(struct tree *t, struct inode *i, unsigned what)
	REQUIRES(t->lock);
void tree_lru_free_locked(struct tree *t, struct inode *i) REQUIRES(t->lock);
/* i has no name any more; freed when it is not held. */
void tree_lru_orphan_locked(struct tree *t, struct inode *i) REQUIRES(t->lock);
/* After a holder has come or gone: held, in the LRU, or freed. */
void tree_lru_update_locked(struct tree *t, struct inode *i) REQUIRES(t->lock);
/* Its number is that, but not yet if the kernel may believe another. */
void tree_number_set_locked(struct tree *t, struct inode *i, uint64_t ino)
	REQUIRES(t->lock);
/* It stands where an inode of number `was` stood, which the kernel may believe
 * yet: so it has that one for a while. */
void tree_number_delay_locked(struct tree *t, struct inode *i, uint64_t was)
	REQUIRES(t->lock);
/* Its number as it is shown now. */
uint64_t tree_number_get_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock);
/* A number that nothing else has, of a file that no disk gives one. */
uint64_t tree_number_new_locked(struct tree *t) REQUIRES(t->lock);
/* That of a file on a disk; 0: it cannot be shown as one. */
uint64_t tree_number_of_disk_locked(struct tree *t,
				    const struct object_info *info)
	REQUIRES(t->lock);
/* True when `above` is i or one of its parents. */
static inline bool inode_within(const struct inode *i,
				const struct inode *above)
{
	while (i && i != above)
		i = i->parent;
	return i != NULL;
}
/* This mount has changed i just now. */
void tree_stamp_locked(struct tree *t, struct inode *i) REQUIRES(t->lock);
/* ... which the store has now, and so the directories above it: these are
 * believed anew, where only what is below them makes them. */
static inline void tree_stamp_stored_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock)
{
	bool renewed = !(i->flags & INODE_PENDING);
	int64_t now_ms = clock_mono_ms();

	i->stamp = ++tree_locked(t)->clock;
	for (struct inode *d = i->parent; d; d = d->parent) {
		d->dir->below_stamp = i->stamp;
		renewed = renewed && !(d->ext && d->ext->stage) &&
			  inode_policy(d)->implied_dirs;
		if (renewed && d->refreshed_ms >= 0)
			d->refreshed_ms = now_ms;
	}
}
/* The latest stamp of i and of what is stored below it. */
static inline uint64_t tree_stamp_all(const struct inode *i)
{
	return i->dir && i->dir->below_stamp > i->stamp ? i->dir->below_stamp
							: i->stamp;
}
/* The directory's own time: the store has none. */
void tree_dir_changed(struct inode *dir);
/* tree_refresh(), tree_move(), and a name's end (with the stamp that it leaves
 * behind). */
struct inode *tree_refresh_locked(struct tree *t, struct inode *dir,
				  const char *name, enum inode_kind kind,
				  const struct object_info *info,
				  bool has_marker, uint64_t asked)
	REQUIRES(t->lock);
void tree_gone_locked(struct tree *t, struct inode *i, uint64_t stamp)
	REQUIRES(t->lock);
/* tree_find(), tree_create() and tree_refresh_absent(); no reference is taken
 * by the first. */
enum tree_answer tree_find_locked(struct tree *t, struct inode *dir,
				  const char *name, struct inode **out)
	REQUIRES(t->lock);
int tree_create_locked(struct tree *t, struct inode *dir, const char *name,
		       const struct tree_new_name *n, struct inode **out)
	REQUIRES(t->lock);
struct inode *tree_refresh_absent_locked(struct tree *t, struct inode *dir,
					 const char *name, uint64_t asked)
	REQUIRES(t->lock);
/* name is short enough. */
int tree_move_locked(struct tree *t, struct inode *i, struct inode *to_dir,
		     const char *name) REQUIRES(t->lock);
/* True when something below (or at) i is dirty. */
bool inode_file_dirty_below_locked(struct tree *t, struct inode *i)
	REQUIRES(t->lock);

#endif
