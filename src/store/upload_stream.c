/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A buffer is filled, sent as a part, and filled again when that has ended.
 *
 * The first buffer is waited for, in turn and while nothing is held; further
 * ones, that fill while others travel, are taken only while memory is plenty.
 * So a sender that holds some always gets on, and every sender gets through.
 * When parts grow, all buffers come back and are given back first. They are
 * mapped, so that memory goes back to the system whole.
 *
 * A sender that holds memory must send: a buffer has the sender's patience and
 * as long as it takes at RATE_MIN.
 */
#include "store/upload_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/number.h"
#include "store/parts.h"
#include "store/upload_parts.h"

#define BUFFERS_MAX 4
#define BUFFERS_BYTES (32U << 20) /* held by more than two */
#define BUFFER_UNIT ((size_t)64 << 10)
#define PLENTY 500 /* permille of the budget */
#define EVEN_SIZE (32ULL << 20) /* reaches 312 GiB */
#define RATE_MIN (16 << 10) /* bytes a second */
#define WAIT_MS 600000

struct buffer {
	char *bytes; /* NULL: no memory */
	size_t size, len;
	uint32_t crc32c; /* of len bytes, where the store sends it along */
	unsigned number; /* of the part that it was sent as; 0: of none */
};

struct upload_stream {
	struct upload_stream_settings set; /* key and content type are owned */
	int fd; /* a store of files; -1: another */
	uint64_t len; /* bytes of fd */
	struct buffer buffers[BUFFERS_MAX];
	struct buffer *filling; /* NULL: none */
	int64_t since_ms; /* when it was taken */
	uint64_t part_size;
	struct part_range range; /* of what is filled, or will be */
	struct upload_parts *parts; /* NULL: all fitted so far */
	unsigned n_parts;
};

int upload_stream_part_size(uint64_t wish, uint64_t most, bool even,
			    uint64_t memory, uint64_t *out)
{
	uint64_t size = PART_SIZE_AUTO;

	*out = even ? number_min(EVEN_SIZE, number_max(memory / 8, size))
		    : PART_SIZE_STREAM;
	if (wish && wish <= memory / 4)
		*out = wish;
	if (most == STORE_SIZE_UNKNOWN)
		return 0;
	if (*out == wish && parts_count(wish, most) <= PARTS_MAX)
		return 0;
	while (parts_count(size, most) > PARTS_MAX)
		size *= 2;
	*out = size;
	return size > memory && most > memory ? -EFBIG : 0;
}

static int stream_prepare(struct upload_stream *s)
{
	const struct upload_stream_settings *set = &s->set;
	int rc;

	if (set->store->limits.files)
		return store_scratch(set->store, set->key, &s->fd);
	rc = upload_stream_part_size(set->part_size, set->most,
				     store_lacks(set->store,
						 STORE_LACKS_UNEVEN),
				     budget_limit(set->budget), &s->part_size);
	return rc ? rc : parts_at(s->part_size, 0, &s->range);
}

int upload_stream_open(const struct upload_stream_settings *set,
		       struct upload_stream **out)
{
	struct upload_stream *s = calloc(1, sizeof(*s));
	const char *type = set->meta.content_type;
	char *key, *own_type;
	int rc;

	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->set = *set;
	store_ref(set->store);
	s->set.key = key = strdup(set->key);
	s->set.meta.content_type = own_type = type ? strdup(type) : NULL;
	rc = key && (own_type || !type) ? stream_prepare(s) : -ENOMEM;
	if (rc)
		upload_stream_free(s);
	else
		*out = s;
	return rc;
}

/* ---- buffers ---- */

static bool stream_buffer_is_free(struct upload_stream *s,
				  const struct buffer *b)
{
	return b != s->filling &&
	       !(b->number && upload_parts_is_sending(s->parts, b->number));
}

static struct buffer *stream_buffer_find(struct upload_stream *s, bool mapped)
{
	for (unsigned i = 0; i < BUFFERS_MAX; i++) {
		struct buffer *b = &s->buffers[i];

		if (!b->bytes == !mapped && stream_buffer_is_free(s, b))
			return b;
	}
	return NULL;
}

static size_t stream_buffers_bytes(const struct upload_stream *s)
{
	size_t n = 0;

	for (unsigned i = 0; i < BUFFERS_MAX; i++)
		n += s->buffers[i].bytes ? s->buffers[i].size : 0;
	return n;
}

