/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names. A node id is an inode's address; FUSE_ROOT_ID is the root's.
 *
 * The order in an operation: op_begin, the call, op_end, the reply. The reply
 * comes last because after it the kernel may ask again, on another thread,
 * for what we still hold.
 */
#include "fuse/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "fs/inval_queue.h"
#include "fs/xattr/fs_xattr.h"
#include "fuse/killpriv.h"

/* The reply to lookup and its kin; rc as their fs_*() returned it. */
static void op_reply_entry(fuse_req_t req, int rc, const struct fs_entry *e)
{
	struct fs *fs = fuse_req_userdata(req);
	struct fuse_entry_param param;

	if (rc) {
		op_reply(req, rc);
		return;
	}
	op_entry_param(e, &param);
	if (fuse_reply_entry(req, &param) == -ENOENT && e->inode)
		fs_forget(fs, e->inode, 1);
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	unsigned on = FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC |
		      FUSE_CAP_READDIRPLUS | FUSE_CAP_ASYNC_DIO |
		      FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_PARALLEL_DIROPS;
	unsigned off = FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_WRITEBACK_CACHE |
		       FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
		       FUSE_CAP_SPLICE_MOVE | FUSE_CAP_POSIX_ACL |
		       FUSE_CAP_DONT_MASK;

	conn->want = (conn->want | on) & ~off & conn->capable;
	conn->max_write = 1 << 20;
	conn->max_background = 128;
	conn->congestion_threshold = 96;
	conn->time_gran = 1;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs_entry e = { 0 };
	int rc = fs_lookup(op_begin(req), op_inode(req, parent), name, &e);

	op_end(req);
	op_reply_entry(req, rc, &e);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	fs_forget(fuse_req_userdata(req), op_inode(req, ino), n);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count,
			    struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		fs_forget(fuse_req_userdata(req), op_inode(req, forgets[i].ino),
			  forgets[i].nlookup);
	fuse_reply_none(req);
}

static struct handle *op_file_handle(struct fuse_file_info *fi)
{
	return fi ? (struct handle *)(uintptr_t)fi->fh : NULL;
}

static void op_reply_attr(fuse_req_t req, int rc, const struct stat *st,
			  double timeout)
{
	if (rc)
		op_reply(req, rc);
	else
		fuse_reply_attr(req, st, timeout);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct stat st;
	double timeout;
	int rc = fs_getattr(op_begin(req), op_inode(req, ino),
			    op_file_handle(fi), &st, &timeout);

	op_end(req);
	op_reply_attr(req, rc, &st, timeout);
}

/* FUSE_SET_ATTR_* to FS_SET_*; "now" becomes a time. */
static unsigned op_setattr_which(int to_set, struct stat *attr)
{
	static const struct {
		int fuse;
		unsigned fs;
	} map[] = {
		{ FUSE_SET_ATTR_MODE, FS_SET_MODE },
		{ FUSE_SET_ATTR_UID, FS_SET_UID },
		{ FUSE_SET_ATTR_GID, FS_SET_GID },
		{ FUSE_SET_ATTR_SIZE, FS_SET_SIZE },
		{ FUSE_SET_ATTR_ATIME, FS_SET_ATIME },
		{ FUSE_SET_ATTR_MTIME, FS_SET_MTIME },
	};
	unsigned which = 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (to_set & map[i].fuse)
			which |= map[i].fs;
	if (killpriv_wanted())
		which |= FS_DROP_SETID;
	if (to_set & FUSE_SET_ATTR_ATIME_NOW)
		clock_gettime(CLOCK_REALTIME, &attr->st_atim);
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		clock_gettime(CLOCK_REALTIME, &attr->st_mtim);
	return which;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
		       int to_set, struct fuse_file_info *fi)
{
	struct op_work w = { .req = req, .handle = op_file_handle(fi) };
	unsigned which = op_setattr_which(to_set, attr);
	pid_t thread = fuse_req_ctx(req)->pid;
	struct fs *fs = op_work_begin(&w);
	struct stat st;
	double timeout;
	int rc = fs_setattr(fs, op_inode(req, ino), w.handle, attr, which, &st,
			    &timeout);

	if (!rc && fi && (which & FS_SET_SIZE))
		fs_written_by(fs, w.handle, thread);
	if (!op_work_over(&w, fs, rc))
		fuse_reply_attr(req, &st, timeout);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
		     mode_t mode)
{
	struct fs_entry e = { 0 };
	struct fs_caller c;
	int rc;

	op_caller(req, &c);
	rc = fs_mkdir(op_begin(req), op_inode(req, parent), name, mode, &c, &e);
	op_end(req);
	op_reply_entry(req, rc, &e);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	int rc = fs_rmdir(op_begin(req), op_inode(req, parent), name);

	op_done(req, rc);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	int rc = fs_unlink(op_begin(req), op_inode(req, parent), name);

	op_done(req, rc);
}

