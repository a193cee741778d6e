/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open file's content: whose turn it is, and what everything that works on
 * it asks.
 *
 *   CLEAN ----> WRITING ----> DIRTY      file_write(), _truncate(), _reset()
 *   DIRTY ----> PUBLISHING -> CLEAN      file_publish()
 *                          -> DIRTY      ... that failed
 *
 * turn_begin() and turn_end() are the only ones to change the state. The thread
 * that has the turn (WRITING, PUBLISHING) may do I/O; the others wait for it,
 * except readers, which come at any time.
 */
#include "fs/content/turn.h"

#include <string.h>

#include "base/buf.h"

static int turn_sleep_locked(struct file *f) REQUIRES(&f->lock)
{
	return waiter_list_sleep(&file_locked(f)->waiters, &f->lock,
				 WAIT_FOREVER);
}

int turn_wait_published(struct file *f)
{
	int rc = 0;

	lock_take(&f->lock);
	while (!rc && file_locked(f)->state == FILE_PUBLISHING)
		rc = turn_sleep_locked(f);
	lock_drop(&f->lock);
	return rc;
}

static void turn_set_locked(struct file *f, enum file_state state)
	REQUIRES(&f->lock)
{
	file_locked(f)->state = state;
	waiter_list_wake(&file_locked(f)->waiters);
}

int turn_begin(struct file *f, enum file_state state)
{
	int rc = 0;

	lock_take(&f->lock);
	while (!rc && file_locked(f)->state != FILE_CLEAN &&
	       file_locked(f)->state != FILE_DIRTY)
		rc = turn_sleep_locked(f);
	if (!rc) {
		f->turn.before = file_locked(f)->state;
		memcpy(f->turn.etag, file_locked(f)->base.etag,
		       sizeof(f->turn.etag));
		if (state == FILE_WRITING)
			file_locked(f)->sealed = false;
		turn_set_locked(f, state);
	}
	lock_drop(&f->lock);
	return rc;
}

void turn_end_locked(struct file *f, enum file_state state)
{
	if (state == FILE_CLEAN)
		f->writers.n = 0;
	turn_set_locked(f, state);
}

void turn_end(struct file *f, enum file_state state)
{
	LOCK_DO(&f->lock, turn_end_locked(f, state));
	turn_ended(f);
}

char *turn_rebase_locked(struct file *f, const struct object_info *base,
			 char *key)
{
	struct content *c = content_edit(f);
	struct file_locked *g = file_locked(f);
	char *old = NULL;

	extents_clear(&c->local);
	c->size = base ? base->size : 0;
	c->base_limit = c->size;
	if (base) {
		c->has_base = true;
		old = g->base_key;
		g->base = *base;
		g->base_key = key;
		g->grafted = false;
	}
	return old;
}

int file_key(struct file *f, struct buf *out)
{
	if (!inode_open_key(f->env->tree, f->inode, out))
		return 0;
	buf_reset(out);
	lock_take(&f->lock);
	if (file_locked(f)->base_key)
		buf_adds(out, file_locked(f)->base_key);
	lock_drop(&f->lock);
	return buf_err(out);
}

void file_log(struct file *f, enum log_level level, int rc, const char *what)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	struct log_where where = { .stage = f->stage->name, .rc = rc };

	file_key(f, &key);
	where.key = buf_str(&key);
	log_at(level, &where, "%s", what);
}

bool file_size(struct file *f, uint64_t *size)
{
	bool dirty;

	lock_take(&f->lock);
	*size = content_locked(f)->size;
	dirty = file_locked(f)->state != FILE_CLEAN;
	lock_drop(&f->lock);
	return dirty;
}
