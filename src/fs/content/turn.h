/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open file's content (struct file), and whose turn it is to change it.
 *
 * One thread at a time changes the content: it has the turn (turn_begin()), and
 * may do I/O meanwhile. Readers and the store's threads come at any time, so
 * what they see too is changed under the lock.
 *
 * Content is kept in one of two manners (struct content_ops). Remote:
 * file_map.h (where a byte is), reader.h, writer.h (the tail and the spill
 * file), upload.h (parts that are under way), publish.h (the store's object).
 * Local, where the store's objects are files: content_local.c.
 */
#ifndef FS_CONTENT_TURN_H
#define FS_CONTENT_TURN_H

#include "base/extents.h"
#include "base/lock.h"
#include "base/pool.h"
#include "base/waiter.h"
#include "fs/cache/block.h"
#include "fs/content/file.h"
#include "stage/stage.h"
#include "store/attr_meta.h"
#include "store/parts.h"

struct fs_data;
struct file_fd;
struct reader;
struct spill;
struct upload_parts;

/* CLEAN and DIRTY: the turn is free. */
enum file_state { FILE_CLEAN, FILE_DIRTY, FILE_WRITING, FILE_PUBLISHING };

/* The part that is being appended to, in memory; mem NULL: there is none. */
struct tail {
	struct part_range part;
	char *mem;
	size_t cap; /* bytes of mem; less than the part has if that is large */
	size_t len; /* bytes in use: the file ends here */
	size_t summed; /* the first so many have this CRC-32C: all but after
			* a change, of all that came at once */
	uint32_t crc32c;
	bool sealed; /* mem is of the share of all that are (file_env) */
};

/* How content is kept, by what the store is. With the turn, but for read. */
struct content_ops {
	/* The base's bytes are wanted from now on: at open. */
	int (*open)(struct file *f);
	/* A new file, whose number on a disk is wanted: before another thread
	 * has it. */
	int (*make)(struct file *f, struct object_info *number);
	/* Has another program written into the base in place? -ESTALE. */
	int (*look)(struct file *f);
	/* As reader_read(). */
	int (*read)(struct reader *r, struct file *f, uint64_t offset,
		    size_t len, struct fs_data *out);
	/* Ends the turn, in one step with its last change. */
	int (*write)(struct file *f, uint64_t offset, const char *bytes,
		     size_t len);
	/* To another size than it has. */
	int (*resize)(struct file *f, uint64_t size);
	/* [start, end), which lies within the size, is zeros. */
	int (*zero)(struct file *f, uint64_t start, uint64_t end);
	/* As file_copy(), of another whose content is kept the same way. */
	int (*copy)(struct file *f, struct file *from,
		    const struct file_range *range, uint64_t *done);
	/* As file_hold(); NULL: they are always here. */
	int (*hold)(struct file *f);
	/* Makes the object; what is kept stays as it is. */
	int (*publish)(struct file *f, const char *key,
		       struct object_info *result);
	/*
	 * Forgets everything that was written. The content is `base` from now
	 * on, whose key (taken over) is given too; or nothing (NULL, NULL).
	 */
	void (*forget)(struct file *f, const struct object_info *base,
		       char *key);
};
extern const struct content_ops content_remote, content_local;

/* Changed under the lock; what is atomic is read without: for each write. */
struct file_writers {
	_Atomic(pid_t) thread[FILE_WRITERS];
	_Atomic(unsigned) n;
	pid_t process[FILE_WRITERS];
	unsigned oldest;
};

/*
 * What the turn's owner alone changes, under the lock as readers look at it. So
 * the owner reads it without.
 */
struct content {
	uint64_t size;
	/* The store's object below what was written (file_locked.base) is
	 * there, and the first base_limit bytes of it still count. */
	bool has_base;
	uint64_t base_limit;
	struct extents local; /* bytes of spill, or scratch, that count */

	/* Kept locally: the base's file, and the one that takes what is
	 * written. */
	struct file_fd *base_fd;
	struct file_fd *scratch; /* NULL: none yet */
	struct file_fd *numbered; /* whose number on the disk is shown: as long
				   * as it is open no other file gets that */
	bool published; /* the store has had scratch: not to be written to */

	/* Kept remotely. */
	struct tail tail;
	struct spill *spill; /* NULL: none yet */
	struct upload_parts *upload; /* NULL: none is open */
	unsigned record; /* of it, on disk (pending.h) */
	struct extents not_retained; /* sent as parts, and kept nowhere */
	bool sticky; /* what was not retained cannot be sent again: -EIO */
};

struct file_locked {
	enum file_state state;
	bool orphan; /* the name is gone */
	bool sealed; /* nothing has changed since (seal.h) */

	struct object_info base;
	char *base_key; /* without a base: where there was none */
	bool grafted; /* the base is another file's object, which this one is
		       * a copy of: range_copy() */
	struct block_source *source; /* of base; NULL: not read yet */
	struct block *held; /* all of the source; NULL: not held */

	/* The headers of the next version, for a base of this ETag; props
	 * NULL: it is a new object. */
	bool props_known;
	char props_etag[STORE_ETAG_SIZE];
	struct props *props;
	/* They go beside what a new object gets, as fields. */
	struct field *given;
	size_t n_given;
	/* The same with the attributes that the store keeps as metadata:
	 * file_props(). */
	struct attr_meta attributes;
	struct field *headers;
	struct file_base *fetched; /* file_base.h; NULL: it was not */

	unsigned n_pinned; /* parts under way that give memory back */
	unsigned n_released; /* such that have */
	struct waiter_list waiters; /* for the turn, and for memory */
};

/* The right to change the content: what is only done with it says
 * REQUIRES(). */
struct CAPABILITY("turn") turn {
	enum file_state before; /* CLEAN or DIRTY, when it was taken */
	char etag[STORE_ETAG_SIZE]; /* the base's then */
	/* What remote content is cut into (store/parts.h); another one only
	 * without a tail and an upload. */
	uint64_t part_size;
};

/* sent.h: the turn's owner's. */
struct file_sent {
	_Atomic(bool) maybe; /* read by others */
	uint64_t size; /* as it was */
	struct extents since; /* what has changed */
};

struct file {
	const struct file_env *env;
	const struct content_ops *ops;
	struct inode *inode; /* a reference */
	struct stage *stage; /* a reference */
	struct turn turn;
	struct file_sent sent;
	struct file_writers writers;
	struct pool_share memory; /* of tails and parts */
	struct lock lock;
	struct content content_;
	struct file_locked guarded_;
};

LOCK_GUARDS(file_locked, file, file_locked);

static inline const struct content *content(struct file *f) REQUIRES(f->turn)
{
	return &f->content_;
}

static inline const struct content *content_locked(struct file *f)
	REQUIRES(&f->lock)
{
	return &f->content_;
}

static inline struct content *content_edit(struct file *f)
	REQUIRES(&f->lock, f->turn)
{
	return &f->content_;
}

static inline struct store *file_store(struct file *f)
{
	return f->stage->store;
}

static inline struct pool *file_pool(struct file *f)
{
	return block_cache_pool(f->env->blocks);
}

/* Waits until the turn is free, and takes it. 0 or -EINTR. */
int turn_begin(struct file *f, enum file_state state) TRY_ACQUIRE(0, f->turn);
/* f->turn.before is for when nothing was changed. */
void turn_end(struct file *f, enum file_state state) RELEASE(f->turn);
/* The same, in one step with a change. turn_ended() tells the compiler. */
void turn_end_locked(struct file *f, enum file_state state)
	REQUIRES(&f->lock, f->turn);
static inline void turn_ended(struct file *f) RELEASE(f->turn) NO_THREAD_CHECK
{
}
/* The caller works for the thread that has the turn, or is the only one that
 * knows of the file. */
static inline void turn_assert_held(struct file *f) ASSERTS(f->turn)
{
}
/*
 * Nothing of what was written counts any more. The content is `base`, at `key`
 * (taken over); or nothing (NULL, NULL). The old key, to be freed.
 */
char *turn_rebase_locked(struct file *f, const struct object_info *base,
			 char *key) REQUIRES(&f->lock, f->turn);
/* Until it is not PUBLISHING. 0 or -EINTR. */
int turn_wait_published(struct file *f);

#endif
