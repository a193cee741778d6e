/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PUT. The body goes to a file without a name on the disk where the object will
 * be, as it comes; when it is whole, and is what its checksums say, the store
 * takes the file itself. A client that goes away before leaves nothing: the
 * kernel frees a file without a name with its descriptor.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/io.h"
#include "gateway/counters.h"
#include "gateway/exchange.h"
#include "gateway/context.h"
#include "gateway/objects/object.h"

#define CHECKSUM "x-amz-checksum-"

static bool object_put_is_dir(const struct object *o)
{
	return o->key.data[o->key.len - 1] == '/';
}

/* ---- what is asked for ---- */

/* A checksum is base64 of so many bytes. */
static bool object_put_take_sum(struct exchange *x, const char *name,
				size_t size, const char **out)
{
	BUF_LOCAL bytes = BUF_INIT(256);
	const char *value = object_request_field(x, name);
	bool good = true;

	if (value)
		good = !base64_decode(value, strlen(value), &bytes) &&
		       bytes.len == size;
	*out = value;
	if (!good)
		exchange_refuse(x, 400, "InvalidDigest",
				"a checksum that came is not one: it is the "
				"base64 of its bytes");
	return good;
}

/* One of those that we do not compute: it would not be checked. */
static bool object_put_other_sum(const char *name)
{
	return !strncasecmp(name, CHECKSUM, sizeof(CHECKSUM) - 1) &&
	       strcasecmp(name, CHECKSUM "crc32c") != 0 &&
	       strcasecmp(name, CHECKSUM "sha256") != 0 &&
	       strcasecmp(name, CHECKSUM "algorithm") != 0;
}

static bool object_put_has_other_sum(const struct exchange *x,
				     const struct object *o)
{
	for (size_t i = 0; i < x->n_headers; i++)
		if (object_put_other_sum(x->headers[i].name))
			return true;
	for (size_t i = 0; i < o->query.n; i++)
		if (object_put_other_sum(o->query.fields[i].name))
			return true;
	return false;
}

static bool object_put_take_sums(struct exchange *x)
{
	struct object *o = x->state;
	struct object_body *b = &o->body;

	if (object_put_has_other_sum(x, o)) {
		exchange_refuse(x, 501, "NotImplemented",
				"of x-amz-checksum-* there are crc32c and "
				"sha256");
		return false;
	}
	if (!object_put_take_sum(x, "Content-MD5", MD5_SIZE, &b->want_md5) ||
	    !object_put_take_sum(x, CHECKSUM "sha256", SHA256_SIZE,
				 &b->want_sha256) ||
	    !object_put_take_sum(x, CHECKSUM "crc32c", sizeof(uint32_t),
				 &b->want_crc32c))
		return false;
	if (b->want_md5)
		b->md5 = digest_new(DIGEST_MD5);
	if (b->want_sha256)
		b->sha256 = digest_new(DIGEST_SHA256);
	if ((b->want_md5 && !b->md5) || (b->want_sha256 && !b->sha256)) {
		object_request_fail(x, -ENOMEM);
		return false;
	}
	return true;
}

/* If-Match, and If-None-Match: *. */
static bool object_put_take_conditions(struct exchange *x)
{
	struct object *o = x->state;
	const char *match = exchange_header(x, "If-Match");
	const char *none = exchange_header(x, "If-None-Match");

	if ((none && strcmp(none, "*") != 0) || (none && match) ||
	    (match && (!strcmp(match, "*") || strchr(match, ','))) ||
	    exchange_header(x, "If-Modified-Since") ||
	    exchange_header(x, "If-Unmodified-Since")) {
		exchange_refuse(x, 501, "NotImplemented",
				"the conditions of a PUT are `If-None-Match: "
				"*` or an If-Match of one ETag");
		return false;
	}
	if (match) {
		/* Some clients leave the quotes out. */
		snprintf(o->match, sizeof(o->match),
			 *match == '"' ? "%s" : "\"%s\"", match);
		o->cond.if_match = o->match;
	}
	o->cond.if_absent = none != NULL;
	return true;
}

/* What cannot succeed ends before its body comes. The store looks once more,
 * when no other writer can come between. */
static bool object_put_conditions_hold(struct exchange *x)
{
	struct object *o = x->state;
	struct object_details d;
	int rc;

	if (!o->cond.if_match && !o->cond.if_absent)
		return true;
	rc = store_head(o->in.store, buf_str(&o->key), &d);
	if (o->cond.if_absent && !rc)
		rc = -EEXIST;
	else if (o->cond.if_match && !rc &&
		 strcmp(d.info.etag, o->cond.if_match) != 0)
		rc = -ESTALE;
	else if (o->cond.if_absent && rc == -ENOENT)
		rc = 0;
	if (rc)
		object_request_fail(x, rc);
	return !rc;
}

static bool object_put_size_holds(struct exchange *x)
{
	struct object *o = x->state;
	int64_t n = x->content_length;

	if (exchange_header(x, "Content-Range"))
		exchange_refuse(x, 400, "InvalidRequest",
				"an object is written as a whole: there is no "
				"Content-Range in a PUT");
	else if (n > 0 && (uint64_t)n > o->in.store->limits.put_max)
		object_request_fail(x, -EFBIG);
	else if (n > 0 && object_put_is_dir(o))
		object_request_fail(x, -EISDIR);
	else if (!n && !exchange_header(x, "Content-Length"))
		exchange_refuse(x, 411, "MissingContentLength",
				"You must provide the Content-Length HTTP "
				"header.");
	return !exchange_answered(x);
}

