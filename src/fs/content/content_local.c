/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content whose objects are files of a local disk (store limits.files): no
 * blocks, no parts. The base's file is open from the open on, so it can be
 * read to its end whatever becomes of its name; a scratch file on the same
 * disk takes what is written, at its place; `local` says which of its bytes
 * count, the others are the base's.
 *
 *   (none) --write--> scratch --publish--> it is the object, and the new base
 *                     scratch --failed---> published --write--> another scratch
 *
 * Publishing copies what is still the base's into the scratch file, then the
 * store makes that file the object: no other byte is copied. From then on it is
 * not written to; the next write begins another one. A base that is small, or
 * whose blocks the disk can share, is taken over whole when the scratch file is
 * made; of another one only what is still the base's when the object is made.
 *
 * What comes from the base counts only when the store says afterwards that its
 * file is still what the ETag says: a program that writes into it in place
 * makes reads, and a publication that needs it, fail with -ESTALE.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/number.h"
#include "base/pool.h"
#include "fs/content/data.h"
#include "fs/content/file_fd.h"
#include "fs/content/file_map.h"
#include "fs/content/file_props.h"
#include "fs/content/reader.h"

#define EXTENTS_MAX 4096 /* more pieces than that are made one */
#define POOLED_MIN (256U << 10) /* smaller answers are the heap's */
#define POOLED_SIZE (1U << 20)
#define SEED_MAX (1ULL << 20) /* a base that is copied at the first write */
#define FILL_PIECE (256ULL << 20) /* between two looks at the base */

/* Where the bytes from some offset on are. */
struct local_place {
	enum file_kind kind;
	uint64_t end;
	struct file_fd *fd; /* referenced; NULL: zeros */
	char etag[STORE_ETAG_SIZE]; /* of the base */
};

/* ---- the scratch file: with the turn ---- */

/* Is the base's file still what its ETag says? One that has no name any more
 * has another ctime for that, which an ETag may be made of. 0 or -ESTALE. */
static int local_base_same(struct file *f, struct file_fd *x, const char *etag)
{
	int rc = store_same(file_store(f), x->fd, etag);

	return rc == -ESTALE && file_fd_unlinked_same(x) ? 0 : rc;
}

static void local_find(struct file *f, uint64_t offset, uint64_t end,
		       struct local_place *out)
{
	const struct content *c;
	struct file_fd *fd = NULL;

	lock_take(&f->lock);
	c = content_locked(f);
	out->kind = file_map_kind_locked(f, offset, end, &out->end);
	if (out->kind == FILE_SPILL)
		fd = c->scratch;
	else if (out->kind == FILE_BASE)
		fd = c->base_fd;
	out->fd = fd ? file_fd_ref(fd) : NULL;
	memcpy(out->etag, file_locked(f)->base.etag, sizeof(out->etag));
	lock_drop(&f->lock);
}

static int local_add(struct file *f, uint64_t start, uint64_t end)
	REQUIRES(f->turn)
{
	return LOCK_UNDER(&f->lock,
			  extents_add(&content_edit(f)->local, start, end));
}

/* What the scratch file lacks of [start, end) comes from the base. */
static int local_fill_piece(struct file *f, int scratch, uint64_t start,
			    uint64_t end) REQUIRES(f->turn)
{
	struct local_place p;
	int rc = 0;

	for (uint64_t at = start; !rc && at < end; at = p.end) {
		local_find(f, at, end, &p);
		if (p.kind == FILE_BASE) {
			rc = file_fd_copy(p.fd->fd, at, p.end, scratch, at);
			if (!rc)
				rc = local_base_same(f, p.fd, p.etag);
		} else if (p.kind == FILE_ZERO) {
			/* whatever a write that failed has left */
			rc = io_zero(scratch, at, p.end);
		}
		if (!rc && p.kind != FILE_SPILL)
			rc = local_add(f, at, p.end);
		file_fd_unref(p.fd);
	}
	return rc;
}

/* What the scratch file lacks of the content comes from the base. -ESTALE when
 * that was written to meanwhile. */
static int local_fill(struct file *f, int scratch, uint64_t size)
	REQUIRES(f->turn)
{
	int rc = 0;

	for (uint64_t at = 0; !rc && at < size; at += FILL_PIECE)
		rc = local_fill_piece(f, scratch, at,
				      number_min(at + FILL_PIECE, size));
	return rc;
}

/* What the published file has of the content. */
static int local_take_published(struct file *f, int from, int to)
	REQUIRES(f->turn)
{
	uint64_t size = content(f)->size;
	struct local_place p;
	int rc = 0;

	for (uint64_t at = 0; !rc && at < size; at = p.end) {
		local_find(f, at, size, &p);
		if (p.kind == FILE_SPILL)
			rc = file_fd_copy(from, at, p.end, to, at);
		file_fd_unref(p.fd);
	}
	return rc;
}

