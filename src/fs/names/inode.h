/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names we know: a tree of inodes under one lock, the tree lock.
 *
 * An inode is a name's identity: the kernel's node id is its address. Its
 * parent and name may change (rename), its kind may not: a file that another
 * machine replaced by a directory is another inode under the same name.
 *
 * What keeps an inode alive: the kernel's lookups, references (open
 * handles, listings under way), pins (a changed attribute), and children. One
 * with none of these is merely cached: it stands in an LRU of INODE_CACHE_MAX
 * and costs at most 300 bytes with its name.
 *
 * Write stamps. tree->clock counts what this mount did. Every change that it
 * makes to a name stamps it with the next count, and a listing or a stat
 * remembers the count at which it began: what the store said counts only for
 * names whose stamp is not later. A name that we removed stays as an inode of
 * kind INODE_ABSENT, stamped, so that an old listing cannot bring it back.
 *
 * Nothing here does I/O.
 */
#ifndef FS_NAMES_INODE_H
#define FS_NAMES_INODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/lock.h"
#include "fs/names/policy.h"
#include "store/store.h"

struct file;
struct inode;
struct stage;

#define INODE_CACHE_MAX 262144 /* cached names that are not held */
#define INODE_PINS_MAX 1048576 /* names with changed attributes */

enum inode_kind {
	INODE_ABSENT, /* nothing has this name */
	INODE_ROOT, /* the directory of stages */
	INODE_DIR, /* a stage's root has a stage and no path */
	INODE_FILE,
};

/* Everything that a caller may see at once; a copy. */
struct inode_view {
	enum inode_kind kind;
	uint64_t ino; /* st_ino: its own while it is known */
	mode_t mode; /* permission bits */
	uid_t uid;
	gid_t gid;
	struct object_info info; /* size, mtime, ETag as last refreshed */
	struct timespec atime, ctime;
	bool stage_root;
	bool has_marker; /* directories: `key/` exists */
	bool published; /* files: the store has an object here */
	bool fresh; /* believed until its ttl ends, or dirty */
	unsigned fresh_ms; /* how long yet; 0: it is not */
	bool open; /* it has open content */
	bool own_mtime; /* the store has another time */
	bool is_link; /* a file: a symbolic link */
	bool unlearned; /* its attributes are to be asked for: inode_meta.h */
	bool made; /* they were made here, and no listing has told of it */
	bool changes; /* another program has replaced it while it was known */
	uint64_t stamp;
	int64_t expire; /* presign expiry set on it; 0: none */
	bool orphan; /* it has no name any more */
	bool lost; /* an orphan, and not by what this mount did */
	bool dirty; /* a file: the store does not have what one reads */
	bool pending; /* a change of it waits to be sent */
	bool pending_below; /* changes of what is below it do */
	const struct policy *policy; /* its stage's */
};

/* As S_IFMT has it. */
static inline mode_t inode_view_type(const struct inode_view *v)
{
	if (v->kind != INODE_FILE)
		return S_IFDIR;
	return v->is_link ? S_IFLNK : S_IFREG;
}

/* Settings that a user made: they win over what a store of files keeps. */
#define TREE_FIXED_UID 1
#define TREE_FIXED_GID 2
#define TREE_FIXED_FILE_MODE 4
#define TREE_FIXED_DIR_MODE 8

struct tree_settings {
	_Atomic(unsigned) ttl_ms;
	uid_t uid;
	gid_t gid;
	unsigned file_mode, dir_mode;
	unsigned fixed; /* TREE_FIXED_* */
	unsigned cache_max; /* 0: INODE_CACHE_MAX */
	unsigned pins_max; /* 0: INODE_PINS_MAX */
};

struct tree;
struct waiter;

/* What is known of an inode, and where it stands, at one moment. */
struct inode_place {
	struct inode_view view;
	int64_t expire; /* its presign expiry, or the nearest above; 0: none */
	struct stage *stage; /* referenced; NULL at the root of stages */
	bool is_dir;
	struct buf path; /* within the stage */
	int rc; /* why there is none: -ENOENT, -ENAMETOOLONG */
};

/* A listing under way. On the stack or in a directory handle. */
struct dir_merge {
	struct inode *dir;
	uint64_t asked; /* the clock when the listing began */
	uint64_t id; /* greater than every earlier listing's */
	int64_t began_ms;
	bool all_named; /* at its end: it had no key that no path can name */
};

