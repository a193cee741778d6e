/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S3 store: its making, its settings, and the table of what it does.
 *
 * Files by noun: s3_state (what is known of the store), s3_call (a request,
 * signed for each attempt), s3_perform (its way), s3_judge (what an answer
 * means and what can be put right), s3_error (the table), s3_made (what new
 * objects are given), s3_doc, s3_page and
 * s3_etag (what answers are written in), s3_endpoint (hosts and paths),
 * s3_head, s3_list, s3_get, s3_put, s3_remove, s3_copy, s3_upload, s3_part,
 * s3_presign, and s3_url (one object by pre-signed URLs).
 *
 * What changes under way (region, clock, what the server cannot) stands under
 * one lock, which is held for assignments only.
 */
#include "store/s3/s3.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/s3/s3_endpoint.h"
#include "store/s3/s3_heed.h"
#include "store/s3/s3_lack.h"
#include "store/s3/s3_made.h"
#include "store/s3/s3_ops.h"

#define GIB ((uint64_t)1 << 30)

static void s3_locate(struct store *store, const char *key, struct buf *out)
{
	buf_addf(out, "s3://%s/%s", s3_of(store)->io.bucket, key);
}

static void s3_warn(struct store *store, struct buf *out)
{
	struct s3 *s = s3_of(store);
	struct s3_sign_ctx now;

	s3_state_sign_ctx(s, &now);
	if (!now.off_s)
		return;
	s3_clock_say(now.off_s, out);
	if (!s3_clock_is_trusted(s))
		buf_adds(out, ", and over plain http pre-signed URLs are off "
			      "by that");
}

static int s3_describe(struct store *store, struct buf *out)
{
	BUF_LOCAL amiss = BUF_INIT(BUF_MESSAGE);
	struct s3 *s = s3_of(store);
	struct creds *creds = NULL;
	struct s3_sign_ctx now;
	char end[TIME_RFC3339_SIZE];
	const char *proxy;
	int rc;

	s3_state_sign_ctx(s, &now);
	buf_addf(out, "%s://", s->io.url.scheme);
	s3_endpoint_host(&s->io, now.region, out);
	buf_addf(out, ", region %s, credentials: ", now.region);
	proxy = s->lane ? http_lane_proxy(s->lane, s->io.url.scheme) : NULL;
	rc = cred_cache_get(signer_creds(s->signer), &creds, NULL);
	if (rc) /* why: store_check() says it */
		buf_adds(out, "none");
	else if (!creds)
		buf_adds(out, "none, anonymous");
	else
		buf_adds(out, creds->source);
	if (!rc && creds && creds->expires_at) {
		clock_rfc3339(creds->expires_at, end);
		buf_addf(out, " until %s", end);
	}
	creds_unref(creds);
	s3_warn(store, &amiss);
	if (amiss.len)
		buf_addf(out, "; %s", buf_str(&amiss));
	if (proxy && !s3_endpoint_is_here(&s->io))
		buf_addf(out, "; by the proxy of %s", proxy);
	s3_lack_show(s, out);
	return rc ? rc : buf_err(out);
}

static int64_t s3_credentials_end(struct store *store)
{
	CREDS_LOCAL *creds = NULL;
	int64_t end = 0;

	if (!cred_cache_peek(signer_creds(s3_of(store)->signer), &creds) &&
	    creds)
		end = creds->expires_at;
	return end;
}

int s3_set_creds(struct store *store, struct cred_cache *creds)
{
	return signer_set_creds(s3_of(store)->signer, creds);
}

static void s3_free(struct store *store)
{
	struct s3 *s = s3_of(store);

	lock_take(&s->lock);
	creds_unref(s3_locked(s)->refused);
	free(s3_locked(s)->plain);
	lock_drop(&s->lock);
	if (s->lane)
		http_lane_free(s->lane);
	signer_free(s->signer);
	s3_endpoint_clear(&s->io);
	s3_endpoint_clear(&s->public);
	s3_made_clear(s);
	lock_destroy(&s->lock);
	store_fini(store);
	free(s);
}

