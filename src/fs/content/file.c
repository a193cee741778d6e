/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What callers do with an open file's content, whichever way it is kept: the
 * turn, the state and the name's time, round one step of its struct
 * content_ops.
 *
 * The base is one object for as long as it is not published anew by ourselves:
 * when another machine replaces it, the name gets another inode, with content
 * of its own (tree_refresh()), and this one reads -ESTALE once the store does
 * not have the old bytes any more.
 */
#include "fs/content/file.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "fs/content/file_fd.h"
#include "fs/content/spill.h"
#include "fs/content/turn.h"
#include "fs/content/upload.h"
#include "fs/names/inode_meta.h"

/* What a program has closed is released by the kernel a moment later. */
#define HOLD_WAIT_MS 50

/* The caller is the last one to have it. */
static void file_free(struct file *f)
{
	struct content *c = &f->content_;
	struct file_locked *g = &f->guarded_;

	if (g->held)
		block_release(g->held);
	block_source_leave(g->source);
	spill_stop(c->spill);
	spill_unref(c->spill);
	pool_share_clear(file_pool(f), &f->memory);
	file_fd_unref(c->base_fd);
	file_fd_unref(c->scratch);
	file_fd_unref(c->numbered);
	extents_clear(&c->local);
	extents_clear(&c->not_retained);
	extents_clear(&f->sent.since);
	free(g->props);
	free(g->given);
	free(g->headers);
	free(g->fetched);
	free(g->base_key);
	stage_unref(f->stage);
	inode_unref(f->env->tree, f->inode);
	lock_destroy(&f->lock);
	free(f);
}

/* i and stage are references, which are taken over. */
static int file_new(const struct file_env *env, struct inode *i,
		    struct stage *stage, const char *key,
		    const struct object_info *base, struct file **out)
{
	struct file *f = calloc(1, sizeof(*f));
	struct file_locked *g;
	int rc;

	if (!f) {
		stage_unref(stage);
		inode_unref(env->tree, i);
		return -ENOMEM;
	}
	lock_init(&f->lock, LOCK_FILE);
	f->env = env;
	f->inode = i;
	f->stage = stage;
	f->ops = file_store(f)->limits.files ? &content_local : &content_remote;
	g = &f->guarded_; /* only the caller has it yet */
	g->base_key = strdup(key);
	rc = g->base_key ? 0 : -ENOMEM;
	if (!rc && base) {
		g->base = *base;
		f->content_.has_base = true;
		f->content_.base_limit = base->size;
		f->content_.size = base->size;
		rc = f->ops->open(f);
	}
	if (rc)
		file_free(f);
	else
		*out = f;
	return rc;
}

/* The same by where the tree has i. */
static int file_new_at(const struct file_env *env, struct inode *i,
		       const struct inode_place *at,
		       const struct object_info *base, struct file **out)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	int rc = inode_place_key(at, NULL, &key);

	if (!rc)
		return file_new(env, i, stage_ref(at->stage), buf_str(&key),
				base, out);
	inode_unref(env->tree, i);
	return rc == -ENOENT ? -ESTALE : rc; /* it lost its name just now */
}

int file_open(const struct file_env *env, struct inode *i,
	      const struct object_info *base, struct file **out)
{
	struct file *fresh = NULL;
	INODE_PLACE_LOCAL at;
	int rc;

	*out = inode_file_find(env->tree, i, &at);
	if (*out)
		return 0;
	rc = file_new_at(env, i, &at, base, &fresh);
	if (rc)
		return rc;
	rc = inode_file_join(env->tree, i, fresh, base ? base->etag : NULL,
			     out);
	if (*out != fresh)
		file_free(fresh);
	/* It has moved to another stage meanwhile. */
	if (!rc && *out == fresh &&
	    !inode_is_of_stage(env->tree, i, fresh->stage)) {
		file_close(fresh);
		*out = NULL;
		rc = -ESTALE;
	}
	return rc;
}

int file_create(const struct file_env *env, struct inode *i,
		struct stage *stage, const char *key, struct inode_view *v,
		struct file **out)
{
	struct object_info number = { 0 };
	struct file *f;
	int rc = file_new(env, NULL, stage_ref(stage), key, NULL, &f);

	if (rc)
		return rc;
	f->guarded_.state = FILE_DIRTY; /* only the caller has it yet */
	rc = f->ops->make(f, &number);
	if (!rc) {
		f->inode = i;
		rc = inode_file_enter(env->tree, i, f, &number, v);
	}
	if (!rc) {
		*out = f;
		return 0;
	}
	f->inode = NULL;
	file_free(f);
	if (rc != -EEXIST)
		return rc;
	/* Another thread has found the name and opened it. */
	rc = file_open(env, i, NULL, out);
	if (!rc) {
		rc = file_reset(*out);
		if (rc)
			file_close(*out);
		else
			inode_enter(env->tree, i, v);
	}
	return rc;
}

void file_close(struct file *f)
{
	const struct file_env *env = f->env;
	struct inode_given_up g;

	if (!inode_file_put(env->tree, f->inode, &g))
		return;
	turn_assert_held(f);
	upload_give_up(f);
	f->ops->forget(f, NULL, NULL);
	if (g.dir && env->given_up)
		env->given_up(env->arg, f->inode, &g);
	file_free(f);
}

