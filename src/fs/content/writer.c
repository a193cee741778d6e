/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing, in pieces that each lie in one part. A piece goes
 *
 *   into the tail      when it stands there, or appends to it, or begins a
 *                      part at the file's end and memory for it is to be had;
 *   to the spill file  otherwise.
 *
 * While there is a tail the file ends where it ends. So before a write beyond
 * the end the tail is filled up with zeros, or goes to the spill file.
 *
 * Full parts leave while the program still writes. Their bytes are kept in the
 * spill file too (a tee) if the disk has room to spare, for reading them,
 * writing there again, or uploading anew: by a thread of that file's, from the
 * memory that the part is sent from. When the disk has no room they are not
 * retained: the store alone has them, and writing goes on.
 */
#include "fs/content/writer.h"

#include <errno.h>
#include <string.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/number.h"
#include "base/pool.h"
#include "fs/content/spill.h"
#include "fs/content/upload.h"

#define TAIL_MAX (64ULL << 20)
#define TAIL_ROUND 1024 /* of one that is shrunk */

/* ---- the tail, and the spill file that takes what it does not hold ---- */

void writer_free_tail(struct file *f, const struct tail *t)
{
	if (!t->mem)
		return;
	pool_unhold(file_pool(f), t->sealed ? f->env->sealed : &f->memory,
		    t->cap);
	pool_put(file_pool(f), t->mem, t->cap);
}

static void writer_drop_tail(struct file *f) REQUIRES(f->turn)
{
	struct tail t = content(f)->tail;

	LOCK_DO(&f->lock, content_edit(f)->tail.mem = NULL);
	writer_free_tail(f, &t);
}

/* The spill file, or a new one that is yet to be the content's. */
static int writer_find_spill(struct file *f, struct spill **out)
	REQUIRES(f->turn)
{
	int rc;

	*out = content(f)->spill;
	rc = *out ? 0 : spill_new(f->env->spill_dir, out);
	if (rc)
		file_log(f, LOG_LEVEL_ERROR, rc,
			 "cannot make a file in the spill directory");
	return rc;
}

int writer_need_spill(struct file *f, struct spill **out)
{
	int rc = writer_find_spill(f, out);

	if (!rc && *out != content(f)->spill)
		LOCK_DO(&f->lock, content_edit(f)->spill = *out);
	return rc;
}

/* *out: the spill file, which is to become the content's with what is said to
 * be in it. */
static int writer_spill(struct file *f, uint64_t offset, const void *bytes,
			size_t len, struct spill **out) REQUIRES(f->turn)
{
	int rc = writer_find_spill(f, out);

	if (rc)
		return rc;
	rc = spill_write(*out, offset, bytes, len);
	if (!rc)
		return 0;
	file_log(f, LOG_LEVEL_ERROR, rc, "cannot write to the spill directory");
	if (*out != content(f)->spill)
		spill_unref(*out);
	return rc;
}

int writer_keep(struct file *f, uint64_t offset, const void *bytes, size_t len)
{
	struct spill *s;
	int rc = writer_spill(f, offset, bytes, len, &s);

	if (rc)
		return rc;
	lock_take(&f->lock);
	/* others may be at work with the one that is there (publish_fill()) */
	if (content(f)->spill != s)
		content_edit(f)->spill = s;
	rc = extents_add(&content_edit(f)->local, offset, offset + len);
	lock_drop(&f->lock);
	return rc;
}

int writer_shrink_tail(struct file *f)
{
	struct tail t = content(f)->tail, small = t;

	small.cap = (t.len + TAIL_ROUND) / TAIL_ROUND * TAIL_ROUND;
	if (t.sealed)
		return 0;
	if (!pool_hold(file_pool(f), f->env->sealed, small.cap))
		return -ENOMEM;
	small.sealed = true;
	small.mem = pool_try(file_pool(f), small.cap);
	if (!small.mem) {
		pool_unhold(file_pool(f), f->env->sealed, small.cap);
		return -ENOMEM;
	}
	memcpy(small.mem, t.mem, t.len);
	LOCK_DO(&f->lock, content_edit(f)->tail = small);
	writer_free_tail(f, &t);
	return 0;
}

