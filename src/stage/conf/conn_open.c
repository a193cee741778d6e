/*
 * From settings to a store: a lane to its server, a signer with its
 * credentials, and the store that takes both over; or a directory.
 */
#include "base/text.h"
#include "stage/conf/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cred_cache.h"
#include "auth/signer.h"
#include "base/buf.h"
#include "net/http_engine.h"
#include "store/store.h"
#include "store/local/local.h"
#include "store/s3/s3.h"

static struct http_lane *open_lane(const struct conn *c,
				   struct http_engine *engine)
{
	const struct http_lane_settings set = {
		.connections = c->connections,
		.connect_timeout_s = c->connect_timeout,
		.idle_timeout_s = c->idle_timeout,
		.deadline_s = c->deadline,
		.proxy = conn_endpoint_proxy(c),
		.ca_file = text_given(c->ca_file),
	};

	return http_lane_new(engine, &set);
}

static struct signer *open_signer(const struct conn *c, const char *region,
				  struct http_engine *engine)
{
	const struct cred_settings set = {
		.credentials = text_given(c->credentials),
		.access_key_id = text_given(c->access_key_id),
		.secret_access_key = text_given(c->secret_access_key),
		.session_token = text_given(c->session_token),
		.access_key_id_from = c->access_key_id_from,
		.secret_access_key_from = c->secret_access_key_from,
		.session_token_from = c->session_token_from,
		.role_arn = text_given(c->role_arn),
		.external_id = text_given(c->external_id),
		.region = region,
		.proxy = conn_endpoint_proxy(c),
		.engine = engine,
	};
	struct cred_cache *creds;
	struct signer *signer;

	creds = cred_cache_new(&set);
	if (!creds)
		return NULL;
	signer = signer_new(creds, "s3");
	if (!signer)
		cred_cache_free(creds);
	return signer;
}

/* A key is for one kind alone. */
static const char *default_sse(const struct conn *c)
{
	return text_given(c->sse_kms_key_id) ? "aws:kms" : NULL;
}

static int open_s3(const struct conn *c, const char *name, const char *bucket,
		   struct http_engine *engine, struct store **out,
		   struct buf *err)
{
	struct buf endpoint = BUF_INIT(BUF_URL), public = BUF_INIT(BUF_URL);
	struct buf region = BUF_INIT(256);
	struct http_lane *lane = open_lane(c, engine);
	struct signer *signer = NULL;
	int rc = -ENOMEM;

	conn_endpoint_region(c, &region);
	if (lane)
		signer = open_signer(c, buf_str(&region), engine);
	conn_endpoint(c, &endpoint);
	conn_endpoint_public(c, &public);
	if (signer && !buf_err(&endpoint) && !buf_err(&public) &&
	    !buf_err(&region)) {
		const struct s3_settings set = {
			.name = name,
			.endpoint_url = buf_str(&endpoint),
			.public_endpoint_url = text_given(buf_str(&public)),
			.region = text_given(buf_str(&region)),
			.bucket = bucket,
			.virtual_host = conn_endpoint_virtual(c, false),
			.public_virtual_host = conn_endpoint_virtual(c, true),
			.upload_checksum = c->upload_checksum,
			.storage_class = text_given(c->storage_class),
			.sse = text_given(c->sse) ? c->sse : default_sse(c),
			.sse_kms_key_id = text_given(c->sse_kms_key_id),
			.acl = text_given(c->acl),
			.requester_pays = c->requester_pays,
			.types = c->content_type == CONN_TYPE_BY_NAME,
		};

		rc = s3_new(&set, lane, signer, out, err);
	} else {
		if (signer)
			signer_free(signer);
		if (lane)
			http_lane_free(lane);
	}
	buf_clear(&endpoint);
	buf_clear(&public);
	buf_clear(&region);
	return rc;
}

static int open_absent(const struct conn_location *place, const char *name,
		       int rc, const char *why, struct store **out)
{
	struct buf url = BUF_INIT(BUF_URL);

	conn_location_show(place, "", &url);
	rc = store_broken_new(name, buf_str(&url), rc, why, out);
	buf_clear(&url);
	return rc;
}

static int open_local(const struct conn *c, const struct conn_location *place,
		      const char *name, struct store **out)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	const struct local_settings set = {
		.name = name,
		.root = place->root,
		.url_name = name,
		.public_endpoint_url = text_given(c->public_endpoint_url),
		.types = c->content_type == CONN_TYPE_BY_NAME,
	};
	int rc = local_new(&set, out, &why);

	if (rc && rc != -ENOMEM)
		rc = open_absent(place, name, rc,
				 why.len ? buf_str(&why) : strerror(-rc), out);
	buf_clear(&why);
	return rc;
}

int conn_open(const struct conn *c, const char *name,
	      struct http_engine *engine, struct store **out, struct buf *err)
{
	struct conn_location place;
	int rc = conn_check(c, err);

	if (rc)
		return rc;
	rc = conn_location(c, &place, err);
	if (rc)
		return rc;
	if (place.root)
		rc = open_local(c, &place, name, out);
	else
		rc = open_s3(c, name, place.bucket, engine, out, err);
	if (rc == -ENOMEM)
		buf_adds(err, "no memory");
	conn_location_clear(&place);
	return rc;
}
