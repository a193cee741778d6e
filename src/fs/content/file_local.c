/*
 * Content whose objects are files of a disk of ours (store limits.files): no
 * blocks, no parts. The base's file is open from the open on, so it can be
 * read to its end whatever becomes of its name; a scratch file on the same
 * disk takes what is written, at its place; `ours` says which of its bytes
 * count, the others are the base's.
 *
 *   (none) --write--> scratch --publish--> it is the object, and the new base
 *                     scratch --failed---> sealed --write--> another scratch
 *
 * Publishing copies what is still the base's into the scratch file, then the
 * store makes that file the object: no other byte is copied. From then on
 * nobody of us writes to it; the next write begins another one. A base that
 * is small, or whose blocks the disk can share, is taken over whole at the
 * first write already.
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
#include "fs/cache/block.h"
#include "fs/content/file_fd.h"
#include "fs/content/file_local.h"
#include "fs/content/data.h"
#include "base/pool.h"
#include "fs/content/reader.h"
#include "stage/stage.h"
#include "store/store_watch.h"

#define EXTENTS_MAX 4096 /* more pieces than that are made one */
#define POOLED_MIN (256U << 10) /* smaller answers are the heap's */
#define POOLED_SIZE (1U << 20)

static int local_open(struct file *f)
{
	struct file_locked *g = &f->guarded_; /* nobody else has it yet */
	int fd, err;

	err = store_open(file_store(f), g->base_key, g->base.etag, &fd, NULL);
	if (err)
		return err == -ENOENT ? -ESTALE : err;
	g->base_fd = file_fd_new(fd);
	if (!g->base_fd)
		return -ENOMEM;
	g->numbered = file_fd_ref(g->base_fd);
	return 0;
}

/* The scratch file is there from the start: it becomes the object. */
static int local_make(struct file *f)
{
	struct object_info info = { 0 };
	struct file_fd *s;
	struct stat st;
	int err = file_scratch_need(f, false, &s);

	if (!err && fstat(s->fd, &st))
		err = -errno;
	if (err)
		return err;
	info.dev = st.st_dev;
	info.ino = st.st_ino;
	inode_set_number(f->env->tree, f->inode, &info);
	lock_take(&f->lock);
	file_locked(f)->numbered = file_fd_ref(s);
	lock_drop(&f->lock);
	return 0;
}

static int local_look(struct file *f)
{
	char etag[STORE_ETAG_SIZE];
	struct file_fd *base = NULL;
	struct file_locked *g;
	int err = 0;

	lock_take(&f->lock);
	g = file_locked(f);
	if (g->state == FILE_CLEAN && g->base_fd)
		base = file_fd_ref(g->base_fd);
	memcpy(etag, g->base.etag, sizeof(etag));
	lock_drop(&f->lock);
	if (base)
		err = file_base_same(f, base, etag);
	file_fd_unref(base);
	return err;
}

/* ---- reading ---- */

static int read_place(struct file *f, const struct local_place *p, uint64_t at,
		      char *to)
{
	size_t n = (size_t)(p->end - at);
	int err = 0;

	if (p->fd)
		err = io_pread_zeros(p->fd->fd, to, n, at);
	else
		memset(to, 0, n);
	if (!err && p->fd && p->kind == FILE_BASE)
		err = file_base_same(f, p->fd, p->etag);
	return err;
}

/* Large answers come from the pool: memory that was touched before is cheap,
 * and it is counted. Without any there the heap has some. */
static int answer_room(struct file *f, size_t len, struct fs_data *out)
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
	int err;

	memset(out, 0, sizeof(*out));
	file_size(f, &size);
	if (offset >= size || !len) /* more may be there by now */
		return local_look(f);
	end = offset + number_min(len, size - offset);
	err = answer_room(f, (size_t)(end - offset), out);
	for (uint64_t at = offset; !err && at < end;) {
		struct local_place p;

		file_local_find(f, at, end, &p);
		err = read_place(f, &p, at, (char *)out->own + (at - offset));
		file_fd_unref(p.fd);
		at = p.end;
	}
	if (err) {
		data_release(out);
		return err;
	}
	out->len = (size_t)(end - offset);
	out->iov[0] = (struct iovec){ out->own, out->len };
	out->n = 1;
	return 0;
}

/* ---- writing: with the turn ---- */

static bool in_pieces(struct file *f)
{
	bool many;

	lock_take(&f->lock);
	many = file_locked(f)->ours.n > EXTENTS_MAX;
	lock_drop(&f->lock);
	return many;
}

