/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records gather in the batch that is open. The thread that finds no other one
 * writing takes it, writes it with one call, flushes it with another, and wakes
 * those whose records were in it; meanwhile the next batch gathers.
 *
 * The index says where the latest records of each change stand. It changes
 * when they are written, by the thread that wrote them. When most of the file
 * is of changes that are none any more, that thread writes those that are left
 * into another file, which takes its place.
 */
#include "fs/write_back/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/waiter.h"
#include "fs/write_back/journal_file.h"
#include "fs/write_back/journal_index.h"

#define COMPACT_MIN (1U << 20) /* a shorter journal is left as it is */
#define BATCH_MAX (256U << 20)

enum batch_state { BATCH_OPEN, BATCH_WRITING, BATCH_OVER };

struct batch {
	enum batch_state state;
	unsigned refs;
	bool sync;
	struct buf bytes;
	struct journal_step *steps;
	size_t n, cap;
	int rc;
};

struct journal_locked {
	struct journal_index index;
	uint64_t seq; /* the last record's */
	uint64_t size; /* of the file */
	bool unflushed; /* something in it */
	struct batch *open;
	bool writing; /* a thread has the file */
	struct waiter_list waiters;
};

struct journal {
	char *path;
	bool busy; /* another process has it, or it could not be read */
	struct journal_file file; /* only the writer uses it */
	struct lock lock;
	struct journal_locked guarded_;
};

LOCK_GUARDS(journal_locked, journal, journal_locked);

/* ---- compaction, by the thread that has the file ---- */

/* Copies a record, and says where it is now. */
static int journal_copy(struct journal *j, struct journal_file *to,
			struct span *s)
{
	int rc = 0;

	if (s->len)
		rc = io_copy(j->file.fd, s->at, to->fd, to->size, s->len);
	s->at = to->size;
	to->size += rc ? 0 : s->len;
	return rc;
}

static int journal_list(struct journal *j, struct journal_kept **out, size_t *n)
{
	int rc;

	lock_take(&j->lock);
	rc = journal_index_list(&journal_locked(j)->index, out, n);
	lock_drop(&j->lock);
	return rc;
}

static int journal_by_place(const void *a, const void *b)
{
	const struct span *x = *(struct span *const *)a;
	const struct span *y = *(struct span *const *)b;

	return (x->at > y->at) - (x->at < y->at);
}

/* In the order in which they stand, which is that of their numbers. */
static int journal_copy_all(struct journal *j, struct journal_kept *list,
			    size_t n, struct journal_file *to)
{
	struct span **spans = calloc(2 * n + 1, sizeof(*spans));
	int rc = spans ? 0 : -ENOMEM;

	if (rc)
		return rc;
	for (size_t k = 0; k < n; k++) {
		spans[2 * k] = &list[k].made;
		spans[2 * k + 1] = &list[k].moved;
	}
	qsort(spans, 2 * n, sizeof(*spans), journal_by_place);
	for (size_t k = 0; !rc && k < 2 * n; k++)
		rc = journal_copy(j, to, spans[k]);
	free(spans);
	return rc;
}

/* Nothing else changes the index: only the holder of the file may. */
static int journal_compact(struct journal *j)
{
	struct journal_file fresh;
	struct journal_kept *list = NULL;
	size_t n = 0;
	int rc = journal_file_fresh(&j->file, &fresh);

	if (rc)
		return rc;
	rc = journal_list(j, &list, &n);
	if (!rc)
		rc = journal_copy_all(j, list, n, &fresh);
	if (rc)
		journal_file_discard(&j->file, &fresh);
	else
		rc = journal_file_replace(&j->file, &fresh);
	lock_take(&j->lock);
	if (j->file.fd == fresh.fd)
		journal_index_moved(&journal_locked(j)->index, list, n);
	journal_locked(j)->size = j->file.size;
	lock_drop(&j->lock);
	free(list);
	return rc;
}

static bool journal_is_wide_locked(struct journal *j) REQUIRES(&j->lock)
{
	uint64_t size = j->file.size;

	return size > COMPACT_MIN && journal_locked(j)->index.live < size / 2;
}

/* ---- writing ---- */

