/*
 * The scratch file of an open file: what it takes over from the base, and when
 * (file_local.c has the states).
 *
 * A base that is small, or whose blocks the disk can share, is taken over
 * whole when the scratch file is made; of another one only what is still the
 * base's when the object is made.
 */
#include "base/number.h"
#include "fs/content/file_local.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "fs/content/file_fd.h"
#include "stage/stage.h"

#define SEED_MAX (1ULL << 20) /* a base that is copied at the first write */
#define FILL_PIECE (256ULL << 20) /* between two looks at the base */

struct file_fd *file_scratch(struct file *f)
{
	struct file_fd *s;

	lock_take(&f->lock);
	s = file_locked(f)->scratch;
	lock_drop(&f->lock);
	return s;
}

int file_base_same(struct file *f, struct file_fd *x, const char *etag)
{
	int err = store_same(file_store(f), x->fd, etag);

	return err == -ESTALE && file_fd_unlinked_same(x) ? 0 : err;
}

void file_local_find(struct file *f, uint64_t offset, uint64_t end,
		     struct local_place *out)
{
	struct file_locked *g;
	struct file_fd *fd = NULL;

	lock_take(&f->lock);
	g = file_locked(f);
	out->kind = file_kind_locked(f, offset, end, &out->end);
	if (out->kind == FILE_SPILL)
		fd = g->scratch;
	else if (out->kind == FILE_BASE)
		fd = g->base_fd;
	out->fd = fd ? file_fd_ref(fd) : NULL;
	memcpy(out->etag, g->base.etag, sizeof(out->etag));
	lock_drop(&f->lock);
}

static int add_ours(struct file *f, uint64_t start, uint64_t end)
{
	int err;

	lock_take(&f->lock);
	err = extents_add(&file_locked(f)->ours, start, end);
	lock_drop(&f->lock);
	return err;
}

/* What the scratch file lacks of [start, end) comes from the base. */
static int fill_piece(struct file *f, int scratch, uint64_t start, uint64_t end)
{
	struct local_place p;
	int err = 0;

	for (uint64_t at = start; !err && at < end; at = p.end) {
		file_local_find(f, at, end, &p);
		if (p.kind == FILE_BASE) {
			err = file_fd_copy(p.fd->fd, scratch, at, p.end);
			if (!err)
				err = file_base_same(f, p.fd, p.etag);
		} else if (p.kind == FILE_ZERO) {
			err = file_fd_zero(scratch, at, p.end);
		}
		if (!err && p.kind != FILE_SPILL)
			err = add_ours(f, at, p.end);
		file_fd_unref(p.fd);
	}
	return err;
}

int file_scratch_fill(struct file *f, int scratch, uint64_t size)
{
	int err = 0;

	for (uint64_t at = 0; !err && at < size; at += FILL_PIECE)
		err = fill_piece(f, scratch, at,
				 number_min(at + FILL_PIECE, size));
	return err;
}

/* What the sealed file has of ours. */
static int take_sealed(struct file *f, int from, int to)
{
	struct local_place p;
	uint64_t size;
	int err = 0;

	file_size(f, &size);
	for (uint64_t at = 0; !err && at < size; at = p.end) {
		file_local_find(f, at, size, &p);
		if (p.kind == FILE_SPILL)
			err = file_fd_copy(from, to, at, p.end);
		file_fd_unref(p.fd);
	}
	return err;
}

/* All of the base, if that costs little. */
static int take_base(struct file *f, int to)
{
	struct local_place p = { .fd = NULL };
	struct file_locked *g;
	uint64_t limit;
	int err = 0;

	lock_take(&f->lock);
	g = file_locked(f);
	limit = g->base_limit;
	if (limit && g->base_fd)
		p.fd = file_fd_ref(g->base_fd);
	memcpy(p.etag, g->base.etag, sizeof(p.etag));
	lock_drop(&f->lock);
	if (!p.fd)
		return 0;
	if (!file_fd_clone(p.fd->fd, to))
		err = ftruncate(to, (off_t)limit) ? -errno : 0;
	else if (limit <= SEED_MAX)
		err = file_fd_copy(p.fd->fd, to, 0, limit);
	else
		limit = 0;
	if (!err && limit)
		err = file_base_same(f, p.fd, p.etag);
	if (!err && limit)
		err = add_ours(f, 0, limit);
	file_fd_unref(p.fd);
	return err;
}

static int new_scratch(struct file *f, struct file_fd **out)
{
	struct buf key = BUF_INIT(STORE_KEY_MAX + 1);
	int fd, err = inode_open_key(f->env->tree, f->inode, &key);

	if (err == -ENOENT) { /* it has no name any more: any place will do */
		buf_reset(&key);
		buf_addf(&key, "%sunnamed", f->stage->prefix);
		err = buf_err(&key);
	}
	err = err ? err : store_scratch(file_store(f), buf_str(&key), &fd);
	buf_clear(&key);
	if (err)
		return err;
	*out = file_fd_new(fd);
	return *out ? 0 : -ENOMEM;
}

int file_scratch_need(struct file *f, bool seed, struct file_fd **out)
{
	struct file_fd *old = file_scratch(f), *s;
	bool sealed;
	int err;

	lock_take(&f->lock);
	sealed = file_locked(f)->sealed;
	lock_drop(&f->lock);
	*out = old;
	if (old && !sealed)
		return 0;
	err = new_scratch(f, &s);
	if (err)
		return err;
	if (old)
		err = take_sealed(f, old->fd, s->fd);
	else if (seed)
		err = take_base(f, s->fd);
	if (err) {
		file_fd_unref(s);
		return err;
	}
	lock_take(&f->lock);
	file_locked(f)->scratch = s;
	file_locked(f)->sealed = false;
	lock_drop(&f->lock);
	file_fd_unref(old);
	*out = s;
	return 0;
}
