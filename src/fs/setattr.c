/*
 * Changed attributes. Under `attributes = server` an object has a size and a
 * time of its own; mode, owner and other times are kept here while the name is
 * known.
 */
#include "fs/names.h"

#include <errno.h>

static int set_size(struct fs *fs, struct inode *i, struct handle *h,
		    off_t size)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	if (v.kind != INODE_FILE)
		return -EISDIR;
	if (size < 0)
		return -EINVAL;
	if (h && size)
		handle_changed(h);
	return h ? file_truncate(h->file, size) : names_truncate(fs, i, size);
}

int fs_setattr(struct fs *fs, struct inode *i, struct handle *h,
	       const struct stat *st, unsigned which, struct stat *out,
	       double *timeout)
{
	int err = names_writable(fs, i);

	if (!err && (which & FS_SET_SIZE))
		err = set_size(fs, i, h, st->st_size);
	if (!err && (which & FS_SET_MODE))
		err = inode_set_mode(fs->tree, i, st->st_mode);
	if (!err && (which & (FS_SET_UID | FS_SET_GID)))
		err = inode_set_owner(
			fs->tree, i,
			which & FS_SET_UID ? st->st_uid : (uid_t)-1,
			which & FS_SET_GID ? st->st_gid : (gid_t)-1);
	if (!err && (which & (FS_SET_ATIME | FS_SET_MTIME)))
		err = inode_set_times(
			fs->tree, i, which & FS_SET_ATIME ? &st->st_atim : NULL,
			which & FS_SET_MTIME ? &st->st_mtim : NULL);
	if (err)
		return err;
	names_stat(fs, i, out);
	*timeout = names_timeout(fs, i);
	return 0;
}
