/*
 * What the files of an open file's content share: file.c (states and
 * references) and the two ways in which content is kept (struct file_way).
 *
 * The remote way: file_map.c (what is where), reader.c, write.c (writing),
 * writer.c (parts that leave while the program writes), publish.c (the store's
 * object). The local way, where the store's objects are files: file_local.c.
 *
 * One thread at a time changes the content: it has the turn (file_begin()),
 * and may do I/O meanwhile. Readers and the store's threads come at any time,
 * so what they see too is changed under the lock.
 */
#ifndef FS_CONTENT_FILE_INTERNAL_H
#define FS_CONTENT_FILE_INTERNAL_H

#include "base/lock.h"
#include "base/log.h"
#include "base/wait.h"
#include "base/extents.h"
#include "fs/content/file.h"
#include "fs/content/spill.h"
#include "store/parts.h"

struct block_source;
struct buf;
struct file;
struct file_fd;
struct fs_data;
struct pool;
struct reader;

#define FILE_FLIGHTS 16 /* parts of one file on their way at once */

/* CLEAN and DIRTY: nobody has the turn. */
enum file_state { FILE_CLEAN, FILE_DIRTY, FILE_WRITING, FILE_PUBLISHING };

/* A spill file that readers and parts on their way hold too. */
struct file_spill {
	struct spill spill;
	unsigned refs; /* atomic */
};

/* The part that is being appended to, in memory; mem NULL: there is none. */
struct tail {
	struct part_range part;
	char *mem;
	size_t cap; /* bytes of mem; less than the part has if that is large */
	size_t len; /* bytes in use: the file ends here */
};

/* What the store has of a part of the upload under way. */
enum slot_state { SLOT_NONE, SLOT_SENDING, SLOT_SENT };

struct slot {
	enum slot_state state;
	bool stale; /* SENDING what is not the content any more */
	char etag[STORE_ETAG_SIZE];
};

/* How content is kept, by what the store is. With the turn, but for read. */
struct file_way {
	/* The base's bytes are wanted from now on: at open. */
	int (*open)(struct file *f);
	/* A new file, which is to have a number now. With the turn. */
	int (*make)(struct file *f);
	/* Has another program written into the base in place? -ESTALE. */
	int (*look)(struct file *f);
	/* As reader_read(). */
	int (*read)(struct reader *r, struct file *f, uint64_t offset,
		    size_t len, struct fs_data *out);
	/* *changed: some bytes are other than before, also in failure. */
	int (*write)(struct file *f, uint64_t offset, const char *bytes,
		     size_t len, bool *changed);
	/* To another size than it has. */
	int (*resize)(struct file *f, uint64_t size);
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
extern const struct file_way file_remote, file_local;

struct file_writers {
	pid_t thread[FILE_WRITERS], process[FILE_WRITERS];
	unsigned n, oldest;
};

struct file_locked {
	enum file_state state;
	bool orphan; /* the name is gone */
	uint64_t size;

	/* The store's object below what was written; has_base: there is one,
	 * of which the first base_limit bytes still count. */
	bool has_base;
	struct object_info base;
	uint64_t base_limit;
	char *base_key; /* without a base: where there was none */
	struct block_source *source; /* of base; NULL: not read yet */

	/* The headers of the next version, for a base of this ETag; props
	 * NULL: it is a new object. */
	bool props_known;
	char props_etag[STORE_ETAG_SIZE];
	struct props *props;

	/* The local way: the base's file, and the one that takes what is
	 * written, of which `ours` counts. */
	struct file_fd *base_fd;
	struct file_fd *scratch; /* NULL: none yet */
	struct file_fd *numbered; /* whose number on the disk is shown: as long
				   * as it is open no other file gets that */
	bool sealed; /* the store has had scratch: not to be written to */

	/* The remote way. */
	struct tail tail;
	struct file_spill *spill; /* NULL: none yet */
	struct extents ours; /* bytes of spill (scratch) that count */
	struct extents lost; /* sent as parts, and kept nowhere */

	struct store_upload *upload; /* NULL: none is open */
	struct slot *slots; /* by part number - 1 */
	unsigned n_slots;
	struct flight *flights; /* parts on their way */
	unsigned n_flights;
	unsigned n_lent; /* those of them that give memory back */
	unsigned ended; /* parts that have ended, for who waits for one */
	int part_err; /* a part failed: what the next write returns */
	bool sticky; /* lost bytes cannot be sent again: -EIO */

