/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-signed requests: `/<store>/<key>?X-Amz-...`.
 *
 * The way: the path is split and decoded; the store that it names has the key
 * that the signature must be of; then the signature, over everything as it
 * came; only then is the disk looked at. Parameters beside those of the
 * signature mean what they mean to S3, and what S3 would do and we do not
 * (a part, an ACL, a version) is refused rather than taken for a plain GET or
 * PUT.
 */
#include "gateway/objects/object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "gateway/context.h"
#include "sign/sigv4_verify.h"
#include "store/local/local.h"

#define REGION "us-east-1"
#define SERVICE "s3"

/* ---- what the request says ---- */

/* Parameters and headers by which S3 would do something else. */
static const char *const elsewhere[] = {
	"acl",         "attributes", "cors",        "delete",   "legal-hold",
	"policy",      "lifecycle",  "location",    "logging",  "notification",
	"object-lock", "partNumber", "replication", "restore",  "retention",
	"select",      "tagging",    "torrent",     "uploadId", "uploads",
	"versionId",   "versioning", "versions",    "website",  "list-type",
};
static const char *const elsewhere_headers[] = {
	"x-amz-copy-source",
	"x-amz-trailer",
	"x-amz-decoded-content-length",
	"x-amz-write-offset-bytes",
	"x-amz-server-side-encryption",
	"x-amz-server-side-encryption-customer-algorithm",
	"x-amz-object-lock-mode",
	"x-amz-object-lock-legal-hold",
	"x-amz-website-redirect-location",
};

/* A body of signed chunks would be stored with its signatures. */
static bool object_is_aws_chunked(const struct exchange *x)
{
	const char *coding = exchange_header(x, "Content-Encoding");

	return coding && strcasestr(coding, "aws-chunked");
}

static bool object_is_elsewhere(const struct exchange *x)
{
	const struct object *o = x->state;

	if (object_is_aws_chunked(x))
		return true;

	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
		if (query_get(&o->query, elsewhere[i]))
			return true;
	for (size_t i = 0;
	     i < sizeof(elsewhere_headers) / sizeof(*elsewhere_headers); i++)
		if (object_request_field(x, elsewhere_headers[i]))
			return true;
	return false;
}

/* `/<store>/<key>`, decoded. -ENOENT: there is no such store. */
static int object_find(struct exchange *x, struct object *o)
{
	BUF_LOCAL name = BUF_INIT(STORE_KEY_MAX);
	const char *first = x->path + 1, *slash = strchr(first, '/');
	size_t n = slash ? (size_t)(slash - first) : strlen(first);
	int rc = text_percent_decode(&name, first, n);

	if (!rc && slash)
		rc = text_percent_decode(&o->key, slash + 1, strlen(slash + 1));
	if (!rc)
		rc = buf_err(&name) ? buf_err(&name) : buf_err(&o->key);
	if (!rc)
		rc = query_parse(&o->query, x->query);
	return rc ? rc : stores_find(x->gateway, buf_str(&name), &o->in);
}

/* ---- may it? ---- */

static enum sigv4_verdict object_verify(struct exchange *x, struct object *o,
					const struct local_key *key)
{
	const struct sigv4_received received = {
		.method = x->method,
		.target = x->target,
		.headers = x->headers,
		.n_headers = x->n_headers,
	};
	const struct sigv4_trust trust = {
		.access_key_id = key->id,
		.secret = key->secret,
		.region = REGION,
		.service = SERVICE,
		.now = x->gateway->set.now_s(),
	};
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	enum sigv4_verdict v = sigv4_verify(&received, &trust, &why);

	if (v)
		exchange_refuse(x, sigv4_verify_status(v), sigv4_verify_code(v),
				buf_str(&why));
	return v;
}

static bool object_is_signed(struct exchange *x, struct object *o)
{
	struct local_key key;
	int rc = local_key(o->in.store, &key);
	enum sigv4_verdict v = SIGV4_MISMATCH;

	if (rc)
		object_request_fail(x,
				    rc == -EACCES || rc == -EINVAL ? -EIO : rc);
	else
		v = object_verify(x, o, &key);
	wipe(&key, sizeof(key));
	return v == SIGV4_VALID;
}

/* Answers when it may not. */
static bool object_may(struct exchange *x, struct object *o)
{
	const char *key = buf_str(&o->key);

	if (object_is_elsewhere(x))
		exchange_refuse(x, 501, "NotImplemented",
				"a header or a parameter asks for something "
				"that this server does not do");
	else if (!*key)
		exchange_refuse(x, 501, "NotImplemented",
				"there are no requests for a whole store");
	else if (!text_starts_with(key, o->in.prefix))
		exchange_refuse(x, 403, "AccessDenied",
				"the key is outside the stage");
	else if (o->in.ro && !strcmp(x->method, "PUT"))
		exchange_refuse(x, 403, "AccessDenied",
				"the stage is read-only");
	return !exchange_answered(x);
}

static void object_refuse_target(struct exchange *x, const struct object *o,
				 int rc)
{
	if (rc == -ENOENT && !query_get(&o->query, "X-Amz-Signature"))
		exchange_refuse(x, 403, "AccessDenied",
				"the request is not signed");
	else if (rc == -ENOENT)
		exchange_refuse(x, 404, "NoSuchBucket",
				"no stage on a local disk has this name");
	else if (rc == -EMSGSIZE)
		object_request_fail(x, -ENAMETOOLONG);
	else if (rc == -EINVAL)
		exchange_refuse(x, 400, "InvalidURI",
				"Couldn't parse the specified URI.");
	else
		object_request_fail(x, rc);
}

/* ---- the handler ---- */

static void object_begin(struct exchange *x)
{
	struct object *o = calloc(1, sizeof(*o));
	int rc;

	if (!o) {
		object_request_fail(x, -ENOMEM);
		return;
	}
	o->body.fd = -1;
	buf_init(&o->key, STORE_KEY_MAX);
	x->state = o;
	rc = object_find(x, o);
	if (rc)
		object_refuse_target(x, o, rc);
	else if (object_is_signed(x, o) && object_may(x, o)) {
		if (!strcmp(x->method, "PUT"))
			object_put_begin(x);
		else
			object_get(x);
	}
}

static void object_done(struct exchange *x)
{
	struct object *o = x->state;

	if (!o)
		return;
	object_put_clear(o);
	stores_entry_clear(&o->in);
	buf_clear(&o->key);
	query_clear(&o->query);
	free(o);
	x->state = NULL;
}

const struct exchange_handler object_handler = {
	.kind = "object",
	.begin = object_begin,
	.data = object_put_data,
	.end = object_put_end,
	.done = object_done,
};
