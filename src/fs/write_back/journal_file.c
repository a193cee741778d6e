/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   SPILL_DIR/write_back/HASH/owner     locked; names the mount
 *                            /journal   records
 *                            /journal.new
 *                            /data-*    bytes of changes
 */
#include "fs/write_back/journal_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/dirs.h"
#include "base/io.h"
#include "base/scope.h"
#include "base/text.h"
#include "fs/write_back/record.h"

#define JOURNAL "journal"
#define FRESH "journal.new"
#define OWNER "owner"
#define HASH_LEN 24 /* hexadecimal digits */
#define MOUNT_NAME_MAX 16384
#define ALLOCATED (4U << 20) /* bytes at once */

void journal_file_path(const char *spill_dir, const char *mount_name,
		       struct buf *out)
{
	char hash[SHA256_HEX_SIZE];

	sha256_hex(mount_name, strlen(mount_name), hash);
	buf_addf(out, "%s/write_back/%.*s", spill_dir, HASH_LEN, hash);
}

static void journal_file_shut(struct journal_file *f)
{
	int *fds[] = { &f->fd, &f->owner, &f->dir };

	for (size_t k = 0; k < sizeof(fds) / sizeof(*fds); k++) {
		if (*fds[k] >= 0)
			close(*fds[k]);
		*fds[k] = -1;
	}
}

static int journal_file_size(struct journal_file *f)
{
	struct stat st;

	if (fstat(f->fd, &st))
		return -errno;
	f->size = (uint64_t)st.st_size;
	return 0;
}

/* flags: O_CREAT or 0. *busy: another has the lock. */
static int journal_file_begin(const char *path, int flags,
			      struct journal_file *f, bool *busy)
{
	*f = (struct journal_file){ .dir = -1, .owner = -1, .fd = -1 };
	f->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		return -errno;
	f->owner = openat(f->dir, OWNER, O_RDWR | O_CLOEXEC | flags, 0600);
	if (f->owner < 0)
		return -errno;
	*busy = flock(f->owner, LOCK_EX | LOCK_NB);
	if (*busy && errno != EWOULDBLOCK)
		return -errno;
	f->fd = openat(f->dir, JOURNAL, O_RDWR | O_CLOEXEC | flags, 0600);
	return f->fd < 0 ? -errno : journal_file_size(f);
}

/* One that is right already stays: on a full disk it could not be written. */
static int journal_file_name(struct journal_file *f, const char *mount_name)
{
	size_t len = strlen(mount_name);
	char text[MOUNT_NAME_MAX];
	ssize_t n = io_pread(f->owner, text, sizeof(text), 0);

	if (n >= 0 && (size_t)n == len && !memcmp(text, mount_name, len))
		return 0;
	if (ftruncate(f->owner, 0))
		return -errno;
	return io_pwrite(f->owner, mount_name, len, 0);
}

int journal_file_open(const char *path, const char *mount_name,
		      struct journal_file *f)
{
	bool busy = false;
	int rc = dirs_make(path, 0700, 0700);

	if (rc)
		return rc;
	rc = journal_file_begin(path, O_CREAT, f, &busy);
	if (!rc && busy)
		rc = -EBUSY;
	if (!rc)
		rc = journal_file_name(f, mount_name);
	/* The folder's name outlives a power cut with what comes into it. */
	if (!rc && (fsync(f->owner) || fsync(f->dir)))
		rc = -errno;
	if (rc)
		journal_file_shut(f);
	return rc;
}

int journal_file_look(const char *path, struct journal_file *f, bool *busy,
		      struct buf *mount_name)
{
	char text[MOUNT_NAME_MAX];
	ssize_t n;
	int rc = journal_file_begin(path, 0, f, busy);

	n = rc ? 0 : io_pread(f->owner, text, sizeof(text), 0);
	if (n < 0)
		rc = (int)n;
	else
		buf_add(mount_name, text, (size_t)n);
	if (rc)
		journal_file_shut(f);
	return rc;
}

void journal_file_close(struct journal_file *f, const char *path, bool empty)
{
	if (empty && f->dir >= 0) {
		unlinkat(f->dir, JOURNAL, 0);
		unlinkat(f->dir, FRESH, 0);
		unlinkat(f->dir, OWNER, 0);
		rmdir(path);
	}
	journal_file_shut(f);
}

/* ---- reading ---- */

struct journal_reading {
	struct journal_file *file;
	char *bytes; /* room for the longest record */
	uint64_t at; /* where they are from */
	size_t n;
	uint64_t seq;
	uint64_t skipped; /* since the last record */
};

/* The next bytes are from `at`; as many as there are. */
static int journal_file_fill(struct journal_reading *r, uint64_t at)
{
	ssize_t n = io_pread(r->file->fd, r->bytes, RECORD_MAX, at);

	if (n < 0)
		return (int)n;
	r->at = at;
	r->n = (size_t)n;
	return 0;
}

