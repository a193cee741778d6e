/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file, from this machine to the far side. A file of one part is one PUT.
 * Standard input, pipes and devices have no size yet and are spooled first. A
 * file that changes while it is sent is an error: what arrived is a mixture
 * that no program wrote.
 *
 * An upload of parts that breaks off is left, with a record of it
 * (transfer_resume.h): the next run asks the store once which parts it has,
 * keeps those whose bytes are the file's by their MD5, and sends the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/number.h"
#include "base/waiter.h"
#include "stage/stage.h"
#include "store/parts.h"
#include "store/store.h"
#include "store/upload_parts.h"
#include "transfer/transfer.h"
#include "transfer/transfer_file.h"
#include "transfer/transfer_local.h"
#include "transfer/transfer_resume.h"

#define PARTS_WIDTH 16 /* requests at once for one file */

struct upload {
	struct transfer *t;
	struct transfer_job *job;
	int fd; /* -1: no bytes at all */
	uint64_t size;
	struct stat before; /* of a regular file */
	bool regular;
	struct transfer_resume resume; /* of an upload in parts */
};

/* ---- the file ---- */

/* Files of /proc say that they are empty, and are not. */
static bool put_is_whole(int fd, const struct stat *st)
{
	char byte;

	return S_ISREG(st->st_mode) &&
	       (st->st_size || pread(fd, &byte, 1, 0) <= 0);
}

