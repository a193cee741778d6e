/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ranged GET. Bytes go to the caller as they come, so an attempt that
 * breaks off leaves a prefix delivered, and the next one asks for the rest.
 * All attempts must meet the same object: the ETag is the caller's, or else
 * that of the first answer, and goes along as If-Match; an answer with
 * another one (from a server that ignores the condition) ends the call.
 *
 *   want = [offset, offset + len)   delivered: how much of it is at the
 *   caller   size: the object's, once an answer has told it
 *
 * A server that answers 200 sends the whole object: what stands before the
 * range is skipped and what stands after it is not read. Where it tells no
 * length, the body's end is the object's, if the answer says where that is;
 * and bytes that were encoded on the way are no bytes of the object.
 *
 * A body of a 206 has the bytes that its Content-Range says, no more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"
#include "store/s3/s3_error.h"
#include "store/s3/s3_etag.h"
#include "store/s3/s3_info.h"
#include "store/s3/s3_judge.h"
#include "store/s3/s3_made.h"
#include "store/s3/s3_ops.h"
#include "store/s3/s3_perform.h"

/*
 * By URLs a person waits for a long transfer: it goes on for as long as bytes
 * come, and an odd answer is not asked for again and again.
 */
#define BY_URL_MS ((int64_t)30 * 86400 * 1000)
#define FIRST_PATIENCE_MS 15000 /* before anything has come at all */
#define PATIENCE_MS 60000
#define ODD_MAX 3 /* answers with too few bytes */

/* data()'s way to end an attempt that has brought all that was wanted. */
#define ENOUGH (-ECANCELED)

struct s3_get {
	struct s3_call call; /* first */
	struct store_get *get;
	char etag[STORE_ETAG_SIZE]; /* pinned, "" not yet */
	struct object_info info;
	bool known; /* info is */
	uint64_t delivered;
	uint64_t skip; /* of this attempt's body */
	uint64_t body_max; /* bytes that this attempt's body may have */
	bool enough, stale, longer;
	unsigned odd; /* answers that ended well, with too little */
	const char *bad; /* what is wrong with this attempt's answer */
};

/* How many bytes of the range there are, as far as is known. */
static uint64_t get_expected(const struct s3_get *x)
{
	const struct store_get *get = x->get;

	if (!x->known || x->info.size == STORE_SIZE_UNKNOWN)
		return get->len;
	if (get->offset >= x->info.size)
		return 0;
	return number_min(x->info.size - get->offset, get->len);
}

static int get_prepare(struct http_call *http, struct http_wire *wire)
{
	struct s3_get *x = (struct s3_get *)http;
	struct field more[2];
	const struct store_get *get = x->get;
	char range[64];
	unsigned n = 0;

	x->skip = 0;
	x->bad = NULL;
	snprintf(range, sizeof(range), "bytes=%llu-%llu",
		 (unsigned long long)(get->offset + x->delivered),
		 (unsigned long long)(get->offset + get->len - 1));
	if (x->delivered || get->offset || get->len != STORE_GET_ALL)
		more[n++] = (struct field){ "Range", range };
	if (*x->etag && !s3_etag_is_hash(x->etag))
		more[n++] = (struct field){ "If-Match", x->etag };
	return s3_call_prepare_with(&x->call, wire, more, n);
}

static bool get_is_other(const struct s3_get *x, const struct object_info *info)
{
	if (*x->etag && *info->etag && strcmp(x->etag, info->etag))
		return true;
	return x->known && x->info.size != STORE_SIZE_UNKNOWN &&
	       info->size != STORE_SIZE_UNKNOWN && info->size != x->info.size;
}

