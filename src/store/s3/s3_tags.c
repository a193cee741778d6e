/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags: those of an object that is edited are read, and said again with its
 * next version.
 *
 * Ceph (16, 18) forgets those with which an upload of parts begins, and those
 * of an object that is copied with other headers. The first such object is
 * looked at by a HEAD when it is there: where its tags are missing they are put
 * by a request of their own, then and with all that follow.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "store/s3/s3_upload.h"
#include "store/s3/s3_doc.h"
#include "store/s3/s3_head.h"
#include "store/s3/s3_judge.h"
#include "store/s3/s3_lack.h"
#include "store/s3/s3_ops.h"
#include "store/s3/s3_perform.h"

static int tags_parse(struct s3_call *c, const struct buf *body)
{
	return s3_doc_tags(buf_str(body), body->len, c->out);
}

int s3_tags(struct store *store, const char *key, struct buf *out)
{
	S3_CALL_LOCAL c;
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc;

	s3_call_init(&c, s3_of(store), HTTP_GET, key, "read the tags of");
	/* The caller says what follows from a refusal. */
	c.quiet = true;
	s3_call_query(&c, "tagging", "");
	s3_call_parse(&c, tags_parse, out);
	rc = s3_perform(&c, &reply);
	if (rc && rc != -EACCES && rc != -ENOTSUP)
		s3_judge_speak(&c, rc, &reply);
	return rc;
}

/* n encoded bytes as an element. */
static void tags_add_element(struct buf *out, const char *name,
			     const char *text, size_t n)
{
	BUF_LOCAL plain = BUF_INIT(S3_REPLY_MAX);
	int rc = text_percent_decode(&plain, text, n);

	buf_addf(out, "<%s>", name);
	s3_doc_add_text(out, buf_str(&plain));
	buf_addf(out, "</%s>", name);
	if (rc && !out->rc)
		out->rc = rc;
}

static void tags_add(struct buf *out, const char *tags)
{
	buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Tagging "
		      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		      "<TagSet>");
	for (const char *at = tags; *at;) {
		size_t n = strcspn(at, "&"), key = strcspn(at, "=&");

		buf_adds(out, "<Tag>");
		tags_add_element(out, "Key", at, key);
		tags_add_element(out, "Value", at + key + (key < n),
				 n - key - (key < n));
		buf_adds(out, "</Tag>");
		at += n + (at[n] == '&');
	}
	buf_adds(out, "</TagSet></Tagging>");
}

static int tags_put(struct s3 *s, const char *key, const char *tags)
{
	struct s3_call c;

	s3_call_init(&c, s, HTTP_PUT, key, "put the tags of");
	s3_call_query(&c, "tagging", "");
	tags_add(&c.text, tags);
	s3_call_text_md5(&c, "application/xml");
	return s3_perform_finish(&c);
}

static bool tags_are_there(struct s3 *s, const char *key, unsigned lack,
			   unsigned has)
{
	struct object_info info;
	HTTP_REPLY_LOCAL reply = { 0 };
	BUF_LOCAL count = BUF_INIT(64);
	int rc = s3_head_reply(s, key, true, &info, &reply);
	bool are = rc || (http_reply_header(&reply, PROP_TAG_COUNT, &count) &&
			  strcmp(buf_str(&count), "0") != 0);

	if (!rc)
		s3_lack_note(s, are ? has : lack);
	return are;
}

void s3_tags_hold(struct s3 *s, const char *key, const char *tags,
		  unsigned lack, unsigned has)
{
	if (!tags || s3_state_lacks(s, has))
		return;
	/* The object is there: a failure, which is logged, takes nothing
	 * back. */
	if (s3_state_lacks(s, lack) || !tags_are_there(s, key, lack, has))
		tags_put(s, key, tags);
}
