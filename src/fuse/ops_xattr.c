/*
 * Extended attributes. The kernel asks `ls -l` questions about security.* and
 * system.* for every name: EOPNOTSUPP at once, before anything else, makes
 * coreutils stop asking. ENOSYS would end all extended attributes of the mount.
 */
#include "fuse/ops.h"

#include <errno.h>

#include "base/buf.h"
#include "base/text.h"

static bool foreign(const char *name)
{
	return !text_starts_with(name, "user.");
}

/* size 0 asks how long the value is. */
static void reply_value(fuse_req_t req, int err, struct buf *b, size_t size)
{
	if (!err)
		err = buf_err(b);
	if (!err && size && b->len > size)
		err = -ERANGE;
	if (err)
		op_reply(req, err);
	else if (!size)
		fuse_reply_xattr(req, b->len);
	else
		fuse_reply_buf(req, b->data, b->len);
	buf_wipe(b);
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct buf value = BUF_INIT(2 * BUF_URL);
	struct fs_caller c;
	int err;

	if (foreign(name)) {
		op_reply(req, -EOPNOTSUPP);
		return;
	}
	op_caller(req, &c);
	err = fs_xattr_get(op_begin(req), op_inode(req, ino), name, &c, &value);
	op_end(req);
	reply_value(req, err, &value, size);
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct buf names = BUF_INIT(BUF_URL);
	int err = fs_xattr_list(op_begin(req), op_inode(req, ino), &names);

	op_end(req);
	reply_value(req, err, &names, size);
}

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		 const char *value, size_t size, int flags)
{
	struct fs_caller c;
	int err;

	if (foreign(name)) {
		op_reply(req, -EOPNOTSUPP);
		return;
	}
	op_caller(req, &c);
	err = fs_xattr_set(op_begin(req), op_inode(req, ino), name, value, size,
			   flags, &c);
	op_end(req);
	op_reply(req, err);
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct fs_caller c;
	int err;

	if (foreign(name)) {
		op_reply(req, -EOPNOTSUPP);
		return;
	}
	op_caller(req, &c);
	err = fs_xattr_remove(op_begin(req), op_inode(req, ino), name, &c);
	op_end(req);
	op_reply(req, err);
}