/* Of the share: all of it for a part that is larger. */
static size_t stream_buffer_share(const struct upload_stream *s, size_t size)
{
	return number_min(size, budget_limit(s->set.share));
}

static int stream_budgets_take(struct upload_stream *s, size_t size)
{
	int64_t until_ms = clock_mono_ms() + WAIT_MS;
	int rc = 0;

	if (s->set.share)
		rc = budget_take(s->set.share, stream_buffer_share(s, size),
				 until_ms);
	if (rc)
		return rc;
	rc = budget_take(s->set.budget, size, until_ms);
	if (rc && s->set.share)
		budget_give(s->set.share, stream_buffer_share(s, size));
	return rc;
}

static bool stream_budgets_try_idle(struct upload_stream *s, size_t size)
{
	bool ok;

	if (s->set.share &&
	    !budget_try(s->set.share, stream_buffer_share(s, size)))
		return false;
	ok = budget_try_idle(s->set.budget, size, PLENTY);
	if (!ok && s->set.share)
		budget_give(s->set.share, stream_buffer_share(s, size));
	return ok;
}

static void stream_budgets_give(struct upload_stream *s, size_t size)
{
	budget_give(s->set.budget, size);
	if (s->set.share)
		budget_give(s->set.share, stream_buffer_share(s, size));
}

/* None is on its way. */
static void stream_buffers_free(struct upload_stream *s)
{
	for (unsigned i = 0; i < BUFFERS_MAX; i++) {
		struct buffer *b = &s->buffers[i];

		if (!b->bytes)
			continue;
		munmap(b->bytes, b->size);
		stream_budgets_give(s, b->size);
		*b = (struct buffer){ .bytes = NULL };
	}
}

/* Of memory that the budget has counted. */
static int stream_buffer_map(struct upload_stream *s, struct buffer *b,
			     size_t size)
{
	char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED) {
		stream_budgets_give(s, size);
		return -ENOMEM;
	}
	b->bytes = bytes;
	b->size = size;
	return 0;
}

/* As much as the part can have. */
static size_t stream_buffer_size(const struct upload_stream *s)
{
	uint64_t size = s->range.len;

	if (s->set.most != STORE_SIZE_UNKNOWN &&
	    s->set.most - s->range.start < size)
		size = s->set.most - s->range.start;
	if (!size)
		size = 1;
	return (size + BUFFER_UNIT - 1) / BUFFER_UNIT * BUFFER_UNIT;
}

/* The first, in turn. */
static int stream_buffer_take_first(struct upload_stream *s, size_t size,
				    struct buffer **out)
{
	int rc = stream_budgets_take(s, size);

	*out = &s->buffers[0];
	if (rc == -ETIMEDOUT)
		return -EBUSY;
	return rc ? rc : stream_buffer_map(s, *out, size);
}

/* One more, when there is plenty; else one that comes back. */
static int stream_buffer_take_next(struct upload_stream *s, size_t size,
				   struct buffer **out)
{
	size_t now = stream_buffers_bytes(s);
	struct buffer *b = stream_buffer_find(s, false);
	int rc;

	if (b && (now == size || now + size <= BUFFERS_BYTES) &&
	    stream_budgets_try_idle(s, size)) {
		*out = b;
		return stream_buffer_map(s, b, size);
	}
	for (;;) {
		unsigned ended = upload_parts_count(s->parts).ended;

		*out = stream_buffer_find(s, true);
		if (*out)
			return 0;
		rc = upload_parts_wait_next(s->parts, ended);
		if (rc)
			return rc;
	}
}

/* A buffer for s->range, as s->filling. */
static int stream_buffer_take(struct upload_stream *s)
{
	size_t size = stream_buffer_size(s);
	struct buffer *b = NULL;
	int rc = s->parts ? upload_parts_error(s->parts, false) : 0;

	/* A last part that is smaller fits into any. */
	if (!rc && s->buffers[0].bytes && s->buffers[0].size < size) {
		rc = upload_parts_wait(s->parts, 0);
		if (!rc)
			stream_buffers_free(s);
	}
	if (rc)
		return rc;
	b = stream_buffer_find(s, true);
	if (!b)
		rc = s->buffers[0].bytes
			     ? stream_buffer_take_next(s, s->buffers[0].size,
						       &b)
			     : stream_buffer_take_first(s, size, &b);
	if (rc)
		return rc;
	b->len = 0;
	b->crc32c = 0;
	b->number = 0;
	s->filling = b;
	s->since_ms = clock_mono_ms();
	return 0;
}

/* ---- the bytes ---- */

