/*
 * Where a byte of the content is, from the top: the tail, what is lost, the
 * spill file, the base up to its limit; and zeros where nothing was written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/cache/block.h"
#include "fs/content/file_internal.h"
#include "stage/stage.h"

/* Narrows *run_end to where `set` begins or ends; true inside. */
static bool inside(const struct extents *set, uint64_t offset,
		   uint64_t *run_end)
{
	struct extent run;
	bool is_inside = extents_run(set, offset, *run_end, &run);

	*run_end = run.end;
	return is_inside;
}

enum file_kind file_kind_locked(struct file *f, uint64_t offset, uint64_t end,
				uint64_t *run_end)
{
	struct file_locked *g = file_locked(f);

	*run_end = end;
	if (g->tail.mem && g->tail.part.start < end) {
		if (offset >= g->tail.part.start)
			return FILE_TAIL;
		*run_end = g->tail.part.start;
	}
	if (inside(&g->lost, offset, run_end))
		return FILE_LOST;
	if (inside(&g->ours, offset, run_end))
		return FILE_SPILL;
	if (offset >= g->base_limit)
		return FILE_ZERO;
	if (g->base_limit < *run_end)
		*run_end = g->base_limit;
	return FILE_BASE;
}

/* Bytes of the tail, which ends where the file does. */
static void copy_tail_locked(struct file *f, uint64_t offset, uint64_t *end,
			     char *to) REQUIRES(&f->lock)
{
	const struct tail *t = &file_locked(f)->tail;
	uint64_t from = offset - t->part.start, n = *end - offset;
	uint64_t have = from < t->len ? t->len - from : 0;

	if (n > have) {
		memset(to + have, 0, n - have);
		n = have;
	}
	memcpy(to, t->mem + from, n);
}

static int base_source_locked(struct file *f, struct block_source **out)
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

static int map_locked(struct file *f, uint64_t offset, uint64_t end, char *to,
		      struct file_run *out) REQUIRES(&f->lock)
{
	out->kind = file_kind_locked(f, offset, end, &out->end);
	switch (out->kind) {
	case FILE_ZERO:
		if (to)
			memset(to, 0, out->end - offset);
		return 0;
	case FILE_TAIL:
		if (to)
			copy_tail_locked(f, offset, &out->end, to);
		return 0;
	case FILE_SPILL:
		out->spill = file_spill_ref(file_locked(f)->spill);
		return 0;
	case FILE_BASE:
		return base_source_locked(f, &out->source);
	case FILE_LOST:
		return 0;
	}
	return -EINVAL;
}

int file_map(struct file *f, uint64_t offset, uint64_t end, char *to,
	     struct file_run *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	lock_take(&f->lock);
	err = map_locked(f, offset, end, to, out);
	lock_drop(&f->lock);
	return err;
}

static bool not_publishing(struct file *f, unsigned arg) REQUIRES(&f->lock)
{
	return file_locked(f)->state != FILE_PUBLISHING;
}

/*
 * Between the store's answer to a publication and the change of the base the
 * store has another object than the base says, and it is ours.
 */
int file_source_stale(struct file *f, const struct block_source *s)
{
	int err = file_wait(f, not_publishing, 0, true);

	if (err)
		return err;
	lock_take(&f->lock);
	err = file_locked(f)->source == s ? -ESTALE : -EAGAIN;
	lock_drop(&f->lock);
	return err;
}

struct file_spill *file_spill_ref(struct file_spill *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void file_spill_unref(struct file_spill *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
		return;
	spill_close(&s->spill);
	free(s);
}

int file_spill_need(struct file *f, struct file_spill **out)
{
	struct file_spill *s;
	int err;

	lock_take(&f->lock);
	*out = file_locked(f)->spill;
	lock_drop(&f->lock);
	if (*out)
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->refs = 1;
	err = spill_open(&s->spill, f->env->spill_dir);
	if (err) {
		file_log(f, LOG_LEVEL_ERROR, err,
			 "cannot make a file in the spill directory");
		free(s);
		return err;
	}
	lock_take(&f->lock);
	file_locked(f)->spill = s;
	lock_drop(&f->lock);
	*out = s;
	return 0;
}