static struct batch *journal_batch_locked(struct journal *j) REQUIRES(&j->lock)
{
	struct batch *b = journal_locked(j)->open;

	if (!b) {
		b = calloc(1, sizeof(*b));
		if (b)
			buf_init(&b->bytes, BATCH_MAX);
		journal_locked(j)->open = b;
	}
	return b;
}

static void journal_batch_unref_locked(struct journal *j, struct batch *b)
	REQUIRES(&j->lock)
{
	if (--b->refs)
		return;
	for (size_t k = 0; k < b->n; k++)
		journal_step_clear(&b->steps[k]);
	buf_clear(&b->bytes);
	free(b->steps);
	free(b);
}

static void journal_settle(struct journal *j, struct batch *b, uint64_t at)
{
	char stale[SPILL_NAME_SIZE];

	for (size_t k = 0; k < b->n; k++) {
		b->steps[k].span.at += at;
		lock_take(&j->lock);
		journal_index_apply(&journal_locked(j)->index, &b->steps[k],
				    stale);
		lock_drop(&j->lock);
		if (*stale)
			unlinkat(j->file.dir, stale, 0);
	}
}

/* The open batch is written; the caller has none of its locks. */
static void journal_write_locked(struct journal *j, struct batch *b)
	REQUIRES(&j->lock)
{
	uint64_t at = j->file.size;
	bool wide;

	journal_locked(j)->open = NULL;
	journal_locked(j)->writing = true;
	b->state = BATCH_WRITING;
	lock_drop(&j->lock);
	b->rc = journal_file_append(&j->file, b->bytes.data, b->bytes.len,
				    b->sync);
	if (!b->rc)
		journal_settle(j, b, at);
	lock_take(&j->lock);
	if (!b->rc)
		journal_locked(j)->unflushed = !b->sync;
	journal_locked(j)->size = j->file.size;
	wide = journal_is_wide_locked(j);
	if (wide) {
		lock_drop(&j->lock);
		journal_compact(j);
		lock_take(&j->lock);
	}
	b->state = BATCH_OVER;
	journal_locked(j)->writing = false;
	waiter_list_wake(&journal_locked(j)->waiters);
}

/* Until b is over: by this thread, if no other is at it. */
static int journal_finish_locked(struct journal *j, struct batch *b)
	REQUIRES(&j->lock)
{
	struct journal_locked *g = journal_locked(j);
	int rc;

	while (b->state != BATCH_OVER) {
		if (!g->writing)
			journal_write_locked(j, b);
		else
			waiter_list_sleep_uninterrupted(&g->waiters, &j->lock,
							WAIT_FOREVER);
	}
	rc = b->rc;
	journal_batch_unref_locked(j, b);
	return rc;
}

static int journal_gather_locked(struct journal *j, struct batch *b,
				 const struct record *r) REQUIRES(&j->lock)
{
	struct record numbered = *r;
	struct journal_step *s;
	size_t at = b->bytes.len;
	int rc = ARRAY_RESERVE(b->steps, b->cap, b->n + 1);

	if (rc)
		return rc;
	s = &b->steps[b->n];
	numbered.seq = journal_locked(j)->seq + 1;
	rc = record_write(&numbered, &b->bytes);
	if (!rc)
		rc = journal_step_init(s, r,
				       (struct span){ at, b->bytes.len - at });
	if (rc) {
		buf_truncate(&b->bytes, at);
		return rc;
	}
	journal_locked(j)->seq++;
	b->n++;
	return 0;
}

int journal_add(struct journal *j, const struct record *r, bool sync)
{
	struct batch *b;
	int rc;

	lock_take(&j->lock);
	b = journal_batch_locked(j);
	rc = b ? journal_gather_locked(j, b, r) : -ENOMEM;
	if (!rc) {
		b->sync |= sync;
		b->refs++;
		rc = journal_finish_locked(j, b);
	}
	lock_drop(&j->lock);
	return rc;
}

/* On a disk that is full there is no room for another record: the change's own
 * becomes its end. Were it left there, the next mount would send it over what
 * has been sent since. */
