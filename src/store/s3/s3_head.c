/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One name: HEAD, and LIST for what lies below it.
 *
 * The refusal of a HEAD has no body, so it cannot say that the region, the
 * clock or the keys are wrong. A LIST can: after such a refusal one is sent,
 * and the HEAD again if that has put something right.
 *
 * Rights are given in parts. Objects may be there to read and not to list, and
 * without the right to list S3 says 403 of what is not there. So the answer
 * that is given counts, and neither is: "unlisted".
 */
#include "store/s3/s3_head.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "store/s3/s3_ask.h"
#include "store/s3/s3_endpoint.h"
#include "store/s3/s3_info.h"
#include "store/s3/s3_judge.h"
#include "store/s3/s3_lack.h"
#include "store/s3/s3_made.h"
#include "store/s3/s3_ops.h"
#include "store/s3/s3_page.h"
#include "store/s3/s3_perform.h"

/* Has something been put right since the call was signed? */
static bool head_is_outdated(const struct s3_call *c)
{
	struct s3_sign_ctx now;
	CREDS_LOCAL *creds = NULL;
	bool changed;

	s3_state_sign_ctx(c->s3, &now);
	changed = now.generation != c->generation;
	if (!cred_cache_peek(signer_creds(c->s3->signer), &creds) && creds)
		changed |= creds != c->used;
	return changed;
}

static bool head_is_mute(const struct http_reply *reply)
{
	return !reply->rc && (reply->status == 400 || reply->status == 403 ||
			      reply->status == 301);
}

static int head_info(struct s3 *s, const char *key, bool quiet,
		     const struct http_reply *reply, struct object_info *out)
{
	s3_info_read(reply, out);
	return out->size == STORE_SIZE_UNKNOWN ? s3_ask_size(s, key, quiet, out)
					       : 0;
}

static int head_again(struct s3_call *c, struct http_reply *reply)
{
	http_reply_clear(reply);
	c->http.state = NULL;
	return s3_perform(c, reply);
}

/*
 * A refusal without a word. The LIST of the name that follows says what is
 * wrong, and may put it right; and where listing is permitted, and HEAD says
 * 403 of what is not there, it tells that there is nothing.
 */
static int head_refused(struct s3_call *c, int rc, struct http_reply *reply)
{
	struct object_info listed;
	int there = s3_ask_listed(c->s3, c->key, &listed);

	if (there == -EINTR)
		return there;
	if (head_is_outdated(c))
		rc = head_again(c, reply);
	if (rc == -EACCES && head_is_mute(reply) && there == -ENOENT)
		rc = -ENOENT;
	return rc;
}

int s3_head_reply(struct s3 *s, const char *key, bool quiet,
		  struct object_info *out, struct http_reply *reply)
{
	S3_CALL_LOCAL c;
	int rc;

	s3_call_init(&c, s, HTTP_HEAD, key, "look up");
	s3_made_add(&c, S3_REQUEST_READ, NULL);
	c.quiet = true;
	rc = s3_perform(&c, reply);
	if (rc && head_is_mute(reply))
		rc = head_refused(&c, rc, reply);
	if (rc && !quiet)
		s3_judge_speak(&c, rc, reply);
	return rc ? rc : head_info(s, key, quiet, reply, out);
}

int s3_head_must_hold(struct s3 *s, const char *key,
		      const struct store_cond *cond)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	struct object_info there;
	int rc;

	if (!cond || (!cond->if_absent && !cond->if_match))
		return 0;
	rc = s3_head_reply(s, key, false, &there, &reply);
	if (cond->if_absent)
		return rc == -ENOENT ? 0 : rc ? rc : -EEXIST;
	if (!rc && strcmp(there.etag, cond->if_match))
		rc = -ESTALE;
	return rc;
}

int s3_head_cond(struct s3 *s, const char *key, const struct store_cond *cond)
{
	int rc = s3_head_must_hold(s, key, cond);

	/* Without the right to look the request's own condition decides. */
	if (rc == -EACCES && cond->if_absent &&
	    !s3_state_lacks(s, s3_lack_of_cond(cond)))
		rc = 0;
	return rc;
}

int s3_head_same(struct s3 *s, const char *key, const char *etag)
{
	const struct store_cond same = { .if_match = etag };
	int rc = s3_head_must_hold(s, key, &same);

	return rc == -ENOENT ? -ESTALE : rc;
}

int s3_head(struct store *store, const char *key, struct object_details *out)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	BUF_LOCAL text = BUF_INIT(4096);
	int rc = s3_head_reply(s3_of(store), key, false, &out->info, &reply);

	if (!rc && http_reply_header(&reply, "x-amz-version-id", &text) &&
	    text.len < sizeof(out->version_id))
		memcpy(out->version_id, buf_str(&text), text.len + 1);
	if (!rc && s3_info_props(&reply, &out->props) == -ENOMEM)
		rc = -ENOMEM;
	return rc;
}

