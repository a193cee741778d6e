/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A read walks over the runs of a file's content (file_map()). As long as they
 * are of the base, its segments are the blocks themselves; the first byte that
 * is not, the seventeenth segment, or a wait for memory that must not be done
 * with blocks in hand, turns the whole answer into one piece of memory of its
 * own, into which the rest is copied.
 *
 * When the base is published anew, or moved, while its blocks are waited for,
 * the read goes on from where it is, over the new base.
 *
 * All blocks of a run are asked for before the first is waited for, then the
 * read-ahead, so that what is waited for leaves first.
 */
#include "fs/content/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/number.h"
#include "fs/content/data.h"
#include "fs/content/file_map.h"
#include "fs/content/sent.h"
#include "fs/content/spill.h"

#define PAGE 4096ULL
#define RETRIES 32 /* publications that one block may meet */
#define BLOCK_MIN (128ULL << 10)

/* One read under way. */
struct read_job {
	struct reader *reader;
	struct file *file;
	struct prefetch_plan plan;
	uint64_t offset, end;
	struct fs_data *out;
	bool ahead_done;
};

void reader_init(struct reader *r, struct file *f)
{
	memset(r, 0, sizeof(*r));
	lock_init(&r->lock, LOCK_READER);
}

void reader_clear(struct reader *r)
{
	lock_destroy(&r->lock);
}

LOCK_GUARDS(reader_locked, reader, reader_locked);

/* A quarter of the memory is the most that one reader has ahead. */
static void reader_plan(struct read_job *j, uint64_t size)
{
	uint64_t quarter = budget_limit(j->file->env->budget) / 4;
	uint64_t most = number_power_of_2(quarter / PREFETCH_GETS);
	struct prefetch_read read = {
		.offset = j->offset,
		.len = j->end - j->offset,
		.size = size,
		.now_us = clock_mono_us(),
	};
	struct prefetch_plan *p = &j->plan;
	struct reader_locked *g;

	if (most < BLOCK_MIN)
		most = BLOCK_MIN;
	lock_take(&j->reader->lock);
	g = reader_locked(j->reader);
	read.wire = &g->wire;
	prefetch_plan(&g->prefetch, &read, p);
	lock_drop(&j->reader->lock);
	p->ahead_end = number_min(p->ahead_end, j->end + quarter);
	p->ahead_block = number_min(p->ahead_block, most);
	if (size > PREFETCH_WHOLE)
		p->block = number_min(p->block, most);
}

/* From here on the answer is one piece of memory. */
static int reader_to_own(struct read_job *j)
{
	struct fs_data *d = j->out;
	size_t at = 0;

	if (d->own)
		return 0;
	d->own = malloc(j->end - j->offset);
	if (!d->own)
		return -ENOMEM;
	for (unsigned i = 0; i < d->n; i++) {
		memcpy((char *)d->own + at, d->iov[i].iov_base,
		       d->iov[i].iov_len);
		at += d->iov[i].iov_len;
	}
	data_release_blocks(d);
	d->iov[0] = (struct iovec){ d->own, at };
	d->n = 1;
	return 0;
}

/* Adds bytes that are in place; takes over the reference. */
static int reader_add_block(struct read_job *j, struct block *b,
			    const char *bytes, size_t n)
{
	struct fs_data *d = j->out;
	int rc = 0;

	if (!d->own && d->n == FS_DATA_SEGMENTS)
		rc = reader_to_own(j);
	if (!rc && d->own) {
		memcpy((char *)d->own + d->len, bytes, n);
		d->iov[0].iov_len += n;
		d->len += n;
	} else if (!rc) {
		d->iov[d->n++] = (struct iovec){ (void *)bytes, n };
		d->hold[d->n_hold++] = b;
		d->len += n;
		return 0;
	}
	block_unref(b);
	return rc;
}