/* All of the base, if that costs little: *taken bytes of it. */
static int local_take_base(struct file *f, int to, uint64_t *taken)
	REQUIRES(f->turn)
{
	uint64_t limit = content(f)->base_limit;
	struct file_fd *base = content(f)->base_fd;
	int rc = 0;

	if (!limit || !base)
		return 0;
	if (!file_fd_clone(base->fd, to))
		rc = ftruncate(to, (off_t)limit) ? -errno : 0;
	else if (limit <= SEED_MAX)
		rc = file_fd_copy(base->fd, 0, limit, to, 0);
	else
		return 0;
	if (!rc)
		rc = local_base_same(f, base, f->turn.etag);
	if (!rc)
		*taken = limit;
	return rc;
}

static int local_new_scratch(struct file *f, struct file_fd **out)
	REQUIRES(f->turn)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	int fd, rc = inode_open_key(f->env->tree, f->inode, &key);

	if (rc == -ENOENT) { /* it has no name any more: any place will do */
		buf_reset(&key);
		rc = stage_key(f->stage, "unnamed", &key);
	}
	if (!rc)
		rc = store_scratch(file_store(f), buf_str(&key), &fd);
	if (rc)
		return rc;
	*out = file_fd_new(fd);
	return *out ? 0 : -ENOMEM;
}

/* The scratch file, or a new one that is yet to be the content's. */
struct local_scratch {
	struct file_fd *fd;
	bool is_new;
	uint64_t taken; /* so many bytes of the base it has */
};

/* seed: it is to be written into, so that the base is taken over if that costs
 * little. */
static int local_find_scratch(struct file *f, bool seed,
			      struct local_scratch *out) REQUIRES(f->turn)
{
	struct file_fd *old = content(f)->scratch;
	int rc;

	*out = (struct local_scratch){ .fd = old };
	if (old && !content(f)->published)
		return 0;
	rc = local_new_scratch(f, &out->fd);
	if (rc)
		return rc;
	out->is_new = true;
	if (old)
		rc = local_take_published(f, old->fd, out->fd->fd);
	else if (seed)
		rc = local_take_base(f, out->fd->fd, &out->taken);
	if (rc)
		file_fd_unref(out->fd);
	return rc;
}

/* A new one becomes the content's. *old is to be dropped. */
static int local_set_scratch_locked(struct file *f,
				    const struct local_scratch *s,
				    struct file_fd **old)
	REQUIRES(&f->lock, f->turn)
{
	struct content *c = content_edit(f);

	*old = NULL;
	if (!s->is_new)
		return 0;
	*old = c->scratch;
	c->scratch = s->fd;
	c->published = false;
	return s->taken ? extents_add(&c->local, 0, s->taken) : 0;
}

/* A file that may be written to, made at the first need; lives as long as the
 * turn does. */
static int local_need_scratch(struct file *f, bool seed, struct file_fd **out)
	REQUIRES(f->turn)
{
	struct local_scratch s;
	struct file_fd *old;
	int rc = local_find_scratch(f, seed, &s);

	if (rc)
		return rc;
	*out = s.fd;
	if (s.is_new) {
		rc = LOCK_UNDER(&f->lock,
				local_set_scratch_locked(f, &s, &old));
		file_fd_unref(old);
	}
	return rc;
}

static int local_open(struct file *f)
{
	struct file_locked *g = &f->guarded_; /* only the caller has it yet */
	struct content *c = &f->content_;
	int fd, rc;

	rc = store_open(file_store(f), g->base_key, g->base.etag, &fd, NULL);
	if (rc)
		return rc == -ENOENT ? -ESTALE : rc;
	c->base_fd = file_fd_new(fd);
	if (!c->base_fd)
		return -ENOMEM;
	c->numbered = file_fd_ref(c->base_fd);
	return 0;
}

/* The scratch file is there from the start: it becomes the object. */
static int local_make(struct file *f, struct object_info *number)
{
	struct content *c = &f->content_; /* only the caller has it yet */
	struct stat st;
	int fd, rc;

	rc = store_scratch(file_store(f), f->guarded_.base_key, &fd);
	if (rc)
		return rc;
	c->scratch = file_fd_new(fd);
	if (!c->scratch)
		return -ENOMEM;
	if (fstat(fd, &st))
		return -errno;
	c->numbered = file_fd_ref(c->scratch);
	number->dev = st.st_dev;
	number->ino = st.st_ino;
	return 0;
}