static int journal_end_in_place(struct journal *j, uint64_t id)
{
	struct journal_step s = { .kind = RECORD_GONE, .id = id };
	char stale[SPILL_NAME_SIZE] = "";
	struct span made;
	int rc;

	lock_take(&j->lock);
	WAITER_LIST_UNTIL(&journal_locked(j)->waiters, &j->lock, false,
			  !journal_locked(j)->writing);
	journal_locked(j)->writing = true;
	made = journal_index_made(&journal_locked(j)->index, id);
	lock_drop(&j->lock);
	rc = made.len ? journal_file_end(&j->file, made.at, made.len) : 0;
	lock_take(&j->lock);
	if (!rc)
		journal_index_apply(&journal_locked(j)->index, &s, stale);
	journal_locked(j)->writing = false;
	waiter_list_wake(&journal_locked(j)->waiters);
	lock_drop(&j->lock);
	if (*stale)
		unlinkat(j->file.dir, stale, 0);
	return rc;
}

void journal_gone(struct journal *j, uint64_t id)
{
	struct record r = { .kind = RECORD_GONE, .id = id };
	int rc = journal_add(j, &r, false);

	if (rc)
		rc = journal_end_in_place(j, id);
	if (rc)
		log_error("%s: what was sent will be sent once more by the "
			  "next mount: %s",
			  j->path, strerror(-rc));
}

int journal_flush(struct journal *j)
{
	struct batch *b = NULL;
	int rc = 0;

	lock_take(&j->lock);
	if (journal_locked(j)->unflushed || journal_locked(j)->writing) {
		b = journal_batch_locked(j);
		rc = -ENOMEM;
	}
	if (b) {
		b->sync = true;
		b->refs++;
		rc = journal_finish_locked(j, b);
	}
	lock_drop(&j->lock);
	return rc;
}

/* ---- opening and closing ---- */

static int journal_replay(void *arg, const struct record *r, uint64_t at,
			  size_t len)
{
	struct journal *j = arg;
	struct journal_step s;
	int rc = journal_step_init(&s, r, (struct span){ at, len });

	if (rc)
		return rc;
	lock_take(&j->lock);
	journal_locked(j)->seq = r->seq;
	rc = journal_index_replay(&journal_locked(j)->index, &s, r);
	lock_drop(&j->lock);
	journal_step_clear(&s);
	return rc;
}

static void journal_replayed(struct journal *j)
{
	lock_take(&j->lock);
	journal_index_replayed(&journal_locked(j)->index);
	lock_drop(&j->lock);
}

static bool journal_wants(void *arg, const char *name)
{
	struct journal *j = arg;
	bool wants;

	lock_take(&j->lock);
	wants = journal_index_wants(&journal_locked(j)->index, name);
	lock_drop(&j->lock);
	return wants;
}

/* On a disk that is full, what is left in it cannot be written anew; but it is
 * to be sent all the same, and what comes now is to stand behind it. */
static int journal_begin(struct journal *j)
{
	int rc = journal_compact(j);

	if (!rc)
		return 0;
	log_warn("%s: the journal cannot be written anew, and is gone on with "
		 "as it is: %s",
		 j->path, strerror(-rc));
	rc = journal_file_keep(&j->file);
	LOCK_DO(&j->lock, journal_locked(j)->size = j->file.size);
	return rc;
}

/* owns: it is not another process's. */
static int journal_load(struct journal *j, bool owns)
{
	uint64_t lost;
	int rc = journal_file_each(&j->file, journal_replay, j, &lost);

	if (!rc && lost && owns)
		log_error("%s: %" PRIu64 " bytes of the journal are damaged: "
			  "what was written there is lost",
			  j->path, lost);
	journal_replayed(j);
	if (!rc && owns)
		rc = journal_begin(j);
	if (!rc && owns)
		journal_file_sweep(&j->file, journal_wants, j);
	return rc;
}

/* Takes path. */
static struct journal *journal_new(char *path)
{
	struct journal *j = path ? calloc(1, sizeof(*j)) : NULL;

	if (!j) {
		free(path);
		return NULL;
	}
	lock_init(&j->lock, LOCK_JOURNAL);
	j->file = (struct journal_file){ .dir = -1, .owner = -1, .fd = -1 };
	j->path = path;
	return j;
}

int journal_open(const char *spill_dir, const char *mount_name,
		 struct journal **out)
{
	struct buf path = BUF_INIT(BUF_MESSAGE);
	struct journal *j;
	int rc;

