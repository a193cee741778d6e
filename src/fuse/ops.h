/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's requests, translated: each operation takes its arguments apart,
 * calls one fs_*() function and replies last. When a reply says -ENOENT the
 * kernel has given the request up, and what it would have held is undone.
 */
#ifndef FUSE_OPS_H
#define FUSE_OPS_H

#include "fuse/op.h"

extern const struct fuse_lowlevel_ops ops;

/* ops_file.c */
void ops_file_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ops_file_create(fuse_req_t req, fuse_ino_t parent, const char *name,
		     mode_t mode, struct fuse_file_info *fi);
void ops_file_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
		    mode_t mode, dev_t rdev);
void ops_file_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		   struct fuse_file_info *fi);
void ops_file_write(fuse_req_t req, fuse_ino_t ino, const char *bytes,
		    size_t size, off_t off, struct fuse_file_info *fi);
void ops_file_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ops_file_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
		    struct fuse_file_info *fi);
void ops_file_release(fuse_req_t req, fuse_ino_t ino,
		      struct fuse_file_info *fi);
void ops_file_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset,
			off_t length, struct fuse_file_info *fi);
void ops_file_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
		    struct fuse_file_info *fi);
void ops_file_copy_range(fuse_req_t req, fuse_ino_t from, off_t from_at,
			 struct fuse_file_info *from_fi, fuse_ino_t to,
			 off_t to_at, struct fuse_file_info *to_fi, size_t len,
			 int flags);

#endif
