/*
 * Parts as they fill: see intake_piece.c for the memory. A file that ends in
 * its first part is one PUT, so a part leaves only when a byte follows it.
 *
 * Who holds memory must send: a piece has the sender's patience and as long as
 * it takes at RATE_MIN.
 */
#include "gateway/upload/intake_parts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/wait.h"
#include "gateway/upload/intake_piece.h"

#define RATE_MIN (16 << 10) /* bytes a second */

int intake_part_size(uint64_t wish, uint64_t most, uint64_t memory,
		     uint64_t *out)
{
	uint64_t size = PART_SIZE_AUTO;

	*out = PART_SIZE_STREAM;
	if (wish && wish <= memory / 4)
		*out = wish;
	if (most == UPLOAD_SINK_UNKNOWN)
		return 0;
	if (*out == wish && parts_count(wish, most) <= PARTS_MAX)
		return 0;
	while (parts_count(size, most) > PARTS_MAX)
		size *= 2;
	*out = size;
	return size > memory && most > memory ? -EFBIG : 0;
}

int intake_parts_new(struct budget *budget, const struct upload_sink_file *f,
		     struct intake_parts **out)
{
	struct intake_parts *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	lock_init(&p->lock);
	p->budget = budget;
	p->store = f->store;
	p->most = f->most;
	p->patience_ms = f->patience_ms;
	p->key = strdup(f->key);
	p->content_type = f->content_type ? strdup(f->content_type) : NULL;
	rc = p->key && (p->content_type || !f->content_type) ? 0 : -ENOMEM;
	if (!rc)
		rc = intake_part_size(f->part_size, f->most,
				      budget_limit(budget), &p->part_size);
	if (!rc)
		rc = part_at(p->part_size, 0, &p->range);
	if (rc)
		intake_parts_free(p);
	else
		*out = p;
	return rc;
}

static int make_room(struct intake_parts *p)
{
	unsigned room = p->room ? 2 * p->room : 64;
	struct store_part_done *done;

	if (p->range.number <= p->room)
		return 0;
	done = realloc(p->done, room * sizeof(*done));
	if (!done)
		return -ENOMEM;
	p->done = done;
	p->room = room;
	return 0;
}

static int open_upload(struct intake_parts *p)
{
	const struct store_meta meta = { .content_type = p->content_type };

	return p->upload
		       ? 0
		       : store_upload_open(p->store, p->key, &meta, &p->upload);
}

/* Off with what was filled. */
static int send_part(struct intake_parts *p)
{
	int rc = open_upload(p);

	rc = rc ? rc : make_room(p);
	if (rc)
		return rc;
	p->n_done = p->range.number;
	piece_send(p);
	return part_numbered(p->part_size, p->range.number + 1, &p->range);
}

static bool too_slow(const struct intake_parts *p)
{
	int64_t most =
		p->patience_ms + (int64_t)(p->filling->size / RATE_MIN) * 1000;

	return clock_mono_ms() - p->since_ms > most;
}

int intake_parts_add(struct intake_parts *p, const void *bytes, size_t n)
{
	const char *at = bytes;
	int rc = 0;

	while (!rc && n) {
		struct piece *q = p->filling;
		size_t room = !q                       ? 0
			      : p->range.len < q->size ? p->range.len - q->len
						       : q->size - q->len;

		if (q && !room) {
			rc = send_part(p);
		} else if (!q) {
			rc = piece_take(p);
		} else if (too_slow(p)) {
			rc = -ETIME;
		} else {
			room = n < room ? n : room;
			memcpy(q->bytes + q->len, at, room);
			q->len += room;
			at += room;
			n -= room;
		}
	}
	return rc;
}

static int put_whole(struct intake_parts *p)
{
	const struct store_meta meta = { .content_type = p->content_type };
	const struct store_body body = {
		.data = p->filling ? p->filling->bytes : "",
		.fd = -1,
		.len = p->filling ? p->filling->len : 0,
	};
	struct object_info info;

	return store_put(p->store, p->key, &body, &meta, NULL, &info);
}

int intake_parts_finish(struct intake_parts *p)
{
	struct object_info info;
	int rc = 0;

	if (!p->upload)
		return put_whole(p);
	if (p->filling)
		rc = send_part(p);
	if (rc == -EFBIG) /* there is no further part, and none is needed */
		rc = 0;
	rc = rc ? rc : piece_wait(p, 0);
	rc = rc ? rc
		: store_upload_complete(p->upload, p->done, p->n_done, NULL,
					&info);
	if (!rc) {
		store_upload_free(p->upload);
		p->upload = NULL;
	}
	return rc;
}

void intake_parts_free(struct intake_parts *p)
{
	if (!p)
		return;
	if (p->upload) {
		/* An end that was asked for is not one of cleaning up. */
		waiter_begin(waiter_self());
		piece_cancel_all(p);
		store_upload_abort(p->upload);
		store_upload_free(p->upload);
	}
	piece_free_all(p);
	lock_destroy(&p->lock);
	free(p->key);
	free(p->content_type);
	free(p->done);
	free(p);
}