struct rename_work {
	struct op_work work;
	struct inode *dir, *to_dir;
	const char *name, *to_name;
};

/* The names may have changed, and the kernel is told that they have not. */
static void op_rename_leave(struct op_work *o, struct fs *fs)
{
	const struct rename_work *w = (struct rename_work *)o;

	inval_queue_entry(fs_inval_queue(fs), w->dir, w->name);
	inval_queue_entry(fs_inval_queue(fs), w->to_dir, w->to_name);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
		      fuse_ino_t to, const char *to_name, unsigned flags)
{
	struct rename_work w = {
		.work = { .req = req, .leave = op_rename_leave },
		.dir = op_inode(req, parent),
		.to_dir = op_inode(req, to),
		.name = name,
		.to_name = to_name,
	};
	struct fs *fs = op_work_begin(&w.work);

	op_work_end(&w.work, fs,
		    fs_rename(fs, w.dir, name, w.to_dir, to_name, flags));
}

static void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent,
		       const char *name)
{
	struct fs_entry e = { 0 };
	struct fs_caller c;
	int rc;

	op_caller(req, &c);
	rc = fs_symlink(op_begin(req), op_inode(req, parent), name, link, &c,
			&e);
	op_end(req);
	op_reply_entry(req, rc, &e);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[PATH_MAX];
	int rc = fs_readlink(op_begin(req), op_inode(req, ino), target);

	if (!op_failed(req, rc))
		fuse_reply_readlink(req, target);
}

/* There are none; the kernel would make ENOSYS of a missing operation. */
static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
		    const char *name)
{
	op_reply(req, fs_link(name));
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;
	int rc = fs_statfs(op_begin(req), op_inode(req, ino), &st);

	if (!op_failed(req, rc))
		fuse_reply_statfs(req, &st);
}

/* ---- open directories ----
 * 
 * Entries are packed into one buffer of the kernel's size; what does not fit
 * any more is asked for again. */

struct packer {
	fuse_req_t req;
	char *bytes;
	size_t size, used;
	bool plus;
};

static struct dir_handle *op_dir_handle(const struct fuse_file_info *fi)
{
	return (struct dir_handle *)(uintptr_t)fi->fh;
}

static int op_dir_pack(void *arg, const char *name,
		       const struct fs_entry *entry, off_t next)
{
	struct packer *p = arg;
	struct fuse_entry_param param;
	char *at = p->bytes + p->used;
	size_t room = p->size - p->used, need;

	op_entry_param(entry, &param);
	if (p->plus)
		need = fuse_add_direntry_plus(p->req, at, room, name, &param,
					      next);
	else
		need = fuse_add_direntry(p->req, at, room, name, &entry->st,
					 next);
	if (need > room)
		return 1;
	p->used += need;
	return 0;
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct fs *fs = op_begin(req);
	struct dir_handle *h = NULL;
	int rc = fs_dir_open(fs, op_inode(req, ino), &h);

	if (op_failed(req, rc))
		return;
	fi->fh = (uintptr_t)h;
	if (fuse_reply_open(req, fi) == -ENOENT)
		fs_dir_close(fs, h);
}