/* stage: the root is that stage's (a reference is taken), NULL: INODE_ROOT. */
struct tree *tree_new(const struct tree_settings *s, struct stage *stage);
void tree_free(struct tree *t);
/* From here on. Any thread. */
void tree_set_ttl(struct tree *t, unsigned ttl_ms);
struct inode *tree_root(struct tree *t);

/* References. */
struct inode *inode_ref(struct tree *t, struct inode *i);
void inode_unref(struct tree *t, struct inode *i);
/* The kernel's. */
/* One more lookup, and what it was told then (inode_etag_set_attr()); for a
 * reference of the caller's. */
void inode_remember(struct tree *t, struct inode *i, uint32_t version,
		    unsigned ms);
/* True when a use of its content was the kernel's, and is the caller's now:
 * inode_file_keep_open(). */
bool inode_forget(struct tree *t, struct inode *i, uint64_t n);

void inode_view(struct tree *t, struct inode *i, struct inode_view *out);
/* The same, and the kernel is about to be told it. */
void inode_show(struct tree *t, struct inode *i, struct inode_view *out);
/* inode_view() of a file that a program opens: what it will probably come to
 * again through the directories above (dircache_used()). */
void inode_use(struct tree *t, struct inode *i, struct inode_view *out);
/* And has looked it up by that: for a reference of the caller's. */
void inode_enter(struct tree *t, struct inode *i, struct inode_view *out);
void inode_look(struct tree *t, struct inode *i, struct inode_place *out);
void inode_place_clear(struct inode_place *p);
#define INODE_PLACE_LOCAL \
	__attribute__((cleanup(inode_place_clear))) struct inode_place
/* Its key there, or with `name` that of a name in it: as inode_key() and
 * inode_key_of(). */
int inode_place_key(const struct inode_place *p, const char *name,
		    struct buf *out);
/* The stage, with a reference; NULL at the root of stages. */
struct stage *inode_stage(struct tree *t, struct inode *i);
bool inode_is_of_stage(struct tree *t, struct inode *i, const struct stage *s);
/* Whole key: the stage's prefix and the path; a directory's ends in '/'. 0,
 * -ENAMETOOLONG when it would be over STORE_KEY_MAX, -ENOENT an orphan. */
int inode_key(struct tree *t, struct inode *i, struct buf *out);
/* The same for content that is open: it keeps its place in its stage when that
 * has been altered or dropped since. -ENOENT: it has none. */
int inode_open_key(struct tree *t, struct inode *i, struct buf *out);
/* The key that `name` has, or would have, in dir (no trailing '/'). -EILSEQ
 * when it is not UTF-8 and the store has no other names. */
int inode_key_of(struct tree *t, struct inode *dir, const char *name,
		 struct buf *out);
/* Its stage with its key, as inode_key() has it; -ENOENT without a stage. To be
 * cleared also after an error. */
struct inode_object {
	struct stage *stage; /* referenced */
	struct buf key;
};
int inode_object(struct tree *t, struct inode *i, struct inode_object *out);
void inode_object_clear(struct inode_object *o);
#define INODE_OBJECT_LOCAL \
	__attribute__((cleanup(inode_object_clear))) struct inode_object
/* Is it `above`, or anywhere below? */
bool inode_is_below(struct tree *t, struct inode *i, struct inode *above);
/* Referenced; NULL: none. Its own name there, unless that is NULL. */
struct inode *inode_parent(struct tree *t, struct inode *i, char name[256]);

/* What the tree knows of a name. */
enum tree_answer {
	TREE_UNKNOWN, /* ask the store */
	TREE_KNOWN, /* *out, referenced, is fresh or dirty */
	TREE_ABSENT, /* known not to exist */
};
enum tree_answer tree_find(struct tree *t, struct inode *dir, const char *name,
			   struct inode **out, struct inode_place *at);
/* The same for the kernel: what is found is as inode_enter() makes it, unless
 * it is unlearned: then it is referenced; and what is absent is for so long
 * yet. */
enum tree_answer tree_lookup(struct tree *t, struct inode *dir,
			     const char *name, struct inode **out,
			     struct inode_view *v, unsigned *absent_ms);
/* How long yet a name is believed to be absent, in ms. */
unsigned tree_absent_ms(struct tree *t, struct inode *dir, const char *name);
/* Has the store said within the last ms that nothing has this name, or has this
 * mount taken it away since? */
bool tree_absent_just(struct tree *t, struct inode *dir, const char *name,
		      unsigned ms);