static const struct store_ops s3_ops = {
	.kind = "s3",
	.free = s3_free,
	.check = s3_check,
	.stat = s3_stat,
	.head = s3_head,
	.confirm = s3_confirm,
	.list_open = s3_list_open,
	.list_next = s3_list_next,
	.list_close = s3_list_close,
	.get = s3_get,
	.get_cancel = s3_get_cancel,
	.put = s3_put,
	.upload_open = s3_upload_open,
	.part = s3_part,
	.part_cancel = s3_part_cancel,
	.part_copy = s3_part_copy,
	.upload_complete = s3_upload_complete,
	.upload_abort = s3_upload_abort,
	.upload_free = s3_upload_free,
	.upload_id = s3_upload_id,
	.pending_abort = s3_pending_abort,
	.upload_resume = s3_upload_resume,
	.tags = s3_tags,
	.copy = s3_copy,
	.set_props = s3_set_props,
	.props_known = s3_props_known,
	.copy_as = s3_copy_as,
	.is_near = s3_copy_is_near,
	.copy_from = s3_copy_from,
	.remove = s3_remove,
	.remove_many = s3_remove_many,
	.presign = s3_presign,
	.locate = s3_locate,
	.describe = s3_describe,
	.warn = s3_warn,
	.known = s3_known,
	.credentials_end = s3_credentials_end,
};

/* Amazon's limits; a store with lower ones says so when they are met. */
static const struct store_limits s3_limits = {
	.put_max = 5 * GIB,
	.part_min = 5 << 20,
	.parts_max = 10000,
	.object_max = 50000 * GIB, /* 48.8 TiB */
	.utf8_keys = true,
	.presign = true,
};

static int s3_set_endpoints(struct s3 *s, const struct s3_settings *set,
			    struct buf *why)
{
	const char *public = text_given(set->public_endpoint_url)
				     ? set->public_endpoint_url
				     : set->endpoint_url;
	const char *bucket = set->bucket ? set->bucket : "";
	int rc;

	if (!text_given(set->endpoint_url)) {
		buf_adds(why, "there is no endpoint");
		return -EINVAL;
	}
	rc = s3_endpoint_init(&s->io, set->endpoint_url, bucket,
			      set->virtual_host, why);
	return rc ? rc
		  : s3_endpoint_init(&s->public, public, bucket,
				     set->public_virtual_host, why);
}

/* The one that is given, else the one in the endpoint's name. */
static int s3_set_region(struct s3 *s, const char *region, struct buf *why)
{
	char own[S3_REGION_SIZE];
	bool guessed;
	int rc = 0;

	s3_endpoint_region(&s->io, own);
	guessed = !text_given(region) && !*own;
	if (!text_given(region))
		region = *own ? own : "us-east-1";
	if (!s3_endpoint_is_region(region)) {
		buf_adds(why, "`");
		text_printable(why, region);
		buf_adds(why, "` is no region");
		rc = -EINVAL;
	}
	lock_take(&s->lock);
	snprintf(s3_locked(s)->region, S3_REGION_SIZE, "%s", region);
	s3_locked(s)->guessed = guessed;
	lock_drop(&s->lock);
	return rc;
}

/* A bucket of a server, however its keys are addressed. */
static int s3_set_identity(struct s3 *s)
{
	struct buf text = BUF_INIT(BUF_URL);

	buf_adds(&text, "s3 ");
	url_origin(&s->io.url, &text);
	buf_addf(&text, "%s %s", s->io.url.path, s->io.bucket);
	s->base.identity = buf_detach(&text);
	return s->base.identity ? 0 : -ENOMEM;
}

int s3_new(const struct s3_settings *set, struct http_lane *lane,
	   struct signer *signer, struct store **out, struct buf *why)
{
	struct s3 *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s || store_init(&s->base, &s3_ops, set->name)) {
		free(s);
		if (lane)
			http_lane_free(lane);
		signer_free(signer);
		return -ENOMEM;
	}
	lock_init(&s->lock, LOCK_S3);
	s->lane = lane;
	s->signer = signer;
	s->base.limits = s3_limits;
	s->base.limits.crc32c = set->upload_checksum == S3_CHECKSUM_CRC32C;
	s->checksum = set->upload_checksum;
	s->requester_pays = set->requester_pays;
	s->base.types = set->types;
	s->base.attributes = set->attributes;
	rc = s3_made_init(s, set);
	if (rc == -EINVAL)
		buf_adds(why, "sse_customer_key is no key");
	if (!rc)
		rc = s3_set_endpoints(s, set, why);
	if (!rc)
		rc = s3_set_region(s, set->region, why);
	if (!rc && set->disk_cache)
		rc = s3_set_identity(s);
	if (!rc)
		s3_heed_learn_place(s);
	if (!rc && s3_endpoint_is_even(&s->io))
		store_learn_lack(&s->base, STORE_LACKS_UNEVEN);
	if (rc)
		s3_free(&s->base);
	else
		*out = &s->base;
	return rc;
}
