/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-signed URLs, what is the same for every kind of store: which method an
 * action is, what may be signed into a URL, and how the headers are written
 * down.
 *
 * Headers are checked here, so that no store and no front end can let one
 * through that would end its line, that a proxy rewrites, or that is a part
 * of the signature itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/store.h"
#include "store/store_check.h"

#define EXPIRE_MAX 604800
#define VALUE_MAX 2048 /* bytes of a header */
#define HEADERS_MAX 8192 /* of all of them, names too */

static const struct {
	const char *method;
	bool writes;
} actions[] = {
	[PRESIGN_DOWNLOAD] = { "GET", false },
	[PRESIGN_UPLOAD] = { "PUT", true },
	[PRESIGN_HEAD] = { "HEAD", false },
	[PRESIGN_DELETE] = { "DELETE", true },
	[PRESIGN_PART] = { "PUT", true },
	[PRESIGN_COMPLETE] = { "POST", true },
	[PRESIGN_ABORT] = { "DELETE", true },
};

const char *store_presign_method(enum presign_action action)
{
	return actions[action].method;
}

bool store_presign_writes(enum presign_action action)
{
	return actions[action].writes;
}

/* ---- headers ---- */

/* The signature's own, and those of a connection, which are rewritten on the
 * way (RFC 9110, section 7.6.1). */
static const char *const refused[] = {
	"accept-encoding",
	"authorization",
	"connection",
	"date",
	"expect",
	"host",
	"keep-alive",
	"proxy-authenticate",
	"proxy-authorization",
	"proxy-connection",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
	"user-agent",
	"x-amz-content-sha256",
	"x-amz-date",
	"x-amz-security-token",
	"x-amzn-trace-id",
};

static const char *presign_header_name_fault(const char *name)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyz"
				    "0123456789!#$%&'*+-.^_`|~";

	if (!*name || name[strspn(name, token)])
		return "no name of a header";
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (!strcmp(name, refused[i]))
			return "a header that a URL cannot bind";
	return NULL;
}

static const char *presign_header_value_fault(const char *value)
{
	size_t n = strlen(value);

	if (text_has_control(value))
		return "a control byte";
	if (!text_is_ascii(value))
		return "a header has ASCII characters only";
	if (n > VALUE_MAX)
		return "too long";
	if (!n)
		return "the value is missing";
	if (value[0] == ' ' || value[n - 1] == ' ')
		return "a space at its begin or end is lost on the way";
	return NULL;
}

static int presign_header_check(const struct store_presign *req, size_t i,
				struct buf *why)
{
	const struct field *h = &req->headers[i];
	const char *fault = presign_header_name_fault(h->name);

	if (!fault)
		fault = presign_header_value_fault(h->value);
	for (size_t k = 0; !fault && k < i; k++)
		if (!strcmp(req->headers[k].name, h->name))
			fault = "given twice";
	if (!fault)
		return 0;
	text_printable(why, h->name);
	return buf_fail(why, -EINVAL, ": %s", fault);
}

static int presign_check_fields(const struct store_presign *req,
				struct buf *why)
{
	size_t bytes = 0;
	int rc = 0;

	if (req->n_headers > PRESIGN_FIELDS_MAX ||
	    req->n_query > PRESIGN_FIELDS_MAX)
		return buf_fail(why, -EINVAL, "too many headers");
	for (size_t i = 0; !rc && i < req->n_headers; i++) {
		bytes += strlen(req->headers[i].name) +
			 strlen(req->headers[i].value);
		rc = presign_header_check(req, i, why);
	}
	if (!rc && bytes > HEADERS_MAX)
		rc = buf_fail(why, -EINVAL, "the headers have over %d bytes",
			      HEADERS_MAX);
	return rc;
}

/* ---- the call ---- */

static int store_presign_check(struct store *s, const struct store_presign *req,
			       struct buf *why)
{
	int rc = store_check_key(s, req->key);

	if (s->broken)
		s->ops->check(s, "", why);
	else if (rc)
		buf_adds(why, rc == -EINVAL ? "no object is named"
					    : "the key is over 1024 bytes");
	else if (!s->limits.presign)
		rc = buf_fail(why, -ENOTSUP, "a %s store signs no URLs",
			      s->ops->kind);
	else if (req->expire < 1 || req->expire > EXPIRE_MAX)
		rc = buf_fail(why, -EINVAL,
			      "EXPIRE is %lld: it must be 1 to %d seconds",
			      (long long)req->expire, EXPIRE_MAX);
	else
		rc = presign_check_fields(req, why);
	return rc;
}

int store_presign(struct store *s, const struct store_presign *req,
		  struct store_presigned *out, struct buf *why)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = store_presign_check(s, req, why);
	if (rc)
		return rc;
	out->method = store_presign_method(req->action);
	rc = s->ops->presign(s, req, out, why);
	if (rc)
		store_presign_clear(out);
	return rc;
}

void store_presign_clear(struct store_presigned *p)
{
	free(p->url);
	free(p->headers);
	free(p->header_lines);
	free(p->warning);
	memset(p, 0, sizeof(*p));
}

int store_presign_headers(struct store_presigned *p,
			  const struct field *headers, size_t n)
{
	char on_json[512], on_lines[512];
	struct buf json, lines;

	buf_init_on(&json, on_json, sizeof(on_json), 4 * HEADERS_MAX);
	buf_init_on(&lines, on_lines, sizeof(on_lines), 2 * HEADERS_MAX);
	buf_addc(&json, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(&json, ',');
		text_json_string(&json, headers[i].name);
		buf_addc(&json, ':');
		text_json_string(&json, headers[i].value);
		buf_adds(&lines, headers[i].name);
		buf_adds(&lines, ": ");
		buf_adds(&lines, headers[i].value);
		buf_addc(&lines, '\n');
	}
	buf_addc(&json, '}');
	p->headers = buf_detach(&json);
	p->header_lines = buf_detach(&lines);
	return p->headers && p->header_lines ? 0 : -ENOMEM;
}
