/*
 * Pre-signed URLs: for the public endpoint, from what is at hand. No request
 * is made; the credentials may be read from their files.
 *
 * The store's clock is used only when it was learnt over TLS: over plain HTTP
 * anybody on the way could make our URLs live longer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/s3_impl.h"

static bool has_dots(const char *key)
{
	for (const char *s = key; s; s = strchr(s, '/'), s = s ? s + 1 : NULL) {
		size_t n = strcspn(s, "/");

		if ((n == 1 && *s == '.') || (n == 2 && !strncmp(s, "..", 2)))
			return true;
	}
	return false;
}

static void warn(const char *key, bool by_creds, int64_t expires_at,
		 struct buf *out)
{
	char when[TIME_RFC3339_SIZE];

	if (by_creds) {
		time_rfc3339(expires_at, when);
		buf_addf(out,
			 "the credentials end at %s, and the URL with them",
			 when);
	}
	if (has_dots(key))
		buf_addf(out,
			 "%sthe key has `.` or `..` segments, which many "
			 "clients rewrite (curl: --path-as-is)",
			 by_creds ? "; " : "");
}

static int fill(const struct store_presign *req, const char *type,
		struct buf *url, struct buf *warning,
		struct store_presigned *out)
{
	struct buf json = BUF_INIT(BUF_MESSAGE), lines = BUF_INIT(BUF_MESSAGE);

	buf_addc(&json, '{');
	if (type) {
		buf_adds(&json, "\"content-type\":");
		text_json_string(&json, type);
		buf_addf(&lines, "content-type: %s\n", type);
	}
	buf_addc(&json, '}');
	out->method = req->action == PRESIGN_UPLOAD ? "PUT" : "GET";
	out->url = buf_detach(url);
	out->headers = buf_detach(&json);
	out->header_lines = type ? buf_detach(&lines) : strdup("");
	out->warning = warning->len ? buf_detach(warning) : NULL;
	return out->url && out->headers && out->header_lines ? 0 : -ENOMEM;
}

int s3_presign(struct store *store, const struct store_presign *req,
	       struct store_presigned *out, struct buf *err)
{
	struct s3 *s = s3_of(store);
	const char *type =
		req->action == PRESIGN_UPLOAD ? req->content_type : NULL;
	struct sigv4_field header = { "content-type", type };
	struct sigv4_field payer = { "x-amz-request-payer", "requester" };
	struct buf host = BUF_INIT(1024), path = BUF_INIT(BUF_URL);
	struct buf query = BUF_INIT(BUF_URL), url = BUF_INIT(2 * BUF_URL);
	struct buf warning = BUF_INIT(BUF_MESSAGE);
	struct sigv4_request request = {
		.method = req->action == PRESIGN_UPLOAD ? "PUT" : "GET",
		.query = &payer,
		.n_query = s->requester_pays,
		.headers = &header,
		.n_headers = type != NULL,
		.payload_hash = SIGV4_UNSIGNED_PAYLOAD,
	};
	struct s3_present now;
	bool by_creds = false;
	int e;

	s3_present(s, &now);
	s3_place_host(&s->public, now.region, &host);
	s3_place_path(&s->public, req->key, &path);
	request.host = buf_str(&host);
	request.path = buf_str(&path);
	e = signer_presign(
		s->signer, &request, now.region,
		clock_now_s() + (s3_place_is_https(&s->io) ? now.skew_s : 0),
		req->expire, &query, &out->expires_at, &by_creds, err);
	buf_addf(&url, "%s://%s%s", s->public.url.scheme, request.host,
		 request.path);
	if (query.len)
		buf_addf(&url, "?%s", buf_str(&query));
	warn(req->key, by_creds, out->expires_at, &warning);
	if (!e)
		e = fill(req, type, &url, &warning, out);
	buf_clear(&host);
	buf_clear(&path);
	buf_wipe(&query);
	buf_wipe(&url);
	buf_clear(&warning);
	return e;
}
