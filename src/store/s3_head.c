/*
 * One name: HEAD, and LIST for what lies below it.
 *
 * The refusal of a HEAD has no body, so it cannot say that the region, the
 * clock or the keys are wrong. A LIST can: after such a refusal one is sent,
 * and the HEAD again if that has put something right.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/s3_impl.h"

static int parse_list(struct s3_call *c, const struct buf *body)
{
	s3_page_clear(c->out);
	return s3_doc_list(buf_str(body), body->len, s3_call_prefix(c), c->out);
}

void s3_list_first(struct s3_call *c, struct s3 *s, const char *prefix,
		   struct s3_page *page)
{
	s3_call_init(c, s, HTTP_GET, NULL, "list");
	s3_call_query(c, "list-type", "2");
	s3_call_query(c, "prefix", prefix);
	s3_call_query(c, "max-keys", "1");
	s3_call_query(c, "encoding-type", "url");
	s3_call_parse(c, parse_list, page);
}

/* A LIST that shows what is wrong; true when something was put right. */
static bool probe(struct s3 *s)
{
	struct s3_present before, after;
	struct s3_page page = { 0 };
	struct s3_call c;
	struct http_reply reply;

	s3_present(s, &before);
	s3_list_first(&c, s, "", &page);
	c.quiet = true;
	s3_call_perform(&c, &reply);
	s3_present(s, &after);
	http_reply_clear(&reply);
	s3_page_clear(&page);
	s3_call_clear(&c);
	return after.generation != before.generation;
}

static bool is_mute(const struct http_reply *reply)
{
	return !reply->err && (reply->status == 400 || reply->status == 403 ||
			       reply->status == 301);
}

static int read_info(struct s3 *s, const char *key, bool quiet,
		     const struct http_reply *reply, struct object_info *out)
{
	s3_info_read(reply, out);
	return out->size == STORE_SIZE_UNKNOWN ? s3_ask_size(s, key, quiet, out)
					       : 0;
}

int s3_head_reply(struct s3 *s, const char *key, bool quiet,
		  struct object_info *out, struct http_reply *reply)
{
	struct s3_call c;
	int err;

	s3_call_init(&c, s, HTTP_HEAD, key, "look up");
	c.quiet = true;
	err = s3_call_perform(&c, reply);
	if (err && is_mute(reply) && probe(s)) {
		http_reply_clear(reply);
		c.http.state = NULL;
		err = s3_call_perform(&c, reply);
	}
	if (err && !quiet)
		s3_call_speak(&c, err, reply);
	if (!err)
		err = read_info(s, key, quiet, reply, out);
	s3_call_clear(&c);
	return err;
}

int s3_check_cond(struct s3 *s, const char *key, const struct store_cond *cond)
{
	struct http_reply reply;
	struct object_info there;
	int err;

	if (!cond || (!cond->if_absent && !cond->if_match))
		return 0;
	err = s3_head_reply(s, key, false, &there, &reply);
	http_reply_clear(&reply);
	if (cond->if_absent)
		return err == -ENOENT ? 0 : err ? err : -EEXIST;
	if (!err && strcmp(there.etag, cond->if_match))
		err = -ESTALE;
	return err;
}

int s3_head(struct store *store, const char *key, struct object_details *out)
{
	struct http_reply reply;
	struct buf text = BUF_INIT(4096);
	int err = s3_head_reply(s3_of(store), key, false, &out->info, &reply);

	if (!err && http_reply_header(&reply, "x-amz-version-id", &text) &&
	    text.len < sizeof(out->version_id))
		memcpy(out->version_id, buf_str(&text), text.len + 1);
	if (!err && s3_info_props(&reply, &out->props) == -ENOMEM)
		err = -ENOMEM;
	buf_clear(&text);
	http_reply_clear(&reply);
	return err;
}

/* ---- tags ---- */

static int parse_tags(struct s3_call *c, const struct buf *body)
{
	return s3_doc_tags(buf_str(body), body->len, c->out);
}

int s3_tags(struct store *store, const char *key, struct buf *out)
{
	struct s3_call c;
	struct http_reply reply;
	int err;

	s3_call_init(&c, s3_of(store), HTTP_GET, key, "read the tags of");
	/* The caller says what follows from a refusal. */
	c.quiet = true;
	s3_call_query(&c, "tagging", "");
	s3_call_parse(&c, parse_tags, out);
	err = s3_call_perform(&c, &reply);
	if (err && err != -EACCES && err != -ENOTSUP)
		s3_call_speak(&c, err, &reply);
	http_reply_clear(&reply);
	s3_call_clear(&c);
	return err;
}

static void read_below(const struct s3_page *page, const char *below,
		       struct name_info *out)
{
	out->is_prefix = page->lost > 0;
	for (unsigned i = 0; i < page->n; i++) {
		if (!text_starts_with(page->entries[i].key, below))
			continue;
		out->is_prefix = true;
		out->has_marker |= !strcmp(page->entries[i].key, below);
	}
}

/* A page may be empty and not be the last. */
static int list_below(struct store *store, const char *below,
		      struct name_info *out)
{
	const struct list_query q = { .prefix = below, .page = 1 };
	struct store_list *l;
	struct list_entry e;
	int rc = store_list_open(store, &q, &l);

