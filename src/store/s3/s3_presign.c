/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-signed URLs: for the public endpoint, from what is at hand. No request
 * is made; the credentials may be read from their files.
 *
 * The store's clock is used only when it was learnt over TLS: over plain HTTP
 * an attacker on the way could make our URLs live longer.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/s3/s3_endpoint.h"
#include "store/s3/s3_made.h"
#include "store/s3/s3_ops.h"

static bool presign_path_has_dots(const char *key)
{
	for (const char *s = key; s; s = strchr(s, '/'), s = s ? s + 1 : NULL) {
		size_t n = strcspn(s, "/");

		if ((n == 1 && *s == '.') || (n == 2 && !strncmp(s, "..", 2)))
			return true;
	}
	return false;
}

/* The request's headers and, for what makes an object, the stage's own. */
static size_t presign_headers(const struct s3 *s,
			      const struct store_presign *req,
			      struct field *out)
{
	size_t n = 0;

	for (; n < req->n_headers; n++)
		out[n] = req->headers[n];
	return req->action == PRESIGN_UPLOAD
		       ? n + s3_made_of_url(s, req, out + n)
		       : n;
}

static void presign_lower(const struct field *from, size_t n, struct field *to)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (struct field){ from[i].name, from[i].value };
}

/* What must be said beside the URL. */
static void presign_add_warning(struct buf *out, const char *sentence)
{
	if (out->len)
		buf_adds(out, "; ");
	buf_adds(out, sentence);
}

/* A URL of another time than the store's. */
static void presign_warn_clock(const struct s3 *s,
			       const struct s3_sign_ctx *now, struct buf *out)
{
	BUF_LOCAL text = BUF_INIT(BUF_MESSAGE);

	s3_clock_say(now->off_s, &text);
	buf_adds(&text, ", and the URL is dated by this machine's: over plain "
			"http the store's time is not trusted");
	presign_add_warning(out, buf_str(&text));
}

static int s3_presign_warn(const struct s3 *s, const struct s3_sign_ctx *now,
			   const struct store_presign *req,
			   const struct signer_end *end,
			   struct store_presigned *out)
{
	struct buf text = BUF_INIT(BUF_MESSAGE);
	char when[TIME_RFC3339_SIZE];

	if (end->anonymous)
		presign_add_warning(&text,
				    "the stage has no credentials: the URL is "
				    "not signed, and does not expire");
	if (end->by_creds) {
		clock_rfc3339(end->at, when);
		buf_addf(&text,
			 "the credentials end at %s, and the URL with them",
			 when);
	}
	if (presign_path_has_dots(req->key))
		presign_add_warning(&text,
				    "the key has `.` or `..` segments, which "
				    "many clients rewrite (curl: "
				    "--path-as-is)");
	if (now->guessed && s3_endpoint_is_amazon(&s->public) &&
	    !end->anonymous)
		presign_add_warning(&text,
				    "no region is known, and the URL is signed "
				    "for us-east-1: set `region`");
	if (now->off_s && !s3_clock_is_trusted(s) && !end->anonymous)
		presign_warn_clock(s, now, &text);
	out->warning = text.len ? buf_detach(&text) : NULL;
	return buf_err(&text);
}

/* Amazon overrides no header without a signature: such a URL would fail
 * later. */
static int presign_check_anonymous(const struct store_presign *req,
				   const struct signer_end *end,
				   struct buf *why)
{
	if (!end->anonymous)
		return 0;
	for (size_t i = 0; i < req->n_query; i++) {
		if (!text_starts_with(req->query[i].name, "response-"))
			continue;
		buf_addf(why,
			 "%s: the stage has no credentials, and what an answer "
			 "says can be chosen in a signed URL only",
			 req->query[i].name);
		return -EINVAL;
	}
	return 0;
}

static int s3_presign_deliver(const struct s3 *s,
			      const struct sigv4_request *request,
			      const struct buf *query,
			      struct store_presigned *out)
{
	char room[2048];
	struct buf url;

	buf_init_on(&url, room, sizeof(room), 2 * BUF_URL);
	buf_adds(&url, s->public.url.scheme);
	buf_adds(&url, "://");
	buf_adds(&url, request->host);
	buf_adds(&url, request->path);
	if (query->len) {
		buf_addc(&url, '?');
		buf_add(&url, query->data, query->len);
	}
	out->url = buf_detach(&url);
	return buf_err(&url);
}

static int s3_presign_sign(struct s3 *s, const struct store_presign *req,
			   struct sigv4_request *request,
			   struct store_presigned *out, struct buf *why)
{
	char room[2048];
	struct signer_terms terms = { .expires = req->expire,
				      .strict = req->strict };
	struct signer_end end;
	struct s3_sign_ctx now;
	struct buf host, path, query;
	char on_host[256], on_path[512];
	int rc;

	buf_init_on(&host, on_host, sizeof(on_host), 1024);
	buf_init_on(&path, on_path, sizeof(on_path), BUF_URL);
	buf_init_on(&query, room, sizeof(room), BUF_URL);
	s3_state_sign_ctx(s, &now);
	s3_endpoint_host(&s->public, now.region, &host);
	s3_endpoint_path(&s->public, req->key, &path);
	request->host = buf_str(&host);
	request->path = buf_str(&path);
	terms.region = now.region;
	terms.time = clock_now_s() + (s3_clock_is_trusted(s) ? now.off_s : 0);
	rc = buf_err(&host) ? buf_err(&host) : buf_err(&path);
	if (!rc)
		rc = signer_presign(s->signer, request, &terms, &query, &end,
				    why);
	if (!rc)
		rc = presign_check_anonymous(req, &end, why);
	if (!rc)
		rc = s3_presign_deliver(s, request, &query, out);
	if (!rc)
		rc = s3_presign_warn(s, &now, req, &end, out);
	out->expires_at = rc ? 0 : end.at;
	buf_clear(&host);
	buf_clear(&path);
	buf_wipe(&query);
	return rc;
}

int s3_presign(struct store *store, const struct store_presign *req,
	       struct store_presigned *out, struct buf *why)
{
	struct s3 *s = s3_of(store);
	struct field headers[PRESIGN_FIELDS_MAX + S3_MADE];
	struct field signed_headers[PRESIGN_FIELDS_MAX + S3_MADE];
	struct field query[PRESIGN_FIELDS_MAX + 1];
	struct sigv4_request request = {
		.method = out->method,
		.query = query,
		.n_query = req->n_query,
		.headers = signed_headers,
		.n_headers = presign_headers(s, req, headers),
		.payload_hash = SIGV4_UNSIGNED_PAYLOAD,
	};
	int rc;

	if (s3_made_is_private(s)) {
		buf_adds(why, "the stage's objects are encrypted with a key of "
			      "its own (sse_customer_key), which a URL would "
			      "have to hand out");
		return -ENOTSUP;
	}
	presign_lower(headers, request.n_headers, signed_headers);
	presign_lower(req->query, req->n_query, query);
	if (s->requester_pays)
		query[request.n_query++] =
			(struct field){ "x-amz-request-payer", "requester" };
	rc = s3_presign_sign(s, req, &request, out, why);
	return rc ? rc : store_presign_headers(out, headers, request.n_headers);
}
