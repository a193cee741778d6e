/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multipart uploads. Parts are written where they will stand, into the file
 * that becomes the object, so completing costs nothing but what a PUT's end
 * costs. Which parts have come is known to the handle; that the upload has not
 * been aborted by another process, to the disk: completing renames its file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/lock.h"
#include "store/local/local_commit.h"
#include "store/local/local_error.h"
#include "store/local/local_file.h"
#include "store/local/local_ops.h"
#include "store/local/local_path.h"
#include "store/local/local_pending.h"
#include "store/local/local_record.h"
#include "store/local/local_root.h"

struct come {
	unsigned number;
	uint64_t offset, len;
	char etag[STORE_ETAG_SIZE];
};

struct uploading_locked {
	struct come *parts; /* by number */
	unsigned n;
	size_t cap;
};

struct uploading {
	struct store_upload base;
	char id[LOCAL_ID_SIZE];
	int dir, fd; /* its folder and its data */
	bool ended; /* aborted or completed */
	bool has_owner;
	struct store_owner owner;
	bool inherit;
	struct local_props kept;
	struct lock lock;
	struct uploading_locked guarded_;
};

static struct uploading *upload_of(struct store_upload *u)
{
	return (struct uploading *)u;
}

LOCK_GUARDS(uploading_locked, uploading, uploading_locked);

const char *local_upload_id(struct store_upload *base)
{
	return upload_of(base)->id;
}

void local_upload_free(struct store_upload *base)
{
	struct uploading *u = upload_of(base);

	if (u->dir >= 0)
		close(u->dir);
	if (u->fd >= 0)
		close(u->fd);
	LOCK_DO(&u->lock, free(uploading_locked(u)->parts));
	lock_destroy(&u->lock);
	free(u->base.key);
	free(u);
}

/* What the caller lent is kept for the end. */
static int upload_keep_meta(struct uploading *u, const struct store_meta *meta)
{
	int rc = local_record_props(&u->kept, meta);

	if (rc || !meta)
		return rc;
	if (meta->owner) {
		u->has_owner = true;
		u->owner = *meta->owner;
	}
	u->inherit = meta->inherit;
	return 0;
}

static int upload_check(struct local *l, const char *key)
{
	const char *why = NULL;
	int rc = local_root_writable(l, "upload", key);

	if (rc)
		return rc;
	rc = local_path_check(key, &why);
	if (!rc && key[strlen(key) - 1] == '/') {
		why = "a directory has no bytes of its own";
		rc = -EISDIR;
	}
	return rc ? local_error(l, "upload", key, rc, why) : 0;
}

int local_upload_open(struct store *s, const char *key,
		      const struct store_meta *meta, struct store_upload **out)
{
	struct local *l = local_of(s);
	struct uploading *u;
	int rc = upload_check(l, key);

	if (rc)
		return rc;
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->base.store = s;
	u->dir = u->fd = -1;
	lock_init(&u->lock, LOCK_LOCAL_UPLOAD);
	u->base.key = strdup(key);
	rc = u->base.key ? upload_keep_meta(u, meta) : -ENOMEM;
	if (!rc)
		rc = local_pending_make(l, key, u->id, &u->dir, &u->fd);
	if (rc) {
		local_upload_free(&u->base);
		return local_error(l, "upload", key, rc, NULL);
	}
	*out = &u->base;
	return 0;
}

/* ---- parts ---- */

static int upload_note_part_locked(struct uploading *u, const struct come *part)
	REQUIRES(&u->lock)
{
	struct uploading_locked *g = uploading_locked(u);
	unsigned i = g->n;

	while (i && g->parts[i - 1].number >= part->number)
		i--;
	if (i < g->n && g->parts[i].number == part->number) {
		g->parts[i] = *part;
		return 0;
	}
	if (ARRAY_RESERVE(g->parts, g->cap, g->n + 1))
		return -ENOMEM;
	memmove(g->parts + i + 1, g->parts + i, (g->n - i) * sizeof(*g->parts));
	g->parts[i] = *part;
	g->n++;
	return 0;
}

static int upload_note_part(struct uploading *u, unsigned number,
			    uint64_t offset, uint64_t len,
			    char etag[STORE_ETAG_SIZE])
{
	struct come part = { number, offset, len, "" };
	char id[LOCAL_ID_SIZE];
	int rc;

	local_file_random_id(id);
	snprintf(part.etag, sizeof(part.etag), "\"p-%s\"", id);
	rc = LOCK_UNDER(&u->lock, upload_note_part_locked(u, &part));
	memcpy(etag, part.etag, sizeof(part.etag));
	return rc;
}

static int upload_gone(struct uploading *u)
{
	return local_error(local_of(u->base.store), "upload", u->base.key, -EIO,
			   "the upload was aborted");
}

