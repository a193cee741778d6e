/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked goes to the store whose object it is, with a struct s3_by_url
 * that has the calls signed in their URLs. A row that was handed over has no
 * such store: one without keys stands in for it, of which nothing is asked but
 * what an answer means.
 */
#include "store/s3/s3_url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cred_cache.h"
#include "store/s3/s3_upload.h"
#include "store/s3/s3_ops.h"

struct s3_url {
	struct store base; /* first */
	struct store *of; /* a reference */
	struct s3_by_url by;
};

static struct s3_url *url_of(struct store *s)
{
	return (struct s3_url *)s;
}

static void url_free(struct store *s)
{
	struct s3_url *u = url_of(s);

	if (u->of)
		store_unref(u->of);
	if (u->by.url)
		wipe(u->by.url, strlen(u->by.url));
	if (u->by.headers)
		wipe(u->by.headers, strlen(u->by.headers));
	free(u->by.url);
	free(u->by.headers);
	lock_take(&u->by.lock);
	buf_clear(&s3_by_url_locked(&u->by)->why);
	lock_drop(&u->by.lock);
	lock_destroy(&u->by.lock);
	store_fini(s);
	free(u);
}

static void url_get(struct store *s, struct store_get *get)
{
	struct s3_url *u = url_of(s);

	s3_get_by(s3_of(u->of), &u->by, get);
}

static void url_get_cancel(struct store *s, struct store_get *get)
{
	s3_get_cancel(url_of(s)->of, get);
}

static int url_put(struct store *s, const char *key,
		   const struct store_body *body, const struct store_meta *meta,
		   const struct store_cond *cond, struct object_info *out)
{
	struct s3_url *u = url_of(s);

	if (cond)
		return -EOPNOTSUPP;
	return s3_put_by(s3_of(u->of), &u->by, key, body, meta, out);
}

/* The upload is the other store's, which completes it. */
static int url_upload_open(struct store *s, const char *key,
			   const struct store_meta *meta,
			   struct store_upload **out)
{
	struct s3_url *u = url_of(s);
	struct store_meta all = { 0 };
	int rc;

	if (u->by.url)
		return -EOPNOTSUPP;
	if (meta)
		all = *meta;
	all.foreign_parts = true;
	rc = s3_upload_open(u->of, key, &all, out);
	if (!rc)
		s3_upload_of(*out)->by = &u->by;
	return rc;
}

static int url_upload_resume(struct store *s, const struct store_pending *p,
			     store_part_there_fn *there, void *arg,
			     struct store_upload **out)
{
	struct s3_url *u = url_of(s);
	int rc;

	if (u->by.url)
		return -EOPNOTSUPP;
	rc = s3_upload_resume(u->of, p, there, arg, out);
	if (!rc)
		s3_upload_of(*out)->by = &u->by;
	return rc;
}

static const struct store_ops url_ops = {
	.kind = "url",
	.free = url_free,
	.get = url_get,
	.get_cancel = url_get_cancel,
	.put = url_put,
	.upload_open = url_upload_open,
	.upload_resume = url_upload_resume,
};

/* ---- making one ---- */

static int url_stand_in(struct store **out)
{
	const struct s3_settings set = {
		.name = "url",
		.endpoint_url = "http://localhost",
		.bucket = "row",
	};
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	const struct cred_settings none = { .credentials = "anonymous" };
	struct cred_cache *creds = cred_cache_new(&none);
	struct signer *signer = creds ? signer_new(creds, "s3") : NULL;

	if (!signer) {
		if (creds)
			cred_cache_free(creds);
		return -ENOMEM;
	}
	return s3_new(&set, NULL, signer, out, &why);
}

static int url_take_row(struct s3_url *u, const struct s3_url_settings *set)
{
	int v = 0;

	while (v < HTTP_VERBS && strcmp(set->method, http_verb_name(v)))
		v++;
	if (v == HTTP_VERBS)
		return -EINVAL;
	u->by.put = v;
	u->by.url = strdup(set->url);
	u->by.headers = strdup(set->headers ? set->headers : "");
	if (!u->by.url || !u->by.headers)
		return -ENOMEM;
	return url_stand_in(&u->of);
}

int s3_url_new(const struct s3_url_settings *set, struct store **out)
{
	struct s3_url *u;
	int rc = 0;

	*out = NULL;
	if (set->of && strcmp(set->of->ops->kind, "s3"))
		return -EOPNOTSUPP;
	u = calloc(1, sizeof(*u));
	if (!u || store_init(&u->base, &url_ops, "url")) {
		free(u);
		return -ENOMEM;
	}
	lock_init(&u->by.lock, LOCK_S3_URL);
	lock_take(&u->by.lock);
	buf_init(&s3_by_url_locked(&u->by)->why, BUF_MESSAGE);
	lock_drop(&u->by.lock);
	u->by.lane = set->lane;
	u->by.put = HTTP_PUT;
	if (set->of)
		u->of = store_ref(set->of);
	else
		rc = url_take_row(u, set);
	if (rc) {
		url_free(&u->base);
		return rc;
	}
	u->base.limits = u->of->limits;
	if (u->by.url)
		u->base.limits.put_max = UINT64_MAX; /* the server knows */
	*out = &u->base;
	return 0;
}

/* ---- what became of it ---- */

void s3_url_why(struct store *s, struct buf *out)
{
	struct s3_by_url *by = &url_of(s)->by;
	struct buf *why;

	lock_take(&by->lock);
	why = &s3_by_url_locked(by)->why;
	buf_adds(out, buf_str(why));
	buf_reset(why);
	lock_drop(&by->lock);
}

bool s3_url_moved(struct store *s, struct buf *out)
{
	struct s3_by_url *by = &url_of(s)->by;
	bool moved;

	lock_take(&by->lock);
	moved = *s3_by_url_locked(by)->moved;
	buf_adds(out, s3_by_url_locked(by)->moved);
	lock_drop(&by->lock);
	return moved;
}
