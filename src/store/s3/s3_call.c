/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request: building it, signing each attempt, waiting for the answer.
 *
 * A call is built by the thread that makes it and not changed afterwards;
 * what attempts find out (s3_call.h says which fields) belongs to the engine's
 * thread until done(). A failure in building sticks in `rc` and ends the call
 * before anything is sent.
 */
#include "store/s3/s3_call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/s3/s3_endpoint.h"
#include "store/s3/s3_error.h"
#include "store/s3/s3_etag.h"
#include "store/s3/s3_judge.h"
#include "store/s3/s3_lack.h"

/* What a request sends beside the caller's headers. */
#define MORE_MAX 4
#define URL_EXPIRES_S 3600 /* of an attempt's own */
#define SIGNED_MAX (S3_CALL_FIELDS + MORE_MAX + 1)

static const struct http_call_ops plain_ops = {
	.prepare = s3_call_prepare,
	.judge = s3_judge,
};

void s3_call_init(struct s3_call *c, struct s3 *s, enum http_verb verb,
		  const char *key, const char *what)
{
	memset(c, 0, sizeof(*c));
	c->http.ops = &plain_ops;
	c->http.verb = verb;
	c->http.class = HTTP_META;
	c->refs = 1;
	c->s3 = s;
	c->key = key;
	c->what = what;
	c->checksum = s->checksum;
	strcpy(c->payload, SIGV4_EMPTY_PAYLOAD);
	buf_init(&c->text, S3_REPLY_MAX);
	if (s->requester_pays)
		s3_call_header(c, "x-amz-request-payer", "requester");
}

void s3_call_by_url(struct s3_call *c, struct s3_by_url *by)
{
	c->by = by;
	if (!by)
		return;
	c->checksum = S3_CHECKSUM_NONE;
	if (c->http.verb == HTTP_PUT)
		c->http.verb = by->put;
}

static void call_fields_clear(struct s3_fields *f)
{
	for (unsigned i = 0; i < f->n; i++)
		free((char *)f->at[i].value);
	f->n = 0;
}

void s3_call_clear(struct s3_call *c)
{
	call_fields_clear(&c->query);
	call_fields_clear(&c->headers);
	buf_clear(&c->text);
	creds_unref(c->used);
	c->used = NULL;
}

static void call_fields_add(struct s3_call *c, struct s3_fields *f,
			    const char *name, const char *value)
{
	char *copy;

	if (f->n == S3_CALL_FIELDS) {
		c->rc = c->rc ? c->rc : -E2BIG;
		return;
	}
	copy = strdup(value);
	if (!copy) {
		c->rc = -ENOMEM;
		return;
	}
	f->at[f->n].name = name;
	f->at[f->n++].value = copy;
}

void s3_call_query(struct s3_call *c, const char *name, const char *value)
{
	call_fields_add(c, &c->query, name, value);
}

const char *s3_call_prefix(const struct s3_call *c)
{
	for (unsigned i = 0; i < c->query.n; i++)
		if (!strcmp(c->query.at[i].name, "prefix"))
			return c->query.at[i].value;
	return "";
}

void s3_call_header(struct s3_call *c, const char *name, const char *value)
{
	call_fields_add(c, &c->headers, name, value);
}

void s3_call_headerf(struct s3_call *c, const char *name, const char *fmt, ...)
{
	char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		value = NULL;
	va_end(ap);
	if (value)
		s3_call_header(c, name, value);
	else
		c->rc = -ENOMEM;
	free(value);
}

void s3_call_cond(struct s3_call *c, const struct store_cond *cond)
{
	/* the caller has looked, where the store would not */
	if (!cond || s3_state_lacks(c->s3, s3_lack_of_cond(cond)))
		return;
	if (cond->if_match) {
		/* a hash has been compared with a HEAD's */
		if (!s3_etag_is_hash(cond->if_match))
			s3_call_header(c, "If-Match", cond->if_match);
		c->use = S3_USE_MATCH;
	} else if (cond->if_absent) {
		s3_call_header(c, "If-None-Match", "*");
		c->use = S3_USE_ABSENT;
	}
}

void s3_call_text(struct s3_call *c, const char *content_type)
{
	int rc = buf_err(&c->text);

	if (rc)
		c->rc = c->rc ? c->rc : rc;
	s3_call_header(c, "Content-Type", content_type);
	sha256_hex(buf_str(&c->text), c->text.len, c->payload);
	c->http.body.data = buf_str(&c->text);
	c->http.body.fd = -1;
	c->http.body.len = c->text.len;
}

void s3_call_slow(struct s3_call *c, uint64_t bytes)
{
	c->http.works = true;
	c->http.work = bytes;
}

