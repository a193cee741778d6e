/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An unlinked file (O_TMPFILE where the file system has it), so that a killed
 * daemon leaves nothing. The disk is asked for its room before each write,
 * because a file system that is full to the last byte hurts others than us.
 *
 * What is kept of parts that leave is written by a thread of the file's own,
 * while the parts travel: so a writer does not wait for the disk, as long as
 * there is memory. It goes past the page cache, since it is hardly ever read,
 * and to fill fresh pages costs more than half of all that a stream costs. Once
 * the writer has to wait for memory that the disk holds (spill_hurry()) the
 * rest goes through the page cache, which takes it at once.
 */
#include "fs/content/spill.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utlist.h>

#include "base/buf.h"
#include "base/dirs.h"
#include "base/io.h"
#include "base/number.h"
#include "base/thread.h"

#define ROOM_MAX (64ULL << 20) /* left free by what must be written */
#define DIRECT_ALIGN 4096 /* bytes; of memory, offset and length */

struct spill_kept {
	uint64_t start, end;
	const char *bytes; /* NULL: lost */
	void (*ended)(void *arg);
	void *arg;
	bool stopped; /* lost because spill_stop() came before */
	bool reported; /* that it is lost */
	struct spill_kept *prev, *next;
};

LOCK_GUARDS(spill_locked, spill, spill_locked);

static metric spill_files, spill_bytes; /* of all */

static void spill_count(struct spill *s, uint64_t disk_bytes)
{
	metric_add(&spill_bytes,
		   disk_bytes - atomic_exchange(&s->disk_bytes, disk_bytes));
}

/* After each change, since holes take nothing. */
static void spill_recount(struct spill *s)
{
	struct stat st;

	if (!fstat(s->fd, &st))
		spill_count(s, (uint64_t)st.st_blocks * 512);
}

static struct spill *spill_make(void)
{
	struct spill *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->refs = 1;
	s->fd = -1;
	lock_init(&s->lock, LOCK_SPILL);
	metric_add(&spill_files, 1);
	return s;
}

static void spill_free(struct spill *s)
{
	metric_add(&spill_files, (uint64_t)-1);
	spill_count(s, 0);
	lock_destroy(&s->lock);
	free(s);
}

static int spill_open_named(const char *dir)
{
	BUF_LOCAL path = BUF_INIT(BUF_MESSAGE);
	int fd = -1;

	buf_addf(&path, "%s/spill-XXXXXX", dir);
	if (buf_err(&path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path.data, O_CLOEXEC);
	if (fd >= 0)
		unlink(path.data);
	return fd;
}

static int spill_open_unnamed(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = spill_open_named(dir);
	return fd;
}

int spill_new(const char *dir, struct spill **out)
{
	struct spill *s = spill_make();
	int rc = s ? 0 : -ENOMEM;

	if (rc)
		return rc;
	s->fd = spill_open_unnamed(dir);
	if (s->fd < 0 && errno == ENOENT) {
		rc = dirs_make(dir, 0755, 0700);
		if (!rc)
			s->fd = spill_open_unnamed(dir);
	}
	if (!rc && s->fd < 0)
		rc = -errno;
	if (rc)
		spill_free(s);
	else
		*out = s;
	return rc;
}

int spill_adopt(int fd, const char *name, struct spill **out)
{
	struct spill *s = spill_make();

	if (!s) {
		close(fd);
		return -ENOMEM;
	}
	s->fd = fd;
	snprintf(s->name, sizeof(s->name), "%s", name);
	spill_recount(s);
	*out = s;
	return 0;
}

static int spill_copy_as(struct spill *s, int dir, const char *name)
{
	int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
			0600);
	struct stat st;
	int rc;

	if (fd < 0)
		return -errno;
	rc = fstat(s->fd, &st) ? -errno : 0;
	if (!rc)
		rc = io_copy(s->fd, 0, fd, 0, (uint64_t)st.st_size);
	if (!rc && fdatasync(fd))
		rc = -errno;
	close(fd);
	if (rc)
		unlinkat(dir, name, 0);
	return rc;
}

