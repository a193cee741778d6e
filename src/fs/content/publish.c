/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the store's object what a reader reads now. One part is one PUT; more
 * are an upload, of whose parts
 *
 *   those that left while the program wrote and are not stale stay,
 *   those that are the base's, byte for byte, are copied by the server,
 *   the others are sent: from the tail, or from the spill file, into which
 *   the base's share of them is fetched first, by few large GETs side by side
 *   however many small writes lie between.
 *
 * A store that turns out to want all parts but the last of one length is sent
 * all of them anew, cut so.
 *
 * A failure aborts the upload and keeps the bytes, so that the next publish may
 * succeed; only bytes that the store alone has make it final. An interrupt
 * keeps the upload as well, for the next publish to go on with.
 *
 * No store keeps a part without bytes for zeros that were never written, and a
 * part can only be copied from an object that is there. So the server copies
 * them from the base's end, if that has as many, as what was grown before has;
 * the others are sent, from a hole of the spill file.
 *
 * The completion is not interrupted: if it were, it would not be known whether
 * the base is still there for another try.
 */
#include "fs/content/publish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "base/parallel.h"
#include "base/pool.h"
#include "fs/content/file_base.h"
#include "fs/content/file_map.h"
#include "fs/content/file_props.h"
#include "fs/content/range.h"
#include "fs/content/spill.h"
#include "fs/content/upload.h"
#include "fs/content/writer.h"

#define FETCH_SIZE (4ULL << 20) /* of one GET */
#define FETCH_GAP (1ULL << 20) /* that costs less than another GET does */
#define FETCH_SMALL (256U << 10) /* when there is no memory for more */
#define FETCH_THREADS 4
#define LOOK_FIRST (64U << 10) /* most bases do not end in zeros */
#define LOOK_SIZE (4U << 20)

/* A part, and where in the base the server finds its bytes. */
struct publish_copy {
	unsigned number;
	uint64_t from;
};

/* A publication under way. */
struct publish {
	struct file *file;
	const char *key;
	uint64_t size, part_size;
	unsigned n; /* parts */
	char *base_key; /* its own, as are the base's facts */
	struct object_info base;
	uint64_t base_limit; /* how much of it still counts */
	struct object_info result;
	struct publish_copy *copies;
	size_t n_copies;
	struct extent zeros; /* of the base; empty: none are known */
};

static int publish_part(struct publish *p, unsigned number,
			struct part_range *part)
{
	int rc = parts_numbered(p->part_size, number, part);

	if (!rc && part->start + part->len > p->size)
		part->len = p->size - part->start;
	return rc;
}

static const char *publish_etag(const struct publish *p)
{
	return p->base.etag[0] ? p->base.etag : NULL;
}

static enum file_kind publish_kind_at(struct file *f, uint64_t at, uint64_t end,
				      uint64_t *run_end)
{
	return LOCK_UNDER(&f->lock, file_map_kind_locked(f, at, end, run_end));
}

static bool publish_is(struct publish *p, const struct part_range *part,
		       enum file_kind kind)
{
	uint64_t end = part->start + part->len, run_end;

	return publish_kind_at(p->file, part->start, end, &run_end) == kind &&
	       run_end == end;
}

/* What a part lacks of the base, in pieces; each is one GET. */
struct publish_fetch {
	struct publish *publish;
	struct extent *pieces;
	size_t n, cap;
};

/* Local bytes between two runs of the base come along when they are few. */
static int publish_add_run(struct publish_fetch *x, uint64_t start,
			   uint64_t end)
{
	int rc = 0;

	while (!rc && start < end) {
		struct extent *last = x->n ? &x->pieces[x->n - 1] : NULL;
		uint64_t most = last ? last->start + FETCH_SIZE : 0;

		if (last && start < most && start - last->end <= FETCH_GAP) {
			last->end = number_min(end, most);
			start = last->end;
		} else {
			rc = ARRAY_RESERVE(x->pieces, x->cap, x->n + 1);
			if (!rc)
				x->pieces[x->n++] =
					(struct extent){ start, start };
		}
	}
	return rc;
}

/* Only what is the base's goes to the spill file: the rest is local. */
static int publish_keep_base(struct publish *p, const char *bytes,
			     uint64_t start, uint64_t end)
	REQUIRES(p->file->turn)
{
	uint64_t run_end;
	int rc = 0;

	for (uint64_t at = start; !rc && at < end; at = run_end)
		if (publish_kind_at(p->file, at, end, &run_end) == FILE_BASE)
			rc = writer_keep(p->file, at, bytes + (at - start),
					 run_end - at);
	return rc;
}

