/*
 * The tail of a file, and the spill file that takes what it does not hold.
 */
#include "fs/content/file_internal.h"
#include "base/pool.h"

struct tail file_tail(struct file *f)
{
	struct tail t;

	lock_take(&f->lock);
	t = file_locked(f)->tail;
	lock_drop(&f->lock);
	return t;
}

void file_tail_free(struct file *f, const struct tail *t)
{
	if (!t->mem)
		return;
	pool_unhold(file_pool(f), t->cap);
	pool_put(file_pool(f), t->mem, t->cap);
}

void file_tail_drop(struct file *f)
{
	struct tail t;

	lock_take(&f->lock);
	t = file_locked(f)->tail;
	file_locked(f)->tail = (struct tail){ .mem = NULL };
	lock_drop(&f->lock);
	file_tail_free(f, &t);
}

int file_keep(struct file *f, uint64_t offset, const void *bytes, size_t len)
{
	struct file_spill *s;
	int err = file_spill_need(f, &s);

	if (err)
		return err;
	err = spill_write(&s->spill, offset, bytes, len, 0);
	if (err) {
		file_log(f, LOG_LEVEL_ERROR, err,
			 "cannot write to the spill directory");
		return err;
	}
	lock_take(&f->lock);
	err = extents_add(&file_locked(f)->ours, offset, offset + len);
	lock_drop(&f->lock);
	return err;
}

int file_tail_unload(struct file *f)
{
	struct tail t = file_tail(f);
	int err = 0;

	if (t.mem && t.len)
		err = file_keep(f, t.part.start, t.mem, t.len);
	if (!err)
		file_tail_drop(f);
	return err;
}
