/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From settings to a store: a lane to its server, a signer with its
 * credentials, and the store that takes both over; or a directory.
 */
#include "stage/conf/conn.h"

#include <errno.h>
#include <string.h>

#include "auth/cred_cache.h"
#include "auth/signer.h"
#include "base/buf.h"
#include "base/text.h"
#include "net/http_engine.h"
#include "store/store.h"
#include "store/local/local.h"
#include "store/s3/s3.h"

static struct cred_cache *open_creds(const struct conn *c, const char *region,
				     struct http_engine *engine)
{
	struct cred_settings set = c->creds;

	set.region = region;
	set.proxy = c->lane.proxy;
	set.engine = engine;
	return cred_cache_new(&set);
}

int conn_renew(const struct conn *c, struct http_engine *engine,
	       struct store *store)
{
	BUF_LOCAL region = BUF_INIT(256);
	struct cred_cache *creds = NULL;
	int rc = -ENOMEM;

	conn_endpoint_region(c, &region);
	if (!buf_err(&region))
		creds = open_creds(c, buf_str(&region), engine);
	if (creds)
		rc = s3_set_creds(store, creds);
	if (rc)
		cred_cache_free(creds);
	return rc;
}

static struct signer *open_signer(const struct conn *c, const char *region,
				  struct http_engine *engine)
{
	struct cred_cache *creds = open_creds(c, region, engine);
	struct signer *signer;

	if (!creds)
		return NULL;
	signer = signer_new(creds, "s3");
	if (!signer)
		cred_cache_free(creds);
	return signer;
}

/* Takes over lane and signer. */
static int open_bucket(const struct conn *c, const char *name,
		       const char *bucket, const char *region,
		       struct http_lane *lane, struct signer *signer,
		       struct store **out, struct buf *why)
{
	BUF_LOCAL endpoint = BUF_INIT(BUF_URL), public = BUF_INIT(BUF_URL);
	struct s3_settings set = c->s3;
	int rc;

	conn_endpoint(c, &endpoint);
	conn_endpoint_public(c, &public);
	rc = buf_err(&endpoint) ? buf_err(&endpoint) : buf_err(&public);
	if (!rc) {
		set.name = name;
		set.bucket = bucket;
		set.endpoint_url = buf_str(&endpoint);
		set.public_endpoint_url = buf_str(&public);
		set.region = region;
		set.virtual_host = conn_endpoint_virtual(c, false);
		set.public_virtual_host = conn_endpoint_virtual(c, true);
		set.types = c->content_type == CONN_TYPE_BY_NAME;
		set.attributes = c->attributes == CONN_ATTRIBUTES_POSIX;
		/* A key is for one kind alone. */
		if (!text_given(set.sse) && text_given(set.sse_kms_key_id))
			set.sse = "aws:kms";
		rc = s3_new(&set, lane, signer, out, why);
	} else {
		signer_free(signer);
		http_lane_free(lane);
	}
	return rc;
}

static int open_s3(const struct conn *c, const char *name, const char *bucket,
		   struct http_engine *engine, struct store **out,
		   struct buf *why)
{
	BUF_LOCAL region = BUF_INIT(256);
	struct http_lane_settings set = c->lane;
	struct http_lane *lane;
	struct signer *signer = NULL;
	int rc = -ENOMEM;

	set.name = name;
	lane = http_lane_new(engine, &set);
	conn_endpoint_region(c, &region);
	if (lane && !buf_err(&region))
		signer = open_signer(c, buf_str(&region), engine);
	if (signer)
		rc = open_bucket(c, name, bucket, buf_str(&region), lane,
				 signer, out, why);
	else
		http_lane_free(lane);
	return rc;
}

static int open_broken(const struct conn_location *at, const char *name, int rc,
		       const char *why, struct store **out)
{
	BUF_LOCAL url = BUF_INIT(BUF_URL);

	conn_location_show(at, "", &url);
	return store_broken_new(name, buf_str(&url), rc, why, out);
}

static int open_local(const struct conn *c, const struct conn_location *at,
		      const char *name, struct store **out)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	const struct local_settings set = {
		.name = name,
		.root = at->root,
		.url_name = name,
		.public_endpoint_url = text_given(c->s3.public_endpoint_url),
		.types = c->content_type == CONN_TYPE_BY_NAME,
	};
	int rc = local_new(&set, out, &why);

	if (rc && rc != -ENOMEM)
		rc = open_broken(at, name, rc,
				 why.len ? buf_str(&why) : strerror(-rc), out);
	return rc;
}

int conn_open(const struct conn *c, const char *name,
	      struct http_engine *engine, struct store **out, struct buf *why)
{
	CONN_LOCATION_LOCAL at = { 0 };
	int rc = conn_check(c, why);

	if (rc)
		return rc;
	rc = conn_location(c, &at, why);
	if (rc)
		return rc;
	if (at.root)
		rc = open_local(c, &at, name, out);
	else
		rc = open_s3(c, name, at.bucket, engine, out, why);
	if (rc == -ENOMEM)
		buf_adds(why, "no memory");
	if (!rc)
		(*out)->write_back = (enum store_write_back)c->write_back;
	return rc;
}