/* As tree_find(), but stale knowledge is fine and INODE_ABSENT is NULL: no
 * I/O will follow. Referenced, or NULL. */
struct inode *tree_peek(struct tree *t, struct inode *dir, const char *name);

/* As tree_find(), but stale knowledge is fine: TREE_UNKNOWN only for a name
 * of which nothing is known. */
enum tree_answer tree_guess(struct tree *t, struct inode *dir, const char *name,
			    struct inode **out);

/* Now: the count from which a question to the store counts. */
uint64_t tree_clock(struct tree *t);

/*
 * What the store said of a name, asked when the clock stood at `asked`. info
 * may be NULL for a directory. Answers the inode, referenced, that stands there
 * now: this mount's, if it was changed since (NULL when it was removed). A file
 * whose ETag is the one that we know keeps its times and pages. Owner, mode and
 * times are the store's where it keeps them (info->mode); there a file that is
 * open and was replaced becomes an orphan, as on a disk, and the name gets
 * another inode.
 */
struct inode *tree_refresh(struct tree *t, struct inode *dir, const char *name,
			   enum inode_kind kind, const struct object_info *info,
			   bool has_marker, uint64_t asked);
/* The store has nothing of that name. What stands there nevertheless,
 * referenced, or NULL. */
struct inode *tree_refresh_absent(struct tree *t, struct inode *dir,
				  const char *name, uint64_t asked);
/* The same at the root of stages, where entries are roots of stages; seen: the
 * id of the listing that showed it, or 0. Referenced, or NULL. */
struct inode *tree_put_stage(struct tree *t, struct stage *stage,
			     uint64_t asked, uint64_t seen);
#define TREE_LOCAL UINT64_MAX /* as `asked`: this mount made or dropped it */
/* There is no such stage, even if what is in it is open: open handles keep its
 * place. */
void tree_forget_stage(struct tree *t, const char *name, uint64_t asked);
/* How many stages have left the root so far. A holder of an inode of one keeps
 * its store. */
unsigned tree_lru_stages_left(struct tree *t);

/* What is made, and whose it is. */
struct tree_new_name {
	enum inode_kind kind;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};
/*
 * What this mount did: stamped. A new name (kind FILE: not published yet; a
 * symbolic link if the mode says so).
 * -EEXIST when a live one stands there, -EINPROGRESS when one is being removed.
 * Referenced.
 */
int tree_create(struct tree *t, struct inode *dir, const char *name,
		enum inode_kind kind, mode_t mode, uid_t uid, gid_t gid,
		struct inode **out);
/* A new directory is in the store, or waits to be sent: until then what the
 * store says of its name does not count. Once more when it was sent. */
void tree_dir_made(struct tree *t, struct inode *dir);
/* The name is gone; its inode becomes an orphan while it is held. */
void tree_remove(struct tree *t, struct inode *i);
/*
 * The same before the store is asked to: what it says of the name does not
 * count, and nothing can take it (-EINPROGRESS), until tree_removed(). Answers
 * the absent name, referenced; NULL without memory, or i has no name.
 */
struct inode *tree_remove_ahead(struct tree *t, struct inode *i);
/* The store was asked. False: it may have it yet, so the name is not believed
 * to be absent. Ends the reference. */
void tree_removed(struct tree *t, struct inode *absent, bool removed);
/* When a name was last removed in dir, by clock_mono_ms(), unless the store has
 * refused one since; 0: none was. */
int64_t inode_removed_ms(struct tree *t, struct inode *dir);
void inode_set_removed(struct tree *t, struct inode *dir, int64_t ms);
/* i now stands at to_dir/name; what stood there is an orphan. */
int tree_move(struct tree *t, struct inode *i, struct inode *to_dir,
	      const char *name);
/*
 * The same before the store is asked to remove what it has at the old name.
 * That does not count, but a caller may make the name anew, until
 * tree_removed() of *left: the old name, referenced, or NULL. closed: -EXDEV
 * while i, or what is below, has open content.
 */
int tree_move_ahead(struct tree *t, struct inode *i, struct inode *to_dir,
		    const char *name, bool closed, struct inode **left);
/* The store took the object that we wrote: its facts; times are kept. */
void inode_etag_published(struct tree *t, struct inode *i,
			  const struct object_info *info);
/* Its object was copied by the store: the same bytes under this ETag. */
void inode_etag_copied(struct tree *t, struct inode *i,
		       const struct object_info *info);