/* Where the body begins, and how long it may be. */
static void get_place(struct s3_get *x, const struct http_reply *reply)
{
	uint64_t want = x->get->offset + x->delivered;
	struct s3_range range;

	x->body_max = STORE_SIZE_UNKNOWN;
	if (reply->status != 206) {
		x->skip = want;
		x->get->whole = true;
		if (http_reply_recoded(reply))
			x->bad = "the answer was encoded on the way";
	} else if (!s3_info_range(reply, &range) || range.first != want) {
		x->bad = "the answer has not the bytes that were asked for";
	} else {
		x->body_max = range.last - range.first + 1;
	}
}

/* A weak ETag cannot be asked for by If-Match, and other bytes may have it. */
static bool get_has_strong_etag(const struct http_reply *reply)
{
	BUF_LOCAL etag = BUF_INIT(HTTP_HEADERS_MAX);

	return http_reply_header(reply, "etag", &etag) && etag.len &&
	       !text_starts_with(buf_str(&etag), "W/");
}

/* The head of an answer: which object, and where its body begins. */
static void get_head(struct s3_get *x, const struct http_reply *reply)
{
	bool strong = get_has_strong_etag(reply);
	struct object_info info;

	s3_info_read(reply, &info);
	if (x->call.by && !strong)
		info.etag[0] = '\0';
	x->get->unverified = x->get->unverified || !strong;
	x->stale = get_is_other(x, &info);
	if (!x->stale)
		get_place(x, reply);
	if (x->stale || x->bad)
		return;
	if (!*info.etag)
		memcpy(info.etag, x->etag, sizeof(info.etag));
	else if (!*x->etag)
		memcpy(x->etag, info.etag, sizeof(x->etag));
	if (info.size == STORE_SIZE_UNKNOWN && x->known)
		info.size = x->info.size;
	x->info = info;
	x->known = true;
	x->call.use = S3_USE_PINNED;
}

static int get_data(struct http_call *http, const struct http_reply *reply,
		    const void *bytes, size_t n)
{
	struct s3_get *x = (struct s3_get *)http;
	uint64_t left;

	if (reply->received == n)
		get_head(x, reply);
	if (x->call.by)
		x->call.retry_until_ms = clock_mono_ms() + PATIENCE_MS;
	if (x->stale)
		return -ESTALE;
	if (x->bad)
		return 0; /* judge() has it tried again */
	if (reply->received > x->body_max) {
		x->longer = true;
		return -EIO;
	}
	if (x->skip >= n) {
		x->skip -= n;
		return 0;
	}
	bytes = (const char *)bytes + x->skip;
	n -= x->skip;
	x->skip = 0;
	left = get_expected(x) - x->delivered;
	x->enough = n >= left && reply->status == 200;
	if (n > left)
		n = left;
	if (n)
		x->get->data(x->get, bytes, n);
	x->delivered += n;
	return x->enough ? ENOUGH : 0;
}

/* A whole object without a length has come to its end. */
static void get_end(struct s3_get *x, const struct http_reply *reply)
{
	if (x->bad || reply->status != 200 || !x->known ||
	    x->info.size != STORE_SIZE_UNKNOWN)
		return;
	if (http_reply_delimited(reply))
		x->info.size = reply->received;
	else
		x->bad = "the answer does not say where it ends";
}

/* Past the end: there is nothing, which is no error. */
static void get_past_end(struct s3_get *x, const struct http_reply *reply)
{
	struct s3_range range;

	if (x->known && x->info.size != STORE_SIZE_UNKNOWN) {
		x->stale = true; /* it was longer a moment ago */
		return;
	}
	s3_info_read(reply, &x->info);
	x->info.size = x->get->offset + x->delivered;
	if (s3_info_range(reply, &range) && range.total != STORE_SIZE_UNKNOWN)
		x->info.size = range.total;
	if (!*x->info.etag)
		memcpy(x->info.etag, x->etag, sizeof(x->etag));
	x->enough = true;
}

static bool get_is_whole(struct s3_get *x)
{
	if (x->longer)
		return false;
	return x->enough || (x->known && x->delivered == get_expected(x));
}

/* Bytes of another attempt could be another object's, and nothing would show
 * it: a person's transfer begins anew then. */