/* How far a block that is missing at `at` should go. */
static void reader_block_range(const struct read_job *j, uint64_t at,
			       uint64_t end, uint64_t *low, uint64_t *len)
{
	const struct prefetch_plan *p = &j->plan;

	*low = p->start < at && at < p->start + p->block ? p->start : at;
	if (at < p->start + p->block)
		*len = p->start + p->block - *low;
	else
		*len = p->sequential ? p->block
				     : (end + PAGE - 1) / PAGE * PAGE - at;
	*len = number_min(*len, BLOCK_MAX);
}

static int reader_get_block(struct read_job *j, struct block_source *s,
			    uint64_t at, uint64_t end, bool first,
			    struct block **out)
{
	uint64_t low, len;
	int rc;

	reader_block_range(j, at, end, &low, &len);
	rc = block_get(s, at, low, len, BLOCK_TRY, out);
	if (rc != -EAGAIN || !first)
		return rc;
	if (j->out->n_hold) {
		rc = reader_to_own(j);
		if (rc)
			return rc;
	}
	return block_get(s, at, low, len, BLOCK_WAIT, out);
}

static void reader_ahead(struct read_job *j, struct block_source *s)
{
	uint64_t at = j->end, next;

	if (j->ahead_done)
		return;
	j->ahead_done = true;
	for (;;) {
		struct block *b;

		if (block_present(s, at, &at))
			continue;
		next = prefetch_next(&j->plan, at, block_source_size(s));
		if (!next || block_get(s, at, at, next - at, BLOCK_AHEAD, &b))
			break;
		/* not by block_present(): it may have failed already */
		at = block_end(b);
		block_unref(b);
	}
}

/* Blocks from `at` on, all asked for; at least one, or an error. */
static int reader_gather(struct read_job *j, struct block_source *s,
			 uint64_t at, uint64_t end, struct block **blocks,
			 unsigned *n)
{
	int rc = 0;

	*n = 0;
	while (at < end && *n < FS_DATA_SEGMENTS) {
		rc = reader_get_block(j, s, at, end, *n == 0, &blocks[*n]);
		if (rc)
			break;
		at = block_end(blocks[(*n)++]);
	}
	return *n ? 0 : rc;
}

/* Waits for what was gathered and adds it. */
static int reader_collect(struct read_job *j, struct block **blocks, unsigned n,
			  uint64_t end, uint64_t *at)
{
	int rc = 0;

	for (unsigned i = 0; i < n; i++) {
		const char *bytes;
		size_t got;

		if (!rc)
			rc = block_wait(blocks[i], *at, (size_t)(end - *at),
					&bytes, &got);
		if (rc) {
			block_unref(blocks[i]);
			continue;
		}
		*at += got;
		if (!j->plan.sequential)
			block_used(blocks[i]);
		else if (*at == block_end(blocks[i]))
			block_passed(blocks[i]);
		rc = reader_add_block(j, blocks[i], bytes, got);
	}
	return rc;
}

/* The base may have been replaced by what this file has sent. */
static int reader_stale(struct file *f, const struct block_source *s)
{
	int rc = sent_settle_base(f);

	return rc ? rc : file_map_stale(f, s);
}

static int reader_base(struct read_job *j, struct block_source *s, uint64_t at,
		       uint64_t end)
{
	struct block *blocks[FS_DATA_SEGMENTS];
	struct wire wire;
	unsigned n;
	int rc = 0;

	while (!rc && at < end) {
		rc = reader_gather(j, s, at, end, blocks, &n);
		if (rc)
			break;
		reader_ahead(j, s);
		rc = reader_collect(j, blocks, n, end, &at);
	}
	block_source_wire(s, &wire);
	lock_take(&j->reader->lock);
	reader_locked(j->reader)->wire = wire;
	lock_drop(&j->reader->lock);
	return rc == -ESTALE ? reader_stale(j->file, s) : rc;
}