static int publish_get(struct publish *p, uint64_t start, char *bytes,
		       size_t len)
{
	size_t n = 0;
	int rc;

	if (file_base_take(p->file, publish_etag(p), start, bytes, len))
		return 0;
	rc = store_get_sync(file_store(p->file), p->base_key, publish_etag(p),
			    start, bytes, len, &n, NULL);
	return rc == -ENOENT || (!rc && n < len) ? -ESTALE : rc;
}

static int publish_fetch_piece(void *arg, size_t k)
{
	const struct publish_fetch *x = arg;
	struct publish *p = x->publish;
	struct pool *pool = file_pool(p->file);
	struct extent e = x->pieces[k];
	size_t size = (size_t)(e.end - e.start), cap = size;
	char *mem = pool_try(pool, size), *bytes = mem;
	int rc = 0;

	turn_assert_held(p->file);
	if (!mem) {
		cap = number_min(size, FETCH_SMALL);
		bytes = malloc(cap);
	}
	if (!bytes)
		return -ENOMEM;
	for (uint64_t at = e.start; !rc && at < e.end; at += cap) {
		size_t len = e.end - at < cap ? (size_t)(e.end - at) : cap;

		rc = publish_get(p, at, bytes, len);
		if (!rc)
			rc = publish_keep_base(p, bytes, at, at + len);
	}
	if (mem)
		pool_put(pool, mem, size);
	else
		free(bytes);
	return rc;
}

static int publish_not_retained(struct file *f) REQUIRES(f->turn)
{
	LOCK_DO(&f->lock, content_edit(f)->sticky = true);
	file_log(f, LOG_LEVEL_ERROR, -EIO,
		 "cannot upload again what was uploaded and not kept: the disk "
		 "of the spill directory was full");
	return -EIO;
}

/* What of the part is not in the spill file: zeros go there, what is the
 * base's becomes pieces to be fetched. */
static int publish_survey(struct publish *p, struct publish_fetch *x,
			  struct spill *spill, const struct part_range *part)
	REQUIRES(p->file->turn)
{
	uint64_t end = part->start + part->len, run_end;
	int rc = 0;

	for (uint64_t at = part->start; !rc && at < end; at = run_end) {
		switch (publish_kind_at(p->file, at, end, &run_end)) {
		case FILE_BASE:
			rc = publish_add_run(x, at, run_end);
			break;
		case FILE_ZERO:
			rc = spill_zero(spill, at, run_end);
			break;
		case FILE_NOT_RETAINED:
			rc = publish_not_retained(p->file);
			break;
		case FILE_TAIL: /* it is a part of its own */
		case FILE_SPILL:
			break;
		}
	}
	return rc;
}

/* All of the part is in the spill file afterwards. */
static int publish_fill(struct publish *p, const struct part_range *part,
			struct store_body *body) REQUIRES(p->file->turn)
{
	struct publish_fetch x = { .publish = p };
	struct spill *s;
	int rc = writer_need_spill(p->file, &s);

	if (!rc)
		rc = upload_settle(p->file, part->start,
				   part->start + part->len);
	if (!rc)
		rc = publish_survey(p, &x, s, part);
	if (!rc && x.n == 1)
		rc = publish_fetch_piece(&x, 0);
	else if (!rc && x.n)
		rc = parallel_run(FETCH_THREADS, x.n, publish_fetch_piece, &x,
				  true);
	free(x.pieces);
	if (!rc)
		*body = (struct store_body){ .fd = s->fd,
					     .offset = part->start,
					     .len = part->len };
	return rc;
}

static int publish_body(struct publish *p, const struct part_range *part,
			struct store_body *body) REQUIRES(p->file->turn)
{
	const struct tail *t = &content(p->file)->tail;

	if (t->mem && t->part.number == part->number)
		upload_tail_body(t, part->len, body);
	else if (!part->len)
		*body = (struct store_body){ .data = "", .len = 0 };
	else
		return publish_fill(p, part, body);
	return 0;
}

static int publish_copy_part(void *arg, size_t k)
{
	struct publish *p = arg;
	struct part_range part;
	struct store_range from = { .key = p->base_key,
				    .etag = publish_etag(p),
				    .offset = p->copies[k].from };
	int rc = publish_part(p, p->copies[k].number, &part);

	turn_assert_held(p->file);
	from.len = part.len;
	if (!rc)
		rc = upload_parts_copy(content(p->file)->upload, part.number,
				       part.start, &from);
	return rc == -ENOENT ? -ESTALE : rc;
}

/* The base has only zeros in [start, end)? */
static int publish_look_for_zeros(struct publish *p, uint64_t start,
				  uint64_t end, bool *are)
{
	MEM_LOCAL char *bytes = malloc(LOOK_SIZE);
	int rc = bytes ? 0 : -ENOMEM;

	*are = true;
	for (uint64_t at = start; !rc && *are && at < end; at += LOOK_SIZE) {
		size_t len =
			end - at < LOOK_SIZE ? (size_t)(end - at) : LOOK_SIZE;

		rc = publish_get(p, at, bytes, len);
		*are = !rc && !bytes[0] && !memcmp(bytes, bytes + 1, len - 1);
	}
	return rc;
}