static void op_readdir_any(fuse_req_t req, size_t size, off_t off,
			   struct fuse_file_info *fi, bool plus)
{
	struct packer p = { .req = req, .size = size, .plus = plus };
	int rc = -ENOMEM;

	p.bytes = malloc(size);
	if (p.bytes)
		rc = fs_dir_read(op_begin(req), op_dir_handle(fi), off, plus,
				 op_dir_pack, &p);
	if (!op_failed(req, rc))
		fuse_reply_buf(req, p.bytes, p.used);
	free(p.bytes);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	op_readdir_any(req, size, off, fi, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
			   off_t off, struct fuse_file_info *fi)
{
	op_readdir_any(req, size, off, fi, true);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino,
			  struct fuse_file_info *fi)
{
	fs_dir_close(fuse_req_userdata(req), op_dir_handle(fi));
	op_reply(req, 0);
}

/* Every change of a directory is in the store when its call returns; one of
 * files has it flushed now. */
static void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
			struct fuse_file_info *fi)
{
	int rc = fs_dir_sync(op_begin(req), op_dir_handle(fi));

	op_done(req, rc);
}

/* ---- extended attributes ----
 *
 * The kernel asks `ls -l` questions about security.* and system.* for every
 * name: EOPNOTSUPP at once, before anything else, makes coreutils stop asking.
 * ENOSYS would end all extended attributes of the mount. */

static bool op_xattr_refused(fuse_req_t req, const char *name)
{
	if (text_starts_with(name, "user."))
		return false;
	op_reply(req, -EOPNOTSUPP);
	return true;
}

/* size 0 asks how long the value is. */
static void op_reply_value(fuse_req_t req, int rc, struct buf *b, size_t size)
{
	if (!rc)
		rc = buf_err(b);
	if (!rc && size && b->len > size)
		rc = -ERANGE;
	if (rc)
		op_reply(req, rc);
	else if (!size)
		fuse_reply_xattr(req, b->len);
	else
		fuse_reply_buf(req, b->data, b->len);
	buf_wipe(b);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
			size_t size)
{
	struct buf value = BUF_INIT(2 * BUF_URL);
	struct fs_caller c;
	int rc;

	if (op_xattr_refused(req, name))
		return;
	op_caller(req, &c);
	rc = fs_xattr_get(op_begin(req), op_inode(req, ino), name, &c, &value);
	op_end(req);
	op_reply_value(req, rc, &value, size);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct buf names = BUF_INIT(BUF_URL);
	int rc = fs_xattr_list(op_begin(req), op_inode(req, ino), &names);

	op_end(req);
	op_reply_value(req, rc, &names, size);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
			const char *value, size_t size, int flags)
{
	struct fs_caller c;
	int rc;

	if (op_xattr_refused(req, name))
		return;
	op_caller(req, &c);
	rc = fs_xattr_set(op_begin(req), op_inode(req, ino), name, value, size,
			  flags, &c);
	op_done(req, rc);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct fs_caller c;
	int rc;

	if (op_xattr_refused(req, name))
		return;
	op_caller(req, &c);
	rc = fs_xattr_remove(op_begin(req), op_inode(req, ino), name, &c);
	op_done(req, rc);
}

const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.mknod = ops_file_mknod,
	.mkdir = op_mkdir,
	.rmdir = op_rmdir,
	.unlink = op_unlink,
	.rename = op_rename,
	.symlink = op_symlink,
	.readlink = op_readlink,
	.link = op_link,
	.statfs = op_statfs,
	.open = ops_file_open,
	.create = ops_file_create,
	.read = ops_file_read,
	.write = ops_file_write,
	.flush = ops_file_flush,
	.fsync = ops_file_fsync,
	.release = ops_file_release,
	.fallocate = ops_file_fallocate,
	.copy_file_range = ops_file_copy_range,
	.lseek = ops_file_lseek,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.releasedir = op_releasedir,
	.fsyncdir = op_fsyncdir,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.setxattr = op_setxattr,
	.removexattr = op_removexattr,
};