static int put_open_local(struct upload *u, struct buf *why)
{
	bool standard = !strcmp(u->job->local, "-");
	int fd = standard
			 ? STDIN_FILENO
			 : open(u->job->local, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc = 0;

	if (fd < 0 || fstat(fd, &u->before)) {
		rc = -errno;
	} else if (!standard && put_is_whole(fd, &u->before)) {
		u->regular = true;
		u->fd = fd;
		u->size = u->before.st_size;
		return 0;
	} else if (S_ISDIR(u->before.st_mode)) {
		rc = -EISDIR;
	} else {
		rc = transfer_file_spool(fd, &u->fd, &u->size);
	}
	if (fd >= 0 && !standard)
		close(fd);
	if (rc)
		buf_adds(why, strerror(-rc));
	return rc;
}

static int put_check_unchanged(const struct upload *u, struct buf *why)
{
	const struct stat *a = &u->before;
	struct stat b;

	if (!u->regular)
		return 0;
	if (fstat(u->fd, &b))
		return -errno;
	if (a->st_size == b.st_size && a->st_mtim.tv_sec == b.st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b.st_mtim.tv_nsec)
		return 0;
	return buf_fail(why, -EBUSY,
			"the file changed while it was sent: send it again");
}

/* ---- one PUT ---- */

static int put_one(struct upload *u, struct buf *why)
{
	struct transfer_remote *r = &u->job->remote;
	bool local = transfer_local_is(r);
	const struct store_owner owner = {
		.uid = geteuid(),
		.gid = getegid(),
		.mode = transfer_local_mode(u->before.st_mode),
	};
	const struct store_meta meta = {
		.owner = local && u->regular ? &owner : NULL,
		.content_type = r->content_type,
	};
	struct store_body body = { .data = u->fd < 0 ? "" : NULL,
				   .fd = u->fd,
				   .len = u->size };
	int scratch = -1, rc = 0;

	if (local && u->fd >= 0) {
		rc = transfer_local_fill(u->t, r, u->fd, u->size, &scratch);
		body.fd = scratch;
		body.adopt = true;
	}
	if (!rc && !local)
		rc = transfer_pace(u->t, u->size);
	if (!rc)
		rc = store_put(r->store, r->key, &body, &meta, NULL, NULL);
	if (scratch >= 0)
		close(scratch);
	if (rc)
		return transfer_remote_fail(r, rc, why);
	if (!local)
		transfer_moved(u->t, (int64_t)u->size);
	return 0;
}

/* ---- parts ---- */

struct sending {
	struct upload *u;
	struct upload_parts *parts;
	uint64_t part_size;
	unsigned n;
	int64_t moved; /* atomic: bytes */
	struct put_part *sent;
};

struct put_part {
	struct sending *s;
	uint64_t len;
};

static void put_ended(void *arg, int rc)
{
	struct put_part *p = arg;

	if (rc)
		return;
	__atomic_add_fetch(&p->s->moved, (int64_t)p->len, __ATOMIC_RELAXED);
	transfer_moved(p->s->u->t, (int64_t)p->len);
}

/* As many at once as there are requests to spare. */
static int put_part(struct sending *s, unsigned number)
{
	struct upload *u = s->u;
	struct put_part *p = &s->sent[number - 1];
	unsigned width = transfer_width(u->t);
	struct part_range range;
	struct upload_part part = { .ended = put_ended, .arg = p };
	int rc = parts_numbered(s->part_size, number, &range);

	if (rc)
		return rc;
	p->s = s;
	p->len = number_min(u->size - range.start, range.len);
	part.number = number;
	part.offset = range.start;
	part.body = (struct store_body){ .fd = u->fd,
					 .offset = range.start,
					 .len = p->len };
	rc = upload_parts_wait(s->parts, number_min(width, PARTS_WIDTH) - 1);
	if (!rc)
		rc = upload_parts_error(s->parts, false);
	if (!rc)
		rc = transfer_pace(u->t, p->len);
	return rc ? rc : upload_parts_send(s->parts, &part);
}

static int put_complete(struct sending *s, struct buf *why)
{
	int rc = upload_parts_complete(s->parts, s->n, NULL, NULL);

	if (rc && rc != -EDOM)
		buf_addf(why, "the parts cannot be put together: %s",
			 rc == -EINTR ? "interrupted" : strerror(-rc));
	return rc;
}

static int put_send(struct sending *s, struct buf *why)
{
	int rc = 0;

	for (unsigned i = 1; i <= s->n && !rc; i++)
		if (!upload_parts_has(s->parts, i))
			rc = put_part(s, i);
	if (!rc)
		rc = upload_parts_wait(s->parts, 0);
	if (!rc)
		rc = upload_parts_error(s->parts, false);
	if (rc)
		return transfer_remote_fail(&s->u->job->remote, rc, why);
	return put_complete(s, why);
}

/* ---- an upload that an earlier run left ---- */

/* Where nothing can be kept, nothing is gone on with. */
static int put_find_left(struct upload *u)
{
	const struct transfer_remote *r = &u->job->remote;
	const char *dir = transfer_settings(u->t)->uploads;

	if (!dir)
		return -ENOENT;
	transfer_resume_sweep(dir, r->stage->store);
	return transfer_resume_open(&u->resume, dir, r->stage->store, r->key);
}

static struct transfer_source put_source(const struct sending *s)
{
	const struct stat *st = &s->u->before;

	return (struct transfer_source){
		.part_size = s->part_size,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = s->u->size,
		.mtime = st->st_mtim,
		.content_type = s->u->job->remote.content_type,
	};
}

/* Its bytes may be others by now, whatever the file's time says. */
static int put_keep(void *arg, const struct store_part_there *part)
{
	struct sending *s = arg;
	struct part_range range;
	bool equal = false;
	uint64_t len;
	int rc;

	if (waiter_interrupted(waiter_self()))
		return -EINTR;
	if (part->number > s->n ||
	    parts_numbered(s->part_size, part->number, &range))
		return 0;
	len = number_min(s->u->size - range.start, range.len);
	if (part->size != len)
		return 0;
	rc = transfer_file_part_equal(s->u->fd, range.start, len, part->etag,
				      &equal);
	if (rc || !equal)
		return rc;
	s->moved += (int64_t)len;
	transfer_moved(s->u->t, (int64_t)len);
	return 1;
}

/* What has arrived is not paid for unseen. */
static int put_abort_left(struct upload *u)
{
	struct store_pending left = upload_record_pending(&u->resume.record);
	int rc = store_pending_abort(u->job->remote.stage->store, &left);

	if (!rc)
		transfer_resume_forget(&u->resume);
	return rc;
}

/* 1: s->parts is the upload that was left; 0: there is none to go on with. */
static int put_resume(struct sending *s, struct buf *why)
{
	struct upload *u = s->u;
	const struct transfer_source source = put_source(s);
	struct store_pending left = upload_record_pending(&u->resume.record);
	int rc = -ESTALE;

	if (!u->resume.saved)
		return 0;
	if (transfer_resume_is_of(&u->resume, &source))
		rc = upload_parts_resume(u->job->remote.store, &left,
					 PARTS_WIDTH, put_keep, s, &s->parts);
	if (!rc)
		return 1;
	transfer_moved(u->t, -s->moved);
	s->moved = 0;
	switch (-rc) {
	case ESTALE: /* of other bytes */
	case EACCES: /* these keys may not look */
		put_abort_left(u);
		/* fall through */
	case ENOENT:
		transfer_resume_forget(&u->resume);
		return 0;
	}
	buf_addf(why, "the upload that was left cannot be gone on with: %s",
		 rc == -EINTR ? "interrupted" : strerror(-rc));
	return rc;
}

/* ---- begin and end ---- */

static int put_begin(struct sending *s, struct buf *why)
{
	struct transfer_remote *r = &s->u->job->remote;
	const struct store_meta meta = { .content_type = r->content_type };
	const struct transfer_source source = put_source(s);
	int rc = put_resume(s, why);

	if (rc)
		return rc > 0 ? 0 : rc;
	rc = upload_parts_open(r->store, r->key, &meta, PARTS_WIDTH, &s->parts);
	if (rc) {
		buf_addf(why, "the upload cannot be begun: %s",
			 rc == -EINTR ? "interrupted" : strerror(-rc));
		return rc;
	}
	transfer_resume_keep(&s->u->resume, r->stage->store, r->key,
			     store_upload_id(upload_parts_upload(s->parts)),
			     &source);
	return 0;
}

/* Can it end otherwise, of the same parts? */
static bool put_may_go_on(int rc)
{
	switch (-rc) {
	case EDOM:
	case EFBIG:
	case EINVAL:
	case ENODEV:
	case ENOSPC:
		return false;
	}
	return true;
}

/* What has arrived stays for the next run, if that is known to find it; else
 * the upload is aborted, whatever ends it early, an interrupt too: parts that
 * are not completed would be paid for unseen. */
static void put_leave(struct sending *s, int rc, struct buf *why)
{
	upload_parts_stop(s->parts);
	if (s->u->resume.saved && s->moved && put_may_go_on(rc)) {
		if (rc != -EINTR)
			buf_adds(why, "; the same command goes on there");
	} else if (upload_parts_abort(s->parts)) {
		buf_adds(why, "; its parts could not be removed");
	} else {
		transfer_resume_forget(&s->u->resume);
	}
}

static int put_parts_once(struct upload *u, struct buf *why)
{
	struct transfer_remote *r = &u->job->remote;
	struct sending s = { .u = u };
	bool even = store_lacks(r->stage->store, STORE_LACKS_UNEVEN);
	int rc = parts_plan(r->part_size, even, u->size, &s.part_size);

	if (rc || u->size > r->store->limits.object_max)
		return transfer_remote_fail(r, -EFBIG, why);
	s.n = parts_count(s.part_size, u->size);
	s.sent = calloc(s.n, sizeof(*s.sent));
	if (!s.sent)
		return -ENOMEM;
	rc = put_begin(&s, why);
	if (!rc) {
		rc = put_send(&s, why);
		if (rc)
			put_leave(&s, rc, why);
		else
			transfer_resume_forget(&u->resume);
	}
	if (rc)
		transfer_moved(u->t, -s.moved);
	upload_parts_free(s.parts);
	free(s.sent);
	return rc;
}

/* Once more where the store turns out to want all parts but the last of one
 * length. */
static int put_parts(struct upload *u, struct buf *why)
{
	int rc;

	if (u->regular)
		put_find_left(u);
	rc = put_parts_once(u, why);
	if (rc == -EDOM) {
		store_learn_lack(u->job->remote.stage->store,
				 STORE_LACKS_UNEVEN);
		rc = put_parts_once(u, why);
	}
	transfer_resume_close(&u->resume);
	return rc;
}

static int put_send_all(struct upload *u, struct buf *why)
{
	const struct transfer_remote *r = &u->job->remote;

	if (r->stage && r->stage->ro)
		return buf_fail(why, -EROFS, "stage %s is read-only%s",
				r->stage->name,
				r->by_url ? ": no URL for uploads" : "");
	if (!r->stage || transfer_local_is(r) ||
	    parts_count(r->part_size, u->size) == 1)
		return put_one(u, why);
	return put_parts(u, why);
}

/* ---- what is there already ---- */

/* 1: the object has these bytes; 0: not, or nothing tells; -errno. */
static int put_is_there(struct upload *u)
{
	const struct transfer_remote *r = &u->job->remote;
	struct object_details there = { 0 };
	bool equal = false;
	int rc;

	if (!r->stage || u->job->there == TRANSFER_ABSENT)
		return 0;
	if (u->job->there == TRANSFER_THERE) {
		rc = transfer_file_equal(u->fd, u->size, r->part_size,
					 &u->job->found, &equal);
		/* Some servers list other ETags than their objects have. */
		if (rc || equal || u->job->found.size != u->size)
			return rc ? rc : equal;
	}
	if (transfer_local_is(r)) {
		rc = transfer_local_equal(r, u->fd, u->size, &equal);
	} else {
		/* nothing is listed: keys that may not do that will do */
		rc = store_head(r->stage->store, r->key, &there);
		if (!rc)
			rc = transfer_file_equal(u->fd, u->size, r->part_size,
						 &there.info, &equal);
		else if (rc == -ENOENT || rc == -EACCES)
			rc = 0;
	}
	return rc ? rc : equal;
}

/* Ends what an earlier run left of it. */
static int put_abort(struct upload *u, struct buf *why)
{
	const struct transfer_remote *r = &u->job->remote;
	int rc = -ENOENT;

	if (r->stage && !transfer_local_is(r) && !u->job->directory)
		rc = put_find_left(u);
	if (!rc)
		rc = u->resume.saved ? put_abort_left(u) : -ENOENT;
	transfer_resume_close(&u->resume);
	if (rc == -EBUSY)
		buf_adds(why, "another stagefs sends it");
	else if (rc && rc != -ENOENT)
		buf_adds(why, strerror(-rc));
	return rc == -ENOENT ? -EEXIST : rc;
}

int transfer_put(struct transfer *t, struct transfer_job *job, struct buf *why)
{
	struct upload u = {
		.t = t, .job = job, .fd = -1, .resume = TRANSFER_RESUME_INIT
	};
	int rc = transfer_remote_open(&job->remote, why);

	if (!rc && transfer_settings(t)->abort)
		return put_abort(&u, why);
	if (!rc && !job->directory)
		rc = put_open_local(&u, why);
	if (!rc && transfer_settings(t)->skip_existing && !job->directory) {
		rc = put_is_there(&u);
		rc = rc > 0 ? -EEXIST : rc;
	}
	if (!rc)
		rc = put_send_all(&u, why);
	if (!rc)
		rc = put_check_unchanged(&u, why);
	if (u.fd >= 0)
		close(u.fd);
	return rc;
}
