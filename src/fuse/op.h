/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel's requests have in common.
 */
#ifndef FUSE_OP_H
#define FUSE_OP_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include <stdbool.h>

#include "fs/fs.h"

/*
 * Every operation that may wait stands between these two: a signal that kills
 * the caller then ends the wait of the thread that works for it.
 */
struct fs *op_begin(fuse_req_t req);
/* The same for what nothing breaks off. */
struct fs *op_begin_whole(fuse_req_t req);
void op_end(fuse_req_t req);

/*
 * An operation that is not always broken off: what has come so far that to
 * finish it, or to take it back, is the shortest way. But the dead do not wait
 * for that: a killed caller's request is answered by -EINTR, and the work goes
 * on. The handles and the inode, if any, are kept until the end of that, and
 * let go there if the kernel did meanwhile; leave(), if any, is called before
 * the answer. The request is gone then: what is needed of it is taken before.
 */
struct op_work {
	fuse_req_t req;
	struct handle *handle, *from;
	struct inode *inode;
	void (*leave)(struct op_work *o, struct fs *fs);
	bool answered;
};

struct fs *op_work_begin(struct op_work *o);
/* The same, of which nothing at all is broken off. */
struct fs *op_work_begin_whole(struct op_work *o);
/* Its end: true when there is nothing to reply any more, as it has failed or
 * was answered; then what it has made (rc is 0) is the caller's to undo. */
bool op_work_over(struct op_work *o, struct fs *fs, int rc);
/* The same of an operation without a result. */
void op_work_end(struct op_work *o, struct fs *fs, int rc);

/* Replies to an operation without a result: rc is 0 or -errno. */
void op_reply(fuse_req_t req, int rc);
/* The same at its end. */
void op_done(fuse_req_t req, int rc);
/* Ends an operation: true when it has failed, and is replied to. */
bool op_failed(fuse_req_t req, int rc);
struct inode *op_inode(fuse_req_t req, fuse_ino_t ino);
void op_caller(fuse_req_t req, struct fs_caller *out);
void op_entry_param(const struct fs_entry *e, struct fuse_entry_param *out);

#endif