/* Keeps the tail's bytes in the spill file, and gives its memory back. */
int writer_unload_tail(struct file *f)
{
	const struct tail *t = &content(f)->tail;
	int rc = 0;

	if (t->mem && t->len)
		rc = writer_keep(f, t->part.start, t->mem, t->len);
	if (!rc)
		writer_drop_tail(f);
	return rc;
}

/* ---- what parts there are ---- */

/* Nothing was sent, and nothing is in memory, that the next parts would not be
 * made of. */
static int writer_unplan(struct file *f) REQUIRES(f->turn)
{
	int rc = content(f)->upload ? upload_settle(f, 0, UINT64_MAX) : 0;

	if (rc)
		return rc;
	if (content(f)->upload && content(f)->not_retained.n) {
		file_log(f, LOG_LEVEL_ERROR, -EFBIG,
			 "cannot cut anew what was uploaded and not kept: the "
			 "disk of the spill directory was full");
		return -EFBIG;
	}
	rc = writer_unload_tail(f);
	if (!rc)
		upload_give_up(f);
	return rc;
}

int writer_plan(struct file *f, uint64_t size, bool whole)
{
	const struct content *c = content(f);
	bool begun = c->tail.mem || c->upload, even;
	uint64_t part_size;
	int rc;

	size = number_max(size, c->size);
	even = store_lacks(file_store(f), STORE_LACKS_UNEVEN);
	if (begun && parts_count(f->turn.part_size, size) <= PARTS_MAX &&
	    !(whole && even && !parts_are_even(f->turn.part_size, size)))
		return 0;
	rc = parts_plan(f->stage->part_size, even, size, &part_size);
	if (rc || part_size == f->turn.part_size)
		return rc;
	rc = begun ? writer_unplan(f) : 0;
	if (rc)
		return rc;
	f->turn.part_size = part_size;
	return 0;
}

/* ---- parts that leave ---- */

/* All bytes of the part that holds the file's last byte, before it, are here,
 * and it can be sent when it is full. */
static bool writer_has_part(struct file *f, const struct part_range *part)
	REQUIRES(f->turn)
{
	const struct content *c = content(f);

	if (c->upload && (upload_parts_has(c->upload, part->number) ||
			  upload_parts_is_sending(c->upload, part->number)))
		return false;
	if (c->tail.mem)
		return c->tail.part.number == part->number &&
		       c->tail.cap == part->len;
	return extents_cover(&c->local, part->start, c->size);
}

static bool writer_is_orphan(struct file *f)
{
	return LOCK_UNDER(&f->lock, file_locked(f)->orphan);
}

/* Will a write that ends at `end` let a part leave? */
static bool writer_will_leave(struct file *f, uint64_t end) REQUIRES(f->turn)
{
	uint64_t part_size = f->turn.part_size, size = content(f)->size;
	struct part_range part;

	if (end <= size)
		return false;
	/* The part that the file ends in, if it is to be filled. */
	if (size && !parts_at(part_size, size - 1, &part) &&
	    part.start + part.len < end && writer_has_part(f, &part))
		return true;
	/* The first part that is filled from its beginning. */
	if (parts_at(part_size, size, &part))
		return false;
	if (part.start < size &&
	    parts_numbered(part_size, part.number + 1, &part))
		return false;
	return part.start + part.len < end;
}

/* Before bytes are accepted that end at `end`: what must be waited for so that
 * full parts can leave. 0, -EINTR, or why the upload cannot begin. */
