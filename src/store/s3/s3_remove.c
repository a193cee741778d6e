/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing: one key by DELETE, many by DeleteObjects, a thousand a request.
 *
 * XML 1.0 cannot carry every byte that a key may have: keys with control
 * bytes, or that are no UTF-8, are removed one by one, and so are all of a
 * server that does not have DeleteObjects: some say so (501, 405), Google's
 * calls an argument invalid. When single ones work where it did not, that is
 * remembered.
 *
 * A condition goes along as If-Match, which most servers do not know here: they
 * take no notice, or answer 501. So a HEAD right before is what it rests on,
 * unless the caller has just seen the object, or the server is known to heed it
 * (s3_heed.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/number.h"
#include "base/text.h"
#include "store/s3/s3_doc.h"
#include "store/s3/s3_error.h"
#include "store/s3/s3_etag.h"
#include "store/s3/s3_head.h"
#include "store/s3/s3_heed.h"
#include "store/s3/s3_judge.h"
#include "store/s3/s3_lack.h"
#include "store/s3/s3_ops.h"
#include "store/s3/s3_perform.h"

#define BATCH 1000

static void remove_init(struct s3_call *c, struct s3 *s, const char *key)
{
	s3_call_init(c, s, HTTP_DELETE, key, "remove");
}

static int remove_one(struct s3 *s, const char *key,
		      const struct store_cond *cond)
{
	struct s3_call c;
	int rc;

	remove_init(&c, s, key);
	s3_call_cond(&c, cond);
	rc = s3_perform_finish(&c);
	return rc == -ENOENT ? 0 : rc;
}

/* The server says that it is another one: so it heeds the condition, unless it
 * takes the ETag for another. */
static int remove_refused(struct s3 *s, const char *key,
			  const struct store_cond *cond)
{
	int rc = s3_head_cond(s, key, cond);

	if (!rc) {
		s3_state_learn(s, S3_HEEDS_REMOVE_NOT);
		return remove_one(s, key, NULL);
	}
	if (rc == -ESTALE)
		s3_state_learn(s, S3_HEEDS_REMOVE);
	return -ESTALE;
}

/* It is that one, as far as is known. */
static int remove_bound(struct s3 *s, const char *key,
			const struct store_cond *cond)
{
	int rc = remove_one(s, key, cond);

	if (rc == -ENOTSUP)
		rc = remove_one(s, key, NULL);
	return rc == -ESTALE ? remove_refused(s, key, cond) : rc;
}

/* The object is looked at, and removed if it is that one. */
static int remove_after_look(struct s3 *s, const char *key,
			     const struct store_cond *cond)
{
	int rc = s3_head_cond(s, key, cond);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	return remove_bound(s, key, cond);
}

int s3_remove(struct store *store, const char *key,
	      const struct store_cond *cond)
{
	struct s3 *s = s3_of(store);

	if (!cond)
		return remove_one(s, key, NULL);
	/* a hash cannot be sent */
	if (s3_etag_is_hash(cond->if_match) ||
	    !(cond->looked || s3_heed_remove(s)))
		return remove_after_look(s, key, cond);
	return remove_bound(s, key, cond);
}

/* Up to S3_SIDE_BY_SIDE keys, by a DELETE each. */
static void remove_few(struct s3 *s, const char *const *keys, unsigned n,
		       int *results)
{
	struct s3_call *calls[S3_SIDE_BY_SIDE];
	struct http_reply replies[S3_SIDE_BY_SIDE];
	MEM_LOCAL struct s3_call *all = calloc(n, sizeof(*all));

	for (unsigned i = 0; i < n; i++)
		results[i] = -ENOMEM;
	if (!all)
		return;
	for (unsigned i = 0; i < n; i++) {
		remove_init(&all[i], s, keys[i]);
		calls[i] = &all[i];
	}
	s3_perform_all(calls, replies, results, n);
	for (unsigned i = 0; i < n; i++) {
		if (results[i] == -ENOENT)
			results[i] = 0;
		http_reply_clear(&replies[i]);
		s3_call_clear(&all[i]);
	}
}

static void remove_singly(struct s3 *s, const char *const *keys, unsigned n,
			  int *results)
{
	for (unsigned i = 0; i < n; i += S3_SIDE_BY_SIDE)
		remove_few(s, keys + i, number_min(n - i, S3_SIDE_BY_SIDE),
			   results + i);
}

/* ---- DeleteObjects ---- */

/* Has XML every character of the key? */
static bool remove_key_is_xml(const char *key)
{
	size_t n = strlen(key), len;
	uint32_t c;

	for (; n; key += len, n -= len) {
		len = text_utf8_char(key, n, &c);
		if (!len || c < 0x20 || c == 0x7f || c == 0xfffe || c == 0xffff)
			return false;
	}
	return true;
}

struct batch {
	struct s3 *s;
	const char *const *keys;
	unsigned n;
	int *results;
};

/* What passes is marked -EAGAIN: those keys are tried again one by one. */
static void remove_batch_failed(void *arg, const char *key, const char *code)
{
	struct batch *b = arg;
	struct s3_meaning m = s3_error_meaning(0, code, S3_USE_PLAIN);
	struct log_where where = {
		.stage = b->s->base.name,
		.key = key,
		.code = code,
		.rc = m.rc,
	};

	if (m.rc == -ENOENT)
		return;
	if (m.verdict != HTTP_DONE)
		m.rc = -EAGAIN;
	else
		log_at(LOG_LEVEL_ERROR, &where, "cannot remove");
	for (unsigned i = 0; i < b->n; i++)
		if (!strcmp(b->keys[i], key))
			b->results[i] = m.rc;
}

static int remove_batch_parse(struct s3_call *c, const struct buf *body)
{
	struct batch *b = c->out;

	memset(b->results, 0, b->n * sizeof(*b->results));
	return s3_doc_deleted(buf_str(body), body->len, remove_batch_failed, b);
}

/* Can such a refusal be of DeleteObjects itself? */
static bool remove_batch_is_unknown(const struct s3_call *c, long status,
				    int rc)
{
	static const char *const codes[] = { "InvalidArgument",
					     "InvalidRequest", "MalformedXML",
					     "" };

	if (rc == -ENOTSUP)
		return true;
	for (size_t i = 0; status == 400 && i < sizeof(codes) / sizeof(*codes);
	     i++)
		if (!strcmp(c->error.code, codes[i]))
			return true;
	return false;
}

/* -ENOTSUP: perhaps the server has no such call. */
static int remove_batch_perform(struct s3_call *c)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc;

	c->quiet = true;
	rc = s3_perform(c, &reply);
	if (rc && remove_batch_is_unknown(c, reply.status, rc))
		rc = -ENOTSUP;
	else if (rc)
		rc = s3_judge_speak(c, rc, &reply);
	s3_call_clear(c);
	return rc;
}

