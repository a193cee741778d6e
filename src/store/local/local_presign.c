/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-signed URLs of a local store: Signature Version 4 in the query, as S3's,
 * over `ORIGIN/STORE/KEY`, by the key of the root. The gateway answers them,
 * and knows three methods.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "net/url.h"
#include "sign/sigv4.h"
#include "store/local/local.h"
#include "store/local/local_address.h"
#include "store/local/local_ops.h"
#include "store/local/local_path.h"
#include "store/local/local_root.h"

#define REGION "us-east-1"
#define SERVICE "s3"

static int local_presign_check(const struct store_presign *req, struct buf *why)
{
	const char *reason = NULL;
	int e = local_path_check(req->key, &reason);

	if (e) {
		buf_adds(why, reason);
		return e;
	}
	switch (req->action) {
	case PRESIGN_DOWNLOAD:
	case PRESIGN_UPLOAD:
	case PRESIGN_HEAD:
		return 0;
	default:
		return buf_fail(
			why, -ENOTSUP,
			"a local store's URLs are for GET, HEAD and PUT of "
			"whole objects");
	}
}

static void presign_to_sigv4(const struct field *from, size_t n,
			     struct field *to)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (struct field){ from[i].name, from[i].value };
}

/* Signs what is in request but for the host, which comes from the origin. */
static int local_presign_sign(struct local *l, struct sigv4_request *request,
			      const struct buf *origin, int64_t now,
			      int64_t expire, struct buf *query,
			      struct buf *why)
{
	BUF_LOCAL host = BUF_INIT(1024);
	struct local_key key;
	struct sigv4_key derived;
	struct sigv4_scope scope = { .region = REGION,
				     .service = SERVICE,
				     .time = now };
	URL_LOCAL u = { 0 };
	int rc = local_key(&l->base, &key);

	if (rc)
		return buf_fail(
			why, rc,
			"the store has no signing key that can be read");
	rc = url_parse(buf_str(origin), NULL, &u, why);
	if (!rc)
		url_authority(&u, &host);
	if (!rc)
		rc = buf_err(&host);
	if (!rc) {
		scope.access_key_id = key.id;
		request->host = buf_str(&host);
		sigv4_derive(&derived, key.secret, now, REGION, SERVICE);
		rc = sigv4_presign(&derived, &scope, request, expire, query);
		wipe(&derived, sizeof(derived));
	}
	wipe(&key, sizeof(key));
	return rc;
}

static int local_presign_deliver(const struct buf *origin,
				 const struct buf *path,
				 const struct buf *query,
				 struct store_presigned *out)
{
	char room[2048];
	struct buf url;

	buf_init_on(&url, room, sizeof(room), 2 * BUF_URL);
	buf_adds(&url, buf_str(origin));
	buf_adds(&url, buf_str(path));
	buf_addc(&url, '?');
	buf_add(&url, query->data, query->len);
	out->url = buf_detach(&url);
	return buf_err(&url);
}

/* A URL that no gateway has ever answered is worth a warning. */
static int local_presign_warn(struct local *l, struct store_presigned *out)
{
	BUF_LOCAL address = BUF_INIT(1024);

	if (l->public_url)
		return 0;
	if (!local_address(&l->base, &address) && !address.len) {
		out->warning = strdup("no gateway has answered for this store "
				      "yet: a mount, or `stagefs serve`, "
				      "starts one");
		if (!out->warning)
			return -ENOMEM;
	}
	return 0;
}

int local_presign(struct store *s, const struct store_presign *req,
		  struct store_presigned *out, struct buf *why)
{
	struct local *l = local_of(s);
	struct field headers[PRESIGN_FIELDS_MAX];
	struct field fields[PRESIGN_FIELDS_MAX];
	struct sigv4_request request = {
		.method = out->method,
		.query = fields,
		.n_query = req->n_query,
		.headers = headers,
		.n_headers = req->n_headers,
		.payload_hash = SIGV4_UNSIGNED_PAYLOAD,
	};
	char on_query[2048], on_path[512];
	BUF_LOCAL origin = BUF_INIT(1024), path = { 0 };
	BUF_SECRET query = { 0 };
	int64_t now = clock_now_s();
	int rc = local_presign_check(req, why);

	if (rc)
		return rc;
	buf_init_on(&path, on_path, sizeof(on_path), BUF_URL);
	buf_init_on(&query, on_query, sizeof(on_query), BUF_URL);
	presign_to_sigv4(req->headers, req->n_headers, headers);
	presign_to_sigv4(req->query, req->n_query, fields);
	local_address_origin(l, &origin);
	buf_addc(&path, '/');
	sigv4_encode_path(&path, l->url_name);
	buf_addc(&path, '/');
	sigv4_encode_path(&path, req->key);
	request.path = buf_str(&path);
	rc = buf_err(&origin) ? buf_err(&origin) : buf_err(&path);
	if (!rc)
		rc = local_presign_sign(l, &request, &origin, now, req->expire,
					&query, why);
	if (!rc)
		rc = local_presign_deliver(&origin, &path, &query, out);
	if (!rc)
		rc = local_presign_warn(l, out);
	if (!rc)
		out->expires_at = now + req->expire;
	return rc ? rc
		  : store_presign_headers(out, req->headers, req->n_headers);
}