static int writer_prepare(struct file *f, uint64_t end) REQUIRES(f->turn)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	int rc = 0;

	if (!writer_will_leave(f, end) || writer_is_orphan(f))
		return 0;
	if (!content(f)->upload) {
		rc = inode_open_key(f->env->tree, f->inode, &key);
		if (!rc)
			rc = upload_open(f, buf_str(&key));
		else if (rc == -ENOENT)
			rc = 0; /* an orphan's parts do not leave */
	}
	if (rc || !content(f)->upload)
		return rc;
	return upload_parts_wait(content(f)->upload, UPLOAD_WIDTH - 1);
}

static int writer_leave_memory(struct file *f) REQUIRES(f->turn)
{
	struct spill *s;

	(void)writer_need_spill(f, &s);
	return upload_leave_tail(f, s);
}

static int writer_leave_spill(struct file *f, const struct part_range *part)
	REQUIRES(f->turn)
{
	struct store_body body = { .offset = part->start, .len = part->len };

	if (!writer_has_part(f, part))
		return 0;
	body.fd = content(f)->spill->fd;
	return upload_send_part(f, part, &body);
}

/* The part of that number ends where the file does, and more is coming: it
 * leaves if it can, else its bytes are kept. 0 or why neither was possible. */
static int writer_leave(struct file *f, unsigned number) REQUIRES(f->turn)
{
	const struct content *c = content(f);
	const struct tail *t = &c->tail;
	struct part_range part;
	bool can;
	int rc = parts_numbered(f->turn.part_size, number, &part);

	if (rc || (t->mem && t->part.number != number))
		return rc;
	can = c->upload && !writer_is_orphan(f) &&
	      !upload_parts_is_sending(c->upload, number) &&
	      upload_parts_count(c->upload).sending < UPLOAD_WIDTH;
	if (t->mem && can && t->len == t->part.len)
		return writer_leave_memory(f);
	if (t->mem)
		return writer_unload_tail(f);
	return can ? writer_leave_spill(f, &part) : 0;
}

/* What the parts of a file that are under way may hold. */
static size_t writer_most(size_t cap)
{
	size_t most = UPLOAD_WIDTH * PART_SIZE_AUTO;

	return number_max(3 * cap, most);
}

/* Until more parts have given memory back than so many. */
static int writer_await(struct file *f, unsigned released)
{
	int rc = 0;

	lock_take(&f->lock);
	rc = WAITER_LIST_UNTIL(&file_locked(f)->waiters, &f->lock, true,
			       file_locked(f)->n_released != released);
	lock_drop(&f->lock);
	return rc;
}

static void *writer_try_memory(struct file *f, size_t cap)
{
	struct pool *pool = file_pool(f);
	void *mem;

	if (!pool_hold(pool, &f->memory, cap))
		return NULL;
	mem = pool_try(pool, cap);
	if (!mem)
		pool_unhold(pool, &f->memory, cap);
	return mem;
}

/* Memory for a tail: the file's parts that are under way will give some back.
 * NULL: there is none to be had, or the wait was interrupted. */
static void *writer_borrow(struct file *f, size_t cap) REQUIRES(f->turn)
{
	struct upload_parts *u = content(f)->upload;
	void *mem = u ? NULL : writer_try_memory(f, cap);
	unsigned released, pinned;

	if (mem)
		return mem;
	do {
		lock_take(&f->lock);
		released = file_locked(f)->n_released;
		pinned = file_locked(f)->n_pinned;
		lock_drop(&f->lock);
		mem = NULL;
		if (pinned * cap < writer_most(cap))
			mem = writer_try_memory(f, cap);
		/* Parts that have ended are still being kept. */
		if (!mem && u && content(f)->spill &&
		    upload_parts_count(u).sending < pinned)
			spill_hurry(content(f)->spill);
	} while (!mem && pinned && !writer_await(f, released));
	return mem;
}

/* *t: a tail for the part that begins at the file's end, unless there is one,
 * or the spill file is to take it. The content's with its first byte. */
static void writer_begin_tail(struct file *f, const struct part_range *part,
			      struct tail *t) REQUIRES(f->turn)
{
	uint64_t cap = budget_limit(f->env->budget) / 8;
	void *mem;

