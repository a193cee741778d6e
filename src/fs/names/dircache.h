/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is believed of whole directories: a listing that was read to its end
 * answers every lookup in the directory, absent names included, until its ttl
 * ends. Part of the tree (inode.h) and under its lock; no I/O.
 */
#ifndef FS_NAMES_DIRCACHE_H
#define FS_NAMES_DIRCACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/names/inode.h"

void dircache_begin(struct tree *t, struct inode *dir, struct dir_merge *m);
/* What was listed as i, if it still is in dir, or else what has its last name
 * there by now: referenced, with its name and what is known of it. NULL:
 * nothing, or i has only moved. */
struct inode *dircache_entry(struct tree *t, struct inode *dir, struct inode *i,
			     char name[256], struct inode_view *v);
/* An entry of the listing: as tree_refresh(). Referenced; NULL: not to be
 * shown. */
struct inode *dircache_put(struct tree *t, struct dir_merge *m,
			   const char *name, enum inode_kind kind,
			   const struct object_info *info, bool has_marker);
/*
 * The listing came to its end: names that it did not show and that are not
 * newer are gone, and the directory is complete for the ttl, counted from the
 * listing's beginning. Nothing of that when it has moved meanwhile.
 */
void dircache_end(struct tree *t, struct dir_merge *m);
/* Was the directory, or one above it, made or moved here since m began? */
bool dircache_moved(struct tree *t, struct inode *dir,
		    const struct dir_merge *m);

/* Is it complete for more than half its time yet? Names are asked for one by
 * one when their time is over: near its end, one listing costs less. Not where
 * names were made: there the first of them is asked for by the listing. */
bool dircache_lasts(struct tree *t, struct inode *dir);
/*
 * The best way to learn of a name in dir; to be asked once for each such
 * question.
 *
 * by listing   dir was complete once, and has so few names for each question
 *              since, or each name that was made, that all cost less than this
 *              one; or many names are made in it, or asked for of which
 *              nothing is known, and no directory is there; not a directory,
 *              which has a listing of its own
 * by bytes     it is not known and probably a small file that will be opened,
 *              so that a GET has what the open needs: small files are known in
 *              dir that have such a name (likeness.h), and no directory that
 *              has; and programs did open what was found so.
 *              dircache_no_small_file(), if it was none
 */
enum dircache_way { DIRCACHE_BY_NAME, DIRCACHE_BY_LISTING, DIRCACHE_BY_BYTES };
#define DIRCACHE_SMALL (256U << 10) /* bytes */
enum dircache_way dircache_way(struct tree *t, struct inode *dir,
			       const char *name);
/* So many names may be listed to learn all, beyond the first page. */
unsigned dircache_worth(struct tree *t, struct inode *dir);
void dircache_no_small_file(struct tree *t, struct inode *dir);
/* A program reads it. */
void dircache_set_read(struct tree *t, struct inode *dir);
/*
 * The name below dir to which the look-ups went last that led through it:
 * referenced; NULL: there is none, or a program has read dir, or one on the way
 * to the name, or made a name there, since this was asked last of it: it will
 * do so again, and want all names, by a page.
 */
struct inode *dircache_used(struct tree *t, struct inode *dir);
/* True when the directory is complete and fresh. */
bool dircache_complete(struct tree *t, struct inode *dir);
/* ... and was, down to no key at all, since this mount has removed the names
 * in it. */
bool dircache_emptied(struct tree *t, struct inode *dir);

/*
 * Calls each() with the live children, in byte order of their names; each()
 * takes over a reference, and ends it by an error, which is the result.
 * unseen: only those that this listing has not shown (after its end: what this
 * mount made meanwhile); NULL: all. The lock is not held for all of them at
 * once: what is added or removed meanwhile may be there or not.
 */
int dircache_children(struct tree *t, struct inode *dir,
		      const struct dir_merge *unseen,
		      int (*each)(void *arg, struct inode *i), void *arg);
/* The live entry that came into dir right after that one (NULL: the first), so
 * in the order of a listing; referenced, or NULL. */
struct inode *dircache_behind(struct tree *t, struct inode *dir,
			      struct inode *after);
/* Is the directory of that name, or one that is complete, the next beside dir,
 * before it in the order of a listing, or behind it? */
bool dircache_is_beside(struct tree *t, struct inode *dir, const char *name,
			bool behind);
/* The directory so many before dir, or the first that is near; referenced. */
struct inode *dircache_before(struct tree *t, struct inode *dir, unsigned dirs);
/* A child's present name, copied; false when it is no longer in dir. */
bool dircache_name(struct tree *t, struct inode *dir, struct inode *child,
		   char name[256]);

#endif
