/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question to a store about dir/name, from what is known of it to what the
 * tree makes of the answer. Each step holds the tree's lock once; the question
 * itself is the caller's, and is asked without it.
 *
 * A store of files renames in one step, before the tree does: the question
 * waits for that, and it for the question.
 */
#ifndef FS_NAMES_ASK_H
#define FS_NAMES_ASK_H

#include "fs/names/inode.h"

struct ask {
	struct inode_place at; /* dir's */
	struct dir_merge page; /* when it was asked, and as a listing */
	bool is_begun;
	struct inode *dir, *known; /* claimed, or NULL */
	struct tree_claim claims[2];
};

/* 0 or -EINTR; ask_end() is to follow in either case. */
int ask_begin(struct tree *t, struct inode *dir, const char *name,
	      struct ask *out);
/*
 * tree_find(), and where that does not answer, ask_begin(): out->is_begun.
 * sure: the store is to say that nothing is there. What was a directory is not
 * asked for (TREE_UNKNOWN): it is to be read.
 */
int ask_find(struct tree *t, struct inode *dir, const char *name, bool sure,
	     enum tree_answer *answer, struct inode **i, struct ask *out);
/* Ends the question by what the store has said: as tree_refresh(), or as
 * tree_refresh_absent() when it has nothing. */
struct inode *ask_answered(struct tree *t, struct ask *a, struct inode *dir,
			   const char *name, const struct name_info *found);
/*
 * tree_create(), after ending a question that was begun: the store has nothing
 * there. -EEXIST: *out is what stands there nevertheless, referenced, or NULL.
 */
int ask_create(struct tree *t, struct ask *a, struct inode *dir,
	       const char *name, const struct tree_new_name *n,
	       struct inode **out);
/* Ends it without an answer, if it has not ended. */
void ask_end(struct tree *t, struct ask *a);

#endif