int spill_name(struct spill *s, int dir, const char *name,
	       char out[SPILL_NAME_SIZE])
{
	char path[32];
	int rc = 0;

	if (fdatasync(s->fd))
		return -errno;
	snprintf(out, SPILL_NAME_SIZE, "%s", *s->name ? s->name : name);
	if (*s->name)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd);
	if (!linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW))
		strcpy(s->name, out);
	else
		rc = spill_copy_as(s, dir, name);
	if (!rc && fsync(dir))
		rc = -errno;
	return rc;
}

bool spill_is_named(const struct spill *s)
{
	return *s->name;
}

static void spill_direct_off(struct spill *s)
{
	if (s->direct == SPILL_DIRECT_ON)
		close(s->direct_fd);
	s->direct = SPILL_DIRECT_OFF;
}

/* The file once more, past the page cache; not every file system can. */
static void spill_direct_try(struct spill *s)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd);
	s->direct_fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
	s->direct = s->direct_fd < 0 ? SPILL_DIRECT_OFF : SPILL_DIRECT_ON;
}

static bool spill_direct_fits(struct spill *s, uint64_t offset,
			      const void *bytes, size_t len)
{
	if (((uintptr_t)bytes | offset | len) % DIRECT_ALIGN)
		return false;
	if (s->direct == SPILL_DIRECT_UNTRIED)
		spill_direct_try(s);
	return s->direct == SPILL_DIRECT_ON;
}

/* How many of the bytes it took; the others are for the page cache, as is all
 * that follows a failure. */
static size_t spill_write_direct(struct spill *s, uint64_t offset,
				 const char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(s->direct_fd, bytes + done, len - done,
				   (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || n % DIRECT_ALIGN)
			break;
		done += (size_t)n;
	}
	if (done < len)
		spill_direct_off(s);
	else
		spill_recount(s); /* the rest does it otherwise */
	return done;
}

/* What a disk has for us. */
static uint64_t spill_room(const struct statvfs *fs, bool optional)
{
	uint64_t total = (uint64_t)fs->f_blocks * fs->f_frsize;
	uint64_t room = (uint64_t)fs->f_bavail * fs->f_frsize;
	uint64_t left = total / (optional ? 20 : 100);

	if (!optional && left > ROOM_MAX)
		left = ROOM_MAX;
	return room > left ? room - left : 0;
}

static int spill_check_room(int fd, size_t len, bool optional)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs))
		return -errno;
	return spill_room(&fs, optional) < len ? -ENOSPC : 0;
}

static int spill_put(struct spill *s, uint64_t offset, const void *bytes,
		     size_t len)
{
	int rc = io_pwrite(s->fd, bytes, len, offset);

	spill_recount(s);
	/* No more goes here, whatever the reason. */
	return rc == -EFBIG || rc == -EDQUOT ? -ENOSPC : rc;
}

int spill_write(struct spill *s, uint64_t offset, const void *bytes, size_t len)
{
	int rc = spill_check_room(s->fd, len, false);

	return rc ? rc : spill_put(s, offset, bytes, len);
}

/* ---- what is kept ---- */

static int spill_write_kept(struct spill *s, const struct spill_kept *k)
{
	bool hurry = __atomic_load_n(&s->hurry, __ATOMIC_RELAXED);
	size_t len = (size_t)(k->end - k->start), n = 0;
	int rc = spill_check_room(s->fd, len, true);

	if (!rc && !hurry && spill_direct_fits(s, k->start, k->bytes, len))
		n = spill_write_direct(s, k->start, k->bytes, len);
	return rc ? rc : spill_put(s, k->start + n, k->bytes + n, len - n);
}

