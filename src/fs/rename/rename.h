/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rename(2), in files that each do a part of it: of one file, of a directory,
 * of either once both names are known, of two for each other.
 */
#ifndef FS_RENAME_RENAME_H
#define FS_RENAME_RENAME_H

#include "fs/names.h"

/* One rename, checked: kinds that fit. */
struct rename {
	struct fs *fs;
	struct stage *stage, *to_stage; /* may be one */
	struct inode *dir, *to_dir;
	const char *name, *to_name;
	struct inode *from; /* referenced */
	struct inode *to; /* what stands there, referenced, or NULL */
	struct buf key, to_key; /* a directory's without the '/' */
	bool no_replace;
	bool attr_sent; /* rename_attr_copy() has done it */
	/* The old name once the new one has what it had, until the store has
	 * removed it (tree_move_ahead()); or NULL. */
	struct inode *left;
};

/* ---- rename_file.c ---- */

/* From and to are files (or to is NULL). */
int rename_file_claimed(struct rename *r);
/* The open content of i, if any, follows its name. */
void rename_file_content(struct fs *fs, struct inode *i);
/* A name that another thread had for a while may have moved: -ENOENT. */
int rename_file_still_there(struct rename *r);
/* The name moves in the tree; rename_file_left() is to follow in any case. */
int rename_file_move_name(struct rename *r);
/* The store has removed what it had at the old name; false: perhaps not. */
void rename_file_left(struct rename *r, bool removed);
/* The same in a store of files first. */
int rename_file_in_store(struct rename *r);
/* What waits to be sent goes along, and what was replaced does not travel. */
int rename_file_pending(struct rename *r);
/* Between two stages: the name moves if the one's objects can be copied to the
 * other by the server, and nothing below is open; else -EXDEV. */
int rename_file_across(struct rename *r);
/* What a failure to copy means: between two stages -EXDEV, if the server
 * refuses it for where the source is. */
int rename_file_copy_error(const struct rename *r, int rc);

/* ---- rename_attr.c ---- */

/* The copy, if attributes of r->from wait to be stored, with these. 0 and
 * *info; 1: it is to be made without; -EINTR. */
int rename_attr_copy(struct rename *r, const struct object_info *source,
		     struct object_info *info);
/* The file has the other name now, or not: what went along is stored, or waits
 * as before. */
void rename_attr_end(struct rename *r, bool renamed);

/* ---- rename_dir.c ---- */

/* From is a directory, to NULL or one that is to be empty. */
int rename_dir_claimed(struct rename *r);
/* rename_file_content() of all that is open below i. */
int rename_dir_content(struct fs *fs, struct inode *i);

/* ---- rename_step.c ---- */

/*
 * From dir/name to to_dir/to_name, with their stages: the rest of r is filled
 * here, and cleared. flags: RENAME_NOREPLACE or 0.
 */
int rename_step(struct rename *r, unsigned flags);

/* ---- rename_exchange.c ---- */

/* Both names are there, and are each other's afterwards. As rename_step(). */
int rename_exchange(struct rename *r);

#endif