static void head_look_read_below(const struct s3_page *page, const char *below,
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
static int head_look_list_below(struct store *store, const char *below,
				struct name_info *out)
{
	const struct list_query q = { .prefix = below, .page = 1 };
	STORE_LIST_LOCAL *l = NULL;
	struct list_entry e;
	int rc = store_list_open(store, &q, &l);

	if (rc)
		return rc;
	rc = store_list_next(l, &e);
	out->is_prefix = rc > 0 || (!rc && l->lost);
	out->has_marker = rc > 0 && !strcmp(e.key, below);
	return rc < 0 ? rc : 0;
}

/* ---- a name ---- */

/* HEAD of a name and LIST of what is below it, side by side. */
struct look {
	struct store *store;
	const char *key;
	char below[STORE_KEY_MAX + 2];
	struct s3_call head, list;
	struct s3_page page;
	struct http_reply replies[2];
	int errs[2];
};

static void head_look_at(struct look *x, struct store *store, const char *key)
{
	struct s3_call *calls[2] = { &x->head, &x->list };
	struct s3 *s = s3_of(store);

	memset(x, 0, sizeof(*x));
	x->store = store;
	x->key = key;
	snprintf(x->below, sizeof(x->below), "%s/", key);
	s3_call_init(&x->head, s, HTTP_HEAD, key, "look up");
	s3_made_add(&x->head, S3_REQUEST_READ, NULL);
	x->head.quiet = true;
	s3_ask_first(&x->list, s, x->below, &x->page);
	x->list.quiet = true;
	/* nothing can lie below a key of the greatest length */
	s3_perform_all(calls, x->replies, x->errs,
		       strlen(x->below) > STORE_KEY_MAX ? 1 : 2);
	/* the LIST beside it may have put right what was wrong */
	if (x->errs[0] && head_is_mute(&x->replies[0]) &&
	    head_is_outdated(&x->head))
		x->errs[0] = head_again(&x->head, &x->replies[0]);
}

static void head_look_clear(struct look *x)
{
	http_reply_clear(&x->replies[0]);
	http_reply_clear(&x->replies[1]);
	s3_page_clear(&x->page);
	s3_call_clear(&x->head);
	s3_call_clear(&x->list);
}

/* The keys hold, and may not do this. */
static bool head_look_is_denied(const struct look *x, int i)
{
	const struct s3_call *c = i ? &x->list : &x->head;

	return x->errs[i] == -EACCES && x->replies[i].status == 403 &&
	       (!*c->error.code || !strcmp(c->error.code, "AccessDenied"));
}

/* Said once a store: the kernel asks for names all the time. */
static void head_look_tell_unlisted(struct look *x)
{
	if (s3_state_learn(s3_of(x->store), S3_LACKS_LISTING))
		s3_judge_speak(&x->list, -EACCES, &x->replies[1]);
}

/* HEAD is refused, and nothing is below. Without the right to list, 403 is the
 * answer for what is not there; with it, a listing tells whether it is. */
static int head_look_listed(struct look *x, struct name_info *out)
{
	int rc = s3_ask_listed(s3_of(x->store), x->key, &out->info);

	out->is_object = !rc;
	if (rc == -EACCES)
		s3_judge_speak(&x->head, rc, &x->replies[0]);
	return rc == -ENOENT ? 0 : rc;
}

static int head_look_below(struct look *x, struct name_info *out)
{
	if (!x->page.n && !x->page.lost && x->page.truncated)
		return head_look_list_below(x->store, x->below, out);
	head_look_read_below(&x->page, x->below, out);
	return 0;
}

/* What is permitted counts: one of the two may be refused. */
static int head_look_judge(struct look *x, struct name_info *out)
{
	bool head_denied = head_look_is_denied(x, 0),
	     list_denied = head_look_is_denied(x, 1);
	int rc = x->errs[0];

	if (rc && rc != -ENOENT && !head_denied)
		return s3_judge_speak(&x->head, rc, &x->replies[0]);
	out->is_object = !rc;
	if (x->errs[1] && !list_denied)
		return s3_judge_speak(&x->list, x->errs[1], &x->replies[1]);
	if (!rc)
		rc = head_info(s3_of(x->store), x->key, false, &x->replies[0],
			       &out->info);
	if (list_denied) {
		head_look_tell_unlisted(x);
		out->unlisted = !out->is_object;
		return out->unlisted ? -EACCES : rc;
	}
	if (out->is_object && rc)
		return rc;
	rc = head_look_below(x, out);
	if (!rc && head_denied && !out->is_prefix)
		rc = head_look_listed(x, out);
	return rc;
}

int s3_stat(struct store *store, const char *key, struct name_info *out)
{
	struct look x;
	int rc;

	head_look_at(&x, store, key);
	rc = head_look_judge(&x, out);
	head_look_clear(&x);
	return rc;
}

/* ---- are the ETags of its listings those of its objects? ---- */

static void head_confirm_learn(struct s3 *s)
{
	struct log_where where = { .stage = s->base.name };

	if (s3_state_learn(s, S3_LACKS_ETAGS))
		log_at(LOG_LEVEL_INFO, &where,
		       "the store's listings have other ETags than its "
		       "objects: they do not count");
}

/* The listing still has its ETag, so no client has put another object there. */
static bool head_confirm_listed(struct s3 *s, const char *key, const char *etag,
				const struct object_info *now)
{
	struct object_info entry;
	int64_t apart;

	if (!*now->etag || s3_ask_listed(s, key, &entry) ||
	    strcmp(entry.etag, etag) || entry.size != now->size)
		return false;
	apart = entry.mtime.tv_sec - now->mtime.tv_sec;
	return apart >= -1 && apart <= 1;
}

int s3_confirm(struct store *store, const char *key, const char *listed,
	       struct object_info *now)
{
	struct s3 *s = s3_of(store);
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc = s3_head_reply(s, key, true, now, &reply);

	if (rc)
		return rc == -ENOENT ? -ESTALE : rc;
	if (!strcmp(now->etag, listed))
		return 0;
	if (!head_confirm_listed(s, key, listed, now))
		return -ESTALE;
	head_confirm_learn(s);
	return 0;
}

/* ---- check ---- */

#define CHECK_MS 15000 /* a person waits for it */

static void head_check_refused(const struct s3_call *c, long status,
			       struct buf *why)
{
	const char *bucket = c->s3->io.bucket, *code = c->error.code;

	if (!strcmp(code, "NoSuchBucket"))
		buf_addf(why, "there is no bucket `%s`", bucket);
	else if (!*code && status == 404)
		buf_addf(why,
			 "there is no bucket `%s`, or what answers is no S3 "
			 "server",
			 bucket);
	else if (!strcmp(code, "NoSuchKey"))
		buf_adds(why, "the store looks for an object: is the bucket in "
			      "endpoint_url as well? it belongs in url alone");
	else if (!strcmp(code, "InvalidAccessKeyId"))
		buf_adds(why, "the store does not know the access key id");
	else if (!strcmp(code, "SignatureDoesNotMatch"))
		buf_adds(why, "the secret key is wrong (the signature does "
			      "not match)");
	else if (!strcmp(code, "ExpiredToken"))
		buf_adds(why, "the credentials have expired");
	else if (!strcmp(code, "InvalidToken"))
		buf_adds(why, "the session token is wrong");
	else if (!strcmp(code, "RequestTimeTooSkewed"))
		buf_adds(why, "this machine's clock is more than a day off");
	else if (!strcmp(code, "AccessDenied") || status == 403)
		buf_addf(why, "these credentials may not list the bucket `%s`",
			 bucket);
	else if (status / 100 == 2)
		buf_adds(why, "what answers is no S3 server");
	else
		buf_addf(why, "the store answered %ld %s", status, code);
	if (*c->error.message) {
		buf_adds(why, ": ");
		text_printable(why, c->error.message);
	}
}

static void head_check_unreachable(const struct s3_call *c, int rc,
				   const struct http_reply *reply,
				   struct buf *why)
{
	const char *hint = s3_endpoint_hint(&c->s3->io, rc);
	BUF_LOCAL host = BUF_INIT(1024);
	struct s3_sign_ctx now;

	s3_state_sign_ctx(c->s3, &now);
	s3_endpoint_host(&c->s3->io, now.region, &host);
	if (rc == -EHOSTUNREACH)
		buf_addf(why, "there is no host `%s`", buf_str(&host));
	else
		buf_addf(why, "cannot reach %s", buf_str(&host));
	if (reply->why)
		buf_addf(why, ": %s", reply->why);
	if (!hint && reply->why == http_untrusted)
		hint = "ca_file = FILE names the authority of a server of "
		       "one's own";
	if (hint)
		buf_addf(why, " (%s)", hint);
}

int s3_check(struct store *store, const char *prefix, struct buf *why)
{
	struct s3 *s = s3_of(store);
	struct s3_page page = { 0 };
	struct creds *creds = NULL;
	S3_CALL_LOCAL c;
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc;

	s3_ask_first(&c, s, prefix, &page);
	c.quiet = true;
	c.http.deadline_ms = http_lane_deadline(s->lane);
	if (c.http.deadline_ms > CHECK_MS)
		c.http.deadline_ms = CHECK_MS;
	buf_adds(why, "no credentials: ");
	rc = cred_cache_get(signer_creds(s->signer), &creds, why);
	creds_unref(creds);
	if (!rc) {
		buf_reset(why);
		rc = s3_perform(&c, &reply);
		if (rc && reply.rc)
			head_check_unreachable(&c, reply.rc, &reply, why);
		else if (rc)
			head_check_refused(&c, reply.status, why);
		if (rc == -EACCES && reply.status == 403 &&
		    !strcmp(c.error.code, "AccessDenied"))
			rc = -EPERM;
	} else if (rc != -ENOMEM && rc != -EINTR) {
		rc = -EACCES;
	}
	s3_page_clear(&page);
	return rc;
}