/* Where the base ends in as many zeros as the longest part has that is to be
 * of zeros, if the server is to make several parts of them. */
static int publish_find_zeros(struct publish *p)
{
	uint64_t longest = 0, size = p->base_limit ? p->base.size : 0, last;
	struct part_range part;
	unsigned count = 0;
	bool are;
	int rc = 0;

	for (unsigned n = 1; !rc && n <= p->n; n++) {
		rc = publish_part(p, n, &part);
		if (rc || !publish_is(p, &part, FILE_ZERO))
			continue;
		count++;
		longest = number_max(longest, part.len);
	}
	if (rc || count < 2 || size < longest)
		return rc;
	last = number_min(longest, LOOK_FIRST);
	rc = publish_look_for_zeros(p, size - last, size, &are);
	if (!rc && are)
		rc = publish_look_for_zeros(p, size - longest, size - last,
					    &are);
	if (!rc && are)
		p->zeros = (struct extent){ size - longest, size };
	/* What cannot be read is not known to be of zeros. */
	return rc == -EINTR ? rc : 0;
}

/* A part that the server can copy? */
static bool publish_can_copy(struct publish *p, const struct part_range *part,
			     struct publish_copy *out)
{
	out->number = part->number;
	out->from = part->start;
	if (part->number != p->n &&
	    part->len < file_store(p->file)->limits.part_min)
		return false;
	if (publish_is(p, part, FILE_BASE))
		return true;
	out->from = p->zeros.start;
	return part->len <= p->zeros.end - p->zeros.start &&
	       publish_is(p, part, FILE_ZERO);
}

/* Copies what can be copied. A store that cannot copy parts is sent them. */
static int publish_copy_all(struct publish *p) REQUIRES(p->file->turn)
{
	struct upload_parts *u = content(p->file)->upload;
	struct part_range part;
	int rc;

	p->copies = calloc(p->n, sizeof(*p->copies));
	rc = p->copies ? publish_find_zeros(p) : -ENOMEM;
	for (unsigned n = 1; !rc && n <= p->n; n++) {
		if (upload_parts_has(u, n))
			continue;
		rc = publish_part(p, n, &part);
		if (!rc &&
		    publish_can_copy(p, &part, &p->copies[p->n_copies])) {
			p->n_copies++;
			/* A stale one must not land after the copy. */
			rc = upload_parts_wait_part(u, n);
		}
	}
	if (!rc && p->n_copies)
		rc = parallel_run(PARALLEL_MAX, p->n_copies, publish_copy_part,
				  p, true);
	return rc == -ENOTSUP ? 0 : rc;
}

static int publish_send_part(struct publish *p, unsigned number)
	REQUIRES(p->file->turn)
{
	struct upload_parts *u = content(p->file)->upload;
	struct part_range part;
	struct store_body body;
	int rc;

	if (upload_parts_has(u, number))
		return 0;
	/* A stale one of that number must not land after the new one. */
	rc = upload_parts_wait_part(u, number);
	if (!rc)
		rc = publish_part(p, number, &part);
	if (!rc)
		rc = upload_parts_wait(u, UPLOAD_WIDTH - 1);
	if (!rc)
		rc = publish_body(p, &part, &body);
	return rc ? rc : upload_send_part(p->file, &part, &body);
}

/* Sends what the store does not have; parts that had failed before too. */
static int publish_send_all(struct publish *p) REQUIRES(p->file->turn)
{
	struct upload_parts *u = content(p->file)->upload;
	int rc = 0;

	upload_parts_error(u, true);
	for (unsigned n = 1; !rc && n <= p->n; n++)
		rc = publish_send_part(p, n);
	return rc ? rc : upload_parts_wait(u, 0);
}

static int publish_complete(void *arg, size_t k)
{
	struct publish *p = arg;

	turn_assert_held(p->file);
	return upload_parts_complete(content(p->file)->upload, p->n, NULL,
				     &p->result);
}

/* Not interrupted. -EAGAIN: the store lacks parts. */
static int publish_send_and_complete(struct publish *p) REQUIRES(p->file->turn)
{
	int rc = publish_send_all(p);

	return rc ? rc : parallel_run(1, 1, publish_complete, p, false);
}

