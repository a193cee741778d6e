/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy: the object onto itself, on condition that nothing is there. A server
 * that heeds that says 412; another one says that such a copy changes nothing,
 * or makes it, which changes nothing.
 *
 * A removal: on condition of an ETag that no object has. A server that heeds
 * that says 412; another one removes what was to be removed.
 */
#include "store/s3/s3_heed.h"

#include <string.h>

#include "store/s3/s3_doc.h"
#include "store/s3/s3_lack.h"
#include "store/s3/s3_made.h"
#include "store/s3/s3_perform.h"
#include "store/s3/s3_upload.h"

#define NO_ETAG "\"00000000000000000000000000000000\""

/* The server's answer to c, whose condition does not hold. */
static bool heed_refused(struct s3_call *c, int *rc)
{
	HTTP_REPLY_LOCAL reply = { 0 };

	c->quiet = true;
	*rc = s3_perform(c, &reply);
	s3_call_clear(c);
	return *rc && reply.status == 412;
}

static int heed_parse_copy(struct s3_call *c, const struct buf *body)
{
	return s3_doc_result(buf_str(body), body->len, "CopyObjectResult",
			     c->out);
}

void s3_heed_learn_copy(struct s3 *s, const char *key,
			const struct store_meta *meta, struct object_info *now)
{
	const struct store_cond absent = { .if_absent = true };
	struct s3_result_doc doc = { .etag = "" };
	struct s3_call c;
	bool heeds;
	int rc;

	if (s3_state_lacks(s,
			   S3_HEEDS_COPY | S3_HEEDS_COPY_NOT | S3_LACKS_ABSENT))
		return;
	s3_call_init(&c, s, HTTP_PUT, key, "copy to");
	s3_part_source(&c, s, key, NULL); /* or 412 could be the source's */
	s3_made_add(&c, S3_REQUEST_COPY, meta);
	s3_call_cond(&c, &absent);
	s3_call_parse(&c, heed_parse_copy, &doc);
	heeds = heed_refused(&c, &rc);
	if (!rc && *doc.etag)
		memcpy(now->etag, doc.etag, sizeof(now->etag));
	s3_state_learn(s, heeds ? S3_HEEDS_COPY : S3_HEEDS_COPY_NOT);
}

bool s3_heed_learn_remove(struct s3 *s, const char *key)
{
	struct s3_call c;
	bool heeds;
	int rc;

	if (s3_state_lacks(s, S3_HEEDS_REMOVE | S3_HEEDS_REMOVE_NOT))
		return false;
	s3_call_init(&c, s, HTTP_DELETE, key, "remove");
	s3_call_header(&c, "If-Match", NO_ETAG);
	heeds = heed_refused(&c, &rc);
	s3_state_learn(s, heeds ? S3_HEEDS_REMOVE : S3_HEEDS_REMOVE_NOT);
	return !rc;
}
