/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One PUT. The answer of a conditional one can get lost: the next attempt
 * then meets our own object and fails with 412. So a 412 after a lost answer
 * is looked into: when what is there is what we sent, it was us.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/s3/s3_etag.h"
#include "store/s3/s3_head.h"
#include "store/s3/s3_info.h"
#include "store/s3/s3_judge.h"
#include "store/s3/s3_lack.h"
#include "store/s3/s3_made.h"
#include "store/s3/s3_ops.h"
#include "store/s3/s3_perform.h"
#include "store/s3/s3_plain.h"

#define CLOCK_SLACK_S 5

/* The MD5 of the body as an ETag has it. */
static int put_etag(const struct store_body *body, char out[STORE_ETAG_SIZE])
{
	unsigned char sum[MD5_SIZE];
	char hex[2 * MD5_SIZE + 1];
	int rc = s3_sum_md5(body, sum);

	hex_encode(sum, MD5_SIZE, hex);
	if (!rc)
		s3_etag_keep(hex, 2 * MD5_SIZE, out);
	return rc;
}

/* Has the object an ETag that is its MD5? Not where a key of KMS or of the
 * customer's encrypts it. */
static bool put_has_md5(const struct http_reply *head, const char *etag)
{
	BUF_LOCAL text = BUF_INIT(HTTP_HEADERS_MAX);
	bool has = s3_etag_is_md5(etag);

	if (http_reply_header(head, PROP_SSE, &text) &&
	    strcmp(buf_str(&text), "AES256") != 0)
		has = false;
	if (http_reply_header(head, PROP_SSE "-customer-algorithm", &text))
		has = false;
	return has;
}

/* Is what is there now what this call has sent? */
static bool put_is_ours(struct s3 *s, const char *key,
			const struct store_body *body, int64_t began,
			struct object_info *out)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	struct object_info there;
	char etag[STORE_ETAG_SIZE];
	int rc = s3_head_reply(s, key, true, &there, &reply);
	bool ours = !rc && there.size == body->len;

	if (ours && put_has_md5(&reply, there.etag))
		ours = !put_etag(body, etag) && !strcmp(etag, there.etag);
	else if (ours)
		ours = there.mtime.tv_sec >= began - CLOCK_SLACK_S;
	if (ours)
		*out = there;
	return ours;
}

static int put_once(struct s3 *s, struct s3_by_url *by, const char *key,
		    const struct store_body *body,
		    const struct store_meta *meta,
		    const struct store_cond *cond, struct object_info *out)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	struct s3_sign_ctx now;
	S3_CALL_LOCAL c;
	int64_t began;
	int rc;

	s3_state_sign_ctx(s, &now);
	began = clock_now_s() + now.skew_s;
	s3_call_init(&c, s, HTTP_PUT, key, "upload");
	s3_call_by_url(&c, by);
	c.http.class = HTTP_DATA;
	s3_made_add(&c, S3_REQUEST_NEW, meta);
	s3_call_cond(&c, cond);
	rc = s3_call_body(&c, body);
	if (rc) {
		rc = s3_judge_failed(&c, &reply, rc,
				     "what is to be sent cannot be read");
	} else {
		rc = s3_perform(&c, &reply);
		if ((rc == -EEXIST || rc == -ESTALE) && c.maybe_done &&
		    put_is_ours(s, key, body, began, out))
			rc = 0;
		else if (!rc)
			s3_info_written(&reply, body->len, out);
	}
	return rc;
}

/*
 * By the store's own condition; where it knows none, by a look right before.
 * That is taken for a lack once it has helped.
 */
static int put_cond(struct s3 *s, const char *key,
		    const struct store_body *body,
		    const struct store_meta *meta,
		    const struct store_cond *cond, struct object_info *out)
{
	unsigned lack = s3_lack_of_cond(cond);
	int rc = -ENOTSUP;

	if (!s3_state_lacks(s, lack))
		rc = put_once(s, NULL, key, body, meta, cond, out);
	if (rc != -ENOTSUP || !lack)
		return rc;
	rc = s3_head_must_hold(s, key, cond);
	if (!rc)
		rc = put_once(s, NULL, key, body, meta, NULL, out);
	if (!rc)
		s3_lack_note(s, lack);
	return rc;
}

/* bare: the ETag that must be there without its quotes. */
static int put_spelled(struct s3 *s, const char *key,
		       const struct store_body *body,
		       const struct store_meta *meta,
		       const struct store_cond *cond, bool bare,
		       struct object_info *out)
{
	struct store_cond spelled = { .if_match = NULL };
	char etag[STORE_ETAG_SIZE];
	size_t len = bare ? strlen(cond->if_match) : 0;

	if (len < 3)
		return put_cond(s, key, body, meta, cond, out);
	snprintf(etag, sizeof(etag), "%.*s", (int)len - 2, cond->if_match + 1);
	spelled.if_match = etag;
	return put_cond(s, key, body, meta, &spelled, out);
}

/*
 * Ceph RGW compares If-Match with the ETag as it stands in its metadata,
 * without quotes, and so refuses what is right: when the ETag that was asked
 * for is there, it is asked for once more in the other form, which is
 * remembered when it helps. A server whose answers look like Ceph's is asked in
 * that one's form from the start.
 */
static int put_match(struct s3 *s, const char *key,
		     const struct store_body *body,
		     const struct store_meta *meta,
		     const struct store_cond *cond, struct object_info *out)
{
	bool bare = s3_state_lacks(s, S3_WANTS_BARE_ETAG) &&
		    !s3_state_lacks(s, S3_WANTS_QUOTED_ETAG);
	HTTP_REPLY_LOCAL reply = { 0 };
	struct object_info there;
	int rc = put_spelled(s, key, body, meta, cond, bare, out);

	if (rc != -ESTALE || s3_state_lacks(s, S3_LACKS_MATCH))
		return rc;
	rc = s3_head_reply(s, key, true, &there, &reply);
	if (rc || strcmp(there.etag, cond->if_match))
		return -ESTALE;
	rc = put_spelled(s, key, body, meta, cond, !bare, out);
	if (!rc)
		s3_state_learn(s, bare ? S3_WANTS_QUOTED_ETAG
				       : S3_WANTS_BARE_ETAG);
	return rc;
}

int s3_put_by(struct s3 *s, struct s3_by_url *by, const char *key,
	      const struct store_body *body, const struct store_meta *meta,
	      struct object_info *out)
{
	return put_once(s, by, key, body, meta, NULL, out);
}

/* A copy takes metadata along by itself. */
static bool put_is_plain(const struct store_meta *meta)
{
	for (size_t i = 0; meta && i < meta->n_headers; i++)
		if (!text_starts_with(meta->headers[i].name, PROP_META))
			return false;
	return !meta || !meta->props;
}

int s3_put(struct store *store, const char *key, const struct store_body *body,
	   const struct store_meta *meta, const struct store_cond *cond,
	   struct object_info *out)
{
	struct s3 *s = s3_of(store);
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc = 0;

	if (cond && cond->if_match && s3_etag_is_hash(cond->if_match))
		rc = s3_head_cond(s, key, cond);
	if (!rc)
		rc = (cond && cond->if_match ? put_match : put_cond)(
			s, key, body, meta, cond, out);
	if (!rc && !*out->etag)
		rc = s3_head_reply(s, key, false, out, &reply);
	if (!rc && put_is_plain(meta)) {
		out->class = s3_made_class(s);
		s3_plain_note(s, key, out);
		s3_plain_note_bare(s, key, out, s3_plain_is_bare(s, key, meta));
	}
	return rc;
}