void local_upload_part(struct store_part *part)
{
	struct uploading *u = upload_of(part->upload);
	struct local *l = local_of(part->upload->store);
	int rc;

	if (u->ended) {
		part->done(part, upload_gone(u));
		return;
	}
	rc = local_file_write(&part->body, u->fd, part->offset);
	if (!rc)
		rc = upload_note_part(u, part->number, part->offset,
				      part->body.len, part->etag);
	if (rc)
		local_error(l, "upload", u->base.key, rc, NULL);
	part->done(part, rc);
}

/* A part has ended before its caller can cancel it. */
void local_upload_part_cancel(struct store_part *part)
{
}

int local_upload_part_copy(struct store_upload *base, unsigned number,
			   uint64_t at, const struct store_range *from,
			   struct store_part_done *out)
{
	struct uploading *u = upload_of(base);
	struct local *l = local_of(base->store);
	struct object_info info;
	int fd, rc;

	if (u->ended)
		return upload_gone(u);
	rc = local_read_open(base->store, from->key, from->etag, &fd, &info);
	if (rc)
		return rc;
	if (from->offset > info.size || from->len > info.size - from->offset)
		rc = -EINVAL;
	if (!rc)
		rc = local_file_copy(fd, from->offset, u->fd, at, from->len);
	if (!rc)
		rc = local_read_same(base->store, fd, info.etag);
	close(fd);
	if (!rc)
		rc = upload_note_part(u, number, at, from->len, out->etag);
	return rc ? local_error(l, "copy", from->key, rc, NULL) : 0;
}

/* ---- the end ---- */

/* The parts named, one behind the other: 0 and the object's size. */
static int upload_measure_locked(struct uploading *u,
				 const struct store_part_done *parts,
				 unsigned n, uint64_t *size) REQUIRES(&u->lock)
{
	const struct uploading_locked *g = uploading_locked(u);
	unsigned at = 0;

	*size = 0;
	for (unsigned i = 0; i < n; i++) {
		while (at < g->n && g->parts[at].number < parts[i].number)
			at++;
		if (at == g->n || g->parts[at].number != parts[i].number ||
		    strcmp(g->parts[at].etag, parts[i].etag))
			return -EIO;
		if (g->parts[at].offset != *size)
			return -EINVAL;
		*size += g->parts[at].len;
	}
	return 0;
}

static int upload_commit(struct uploading *u, const struct store_cond *cond,
			 struct object_info *out)
{
	struct local *l = local_of(u->base.store);
	const struct local_commit c = {
		.l = l,
		.what = "upload",
		.key = u->base.key,
		.owner = u->has_owner ? &u->owner : NULL,
		.cond = cond,
		.kept = &u->kept,
		.inherit = u->inherit,
		.fd = u->fd,
		.from_dir = u->dir,
		.from_name = LOCAL_DATA,
	};
	struct stat st;
	int rc;

	if (fstat(u->fd, &st) || !st.st_nlink)
		return upload_gone(u);
	rc = local_commit(&c, out);
	/* Its file has gone, not what a condition asked for. */
	return rc == -ENOENT && !(cond && cond->if_match) ? upload_gone(u) : rc;
}

int local_upload_complete(struct store_upload *base,
			  const struct store_part_done *parts, unsigned n,
			  const struct store_cond *cond,
			  struct object_info *out)
{
	struct uploading *u = upload_of(base);
	struct local *l = local_of(base->store);
	uint64_t size;
	int rc;

	if (u->ended)
		return upload_gone(u);
	rc = LOCK_UNDER(&u->lock, upload_measure_locked(u, parts, n, &size));
	if (!rc && ftruncate(u->fd, size))
		rc = -errno;
	if (rc)
		return local_error(l, "upload", base->key, rc,
				   rc == -EIO      ? "a part is missing"
				   : rc == -EINVAL ? "the parts leave a gap"
						   : NULL);
	rc = upload_commit(u, cond, out);
	if (!rc) {
		u->ended = true;
		local_pending_drop(l, u->id);
	}
	return rc;
}

int local_upload_abort(struct store_upload *base)
{
	struct uploading *u = upload_of(base);
	struct local *l = local_of(base->store);
	int rc = local_pending_drop(l, u->id);

	u->ended = true;
	return rc ? local_error(l, "abort an upload of", base->key, rc, NULL)
		  : 0;
}

/* ---- those that were not completed ---- */

static bool upload_is_id(const char *s)
{
	return strlen(s) == LOCAL_ID_SIZE - 1 &&
	       strspn(s, "0123456789abcdef") == LOCAL_ID_SIZE - 1;
}

/* The key of an upload that is whole; false: there is none. */

int local_upload_pending_abort(struct store *s, const struct store_pending *p)
{
	struct local *l = local_of(s);
	int rc = local_root_writable(l, "abort an upload of", p->key);

	if (rc)
		return rc;
	if (!upload_is_id(p->id))
		return -EINVAL;
	rc = local_pending_drop(l, p->id);
	return rc ? local_error(l, "abort an upload of", p->key, rc, NULL) : 0;
}
