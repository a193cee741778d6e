/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made of an answer: on the engine's thread after each attempt
 * (s3_judge), and once at the end (s3_judge_outcome).
 *
 * What can be put right is the store's, not the call's: the region, the
 * clock's error, the credentials. Each change of the first two makes a new
 * generation, and a call that was signed for an older one is simply sent
 * again: so of many calls that meet the same redirect one follows it, and a
 * HEAD, whose refusal says nothing, profits from what others have learnt.
 */
#include "store/s3/s3_judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/s3/s3_clock.h"
#include "store/s3/s3_doc.h"
#include "store/s3/s3_endpoint.h"
#include "store/s3/s3_error.h"
#include "store/s3/s3_lack.h"

static void judge_region_set_locked(struct s3 *s, const char *region)
	REQUIRES(&s->lock)
{
	struct s3_locked *g = s3_locked(s);

	snprintf(g->region, sizeof(g->region), "%s", region);
	g->guessed = false;
	g->generation++;
}

static void judge_region_log(struct s3_call *c, const char *region)
{
	struct log_where where = { .stage = c->s3->base.name };

	if (c->by) {
		LOCK_DO(&c->by->lock, snprintf(s3_by_url_locked(c->by)->moved,
					       S3_REGION_SIZE, "%s", region));
	}
	log_at(LOG_LEVEL_INFO, &where, "the bucket is in region %s", region);
}

static bool judge_region_fix(struct s3_call *c, const struct http_reply *reply)
{
	BUF_LOCAL header = BUF_INIT(256);
	struct s3_locked *g;
	const char *region = NULL;
	bool fixed;

	http_reply_header(reply, "x-amz-bucket-region", &header);
	lock_take(&c->s3->lock);
	g = s3_locked(c->s3);
	fixed = c->generation != g->generation;
	if (!fixed && s3_error_region(buf_str(&header), c->error.region,
				      g->region, &region)) {
		judge_region_set_locked(c->s3, region);
		fixed = true;
	}
	lock_drop(&c->s3->lock);
	if (region)
		judge_region_log(c, region);
	return fixed;
}

static void judge_creds_note_refused(struct s3_call *c, bool surely)
{
	CREDS_LOCAL *old = NULL;

	c->refused = true;
	c->surely = surely;
	if (!surely)
		return;
	lock_take(&c->s3->lock);
	old = s3_locked(c->s3)->refused;
	s3_locked(c->s3)->refused = creds_ref(c->used);
	lock_drop(&c->s3->lock);
}

/*
 * No thread may wait here; but another one may have read others meanwhile. A
 * call that no thread waits for is tried again while others are being read.
 */
static enum http_verdict judge_creds_fix(struct s3_call *c, bool surely)
{
	struct cred_cache *cache = signer_creds(c->s3->signer);
	struct creds *now = NULL;
	bool fixed;

	if (!c->used)
		return HTTP_DONE;
	fixed = !cred_cache_peek(cache, &now) && now && now != c->used;
	creds_unref(now);
	if (fixed)
		return HTTP_AGAIN;
	if (!c->waits && cred_cache_renew(cache, c->used, surely))
		return HTTP_RETRY;
	judge_creds_note_refused(c, surely);
	return HTTP_DONE;
}

/* A refusal without a body says nothing: was it signed for what held then? */
static bool judge_is_outdated(struct s3_call *c, const struct http_reply *reply)
{
	struct s3_sign_ctx now;

	if (c->error.code[0] || (reply->status != 403 && reply->status != 400))
		return false;
	s3_state_sign_ctx(c->s3, &now);
	return now.generation != c->generation;
}

/* What an answer teaches that is no refusal. */
static void judge_success(struct s3_call *c, const struct http_reply *reply)
{
	s3_clock_learn(c, reply);
	s3_lack_learn(c, reply);
	if (c->guessed)
		s3_state_confirm_region(c->s3, c->generation);
}

