/*
 * What callers change of an open file's content, whichever way it is kept: the
 * turn, the state and the name's time, round one step of the way's own.
 */
#include <errno.h>

#include "fs/content/file_internal.h"

static uint64_t size_of(struct file *f)
{
	uint64_t size;

	file_size(f, &size);
	return size;
}

static int check_size(struct file *f, uint64_t size)
{
	return size > file_store(f)->limits.object_max ? -EFBIG : 0;
}

/* What would be written to a file whose object another program has removed or
 * replaced is nobody's. One that was written to before keeps its name. */
static int check_name(struct file *f, enum file_state before)
{
	return before == FILE_CLEAN && inode_is_lost(f->env->tree, f->inode)
		       ? -ESTALE
		       : 0;
}

int file_write(struct file *f, uint64_t offset, const void *bytes, size_t len)
{
	enum file_state before;
	bool changed = false;
	int err;

	if (!len)
		return 0;
	if (offset > UINT64_MAX - len)
		return -EFBIG;
	err = check_size(f, offset + len);
	err = err ? err : file_begin(f, FILE_WRITING, &before);
	if (err)
		return err;
	err = check_name(f, before);
	err = err ? err : f->way->write(f, offset, bytes, len, &changed);
	if (changed)
		inode_touch(f->env->tree, f->inode);
	file_end(f, changed ? FILE_DIRTY : before);
	return err;
}

int file_truncate(struct file *f, uint64_t size)
{
	enum file_state before;
	uint64_t old;
	int err = check_size(f, size);

	err = err ? err : file_begin(f, FILE_WRITING, &before);
	if (err)
		return err;
	old = size_of(f);
	if (size != old)
		err = check_name(f, before);
	if (!err && size != old)
		err = f->way->resize(f, size);
	if (size_of(f) != old) {
		inode_touch(f->env->tree, f->inode);
		before = FILE_DIRTY;
	}
	file_end(f, before);
	return err;
}

int file_make(struct file *f)
{
	enum file_state before;
	int err = file_begin(f, FILE_WRITING, &before);

	if (err)
		return err;
	err = f->way->make(f);
	file_end(f, before);
	return err;
}

int file_reset(struct file *f)
{
	enum file_state before;
	int err = file_begin(f, FILE_WRITING, &before);

	if (err)
		return err;
	err = check_name(f, before);
	if (err) {
		file_end(f, before);
		return err;
	}
	f->way->forget(f, NULL, NULL);
	inode_touch(f->env->tree, f->inode);
	file_end(f, FILE_DIRTY);
	return 0;
}