	cap = number_min(number_min(cap, TAIL_MAX), part->len);
	/* A part too large for memory is the spill file's from its beginning,
	 * but for the first: most files are small. */
	*t = content(f)->tail;
	if ((cap < part->len && part->number > 1) || t->mem || !cap)
		return;
	mem = writer_borrow(f, (size_t)cap);
	if (mem)
		*t = (struct tail){ .part = *part,
				    .mem = mem,
				    .cap = (size_t)cap };
}

/* ---- writing ---- */

/* What is written of [at, end). */
struct write_job {
	uint64_t at, end;
	const char *bytes; /* that stand at `at` */
	bool changed;
	bool ended; /* the turn, with the last change */
};

/* Before bytes are changed, which cannot fail any more: the name's time moves,
 * and what the store says of the name does not count until it is published. */
static void writer_touch(struct file *f, struct write_job *w)
{
	inode_touch(f->env->tree, f->inode);
	w->changed = true;
}

/* n bytes more are written; the last ones end the turn. */
static void writer_advance_locked(struct file *f, struct write_job *w, size_t n)
	REQUIRES(&f->lock, f->turn)
{
	struct content *c = content_edit(f);

	upload_stale(f, w->at, w->at + n);
	w->at += n;
	w->bytes += n;
	if (w->at > c->size)
		c->size = w->at;
	if (w->at < w->end)
		return;
	turn_end_locked(f, FILE_DIRTY);
	w->ended = true;
}

/* The file ends at `size`, which is not before its end. */
static int writer_grow(struct file *f, uint64_t size) REQUIRES(f->turn)
{
	const struct tail *t = &content(f)->tail;
	struct content *c;
	int rc = 0;

	if (t->mem && size > t->part.start + t->cap)
		rc = writer_unload_tail(f);
	if (rc)
		return rc;
	lock_take(&f->lock);
	c = content_edit(f);
	if (c->tail.mem) {
		size_t len = (size_t)(size - c->tail.part.start);

		memset(c->tail.mem + c->tail.len, 0, len - c->tail.len);
		c->tail.len = len;
	}
	upload_stale(f, c->size, size);
	c->size = size;
	lock_drop(&f->lock);
	return 0;
}

/* What is appended to the tail is summed while the processor has it at hand. */
static void writer_sum(struct file *f, struct tail *t, size_t from,
		       const char *bytes, size_t n)
{
	if (from < t->summed) {
		t->summed = 0;
	} else if (from == t->summed && (from || !t->len) &&
		   file_store(f)->limits.crc32c) {
		t->crc32c = crc32c(from ? t->crc32c : 0, bytes, n);
		t->summed = from + n;
	}
}

/* Does the tail take the next byte, or some of the n next? Those. */
static bool writer_to_tail(struct file *f, struct write_job *w, struct tail t,
			   uint64_t n) REQUIRES(f->turn)
{
	size_t from = (size_t)(w->at - t.part.start);

	if (!t.mem || w->at < t.part.start || from > t.len || from == t.cap)
		return false;
	n = number_min(n, t.cap - from);
	writer_touch(f, w);
	writer_sum(f, &t, from, w->bytes, n);
	t.len = number_max(from + n, t.len);
	lock_take(&f->lock);
	memcpy(t.mem + from, w->bytes, n);
	content_edit(f)->tail = t;
	writer_advance_locked(f, w, n);
	lock_drop(&f->lock);
	return true;
}

/* A part of which bytes were not retained cannot be sent again, so it stays. */
static int writer_check_retained(struct file *f, const struct part_range *part,
				 uint64_t end) REQUIRES(f->turn)
{
	int rc = upload_settle(f, part->start, end);

	if (rc)
		return rc;
	if (!extents_touch(&content(f)->not_retained, part->start, end))
		return 0;
	file_log(f, LOG_LEVEL_ERROR, -ENOSPC,
		 "cannot change what was uploaded and not kept: the disk of "
		 "the spill directory was full");
	return -ENOSPC;
}