void s3_call_parse(struct s3_call *c,
		   int (*parse)(struct s3_call *call, const struct buf *body),
		   void *out)
{
	c->parse = parse;
	c->out = out;
	c->http.reply_max = S3_REPLY_MAX;
}

/* ---- what is sent: read once before, for its checksum in a header, which
 * stands before it ---- */

void s3_call_text_md5(struct s3_call *c, const char *content_type)
{
	unsigned char sum[MD5_SIZE];
	BUF_LOCAL text = BUF_INIT(S3_MD5_TEXT);

	s3_call_text(c, content_type);
	md5(buf_str(&c->text), c->text.len, sum);
	base64_encode(sum, MD5_SIZE, &text);
	s3_call_header(c, "Content-MD5", buf_str(&text));
}

static void call_header_base64(struct s3_call *c, const char *name,
			       const unsigned char *bytes, size_t n)
{
	BUF_LOCAL text = BUF_INIT(128);

	base64_encode(bytes, n, &text);
	if (buf_err(&text))
		c->rc = buf_err(&text);
	else
		s3_call_header(c, name, buf_str(&text));
}

static int call_crc32c(struct s3_call *c, const struct store_body *body)
{
	unsigned char big[4];
	int rc = 0;

	c->crc32c = body->crc32c;
	if (!body->has_crc32c)
		rc = s3_sum_crc32c(body, &c->crc32c);
	for (int i = 0; i < 4; i++)
		big[i] = c->crc32c >> (24 - 8 * i);
	call_header_base64(c, "x-amz-checksum-crc32c", big, sizeof(big));
	return rc;
}

int s3_call_body(struct s3_call *c, const struct store_body *body)
{
	unsigned char bytes[SHA256_SIZE];
	int rc = 0;

	c->http.body = (struct http_body){ .data = body->data,
					   .fd = body->fd,
					   .offset = body->offset,
					   .len = body->len };
	strcpy(c->payload, SIGV4_UNSIGNED_PAYLOAD);
	if (c->checksum != S3_CHECKSUM_MD5 &&
	    s3_state_lacks(c->s3, S3_WANTS_MD5))
		rc = s3_sum_md5_text(body, c->md5);
	switch (rc ? S3_CHECKSUM_NONE : c->checksum) {
	case S3_CHECKSUM_CRC32C:
		rc = call_crc32c(c, body);
		break;
	case S3_CHECKSUM_SHA256:
		rc = s3_sum_digest(body, DIGEST_SHA256, bytes);
		hex_encode(bytes, SHA256_SIZE, c->payload);
		break;
	case S3_CHECKSUM_MD5:
		rc = s3_sum_digest(body, DIGEST_MD5, bytes);
		call_header_base64(c, "Content-MD5", bytes, MD5_SIZE);
		break;
	case S3_CHECKSUM_NONE:
		break;
	}
	if (rc)
		c->rc = c->rc ? c->rc : rc;
	return c->rc;
}

/* ---- an attempt ---- */

static int call_wire_fields(const struct field *f, unsigned n,
			    struct http_wire *wire)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < n; i++)
		rc = http_wire_header(wire, f[i].name, f[i].value);
	return rc;
}

static int call_wire_headers(const struct s3_call *c, const struct field *h,
			     unsigned n, const struct signer_headers *sign,
			     struct http_wire *wire)
{
	int rc = call_wire_fields(h, n, wire);

	if (rc || !sign->authorization)
		return rc;
	rc = http_wire_header(wire, "x-amz-date", sign->amz_date);
	if (!rc)
		rc = http_wire_header(wire, "x-amz-content-sha256", c->payload);
	if (!rc && sign->session_token)
		rc = http_wire_header(wire, "x-amz-security-token",
				      sign->session_token);
	return rc ? rc
		  : http_wire_header(wire, "Authorization",
				     sign->authorization);
}

static int call_wire_sign(struct s3_call *c,
			  const struct sigv4_request *request,
			  const struct s3_sign_ctx *now, struct http_wire *wire)
{
	struct signer_headers sign = { 0 };
	int rc = signer_authorize(c->s3->signer, request, now->region,
				  clock_now_s() + now->skew_s, &sign);

	if (!rc)
		rc = call_wire_headers(c, request->headers, request->n_headers,
				       &sign, wire);
	creds_unref(c->used);
	c->used = sign.used ? creds_ref(sign.used) : NULL;
	signer_headers_clear(&sign);
	return rc;
}

/* The signature stands in the URL, whose other end is where the public finds
 * the bucket. Credentials are those at hand: the engine's thread waits for
 * none. */