/* The record at `at`: its length, or 0. */
static long journal_file_read_at(struct journal_reading *r, uint64_t at,
				 struct record *out, struct extent **extents)
{
	size_t from, need = RECORD_HEAD;
	int rc = 0;

	*extents = NULL;
	for (int pass = 0; pass < 2; pass++) {
		if (at < r->at || at + need > r->at + r->n)
			rc = journal_file_fill(r, at);
		from = (size_t)(at - r->at);
		if (rc || r->n < from + RECORD_HEAD)
			return rc;
		need = record_length(r->bytes + from);
		if (!need)
			return 0;
	}
	return record_read(r->bytes + from, r->n - from, out, extents);
}

int journal_file_each(struct journal_file *f,
		      int (*each)(void *arg, const struct record *r,
				  uint64_t at, size_t len),
		      void *arg, uint64_t *lost)
{
	struct journal_reading r = { .file = f, .bytes = malloc(RECORD_MAX) };
	struct extent *extents;
	struct record record;
	uint64_t at = 0, end = 0;
	int rc = r.bytes ? 0 : -ENOMEM;

	*lost = 0;
	while (!rc && at + RECORD_HEAD <= f->size) {
		long n = journal_file_read_at(&r, at, &record, &extents);

		if (n < 0) {
			rc = (int)n;
		} else if (!n) {
			r.skipped += RECORD_ALIGN;
			n = RECORD_ALIGN;
		} else if (record.seq > r.seq) {
			*lost += r.skipped;
			r.skipped = 0;
			r.seq = record.seq;
			rc = each(arg, &record, at, (size_t)n);
			end = at + (uint64_t)n;
		}
		free(extents);
		at += (uint64_t)n;
	}
	free(r.bytes);
	f->size = end;
	return rc;
}

/* ---- writing ---- */

/* To flush what lies within the file costs half of what it costs to let it
 * grow. Without room, or where that is not known, it grows. */
static void journal_file_allocate(struct journal_file *f, size_t n)
{
	if (f->size + n <= f->allocated)
		return;
	f->allocated = f->size + n + ALLOCATED;
	if (fallocate(f->fd, 0, (off_t)f->size, (off_t)(n + ALLOCATED)))
		f->allocated = UINT64_MAX;
}

int journal_file_append(struct journal_file *f, const void *bytes, size_t n,
			bool sync)
{
	int rc;

	journal_file_allocate(f, n);
	rc = io_pwrite(f->fd, bytes, n, f->size);

	if (!rc && sync && fdatasync(f->fd))
		rc = -errno;
	if (!rc)
		f->size += n;
	else if (!ftruncate(f->fd, (off_t)f->size))
		f->allocated = 0;
	return rc;
}

int journal_file_end(struct journal_file *f, uint64_t at, uint64_t len)
{
	MEM_LOCAL char *bytes = malloc(len);
	ssize_t n = bytes ? io_pread(f->fd, bytes, len, at) : -ENOMEM;
	int rc = n < 0 ? (int)n : 0;

	if (!rc && ((uint64_t)n != len || record_length(bytes) != len))
		rc = -EIO;
	if (rc)
		return rc;
	record_set_gone(bytes);
	rc = io_pwrite(f->fd, bytes, RECORD_HEAD, at);
	return !rc && fdatasync(f->fd) ? -errno : rc;
}

int journal_file_fresh(struct journal_file *f, struct journal_file *fresh)
{
	*fresh = (struct journal_file){ .dir = -1, .owner = -1 };
	fresh->fd = openat(f->dir, FRESH,
			   O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	return fresh->fd < 0 ? -errno : 0;
}

void journal_file_discard(struct journal_file *f, struct journal_file *fresh)
{
	unlinkat(f->dir, FRESH, 0);
	close(fresh->fd);
}

int journal_file_keep(struct journal_file *f)
{
	if (ftruncate(f->fd, (off_t)f->size) || fdatasync(f->fd))
		return -errno;
	f->allocated = 0;
	return 0;
}

int journal_file_replace(struct journal_file *f, struct journal_file *fresh)
{
	int rc = fdatasync(fresh->fd) ? -errno : 0;

	if (!rc && renameat(f->dir, FRESH, f->dir, JOURNAL))
		rc = -errno;
	if (rc) {
		journal_file_discard(f, fresh);
		return rc;
	}
	close(f->fd);
	f->fd = fresh->fd;
	f->size = fresh->size;
	f->allocated = 0;
	return fsync(f->dir) ? -errno : 0;
}

void journal_file_sweep(struct journal_file *f,
			bool (*keep)(void *arg, const char *name), void *arg)
{
	int fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d && fd >= 0)
		close(fd);
	while (d && (e = readdir(d)))
		if (text_starts_with(e->d_name, "data-") &&
		    !keep(arg, e->d_name))
			unlinkat(f->dir, e->d_name, 0);
	if (d)
		closedir(d);
}
