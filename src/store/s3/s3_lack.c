/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store turns out not to know, or to demand.
 *
 * Servers that speak S3 differ in newer headers: conditions on a write, and
 * checksums. A refusal that is for one of these is met by doing without (or,
 * for Content-MD5, with); only when that succeeds is it noted for the store,
 * and said once in the log, so that a refusal for another reason teaches
 * nothing false.
 *
 * A checksum, and a listing's encoding-type, is left out by the call's next
 * attempt, first of all when the answer does not name what it refuses. A
 * condition is not: its caller has to
 * look by a HEAD first (s3_head_cond()), which keeps its promise as well as
 * that store can.
 *
 * Cloudflare's R2 completes an upload only of parts that have one length, the
 * last apart ("All non-trailing parts must have the same length"): its host is
 * known, others say so when an upload is completed.
 */
#include "store/s3/s3_lack.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "store/s3/s3_call.h"
#include "store/s3/s3_error.h"
#include "store/s3/s3_ops.h"
#include "store/s3/s3_sum.h"

static const struct {
	unsigned lack;
	const char *says;
	const char *known; /* what a store has that does not lack it */
	unsigned ignored; /* STORE_IGNORES_*, if it was */
} lacks[] = {
	{ S3_LACKS_ABSENT,
	  "the store does not know If-None-Match on a write: it is asked by a "
	  "HEAD right before, and does not see who writes in between",
	  "If-None-Match", STORE_IGNORES_ABSENT },
	{ S3_LACKS_MATCH,
	  "the store does not know If-Match on a write: it is asked by a HEAD "
	  "right before, and does not see who writes in between",
	  "If-Match", STORE_IGNORES_MATCH },
	{ S3_LACKS_CHECKSUM,
	  "the store refuses x-amz-checksum headers: uploads go without "
	  "(upload_checksum = none or md5 says so from the start)",
	  "x-amz-checksum" },
	{ S3_WANTS_MD5,
	  "the store demands Content-MD5 with uploads: they have it "
	  "(upload_checksum = md5 says so from the start)" },
	{ S3_LACKS_BATCH,
	  "the store does not know DeleteObjects: each file is "
	  "removed by a request of its own",
	  "DeleteObjects" },
	{ S3_LACKS_ENCODING,
	  "the store does not know encoding-type in a listing: names with "
	  "bytes that XML cannot carry are not shown",
	  "encoding-type" },
	{ S3_LACKS_COPY_TAGS, "the store forgets the tags of an object that "
			      "is copied with other headers: they are put "
			      "when it is there" },
	{ S3_LACKS_UNEVEN, "the store wants all parts of an upload but the "
			   "last of one length: they are cut so" },
	{ S3_LACKS_UPLOAD_TAGS, "the store forgets the tags that an upload of "
				"parts begins with: they "
				"are put when it is complete" },
};

void s3_lack_note(struct s3 *s, unsigned which)
{
	struct log_where where = { .stage = s->base.name };
	unsigned new = s3_state_learn(s, which);

	for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++)
		if (new &lacks[i].lack)
			log_at(LOG_LEVEL_WARN, &where, "%s", lacks[i].says);
}

void s3_lack_note_uneven(struct s3 *s)
{
	store_learn_lack(&s->base, STORE_LACKS_UNEVEN);
	s3_lack_note(s, S3_LACKS_UNEVEN);
}

void s3_lack_show(struct s3 *s, struct buf *out)
{
	for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++)
		if (s3_state_lacks(s, lacks[i].lack))
			buf_addf(out, "; %s", lacks[i].says);
}

/* Did a probe ask for it? */
static bool lack_was_asked(const struct s3 *s, unsigned lack)
{
	return lack != S3_LACKS_CHECKSUM || s->checksum == S3_CHECKSUM_CRC32C ||
	       s->checksum == S3_CHECKSUM_SHA256;
}

void s3_known(struct store *store, unsigned ignores, struct buf *out)
{
	struct s3 *s = s3_of(store);
	const char *join = "the store knows ";

	for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++) {
		if (!lacks[i].known || lacks[i].ignored & ignores ||
		    s3_state_lacks(s, lacks[i].lack) ||
		    !lack_was_asked(s, lacks[i].lack))
			continue;
		buf_addf(out, "%s%s", join, lacks[i].known);
		join = ", ";
	}
	for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++)
		if (lacks[i].ignored & ignores)
			buf_addf(out,
				 "%sthe store takes no notice of %s on a "
				 "write: who writes at the same time is not "
				 "seen",
				 out->len ? "; " : "", lacks[i].known);
}

