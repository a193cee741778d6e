/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files. A read is answered in place, straight from the blocks that hold
 * the bytes. A write is copied and answered: nothing is uploaded within it but
 * what back pressure demands.
 */
#include "fuse/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

#include "fs/inval_queue.h"
#include "fuse/killpriv.h"

static struct handle *ops_file_handle(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

static void ops_file_opened(fuse_req_t req, struct fuse_file_info *fi,
			    struct handle *h, bool keep)
{
	fi->fh = (uintptr_t)h;
	fi->keep_cache = keep;
	/* Without a way to write, its close has nothing to report. */
	fi->noflush = (fi->flags & O_ACCMODE) == O_RDONLY;
	fs_opened_by(fuse_req_userdata(req), h, fuse_req_ctx(req)->pid);
}

void ops_file_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct op_work w = { .req = req, .inode = op_inode(req, ino) };
	struct fs *fs = op_work_begin(&w);
	struct handle *h = NULL;
	bool keep = false;
	int rc = killpriv_wanted() ? fs_drop_setid(fs, w.inode) : 0;

	if (!rc)
		rc = fs_file_open(fs, w.inode, fi->flags, &h, &keep);
	if (op_work_over(&w, fs, rc)) {
		if (!rc)
			fs_release(fs, h);
		return;
	}
	ops_file_opened(req, fi, h, keep);
	if (fuse_reply_open(req, fi) == -ENOENT)
		fs_release(fs, h);
}

struct create_work {
	struct op_work work;
	const char *name;
};

/* The name may be there, and the kernel is told that it is not. */
static void ops_file_create_leave(struct op_work *o, struct fs *fs)
{
	const struct create_work *w = (struct create_work *)o;

	inval_queue_entry(fs_inval_queue(fs), o->inode, w->name);
}

static void ops_file_create_undo(struct fs *fs, struct handle *h,
				 struct fs_entry *e)
{
	fs_release(fs, h);
	fs_forget(fs, e->inode, 1);
}

void ops_file_create(fuse_req_t req, fuse_ino_t parent, const char *name,
		     mode_t mode, struct fuse_file_info *fi)
{
	struct create_work w = {
		.work = { .req = req,
			  .inode = op_inode(req, parent),
			  .leave = ops_file_create_leave },
		.name = name,
	};
	struct fs *fs = op_work_begin(&w.work);
	struct fuse_entry_param param;
	struct fs_entry e = { 0 };
	struct handle *h = NULL;
	struct fs_caller c;
	int rc;

	op_caller(req, &c);
	rc = fs_file_create(fs, w.work.inode, name, mode, fi->flags, &c, &e,
			    &h);
	if (op_work_over(&w.work, fs, rc)) {
		if (!rc)
			ops_file_create_undo(fs, h, &e);
		return;
	}
	ops_file_opened(req, fi, h, true);
	op_entry_param(&e, &param);
	if (fuse_reply_create(req, &param, fi) == -ENOENT)
		ops_file_create_undo(fs, h, &e);
}

/* mknod(2) of a regular file; devices, pipes and sockets have no object. */
void ops_file_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
		    mode_t mode, dev_t rdev)
{
	struct fs *fs = op_begin(req);
	struct fuse_entry_param param;
	struct fs_entry e = { 0 };
	struct handle *h = NULL;
	struct fs_caller c;
	int rc = -EPERM;

	op_caller(req, &c);
	if (S_ISREG(mode))
		rc = fs_file_create(fs, op_inode(req, parent), name, mode,
				    O_WRONLY | O_EXCL, &c, &e, &h);
	if (!rc) {
		rc = fs_file_flush(fs, h);
		fs_release(fs, h);
		if (rc)
			fs_forget(fs, e.inode, 1);
	}
	if (op_failed(req, rc))
		return;
	op_entry_param(&e, &param);
	if (fuse_reply_entry(req, &param) == -ENOENT)
		fs_forget(fs, e.inode, 1);
}