static int remove_batch_remove(struct s3 *s, struct batch *b)
{
	struct s3_call c;

	s3_call_init(&c, s, HTTP_POST, NULL, "remove objects");
	s3_call_query(&c, "delete", "");
	buf_adds(&c.text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete "
			  "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
			  "<Quiet>true</Quiet>");
	for (unsigned i = 0; i < b->n; i++) {
		buf_adds(&c.text, "<Object><Key>");
		s3_doc_add_text(&c.text, b->keys[i]);
		buf_adds(&c.text, "</Key></Object>");
	}
	buf_adds(&c.text, "</Delete>");
	s3_call_text_md5(&c, "application/xml");
	s3_call_parse(&c, remove_batch_parse, b);
	return remove_batch_perform(&c);
}

/* One by one, after DeleteObjects was refused: was it that? */
static void remove_unbatched(struct s3 *s, const char *const *keys, unsigned n,
			     int *results)
{
	remove_singly(s, keys, n, results);
	for (unsigned i = 0; i < n; i++)
		if (results[i])
			return;
	s3_lack_note(s, S3_LACKS_BATCH);
}

static void remove_some(struct s3 *s, const char *const *keys, unsigned n,
			int *results)
{
	struct batch b = { s, keys, n, results };
	bool singly = n == 1 || s3_state_lacks(s, S3_LACKS_BATCH);
	int rc = singly ? 0 : remove_batch_remove(s, &b);

	if (singly)
		remove_singly(s, keys, n, results);
	else if (rc == -ENOTSUP)
		remove_unbatched(s, keys, n, results);
	else if (rc)
		for (unsigned i = 0; i < n; i++)
			results[i] = rc;
	for (unsigned i = 0; i < n; i++)
		if (results[i] == -EAGAIN)
			remove_few(s, keys + i, 1, results + i);
}

int s3_remove_many(struct store *store, const char *const *keys, unsigned n,
		   int *results)
{
	struct s3 *s = s3_of(store);
	int first = 0;

	for (unsigned i = 0, len; i < n; i += len) {
		bool batch = remove_key_is_xml(keys[i]);

		/* a run of keys of one kind */
		for (len = 1; len < BATCH && i + len < n; len++)
			if (remove_key_is_xml(keys[i + len]) != batch)
				break;
		if (batch)
			remove_some(s, keys + i, len, results + i);
		else
			remove_singly(s, keys + i, len, results + i);
	}
	for (unsigned i = 0; i < n && !first; i++)
		first = results[i];
	return first;
}
