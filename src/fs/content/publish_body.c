/*
 * The bytes of a part that is to be sent. Whatever is not in the tail is put
 * together in the spill file: the base's share is fetched, and where nothing
 * was ever written there is a hole, whatever a write that failed has left.
 *
 * Scattered writes leave many runs of the base. They are fetched by few large
 * GETs, side by side, each of which may bring bytes that are ours by now.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/crew.h"
#include "base/pool.h"
#include "fs/content/publish_internal.h"
#include "stage/stage.h"

#define FETCH_SIZE (4ULL << 20) /* of one GET */
#define FETCH_GAP (1ULL << 20) /* that costs less than another GET does */
#define FETCH_SMALL (256U << 10) /* when there is no memory for more */
#define FETCH_THREADS 4

int publish_part(struct publish *p, unsigned number, struct part_range *part)
{
	int err = part_numbered(p->file->stage->part_size, number, part);

	if (!err && part->start + part->len > p->size)
		part->len = p->size - part->start;
	return err;
}

const char *publish_etag(const struct publish *p)
{
	return p->base.etag[0] ? p->base.etag : NULL;
}

static enum file_kind kind_at(struct file *f, uint64_t at, uint64_t end,
			      uint64_t *run_end)
{
	enum file_kind kind;

	lock_take(&f->lock);
	kind = file_kind_locked(f, at, end, run_end);
	lock_drop(&f->lock);
	return kind;
}

bool publish_is(struct publish *p, const struct part_range *part,
		enum file_kind kind)
{
	uint64_t end = part->start + part->len, run_end;

	return kind_at(p->file, part->start, end, &run_end) == kind &&
	       run_end == end;
}

/* What a part lacks of the base, in pieces; each is one GET. */
struct fetch {
	struct publish *publish;
	struct extent *pieces;
	size_t n, cap;
};

static int add_piece(struct fetch *x, uint64_t start, uint64_t end)
{
	if (x->n == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 8;
		struct extent *grown =
			realloc(x->pieces, cap * sizeof(*x->pieces));

		if (!grown)
			return -ENOMEM;
		x->pieces = grown;
		x->cap = cap;
	}
	x->pieces[x->n++] = (struct extent){ start, end };
	return 0;
}

/* Bytes of ours between two runs of the base come along when they are few. */
static int add_run(struct fetch *x, uint64_t start, uint64_t end)
{
	int err = 0;

	while (!err && start < end) {
		struct extent *last = x->n ? &x->pieces[x->n - 1] : NULL;
		uint64_t most = last ? last->start + FETCH_SIZE : 0;

		if (last && start < most && start - last->end <= FETCH_GAP) {
			last->end = end < most ? end : most;
			start = last->end;
		} else {
			err = add_piece(x, start, start);
		}
	}
	return err;
}

/* Only what is the base's goes to the spill file: the rest is ours there. */
static int keep_base(struct publish *p, const char *bytes, uint64_t start,
		     uint64_t end)
{
	uint64_t run_end;
	int err = 0;

	for (uint64_t at = start; !err && at < end; at = run_end)
		if (kind_at(p->file, at, end, &run_end) == FILE_BASE)
			err = file_keep(p->file, at, bytes + (at - start),
					run_end - at);
	return err;
}

int publish_get(struct publish *p, uint64_t start, char *bytes, size_t len)
{
	size_t n = 0;
	int err = store_get_sync(file_store(p->file), p->base_key,
				 publish_etag(p), start, bytes, len, &n, NULL);

	return err == -ENOENT || (!err && n < len) ? -ESTALE : err;
}

static int fetch_piece(void *arg, size_t k)
{
	const struct fetch *x = arg;
	struct pool *pool = file_pool(x->publish->file);
	struct extent e = x->pieces[k];
	size_t size = (size_t)(e.end - e.start), cap = size;
	char *mem = pool_try(pool, size), *bytes = mem;
	int err = 0;

	if (!mem) {
		cap = size < FETCH_SMALL ? size : FETCH_SMALL;
		bytes = malloc(cap);
	}
	if (!bytes)
		return -ENOMEM;
	for (uint64_t at = e.start; !err && at < e.end; at += cap) {
		size_t len = e.end - at < cap ? (size_t)(e.end - at) : cap;

		err = publish_get(x->publish, at, bytes, len);
		err = err ? err : keep_base(x->publish, bytes, at, at + len);
	}
	if (mem)
		pool_put(pool, mem, size);
	else
		free(bytes);
	return err;
}

int publish_lost(struct file *f)
{
	lock_take(&f->lock);
	file_locked(f)->sticky = true;
	lock_drop(&f->lock);
	file_log(f, LOG_LEVEL_ERROR, -EIO,
		 "cannot upload again what was uploaded and not kept: the disk "
		 "of the spill directory was full");
	return -EIO;
}

/* What of the part is not in the spill file: zeros go there, what is the
 * base's becomes pieces to be fetched. */
static int survey(struct fetch *x, struct spill *spill,
		  const struct part_range *part)
{
	uint64_t end = part->start + part->len, run_end;
	struct publish *p = x->publish;
	int err = 0;

	for (uint64_t at = part->start; !err && at < end; at = run_end) {
		switch (kind_at(p->file, at, end, &run_end)) {
		case FILE_BASE:
			err = add_run(x, at, run_end);
			break;
		case FILE_ZERO:
			err = spill_zero(spill, at, run_end);
			break;
		case FILE_LOST:
			err = publish_lost(p->file);
			break;
		case FILE_TAIL: /* it is a part of its own */
		case FILE_SPILL:
			break;
		}
	}
	return err;
}

/* All of the part is in the spill file afterwards. */
static int fill(struct publish *p, const struct part_range *part,
		struct store_body *body)
{
	struct fetch x = { .publish = p };
	struct file_spill *s;
	int err = file_spill_need(p->file, &s);

	err = err ? err : survey(&x, &s->spill, part);
	if (!err && x.n == 1)
		err = fetch_piece(&x, 0);
	else if (!err && x.n)
		err = crew_run(FETCH_THREADS, x.n, fetch_piece, &x, true);
	free(x.pieces);
	if (!err)
		*body = (struct store_body){ .fd = s->spill.fd,
					     .offset = part->start,
					     .len = part->len };
	return err;
}

int publish_body(struct publish *p, const struct part_range *part,
		 struct store_body *body)
{
	struct tail t = file_tail(p->file);

	if (t.mem && t.part.number == part->number)
		*body = (struct store_body){ .data = t.mem, .len = part->len };
	else if (!part->len)
		*body = (struct store_body){ .data = "", .len = 0 };
	else
		return fill(p, part, body);
	return 0;
}
