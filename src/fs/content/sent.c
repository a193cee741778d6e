/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the base's bytes were is not known any more, once the store has another
 * object. What tells ours from another machine's is its length and each byte
 * that is local: those are in it, so nothing that was written is lost by taking
 * it for ours.
 */
#include "fs/content/sent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "fs/content/file_base.h"
#include "fs/content/file_map.h"
#include "fs/content/file_props.h"
#include "fs/content/spill.h"

#define WINDOW (256U << 10) /* of one GET */

/* What stands at the key, beside what may have been sent. */
struct sent_look {
	struct file *file;
	const char *key;
	struct object_info there;
	uint64_t start, end; /* the window */
	bool fetched; /* what it has there */
	bool compared; /* a byte, at least */
	char mine[WINDOW], theirs[WINDOW];
};

void sent_forget(struct file *f)
{
	f->sent.maybe = false;
	extents_clear(&f->sent.since);
}

void sent_maybe(struct file *f)
{
	sent_forget(f);
	f->sent.size = content(f)->size;
	f->sent.maybe = content(f)->has_base && content(f)->base_limit;
}

void sent_stale(struct file *f, uint64_t start, uint64_t end)
{
	if (f->sent.maybe && start < end &&
	    extents_add(&f->sent.since, start, end))
		sent_forget(f); /* it cannot be told any more */
}

void sent_ended(struct file *f, int rc)
{
	if (store_maybe_done(rc))
		sent_maybe(f);
}

/* ---- is it ours? ---- */

static int sent_fetch(struct sent_look *x)
{
	size_t n = 0;
	int rc = 0;

	if (!x->fetched)
		rc = store_get_sync(file_store(x->file), x->key, x->there.etag,
				    x->start, x->theirs,
				    (size_t)(x->end - x->start), &n, NULL);
	x->fetched = true;
	return rc;
}

/* Local bytes, which are as they were sent. */
static int sent_compare(struct sent_look *x, uint64_t start, uint64_t end,
			bool *same)
{
	size_t n = (size_t)(end - start);
	struct file_run run;
	int rc = file_map(x->file, start, end, x->mine, &run);

	if (!rc && run.kind == FILE_SPILL)
		rc = spill_read(run.spill, start, x->mine, n);
	spill_unref(run.spill);
	if (!rc)
		rc = sent_fetch(x);
	if (!rc)
		*same = !memcmp(x->mine, x->theirs + (start - x->start), n);
	x->compared = true;
	return rc;
}

static bool sent_is_known(struct sent_look *x, uint64_t at, uint64_t *run_end)
	REQUIRES(x->file->turn)
{
	struct file *f = x->file;
	enum file_kind kind;
	struct extent run;

	LOCK_DO(&f->lock, kind = file_map_kind_locked(f, at, x->end, run_end));
	if (extents_run(&f->sent.since, at, *run_end, &run))
		kind = FILE_BASE;
	*run_end = run.end;
	return kind != FILE_BASE && kind != FILE_NOT_RETAINED;
}

static int sent_look_at_bytes(struct sent_look *x, bool *same)
	REQUIRES(x->file->turn)
{
	uint64_t size = number_min(content(x->file)->size, x->there.size), end;
	int rc = 0;

	for (x->start = 0; !rc && *same && x->start < size; x->start = x->end) {
		x->end = number_min(x->start + WINDOW, size);
		x->fetched = false;
		for (uint64_t at = x->start; !rc && *same && at < x->end;
		     at = end)
			if (sent_is_known(x, at, &end))
				rc = sent_compare(x, at, end, same);
	}
	return rc;
}

/* Of an object that is not the base: 1 it is ours, 0 it is another's. */
static int sent_look_at(struct sent_look *x, uint64_t base_size)
	REQUIRES(x->file->turn)
{
	const struct file_sent *sent = &x->file->sent;
	bool same = x->there.size == sent->size;
	int rc = same ? sent_look_at_bytes(x, &same) : 0;

	if (!x->compared)
		same = same && sent->size < base_size && !sent->since.n;
	return rc ? rc : same;
}

/* ---- then it is the base ---- */

static int sent_rebase(struct file *f, const char *key,
		       const struct object_info *now) REQUIRES(f->turn)
{
	bool known = file_props_known(f);
	char *name = strdup(key), *old;
	struct block_source *source;
	struct file_locked *g;
	struct block *held;

	if (!name)
		return -ENOMEM;
	file_base_moved(f, now->etag);
	lock_take(&f->lock);
	g = file_locked(f);
	old = g->base_key;
	source = g->source;
	held = g->held;
	g->base = *now;
	g->base_key = name;
	g->source = NULL;
	g->held = NULL;
	lock_drop(&f->lock);
	if (known)
		file_props_published(f, now);
	if (held)
		block_release(held);
	block_source_leave(source);
	free(old);
	sent_forget(f);
	return 0;
}

static int sent_head(struct sent_look *x)
{
	struct object_details *d = malloc(sizeof(*d));
	int rc = d ? store_head(file_store(x->file), x->key, d) : -ENOMEM;

	if (!rc)
		x->there = d->info;
	free(d);
	return rc;
}

/* -ESTALE: it is neither the base nor ours. */
static int sent_ask(struct sent_look *x) REQUIRES(x->file->turn)
{
	struct object_info base, now;
	int rc = sent_head(x);

	LOCK_DO(&x->file->lock, base = file_locked(x->file)->base);
	if (rc || !*base.etag || !strcmp(x->there.etag, base.etag))
		return rc;
	rc = sent_look_at(x, base.size);
	if (rc > 0)
		return sent_rebase(x->file, x->key, &x->there);
	if (!rc)
		rc = store_confirm(file_store(x->file), x->key, base.etag,
				   &now);
	return rc;
}

int sent_settle(struct file *f, const char *key)
{
	struct sent_look *x;
	int rc;

	if (!f->sent.maybe)
		return 0;
	x = malloc(sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->file = f;
	x->key = key;
	x->compared = false;
	turn_assert_held(x->file);
	rc = sent_ask(x);
	free(x);
	/* What is not there, and what may not be read, is not settled. */
	return rc == -ENOENT || rc == -EACCES ? 0 : rc;
}

int sent_settle_base(struct file *f)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	int rc;

	if (!f->sent.maybe)
		return 0;
	rc = turn_begin(f, FILE_PUBLISHING);
	if (rc)
		return rc;
	rc = file_key(f, &key);
	if (!rc)
		rc = sent_settle(f, buf_str(&key));
	turn_end(f, f->turn.before);
	return rc;
}
