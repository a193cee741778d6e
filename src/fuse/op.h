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
 * A close. Nothing breaks it off: what was written is published also when its
 * writer is killed; but the dead do not wait for that. Such a writer's close is
 * answered at once, and the handle kept until op_close_end(), which releases it
 * if the kernel did meanwhile.
 */
struct op_close {
	fuse_req_t req;
	struct handle *handle;
	bool answered;
};

struct fs *op_close_begin(struct op_close *c);
void op_close_end(struct op_close *c, struct fs *fs, int rc);

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
