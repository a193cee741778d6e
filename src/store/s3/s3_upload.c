/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multipart uploads: begin, complete, abort, and those that were never ended,
 * which are gone on with or aborted.
 *
 * With CRC-32C the upload is begun as one that has it, every part carries its
 * own, and completion repeats them, as Amazon asks; the handle keeps them.
 *
 * Completion answers 200 before it has ended, with an error inside if it
 * fails (s3_call's parse finds that). When its answer gets lost the next
 * attempt is told NoSuchUpload, or 412 by our own object: then what is there
 * decides, by the ETag that these parts make. After NoSuchUpload it is looked
 * at even if no attempt of ours was lost: libcurl sends a request again by
 * itself when a kept-alive connection turns out to be dead.
 *
 * When the answer to a beginning gets lost the upload may be there, and its id
 * is not known. The store would list it; but it lists nothing by which it
 * differs from one that another machine has just begun for the same key and
 * sent no part of yet. An upload that another machine works on must not be
 * aborted: so it stays, is said, and is for the bucket's rule for incomplete
 * uploads.
 */
#include "store/s3/s3_upload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/s3/s3_doc.h"
#include "store/s3/s3_etag.h"
#include "store/s3/s3_head.h"
#include "store/s3/s3_info.h"
#include "store/s3/s3_judge.h"
#include "store/s3/s3_lack.h"
#include "store/s3/s3_made.h"
#include "store/s3/s3_ops.h"
#include "store/s3/s3_perform.h"

#define CLOCK_SLACK_S 5

int s3_upload_record_part(struct s3_upload *u, unsigned number,
			  const struct s3_part_record *record)
{
	struct s3_upload_locked *g;
	int rc;

	lock_take(&u->lock);
	g = s3_upload_locked(u);
	rc = ARRAY_RESERVE(g->records, g->n, number);
	if (!rc)
		g->records[number - 1] = *record;
	lock_drop(&u->lock);
	return rc;
}

/* An unknown one when nothing was noted. */
static struct s3_part_record s3_upload_recorded(struct s3_upload *u,
						unsigned number)
{
	struct s3_part_record record = { 0 };

	lock_take(&u->lock);
	if (number <= s3_upload_locked(u)->n)
		record = s3_upload_locked(u)->records[number - 1];
	lock_drop(&u->lock);
	return record;
}

/* ---- begin ---- */

static void s3_upload_tell_lost(const struct s3_call *c)
{
	struct log_where where = { .stage = c->s3->base.name, .key = c->key };

	log_at(LOG_LEVEL_INFO, &where,
	       "an answer was lost when an upload was begun: one may be left "
	       "there, for the bucket's rule for incomplete uploads "
	       "(AbortIncompleteMultipartUpload)");
}

static int upload_parse_id(struct s3_call *c, const struct buf *body)
{
	return s3_doc_upload_id(buf_str(body), body->len, c->out);
}

static int upload_begin_call(struct s3_call *c, struct s3_upload *u,
			     bool checksums)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	BUF_LOCAL id = BUF_INIT(2048);
	int rc;

	if (checksums && c->s3->checksum == S3_CHECKSUM_CRC32C)
		s3_call_header(c, "x-amz-checksum-algorithm", "CRC32C");
	s3_call_query(c, "uploads", "");
	s3_call_parse(c, upload_parse_id, &id);
	rc = s3_perform(c, &reply);
	if (c->maybe_done)
		s3_upload_tell_lost(c);
	u->id = rc ? NULL : buf_detach(&id);
	if (!rc && !u->id)
		rc = -ENOMEM;
	return rc;
}

static struct s3_upload *upload_new(struct s3 *s, const char *key)
{
	struct s3_upload *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	lock_init(&u->lock, LOCK_S3_UPLOAD);
	u->base.store = &s->base;
	u->base.key = strdup(key);
	if (u->base.key)
		return u;
	s3_upload_free(&u->base);
	return NULL;
}

