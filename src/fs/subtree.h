/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A traversal (find, du, cp -r, rm -r, ls -R) opens the directories below one
 * in the order of a listing, and would ask for each of them. It is recognised
 * by the second, and from there one listing without a delimiter goes through
 * all that is below, filling one directory after the other.
 *
 * It goes on as its readers do, a page ahead at most, and may not cost: what is
 * asked for below a directory are never more than two requests for each one
 * that was opened there. A directory with more below it than a few pages is
 * listed by itself, and its own directories are taken up from there; where that
 * is so again and again, directories are asked for side by side instead
 * (dir_ahead.h). Programs that go through one tree at several places have a
 * listing each.
 *
 * Not for stores of files, which answer at once. Every call may block.
 */
#ifndef FS_SUBTREE_H
#define FS_SUBTREE_H

struct fs;
struct inode;
struct subtrees;

struct subtrees *subtrees_new(struct fs *fs); /* NULL: no memory */
/* No call is under way. NULL is fine. */
void subtrees_free(struct subtrees *t);

/* Those that no thread reads just now are given up. */
void subtrees_forget(struct subtrees *t);

/*
 * Fills the directory from a listing of more than it. 1: it is complete; 0: it
 * is to be listed by itself; -EINTR.
 */
int subtree_fill(struct subtrees *t, struct inode *dir);
/* The same, and those from `first` on to it, where one is begun for it. */
int subtree_fill_from(struct subtrees *t, struct inode *dir,
		      struct inode *first);

#endif
