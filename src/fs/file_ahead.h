/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files that are opened in the order of a listing (cp -r, tar, grep -r, a
 * loader of training data) would each wait for a GET of their own. From the
 * third on those that come next are fetched ahead, many side by side, with the
 * listing's ETag, and across directories where a traversal fills them
 * (subtree.h). The window begins with two files, grows with what is used and
 * shrinks with what is not. A program that opens files in no order, or passes
 * over some of them, or leaves directories amid their files, is believed less
 * and less.
 *
 * What was fetched so is believed like a name: for metadata_ttl. Not for stores
 * of files.
 */
#ifndef FS_FILE_AHEAD_H
#define FS_FILE_AHEAD_H

struct file;
struct file_ahead;
struct fs;
struct inode;
struct inode_view;

struct file_ahead *file_ahead_new(struct fs *fs); /* NULL: no memory */
/* Before the tree and the block cache. No call is under way. NULL is fine. */
void file_ahead_free(struct file_ahead *a);

/* What no thread is about just now is given up. */
void file_ahead_forget(struct file_ahead *a);

/*
 * Content f of i, of which v was seen, is opened to be read. 0: i itself was
 * fetched ahead, and is the object of v; what comes next was started. -EAGAIN:
 * it is not; -ESTALE: it is another object; -EINTR. May block on the store.
 */
int file_ahead_open(struct file_ahead *a, struct inode *i, struct file *f,
		    const struct inode_view *v);
/* The same, when no other reader has its bytes either: a program that opens
 * files in order will want those that come next. They are started before i
 * itself is. */
void file_ahead_missed(struct file_ahead *a, struct inode *i,
		       const struct inode_view *v);

#endif