static bool lack_sends(const struct s3_call *c, bool (*is)(const char *header))
{
	for (unsigned i = 0; i < c->headers.n; i++)
		if (is(c->headers.at[i].name))
			return true;
	return false;
}

static bool lack_asks_encoding(const struct s3_call *c)
{
	for (unsigned i = 0; i < c->query.n; i++)
		if (s3_lack_is_encoding(c->query.at[i].name))
			return !(c->without & S3_LACKS_ENCODING);
	return false;
}

static bool lack_is_md5(const char *header)
{
	return !strcasecmp(header, "Content-MD5");
}

/* Can an answer like that be about a header? */
static bool lack_may_blame(const struct s3_call *c, long status)
{
	static const char *const codes[] = { "NotImplemented",
					     "InvalidArgument",
					     "InvalidRequest",
					     "InvalidHeader",
					     "UnsupportedHeader",
					     "MissingContentMD5",
					     "" };

	if (status != 501 && status != 400)
		return false;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (!strcmp(c->error.code, codes[i]))
			return true;
	return status == 501;
}

/* The MD5 that the body needs; a store is met so once. */
static bool lack_add_md5(struct s3_call *c)
{
	const struct http_body *b = &c->http.body;
	const struct store_body body = {
		.data = b->data, .fd = b->fd, .offset = b->offset, .len = b->len
	};

	return !s3_sum_md5_text(&body, c->md5);
}

enum http_verdict s3_lack_judge(struct s3_call *c,
				const struct http_reply *reply)
{
	const char *text = buf_str(&reply->body);
	bool cond = c->use == S3_USE_ABSENT || c->use == S3_USE_MATCH;
	bool named = strcasestr(text, "checksum"), vague;

	c->too_uneven = c->uneven && reply->status == 400 &&
			strcasestr(c->error.message, "same length");
	if (!lack_may_blame(c, reply->status))
		return HTTP_DONE;
	/* A proxy's 400 without a code may be for anything. */
	vague = (reply->status == 501 || *c->error.code) && !named &&
		!strcasestr(text, "content-md5") && !strcasestr(text, "-match");
	if (strcasestr(text, "content-md5") && c->http.verb == HTTP_PUT &&
	    !lack_sends(c, lack_is_md5) && !*c->md5)
		return lack_add_md5(c) ? HTTP_AGAIN : HTTP_DONE;
	if ((named || vague) && lack_sends(c, s3_lack_is_checksum) &&
	    !(c->without & S3_LACKS_CHECKSUM)) {
		c->without |= S3_LACKS_CHECKSUM;
		return HTTP_AGAIN;
	}
	if ((vague || strcasestr(text, "encoding")) && lack_asks_encoding(c)) {
		c->without |= S3_LACKS_ENCODING;
		return HTTP_AGAIN;
	}
	if (cond && (vague || strcasestr(text, "if-match") ||
		     strcasestr(text, "if-none-match"))) {
		c->uncond = true;
		return HTTP_DONE;
	}
	return HTTP_DONE;
}

/* Ceph numbers its requests so (and Swift, which takes ETags in either form).
 * It is a guess: a caller that trusts it must go on when it was wrong. */
static bool lack_may_be_ceph(const struct http_reply *reply)
{
	BUF_LOCAL id = BUF_INIT(256);

	return http_reply_header(reply, "x-amz-request-id", &id) &&
	       text_starts_with(buf_str(&id), "tx");
}

static void lack_hear(struct s3 *s, const struct http_reply *reply)
{
	bool ceph;

	if (LOCK_UNDER(&s->lock, s3_locked(s)->heard))
		return;
	ceph = lack_may_be_ceph(reply);
	lock_take(&s->lock);
	s3_locked(s)->heard = true;
	if (ceph)
		s3_locked(s)->lacks |= S3_WANTS_BARE_ETAG;
	lock_drop(&s->lock);
}

void s3_lack_learn(struct s3_call *c, const struct http_reply *reply)
{
	lack_hear(c->s3, reply);
	if (c->without || *c->md5)
		s3_lack_note(c->s3, c->without | (*c->md5 ? S3_WANTS_MD5 : 0));
}
