/*
 * Errors that no close could return: the next open of the name does.
 */
#include <errno.h>
#include <fcntl.h>

#include "fs/names.h"
#include "fs/close_errors.h"
#include "stage/stage.h"

int close_errors_tell(struct fs *fs, struct inode *i, const char *name,
		      int flags)
{
	struct buf key = NAMES_KEY;
	struct stage *stage;
	int err;

	if (!close_errors_any(fs->close_errors))
		return 0;
	stage = inode_stage(fs->tree, i);
	err = !stage ? -ENOENT
	      : name ? inode_key_of(fs->tree, i, name, &key)
		     : inode_key(fs->tree, i, &key);
	err = err ? 0
		  : close_errors_take(fs->close_errors, stage->name,
				      buf_str(&key));
	stage_unref(stage);
	buf_clear(&key);
	return flags & O_TRUNC ? 0 : err;
}

void close_errors_failed(struct fs *fs, struct handle *h, int err)
{
	struct buf key = NAMES_KEY;

	/* The kernel asks again, and says nothing, after an open's ESTALE. */
	if (err == -ESTALE || err == -EINTR)
		err = -EIO;
	if (!file_key(h->file, &key))
		close_errors_add(fs->close_errors, file_stage(h->file)->name,
				 buf_str(&key), err);
	buf_clear(&key);
}

void close_errors_done(struct fs *fs, struct handle *h)
{
	struct buf key = NAMES_KEY;

	h->waits = 0;
	if (close_errors_any(fs->close_errors) && !file_key(h->file, &key))
		close_errors_take(fs->close_errors, file_stage(h->file)->name,
				  buf_str(&key));
	buf_clear(&key);
}
