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

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/dirs.h"
#include "base/io.h"

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
