/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/content/range.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "fs/content/file_fd.h"
#include "fs/content/file_map.h"
#include "fs/content/file_props.h"
#include "fs/content/spill.h"
#include "fs/content/upload.h"
#include "fs/content/writer.h"

/* ---- zeros ---- */

/* What stands in the tail of [start, end), up to *run_end, is zeros; another
 * place is told. */
static enum file_kind range_zero_tail(struct file *f, uint64_t start,
				      uint64_t end, uint64_t *run_end)
	REQUIRES(f->turn)
{
	enum file_kind kind;

	lock_take(&f->lock);
	kind = file_map_kind_locked(f, start, end, run_end);
	if (kind == FILE_TAIL) {
		struct tail *t = &content_edit(f)->tail;

		memset(t->mem + (start - t->part.start), 0, *run_end - start);
		t->summed = 0;
		upload_stale(f, start, *run_end);
	}
	lock_drop(&f->lock);
	return kind;
}

/* A hole of the spill file. */
static int range_zero_spill(struct file *f, uint64_t start, uint64_t end)
	REQUIRES(f->turn)
{
	struct spill *s;
	int rc = writer_need_spill(f, &s);

	if (!rc)
		rc = spill_zero(s, start, end);
	if (rc)
		return rc;
	lock_take(&f->lock);
	upload_stale(f, start, end);
	rc = extents_add(&content_edit(f)->local, start, end);
	lock_drop(&f->lock);
	return rc;
}

int range_zero(struct file *f, uint64_t start, uint64_t end)
{
	uint64_t run_end;
	int rc = upload_settle(f, start, end);

	/* A part of which bytes are kept nowhere cannot be sent again. */
	if (!rc && content(f)->not_retained.n) {
		file_log(f, LOG_LEVEL_ERROR, -ENOSPC,
			 "cannot change what was uploaded and not kept: the "
			 "disk of the spill directory was full");
		return -ENOSPC;
	}
	for (uint64_t at = start; !rc && at < end; at = run_end) {
		enum file_kind kind = range_zero_tail(f, at, end, &run_end);

		if (kind != FILE_TAIL && kind != FILE_ZERO)
			rc = range_zero_spill(f, at, run_end);
	}
	return rc;
}

/* ---- copies ---- */

/* An object with its key, of which content is to be. */
struct graft {
	struct object_info base;
	char *key;
};

/* The object that is all of what one reads in `from`. -EOPNOTSUPP: none is. */
static int range_graft_look(struct file *from, struct graft *g)
{
	const struct file_locked *l;
	const struct content *c;
	int rc = -EOPNOTSUPP;

	lock_take(&from->lock);
	l = file_locked(from);
	c = content_locked(from);
	if (l->state == FILE_CLEAN && !l->orphan && c->has_base &&
	    c->base_limit == l->base.size && !c->local.n && l->base.etag[0]) {
		g->base = l->base;
		g->key = strdup(l->base_key);
		rc = g->key ? 0 : -ENOMEM;
	}
	lock_drop(&from->lock);
	return rc;
}

/* Is f, up to its end, the beginning of that object? */
static bool range_graft_is_part(struct file *f, const struct graft *g)
	REQUIRES(f->turn)
{
	const struct content *c = content(f);
	const struct file_locked *l;
	bool is;

	lock_take(&f->lock);
	l = file_locked(f);
	is = l->grafted && c->base_limit == c->size && !c->local.n &&
	     !strcmp(l->base_key, g->key) &&
	     !strcmp(l->base.etag, g->base.etag);
	lock_drop(&f->lock);
	return is;
}

/* The base is that object from now on; none of its bytes are content yet. */
static void range_graft_begin(struct file *f, struct graft *g) REQUIRES(f->turn)
{
	struct block_source *source;
	struct file_locked *l;
	struct block *held;

	lock_take(&f->lock);
	g->key = turn_rebase_locked(f, &g->base, g->key);
	l = file_locked(f);
	l->grafted = true;
	source = l->source;
	held = l->held;
	l->source = NULL;
	l->held = NULL;
	content_edit(f)->base_limit = 0;
	content_edit(f)->size = 0;
	lock_drop(&f->lock);
	if (held)
		block_release(held);
	block_source_leave(source);
}

static int range_graft_extend(struct file *f, struct graft *g, uint64_t at,
			      uint64_t len) REQUIRES(f->turn)
{
	const struct content *c = content(f);
	struct content *edit;
	int rc = 0;

	if (c->size != at || c->tail.mem || c->upload)
		return -EOPNOTSUPP;
	if (!range_graft_is_part(f, g)) {
		if (at)
			return -EOPNOTSUPP;
		/* An object that was emptied keeps its headers. */
		rc = file_props_learn(f);
		if (rc)
			return rc;
		range_graft_begin(f, g);
	}
	lock_take(&f->lock);
	edit = content_edit(f);
	edit->base_limit = edit->size = at + len;
	lock_drop(&f->lock);
	return 0;
}

int range_copy(struct file *f, struct file *from,
	       const struct file_range *range, uint64_t *done)
{
	struct graft g = { .key = NULL };
	uint64_t len;
	int rc;

	if (f == from || file_store(f) != file_store(from) ||
	    range->from != range->to)
		return -EOPNOTSUPP;
	rc = range_graft_look(from, &g);
	if (!rc && range->len && range->from < g.base.size) {
		len = number_min(range->len, g.base.size - range->from);
		rc = range_graft_extend(f, &g, range->to, len);
		*done = rc ? 0 : len;
	}
	free(g.key);
	return rc;
}