static int upload_begin(struct s3_call *c, const char *key, const char *tags,
			bool checksums, struct store_upload **out)
{
	struct s3_upload *u = upload_new(c->s3, key);
	int rc;

	if (!u)
		return -ENOMEM;
	u->tags = tags ? strdup(tags) : NULL;
	rc = u->tags || !tags ? upload_begin_call(c, u, checksums) : -ENOMEM;
	if (rc)
		s3_upload_free(&u->base);
	else
		*out = &u->base;
	return rc;
}

int s3_upload_open(struct store *store, const char *key,
		   const struct store_meta *meta, struct store_upload **out)
{
	const char *tags = meta && meta->props
				   ? props_get(meta->props, PROP_TAGGING)
				   : NULL;
	S3_CALL_LOCAL c;

	s3_call_init(&c, s3_of(store), HTTP_POST, key, "begin an upload");
	s3_made_add(&c, S3_REQUEST_NEW, meta);
	return upload_begin(&c, key, tags, !meta || !meta->foreign_parts, out);
}

void s3_upload_free(struct store_upload *base)
{
	struct s3_upload *u = s3_upload_of(base);

	lock_take(&u->lock);
	free(s3_upload_locked(u)->records);
	lock_drop(&u->lock);
	lock_destroy(&u->lock);
	free(u->id);
	free(u->tags);
	free(u->base.key);
	free(u);
}

const char *s3_upload_id(struct store_upload *u)
{
	return s3_upload_of(u)->id;
}

/* ---- gone on with ---- */

static int s3_upload_parts_parse(struct s3_call *c, const struct buf *body)
{
	return s3_doc_parts(buf_str(body), body->len, c->out);
}

/* The parts behind number `after`. */
static int s3_upload_parts_page(struct s3_upload *u, unsigned after,
				struct s3_parts_doc *out)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	S3_CALL_LOCAL c;
	char number[16];
	int rc;

	s3_call_init(&c, s3_of(u->base.store), HTTP_GET, u->base.key,
		     "list the upload's parts");
	s3_call_query(&c, "uploadId", u->id);
	if (after) {
		snprintf(number, sizeof(number), "%u", after);
		s3_call_query(&c, "part-number-marker", number);
	}
	s3_call_parse(&c, s3_upload_parts_parse, out);
	c.quiet = true;
	rc = s3_perform(&c, &reply);
	if (rc && !reply.rc && reply.status == 404)
		return -ENOENT;
	if (rc)
		s3_judge_speak(&c, rc, &reply);
	return rc;
}

static int s3_upload_parts_tell(struct s3_upload *u,
				const struct s3_parts_doc *doc,
				store_part_there_fn *there, void *arg)
{
	int rc = 0;

	for (unsigned i = 0; i < doc->n && !rc; i++) {
		const struct store_part_there *part = &doc->at[i];
		const struct s3_part_record record = { .len = part->size,
						       .known = true };

		rc = s3_upload_record_part(u, part->number, &record);
		if (!rc)
			rc = there(arg, &u->base, part);
	}
	return rc;
}

static int s3_upload_parts_tell_all(struct s3_upload *u,
				    store_part_there_fn *there, void *arg)
{
	struct s3_parts_doc *doc = calloc(1, sizeof(*doc));
	unsigned after = 0;
	int rc = doc ? 0 : -ENOMEM;

	while (!rc) {
		rc = s3_upload_parts_page(u, after, doc);
		if (!rc)
			rc = s3_upload_parts_tell(u, doc, there, arg);
		if (rc || !doc->truncated)
			break;
		/* A server that does not go on is not asked for ever. */
		if (!doc->n || doc->at[doc->n - 1].number <= after)
			rc = -EIO;
		else
			after = doc->at[doc->n - 1].number;
	}
	free(doc);
	return rc;
}

int s3_upload_resume(struct store *store, const struct store_pending *p,
		     store_part_there_fn *there, void *arg,
		     struct store_upload **out)
{
	struct s3_upload *u = upload_new(s3_of(store), p->key);
	int rc;

	if (!u)
		return -ENOMEM;
	u->id = strdup(p->id);
	rc = u->id ? s3_upload_parts_tell_all(u, there, arg) : -ENOMEM;
	if (rc)
		s3_upload_free(&u->base);
	else
		*out = &u->base;
	return rc;
}

/* ---- complete ---- */