static int local_look(struct file *f)
{
	char etag[STORE_ETAG_SIZE];
	struct file_fd *base = NULL;
	struct file_locked *g;
	int rc = 0;

	lock_take(&f->lock);
	g = file_locked(f);
	if (g->state == FILE_CLEAN && content_locked(f)->base_fd)
		base = file_fd_ref(content_locked(f)->base_fd);
	memcpy(etag, g->base.etag, sizeof(etag));
	lock_drop(&f->lock);
	if (base)
		rc = local_base_same(f, base, etag);
	file_fd_unref(base);
	return rc;
}

/* ---- reading ---- */

static int local_read_place(struct file *f, const struct local_place *p,
			    uint64_t at, char *to)
{
	size_t n = (size_t)(p->end - at);
	int rc = 0;

	if (p->fd)
		rc = io_pread_zeros(p->fd->fd, to, n, at);
	else
		memset(to, 0, n);
	if (!rc && p->fd && p->kind == FILE_BASE)
		rc = local_base_same(f, p->fd, p->etag);
	return rc;
}

/* Large answers come from the pool: memory that was touched before is cheap,
 * and it is counted. Without any there the heap has some. */
static int local_answer_room(struct file *f, size_t len, struct fs_data *out)
{
	if (len >= POOLED_MIN && len <= POOLED_SIZE) {
		out->own = pool_try(file_pool(f), POOLED_SIZE);
		if (out->own) {
			out->own_size = POOLED_SIZE;
			out->own_pool = file_pool(f);
			return 0;
		}
	}
	out->own = malloc(len);
	return out->own ? 0 : -ENOMEM;
}

static int local_read(struct reader *r, struct file *f, uint64_t offset,
		      size_t len, struct fs_data *out)
{
	uint64_t size, end;
	int rc;

	memset(out, 0, sizeof(*out));
	file_size(f, &size);
	if (offset >= size || !len) /* more may be there by now */
		return local_look(f);
	end = offset + number_min(len, size - offset);
	rc = local_answer_room(f, (size_t)(end - offset), out);
	for (uint64_t at = offset; !rc && at < end;) {
		struct local_place p;

		local_find(f, at, end, &p);
		rc = local_read_place(f, &p, at,
				      (char *)out->own + (at - offset));
		file_fd_unref(p.fd);
		at = p.end;
	}
	if (rc) {
		data_release(out);
		return rc;
	}
	out->len = (size_t)(end - offset);
	out->iov[0] = (struct iovec){ out->own, out->len };
	out->n = 1;
	return 0;
}

/* ---- writing: with the turn ---- */

static int local_write(struct file *f, uint64_t offset, const char *bytes,
		       size_t len) RELEASE(f->turn)
{
	struct local_scratch s;
	struct file_fd *old = NULL;
	struct content *c;
	size_t done = 0;
	int rc = 0, add;

	if (content(f)->local.n > EXTENTS_MAX) {
		rc = local_need_scratch(f, true, &s.fd);
		if (!rc)
			rc = local_fill(f, s.fd->fd, content(f)->size);
	}
	if (!rc)
		rc = local_find_scratch(f, true, &s);
	if (!rc) {
		rc = io_pwrite_some(s.fd->fd, bytes, len, offset, &done);
		if (!done && s.is_new)
			file_fd_unref(s.fd);
	}
	if (!done) {
		turn_end(f, f->turn.before);
		return rc;
	}
	inode_touch(f->env->tree, f->inode);
	lock_take(&f->lock);
	c = content_edit(f);
	add = local_set_scratch_locked(f, &s, &old);
	if (!add)
		add = extents_add(&c->local, offset, offset + done);
	if (!add && offset + done > c->size)
		c->size = offset + done;
	turn_end_locked(f, FILE_DIRTY);
	lock_drop(&f->lock);
	turn_ended(f);
	file_fd_unref(old);
	return rc ? rc : add;
}

/* The disk says now whether it takes a file as long as that. */
static int local_grow(struct file *f, uint64_t size) REQUIRES(f->turn)
{
	struct file_fd *s;
	int rc = local_need_scratch(f, true, &s);

	if (rc)
		return rc;
	return ftruncate(s->fd, (off_t)size) ? -errno : 0;
}

static int local_resize(struct file *f, uint64_t size) REQUIRES(f->turn)
{
	struct content *c;
	bool cuts = size < content(f)->size;
	int rc = cuts ? 0 : local_grow(f, size);

	if (rc)
		return rc;
	lock_take(&f->lock);
	c = content_edit(f);
	if (cuts) {
		extents_cut(&c->local, size);
		c->base_limit = number_min(c->base_limit, size);
	}
	c->size = size;
	lock_drop(&f->lock);
	/* What is beyond must read as zeros when the file grows again. */
	if (cuts && content(f)->scratch && !content(f)->published &&
	    ftruncate(content(f)->scratch->fd, (off_t)size))
		return -errno;
	return 0;
}