static void stream_buffer_add(struct upload_stream *s, struct buffer *b,
			      const char *at, size_t n)
{
	if (s->set.store->limits.crc32c)
		b->crc32c = crc32c(b->crc32c, at, n);
	memcpy(b->bytes + b->len, at, n);
	b->len += n;
}

static struct store_body stream_buffer_body(const struct upload_stream *s,
					    const struct buffer *b)
{
	return (struct store_body){
		.data = b->bytes,
		.fd = -1,
		.len = b->len,
		.crc32c = b->crc32c,
		.has_crc32c = s->set.store->limits.crc32c,
	};
}

/* Off with what was filled. */
static int stream_send(struct upload_stream *s)
{
	struct buffer *b = s->filling;
	const struct upload_part part = {
		.number = s->range.number,
		.offset = s->range.start,
		.body = stream_buffer_body(s, b),
	};
	int rc = 0;

	if (!s->parts)
		rc = upload_parts_open(s->set.store, s->set.key, &s->set.meta,
				       BUFFERS_MAX, &s->parts);
	if (!rc)
		rc = upload_parts_send(s->parts, &part);
	if (rc)
		return rc;
	b->number = s->n_parts = part.number;
	s->filling = NULL;
	return parts_numbered(s->part_size, part.number + 1, &s->range);
}

static bool stream_is_slow(const struct upload_stream *s)
{
	int64_t most = s->set.patience_ms +
		       (int64_t)(s->filling->size / RATE_MIN) * 1000;

	return clock_mono_ms() - s->since_ms > most;
}

static int stream_fill(struct upload_stream *s, const char *at, size_t n)
{
	int rc = 0;

	while (!rc && n) {
		struct buffer *b = s->filling;
		size_t room =
			b ? number_min(s->range.len, b->size) - b->len : 0;

		if (b && !room) {
			rc = stream_send(s);
		} else if (!b) {
			rc = stream_buffer_take(s);
		} else if (stream_is_slow(s)) {
			rc = -ETIME;
		} else {
			room = number_min(n, room);
			stream_buffer_add(s, b, at, room);
			at += room;
			n -= room;
		}
	}
	return rc;
}

static int stream_write(struct upload_stream *s, const char *bytes, size_t n)
{
	size_t done;
	int rc = io_pwrite_some(s->fd, bytes, n, s->len, &done);

	s->len += done;
	return rc;
}

int upload_stream_add(struct upload_stream *s, const void *bytes, size_t n)
{
	return s->fd < 0 ? stream_fill(s, bytes, n) : stream_write(s, bytes, n);
}

/* ---- the end ---- */

static int stream_put(struct upload_stream *s, const struct store_cond *cond,
		      struct object_info *out)
{
	const struct store_body file = { .fd = s->fd,
					 .len = s->len,
					 .adopt = true };
	const struct store_body nothing = { .data = "", .fd = -1 };
	const struct store_body memory =
		s->filling ? stream_buffer_body(s, s->filling) : nothing;

	return store_put(s->set.store, s->set.key, s->fd < 0 ? &memory : &file,
			 &s->set.meta, cond, out);
}

static int stream_complete(struct upload_stream *s,
			   const struct store_cond *cond,
			   struct object_info *out)
{
	int rc = s->filling ? stream_send(s) : 0;

	if (rc == -EFBIG) /* there is no further part, and none is needed */
		rc = 0;
	if (!rc)
		rc = upload_parts_wait(s->parts, 0);
	if (!rc)
		rc = upload_parts_error(s->parts, false);
	if (!rc)
		rc = upload_parts_complete(s->parts, s->n_parts, cond, out);
	if (!rc) {
		upload_parts_free(s->parts);
		s->parts = NULL;
	}
	return rc;
}

int upload_stream_finish(struct upload_stream *s, const struct store_cond *cond,
			 struct object_info *out)
{
	int rc = s->parts ? stream_complete(s, cond, out)
			  : stream_put(s, cond, out);

	/* The bytes are gone; the next upload has parts of one length. */
	return rc == -EDOM ? -EIO : rc;
}

void upload_stream_free(struct upload_stream *s)
{
	if (!s)
		return;
	if (s->parts) {
		upload_parts_abort(s->parts);
		upload_parts_free(s->parts);
	}
	stream_buffers_free(s);
	if (s->fd >= 0)
		close(s->fd);
	store_unref(s->set.store);
	free((char *)s->set.key);
	free((char *)s->set.meta.content_type);
	free(s);
}
