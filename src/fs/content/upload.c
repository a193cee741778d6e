/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/content/upload.h"

#include <errno.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/pool.h"
#include "fs/content/file_props.h"
#include "fs/content/pending.h"
#include "fs/content/sent.h"
#include "fs/content/spill.h"

/* What a part under way gives back, to the store and the spill file. The file
 * lives until its last part has ended, and nothing is being kept. */
struct inflight_part {
	struct upload_part part;
	unsigned refs; /* atomic: it is being sent, and kept */
	struct file *file;
	void *mem; /* NULL: none */
	size_t cap;
	struct spill *spill; /* a reference, or NULL */
};

int upload_open(struct file *f, const char *key)
{
	struct upload_parts *u;
	struct store_meta meta;
	unsigned record;
	int rc = file_props(f, key, &meta);

	if (!rc)
		rc = upload_parts_open(file_store(f), key, &meta, UPLOAD_WIDTH,
				       &u);
	if (rc)
		return rc;
	record = pending_add(f->env->pending, upload_parts_upload(u));
	lock_take(&f->lock);
	content_edit(f)->upload = u;
	content_edit(f)->record = record;
	lock_drop(&f->lock);
	return 0;
}

static void upload_part_free(struct inflight_part *p)
{
	spill_unref(p->spill);
	free(p);
}

static void upload_part_unref(struct inflight_part *p)
{
	struct file *f = p->file;

	if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (p->mem) {
		pool_unhold(file_pool(f), &f->memory, p->cap);
		pool_put(file_pool(f), p->mem, p->cap);
		lock_take(&f->lock);
		file_locked(f)->n_pinned--;
		file_locked(f)->n_released++;
		waiter_list_wake(&file_locked(f)->waiters);
		lock_drop(&f->lock);
	}
	upload_part_free(p);
}

/* A thread of the store's. */
static void upload_part_ended(void *arg, int rc)
{
	upload_part_unref(arg);
}

/* The spill file's. */
static void upload_part_kept(void *arg)
{
	upload_part_unref(arg);
}

static int upload_part_new(struct file *f, const struct part_range *part,
			   struct inflight_part **out) REQUIRES(f->turn)
{
	struct inflight_part *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	if (upload_parts_reserve(content(f)->upload, part->number)) {
		free(p);
		return -ENOMEM;
	}
	p->file = f;
	p->refs = 1;
	p->part = (struct upload_part){ .number = part->number,
					.offset = part->start,
					.ended = upload_part_ended,
					.arg = p };
	*out = p;
	return 0;
}

void upload_tail_body(const struct tail *t, uint64_t len,
		      struct store_body *body)
{
	*body = (struct store_body){
		.data = t->mem,
		.fd = -1,
		.len = len,
		.crc32c = t->crc32c,
		.has_crc32c = t->summed && t->summed == len,
	};
}

static void upload_part_take(struct file *f, struct inflight_part *p,
			     const struct tail *t)
{
	p->mem = t->mem;
	p->cap = t->cap;
	upload_tail_body(t, t->len, &p->part.body);
	LOCK_DO(&f->lock, file_locked(f)->n_pinned++);
}

static void upload_tell_lost(struct file *f)
{
	file_log(f, LOG_LEVEL_WARN, -ENOSPC,
		 "no room to keep what is uploaded: it cannot be read or "
		 "changed before the file is closed");
}

/* Has the part kept in the spill file while it travels, if that can be. */
static void upload_part_keep(struct file *f, struct inflight_part *p,
			     struct spill *s) REQUIRES(f->turn)
{
	const struct upload_part *part = &p->part;
	bool first = !content(f)->not_retained.n;
	struct content *c;
	int rc = s ? 0 : -ENOSPC;