static int call_wire_presign(struct s3_call *c,
			     const struct sigv4_request *request,
			     const struct s3_sign_ctx *now,
			     struct http_wire *wire)
{
	const struct signer_terms terms = {
		.region = now->region,
		.time = clock_now_s() +
			(s3_clock_is_trusted(c->s3) ? now->off_s : 0),
		.expires = URL_EXPIRES_S,
		.at_hand = true,
	};
	BUF_SECRET query = BUF_INIT(BUF_URL);
	struct signer_end end;
	int rc = signer_presign(c->s3->signer, request, &terms, &query, &end,
				NULL);

	if (!rc)
		rc = buf_err(&query);
	if (!rc && query.len)
		buf_addf(&wire->url, "?%s", buf_str(&query));
	return rc ? rc
		  : call_wire_fields(request->headers, request->n_headers,
				     wire);
}

/* A URL that was handed over, with the headers of its own and of this attempt;
 * Content-MD5, if it is demanded, need not be signed. */
static int call_wire_given(struct s3_call *c, struct http_wire *wire,
			   const struct field *more, unsigned n)
{
	buf_adds(&wire->url, c->by->url);
	buf_adds(&wire->headers, c->by->headers);
	if (buf_err(&wire->url) || buf_err(&wire->headers))
		return -EMSGSIZE;
	if (*c->md5 && http_wire_header(wire, "Content-MD5", c->md5))
		return -EMSGSIZE;
	return call_wire_fields(more, n, wire);
}

/* Signed in a header. */
static int call_wire_authorize(struct s3_call *c,
			       const struct sigv4_request *request,
			       const struct s3_sign_ctx *now,
			       struct http_wire *wire)
{
	if (request->n_query) {
		buf_addc(&wire->url, '?');
		sigv4_encode_query(&wire->url, request->query,
				   request->n_query);
	}
	return call_wire_sign(c, request, now, wire);
}

/* Those of the call, but what the store does not know, and what it demands. */
static unsigned call_headers(const struct s3_call *c, struct field *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->headers.n; i++)
		if (!(c->without & S3_LACKS_CHECKSUM) ||
		    !s3_lack_is_checksum(c->headers.at[i].name))
			out[n++] = c->headers.at[i];
	if (*c->md5)
		out[n++] = (struct field){ "Content-MD5", c->md5 };
	return n;
}

/* The same of its query. */
static unsigned call_query(const struct s3_call *c, struct field *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->query.n; i++)
		if (!(c->without & S3_LACKS_ENCODING) ||
		    !s3_lack_is_encoding(c->query.at[i].name))
			out[n++] = c->query.at[i];
	return n;
}

int s3_call_prepare_with(struct s3_call *c, struct http_wire *wire,
			 const struct field *more, unsigned n)
{
	struct field headers[SIGNED_MAX], query[S3_CALL_FIELDS];
	BUF_LOCAL host = BUF_INIT(1024), path = BUF_INIT(BUF_URL);
	struct sigv4_request request = {
		.method = http_verb_name(c->http.verb),
		.query = query,
		.headers = headers,
		.payload_hash = c->by ? SIGV4_UNSIGNED_PAYLOAD : c->payload,
	};
	const struct s3_endpoint *place = c->by ? &c->s3->public : &c->s3->io;
	struct s3_sign_ctx now;
	int rc = c->rc;

	if (!rc && n > MORE_MAX)
		rc = -E2BIG;
	if (rc)
		return rc;
	if (c->by && c->by->url)
		return call_wire_given(c, wire, more, n);
	s3_state_sign_ctx(c->s3, &now);
	c->generation = now.generation;
	c->guessed = now.guessed;
	c->without |= now.lacks & S3_LACKS_OF_CALL;
	request.n_headers = call_headers(c, headers);
	request.n_query = call_query(c, query);
	if (n && !c->by) {
		memcpy(headers + request.n_headers, more, n * sizeof(*headers));
		request.n_headers += n;
	}
	s3_endpoint_host(place, now.region, &host);
	s3_endpoint_path(place, c->key, &path);
	request.host = buf_str(&host);
	request.path = buf_str(&path);
	rc = buf_err(&host) ? buf_err(&host) : buf_err(&path);
	buf_addf(&wire->url, "%s://%s%s", place->url.scheme, request.host,
		 request.path);
	if (!rc)
		rc = (c->by ? call_wire_presign
			    : call_wire_authorize)(c, &request, &now, wire);
	if (!rc && c->by)
		rc = call_wire_fields(more, n, wire);
	return rc ? rc : buf_err(&wire->url);
}

int s3_call_prepare(struct http_call *http, struct http_wire *wire)
{
	return s3_call_prepare_with((struct s3_call *)http, wire, NULL, 0);
}