/* Bytes that are with us; `to` is where file_map() has put them, if it did. */
static int reader_local(struct read_job *j, const struct file_run *run,
			uint64_t at, char *to)
{
	size_t n = (size_t)(run->end - at);
	int rc = 0;

	if (run->kind == FILE_NOT_RETAINED) {
		file_log(j->file, LOG_LEVEL_ERROR, -ENOSPC,
			 "cannot read what was uploaded and not kept: the disk "
			 "of the spill directory was full");
		return -ENOSPC;
	}
	if (run->kind == FILE_SPILL)
		rc = spill_read(run->spill, at, to, n);
	if (!rc) {
		j->out->iov[0].iov_len += n;
		j->out->len += n;
	}
	return rc;
}

/* The run at the answer's end; one that turns out to be local comes again,
 * with memory to put it into. */
static int reader_run(struct read_job *j)
{
	struct fs_data *d = j->out;
	uint64_t at = j->offset + d->len;
	char *to = d->own ? (char *)d->own + d->len : NULL;
	struct file_run run;
	int rc = file_map(j->file, at, j->end, to, &run);

	if (rc)
		return rc;
	/* It was made shorter since the read began: it ends there. */
	j->end = number_min(j->end, number_max(run.size, at));
	run.end = number_min(run.end, j->end);
	if (run.end == at)
		rc = 0;
	else if (run.kind == FILE_BASE)
		rc = reader_base(j, run.source, at, run.end);
	else if (!to)
		rc = reader_to_own(j);
	else
		rc = reader_local(j, &run, at, to);
	block_source_unref(run.source);
	spill_unref(run.spill);
	return rc;
}

int reader_read_blocks(struct reader *r, struct file *f, uint64_t offset,
		       size_t len, struct fs_data *out)
{
	struct read_job j = {
		.reader = r, .file = f, .offset = offset, .out = out
	};
	unsigned tries = 0;
	uint64_t size;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	file_size(f, &size);
	if (offset >= size || !len)
		return 0;
	j.end = offset + number_min(len, size - offset);
	reader_plan(&j, size);
	while (!rc && out->len < j.end - offset) {
		size_t before = out->len;

		rc = reader_run(&j);
		if (out->len > before)
			tries = 0;
		if (rc == -EAGAIN && tries++ < RETRIES)
			rc = 0;
	}
	if (rc) {
		data_release(out);
		rc = rc == -EAGAIN ? -ESTALE : rc;
	} else if (!out->len) {
		data_release(out);
	} else if (out->own) {
		out->n = 1;
	}
	return rc;
}

/* A block that is there says nothing: it may be older than this open. */
static int reader_first_block(struct block_source *s, uint64_t size)
{
	struct prefetch begun = { 0 };
	struct wire unknown = { 0 };
	struct prefetch_read read = {
		.len = number_min(size, PREFETCH_FIRST),
		.size = size,
		.wire = &unknown,
	};
	struct prefetch_plan plan;
	struct block *b;
	const char *bytes;
	uint64_t end;
	size_t got;
	int rc;

	if (block_present(s, 0, &end))
		return -EALREADY;
	prefetch_plan(&begun, &read, &plan);
	rc = block_get(s, 0, 0, number_min(plan.block, BLOCK_MAX), BLOCK_TRY,
		       &b);
	if (rc)
		return rc;
	rc = block_wait(b, 0, 1, &bytes, &got);
	if (!rc && block_from_disk(b))
		rc = -EAGAIN;
	block_unref(b);
	return rc;
}

int reader_first(struct file *f)
{
	struct file_run run;
	uint64_t size;
	int rc;

	file_size(f, &size);
	if (!size)
		return -EAGAIN;
	rc = file_map(f, 0, size, NULL, &run);
	if (rc)
		return rc;
	rc = run.kind == FILE_BASE ? reader_first_block(run.source, size)
				   : -EAGAIN;
	if (rc == -ESTALE)
		rc = reader_stale(f, run.source);
	block_source_unref(run.source);
	spill_unref(run.spill);
	return rc;
}

int reader_read(struct reader *r, struct file *f, uint64_t offset, size_t len,
		struct fs_data *out)
{
	return f->ops->read(r, f, offset, len, out);
}