static int local_write(struct file *f, uint64_t offset, const char *bytes,
		       size_t len, bool *changed)
{
	struct file_locked *g;
	struct file_fd *s;
	uint64_t size;
	size_t done = 0;
	int err, add = 0;

	err = file_scratch_need(f, true, &s);
	file_size(f, &size);
	if (!err && in_pieces(f))
		err = file_scratch_fill(f, s->fd, size);
	err = err ? err : io_pwrite_some(s->fd, bytes, len, offset, &done);
	if (!done)
		return err;
	lock_take(&f->lock);
	g = file_locked(f);
	add = extents_add(&g->ours, offset, offset + done);
	if (!add && offset + done > g->size)
		g->size = offset + done;
	lock_drop(&f->lock);
	*changed = true;
	return err ? err : add;
}

/* The disk says now whether it takes a file as long as that. */
static int grow_scratch(struct file *f, uint64_t size)
{
	struct file_fd *s;
	int err = file_scratch_need(f, true, &s);

	if (err)
		return err;
	return ftruncate(s->fd, (off_t)size) ? -errno : 0;
}

static int local_resize(struct file *f, uint64_t size)
{
	struct file_fd *cut = NULL;
	struct file_locked *g;
	uint64_t old;
	int err;

	file_size(f, &old);
	err = size > old ? grow_scratch(f, size) : 0;
	if (err)
		return err;
	lock_take(&f->lock);
	g = file_locked(f);
	if (size < g->size) {
		extents_cut(&g->ours, size);
		g->base_limit = number_min(g->base_limit, size);
		cut = g->sealed ? NULL : g->scratch;
	}
	g->size = size;
	lock_drop(&f->lock);
	/* What is beyond must read as zeros when the file grows again. */
	return cut && ftruncate(cut->fd, (off_t)size) ? -errno : 0;
}

/* ---- publishing: with the turn ---- */

/* The times that callers have seen, or set, are the object's own. */
static int put_times(struct file *f, int fd, const struct inode_view *v)
{
	struct timespec times[2] = { v->atime, v->info.mtime };

	return futimens(fd, times) ? -errno : 0;
}

static int put_scratch(struct file *f, int fd, uint64_t size, const char *key,
		       struct object_info *result)
{
	struct store_body body = { .fd = fd, .len = size, .adopt = true };
	struct store_owner owner;
	struct store_meta meta = { .inherit = true };
	struct inode_view v;
	int err;

	inode_view(f->env->tree, f->inode, &v);
	if (!v.published) {
		owner = (struct store_owner){ v.uid, v.gid, v.mode };
		meta.owner = &owner;
	}
	err = ftruncate(fd, (off_t)size) ? -errno : put_times(f, fd, &v);
	if (err)
		return err;
	lock_take(&f->lock);
	file_locked(f)->sealed = true;
	lock_drop(&f->lock);
	return STORE_OWN(
		store_put(file_store(f), key, &body, &meta, NULL, result));
}

static int local_publish(struct file *f, const char *key,
			 struct object_info *result)
{
	struct file_fd *s;
	uint64_t size;
	int err = file_scratch_need(f, false, &s);

	file_size(f, &size);
	err = err ? err : file_scratch_fill(f, s->fd, size);
	if (err && err != -EINTR)
		file_log(f, LOG_LEVEL_ERROR, err,
			 "cannot put the new content together");
	return err ? err : put_scratch(f, s->fd, size, key, result);
}

static void local_forget(struct file *f, const struct object_info *base,
			 char *key)
{
	struct file_fd *old_base, *unused = NULL;
	struct file_locked *g;
	char *old_key = NULL;

	lock_take(&f->lock);
	g = file_locked(f);
	old_base = g->base_fd;
	g->base_fd = NULL;
	if (base) {
		g->base_fd = g->scratch;
		old_key = g->base_key;
		g->has_base = true;
		g->base = *base;
		g->base_key = key;
	} else {
		unused = g->scratch;
	}
	g->scratch = NULL;
	g->sealed = false;
	extents_clear(&g->ours);
	g->size = base ? base->size : 0;
	g->base_limit = g->size;
	lock_drop(&f->lock);
	file_fd_unref(old_base);
	file_fd_unref(unused);
	free(old_key);
}

const struct file_way file_local = {
	.open = local_open,
	.make = local_make,
	.look = local_look,
	.read = local_read,
	.write = local_write,
	.resize = local_resize,
	.publish = local_publish,
	.forget = local_forget,
};
