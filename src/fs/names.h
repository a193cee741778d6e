/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps over names that more than one operation takes. Each may block on the
 * store; none holds a lock while it does.
 */
#ifndef FS_NAMES_H
#define FS_NAMES_H

#include <errno.h>

#include "base/buf.h"
#include "fs/handle.h"
#include "fs/names/ask.h"
#include "fs/removals.h"
#include "fs/state.h"
#include "fs/write_back/write_back.h"
#include "stage/stage.h"

/* A key with its NUL, and the '/' of a directory that must still fit. */
#define NAMES_KEY BUF_INIT(STORE_KEY_MAX)

/* -ENAMETOOLONG of what no store has; as every operation on a name begins. */
int resolve_check(const char *name);
/* The inode of a name, asked of the store when need be. Referenced; -ENOENT. */
int resolve_name(struct fs *fs, struct inode *dir, const char *name,
		 struct inode **out);
/* stat(2)'s view: kind, times, and the size of what is open. */
void names_stat(struct fs *fs, struct inode *i, struct stat *st);
/* What is known at a path below dir, referenced, without asking; or NULL. */
struct inode *names_peek_path(struct fs *fs, struct inode *dir,
			      const char *path);
/* -EROFS when the mount or the stage is read-only. */
int names_writable(struct fs *fs, struct inode *i);
static inline int names_writable_stage(const struct fs *fs,
				       const struct stage *s)
{
	return fs->set.ro || (s && s->ro) ? -EROFS : 0;
}
/* Fills an entry, and raises the kernel's lookup count for a reference of the
 * caller's. */
void names_entry(struct fs *fs, struct inode *i, struct fs_entry *out);

/* Asks the store for dir/name, whatever is known of it. As resolve_name(). */
int resolve_ask(struct fs *fs, struct inode *dir, const char *name,
		struct inode **out);
/* What the store says of a name whose question has begun. */
int resolve_look(struct fs *fs, const struct ask *ask, struct inode *dir,
		 const char *name, struct name_info *found);
/* The same for a name that is not known, by a question that other threads may
 * share, or that may be about more. */
int resolve_learn(struct fs *fs, struct inode *dir, const char *name,
		  struct inode **out);
/* What stands at the name of i now, referenced, if what is known is no longer
 * fresh; NULL: it is believed, or an orphan, which is what it is. With what is
 * known of i then. -ENOENT when nothing stands there, -ESTALE when i has lost
 * its name just now. */
int resolve_now(struct fs *fs, struct inode *i, struct inode_view *v,
		struct inode **now);
/* i as the store has it now, if what we know is no longer fresh. -ESTALE when
 * its name is gone, or another's: the kernel then looks it up again. */
int resolve_refresh(struct fs *fs, struct inode *i, struct inode_view *v);
/* The same, however fresh, where the store keeps owner and mode: for a
 * permission that outlives the call. at is what was known of i, and is what is
 * known of it then. */
int resolve_renew(struct fs *fs, struct inode *i, struct inode_place *at);
/* An entry of what is known of i. */
void names_fill(struct fs *fs, struct inode *i, const struct inode_view *v,
		struct fs_entry *out);
/* Calls each() for every open file below (and at) dir, until an error. */
typedef int marker_each(struct fs *fs, struct inode *i);
int marker_each_open(struct fs *fs, struct inode *dir, marker_each *each);
/* 0 when no key lies below the directory but its own marker, and nothing that
 * is yet to be published; else -ENOTEMPTY, or why the store has refused to
 * remove one. For a directory that is about to go. */
int marker_empty(struct fs *fs, struct inode *dir);
/* Whose a new name in dir is, and with which mode: the caller's, in a store of
 * files if we may give it away, and in a set-group-id directory its group. */
void names_maker(const struct inode_view *dir, bool is_dir,
		 const struct fs_caller *c, struct fs_caller *owner,
		 mode_t *mode);
/* Repeats make, which makes dir/name and is -EINPROGRESS while another is
 * removed there, until that has come to its end. */
#define NAMES_MAKE(fs, dir, name, make) \
	({ \
		int make_rc_; \
\
		do { \
			make_rc_ = \
				removals_wait_name((fs)->removals, dir, name); \
			if (!make_rc_) \
				make_rc_ = (make); \
		} while (make_rc_ == -EINPROGRESS); \
		make_rc_; \
	})
/* Writes the marker of a directory, unless it is there (-EEXIST in a store of
 * files, where another program has just made it). Attributes of one that waits
 * to be sent, and is there, are dirty then. */
int marker_put(struct fs *fs, struct inode *dir);
/* Before i leaves dir: a directory that only i implied gets a marker. */
int marker_keep(struct fs *fs, struct inode *dir, struct inode *i);
/* May i leave the tree before that? *keeps: marker_keep_empty() is to come
 * before it leaves the store. */
bool marker_can_wait(struct fs *fs, struct inode *dir, struct inode *i,
		     bool *keeps);
/* A directory that nothing implies any more gets a marker. */
int marker_keep_empty(struct fs *fs, struct inode *dir);
/* The root of a stage whose store is of files: owner and mode as they are
 * there now. Nothing for any other inode. */
void stages_refresh_root(struct fs *fs, struct inode *i);
/* What was done to i, or to the names in it, is on the disk that it is on. */
int names_sync(struct fs *fs, struct inode *i);
/* Stores what is dirty of f, for fsync or for a close: the store has it, or it
 * will be sent to it where the stage says so. */
int names_store(struct fs *fs, struct file *f, bool fsync);
/* The same of the marker of a directory that was made in the tree. */
int names_store_dir(struct fs *fs, struct inode *dir);
/* i has left the tree, or is about to: its content is not published any
 * more. */
void names_orphan(struct fs *fs, struct inode *i);
/* i is about to lose its object to this mount: its open handles read on, from
 * what is fetched now. -EINTR: that was interrupted; what cannot be kept is
 * logged. */
int names_hold(struct fs *fs, struct inode *i);
/*
 * i is about to be replaced: a program that has just looked it up and opens it
 * now gets what it was, as on a disk, if its content is open by then. False
 * when there is none to keep.
 */
bool names_keep_open(struct fs *fs, struct inode *i, struct file **out);
/* attributes.c: one line a minute at most when changed attributes found no room
 * in memory. */
void attributes_say_pins(struct fs *fs);
/* Mode, owner and times, where they can be kept. */
int attributes_keep(struct fs *fs, struct inode *i, const struct stat *st,
		    unsigned which);
/* fs_file.c: truncate(2), which has no handle: published at once. */
int fs_file_truncate(struct fs *fs, struct inode *i, uint64_t size);
/*
 * names_stat() for the kernel: it knows i so from now on. How long it may
 * believe that, in seconds: as long as we do, so that the two do not add up to
 * twice metadata_ttl.
 */
double names_stat_kernel(struct fs *fs, struct inode *i, struct stat *st);

/* stages.c: the same at the root of stages. */
int stages_resolve(struct fs *fs, const char *name, struct inode **out);
/* each() takes over a reference (or NULL), and ends it by an error. */
int stages_list(struct fs *fs, int (*each)(void *arg, struct inode *i),
		void *arg);
int stages_mkdir(struct fs *fs, const char *name, struct inode **out);
int stages_rmdir(struct fs *fs, const char *name);

static inline bool names_is_root(struct fs *fs, struct inode *i)
{
	return !fs->only && i == tree_root(fs->tree);
}

/* fs_dir.c: frees the handles that were not closed, and ends their listings. */
void fs_dir_clear(struct fs *fs);

#endif