/* The copy that f is to its end. -ENOTSUP: it is none. */
static int range_graft_whole(struct file *f, struct graft *g) REQUIRES(f->turn)
{
	const struct content *c = content(f);
	int rc = -ENOTSUP;

	if (c->tail.mem || c->upload || c->local.n || c->not_retained.n)
		return rc;
	lock_take(&f->lock);
	g->base = file_locked(f)->base;
	if (file_locked(f)->grafted && c->size == g->base.size &&
	    c->base_limit == c->size) {
		g->key = strdup(file_locked(f)->base_key);
		rc = g->key ? 0 : -ENOMEM;
	}
	lock_drop(&f->lock);
	return rc;
}

int range_publish(struct file *f, const char *key, struct object_info *result)
{
	struct graft g = { .key = NULL };
	struct store_range whole;
	struct store_meta meta;
	int rc = range_graft_whole(f, &g);

	if (!rc)
		rc = file_props(f, key, &meta);
	if (!rc) {
		whole = (struct store_range){ .key = g.key,
					      .etag = g.base.etag,
					      .len = g.base.size };
		rc = store_copy_as(file_store(f), &whole, key, &meta, result);
	}
	if (!rc)
		file_props_published(f, result);
	free(g.key);
	return rc == -ENOENT ? -ESTALE : rc;
}

/* ---- an object that goes ---- */

#define HOLD_SIZE (4U << 20) /* of one GET */

static int range_hold_piece(struct file *f, const struct graft *g, char *bytes,
			    uint64_t start, uint64_t end) REQUIRES(f->turn)
{
	size_t n = (size_t)(end - start), got = 0;
	int rc = store_get_sync(file_store(f), g->key,
				*g->base.etag ? g->base.etag : NULL, start,
				bytes, n, &got, NULL);

	if (rc == -ENOENT || (!rc && got < n))
		rc = -ESTALE;
	return rc ? rc : writer_keep(f, start, bytes, n);
}

static enum file_kind range_hold_look(struct file *f, uint64_t at,
				      uint64_t *end)
{
	enum file_kind kind;

	lock_take(&f->lock);
	*end = number_min(at + HOLD_SIZE, content_locked(f)->base_limit);
	kind = file_map_kind_locked(f, at, *end, end);
	lock_drop(&f->lock);
	return kind;
}

int range_hold(struct file *f)
{
	uint64_t limit = content(f)->base_limit, end;
	struct graft g;
	MEM_LOCAL char *bytes = NULL;
	int rc;

	if (!limit)
		return 0;
	bytes = malloc(HOLD_SIZE);
	lock_take(&f->lock);
	g.base = file_locked(f)->base;
	g.key = strdup(file_locked(f)->base_key);
	lock_drop(&f->lock);
	rc = bytes && g.key ? 0 : -ENOMEM;
	for (uint64_t at = 0; !rc && at < limit; at = end) {
		if (inode_file_wait_alone(f->env->tree, f->inode, 0))
			break;
		if (range_hold_look(f, at, &end) == FILE_BASE)
			rc = range_hold_piece(f, &g, bytes, at, end);
	}
	free(g.key);
	return rc;
}

/* ---- data and holes ---- */

/* Where the bytes from some offset on are. */
struct seek_run {
	uint64_t end, size; /* the file's */
	bool hole;
	int fd; /* that knows more, a duplicate; -1: all of it is data */
};

static void range_seek_look(struct file *f, uint64_t at, struct seek_run *out)
{
	const struct content *c;
	int fd = -1;

	*out = (struct seek_run){ .fd = -1 };
	lock_take(&f->lock);
	c = content_locked(f);
	out->size = c->size;
	if (at < c->size) {
		enum file_kind kind =
			file_map_kind_locked(f, at, c->size, &out->end);

		out->hole = kind == FILE_ZERO;
		if (kind == FILE_SPILL)
			fd = c->scratch ? c->scratch->fd : c->spill->fd;
		else if (kind == FILE_BASE && c->base_fd)
			fd = c->base_fd->fd;
		if (fd >= 0)
			out->fd = dup(fd);
	}
	lock_drop(&f->lock);
}

/* What is looked for, within the run; its end: it has none. */
static uint64_t range_seek_in_run(const struct seek_run *r, uint64_t at,
				  int whence)
{
	off_t found;

	if (r->hole || r->fd < 0)
		return r->hole == (whence == SEEK_HOLE) ? at : r->end;
	found = lseek(r->fd, (off_t)at, whence);
	if (found < 0 && errno == ENXIO) /* behind the last data there is */
		return whence == SEEK_HOLE ? at : r->end;
	if (found < 0) /* it knows of no holes */
		return whence == SEEK_HOLE ? r->end : at;
	return number_min((uint64_t)found, r->end);
}

int range_seek(struct file *f, uint64_t offset, int whence, uint64_t *out)
{
	struct seek_run r;

	for (uint64_t at = offset;; at = r.end) {
		range_seek_look(f, at, &r);
		if (at >= r.size)
			break;
		*out = range_seek_in_run(&r, at, whence);
		if (r.fd >= 0)
			close(r.fd);
		if (*out < r.end)
			return 0;
	}
	if (offset >= r.size || whence == SEEK_DATA)
		return -ENXIO;
	*out = r.size;
	return 0;
}