/* It is not in the queue any more, and its memory is not read any more. */
static void spill_end_locked(struct spill *s, struct spill_kept *k, int rc)
	REQUIRES(&s->lock)
{
	struct spill_locked *g = spill_locked(s);

	DL_DELETE(g->queue, k);
	k->bytes = NULL;
	if (rc) {
		DL_APPEND(g->lost, k);
		if (!k->stopped)
			__atomic_add_fetch(&s->n_lost, 1, __ATOMIC_RELEASE);
	}
	waiter_list_wake(&g->waiters);
}

/* The first of the queue; NULL: the thread is to end. */
static struct spill_kept *spill_next(struct spill *s)
{
	struct spill_locked *g;
	struct spill_kept *k;

	lock_take(&s->lock);
	g = spill_locked(s);
	WAITER_LIST_UNTIL(&g->waiters, &s->lock, false, g->queue || g->over);
	k = g->over ? NULL : g->queue;
	lock_drop(&s->lock);
	return k;
}

static void *spill_work(void *arg)
{
	struct spill *s = arg;
	struct spill_kept *k;

	while ((k = spill_next(s))) {
		int rc = spill_write_kept(s, k);
		void (*ended)(void *) = k->ended;
		void *ended_arg = k->arg;

		LOCK_DO(&s->lock, spill_end_locked(s, k, rc));
		if (!rc)
			free(k);
		ended(ended_arg);
	}
	return NULL;
}

int spill_keep(struct spill *s, uint64_t offset, const void *bytes, size_t len,
	       void (*ended)(void *arg), void *arg)
{
	struct spill_kept *k = calloc(1, sizeof(*k));
	int rc = k ? 0 : -ENOMEM;

	if (!rc && !s->started)
		rc = thread_start(&s->thread, "spill", spill_work, s);
	if (rc) {
		free(k);
		return rc;
	}
	s->started = true;
	*k = (struct spill_kept){ .start = offset,
				  .end = offset + len,
				  .bytes = bytes,
				  .ended = ended,
				  .arg = arg };
	lock_take(&s->lock);
	DL_APPEND(spill_locked(s)->queue, k);
	waiter_list_wake(&spill_locked(s)->waiters);
	lock_drop(&s->lock);
	return 0;
}

void spill_hurry(struct spill *s)
{
	__atomic_store_n(&s->hurry, true, __ATOMIC_RELAXED);
}

/* That of the list which has the first byte of [start, end) that any has. */
static struct spill_kept *spill_find(struct spill_kept *list, uint64_t start,
				     uint64_t end)
{
	struct spill_kept *first = NULL;

	for (; list; list = list->next)
		if (list->end > start && list->start < end &&
		    (!first || list->start < first->start))
			first = list;
	return first;
}

void spill_wait(struct spill *s, uint64_t start, uint64_t end)
{
	struct spill_locked *g;

	lock_take(&s->lock);
	g = spill_locked(s);
	WAITER_LIST_UNTIL(&g->waiters, &s->lock, false,
			  !spill_find(g->queue, start, end));
	lock_drop(&s->lock);
}

static struct spill_kept *spill_untold_locked(struct spill *s)
	REQUIRES(&s->lock)
{
	struct spill_kept *k = spill_locked(s)->lost;

	while (k && (k->reported || k->stopped))
		k = k->next;
	return k;
}

bool spill_next_lost(struct spill *s, struct extent *out)
{
	struct spill_kept *k;

	if (!__atomic_load_n(&s->n_lost, __ATOMIC_ACQUIRE))
		return false;
	lock_take(&s->lock);
	k = spill_untold_locked(s);
	*out = (struct extent){ k->start, k->end };
	lock_drop(&s->lock);
	return true;
}

void spill_lost_reported(struct spill *s)
{
	LOCK_DO(&s->lock, spill_untold_locked(s)->reported = true);
	__atomic_sub_fetch(&s->n_lost, 1, __ATOMIC_RELEASE);
}

/* What was lost from `size` on does not count any more. */
static void spill_cut_lost(struct spill *s, uint64_t size)
{
	struct spill_kept *k, *next;

	lock_take(&s->lock);
	DL_FOREACH_SAFE(spill_locked(s)->lost, k, next) {
		if (k->end > size)
			k->end = number_max(size, k->start);
		if (k->end > k->start)
			continue;
		if (!k->reported && !k->stopped)
			__atomic_sub_fetch(&s->n_lost, 1, __ATOMIC_RELEASE);
		DL_DELETE(spill_locked(s)->lost, k);
		free(k);
	}
	lock_drop(&s->lock);
}