int file_look(struct file *f)
{
	return f->ops->look(f);
}

struct stage *file_stage(struct file *f)
{
	return f->stage;
}

struct inode *file_inode(struct file *f)
{
	return f->inode;
}

void file_orphan(struct file *f)
{
	LOCK_DO(&f->lock, file_locked(f)->orphan = true);
}

void file_moved(struct file *f, const struct object_info *info)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	struct block_source *source = NULL;
	struct file_locked *g;
	char *name = NULL, *old = NULL;

	if (!inode_open_key(f->env->tree, f->inode, &key))
		name = strdup(buf_str(&key));
	if (!name)
		return; /* gone already, or reads will say -ESTALE */
	lock_take(&f->lock);
	g = file_locked(f);
	old = g->base_key;
	g->base_key = name;
	/* The copy may have another type than its source, by its name. */
	g->props_known = false;
	if (info)
		memcpy(g->base.etag, info->etag, sizeof(g->base.etag));
	if (g->source)
		source = block_source_ref(g->source);
	lock_drop(&f->lock);
	if (source && info)
		block_source_move(source, name, info->etag);
	block_source_unref(source);
	free(old);
}

bool file_abandon(struct file *f)
{
	bool loses, removed;

	if (turn_begin(f, FILE_WRITING))
		return false;
	removed = inode_is_orphan(f->env->tree, f->inode) &&
		  !inode_is_lost(f->env->tree, f->inode);
	lock_take(&f->lock);
	loses = f->turn.before == FILE_DIRTY && !file_locked(f)->orphan &&
		!removed;
	file_locked(f)->orphan |= loses;
	lock_drop(&f->lock);
	if (loses)
		upload_give_up(f);
	turn_end(f, f->turn.before);
	return loses;
}

bool file_unbind(struct file *f)
{
	bool can;

	if (turn_begin(f, FILE_WRITING))
		return false;
	can = !content(f)->has_base && !upload_settle(f, 0, UINT64_MAX) &&
	      !content(f)->not_retained.n;
	if (can)
		upload_give_up(f);
	turn_end(f, f->turn.before);
	return can;
}

static int file_check_size(struct file *f, uint64_t size)
{
	return size > file_store(f)->limits.object_max ? -EFBIG : 0;
}

/* What would be written to a file whose object another program has removed or
 * replaced could not be published. One that was written to before keeps its
 * name. */
static int file_check_name(struct file *f) REQUIRES(f->turn)
{
	return f->turn.before == FILE_CLEAN &&
			       inode_is_lost(f->env->tree, f->inode)
		       ? -ESTALE
		       : 0;
}

static int file_write_ops(struct file *f, uint64_t offset, const char *bytes,
			  size_t len) RELEASE(f->turn) NO_THREAD_CHECK
{
	return f->ops->write(f, offset, bytes, len);
}

int file_write(struct file *f, uint64_t offset, const void *bytes, size_t len)
{
	int rc;

	if (!len)
		return 0;
	rc = turn_begin(f, FILE_WRITING);
	if (rc)
		return rc;
	if (offset == FILE_END)
		offset = content(f)->size;
	if (offset > UINT64_MAX - len || file_check_size(f, offset + len))
		rc = -EFBIG;
	if (!rc)
		rc = file_check_name(f);
	if (!rc)
		return file_write_ops(f, offset, bytes, len);
	turn_end(f, f->turn.before);
	return rc;
}

int file_truncate(struct file *f, uint64_t size)
{
	enum file_state after;
	uint64_t old;
	int rc = file_check_size(f, size);

	if (rc)
		return rc;
	rc = turn_begin(f, FILE_WRITING);
	if (rc)
		return rc;
	after = f->turn.before;
	old = content(f)->size;
	if (size != old)
		rc = file_check_name(f);
	if (!rc && size != old)
		rc = f->ops->resize(f, size);
	if (content(f)->size != old) {
		inode_touch(f->env->tree, f->inode);
		after = FILE_DIRTY;
	}
	turn_end(f, after);
	return rc;
}

int file_zero(struct file *f, uint64_t offset, uint64_t end)
{
	enum file_state after;
	int rc = turn_begin(f, FILE_WRITING);

	if (rc)
		return rc;
	after = f->turn.before;
	end = number_min(end, content(f)->size);
	rc = file_check_name(f);
	if (!rc && offset < end) {
		rc = f->ops->zero(f, offset, end);
		/* also when only some of it is */
		inode_touch(f->env->tree, f->inode);
		after = FILE_DIRTY;
	}
	turn_end(f, after);
	return rc;
}

int file_copy(struct file *f, struct file *from, const struct file_range *range,
	      uint64_t *done)
{
	enum file_state after;
	int rc;

	*done = 0;
	if (f->ops != from->ops)
		return -EOPNOTSUPP;
	if (range->to > UINT64_MAX - range->len ||
	    file_check_size(f, range->to + range->len))
		return -EFBIG;
	rc = turn_begin(f, FILE_WRITING);
	if (rc)
		return rc;
	after = f->turn.before;
	rc = file_check_name(f);
	if (!rc)
		rc = f->ops->copy(f, from, range, done);
	if (*done) {
		inode_touch(f->env->tree, f->inode);
		after = FILE_DIRTY;
		rc = 0;
	}
	turn_end(f, after);
	return rc;
}

