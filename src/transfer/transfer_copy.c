/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file from stage to stage. Within one bucket of one server the server
 * copies it, with its headers, pinned to the version that was listed; else its
 * bytes come to a file of $TMPDIR and go on from there, by the ways of get and
 * put.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "stage/stage.h"
#include "store/store.h"
#include "transfer/transfer.h"

/* Are they one bucket, by whatever stages? */
static bool copy_same_place(struct store *a, struct store *b)
{
	BUF_LOCAL x = BUF_INIT(BUF_MESSAGE), y = BUF_INIT(BUF_MESSAGE);
	bool same = a == b;

	if (!same && a->ops == b->ops && !a->broken && !b->broken) {
		store_locate(a, "", &x);
		store_locate(b, "", &y);
		buf_addc(&x, ' ');
		buf_addc(&y, ' ');
		store_describe(a, &x);
		store_describe(b, &y);
		same = !buf_err(&x) && !strcmp(buf_str(&x), buf_str(&y));
	}
	return same;
}

static int copy_by_server(struct transfer *t, struct transfer_job *job,
			  struct buf *why)
{
	struct store *s = job->to.stage->store;
	char *etag = job->info.etag;
	struct object_info now;
	int rc = store_copy(s, job->remote.key, *etag ? etag : NULL,
			    job->to.key, NULL, NULL);

	/* Some servers list other ETags than their objects have. */
	if (rc == -ESTALE && s->ops->confirm) {
		rc = store_confirm(s, job->remote.key, etag, &now);
		if (!rc) {
			memcpy(etag, now.etag, sizeof(now.etag));
			rc = store_copy(s, job->remote.key, etag, job->to.key,
					NULL, NULL);
		}
	}
	if (rc == -ESTALE)
		buf_adds(why, "the object changed meanwhile");
	else if (rc)
		buf_adds(why, rc == -EINTR ? "interrupted"
					   : store_error_words(s, rc));
	if (!rc && job->info.size != TRANSFER_UNKNOWN)
		transfer_moved(t, (int64_t)job->info.size);
	return rc;
}

/* A name in a directory of its own, which is there when this is 0. */
static int copy_temporary(char **dir, char **file)
{
	const char *base = getenv("TMPDIR");

	*file = NULL;
	if (asprintf(dir, "%s/stagefs-copy.XXXXXX",
		     base && *base ? base : "/tmp") < 0) {
		*dir = NULL;
		return -ENOMEM;
	}
	if (!mkdtemp(*dir)) {
		int rc = -errno;

		free(*dir);
		*dir = NULL;
		return rc;
	}
	return asprintf(file, "%s/object", *dir) < 0 ? -ENOMEM : 0;
}

/* The job does one half after the other; `to` becomes its remote. */
static int copy_by_bytes(struct transfer *t, struct transfer_job *job,
			 struct buf *why)
{
	char *dir = NULL, *file = NULL, *label = job->local;
	int rc = copy_temporary(&dir, &file);

	if (!rc) {
		job->local = file;
		rc = transfer_get(t, job, why);
	}
	if (!rc) {
		struct transfer_remote from = job->remote;

		job->remote = job->to;
		rc = transfer_put(t, job, why);
		job->to = job->remote;
		job->remote = from;
	}
	job->local = label;
	if (file)
		unlink(file);
	if (dir)
		rmdir(dir);
	free(file);
	free(dir);
	return rc;
}

/* By its name: the server may be known by two. */
static bool copy_is_itself(const struct transfer_job *job)
{
	BUF_LOCAL a = BUF_INIT(BUF_URL), b = BUF_INIT(BUF_URL);

	store_locate(job->remote.stage->store, job->remote.key, &a);
	store_locate(job->to.stage->store, job->to.key, &b);
	return !strcmp(buf_str(&a), buf_str(&b));
}

int transfer_copy(struct transfer *t, struct transfer_job *job, struct buf *why)
{
	if (copy_is_itself(job))
		return buf_fail(why, -EINVAL, "it is the same file");
	if (job->to.stage->ro)
		return buf_fail(why, -EROFS, "stage %s is read-only",
				job->to.stage->name);
	return copy_same_place(job->remote.stage->store, job->to.stage->store)
		       ? copy_by_server(t, job, why)
		       : copy_by_bytes(t, job, why);
}
