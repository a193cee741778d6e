/*
 * The bytes of a part that is to be sent. Whatever is not in the tail is put
 * together in the spill file: the base's share is fetched, and where nothing
 * was ever written there are zeros, whatever a write that failed has left.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/crew.h"
#include "fs/publish_internal.h"
#include "stage/stage.h"

#define FETCH_SIZE (1ULL << 20)
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

bool publish_is_base(struct publish *p, const struct part_range *part)
{
	uint64_t end = part->start + part->len, run_end;

	return kind_at(p->file, part->start, end, &run_end) == FILE_BASE &&
	       run_end == end;
}

/* A range of the base that is fetched in pieces. */
struct fetch {
	struct publish *publish;
	uint64_t start, end;
};

static int fetch_piece(void *arg, size_t k)
{
	struct fetch *x = arg;
	struct publish *p = x->publish;
	uint64_t at = x->start + k * FETCH_SIZE;
	size_t len = FETCH_SIZE, n = 0;
	char *bytes;
	int err;

	if (len > x->end - at)
		len = (size_t)(x->end - at);
	bytes = malloc(len);
	if (!bytes)
		return -ENOMEM;
	err = store_get_sync(file_store(p->file), p->base_key, publish_etag(p),
			     at, bytes, len, &n, NULL);
	if (err == -ENOENT || (!err && n < len))
		err = -ESTALE;
	err = err ? err : file_keep(p->file, at, bytes, len);
	free(bytes);
	return err;
}

static int fetch(struct publish *p, uint64_t start, uint64_t end)
{
	struct fetch x = { p, start, end };
	size_t n = (size_t)((end - start + FETCH_SIZE - 1) / FETCH_SIZE);

	if (n == 1)
		return fetch_piece(&x, 0);
	return crew_run(FETCH_THREADS, n, fetch_piece, &x, true);
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

/* All of the part is in the spill file afterwards. */
static int fill(struct publish *p, const struct part_range *part,
		struct store_body *body)
{
	uint64_t end = part->start + part->len, run_end;
	struct file_spill *s;
	int err = file_spill_need(p->file, &s);

	for (uint64_t at = part->start; !err && at < end; at = run_end) {
		switch (kind_at(p->file, at, end, &run_end)) {
		case FILE_BASE:
			err = fetch(p, at, run_end);
			break;
		case FILE_ZERO:
			err = spill_zero(&s->spill, at, run_end);
			break;
		case FILE_LOST:
			err = publish_lost(p->file);
			break;
		case FILE_TAIL: /* it is a part of its own */
		case FILE_SPILL:
			break;
		}
	}
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
