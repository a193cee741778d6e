/*
 * Errors that no close could return: the next open of the name does.
 */
#include <errno.h>
#include <fcntl.h>

#include "fs/names.h"
#include "fs/untold.h"
#include "stage/stage.h"

int closing_tell(struct fs *fs, struct inode *i, const char *name, int flags)
{
	struct buf key = NAMES_KEY;
	struct stage *stage;
	int err;

	if (!untold_any(fs->untold))
		return 0;
	stage = inode_stage(fs->tree, i);
	err = !stage ? -ENOENT
	      : name ? inode_key_of(fs->tree, i, name, &key)
		     : inode_key(fs->tree, i, &key);
	err = err ? 0 : untold_take(fs->untold, stage->name, buf_str(&key));
	stage_unref(stage);
	buf_clear(&key);
	return flags & O_TRUNC ? 0 : err;
}

void closing_failed(struct fs *fs, struct handle *h, int err)
{
	struct buf key = NAMES_KEY;

	/* The kernel asks again, and says nothing, after an open's ESTALE. */
	if (err == -ESTALE || err == -EINTR)
		err = -EIO;
	if (!file_key(h->file, &key))
		untold_add(fs->untold, file_stage(h->file)->name, buf_str(&key),
			   err);
	buf_clear(&key);
}

void closing_done(struct fs *fs, struct handle *h)
{
	struct buf key = NAMES_KEY;

	h->waits = 0;
	if (untold_any(fs->untold) && !file_key(h->file, &key))
		untold_take(fs->untold, file_stage(h->file)->name,
			    buf_str(&key));
	buf_clear(&key);
}
