/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts: sent asynchronously, or copied by the server.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/s3/s3_upload.h"
#include "store/s3/s3_doc.h"
#include "store/s3/s3_etag.h"
#include "store/s3/s3_head.h"
#include "store/s3/s3_info.h"
#include "store/s3/s3_judge.h"
#include "store/s3/s3_made.h"
#include "store/s3/s3_ops.h"
#include "store/s3/s3_perform.h"

struct s3_part {
	struct s3_call call; /* first */
	struct store_part *part;
};

/* A call on this upload's part: partNumber and uploadId are set. */
static void s3_part_call(struct s3_call *c, struct s3_upload *u,
			 unsigned number, const char *what)
{
	char text[16];

	s3_call_init(c, s3_of(u->base.store), HTTP_PUT, u->base.key, what);
	snprintf(text, sizeof(text), "%u", number);
	s3_call_query(c, "partNumber", text);
	s3_call_query(c, "uploadId", u->id);
	s3_made_add(c, S3_REQUEST_PART, NULL);
}

/* The ETag of the answer, and what completion will ask for. */
static int part_finish(struct s3_part *x, const struct http_reply *reply)
{
	struct store_part *part = x->part;
	struct object_info info;
	struct s3_part_record record = {
		.len = part->body.len,
		.crc32c = x->call.crc32c,
		.known = true,
		.has_crc = x->call.checksum == S3_CHECKSUM_CRC32C &&
			   !(x->call.without & S3_LACKS_CHECKSUM),
	};

	s3_info_written(reply, part->body.len, &info);
	if (!*info.etag || s3_etag_is_hash(info.etag))
		return s3_judge_failed(&x->call, reply, -EIO,
				       "the answer has no ETag that can be "
				       "sent back");
	memcpy(part->etag, info.etag, sizeof(part->etag));
	return s3_upload_record_part(s3_upload_of(part->upload), part->number,
				     &record);
}

static void part_done(struct http_call *http, const struct http_reply *reply)
{
	struct s3_part *x = (struct s3_part *)http;
	struct store_part *part = x->part;
	int rc = s3_judge_outcome(&x->call, reply->rc, reply);

	if (!rc)
		rc = part_finish(x, reply);
	s3_perform_ended(&x->call, &part->state);
	part->done(part, rc);
}

static const struct http_call_ops part_ops = {
	.prepare = s3_call_prepare,
	.judge = s3_judge,
	.done = part_done,
};

static int part_start(struct s3_part *x, struct store_part *part)
{
	struct s3_upload *u = s3_upload_of(part->upload);
	struct http_reply none = { 0 };
	int rc;

	x->part = part;
	s3_part_call(&x->call, u, part->number, "upload a part");
	s3_call_by_url(&x->call, u->by);
	x->call.http.ops = &part_ops;
	x->call.http.class = HTTP_DATA;
	rc = s3_call_body(&x->call, &part->body);
	if (rc)
		return s3_judge_failed(&x->call, &none, rc,
				       "what is to be sent cannot be read");
	return s3_perform_start(&x->call, &part->state);
}

void s3_part(struct store_part *part)
{
	struct s3_part *x = calloc(1, sizeof(*x));
	int rc = x ? part_start(x, part) : -ENOMEM;

	if (!rc)
		return;
	s3_perform_drop(x ? &x->call : NULL);
	part->done(part, rc);
}

void s3_part_cancel(struct store_part *part)
{
	s3_perform_cancel(s3_of(part->upload->store), &part->state);
}

/* ---- copied by the server ---- */

void s3_part_source(struct s3_call *c, const struct s3 *from, const char *key,
		    const char *etag)
{
	BUF_LOCAL source = BUF_INIT(BUF_URL);

	buf_addc(&source, '/');
	sigv4_encode_path(&source, from->io.bucket);
	buf_addc(&source, '/');
	sigv4_encode_path(&source, key);
	if (buf_err(&source))
		c->rc = buf_err(&source);
	else
		s3_call_header(c, "x-amz-copy-source", buf_str(&source));
	if (etag && !s3_etag_is_hash(etag))
		s3_call_header(c, "x-amz-copy-source-if-match", etag);
	s3_made_add(c, S3_REQUEST_SOURCE, NULL);
}

static int part_parse_copied(struct s3_call *c, const struct buf *body)
{
	return s3_doc_result(buf_str(body), body->len, "CopyPartResult",
			     c->out);
}

/*
 * Ceph's RGW (up to 16 at least; its upload ids begin with `2~`) decodes the
 * source of a part twice: `a%41` is copied from `aA`, whatever the condition
 * says, and a `%` without digits after it ends the server.
 */
static bool part_is_misread(const struct s3_upload *u, const char *source)
{
	return text_starts_with(u->id, "2~") && strchr(source, '%');
}

void s3_part_copy_call(struct s3_call *c, struct s3_upload *u, unsigned number,
		       const struct s3 *from, const struct store_range *range,
		       struct s3_result_doc *out)
{
	s3_part_call(c, u, number, "copy a part");
	c->http.class = HTTP_DATA;
	s3_call_slow(c, range->len);
	s3_part_source(c, from, range->key, range->etag);
	if (part_is_misread(u, range->key) && !c->rc)
		c->rc = -ENOTSUP;
	s3_call_headerf(c, "x-amz-copy-source-range", "bytes=%llu-%llu",
			(unsigned long long)range->offset,
			(unsigned long long)(range->offset + range->len - 1));
	s3_call_parse(c, part_parse_copied, out);
}

int s3_part_copied(struct s3_call *c, struct s3_upload *u,
		   const struct http_reply *reply, uint64_t len,
		   struct store_part_done *done)
{
	const struct s3_result_doc *doc = c->out;
	struct s3_part_record record = { .len = len, .known = true };
	BUF_LOCAL crc = BUF_INIT(16);

	if (!*doc->etag || s3_etag_is_hash(doc->etag))
		return s3_judge_failed(c, reply, -EIO,
				       "the answer has no ETag that can be "
				       "sent back");
	memcpy(done->etag, doc->etag, sizeof(done->etag));
	if (!base64_decode(doc->crc32c, strlen(doc->crc32c), &crc) &&
	    crc.len == 4) {
		record.has_crc = true;
		for (int i = 0; i < 4; i++)
			record.crc32c =
				record.crc32c << 8 | (unsigned char)crc.data[i];
	}
	return s3_upload_record_part(u, done->number, &record);
}

/* Of the object that the upload is to replace: one look does for all of them,
 * when it is completed (s3_upload_locked.source). */
static bool part_is_of_replaced(struct s3_upload *u,
				const struct store_range *from)
{
	bool is = !strcmp(from->key, u->base.key);
	char *source;

	lock_take(&u->lock);
	source = s3_upload_locked(u)->source;
	if (is && !*source)
		strcpy(source, from->etag);
	is = is && !strcmp(source, from->etag);
	lock_drop(&u->lock);
	return is;
}

int s3_part_copy(struct store_upload *base, unsigned number, uint64_t at,
		 const struct store_range *from, struct store_part_done *out)
{
	struct s3_upload *u = s3_upload_of(base);
	struct s3_result_doc doc;
	S3_CALL_LOCAL c;
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc;

	s3_part_copy_call(&c, u, number, s3_of(base->store), from, &doc);
	rc = s3_perform(&c, &reply);
	if (!rc)
		rc = s3_part_copied(&c, u, &reply, from->len, out);
	if (!rc && from->etag && !part_is_of_replaced(u, from))
		rc = s3_head_same(c.s3, from->key, from->etag);
	return rc;
}
