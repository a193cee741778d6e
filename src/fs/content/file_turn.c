/*
 * An open file's content: whose turn it is, and what everything that works on
 * it asks.
 *
 *   CLEAN ----> WRITING ----> DIRTY      file_write(), _truncate(), _reset()
 *   DIRTY ----> PUBLISHING -> CLEAN      file_publish()
 *                          -> DIRTY      ... that failed
 *
 * file_begin() and file_end() are the only ones to change the state. The thread
 * that has the turn (WRITING, PUBLISHING) may do I/O; the others wait for it,
 * except readers, which come at any time.
 */
#include "fs/content/file_internal.h"

#include "base/buf.h"
#include "fs/cache/block.h"
#include "stage/stage.h"

static bool idle(struct file *f) REQUIRES(&f->lock)
{
	enum file_state state = file_locked(f)->state;

	return state == FILE_CLEAN || state == FILE_DIRTY;
}

static void set_state_locked(struct file *f, enum file_state state)
	REQUIRES(&f->lock)
{
	file_locked(f)->state = state;
	wait_list_wake(&file_locked(f)->waiters);
}

/* Parks once; what it waits for stands under the lock. */
static int park_locked(struct file *f, struct wait_entry *e, bool interruptible)
	REQUIRES(&f->lock)
{
	int err;

	wait_list_add(&file_locked(f)->waiters, e);
	lock_drop(&f->lock);
	if (interruptible)
		err = waiter_park(e->waiter, WAIT_FOREVER);
	else
		err = waiter_park_uninterrupted(e->waiter, WAIT_FOREVER);
	lock_take(&f->lock);
	wait_list_remove(&file_locked(f)->waiters, e);
	return err;
}

int file_wait(struct file *f, bool (*done)(struct file *f, unsigned arg),
	      unsigned arg, bool interruptible)
{
	struct wait_entry e = { .waiter = waiter_self() };
	int err = 0;

	lock_take(&f->lock);
	while (!err && !done(f, arg))
		err = park_locked(f, &e, interruptible);
	lock_drop(&f->lock);
	return err;
}

int file_begin(struct file *f, enum file_state turn, enum file_state *before)
{
	struct wait_entry e = { .waiter = waiter_self() };
	int err = 0;

	lock_take(&f->lock);
	while (!err && !idle(f))
		err = park_locked(f, &e, true);
	if (!err) {
		*before = file_locked(f)->state;
		set_state_locked(f, turn);
	}
	lock_drop(&f->lock);
	return err;
}

void file_end(struct file *f, enum file_state state)
{
	lock_take(&f->lock);
	if (state == FILE_CLEAN)
		file_locked(f)->writers.n = 0;
	set_state_locked(f, state);
	lock_drop(&f->lock);
}

struct stage *file_stage(struct file *f)
{
	return f->stage;
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

void file_log(struct file *f, enum log_level level, int err, const char *what)
{
	struct buf key = BUF_INIT(STORE_KEY_MAX + 1);
	struct log_where where = { .stage = f->stage->name, .err = err };

	file_key(f, &key);
	where.key = buf_str(&key);
	log_at(level, &where, "%s", what);
	buf_clear(&key);
}

struct store *file_store(struct file *f)
{
	return f->stage->store;
}

struct pool *file_pool(struct file *f)
{
	return block_cache_pool(f->env->blocks);
}

struct inode *file_inode(struct file *f)
{
	return f->inode;
}

bool file_size(struct file *f, uint64_t *size)
{
	bool dirty;

	lock_take(&f->lock);
	*size = file_locked(f)->size;
	dirty = file_locked(f)->state != FILE_CLEAN;
	lock_drop(&f->lock);
	return dirty;
}

void file_orphan(struct file *f)
{
	lock_take(&f->lock);
	file_locked(f)->orphan = true;
	lock_drop(&f->lock);
}
