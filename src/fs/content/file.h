/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of a file that is open: one for each inode, shared by
 * its handles. It is the store's object (the base), overlaid by what was
 * written and not yet published.
 *
 *   CLEAN -> DIRTY -> PUBLISHING -> CLEAN
 *                  <- (failed)
 *
 * Reads go on in every state; writes wait while it is PUBLISHING. The file's
 * lock guards the state; the network is never waited for under it.
 */
#ifndef FS_CONTENT_FILE_H
#define FS_CONTENT_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "base/scope.h"
#include "fs/names/inode.h"
#include "store/store.h"

#define FILE_WRITERS 16 /* threads that are remembered */

struct block_cache;
struct budget;
struct buf;
struct file;
struct fs;
struct pending;
struct pool_share;
struct stage;

/* What files share; lives in struct fs. */
struct file_env {
	struct tree *tree;
	struct budget *budget;
	struct block_cache *blocks;
	struct pending *pending; /* upload ids on disk */
	const char *spill_dir;
	struct pool_share *sealed; /* of tails that wait to be sent */
	/* What was written to i was given up; NULL is fine. */
	void (*given_up)(void *arg, struct inode *i,
			 const struct inode_given_up *g);
	/* What was stored of i lacks attributes that were changed since it was
	 * begun; NULL is fine. */
	void (*attributes_left)(void *arg, struct inode *i);
	/* The store has the content of i; with the turn. NULL is fine. */
	void (*published)(void *arg, struct inode *i);
	void *arg;
};

/*
 * The content of inode i, with a reference: the one that is open, or a new
 * one over what the tree knows of the object (base NULL: there is none yet).
 */
int file_open(const struct file_env *env, struct inode *i,
	      const struct object_info *base, struct file **out);
/*
 * The content of i, which was made under that key just now: empty, and to be
 * published. The kernel has looked i up by *v then (inode_enter()), for a
 * reference of the caller's, which stays the caller's upon an error.
 */
int file_create(const struct file_env *env, struct inode *i,
		struct stage *stage, const char *key, struct inode_view *v,
		struct file **out);
/* Drops the reference. The last one gives up what is still dirty: publish
 * first (file_publish()). */
void file_close(struct file *f);
SCOPE_POINTER(struct file, file_close);
#define FILE_LOCAL SCOPED(file_close) struct file

/* What the store knows of the object at its name: then nothing need be asked
 * for when the next version is published. */
void file_props_refresh(struct file *f, const struct object_details *d);
struct inode *file_inode(struct file *f);
/* Its stage, and the key that it has or had last. 0 or -ENOMEM. */
struct stage *file_stage(struct file *f);
int file_key(struct file *f, struct buf *out);
/* A line on this file, with its stage and key. */
void file_log(struct file *f, enum log_level level, int rc, const char *what);
/* The size that a reader sees now; true when dirty. */
bool file_size(struct file *f, uint64_t *size);
/* -ESTALE when nothing is dirty and another program has written into the file
 * of the disk that the base is: neither size nor bytes are what they were. */
int file_look(struct file *f);
/* The same bytes under a new key or ETag: a rename, or a copy onto itself. */
void file_moved(struct file *f, const struct object_info *info);
/* The name is gone: nothing is published any more. */
void file_orphan(struct file *f);

/* Gives up what is not published: it never will be, and an upload that was
 * begun is aborted. True when there was any, of a name that still stands; once.
 */
bool file_abandon(struct file *f);

/* Begins empty: O_TRUNC. Publishing writes at least 0 bytes. */
int file_reset(struct file *f);
#define FILE_END UINT64_MAX /* as offset: where the file ends by then */
int file_write(struct file *f, uint64_t offset, const void *bytes, size_t len);
int file_truncate(struct file *f, uint64_t size);
/* [offset, end) is zeros, as far as that lies within the size. */
int file_zero(struct file *f, uint64_t offset, uint64_t end);
/*
 * Bytes of another file, without their passing through a program: *done of
 * them, fewer than asked at its end, or when one could not be copied.
 * -EOPNOTSUPP: they are to be read and written. Object stores copy them when f
 * is published, and f is bound to that version of the other until then
 * (-ESTALE).
 */
struct file_range {
	uint64_t from, to, len;
};
int file_copy(struct file *f, struct file *from, const struct file_range *range,
	      uint64_t *done);
/*
 * The object is about to go, and others have f open: all bytes that it alone
 * has are here afterwards. Ends early when the others close it. 0 or -errno.
 */
int file_hold(struct file *f);
/* Which processes wrote what is not published yet, by their threads: once it
 * is, they are forgotten. */
bool file_writer_known(struct file *f, pid_t thread);
void file_writer_add(struct file *f, pid_t thread, pid_t process);
unsigned file_writers(struct file *f, pid_t out[FILE_WRITERS]);
/*
 * Makes the store's object what one reads now. 0 at once when CLEAN, and when
 * this mount has removed the name or put another file there: what is written to
 * it then is not kept. -ESTALE when the name was lost otherwise.
 */
int file_publish(struct file *f);
/*
 * Can a dirty file move to another name without publishing first? True when
 * the store has nothing at the old one; an upload that was begun for the old
 * key is then given up and its parts will be sent again.
 */
bool file_unbind(struct file *f);

#endif