static enum http_verdict judge_answer(struct s3_call *c,
				      const struct http_reply *reply)
{
	struct s3_meaning m;
	bool fixed = false;

	c->refused = false;
	c->uncond = false;
	c->too_uneven = false;
	c->parsed = 0;
	memset(&c->error, 0, sizeof(c->error));
	if (reply->rc) {
		c->maybe_done = true;
		return http_judge_default(reply);
	}
	if (reply->status / 100 == 2) {
		c->parsed = c->parse ? c->parse(c, &reply->body) : 0;
		if (!c->parsed)
			judge_success(c, reply);
		c->maybe_done |= c->parsed == -EBADMSG;
		if (c->parsed != -EREMOTEIO)
			return c->parsed == -EBADMSG ? HTTP_RETRY : HTTP_DONE;
	}
	if (s3_doc_error(buf_str(&reply->body), reply->body.len, &c->error))
		memset(&c->error, 0, sizeof(c->error));
	c->maybe_done |= reply->status >= 500 || reply->status < 300;
	m = s3_error_meaning(reply->status, c->error.code, c->use);
	if (m.fix == S3_FIX_REGION)
		fixed = judge_region_fix(c, reply);
	else if (m.fix == S3_FIX_CLOCK)
		fixed = s3_clock_fix(c, reply);
	else if (m.fix != S3_FIX_NONE)
		m.verdict = judge_creds_fix(c, m.fix == S3_FIX_CREDS);
	if (!fixed && m.verdict == HTTP_DONE)
		m.verdict = s3_lack_judge(c, reply);
	return fixed || judge_is_outdated(c, reply) ? HTTP_AGAIN : m.verdict;
}

enum http_verdict s3_judge(struct http_call *http,
			   const struct http_reply *reply)
{
	struct s3_call *c = (struct s3_call *)http;
	enum http_verdict verdict = judge_answer(c, reply);

	if ((verdict == HTTP_RETRY || verdict == HTTP_SLOW) &&
	    c->retry_until_ms && clock_mono_ms() >= c->retry_until_ms)
		return HTTP_DONE;
	return verdict;
}

/* ---- the end ---- */

/* Programs know files, not connections. */
static int judge_outward(int rc)
{
	switch (-rc) {
	case EINTR:
	case ECANCELED:
	case ENOMEM:
	case ETIMEDOUT:
	case E2BIG:
	case EINVAL:
	case EACCES:
		return rc;
	default:
		return -EIO;
	}
}

/* The right that a request needs, by Amazon's name for it. */
static const char *judge_right(const struct s3_call *c)
{
	bool multipart = false;

	for (unsigned i = 0; i < c->query.n; i++)
		multipart |= !strcmp(c->query.at[i].name, "uploads") ||
			     !strcmp(c->query.at[i].name, "uploadId");
	switch (c->http.verb) {
	case HTTP_GET:
		if (multipart)
			return "s3:ListMultipartUploadParts";
		if (c->key)
			return "s3:GetObject";
		return "s3:ListBucket";
	case HTTP_HEAD:
		return "s3:GetObject (or s3:ListBucket, if it is not there)";
	case HTTP_DELETE:
		return multipart ? "s3:AbortMultipartUpload"
				 : "s3:DeleteObject";
	case HTTP_POST:
		if (!c->key)
			return "s3:DeleteObject";
		/* fall through */
	case HTTP_PUT:
		break;
	}
	for (unsigned i = 0; i < c->headers.n; i++)
		if (!strcmp(c->headers.at[i].name, "x-amz-copy-source"))
			return "s3:PutObject, and s3:GetObject of the source";
	return "s3:PutObject";
}

static bool judge_lacks_right(const struct s3_call *c, int rc)
{
	return rc == -EACCES &&
	       (!c->error.code[0] || !strcmp(c->error.code, "AccessDenied"));
}

static bool judge_answer_tells_secrets(const char *s)
{
	return strstr(s, "://") || strcasestr(s, "X-Amz-") ||
	       strcasestr(s, "signature=") || strcasestr(s, "sig=");
}

/* What the server answered, in words that never have a URL in them: it may
 * repeat the request in its message. */