struct completion {
	struct s3_upload *u;
	const struct store_part_done *parts;
	unsigned n;
	int64_t began;
	struct s3_result_doc doc;
};

static int upload_completion_parse(struct s3_call *c, const struct buf *body)
{
	return s3_doc_result(buf_str(body), body->len,
			     "CompleteMultipartUploadResult", c->out);
}

static void upload_completion_add_part(struct s3_call *c,
				       const struct completion *x,
				       const struct store_part_done *part)
{
	struct s3_part_record record = s3_upload_recorded(x->u, part->number);
	unsigned char big[4];

	buf_addf(&c->text, "<Part><PartNumber>%u</PartNumber><ETag>",
		 part->number);
	s3_doc_add_text(&c->text, part->etag);
	buf_adds(&c->text, "</ETag>");
	if (record.has_crc) {
		for (int i = 0; i < 4; i++)
			big[i] = record.crc32c >> (24 - 8 * i);
		buf_adds(&c->text, "<ChecksumCRC32C>");
		base64_encode(big, sizeof(big), &c->text);
		buf_adds(&c->text, "</ChecksumCRC32C>");
	}
	buf_adds(&c->text, "</Part>");
}

static uint64_t upload_completion_size(const struct completion *x)
{
	uint64_t size = 0;

	for (unsigned i = 0; i < x->n; i++)
		size += s3_upload_recorded(x->u, x->parts[i].number).len;
	return size;
}

/* The ETag that S3 gives these parts; false when theirs are no MD5s. */
static bool upload_completion_etag(const struct completion *x,
				   char out[STORE_ETAG_SIZE])
{
	struct digest *d = digest_new(DIGEST_MD5);
	unsigned char sum[SHA256_SIZE];
	char hex[2 * MD5_SIZE + 1];
	bool ok = d;

	for (unsigned i = 0; ok && i < x->n; i++) {
		ok = s3_etag_is_md5(x->parts[i].etag) &&
		     hex_decode(x->parts[i].etag + 1, MD5_SIZE, sum);
		if (ok)
			digest_add(d, sum, MD5_SIZE);
	}
	if (d)
		digest_end(d, sum);
	hex_encode(sum, MD5_SIZE, hex);
	snprintf(out, STORE_ETAG_SIZE, "\"%s-%u\"", hex, x->n);
	return ok;
}

/* Is what is there made of these parts? */
static bool upload_completion_is_ours(const struct completion *x,
				      struct object_info *out)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	char etag[STORE_ETAG_SIZE], end[16];
	const char *dash;
	int rc = s3_head_reply(s3_of(x->u->base.store), x->u->base.key, true,
			       out, &reply);
	bool ours = !rc;

	if (ours && upload_completion_etag(x, etag)) {
		ours = !strcmp(out->etag, etag);
	} else if (ours) {
		snprintf(end, sizeof(end), "-%u\"", x->n);
		dash = strrchr(out->etag, '-');
		ours = dash && !strcmp(dash, end) &&
		       out->mtime.tv_sec >= x->began - CLOCK_SLACK_S;
	}
	return ours;
}

/*
 * What is there now. The store knows best (the time is that of the upload's
 * beginning with some); without the right to read, the answer is what we know.
 */
static void upload_completion_info(const struct completion *x,
				   const struct http_reply *reply,
				   struct object_info *out)
{
	HTTP_REPLY_LOCAL head = { 0 };
	struct object_info there;
	int rc = s3_head_reply(s3_of(x->u->base.store), x->u->base.key, true,
			       &there, &head);

	s3_info_written(reply, upload_completion_size(x), out);
	memcpy(out->etag, x->doc.etag, sizeof(out->etag));
	if (!rc && (!*out->etag || !strcmp(out->etag, there.etag)))
		*out = there;
	if (!*out->etag)
		upload_completion_etag(x, out->etag);
}

/* Not all parts but the last have one length, which that does not exceed. */
static bool upload_completion_is_uneven(const struct completion *x)
{
	uint64_t first = s3_upload_recorded(x->u, x->parts[0].number).len;
	bool uneven = false;

	for (unsigned i = 1; !uneven && i < x->n; i++) {
		uint64_t len = s3_upload_recorded(x->u, x->parts[i].number).len;

		uneven = i + 1 < x->n ? len != first : len > first;
	}
	return uneven;
}