	__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
	if (!rc)
		rc = spill_keep(s, part->offset, p->mem, part->body.len,
				upload_part_kept, p);
	if (!rc)
		return;
	__atomic_sub_fetch(&p->refs, 1, __ATOMIC_RELAXED);
	lock_take(&f->lock);
	c = content_edit(f);
	if (extents_add(&c->not_retained, part->offset,
			part->offset + part->body.len))
		c->sticky = true;
	lock_drop(&f->lock);
	if (first)
		upload_tell_lost(f);
}

int upload_leave_tail(struct file *f, struct spill *s)
{
	struct tail t = content(f)->tail;
	struct inflight_part *p;
	int rc = upload_part_new(f, &t.part, &p);

	if (rc)
		return rc;
	rc = LOCK_UNDER(&f->lock,
			extents_add(&content_edit(f)->local, t.part.start,
				    t.part.start + t.len));
	if (rc) {
		upload_part_free(p);
		return rc;
	}
	upload_part_take(f, p, &t);
	upload_part_keep(f, p, s);
	/* Before it is sent, which may end at once: then no reader is at its
	 * memory but by way of the spill file. */
	lock_take(&f->lock);
	content_edit(f)->tail = (struct tail){ .mem = NULL };
	lock_drop(&f->lock);
	if (upload_parts_send(content(f)->upload, &p->part))
		upload_part_unref(p);
	return 0;
}

int upload_settle(struct file *f, uint64_t start, uint64_t end)
{
	struct spill *s = content(f)->spill;
	bool first = !content(f)->not_retained.n;
	struct extent lost;
	int rc = 0;

	if (!s)
		return 0;
	if (start < end)
		spill_wait(s, start, end);
	while (!rc && spill_next_lost(s, &lost)) {
		rc = LOCK_UNDER(
			&f->lock,
			extents_add(&content_edit(f)->not_retained, lost.start,
				    number_min(lost.end, content(f)->size)));
		if (!rc)
			spill_lost_reported(s);
		if (!rc && first)
			upload_tell_lost(f);
		first = false;
	}
	return rc;
}

int upload_send_part(struct file *f, const struct part_range *part,
		     const struct store_body *body)
{
	struct upload_part borrowed = { .number = part->number,
					.offset = part->start,
					.body = *body };
	struct inflight_part *p;
	int rc;

	if (body->data)
		return upload_parts_send(content(f)->upload, &borrowed);
	spill_wait(content(f)->spill, part->start, part->start + body->len);
	rc = upload_part_new(f, part, &p);
	if (rc)
		return rc;
	p->spill = spill_ref(content(f)->spill);
	p->part.body = *body;
	rc = upload_parts_send(content(f)->upload, &p->part);
	if (rc)
		upload_part_unref(p);
	return rc;
}

/* Takes the upload out of the file, whose parts have ended. */
static void upload_forget(struct file *f, bool remains) REQUIRES(f->turn)
{
	struct upload_parts *u = content(f)->upload;

	LOCK_DO(&f->lock, content_edit(f)->upload = NULL);
	if (!remains)
		pending_remove(f->env->pending, content(f)->record);
	upload_parts_free(u);
}

void upload_give_up(struct file *f)
{
	int rc;

	if (!content(f)->upload)
		return;
	(void)upload_settle(f, 0, UINT64_MAX);
	rc = upload_parts_abort(content(f)->upload);
	if (rc)
		file_log(f, LOG_LEVEL_ERROR, rc,
			 "cannot abort the upload; the next mount will");
	upload_forget(f, rc != 0);
	if (!content(f)->not_retained.n)
		return;
	LOCK_DO(&f->lock, content_edit(f)->sticky = true);
}

void upload_completed(struct file *f)
{
	upload_forget(f, false);
}

void upload_stale(struct file *f, uint64_t start, uint64_t end)
{
	struct part_range first, last = { .number = PARTS_MAX };

	sent_stale(f, start, end);
	if (!content(f)->upload || start >= end ||
	    parts_at(f->turn.part_size, start, &first))
		return;
	parts_at(f->turn.part_size, end - 1, &last);
	upload_parts_stale(content(f)->upload, first.number, last.number);
}