/* The whole upload, to its completion. */
static int publish_parts(struct publish *p) REQUIRES(p->file->turn)
{
	int rc = 0;

	if (!content(p->file)->upload)
		rc = upload_open(p->file, p->key);
	if (!rc)
		rc = upload_parts_reserve(content(p->file)->upload, p->n);
	if (!rc)
		rc = publish_copy_all(p);
	if (!rc)
		rc = publish_send_and_complete(p);
	/* A part that left before and has failed is sent once more. */
	if (rc == -EAGAIN)
		rc = publish_send_and_complete(p);
	if (rc == -EAGAIN) {
		rc = upload_parts_error(content(p->file)->upload, true);
		if (!rc)
			rc = -EIO;
	}
	if (!rc)
		upload_completed(p->file);
	free(p->copies);
	return rc;
}

/* The body of the only part; the headers, if they have to be asked for, travel
 * meanwhile. */
struct publish_whole {
	struct publish *publish;
	struct store_body body;
};

static int publish_prepare_whole(void *arg, size_t k)
{
	struct publish_whole *w = arg;
	struct publish *p = w->publish;
	struct part_range part = { .number = 1, .len = p->size };

	turn_assert_held(p->file);
	return k ? publish_body(p, &part, &w->body) : file_props_learn(p->file);
}

/* Bytes of the base that its open fetched are of no other object. */
static int publish_put(struct publish *p, const struct store_body *body,
		       const struct store_meta *meta)
{
	const struct store_cond same = { .if_match = publish_etag(p) };
	bool based = file_base_taken(p->file, same.if_match);
	int rc = store_put(file_store(p->file), p->key, body, meta,
			   based ? &same : NULL, &p->result);

	return based && rc == -ENOENT ? -ESTALE : rc;
}

static int publish_put_whole(struct publish *p) REQUIRES(p->file->turn)
{
	struct publish_whole w = { .publish = p };
	struct store_meta meta;
	int rc = file_props_known(p->file)
			 ? publish_prepare_whole(&w, 1)
			 : parallel_run(2, 2, publish_prepare_whole, &w, true);

	if (!rc)
		rc = file_props(p->file, p->key, &meta);
	return rc ? rc : publish_put(p, &w.body, &meta);
}

/* What the publication begins with. */
static int publish_look(struct publish *p) REQUIRES(p->file->turn)
{
	const struct content *c = content(p->file);
	const struct file_locked *g;
	int rc = 0;

	p->size = c->size;
	p->part_size = p->file->turn.part_size;
	p->n = parts_count(p->part_size, c->size);
	p->base_limit = c->base_limit;
	lock_take(&p->file->lock);
	g = file_locked(p->file);
	p->base = g->base;
	p->base_key = g->base_key ? strdup(g->base_key) : NULL;
	if (g->base_key && !p->base_key)
		rc = -ENOMEM;
	lock_drop(&p->file->lock);
	if (c->sticky)
		return -EIO;
	return !rc && p->n > PARTS_MAX ? -EFBIG : rc;
}

/* An upload that was begun for a key that the file does not have any more is
 * none; all is to be sent again. */
static int publish_check_key(struct publish *p) REQUIRES(p->file->turn)
{
	struct upload_parts *u = content(p->file)->upload;

	if (!u || !strcmp(upload_parts_upload(u)->key, p->key))
		return 0;
	upload_give_up(p->file);
	return content(p->file)->sticky ? publish_not_retained(p->file) : 0;
}

/* -EDOM: the parts have to be of one length. */
static int publish_once(struct file *f, const char *key,
			struct object_info *result) REQUIRES(f->turn)
{
	struct publish p = { .file = f, .key = key };
	int rc;

	turn_assert_held(p.file);
	rc = publish_look(&p);
	if (!rc)
		rc = publish_check_key(&p);
	if (!rc)
		rc = p.n == 1 && !content(p.file)->not_retained.n
			     ? publish_put_whole(&p)
			     : publish_parts(&p);
	if (!rc) {
		upload_give_up(p.file); /* one that was begun and not needed */
		*result = p.result;
		result->size = p.size;
		file_props_published(p.file, result);
	} else if (rc != -EINTR) {
		upload_give_up(p.file);
	} else if (content(p.file)->upload) {
		upload_parts_recall(content(p.file)->upload);
	}
	free(p.base_key);
	return rc;
}

int publish_remote(struct file *f, const char *key, struct object_info *result)
{
	int rc;

	turn_assert_held(f);
	rc = range_publish(f, key, result);
	if (rc != -ENOTSUP)
		return rc;
	rc = upload_settle(f, 0, 0);
	if (!rc)
		rc = writer_plan(f, content(f)->size, true);
	if (!rc)
		rc = publish_once(f, key, result);
	if (rc != -EDOM)
		return rc;
	rc = content(f)->sticky ? publish_not_retained(f)
				: writer_plan(f, content(f)->size, true);
	if (!rc)
		rc = publish_once(f, key, result);
	return rc == -EDOM ? -EIO : rc;
}