void ops_file_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		   struct fuse_file_info *fi)
{
	struct fs *fs = op_begin(req);
	struct fs_data data = { 0 };
	int rc = fs_file_read(fs, ops_file_handle(fi), off, size, &data);

	if (op_failed(req, rc))
		return;
	fuse_reply_iov(req, data.iov, data.n);
	fs_data_release(fs, &data);
}

void ops_file_write(fuse_req_t req, fuse_ino_t ino, const char *bytes,
		    size_t size, off_t off, struct fuse_file_info *fi)
{
	struct op_work w = { .req = req, .handle = ops_file_handle(fi) };
	pid_t thread = fuse_req_ctx(req)->pid;
	struct fs *fs = op_work_begin(&w);
	int rc = killpriv_wanted() ? fs_drop_setid(fs, op_inode(req, ino)) : 0;

	if (!rc && fi->writepage)
		rc = fs_file_write_page(fs, w.handle, off, bytes, size);
	else if (!rc)
		rc = fs_file_write(fs, w.handle, off, bytes, size);
	if (!fi->writepage) /* the kernel's own thread may write those */
		fs_written_by(fs, w.handle, thread);
	if (!op_work_over(&w, fs, rc))
		fuse_reply_write(req, size);
}

/* Not broken off: what was written is published. */
void ops_file_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct op_work w = { .req = req, .handle = ops_file_handle(fi) };
	pid_t thread = fuse_req_ctx(req)->pid;
	struct fs *fs = op_work_begin_whole(&w);

	op_work_end(&w, fs, fs_close(fs, w.handle, thread));
}

void ops_file_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
		    struct fuse_file_info *fi)
{
	struct op_work w = { .req = req, .handle = ops_file_handle(fi) };
	struct fs *fs = op_work_begin(&w);

	op_work_end(&w, fs, fs_file_sync(fs, w.handle));
}

void ops_file_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fs_release(op_begin_whole(req), ops_file_handle(fi));
	op_done(req, 0);
}

void ops_file_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset,
			off_t length, struct fuse_file_info *fi)
{
	struct op_work w = { .req = req, .handle = ops_file_handle(fi) };
	pid_t thread = fuse_req_ctx(req)->pid;
	struct fs *fs = op_work_begin(&w);
	int rc = 0;

	/* The request has no flag, and CAP_FSETID cannot be seen from here. */
	if (fuse_req_ctx(req)->uid)
		rc = fs_drop_setid(fs, op_inode(req, ino));
	if (!rc)
		rc = fs_range_allocate(fs, w.handle, mode, offset, length);
	if (!rc)
		fs_written_by(fs, w.handle, thread);
	op_work_end(&w, fs, rc);
}

void ops_file_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
		    struct fuse_file_info *fi)
{
	off_t found = 0;
	int rc = fs_range_seek(op_begin(req), ops_file_handle(fi), offset,
			       whence, &found);

	if (!op_failed(req, rc))
		fuse_reply_lseek(req, found);
}

void ops_file_copy_range(fuse_req_t req, fuse_ino_t from, off_t from_at,
			 struct fuse_file_info *from_fi, fuse_ino_t to,
			 off_t to_at, struct fuse_file_info *to_fi, size_t len,
			 int flags)
{
	struct op_work w = { .req = req,
			     .handle = ops_file_handle(to_fi),
			     .from = ops_file_handle(from_fi) };
	pid_t thread = fuse_req_ctx(req)->pid;
	struct fs *fs = op_work_begin(&w);
	ssize_t n = flags ? -EINVAL : 0;

	/* As in fallocate(2). */
	if (!n && fuse_req_ctx(req)->uid)
		n = fs_drop_setid(fs, op_inode(req, to));
	if (!n)
		n = fs_range_copy(fs, w.from, from_at, w.handle, to_at, len);
	if (n > 0)
		fs_written_by(fs, w.handle, thread);
	if (!op_work_over(&w, fs, n < 0 ? (int)n : 0))
		fuse_reply_write(req, (size_t)n);
}