	journal_file_path(spill_dir, mount_name, &path);
	j = journal_new(buf_detach(&path));
	if (!j)
		return -ENOMEM;
	rc = journal_file_open(j->path, mount_name, &j->file);
	if (!rc)
		rc = journal_load(j, true);
	j->busy = rc;
	if (rc)
		journal_close(j);
	else
		*out = j;
	return rc;
}

int journal_look(const char *path, struct journal **out, bool *busy,
		 struct buf *mount_name)
{
	struct journal *j = journal_new(strdup(path));
	int rc;

	if (!j)
		return -ENOMEM;
	rc = journal_file_look(j->path, &j->file, busy, mount_name);
	if (!rc)
		rc = journal_load(j, !*busy);
	j->busy = rc || *busy;
	if (rc)
		journal_close(j);
	else
		*out = j;
	return rc;
}

void journal_close(struct journal *j)
{
	struct batch *open;
	bool empty;

	if (!j)
		return;
	lock_take(&j->lock);
	empty = !journal_locked(j)->index.n;
	journal_index_clear(&journal_locked(j)->index);
	open = journal_locked(j)->open;
	if (open) { /* nothing came into it */
		buf_clear(&open->bytes);
		free(open->steps);
	}
	free(open);
	lock_drop(&j->lock);
	journal_file_close(&j->file, j->path, empty && !j->busy);
	lock_destroy(&j->lock);
	free(j->path);
	free(j);
}

/* ---- what stands in it ---- */

uint64_t journal_id(struct journal *j)
{
	uint64_t id;

	lock_take(&j->lock);
	id = ++journal_locked(j)->index.last_id;
	lock_drop(&j->lock);
	return id;
}

void journal_data_name(struct journal *j, uint64_t id,
		       char out[SPILL_NAME_SIZE])
{
	lock_take(&j->lock);
	snprintf(out, SPILL_NAME_SIZE, "data-%" PRIx64 "-%" PRIx64, id,
		 ++journal_locked(j)->seq);
	lock_drop(&j->lock);
}

int journal_dir(struct journal *j)
{
	return j->file.dir;
}

int journal_data_open(struct journal *j, const char *name, int *fd)
{
	*fd = openat(j->file.dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return *fd < 0 ? -errno : 0;
}

static int journal_read(struct journal *j, struct span s, char *bytes,
			struct record *out, struct extent **extents)
{
	ssize_t n = io_pread(j->file.fd, bytes, s.len, s.at);
	long read = n < 0 ? n : record_read(bytes, (size_t)n, out, extents);

	return read < 0 ? (int)read : read ? 0 : -EIO;
}

static int journal_tell(struct journal *j, const struct journal_kept *k,
			char *bytes,
			int (*each)(void *arg, const struct record *r),
			void *arg)
{
	struct extent *extents = NULL, *none = NULL;
	struct record r, moved = { .key = NULL };
	int rc = journal_read(j, k->made, bytes, &r, &extents);

	if (!rc && k->moved.len) {
		rc = journal_read(j, k->moved, bytes + RECORD_MAX, &moved,
				  &none);
		r.key = moved.key;
		r.ending = moved.ending;
	}
	if (!rc)
		rc = each(arg, &r);
	free(extents);
	return rc;
}

static int journal_by_id(const void *a, const void *b)
{
	const struct journal_kept *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

int journal_each(struct journal *j,
		 int (*each)(void *arg, const struct record *r), void *arg)
{
	char *bytes = malloc(2 * (size_t)RECORD_MAX);
	struct journal_kept *list = NULL;
	size_t n = 0;
	int rc = bytes ? journal_list(j, &list, &n) : -ENOMEM;

	if (!rc)
		qsort(list, n, sizeof(*list), journal_by_id);
	for (size_t k = 0; !rc && k < n; k++)
		rc = journal_tell(j, &list[k], bytes, each, arg);
	free(list);
	free(bytes);
	return rc;
}

void journal_counts(struct journal *j, struct journal_counts *out)
{
	lock_take(&j->lock);
	out->changes = journal_locked(j)->index.n;
	out->size = journal_locked(j)->size;
	lock_drop(&j->lock);
}