static int writer_to_spill(struct file *f, struct write_job *w,
			   const struct part_range *part, size_t n)
	REQUIRES(f->turn)
{
	int rc = writer_check_retained(f, part, part->start + part->len);
	struct spill *s;

	if (!rc)
		rc = writer_spill(f, w->at, w->bytes, n, &s);
	if (rc)
		return rc;
	writer_touch(f, w);
	lock_take(&f->lock);
	content_edit(f)->spill = s;
	rc = extents_add(&content_edit(f)->local, w->at, w->at + n);
	if (!rc)
		writer_advance_locked(f, w, n);
	lock_drop(&f->lock);
	return rc;
}

/* Writes what lies in one part. */
static int writer_piece(struct file *f, struct write_job *w) REQUIRES(f->turn)
{
	struct tail t = content(f)->tail;
	struct part_range part;
	uint64_t n;
	int rc = parts_at(f->turn.part_size, w->at, &part);

	if (rc)
		return rc;
	n = number_min(w->end, part.start + part.len) - w->at;
	if (w->at == content(f)->size && w->at == part.start) {
		if (part.number > 1)
			rc = writer_leave(f, part.number - 1);
		if (rc)
			return rc;
		writer_begin_tail(f, &part, &t);
	}
	if (writer_to_tail(f, w, t, n))
		return 0;
	/* A tail that is full before its part is: the part is a large one. */
	if (t.mem && w->at >= t.part.start)
		rc = writer_unload_tail(f);
	return rc ? rc : writer_to_spill(f, w, &part, (size_t)n);
}

int writer_write(struct file *f, uint64_t offset, const char *bytes, size_t len)
{
	struct write_job w = { .at = offset,
			       .end = offset + len,
			       .bytes = bytes };
	int rc = writer_plan(f, w.end, false);

	if (!rc)
		rc = upload_settle(f, 0, 0);
	/* What a part that failed has left for the next write to say. */
	if (!rc && content(f)->upload)
		rc = upload_parts_error(content(f)->upload, false);
	if (!rc)
		rc = writer_prepare(f, w.end);
	if (!rc && offset > content(f)->size) {
		rc = writer_grow(f, offset);
		if (!rc)
			writer_touch(f, &w);
	}
	while (!rc && w.at < w.end)
		rc = writer_piece(f, &w);
	if (w.ended)
		turn_ended(f);
	else
		turn_end(f, w.changed ? FILE_DIRTY : f->turn.before);
	return rc;
}

static int writer_cut(struct file *f, uint64_t size) REQUIRES(f->turn)
{
	struct part_range part;
	struct content *c;
	bool whole_tail;
	int rc = parts_at(f->turn.part_size, size, &part);

	if (!rc && size > part.start)
		rc = writer_check_retained(f, &part, size);
	if (!rc || rc == -EFBIG)
		rc = upload_settle(f, size, UINT64_MAX);
	if (rc)
		return rc;
	upload_stale(f, size, UINT64_MAX);
	lock_take(&f->lock);
	c = content_edit(f);
	whole_tail = c->tail.mem && size <= c->tail.part.start;
	if (c->tail.mem && !whole_tail) {
		c->tail.len = (size_t)(size - c->tail.part.start);
		if (c->tail.summed > c->tail.len)
			c->tail.summed = 0;
	}
	extents_cut(&c->local, size);
	extents_cut(&c->not_retained, size);
	c->base_limit = number_min(c->base_limit, size);
	c->size = size;
	lock_drop(&f->lock);
	if (whole_tail)
		writer_drop_tail(f);
	/* What is beyond must read as zeros when the file grows again. */
	return content(f)->spill ? spill_truncate(content(f)->spill, size) : 0;
}

int writer_resize(struct file *f, uint64_t size)
{
	int rc = writer_plan(f, size, false);

	if (rc)
		return rc;
	return size > content(f)->size ? writer_grow(f, size)
				       : writer_cut(f, size);
}