	if (rc)
		return rc;
	rc = store_list_next(l, &e);
	out->is_prefix = rc > 0 || (!rc && l->lost);
	out->has_marker = rc > 0 && !strcmp(e.key, below);
	store_list_close(l);
	return rc < 0 ? rc : 0;
}

int s3_stat(struct store *store, const char *key, struct name_info *out)
{
	struct s3 *s = s3_of(store);
	struct s3_page page = { 0 };
	struct s3_call head, list, *calls[2] = { &head, &list };
	struct http_reply replies[2];
	char below[STORE_KEY_MAX + 2];
	int errs[2];

	snprintf(below, sizeof(below), "%s/", key);
	s3_call_init(&head, s, HTTP_HEAD, key, "look up");
	head.quiet = true;
	s3_list_first(&list, s, below, &page);
	/* nothing can lie below a key of the greatest length */
	errs[1] = 0;
	s3_call_perform_all(calls, replies, errs,
			    strlen(below) > STORE_KEY_MAX ? 1 : 2);
	if (errs[0] && errs[0] != -ENOENT && is_mute(&replies[0])) {
		/* the LIST beside it may have put right what was wrong */
		http_reply_clear(&replies[0]);
		errs[0] = s3_head_reply(s, key, false, &out->info, &replies[0]);
	} else if (errs[0] && errs[0] != -ENOENT) {
		s3_call_speak(&head, errs[0], &replies[0]);
	} else if (!errs[0]) {
		errs[0] = read_info(s, key, false, &replies[0], &out->info);
	}
	out->is_object = !errs[0];
	if (!errs[1] && !page.n && !page.lost && page.truncated)
		errs[1] = list_below(store, below, out);
	else if (!errs[1])
		read_below(&page, below, out);
	http_reply_clear(&replies[0]);
	if (strlen(below) <= STORE_KEY_MAX)
		http_reply_clear(&replies[1]);
	s3_page_clear(&page);
	s3_call_clear(&head);
	s3_call_clear(&list);
	return errs[0] && errs[0] != -ENOENT ? errs[0] : errs[1];
}

/* ---- check ---- */

#define CHECK_MS 15000 /* a person waits for it */

static void why_refused(const struct s3_call *c, long status, struct buf *err)
{
	const char *bucket = c->s3->io.bucket, *code = c->error.code;

	if (!strcmp(code, "NoSuchBucket") || (!*code && status == 404))
		buf_addf(err, "there is no bucket `%s`", bucket);
	else if (!strcmp(code, "InvalidAccessKeyId"))
		buf_adds(err, "the store does not know the access key id");
	else if (!strcmp(code, "SignatureDoesNotMatch"))
		buf_adds(err, "the secret key is wrong (the signature does "
			      "not match)");
	else if (!strcmp(code, "ExpiredToken"))
		buf_adds(err, "the credentials have expired");
	else if (!strcmp(code, "InvalidToken"))
		buf_adds(err, "the session token is wrong");
	else if (!strcmp(code, "RequestTimeTooSkewed"))
		buf_adds(err, "this machine's clock is more than a day off");
	else if (!strcmp(code, "AccessDenied") || status == 403)
		buf_addf(err, "these credentials may not list the bucket `%s`",
			 bucket);
	else if (status / 100 == 2)
		buf_adds(err, "what answers is no S3 server");
	else
		buf_addf(err, "the store answered %ld %s", status, code);
	if (*c->error.message) {
		buf_adds(err, ": ");
		text_printable(err, c->error.message);
	}
}

static void why_unreachable(const struct s3_call *c, int rc,
			    const struct http_reply *reply, struct buf *err)
{
	struct buf host = BUF_INIT(1024);
	struct s3_present now;

	s3_present(c->s3, &now);
	s3_place_host(&c->s3->io, now.region, &host);
	if (rc == -EHOSTUNREACH)
		buf_addf(err, "there is no host `%s`", buf_str(&host));
	else
		buf_addf(err, "cannot reach %s", buf_str(&host));
	if (reply->why)
		buf_addf(err, ": %s", reply->why);
	buf_clear(&host);
}

int s3_check(struct store *store, const char *prefix, struct buf *err)
{
	struct s3 *s = s3_of(store);
	struct s3_page page = { 0 };
	struct creds *creds = NULL;
	struct s3_call c;
	struct http_reply reply = { 0 };
	int rc;

	s3_list_first(&c, s, prefix, &page);
	c.quiet = true;
	c.http.deadline_ms =
		s->deadline_ms < CHECK_MS ? s->deadline_ms : CHECK_MS;
	buf_adds(err, "no credentials: ");
	rc = cred_cache_get(signer_creds(s->signer), &creds, err);
	creds_unref(creds);
	if (!rc) {
		buf_reset(err);
		rc = s3_call_perform(&c, &reply);
		if (rc && reply.err)
			why_unreachable(&c, reply.err, &reply, err);
		else if (rc)
			why_refused(&c, reply.status, err);
	} else if (rc != -ENOMEM && rc != -EINTR) {
		rc = -EACCES;
	}
	http_reply_clear(&reply);
	s3_page_clear(&page);
	s3_call_clear(&c);
	return rc;
}
