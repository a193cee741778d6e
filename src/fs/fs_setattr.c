/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A caller sets attributes: the size is content's, the others are kept where
 * they can be (attributes.c).
 */
#include "fs/names.h"

#include <errno.h>

static int setattr_size(struct fs *fs, struct inode *i, struct handle *h,
			off_t size)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	if (v.kind != INODE_FILE)
		return -EISDIR;
	if (size < 0)
		return -EINVAL;
	if (h && size) {
		handle_changed(h);
		h->written = true;
	}
	return HANDLE_WRITE(fs, h ? file_truncate(h->file, size)
				  : fs_file_truncate(fs, i, size));
}

int fs_setattr(struct fs *fs, struct inode *i, struct handle *h,
	       const struct stat *st, unsigned which, struct stat *out,
	       double *timeout)
{
	int rc = names_writable(fs, i);

	/* Its caller may be let go (base/waiter.h) and the kernel forget it. */
	inode_ref(fs->tree, i);
	if (!rc && (which & FS_DROP_SETID))
		rc = fs_drop_setid(fs, i);
	if (!rc && (which & FS_SET_SIZE))
		rc = setattr_size(fs, i, h, st->st_size);
	if (!rc)
		rc = attributes_keep(fs, i, st, which);
	if (!rc)
		*timeout = names_stat_kernel(fs, i, out);
	inode_unref(fs->tree, i);
	return rc;
}
