/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multipart by URL. Part and complete URLs carry the upload's id, which only
 * the store gives, so the upload is begun here: a URL for that alone would
 * leave its user with an id and no signatures for it. When anything fails after
 * that the upload is aborted.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "presign/presign_fields.h"

struct parts {
	struct stage *stage;
	const char *key;
	const struct presign_request *req;
	const char *id;
	unsigned parts;
	uint64_t size, part_size; /* 0: not given */
	struct store_presigned row; /* of the last URL */
	struct buf *out, *why;
};

/* ---- sizes ---- */

/* Parts of the same length but the last, within the store's limits. */
static int parts_plan(struct parts *j)
{
	const struct store_limits *l = &j->stage->store->limits;
	const char *length = j->req->content_length;

	if (!j->parts || j->parts > l->parts_max)
		return buf_fail(j->why, -EINVAL, "parts = %u: 1 to %u",
				j->parts, l->parts_max);
	if (!length)
		return 0;
	if (parse_u64(length, l->object_max, &j->size) || !j->size) {
		buf_adds(j->why, "content-length = ");
		text_printable(j->why, length);
		return buf_fail(j->why, -EINVAL, ": 1 to %llu bytes",
				(unsigned long long)l->object_max);
	}
	j->part_size = (j->size + j->parts - 1) / j->parts;
	if (j->part_size * (j->parts - 1) < j->size &&
	    j->part_size <= l->put_max &&
	    (j->parts == 1 || j->part_size >= l->part_min))
		return 0;
	buf_addf(j->why, "%s bytes in %u parts: a part has %llu to %llu bytes",
		 length, j->parts, (unsigned long long)l->part_min,
		 (unsigned long long)l->put_max);
	return j->part_size > l->put_max ? -EFBIG : -EINVAL;
}

static uint64_t parts_length(const struct parts *j, unsigned number)
{
	return number < j->parts ? j->part_size
				 : j->size - j->part_size * (j->parts - 1);
}

/* ---- URLs ---- */

static int parts_sign(struct parts *j, enum presign_action action,
		      const char *number, const char *length)
{
	struct presign_request r = {
		.action = action,
		.expire = j->req->expire,
		.expire_max = j->req->expire_max,
		.upload_id = j->id,
		.part_number = number,
		.content_length = length,
		.strict = j->req->strict,
	};

	store_presign_clear(&j->row);
	return presign(j->stage, j->key + strlen(j->stage->prefix), &r, &j->row,
		       j->why);
}

static void parts_add_url(struct parts *j)
{
	buf_addf(j->out,
		 "\"method\":\"%s\",\"headers\":%s,\"url\":", j->row.method,
		 j->row.headers);
	text_json_string(j->out, j->row.url);
	buf_addc(j->out, '}');
}

static int parts_add(struct parts *j, unsigned number)
{
	char text[16], length[32];
	int rc;

	snprintf(text, sizeof(text), "%u", number);
	snprintf(length, sizeof(length), "%llu",
		 (unsigned long long)parts_length(j, number));
	rc = parts_sign(j, PRESIGN_PART, text, j->size ? length : NULL);
	if (rc)
		return rc;
	buf_addf(j->out, "%s{\"part_number\":%u,", number > 1 ? "," : "",
		 number);
	if (j->size)
		buf_addf(j->out, "\"size\":%s,", length);
	parts_add_url(j);
	return buf_err(j->out);
}

static int parts_add_end(struct parts *j, const char *name,
			 enum presign_action action)
{
	int rc = parts_sign(j, action, NULL, NULL);

	if (rc)
		return rc;
	buf_addf(j->out, ",\"%s\":{", name);
	parts_add_url(j);
	return buf_err(j->out);
}

static int parts_write(struct parts *j)
{
	int rc = 0;

	buf_adds(j->out, "{\"upload_id\":");
	text_json_string(j->out, j->id);
	if (j->size)
		buf_addf(j->out, ",\"part_size\":%llu",
			 (unsigned long long)j->part_size);
	buf_adds(j->out, ",\"parts\":[");
	for (unsigned n = 1; !rc && n <= j->parts; n++)
		rc = parts_add(j, n);
	buf_addc(j->out, ']');
	if (!rc)
		rc = parts_add_end(j, "complete", PRESIGN_COMPLETE);
	if (!rc)
		rc = parts_add_end(j, "abort", PRESIGN_ABORT);
	if (!rc)
		presign_row_end(&j->row, j->out); /* dies as early as all */
	return rc ? rc : buf_err(j->out);
}

/* ---- the upload ---- */

/* What the upload is begun with: all headers but its length, which each part
 * has for itself. A checksum of the whole cannot be signed into parts. */
static int parts_begin(struct parts *j, struct store_upload **out)
{
	struct presign_request r = *j->req;
	struct presign_fields f;
	struct store_presigned probe;
	struct store_meta meta = { .foreign_parts = true };
	int rc;

	if (r.checksum)
		return buf_fail(j->why, -EINVAL, "checksum: not for parts");
	r.content_length = NULL;
	/* Whatever would be refused is refused before anything is begun. */
	rc = presign(j->stage, j->key + strlen(j->stage->prefix), &r, &probe,
		     j->why);
	store_presign_clear(&probe);
	if (rc)
		return rc;
	rc = presign_fields(&r, j->key, &j->stage->store->limits, &f, j->why);
	meta.headers = f.headers;
	meta.n_headers = f.n_headers;
	if (!rc)
		rc = store_upload_open(j->stage->store, j->key, &meta, out);
	if (rc && !j->why->len)
		buf_addf(j->why, "the upload cannot be begun: %s",
			 strerror(-rc));
	presign_fields_clear(&f);
	return rc;
}

int presign_parts(struct stage *s, const char *path,
		  const struct presign_request *req, unsigned parts,
		  struct buf *out, struct buf *why)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX);
	struct parts j = {
		.stage = s, .req = req, .parts = parts, .out = out, .why = why
	};
	struct store_upload *u = NULL;
	int rc = presign_key(s, path, req, &key, why);

	j.key = buf_str(&key);
	if (!rc)
		rc = parts_plan(&j);
	if (!rc)
		rc = parts_begin(&j, &u);
	if (!rc) {
		j.id = store_upload_id(u);
		rc = parts_write(&j);
	}
	if (rc && u)
		store_upload_abort(u);
	if (u)
		store_upload_free(u);
	store_presign_clear(&j.row);
	return rc;
}