static void judge_answer_add(const struct s3_call *c,
			     const struct http_reply *reply, struct buf *out)
{
	const struct s3_error_doc *doc = &c->error;

	if (!*doc->code || judge_answer_tells_secrets(doc->code)) {
		buf_addf(out, "the server answered HTTP %ld", reply->status);
		return;
	}
	buf_adds(out, doc->code);
	if (*doc->message && !judge_answer_tells_secrets(doc->message))
		buf_addf(out, ": %s", doc->message);
	buf_addf(out, " (HTTP %ld)", reply->status);
}

/* The first sentence is kept: what follows is often its consequence. */
static void judge_keep_why(struct s3_call *c, const struct http_reply *reply,
			   int rc, const char *why)
{
	struct buf *out;

	lock_take(&c->by->lock);
	out = &s3_by_url_locked(c->by)->why;
	if (out->len || rc == -EINTR || rc == -ECANCELED)
		;
	else if (!reply->rc && reply->status && reply->status / 100 != 2)
		judge_answer_add(c, reply, out);
	else
		buf_adds(out, why);
	lock_drop(&c->by->lock);
}

int s3_judge_failed(struct s3_call *c, const struct http_reply *reply, int rc,
		    const char *why)
{
	BUF_LOCAL id = BUF_INIT(256), text = BUF_INIT(BUF_MESSAGE);
	struct log_where where = {
		.stage = c->s3->base.name,
		.key = c->key,
		.code = c->error.code[0] ? c->error.code : NULL,
		.status = reply->status,
		.rc = rc,
	};

	if (c->by)
		judge_keep_why(c, reply, rc, why);
	if (c->by || c->quiet || (c->hushes_denial && rc == -EACCES) ||
	    store_error_level(rc) == LOG_LEVEL_DEBUG)
		return rc;
	/* That was said, and is counted. */
	if ((reply->rc || reply->status >= 500) &&
	    http_lane_is_down(s3_call_lane(c)))
		return rc;
	if (http_reply_header(reply, "x-amz-request-id", &id))
		where.request = buf_str(&id);
	else if (c->error.request_id[0])
		where.request = c->error.request_id;
	text_printable(&text, why);
	if (reply->status && reply->status != 401 && judge_lacks_right(c, rc))
		buf_addf(&text, ": it needs the right %s", judge_right(c));
	log_at(store_error_level(rc), &where, "cannot %s: %s", c->what,
	       buf_str(&text));
	return rc;
}

int s3_judge_speak(struct s3_call *c, int rc, const struct http_reply *reply)
{
	const char *why = "the store refused it";

	/* it was not even sent: that has been said, or is an interrupt */
	if (!reply->rc && !reply->status)
		return rc;
	if (c->error.message[0])
		why = c->error.message;
	else if (reply->why)
		why = reply->why;
	c->quiet = false;
	return s3_judge_failed(c, reply, rc, why);
}

/* No answer came. */
static int judge_unanswered(struct s3_call *c, int rc,
			    const struct http_reply *reply)
{
	const char *hint = c->by ? NULL : s3_endpoint_hint(&c->s3->io, rc);
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int outward = judge_outward(rc);

	buf_adds(&why, c->rc        ? "the request cannot be made"
		       : reply->why ? reply->why
				    : strerror(-rc));
	if (hint)
		buf_addf(&why, " (%s)", hint);
	s3_judge_failed(c, reply, outward, buf_str(&why));
	return outward;
}

int s3_judge_outcome(struct s3_call *c, int rc, const struct http_reply *reply)
{
	const char *why = c->error.message;

	if (rc)
		return judge_unanswered(c, rc, reply);
	if (reply->status / 100 == 2 && c->parsed == -EBADMSG)
		return s3_judge_failed(c, reply, -EIO,
				       "the store's answer is garbage");
	if (reply->status / 100 == 2 && c->parsed != -EREMOTEIO)
		return c->parsed ? s3_judge_failed(c, reply, c->parsed,
						   strerror(-c->parsed))
				 : 0;
	if (c->uncond)
		return -ENOTSUP; /* its caller goes on without */
	if (c->too_uneven)
		return -EDOM; /* its caller cuts it anew */
	rc = s3_error_meaning(reply->status, c->error.code, c->use).rc;
	if (!*why)
		why = *c->error.code ? c->error.code : "the store refused it";
	return s3_judge_failed(c, reply, rc, why);
}
