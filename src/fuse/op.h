/*
 * What the kernel's requests have in common.
 */
#ifndef FUSE_OP_H
#define FUSE_OP_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "fs/fs.h"

/*
 * Every operation that may wait stands between these two: a signal that kills
 * the caller then ends the wait of the thread that works for it.
 */
struct fs *op_begin(fuse_req_t req);
/* The same for a close, which nothing breaks off: what was written is published
 * also when its writer is killed. */
struct fs *op_begin_whole(fuse_req_t req);
void op_end(fuse_req_t req);

/* Replies to an operation without a result: rc is 0 or -errno. */
void op_reply(fuse_req_t req, int rc);
struct inode *op_inode(fuse_req_t req, fuse_ino_t ino);
void op_caller(fuse_req_t req, struct fs_caller *out);
void op_entry_param(const struct fs_entry *e, struct fuse_entry_param *out);

#endif