/* The object that a listing called `listed` calls itself so. */
void inode_etag_renamed(struct tree *t, struct inode *i, const char *listed,
			const char *etag);
/* The store was asked when the clock stood at `asked`, and it is still this
 * object: believed from then (asked_ms) on, unless we changed it since. */
void tree_refresh_confirm(struct tree *t, struct inode *i, const char *etag,
			  uint64_t asked, int64_t asked_ms);
/* What is known of i is not believed: the store had other bytes. */
void inode_invalidate(struct tree *t, struct inode *i);
/* What is known of dir/name is not believed: the next lookup asks. */
void tree_invalidate(struct tree *t, struct inode *dir, const char *name);
void inode_set_marker(struct tree *t, struct inode *dir, bool has_marker);
/* A directory that was made in the store: the number, owner, mode and times
 * that it has there, where the store keeps them. */
void inode_attr_made(struct tree *t, struct inode *i,
		     const struct object_info *info);
/* True when the directory has a live child that we know of, besides `but`. */
bool inode_has_child(struct tree *t, struct inode *dir,
		     const struct inode *but);

/*
 * Attributes that a caller changed: pinned, unless they would be shown anyway.
 * -ENOSPC beyond INODE_PINS_MAX, except of a file that is yet to be published.
 */
int inode_attr_set_mode(struct tree *t, struct inode *i, mode_t mode);
int inode_attr_set_owner(struct tree *t, struct inode *i, uid_t uid, gid_t gid);
int inode_attr_set_times(struct tree *t, struct inode *i,
			 const struct timespec *atime,
			 const struct timespec *mtime);
int inode_attr_set_expire(struct tree *t, struct inode *i, int64_t expire);
/* Are owner and mode, as they were seen, what the store that keeps them says?
 * Without the lock. */
bool inode_attr_is(const struct tree *t, const struct inode_view *v,
		   const struct store_attr *a);
/* True when there was no room for a pin, which is to be logged now: once a
 * minute at most. */
bool tree_lru_pins_full(struct tree *t);
/* What the store says of a stage's root, where it keeps that. */
void tree_refresh_root(struct tree *t, struct inode *i,
		       const struct object_info *info);
/* The same where the store keeps what was changed (STORE_SET_* bits), or will
 * when it gets the object: not pinned. */
void inode_attr_keep(struct tree *t, struct inode *i,
		     const struct store_attr *a);
/*
 * Written to, cut or emptied: the mtime moves, unpinned, and the name is dirty
 * until inode_etag_published() or its content is given up: what the store says
 * of it meanwhile does not count.
 */
void inode_touch(struct tree *t, struct inode *i);

/* What was written to a file, and was not stored when its last user left. */
struct inode_given_up {
	struct inode *dir; /* a number only; NULL: the file has no name */
	char name[256]; /* in dir */
	bool is_gone; /* the name too: there is no object */
};

/* A change of i waits to be sent to the store, or none does: meanwhile the name
 * and the directories above it are there, whatever the store says. */
void inode_set_pending(struct tree *t, struct inode *i, bool pending);
/*
 * A file that the store has never had takes the place of one that it has, and
 * moves there without its knowledge (tree_move()): the object that is there is
 * this file's from now on, to be replaced by its content.
 */
int inode_file_supersede(struct tree *t, struct inode *i, struct inode *to,
			 struct inode *to_dir, const char *name);

/*
 * The open content of a file (file.h): at most one at a time, counted here so
 * that the last one to leave and the next one to come cannot miss each other.
 *
 * join: the present content, or `fresh`, which is from now on the present one:
 * 0, -ENOMEM, or -ESTALE when it stands on the object `etag` (NULL: on none) of
 * a store of files, and the inode is of another by now.
 * get: the present content or NULL. Both count one user more; put counts one
 * less and answers true for the last: the inode has no content from then on,
 * and the caller frees it. A name that was never published and has no content
 * any more is gone.
 */
int inode_file_join(struct tree *t, struct inode *i, struct file *fresh,
		    const char *etag, struct file **out); /* NULL: no memory */
/*
 * fresh is the content of i, which was made just now, as inode_touch() leaves
 * it; number: the disk's, where one gives it. The kernel has looked it up
 * (*v, as inode_show()), and all of its pages. -EEXIST: it has content already.
 */
int inode_file_enter(struct tree *t, struct inode *i, struct file *fresh,
		     const struct object_info *number, struct inode_view *v);
