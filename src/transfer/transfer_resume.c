/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of store/upload_record.h, and a fifth line: a mark with a version,
 * the part size, the file's device, number, size and time, and the content
 * type. Whatever does not read back whole is no record.
 *
 * A file that another process has unlinked between open and lock is not the one
 * that the next will find: it is opened anew.
 */
#include "transfer/transfer_resume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/dirs.h"
#include "base/io.h"
#include "base/text.h"

#define MARK "stagefs-put 1"
#define OPEN_TRIES 8

/* Two stores with one identity have the same objects; else the name tells. */
static void resume_name(struct store *s, const char *key,
			char out[SHA256_HEX_SIZE])
{
	BUF_LOCAL object = BUF_INIT(BUF_URL);

	buf_addf(&object, "%s\n", s->identity ?: s->name);
	store_locate(s, key, &object);
	sha256_hex(buf_str(&object), object.len, out);
}

static void resume_add_source(struct buf *out,
			      const struct transfer_source *source)
{
	buf_addf(out, MARK " %llu %llu %llu %llu %lld.%09ld %s",
		 (unsigned long long)source->part_size,
		 (unsigned long long)source->dev,
		 (unsigned long long)source->ino,
		 (unsigned long long)source->size,
		 (long long)source->mtime.tv_sec, source->mtime.tv_nsec,
		 source->content_type ?: "");
}

/* ---- reading ---- */

static void resume_drop(struct transfer_resume *r)
{
	upload_record_clear(&r->record);
	free(r->source);
	r->source = NULL;
	r->saved = false;
}

static int resume_read(struct transfer_resume *r)
{
	char text[UPLOAD_RECORD_MAX + 1], *end;
	const char *rest;
	ssize_t n = io_pread(r->fd, text, UPLOAD_RECORD_MAX, 0);

	if (n < 0)
		return (int)n;
	text[n] = '\0';
	if (upload_record_read(text, &r->record, &rest) ||
	    !(end = strchr(rest, '\n'))) {
		resume_drop(r);
		return 0;
	}
	r->source = strndup(rest, (size_t)(end - rest));
	r->saved = r->source;
	return r->source ? 0 : -ENOMEM;
}

/* 0 with the lock, 1: once more, -errno. */
static int resume_lock(struct transfer_resume *r)
{
	struct stat st;

	r->fd = open(r->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->fd < 0)
		return -errno;
	if (flock(r->fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (fstat(r->fd, &st))
		return -errno;
	if (st.st_nlink)
		return 0;
	close(r->fd);
	r->fd = -1;
	return 1;
}

static void resume_unlock(struct transfer_resume *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

int transfer_resume_open(struct transfer_resume *r, const char *dir,
			 struct store *s, const char *key)
{
	char name[SHA256_HEX_SIZE];
	int rc = dirs_make(dir, 0755, 0700);

	if (rc)
		return rc;
	resume_name(s, key, name);
	if (asprintf(&r->path, "%s/%s.put", dir, name) < 0) {
		r->path = NULL;
		return -ENOMEM;
	}
	rc = 1;
	for (int i = 0; i < OPEN_TRIES && rc > 0; i++)
		rc = resume_lock(r);
	rc = rc > 0 ? -EBUSY : rc;
	if (!rc)
		rc = resume_read(r);
	if (rc)
		resume_unlock(r);
	return rc;
}

/* ---- what was left long ago ---- */

static bool resume_is_in(const struct upload_record *record, struct store *s)
{
	BUF_LOCAL location = BUF_INIT(BUF_MESSAGE);

	store_locate(s, buf_str(&record->key), &location);
	return !strcmp(buf_str(&record->store), s->name) &&
	       !strcmp(buf_str(&record->location), buf_str(&location));
}

static void resume_end_old(const char *dir, const char *name, struct store *s)
{
	struct transfer_resume r = TRANSFER_RESUME_INIT;
	struct store_pending left;
	int rc = 0;

	if (asprintf(&r.path, "%s/%s", dir, name) < 0)
		return;
	if (!resume_lock(&r) && !resume_read(&r) && r.saved) {
		left = upload_record_pending(&r.record);
		rc = resume_is_in(&r.record, s) ? store_pending_abort(s, &left)
						: -EXDEV;
		r.saved = rc && rc != -ENOENT;
	} else {
		r.saved = true; /* another process is at it, or it is none */
	}
	transfer_resume_close(&r);
}

void transfer_resume_sweep(const char *dir, struct store *s)
{
	int64_t until_s = clock_now_s() - TRANSFER_RESUME_AGE_S;
	DIR *d = opendir(dir);
	const struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d)))
		if (text_ends_with(e->d_name, ".put") &&
		    !fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode) && st.st_mtim.tv_sec < until_s)
			resume_end_old(dir, e->d_name, s);
	if (d)
		closedir(d);
}

/* ---- whose it is ---- */

bool transfer_resume_is_of(const struct transfer_resume *r,
			   const struct transfer_source *source)
{
	BUF_LOCAL text = BUF_INIT(BUF_MESSAGE);

	resume_add_source(&text, source);
	return r->saved && !buf_err(&text) &&
	       !strcmp(r->source, buf_str(&text));
}

/* ---- writing ---- */

void transfer_resume_keep(struct transfer_resume *r, struct store *s,
			  const char *key, const char *id,
			  const struct transfer_source *source)
{
	BUF_LOCAL text = BUF_INIT(UPLOAD_RECORD_MAX);

	transfer_resume_forget(r);
	if (r->fd < 0)
		return;
	upload_record_write(s, key, id, &text);
	resume_add_source(&text, source);
	buf_addc(&text, '\n');
	if (buf_err(&text) || io_pwrite(r->fd, text.data, text.len, 0) ||
	    resume_read(r))
		transfer_resume_forget(r);
}

void transfer_resume_forget(struct transfer_resume *r)
{
	resume_drop(r);
	/* a file that cannot be emptied must not be taken for a record */
	if (r->fd >= 0 && ftruncate(r->fd, 0)) {
		unlink(r->path);
		resume_unlock(r);
	}
}

void transfer_resume_close(struct transfer_resume *r)
{
	if (r->fd >= 0 && !r->saved)
		unlink(r->path);
	resume_unlock(r);
	resume_drop(r);
	free(r->path);
	r->path = NULL;
}