void object_put_begin(struct exchange *x)
{
	struct object *o = x->state;
	int rc;

	if (!object_put_size_holds(x) || !object_put_take_conditions(x) ||
	    !object_put_take_sums(x) || !object_put_conditions_hold(x) ||
	    object_put_is_dir(o))
		return;
	rc = store_scratch(o->in.store, buf_str(&o->key), &o->body.fd);
	if (rc)
		object_request_fail(x, rc);
}

/* ---- the body ---- */

void object_put_data(struct exchange *x, const void *bytes, size_t n)
{
	struct object *o = x->state;
	struct object_body *b = &o->body;
	int rc = 0;

	if (object_put_is_dir(o))
		rc = -EISDIR;
	else if (n > o->in.store->limits.put_max - b->len)
		rc = -EFBIG;
	else
		rc = io_write(b->fd, bytes, n);
	if (rc) {
		object_put_clear(o);
		object_request_fail(x, rc);
		return;
	}
	b->len += n;
	if (b->md5)
		digest_add(b->md5, bytes, n);
	if (b->sha256)
		digest_add(b->sha256, bytes, n);
	if (b->want_crc32c)
		b->crc32c = crc32c(b->crc32c, bytes, n);
}

static bool object_put_is_sum(const void *bytes, size_t n, const char *want)
{
	BUF_LOCAL text = BUF_INIT(256);

	base64_encode(bytes, n, &text);
	return !strcmp(buf_str(&text), want);
}

static bool object_put_sums_agree(struct object_body *b)
{
	const unsigned char crc[4] = { b->crc32c >> 24, b->crc32c >> 16,
				       b->crc32c >> 8, b->crc32c };
	unsigned char sum[SHA256_SIZE];
	bool good = !b->want_crc32c ||
		    object_put_is_sum(crc, sizeof(crc), b->want_crc32c);
	size_t n;

	if (b->md5) {
		n = digest_end(b->md5, sum);
		good &= object_put_is_sum(sum, n, b->want_md5);
		b->md5 = NULL;
	}
	if (b->sha256) {
		n = digest_end(b->sha256, sum);
		good &= object_put_is_sum(sum, n, b->want_sha256);
		b->sha256 = NULL;
	}
	return good;
}

/* ---- the object ---- */

#define KEPT_MAX 80

/* Headers that are kept, and room for a checksum. */
struct kept {
	struct field fields[KEPT_MAX + 1];
	size_t n;
};

/* Of the parameters those that a header may be given as. */
static bool object_put_is_kept(const char *name, bool parameter)
{
	if (!strncasecmp(name, PROP_META, strlen(PROP_META)))
		return true;
	return !parameter && props_kind(name) & PROP_CONTENT &&
	       strcasecmp(name, PROP_TYPE) != 0;
}

static int object_put_keep(struct kept *k, const struct field *from, size_t n,
			   bool parameters)
{
	for (size_t i = 0; i < n; i++) {
		if (!object_put_is_kept(from[i].name, parameters))
			continue;
		if (k->n == KEPT_MAX)
			return -E2BIG;
		k->fields[k->n++] = from[i];
	}
	return 0;
}

static int object_put_store(struct exchange *x, struct object_info *info)
{
	struct kept k = { .n = 0 };
	struct object *o = x->state;
	const struct store_body body = {
		.data = o->body.fd < 0 ? "" : NULL,
		.fd = o->body.fd,
		.len = o->body.len,
		.adopt = o->body.fd >= 0,
	};
	struct store_meta meta = {
		.content_type = exchange_header(x, "Content-Type"),
		.headers = k.fields,
	};
	uint64_t since = clock_mono_us();
	int rc = object_put_keep(&k, x->headers, x->n_headers, false);

	if (!rc)
		rc = object_put_keep(&k, o->query.fields, o->query.n, true);
	if (rc)
		return rc;
	meta.n_headers = k.n;
	if (o->body.want_md5)
		k.fields[meta.n_headers++] =
			(struct field){ "content-md5", o->body.want_md5 };
	rc = store_put(o->in.store, buf_str(&o->key), &body, &meta, &o->cond,
		       info);
	counters_store(x->gateway->counters, COUNTERS_PUT,
		       clock_mono_us() - since, rc);
	if (!rc)
		gateway_changed(x->gateway, o->in.store, buf_str(&o->key),
				info);
	return rc;
}

void object_put_end(struct exchange *x)
{
	struct object *o = x->state;
	struct object_info info = { 0 };
	int rc;

	if (x->content_length >= 0 &&
	    o->body.len != (uint64_t)x->content_length) {
		exchange_refuse(x, 400, "IncompleteBody",
				"the body is not as long as it was announced");
		return;
	}
	if (!object_put_sums_agree(&o->body)) {
		exchange_refuse(x, 400, "BadDigest",
				"the body is not what its checksum says");
		return;
	}
	rc = object_put_store(x, &info);
	if (rc) {
		object_request_fail(x, rc);
		return;
	}
	exchange_add(x, "ETag", info.etag);
	if (o->body.want_sha256)
		exchange_add(x, CHECKSUM "sha256", o->body.want_sha256);
	if (o->body.want_crc32c)
		exchange_add(x, CHECKSUM "crc32c", o->body.want_crc32c);
	exchange_answer(x, 200, NULL, NULL, 0);
}

void object_put_clear(struct object *o)
{
	unsigned char sum[SHA256_SIZE];

	if (o->body.fd >= 0)
		close(o->body.fd);
	o->body.fd = -1;
	if (o->body.md5)
		digest_end(o->body.md5, sum);
	if (o->body.sha256)
		digest_end(o->body.sha256, sum);
	o->body.md5 = o->body.sha256 = NULL;
}