struct file *inode_file_get(struct tree *t, struct inode *i);
/* The same; where there is none, *at is where i stands, referenced for the one
 * that is to be made. at is to be cleared in either case. */
struct file *inode_file_find(struct tree *t, struct inode *i,
			     struct inode_place *at);
/* inode_view() of a file that is to be opened: it is fresh if it can be
 * believed for that, too. */
void inode_file_view(struct tree *t, struct inode *i, struct inode_view *v);
bool inode_file_put(struct tree *t, struct inode *i,
		    struct inode_given_up *out);
/* Is the caller's the only use of the content of i, but for the one that is to
 * send it later? Waits for the others to end, so long at most; an interrupt
 * ends the wait. */
bool inode_file_wait_alone(struct tree *t, struct inode *i, unsigned ms);
/*
 * The last handle that could store what was written closes without having done
 * so, and others still read it: they keep it, as they do a file that was
 * replaced, and the name is another inode's. Nothing when there are no others:
 * put.
 */
void inode_file_part(struct tree *t, struct inode *i,
		     struct inode_given_up *out);

/*
 * The caller's use of the content of i becomes the kernel's for as long as it
 * knows i: false when it does not (any more), or has one already.
 */
bool inode_file_keep_open(struct tree *t, struct inode *i);
/* The content of one that is kept open, whose use is the caller's now; NULL:
 * there is none any more. */
struct file *inode_file_drop_any(struct tree *t);

/* True when it has no name any more. */
bool inode_is_orphan(struct tree *t, struct inode *i);
/* True when it has no key any more, though this mount neither removed it nor
 * put another in its place. */
bool inode_is_lost(struct tree *t, struct inode *i);
/*
 * Is the kernel's page cache still that of this ETag? If not, it is of none
 * until the kernel, which is told to drop it, has done so: another open that is
 * answered before the kernel has done that must not keep what is still there.
 */
bool inode_etag_take_pages(struct tree *t, struct inode *i, const char *etag);
/* Are they, and among them the first, so that a reader that begins there asks
 * for nothing? Without forgetting them. */
bool inode_etag_has_begin(struct tree *t, struct inode *i, const char *etag);
/* It has: the pages are of this version, if that is still the inode's. */
void inode_etag_set_pages(struct tree *t, struct inode *i, uint32_t version);
/* It has read the first. */
void inode_etag_set_begin(struct tree *t, struct inode *i);
/* Of which object these attributes are: a hash of the ETag. */
uint32_t inode_etag_hash(const struct inode_view *v);
/* The kernel is told the attributes of that one, to believe them so long. What
 * we publish over it later it knows. */
void inode_etag_set_attr(struct tree *t, struct inode *i, uint32_t version);
/* Is that what it knows? True also when it knows nothing of i. */
bool inode_etag_has_attr(struct tree *t, struct inode *i, const char *etag);

/*
 * A directory is moved while nothing below it is published, and nothing is
 * published below a directory that moves. A file is published, removed or
 * renamed by one thread at a time. The second one waits: -EINTR. -ENOENT when
 * the name is gone. publish_begin also writes the key, as inode_open_key(),
 * which holds until publish_end; NULL: it is not wanted.
 *
 * The thread that has begun either may begin the other below (a rename
 * publishes first). So it must begin before it keeps others waiting in its own
 * way: before a file's state becomes PUBLISHING.
 */
int claims_publish_begin(struct tree *t, struct inode *i, struct buf *key);
void claims_publish_end(struct tree *t, struct inode *i);
/* Sleeps until no thread has begun what claims_publish_begin() would wait for.
 * 0, -EINTR, or -ENOENT when the name is gone. */
int claims_publish_wait(struct tree *t, struct inode *i);

/* A thread that publishes or moves. */
struct tree_claim {
	struct inode *inode; /* referenced */
	struct waiter *owner;
	unsigned depth;
	struct tree_claim *next;
};

/* The store is about to rename i, or another over it, or has: what it says of
 * i meanwhile does not count. */
void claims_set_renaming(struct tree *t, struct inode *i, bool moving);
int claims_move_begin(struct tree *t, struct inode *dir);
void claims_move_end(struct tree *t, struct inode *dir);

/* Every inode with open content below (and at) i, referenced; *n of them. */
int inode_file_list(struct tree *t, struct inode *i, struct inode ***out,
		    unsigned *n);

#endif
