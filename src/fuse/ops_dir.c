/*
 * Open directories. Entries are packed into one buffer of the kernel's size;
 * what does not fit any more is asked for again.
 */
#include "fuse/ops.h"

#include <errno.h>
#include <stdlib.h>

struct packer {
	fuse_req_t req;
	char *bytes;
	size_t size, used;
	bool plus;
};

static struct dir_handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct dir_handle *)(uintptr_t)fi->fh;
}

static int pack(void *arg, const char *name, const struct fs_entry *entry,
		off_t next)
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

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = op_begin(req);
	struct dir_handle *h = NULL;
	int err = fs_dir_open(fs, op_inode(req, ino), &h);

	op_end(req);
	if (err) {
		op_reply(req, err);
		return;
	}
	fi->fh = (uintptr_t)h;
	if (fuse_reply_open(req, fi) == -ENOENT)
		fs_dir_close(fs, h);
}

static void readdir_any(fuse_req_t req, size_t size, off_t off,
			struct fuse_file_info *fi, bool plus)
{
	struct packer p = { .req = req, .size = size, .plus = plus };
	int err = -ENOMEM;

	p.bytes = malloc(size);
	if (p.bytes)
		err = fs_dir_read(op_begin(req), handle_of(fi), off, plus, pack,
				  &p);
	op_end(req);
	if (err)
		op_reply(req, err);
	else
		fuse_reply_buf(req, p.bytes, p.used);
	free(p.bytes);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		struct fuse_file_info *fi)
{
	readdir_any(req, size, off, fi, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	readdir_any(req, size, off, fi, true);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fs_dir_close(fuse_req_userdata(req), handle_of(fi));
	op_reply(req, 0);
}

/* Every change of a directory is in the store when its call returns; one of
 * files has it flushed now. */
void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
		 struct fuse_file_info *fi)
{
	int err = fs_dir_sync(op_begin(req), handle_of(fi));

	op_end(req);
	op_reply(req, err);
}
