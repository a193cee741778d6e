/*
 * Parts that leave while the program still writes. A part's bytes are kept in
 * the spill file too (a tee) if the disk has room to spare, for who reads
 * them, writes there again, or must upload anew. When it has none they are
 * `lost`: the store alone has them, and writing goes on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/buf.h"
#include "fs/content/file_internal.h"
#include "base/pool.h"
#include "stage/stage.h"

#define TAIL_MAX (64ULL << 20)

/* All bytes of the part that holds the file's last byte, before it, are with
 * us, and it can be sent when it is full. */
static bool local_locked(struct file *f, const struct part_range *part)
	REQUIRES(&f->lock)
{
	struct file_locked *g = file_locked(f);
	struct slot *slot = writer_slot_locked(f, part->number);

	if (slot && slot->state != SLOT_NONE)
		return false;
	if (g->tail.mem)
		return g->tail.part.number == part->number &&
		       g->tail.cap == part->len;
	return extents_cover(&g->ours, part->start, g->size);
}

/* Will a write that ends at `end` let a part leave? */
static bool will_leave_locked(struct file *f, uint64_t end) REQUIRES(&f->lock)
{
	struct file_locked *g = file_locked(f);
	uint64_t part_size = f->stage->part_size;
	struct part_range part;

	if (g->orphan || end <= g->size)
		return false;
	/* The part that the file ends in, if it is to be filled. */
	if (g->size && !part_at(part_size, g->size - 1, &part) &&
	    part.start + part.len < end && local_locked(f, &part))
		return true;
	/* The first part that is filled from its beginning. */
	if (part_at(part_size, g->size, &part))
		return false;
	if (part.start < g->size &&
	    part_numbered(part_size, part.number + 1, &part))
		return false;
	return part.start + part.len < end;
}

int writer_prepare(struct file *f, uint64_t end)
{
	struct buf key = BUF_INIT(STORE_KEY_MAX + 1);
	bool leaves, opened;
	int err = 0;

	lock_take(&f->lock);
	leaves = will_leave_locked(f, end);
	opened = file_locked(f)->upload != NULL;
	lock_drop(&f->lock);
	if (!leaves)
		return 0;
	if (!opened) {
		err = inode_open_key(f->env->tree, f->inode, &key);
		if (!err)
			err = writer_open(f, buf_str(&key));
		else if (err == -ENOENT)
			err = 0; /* an orphan's parts do not leave */
		buf_clear(&key);
	}
	return err ? err : writer_wait_room(f);
}

/* Keeps a copy of the tail if the disk has room to spare. */
static int tee(struct file *f, const struct tail *t)
{
	struct file_locked *g;
	struct file_spill *s;
	bool first;
	int err = file_spill_need(f, &s);

	if (!err)
		err = spill_write(&s->spill, t->part.start, t->mem, t->len, 1);
	lock_take(&f->lock);
	g = file_locked(f);
	first = err && !g->lost.n;
	err = extents_add(err ? &g->lost : &g->ours, t->part.start,
			  t->part.start + t->len);
	lock_drop(&f->lock);
	if (first)
		file_log(f, LOG_LEVEL_WARN, -ENOSPC,
			 "no room to keep what is uploaded: it cannot be read "
			 "or changed before the file is closed");
	return err;
}

static int leave_from_memory(struct file *f, const struct tail *t)
{
	struct store_body body = { .data = t->mem, .len = t->len };
	struct flight *fl = flight_new(f, &t->part, &body);
	int err = fl ? tee(f, t) : -ENOMEM;

	if (err) {
		flight_free(fl);
		return err;
	}
	lock_take(&f->lock);
	file_locked(f)->tail = (struct tail){ .mem = NULL };
	lock_drop(&f->lock);
	flight_launch(fl, t->mem, t->cap);
	return 0;
}

static int leave_from_spill(struct file *f, const struct part_range *part)
{
	struct store_body body = { .fd = -1,
				   .offset = part->start,
				   .len = part->len };
	bool ready;

	lock_take(&f->lock);
	ready = local_locked(f, part);
	if (ready)
		body.fd = file_locked(f)->spill->spill.fd;
	lock_drop(&f->lock);
	return ready ? writer_send(f, part, &body) : 0;
}

int writer_leave(struct file *f, unsigned number)
{
	struct tail t = file_tail(f);
	struct part_range part;
	struct file_locked *g;
	bool can;
	int err = part_numbered(f->stage->part_size, number, &part);

	if (err || (t.mem && t.part.number != number))
		return err;
	lock_take(&f->lock);
	g = file_locked(f);
	can = g->upload && !g->orphan && g->n_flights < FILE_FLIGHTS;
	lock_drop(&f->lock);
	if (t.mem && can && t.len == t.part.len)
		return leave_from_memory(f, &t);
	if (t.mem)
		return file_tail_unload(f);
	return can ? leave_from_spill(f, &part) : 0;
}

/* Memory for a tail: one's own parts that are on their way will give some
 * back. NULL: there is none to be had, or the wait was interrupted. */
static void *borrow(struct file *f, size_t cap)
{
	struct pool *pool = file_pool(f);
	unsigned ended, lent;
	void *mem;

	do {
		lock_take(&f->lock);
		ended = file_locked(f)->ended;
		lent = file_locked(f)->n_lent;
		lock_drop(&f->lock);
		mem = NULL;
		if (pool_hold(pool, cap)) {
			mem = pool_try(pool, cap);
			if (!mem)
				pool_unhold(pool, cap);
		}
	} while (!mem && lent && !writer_wait_one(f, ended));
	return mem;
}

void writer_tail(struct file *f, const struct part_range *part)
{
	uint64_t cap = budget_limit(f->env->budget) / 8;
	void *mem;

	if (cap > TAIL_MAX)
		cap = TAIL_MAX;
	if (cap > part->len)
		cap = part->len;
	/* A part too large for memory is the spill file's from its beginning,
	 * but for the first: most files are small. */
	if ((cap < part->len && part->number > 1) || file_tail(f).mem)
		return;
	mem = borrow(f, (size_t)cap);
	if (!mem)
		return;
	lock_take(&f->lock);
	file_locked(f)->tail =
		(struct tail){ .part = *part, .mem = mem, .cap = (size_t)cap };
	lock_drop(&f->lock);
}