static bool get_cannot_go_on(const struct s3_get *x)
{
	return x->call.by && x->get->whole && x->delivered && !*x->etag;
}

static enum http_verdict get_judge(struct http_call *http,
				   const struct http_reply *reply)
{
	struct s3_get *x = (struct s3_get *)http;
	enum http_verdict verdict = s3_judge(http, reply);

	if (reply->status == 416 && !reply->rc && !get_is_whole(x)) {
		get_past_end(x, reply);
		return HTTP_DONE;
	}
	if (x->stale || get_is_whole(x))
		return HTTP_DONE;
	if (reply->rc || reply->status / 100 != 2)
		return get_cannot_go_on(x) ? HTTP_DONE : verdict;
	/* a 2xx without a body has not been looked at by data() */
	if (!reply->received)
		get_head(x, reply);
	if (!x->stale)
		get_end(x, reply);
	if (x->stale || (!x->bad && get_is_whole(x)))
		return HTTP_DONE;
	if (x->call.by && (x->bad || ++x->odd == ODD_MAX))
		return HTTP_DONE;
	return HTTP_RETRY; /* less than was said, or another range */
}

static int get_outcome(struct s3_get *x, const struct http_reply *reply)
{
	if (get_is_whole(x))
		return 0;
	if (x->stale)
		return s3_judge_failed(&x->call, reply, -ESTALE,
				       "the object has changed");
	if (x->longer)
		return s3_judge_failed(&x->call, reply, -EIO,
				       "the answer is longer than it said");
	if (!reply->rc && reply->status / 100 == 2)
		return s3_judge_failed(&x->call, reply, -EIO,
				       x->bad ? x->bad
					      : "the answer is shorter than it "
						"should be");
	return s3_judge_outcome(&x->call, reply->rc, reply);
}

static void get_done(struct http_call *http, const struct http_reply *reply)
{
	struct s3_get *x = (struct s3_get *)http;
	struct store_get *get = x->get;
	int rc = get_outcome(x, reply);
	struct object_info info = x->info;

	if (!rc && get->props)
		get->has_props = !s3_info_props(reply, get->props);
	s3_perform_ended(&x->call, &get->state);
	get->done(get, rc, &info);
}

static const struct http_call_ops get_ops = {
	.prepare = get_prepare,
	.data = get_data,
	.judge = get_judge,
	.done = get_done,
};

static struct s3_get *get_new(struct s3 *s, struct s3_by_url *by,
			      struct store_get *get)
{
	struct s3_get *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->get = get;
	s3_call_init(&x->call, s, HTTP_GET, get->key, "read");
	s3_made_add(&x->call, S3_REQUEST_READ, NULL);
	x->call.http.ops = &get_ops;
	x->call.hushes_denial = get->quiet;
	x->call.http.class = get->ahead ? HTTP_AHEAD : HTTP_DATA;
	x->call.http.expect = (int64_t)get->len;
	s3_call_by_url(&x->call, by);
	if (by) {
		x->call.http.deadline_ms = BY_URL_MS;
		x->call.retry_until_ms = clock_mono_ms() + FIRST_PATIENCE_MS;
	}
	if (get->etag) {
		snprintf(x->etag, sizeof(x->etag), "%s", get->etag);
		x->call.use = S3_USE_PINNED;
	}
	return x;
}

void s3_get_by(struct s3 *s, struct s3_by_url *by, struct store_get *get)
{
	struct s3_get *x = get_new(s, by, get);
	struct object_info none = { 0 };
	int rc = x ? s3_perform_start(&x->call, &get->state) : -ENOMEM;

	if (!rc)
		return;
	s3_perform_drop(x ? &x->call : NULL);
	get->done(get, rc, &none);
}

void s3_get(struct store *store, struct store_get *get)
{
	s3_get_by(s3_of(store), NULL, get);
}

void s3_get_cancel(struct store *store, struct store_get *get)
{
	s3_perform_cancel(s3_of(store), &get->state);
}
