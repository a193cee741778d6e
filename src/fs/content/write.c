/*
 * Writing, in pieces that each lie in one part. A piece goes
 *
 *   into the tail      when it stands there, or appends to it, or begins a
 *                      part at the file's end and memory for it is to be had;
 *   to the spill file  otherwise.
 *
 * While there is a tail the file ends where it ends. So before a write beyond
 * the end the tail is filled up with zeros, or goes to the spill file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "fs/cache/block.h"
#include "fs/content/file_internal.h"
#include "base/pool.h"
#include "stage/stage.h"

static uint64_t size_of(struct file *f)
{
	uint64_t size;

	file_size(f, &size);
	return size;
}

/* The file ends at `size`, which is not before its end. */
static int grow(struct file *f, uint64_t size)
{
	struct tail t = file_tail(f);
	struct file_locked *g;
	int err = 0;

	if (t.mem && size > t.part.start + t.cap)
		err = file_tail_unload(f);
	if (err)
		return err;
	lock_take(&f->lock);
	g = file_locked(f);
	if (g->tail.mem) {
		size_t len = (size_t)(size - g->tail.part.start);

		memset(g->tail.mem + g->tail.len, 0, len - g->tail.len);
		g->tail.len = len;
	}
	writer_stale_locked(f, g->size, size);
	g->size = size;
	lock_drop(&f->lock);
	return 0;
}

/* How many of the bytes the tail takes; 0: it does not. */
static size_t write_tail(struct file *f, uint64_t at, const void *bytes,
			 size_t len)
{
	struct file_locked *g;
	struct tail *t;

	lock_take(&f->lock);
	g = file_locked(f);
	t = &g->tail;
	if (t->mem && at >= t->part.start && at <= t->part.start + t->len) {
		size_t from = (size_t)(at - t->part.start);

		len = (size_t)number_min(len, t->cap - from);
		memcpy(t->mem + from, bytes, len);
		if (from + len > t->len)
			t->len = from + len;
		writer_stale_locked(f, at, at + len);
		g->size = t->part.start + t->len;
	} else {
		len = 0;
	}
	lock_drop(&f->lock);
	return len;
}

/* A part of which bytes are lost cannot be sent again, so it stays. */
static int check_lost(struct file *f, const struct part_range *part,
		      uint64_t end)
{
	bool touch;

	lock_take(&f->lock);
	touch = extents_touch(&file_locked(f)->lost, part->start, end);
	lock_drop(&f->lock);
	if (!touch)
		return 0;
	file_log(f, LOG_LEVEL_ERROR, -ENOSPC,
		 "cannot change what was uploaded and not kept: the disk of "
		 "the spill directory was full");
	return -ENOSPC;
}

static int write_spill(struct file *f, const struct part_range *part,
		       uint64_t at, const void *bytes, size_t len)
{
	struct file_locked *g;
	int err = check_lost(f, part, part->start + part->len);

	err = err ? err : file_keep(f, at, bytes, len);
	if (err)
		return err;
	lock_take(&f->lock);
	g = file_locked(f);
	writer_stale_locked(f, at, at + len);
	if (at + len > g->size)
		g->size = at + len;
	lock_drop(&f->lock);
	return 0;
}

/* Writes what lies in one part; how many bytes in *done. */
static int write_piece(struct file *f, uint64_t at, const void *bytes,
		       uint64_t len, size_t *done)
{
	struct part_range part;
	struct tail t;
	uint64_t size = size_of(f);
	int err = part_at(f->stage->part_size, at, &part);

	if (err)
		return err;
	len = number_min(len, part.start + part.len - at);
	if (at == size && at == part.start) {
		if (part.number > 1)
			err = writer_leave(f, part.number - 1);
		if (err)
			return err;
		writer_tail(f, &part);
	}
	*done = write_tail(f, at, bytes, len);
	if (*done)
		return 0;
	/* A tail that is full before its part is: the part is a large one. */
	t = file_tail(f);
	if (t.mem && at >= t.part.start)
		err = file_tail_unload(f);
	err = err ? err : write_spill(f, &part, at, bytes, len);
	if (!err)
		*done = len;
	return err;
}

/* Too large for the store's parts? */
static int check_parts(struct file *f, uint64_t size)
{
	struct part_range last;

	return size ? part_at(f->stage->part_size, size - 1, &last) : 0;
}

/* What a part that failed has left for the next write to say. */
static int part_error(struct file *f)
{
	int err;

	lock_take(&f->lock);
	err = file_locked(f)->part_err;
	lock_drop(&f->lock);
	return err;
}

int remote_write(struct file *f, uint64_t offset, const char *bytes, size_t len,
		 bool *changed)
{
	uint64_t end = offset + len, at = offset;
	int err = check_parts(f, end);

	err = err ? err : part_error(f);
	err = err ? err : writer_prepare(f, end);
	if (!err && offset > size_of(f)) {
		err = grow(f, offset);
		*changed = !err;
	}
	while (!err && at < end) {
		size_t done = 0;

		err = write_piece(f, at, bytes + (at - offset), end - at,
				  &done);
		at += done;
		*changed |= done > 0;
	}
	return err;
}

static int cut(struct file *f, uint64_t size)
{
	struct part_range part;
	struct file_locked *g;
	struct file_spill *s;
	bool whole_tail;
	int err = part_at(f->stage->part_size, size, &part);

	if (!err && size > part.start)
		err = check_lost(f, &part, size);
	if (err && err != -EFBIG)
		return err;
	lock_take(&f->lock);
	g = file_locked(f);
	whole_tail = g->tail.mem && size <= g->tail.part.start;
	if (g->tail.mem && !whole_tail)
		g->tail.len = (size_t)(size - g->tail.part.start);
	extents_cut(&g->ours, size);
	extents_cut(&g->lost, size);
	g->base_limit = number_min(g->base_limit, size);
	writer_stale_locked(f, size, UINT64_MAX);
	g->size = size;
	s = g->spill;
	lock_drop(&f->lock);
	if (whole_tail)
		file_tail_drop(f);
	/* What is beyond must read as zeros when the file grows again. */
	return s ? spill_truncate(&s->spill, size) : 0;
}

int remote_resize(struct file *f, uint64_t size)
{
	uint64_t old = size_of(f);
	int err = check_parts(f, size);

	if (err)
		return err;
	return size > old ? grow(f, size) : cut(f, size);
}

void remote_forget(struct file *f, const struct object_info *base, char *key)
{
	struct file_locked *g;
	struct file_spill *spill;
	struct block_source *source;
	struct tail tail;
	char *old_key;

	lock_take(&f->lock);
	g = file_locked(f);
	tail = g->tail;
	spill = g->spill;
	source = base ? g->source : NULL;
	old_key = base ? g->base_key : NULL;
	g->tail = (struct tail){ .mem = NULL };
	g->spill = NULL;
	extents_clear(&g->ours);
	extents_clear(&g->lost);
	writer_stale_locked(f, 0, UINT64_MAX);
	g->part_err = 0;
	g->sticky = false;
	g->size = base ? base->size : 0;
	g->base_limit = g->size;
	if (base) {
		g->has_base = true;
		g->base = *base;
		g->base_key = key;
		g->source = NULL;
	}
	lock_drop(&f->lock);
	file_tail_free(f, &tail);
	file_spill_unref(spill);
	if (source)
		block_source_drop(source);
	block_source_unref(source);
	free(old_key);
}