static int local_zero(struct file *f, uint64_t start, uint64_t end)
	REQUIRES(f->turn)
{
	struct file_fd *s;
	int rc = local_need_scratch(f, true, &s);

	if (!rc)
		rc = io_zero(s->fd, start, end);
	return rc ? rc : local_add(f, start, end);
}

/* Bytes of [start, end) of another, up to *run_end, to `at` of s. */
static int local_copy_run(struct file *from, uint64_t start, uint64_t end,
			  int s, uint64_t at, uint64_t *run_end)
{
	struct local_place p;
	int rc;

	local_find(from, start, end, &p);
	*run_end = p.end;
	rc = p.fd ? file_fd_copy(p.fd->fd, start, p.end, s, at)
		  : io_zero(s, at, at + (p.end - start));
	if (!rc && p.kind == FILE_BASE)
		rc = local_base_same(from, p.fd, p.etag);
	file_fd_unref(p.fd);
	return rc;
}

static int content_local_copy(struct file *f, struct file *from,
			      const struct file_range *range, uint64_t *done)
	REQUIRES(f->turn)
{
	uint64_t size, end, run_end, at = range->to;
	struct content *c;
	struct file_fd *s;
	int rc = local_need_scratch(f, true, &s);

	file_size(from, &size);
	end = number_min(range->from + range->len, size);
	for (uint64_t o = range->from; !rc && o < end; o = run_end) {
		rc = local_copy_run(from, o, end, s->fd, at, &run_end);
		if (rc)
			break;
		lock_take(&f->lock);
		c = content_edit(f);
		rc = extents_add(&c->local, at, at + (run_end - o));
		at += rc ? 0 : run_end - o;
		if (at > c->size)
			c->size = at;
		lock_drop(&f->lock);
	}
	*done = at - range->to;
	return rc;
}

/* ---- publishing: with the turn ---- */

/* The times that callers have seen, or set, are the object's own. */
static int local_put_times(struct file *f, int fd, const struct inode_view *v)
{
	struct timespec times[2] = { v->atime, v->info.mtime };

	return futimens(fd, times) ? -errno : 0;
}

static int local_put_scratch(struct file *f, int fd, uint64_t size,
			     const char *key, struct object_info *result)
	REQUIRES(f->turn)
{
	struct store_body body = { .fd = fd, .len = size, .adopt = true };
	struct store_owner owner;
	struct store_meta meta;
	struct inode_view v;
	int rc;

	file_props_local(f, &meta);
	inode_view(f->env->tree, f->inode, &v);
	if (!v.published) {
		owner = (struct store_owner){ v.uid, v.gid, v.mode };
		meta.owner = &owner;
	}
	rc = ftruncate(fd, (off_t)size) ? -errno : local_put_times(f, fd, &v);
	if (rc)
		return rc;
	LOCK_DO(&f->lock, content_edit(f)->published = true);
	return store_put(file_store(f), key, &body, &meta, NULL, result);
}

static int local_publish(struct file *f, const char *key,
			 struct object_info *result) REQUIRES(f->turn)
{
	uint64_t size = content(f)->size;
	struct file_fd *s;
	int rc = local_need_scratch(f, false, &s);

	if (!rc)
		rc = local_fill(f, s->fd, size);
	if (rc && rc != -EINTR)
		file_log(f, LOG_LEVEL_ERROR, rc,
			 "cannot put the new content together");
	return rc ? rc : local_put_scratch(f, s->fd, size, key, result);
}

static void local_forget(struct file *f, const struct object_info *base,
			 char *key) REQUIRES(f->turn)
{
	struct file_fd *old = content(f)->base_fd;
	struct file_fd *scratch = content(f)->scratch;
	MEM_LOCAL char *old_key = NULL;

	lock_take(&f->lock);
	content_edit(f)->base_fd = base ? scratch : NULL;
	content_edit(f)->scratch = NULL;
	content_edit(f)->published = false;
	old_key = turn_rebase_locked(f, base, key);
	lock_drop(&f->lock);
	file_fd_unref(old);
	file_fd_unref(base ? NULL : scratch);
}

const struct content_ops content_local = {
	.open = local_open,
	.make = local_make,
	.look = local_look,
	.read = local_read,
	.write = local_write,
	.resize = local_resize,
	.zero = local_zero,
	.copy = content_local_copy,
	.publish = local_publish,
	.forget = local_forget,
};