	struct file_writers writers; /* file_writers.c */
	struct wait_list waiters; /* for the turn, or for a part's end */
};

struct file {
	const struct file_env *env;
	const struct file_way *way;
	struct inode *inode; /* a reference */
	struct stage *stage; /* a reference */
	struct lock lock;
	struct file_locked guarded_;
};

static inline struct file_locked *file_locked(struct file *f) REQUIRES(&f->lock)
{
	return &f->guarded_;
}

/* ---- file_turn.c ---- */

/*
 * Takes the turn: waits until nobody has it. *before is what file_end() gets
 * when nothing was changed. 0 or -EINTR.
 */
int file_begin(struct file *f, enum file_state turn, enum file_state *before);
void file_end(struct file *f, enum file_state state);
/* Sleeps until done(), which is called under the lock with `arg`. 0, or -EINTR
 * if that may end it. */
int file_wait(struct file *f, bool (*done)(struct file *f, unsigned arg),
	      unsigned arg, bool interruptible);
struct store *file_store(struct file *f);
struct pool *file_pool(struct file *f);

/* ---- file_map.c ---- */

enum file_kind {
	FILE_ZERO, /* nothing was ever written there */
	FILE_TAIL, /* memory */
	FILE_SPILL, /* the spill file */
	FILE_BASE, /* the store's object */
	FILE_LOST, /* -ENOSPC to whoever wants it */
};

/* The bytes from some offset to `end` are in one place. */
struct file_run {
	enum file_kind kind;
	uint64_t end;
	struct file_spill *spill; /* FILE_SPILL, a reference */
	struct block_source *source; /* FILE_BASE, a reference */
};

/*
 * Where the bytes from offset (to end at most) are. With `to`, those of
 * FILE_ZERO and FILE_TAIL are copied there at once.
 */
int file_map(struct file *f, uint64_t offset, uint64_t end, char *to,
	     struct file_run *out);
/* What file_map() does, for somebody who has the lock; no references. */
enum file_kind file_kind_locked(struct file *f, uint64_t offset, uint64_t end,
				uint64_t *run_end) REQUIRES(&f->lock);
/* What -ESTALE of a source means: that, or -EAGAIN when the base has been
 * published anew by ourselves, or -EINTR. */
int file_source_stale(struct file *f, const struct block_source *s);

/* The spill file, made at the first need; lives as long as the turn does. */
int file_spill_need(struct file *f, struct file_spill **out);
struct file_spill *file_spill_ref(struct file_spill *s);
void file_spill_unref(struct file_spill *s); /* NULL is fine */

/* ---- file_props.c: with the turn ---- */

/* What goes with the object that is about to be made under key; one request,
 * when there is a base of which that is not known. *out borrows from f and from
 * the store. */
int file_props(struct file *f, const char *key, struct store_meta *out);
/* The request alone, for when there is something else to wait for. */
int file_props_learn(struct file *f);
bool file_props_known(struct file *f);
/* They went with it: no request is needed the next time. */
void file_props_published(struct file *f, const struct object_info *now);
void file_props_forget(struct file *f);

/* ---- file_tail.c: with the turn ---- */

/* Bytes that must be kept, in the spill file; they are ours from then on. */
int file_keep(struct file *f, uint64_t offset, const void *bytes, size_t len);
/* Keeps the tail's bytes so, and gives its memory back. */
int file_tail_unload(struct file *f);
struct tail file_tail(struct file *f);
/* Its memory goes back; mem NULL is fine. */
void file_tail_free(struct file *f, const struct tail *t);
/* There is none any more; its bytes are kept elsewhere, or do not count. */
void file_tail_drop(struct file *f);

/* ---- write.c, reader.c, publish.c: the remote way, with the turn ---- */

int remote_read(struct reader *r, struct file *f, uint64_t offset, size_t len,
		struct fs_data *out);
int remote_write(struct file *f, uint64_t offset, const char *bytes, size_t len,
		 bool *changed);
int remote_resize(struct file *f, uint64_t size);
void remote_forget(struct file *f, const struct object_info *base, char *key);
int remote_publish(struct file *f, const char *key, struct object_info *result);

/* ---- writer.c: with the turn ---- */

/* Before bytes are accepted that end at `end`: what must be waited for so that
 * full parts can leave. 0, -EINTR, or why the upload cannot begin. */
int writer_prepare(struct file *f, uint64_t end);
/* The part of that number ends where the file does, and more is coming: it
 * leaves if it can, else its bytes are kept. 0 or why neither was possible. */
int writer_leave(struct file *f, unsigned number);
/* Memory for the part that begins at the file's end, unless the spill file is
 * to take it. */
void writer_tail(struct file *f, const struct part_range *part);

/* ---- flight.c: with the turn ---- */

struct flight;

/* A part that is to leave, and cannot fail to any more. NULL without memory. */
struct flight *flight_new(struct file *f, const struct part_range *part,
			  const struct store_body *body);
void flight_free(struct flight *fl); /* one that did not leave */
/* mem (of cap bytes) goes back to the pool at the end; NULL: the body is the
 * caller's, or the spill file's. */
void flight_launch(struct flight *fl, void *mem, size_t cap);
/* Both, without memory to give back. 0 or -ENOMEM. */
int writer_send(struct file *f, const struct part_range *part,
		const struct store_body *body);
/* Opens the upload for key. */
int writer_open(struct file *f, const char *key);
/* Room for one more on its way. 0 or -EINTR. */
int writer_wait_room(struct file *f);
/* Until another one has ended than the first `ended`. 0 or -EINTR. */
int writer_wait_one(struct file *f, unsigned ended);
/* Until the part is not on its way any more. 0 or -EINTR. */
int writer_wait_part(struct file *f, unsigned number);
/* All have ended. 0 or -EINTR. */
int writer_wait_all(struct file *f);
/* The tail is not being sent any more, so it can be written to. */
void writer_recall_tail(struct file *f);
/* Ends parts and upload: it is aborted. */
void writer_give_up(struct file *f);
/* The upload was completed: it is no more. */
void writer_completed(struct file *f);
/* What was sent of [start, end) is not the content any more. */
void writer_stale_locked(struct file *f, uint64_t start, uint64_t end)
	REQUIRES(&f->lock);
/* The slot of a part; NULL: nothing was ever sent of it. */
struct slot *writer_slot_locked(struct file *f, unsigned number)
	REQUIRES(&f->lock);
/* The same, made at the first need. */
int writer_slot_need(struct file *f, unsigned number);

#endif