static int upload_completion_send(struct completion *x,
				  const struct store_cond *cond,
				  struct object_info *out)
{
	struct s3 *s = s3_of(x->u->base.store);
	struct s3_sign_ctx now;
	S3_CALL_LOCAL c;
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc;

	s3_state_sign_ctx(s, &now);
	x->began = clock_now_s() + now.skew_s;
	s3_call_init(&c, s, HTTP_POST, x->u->base.key, "complete the upload");
	s3_call_slow(&c, upload_completion_size(x));
	s3_call_query(&c, "uploadId", x->u->id);
	s3_made_add(&c, S3_REQUEST_COMPLETE, NULL);
	s3_call_cond(&c, cond);
	c.uneven = upload_completion_is_uneven(x);
	buf_adds(&c.text, "<CompleteMultipartUpload "
			  "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (unsigned i = 0; i < x->n; i++)
		upload_completion_add_part(&c, x, &x->parts[i]);
	buf_adds(&c.text, "</CompleteMultipartUpload>");
	s3_call_text(&c, "application/xml");
	s3_call_parse(&c, upload_completion_parse, &x->doc);
	rc = s3_perform(&c, &reply);
	if (rc == -EDOM)
		s3_lack_note_uneven(s);
	else if (!rc)
		upload_completion_info(x, &reply, out);
	else if ((reply.status == 404 ||
		  (reply.status == 412 && c.maybe_done)) &&
		 upload_completion_is_ours(x, out))
		rc = 0;
	return rc;
}

/* Is what parts were copied of still there? The condition tells it, where that
 * is its ETag. */
static int upload_source_holds(struct s3_upload *u,
			       const struct store_cond *cond)
{
	char etag[STORE_ETAG_SIZE];

	lock_take(&u->lock);
	memcpy(etag, s3_upload_locked(u)->source, sizeof(etag));
	lock_drop(&u->lock);
	if (!*etag || (cond && cond->if_match && !strcmp(cond->if_match, etag)))
		return 0;
	return s3_head_same(s3_of(u->base.store), u->base.key, etag);
}

int s3_upload_complete(struct store_upload *base,
		       const struct store_part_done *parts, unsigned n,
		       const struct store_cond *cond, struct object_info *out)
{
	struct completion x = { .u = s3_upload_of(base),
				.parts = parts,
				.n = n };
	struct s3 *s = s3_of(base->store);
	int rc = upload_source_holds(x.u, cond);

	if (!rc)
		rc = s3_head_cond(s, base->key, cond);
	if (!rc)
		rc = upload_completion_send(&x, cond, out);
	if (rc == -ENOTSUP && cond) {
		rc = s3_head_must_hold(s, base->key, cond);
		if (!rc)
			rc = upload_completion_send(&x, NULL, out);
		if (!rc)
			s3_lack_note(s, s3_lack_of_cond(cond));
	}
	if (!rc)
		s3_tags_hold(s, base->key, x.u->tags, S3_LACKS_UPLOAD_TAGS,
			     S3_HAS_UPLOAD_TAGS);
	return rc;
}

/* ---- aborted and abandoned ---- */

static int upload_abort_id(struct s3 *s, const char *key, const char *id)
{
	S3_CALL_LOCAL c;
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc;

	s3_call_init(&c, s, HTTP_DELETE, key, "abort the upload");
	s3_call_query(&c, "uploadId", id);
	c.quiet = true;
	rc = s3_perform(&c, &reply);
	if (rc && !reply.rc && reply.status == 404)
		rc = 0; /* it is gone already */
	else if (rc)
		s3_judge_speak(&c, rc, &reply);
	return rc;
}

int s3_upload_abort(struct store_upload *u)
{
	return upload_abort_id(s3_of(u->store), u->key, s3_upload_of(u)->id);
}

int s3_pending_abort(struct store *store, const struct store_pending *p)
{
	return upload_abort_id(s3_of(store), p->key, p->id);
}