/* Those that the thread has not begun: it is at the first, or has ended. */
static void spill_drop_queue(struct spill *s, bool all)
{
	struct spill_kept *k;

	do {
		lock_take(&s->lock);
		k = spill_locked(s)->queue;
		if (k && !all)
			k = k->next;
		if (k) {
			k->stopped = true;
			spill_end_locked(s, k, -ECANCELED);
		}
		lock_drop(&s->lock);
		if (k)
			k->ended(k->arg);
	} while (k);
}

void spill_stop(struct spill *s)
{
	if (!s || !s->started)
		return;
	lock_take(&s->lock);
	spill_locked(s)->over = true;
	waiter_list_wake(&spill_locked(s)->waiters);
	lock_drop(&s->lock);
	spill_drop_queue(s, false);
	pthread_join(s->thread, NULL);
	s->started = false;
	spill_drop_queue(s, true);
}

struct spill *spill_ref(struct spill *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void spill_unref(struct spill *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
		return;
	assert(!s->started);
	spill_cut_lost(s, 0);
	spill_direct_off(s);
	close(s->fd);
	spill_free(s);
}

/* ---- reading ---- */

/* What of [*at, end) is in memory, or lost, at its beginning; else how far the
 * file has it. */
static int spill_read_kept(struct spill *s, uint64_t *at, uint64_t *end,
			   char *to)
{
	struct spill_locked *g;
	struct spill_kept *k;
	int rc = 0;

	lock_take(&s->lock);
	g = spill_locked(s);
	k = spill_find(g->lost, *at, *end);
	if (k) {
		rc = k->stopped ? -EAGAIN : -ENOSPC;
	} else {
		k = spill_find(g->queue, *at, *end);
		if (k && k->start <= *at) {
			*end = number_min(*end, k->end);
			memcpy(to, k->bytes + (*at - k->start), *end - *at);
			*at = *end;
		} else if (k) {
			*end = k->start;
		}
	}
	lock_drop(&s->lock);
	return rc;
}

int spill_read(struct spill *s, uint64_t offset, void *bytes, size_t len)
{
	uint64_t at = offset, end = offset + len;
	char *to = bytes;
	int rc = 0;

	while (!rc && at < end) {
		uint64_t from = at, until = end;

		rc = spill_read_kept(s, &at, &until, to);
		if (!rc && at < until)
			rc = io_pread_zeros(s->fd, to, until - at, at);
		at = until;
		to += until - from;
	}
	return rc;
}

int spill_truncate(struct spill *s, uint64_t size)
{
	int rc;

	spill_cut_lost(s, size);
	rc = ftruncate(s->fd, (off_t)size) ? -errno : 0;
	spill_recount(s);
	return rc == -EFBIG ? -ENOSPC : rc;
}

int spill_zero(struct spill *s, uint64_t start, uint64_t end)
{
	int rc;

	/* What is being kept further behind makes the file longer. */
	spill_wait(s, start, UINT64_MAX);
	rc = io_zero(s->fd, start, end);
	spill_recount(s);
	return rc == -EFBIG ? -ENOSPC : rc;
}

/* ---- what is shown ---- */

void spill_write_metrics(const char *dir, struct buf *out)
{
	struct statvfs fs;

	metric_one(out, "spill_files", "gauge",
		   "Files with bytes in spill_dir.", metric_get(&spill_files));
	metric_one(out, "spill_bytes", "gauge",
		   "Bytes that these take of its disk.",
		   metric_get(&spill_bytes));
	if (dir && !statvfs(dir, &fs))
		metric_one(out, "spill_room_bytes", "gauge",
			   "Bytes that it may take yet.",
			   spill_room(&fs, false));
}