int file_hold(struct file *f)
{
	int rc;

	if (!f->ops->hold ||
	    inode_file_wait_alone(f->env->tree, f->inode, HOLD_WAIT_MS))
		return 0;
	rc = turn_begin(f, FILE_WRITING);
	if (rc)
		return rc;
	rc = f->ops->hold(f);
	turn_end(f, f->turn.before);
	return rc;
}

int file_reset(struct file *f)
{
	enum file_state after = FILE_DIRTY;
	int rc = turn_begin(f, FILE_WRITING);

	if (rc)
		return rc;
	rc = file_check_name(f);
	if (!rc) {
		f->ops->forget(f, NULL, NULL);
		inode_touch(f->env->tree, f->inode);
	} else {
		after = f->turn.before;
	}
	turn_end(f, after);
	return rc;
}

/* ---- publishing ---- */

/* *after: the state that the turn ends with. */
static int file_publish_at(struct file *f, const char *key,
			   enum file_state *after) REQUIRES(f->turn)
{
	struct object_info result;
	char *base_key;
	int rc;

	if (LOCK_UNDER(&f->lock, file_locked(f)->orphan)) {
		upload_give_up(f);
		return 0;
	}
	base_key = strdup(key);
	rc = base_key ? f->ops->publish(f, key, &result) : -ENOMEM;
	if (rc) {
		free(base_key);
		return rc;
	}
	f->ops->forget(f, &result, base_key);
	inode_etag_published(f->env->tree, f->inode, &result);
	if (f->env->published)
		f->env->published(f->env->arg, f->inode);
	*after = FILE_CLEAN;
	return 0;
}

/* There is no key to publish at: 0 when this mount has removed the name. */
static int file_publish_nowhere(struct file *f)
{
	if (!inode_is_lost(f->env->tree, f->inode)) {
		file_orphan(f);
		return 0;
	}
	file_log(f, LOG_LEVEL_ERROR, -ESTALE,
		 "what was written is lost: another program has removed the "
		 "object or its directory, or put another in its place");
	return -ESTALE;
}

/* One that was made in a directory while that moved to another stage. */
static int file_check_stage(struct file *f)
{
	if (inode_is_of_stage(f->env->tree, f->inode, f->stage))
		return 0;
	file_log(f, LOG_LEVEL_ERROR, -ESTALE,
		 "what was written is lost: its directory was moved to another "
		 "stage while it was made");
	return -ESTALE;
}

static int file_publish_with_turn(struct file *f, const char *key)
{
	enum file_state after;
	int rc = turn_begin(f, FILE_PUBLISHING);

	if (rc)
		return rc;
	after = f->turn.before;
	if (after == FILE_DIRTY)
		rc = file_publish_at(f, key, &after);
	turn_end(f, after);
	return rc;
}

int file_publish(struct file *f)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	uint64_t size;
	bool claimed;
	int rc;

	if (!file_size(f, &size))
		return 0;
	rc = claims_publish_begin(f->env->tree, f->inode, &key);
	claimed = !rc;
	if (rc == -ENOENT)
		rc = file_publish_nowhere(f);
	if (!rc && claimed)
		rc = file_check_stage(f);
	if (!rc)
		rc = file_publish_with_turn(f, buf_str(&key));
	if (claimed)
		claims_publish_end(f->env->tree, f->inode);
	if (!rc && inode_meta_is_dirty(f->env->tree, f->inode) &&
	    f->env->attributes_left)
		f->env->attributes_left(f->env->arg, f->inode);
	return rc;
}

/* ---- which processes wrote ---- */

bool file_writer_known(struct file *f, pid_t thread)
{
	struct file_writers *w = &f->writers;

	for (unsigned k = 0; k < w->n; k++)
		if (w->thread[k] == thread)
			return true;
	return false;
}

/* Where there is room, or the process has ended, or the oldest one's place. */
static unsigned file_writers_place(struct file_writers *w)
{
	if (w->n < FILE_WRITERS)
		return w->n;
	for (unsigned k = 0; k < FILE_WRITERS; k++)
		if (kill(w->process[k], 0) && errno == ESRCH)
			return k;
	return w->oldest++ % FILE_WRITERS;
}

void file_writer_add(struct file *f, pid_t thread, pid_t process)
{
	struct file_writers *w = &f->writers;
	unsigned k;

	lock_take(&f->lock);
	k = file_writers_place(w);
	w->process[k] = process;
	w->thread[k] = thread;
	if (k == w->n)
		w->n++;
	lock_drop(&f->lock);
}

unsigned file_writers(struct file *f, pid_t out[FILE_WRITERS])
{
	unsigned n;

	lock_take(&f->lock);
	n = f->writers.n;
	memcpy(out, f->writers.process, n * sizeof(*out));
	lock_drop(&f->lock);
	return n;
}
