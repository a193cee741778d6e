#include "fs/content/upload.h"

#include <errno.h>
#include <stdlib.h>

#include "base/pool.h"
#include "fs/content/file_props.h"
#include "fs/content/pending.h"
#include "fs/content/spill.h"

/* What a part under way gives back. The file lives until its last part has
 * ended. */
struct inflight_part {
	struct upload_part part;
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

/* A thread of the store's. */
static void inflight_part_ended(void *arg, int rc)
{
	struct inflight_part *p = arg;
	struct file *f = p->file;

	if (p->mem) {
		pool_unhold(file_pool(f), p->cap);
		pool_put(file_pool(f), p->mem, p->cap);
		lock_take(&f->lock);
		file_locked(f)->n_pinned--;
		lock_drop(&f->lock);
	}
	upload_part_free(p);
}

int upload_part_new(struct file *f, const struct part_range *part,
		    struct inflight_part **out)
{
	struct inflight_part *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	if (upload_parts_reserve(content(f)->upload, part->number)) {
		free(p);
		return -ENOMEM;
	}
	p->file = f;
	p->part = (struct upload_part){ .number = part->number,
					.offset = part->start,
					.ended = inflight_part_ended,
					.arg = p };
	*out = p;
	return 0;
}

void upload_part_free(struct inflight_part *p)
{
	spill_unref(p->spill);
	free(p);
}

void upload_send_tail(struct file *f, struct inflight_part *p,
		      const struct tail *t)
{
	p->mem = t->mem;
	p->cap = t->cap;
	p->part.body = (struct store_body){ .data = t->mem, .len = t->len };
	lock_take(&f->lock);
	file_locked(f)->n_pinned++;
	lock_drop(&f->lock);
	if (upload_parts_send(content(f)->upload, &p->part))
		inflight_part_ended(p, -ECANCELED);
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
	rc = upload_part_new(f, part, &p);
	if (rc)
		return rc;
	p->spill = spill_ref(content(f)->spill);
	p->part.body = *body;
	rc = upload_parts_send(content(f)->upload, &p->part);
	if (rc)
		inflight_part_ended(p, rc);
	return rc;
}

/* Takes the upload out of the file, whose parts have ended. */
static void upload_forget(struct file *f, bool remains) REQUIRES(f->turn)
{
	struct upload_parts *u = content(f)->upload;

	lock_take(&f->lock);
	content_edit(f)->upload = NULL;
	lock_drop(&f->lock);
	if (!remains)
		pending_remove(f->env->pending, content(f)->record);
	upload_parts_free(u);
}

void upload_give_up(struct file *f)
{
	int rc;

	if (!content(f)->upload)
		return;
	rc = upload_parts_abort(content(f)->upload);
	if (rc)
		file_log(f, LOG_LEVEL_ERROR, rc,
			 "cannot abort the upload; the next mount will");
	upload_forget(f, rc != 0);
	if (!content(f)->not_retained.n)
		return;
	lock_take(&f->lock);
	content_edit(f)->sticky = true;
	lock_drop(&f->lock);
}

void upload_completed(struct file *f)
{
	upload_forget(f, false);
}

void upload_stale(struct file *f, uint64_t start, uint64_t end)
{
	struct part_range first, last = { .number = PARTS_MAX };

	if (!content(f)->upload || start >= end ||
	    parts_at(f->stage->part_size, start, &first))
		return;
	parts_at(f->stage->part_size, end - 1, &last);
	upload_parts_stale(content(f)->upload, first.number, last.number);
}
