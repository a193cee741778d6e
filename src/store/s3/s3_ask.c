/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other ways to learn of one object than its HEAD.
 *
 * A server or proxy that makes its answers as they go tells no length in a
 * HEAD. A GET of the first byte has the size in its Content-Range; where ranges
 * are unknown too, the listing has it.
 *
 * Some stores' listings have ETags of their own. Once that is seen, they are
 * left out of listings: no request could ask for an object by them.
 */
#include "store/s3/s3_ask.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "store/s3/s3_info.h"
#include "store/s3/s3_judge.h"
#include "store/s3/s3_made.h"
#include "store/s3/s3_page.h"
#include "store/s3/s3_perform.h"

static int ask_parse(struct s3_call *c, const struct buf *body)
{
	s3_page_clear(c->out);
	return s3_page_list(buf_str(body), body->len, s3_call_prefix(c),
			    c->out);
}

static void ask_list(struct s3_call *c, struct s3 *s, const char *prefix,
		     const char *max, struct s3_page *page)
{
	s3_call_init(c, s, HTTP_GET, NULL, "list");
	s3_call_query(c, "list-type", "2");
	s3_call_query(c, "prefix", prefix);
	s3_call_query(c, "max-keys", max);
	s3_call_query(c, "encoding-type", "url");
	s3_call_parse(c, ask_parse, page);
}

void s3_ask_first(struct s3_call *c, struct s3 *s, const char *prefix,
		  struct s3_page *page)
{
	ask_list(c, s, prefix, "1", page);
}

int s3_ask_listed(struct s3 *s, const char *key, struct object_info *out)
{
	struct s3_page page = { 0 };
	HTTP_REPLY_LOCAL reply = { 0 };
	S3_CALL_LOCAL c;
	int rc;

	ask_list(&c, s, key, s3_state_lacks(s, S3_LACKS_ORDER) ? "1000" : "1",
		 &page);
	c.quiet = true;
	rc = s3_perform(&c, &reply);
	if (!rc) {
		rc = -ENOENT;
		for (unsigned i = 0; i < page.n && rc; i++) {
			const struct s3_entry *e = &page.entries[i];

			if (strcmp(e->key, key) &&
			    (!e->other || strcmp(e->other, key)))
				continue;
			*out = page.entries[i].info;
			rc = 0;
		}
	}
	s3_page_clear(&page);
	return rc;
}

static int ask_enough(struct http_call *http, const struct http_reply *reply,
		      const void *bytes, size_t n)
{
	return -ECANCELED; /* a server that knows no ranges sends it all */
}

/* 0 when the head of an answer came. */
static int ask_first_byte(struct s3 *s, const char *key,
			  struct object_info *out)
{
	static const struct http_call_ops ops = {
		.prepare = s3_call_prepare,
		.data = ask_enough,
		.judge = s3_judge,
	};
	HTTP_REPLY_LOCAL reply = { 0 };
	struct s3_range range;
	S3_CALL_LOCAL c;
	int rc;

	s3_call_init(&c, s, HTTP_GET, key, "look up");
	c.http.ops = &ops;
	c.quiet = true;
	s3_made_add(&c, S3_REQUEST_READ, NULL);
	s3_call_header(&c, "Range", "bytes=0-0");
	rc = s3_perform(&c, &reply);
	s3_info_read(&reply, out);
	if (reply.status == 416 && s3_info_range(&reply, &range))
		rc = 0; /* there is no first byte */
	else if (rc != -EINTR && reply.status / 100 == 2)
		rc = 0;
	if (!rc && reply.status == 200 && http_reply_recoded(&reply))
		out->size = STORE_SIZE_UNKNOWN;
	return rc;
}

static bool ask_is_same(const struct object_info *a,
			const struct object_info *b)
{
	return !*a->etag || !*b->etag || !strcmp(a->etag, b->etag);
}

int s3_ask_size(struct s3 *s, const char *key, bool quiet,
		struct object_info *info)
{
	struct log_where where = { .stage = s->base.name,
				   .key = key,
				   .rc = -EIO };
	struct object_info got = { .size = STORE_SIZE_UNKNOWN };
	int rc = ask_first_byte(s, key, &got);

	if (rc == -EINTR || rc == -ENOMEM)
		return rc;
	if (!rc && got.size != STORE_SIZE_UNKNOWN) {
		if (ask_is_same(&got, info))
			info->size = got.size;
		else
			*info = got; /* replaced meanwhile */
		return 0;
	}
	rc = s3_ask_listed(s, key, &got);
	if (rc == -EINTR || rc == -ENOMEM)
		return rc;
	if (!rc) {
		info->size = got.size;
		return 0;
	}
	if (!quiet)
		log_at(LOG_LEVEL_ERROR, &where,
		       "cannot look up: neither HEAD nor GET nor LIST tells "
		       "the object's size");
	return -EIO;
}
