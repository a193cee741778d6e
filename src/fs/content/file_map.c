/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the top: the tail, what was not retained, the spill file, the base up to
 * its limit; and zeros where nothing was written.
 */
#include "fs/content/file_map.h"

#include <errno.h>
#include <string.h>

#include "fs/content/spill.h"

/* Narrows *run_end to where `set` begins or ends; true inside. */
static bool map_inside(const struct extents *set, uint64_t offset,
		       uint64_t *run_end)
{
	struct extent run;
	bool is_inside = extents_run(set, offset, *run_end, &run);

	*run_end = run.end;
	return is_inside;
}

enum file_kind file_map_kind_locked(struct file *f, uint64_t offset,
				    uint64_t end, uint64_t *run_end)
{
	const struct content *c = content_locked(f);

	*run_end = end;
	if (c->tail.mem && c->tail.part.start < end) {
		if (offset >= c->tail.part.start)
			return FILE_TAIL;
		*run_end = c->tail.part.start;
	}
	if (map_inside(&c->not_retained, offset, run_end))
		return FILE_NOT_RETAINED;
	if (map_inside(&c->local, offset, run_end))
		return FILE_SPILL;
	if (offset >= c->base_limit)
		return FILE_ZERO;
	if (c->base_limit < *run_end)
		*run_end = c->base_limit;
	return FILE_BASE;
}

/* Bytes of the tail, which ends where the file does. */
static void map_copy_tail_locked(struct file *f, uint64_t offset, uint64_t *end,
				 char *to) REQUIRES(&f->lock)
{
	const struct tail *t = &content_locked(f)->tail;
	uint64_t from = offset - t->part.start, n = *end - offset;
	uint64_t have = from < t->len ? t->len - from : 0;

	if (n > have) {
		memset(to + have, 0, n - have);
		n = have;
	}
	memcpy(to, t->mem + from, n);
}

static int map_source_locked(struct file *f, struct block_source **out)
	REQUIRES(&f->lock)
{
	struct file_locked *g = file_locked(f);

	if (!g->source)
		g->source = block_source_new(f->env->blocks, f->stage->store,
					     g->base_key, g->base.etag,
					     g->base.size);
	if (!g->source)
		return -ENOMEM;
	*out = block_source_ref(g->source);
	return 0;
}

bool file_map_adopt(struct file *f, struct block_source *s, struct block *held,
		    const char *etag)
{
	struct file_locked *g;
	bool adopts, had, has_held;

	lock_take(&f->lock);
	g = file_locked(f);
	had = g->source == s;
	has_held = g->held;
	adopts = (had || !g->source) && !strcmp(g->base.etag, etag) &&
		 g->base.size == block_source_size(s);
	if (adopts)
		g->source = s;
	if (adopts && !has_held)
		g->held = held;
	lock_drop(&f->lock);
	if (adopts && has_held)
		block_release(held);
	if (adopts && had) /* another open of it was here first */
		block_source_leave(s);
	return adopts;
}

/* The source of the base, if that has this ETag; *held: all of it is. */
static int map_source_of(struct file *f, const char *etag, bool *held,
			 struct block_source **out)
{
	int rc = -EAGAIN;

	lock_take(&f->lock);
	*held = file_locked(f)->held;
	if (!strcmp(file_locked(f)->base.etag, etag))
		rc = map_source_locked(f, out);
	lock_drop(&f->lock);
	return rc;
}

/* True: the file has it now. */
static bool map_give_held(struct file *f, const struct block_source *s,
			  struct block *b)
{
	struct file_locked *g;
	bool gives;

	lock_take(&f->lock);
	g = file_locked(f);
	gives = g->source == s && !g->held;
	if (gives)
		g->held = b;
	lock_drop(&f->lock);
	return gives;
}

int file_map_hold(struct file *f, const char *etag)
{
	struct block_source *s;
	struct block *b;
	bool held;
	int rc = map_source_of(f, etag, &held, &s);

	if (rc)
		return rc;
	b = held ? NULL : block_hold(s);
	rc = held ? 0 : b ? block_wait_all(b) : -EAGAIN;
	if (b && (rc || !map_give_held(f, s, b)))
		block_release(b);
	block_source_unref(s);
	return rc;
}

static int map_locked(struct file *f, uint64_t offset, uint64_t end, char *to,
		      struct file_run *out) REQUIRES(&f->lock)
{
	out->kind = file_map_kind_locked(f, offset, end, &out->end);
	switch (out->kind) {
	case FILE_ZERO:
		if (to)
			memset(to, 0, out->end - offset);
		return 0;
	case FILE_TAIL:
		if (to)
			map_copy_tail_locked(f, offset, &out->end, to);
		return 0;
	case FILE_SPILL:
		out->spill = spill_ref(content_locked(f)->spill);
		return 0;
	case FILE_BASE:
		return map_source_locked(f, &out->source);
	case FILE_NOT_RETAINED:
		return 0;
	}
	return -EINVAL;
}

int file_map(struct file *f, uint64_t offset, uint64_t end, char *to,
	     struct file_run *out)
{
	int rc;

	memset(out, 0, sizeof(*out));
	lock_take(&f->lock);
	out->size = content_locked(f)->size;
	rc = map_locked(f, offset, end, to, out);
	lock_drop(&f->lock);
	return rc;
}

/*
 * Between the store's answer to a publication and the change of the base the
 * store has another object than the base says, of this mount.
 */
int file_map_stale(struct file *f, const struct block_source *s)
{
	int rc = turn_wait_published(f);

	if (rc)
		return rc;
	return LOCK_UNDER(&f->lock,
			  file_locked(f)->source == s ? -ESTALE : -EAGAIN);
}
