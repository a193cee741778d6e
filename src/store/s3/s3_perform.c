/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call makes its way: on the thread that sleeps for it, several side by side,
 * or with no thread waiting.
 *
 * One that no thread waits for is counted: its end has one reference, a cancel
 * that runs beside it another. What leads to it is a pointer of the caller's,
 * under the store's lock, until it has ended.
 */
#include "store/s3/s3_perform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/s3/s3_judge.h"

/* Credentials that an answer refused while no thread could wait for others. */
static struct creds *perform_take_refused(struct s3 *s)
{
	struct creds *refused;

	lock_take(&s->lock);
	refused = s3_locked(s)->refused;
	s3_locked(s)->refused = NULL;
	lock_drop(&s->lock);
	return refused;
}

static void perform_keep_why(struct s3_call *c, const char *why)
{
	struct buf *out;

	lock_take(&c->by->lock);
	out = &s3_by_url_locked(c->by)->why;
	if (!out->len)
		buf_addf(out, "no credentials: %s", why);
	lock_drop(&c->by->lock);
}

int s3_perform_ready(struct s3_call *c)
{
	struct cred_cache *cache = signer_creds(c->s3->signer);
	CREDS_LOCAL *creds = NULL, *refused = perform_take_refused(c->s3);
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct log_where where = { .stage = c->s3->base.name, .key = c->key };
	int rc = c->rc;

	if (refused)
		cred_cache_refused(cache, refused, true);
	if (!rc) {
		rc = cred_cache_get(cache, &creds, &why);
		where.rc = rc;
		if (rc && rc != -EINTR)
			log_at(LOG_LEVEL_ERROR, &where,
			       "cannot %s: no credentials: %s", c->what,
			       buf_str(&why));
		if (rc && c->by)
			perform_keep_why(c, buf_str(&why));
		if (rc)
			rc = rc == -ENOMEM || rc == -EINTR ? rc : -EACCES;
	}
	return rc;
}

/* True when the call is worth another go with other credentials. */
static bool perform_is_refreshed(struct s3_call *c)
{
	struct creds *refused;

	if (!c->refused || !c->used)
		return false;
	refused = perform_take_refused(c->s3);
	creds_unref(refused);
	c->refused = false;
	return cred_cache_refused(signer_creds(c->s3->signer), c->used,
				  c->surely);
}

/* The outcome, after one further go if it needs one. */
static int perform_end(struct s3_call *c, int rc, struct http_reply *reply)
{
	if (perform_is_refreshed(c)) {
		http_reply_clear(reply);
		memset(reply, 0, sizeof(*reply));
		c->http.state = NULL;
		rc = http_perform(s3_call_lane(c), &c->http, reply);
	}
	return s3_judge_outcome(c, rc, reply);
}

int s3_perform(struct s3_call *c, struct http_reply *reply)
{
	int rc = s3_perform_ready(c);

	memset(reply, 0, sizeof(*reply));
	if (rc)
		return rc;
	c->waits = true;
	return perform_end(c, http_perform(s3_call_lane(c), &c->http, reply),
			   reply);
}

int s3_perform_finish(struct s3_call *c)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc = s3_perform(c, &reply);

	s3_call_clear(c);
	return rc;
}

void s3_perform_all(struct s3_call **calls, struct http_reply *replies,
		    int *errs, unsigned n)
{
	struct http_call *http[S3_SIDE_BY_SIDE];
	int rc = n ? s3_perform_ready(calls[0]) : 0;

	for (unsigned i = 0; i < n; i++) {
		http[i] = &calls[i]->http;
		calls[i]->waits = true;
		errs[i] = rc;
		memset(&replies[i], 0, sizeof(replies[i]));
	}
	if (rc || !n)
		return;
	http_perform_all(calls[0]->s3->lane, http, replies, errs, n);
	/* other credentials are read by the first one that needs them */
	for (unsigned i = 0; i < n; i++)
		errs[i] = perform_end(calls[i], errs[i], &replies[i]);
}

/* ---- no thread waits ---- */

void s3_perform_drop(struct s3_call *c)
{
	if (!c || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL))
		return;
	s3_call_clear(c);
	free(c);
}

int s3_perform_start(struct s3_call *c, void **state)
{
	struct s3 *s = c->s3;
	int rc = s3_perform_ready(c);

	if (rc)
		return rc;
	LOCK_DO(&s->lock, *state = c);
	http_start(s3_call_lane(c), &c->http);
	return 0;
}

void s3_perform_ended(struct s3_call *c, void **state)
{
	struct s3 *s = c->s3;

	LOCK_DO(&s->lock, *state = NULL);
	s3_perform_drop(c);
}

void s3_perform_cancel(struct s3 *s, void **state)
{
	struct s3_call *c;

	lock_take(&s->lock);
	c = *state;
	if (c)
		__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	lock_drop(&s->lock);
	if (c)
		http_cancel(s3_call_lane(c), &c->http);
	s3_perform_drop(c);
}
