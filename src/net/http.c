/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small helpers over calls and replies. Nothing here knows of the engine.
 */
#include "net/http.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

const char *http_verb_name(enum http_verb verb)
{
	static const char *const names[HTTP_VERBS] = {
		[HTTP_GET] = "GET",       [HTTP_HEAD] = "HEAD",
		[HTTP_PUT] = "PUT",       [HTTP_POST] = "POST",
		[HTTP_DELETE] = "DELETE",
	};

	return names[verb];
}

int http_wire_header(struct http_wire *w, const char *name, const char *value)
{
	if (!*name || text_has_control(name) || text_has_control(value) ||
	    strpbrk(name, ": "))
		return -EINVAL;
	buf_addf(&w->headers, "%s: %s\n", name, value);
	return buf_err(&w->headers);
}

/* The value of the first header of that name, not ended by a NUL, or NULL. */
static const char *http_reply_find(const struct http_reply *r, const char *name,
				   size_t *n)
{
	const char *line = buf_str(&r->headers);
	size_t len = strlen(name);

	while (*line) {
		const char *end = strchrnul(line, '\n');

		if (!strncmp(line, name, len) && line[len] == ':') {
			line += len + 1;
			while (line < end && *line == ' ')
				line++;
			*n = end - line;
			return line;
		}
		line = *end ? end + 1 : end;
	}
	return NULL;
}

bool http_reply_header(const struct http_reply *r, const char *name,
		       struct buf *out)
{
	size_t n;
	const char *value = http_reply_find(r, name, &n);

	buf_reset(out);
	if (value)
		buf_add(out, value, n);
	return value;
}

bool http_reply_number(const struct http_reply *r, const char *name,
		       uint64_t *out)
{
	size_t n;
	const char *value = http_reply_find(r, name, &n);

	return value && !parse_u64n(value, n, UINT64_MAX, out);
}

bool http_reply_delimited(const struct http_reply *r)
{
	BUF_LOCAL text = BUF_INIT(HTTP_HEADERS_MAX);
	uint64_t n;

	return http_reply_number(r, "content-length", &n) ||
	       (http_reply_header(r, "transfer-encoding", &text) &&
		strcasestr(buf_str(&text), "chunked"));
}

bool http_reply_recoded(const struct http_reply *r)
{
	/* Google unpacks what is stored packed, and says so. */
	static const char *const names[] = { "content-encoding",
					     "x-goog-stored-content-encoding",
					     NULL };
	BUF_LOCAL text = BUF_INIT(HTTP_HEADERS_MAX);
	bool recoded = false;
	uint64_t n;

	if (http_reply_number(r, "content-length", &n))
		return false;
	for (const char *const *name = names; *name && !recoded; name++)
		recoded = http_reply_header(r, *name, &text) && text.len &&
			  strcasecmp(buf_str(&text), "identity");
	return recoded;
}

bool http_is_transient(int rc)
{
	switch (-rc) {
	case ETIMEDOUT:
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case EPROTO:
		return true;
	default:
		return false;
	}
}

enum http_verdict http_judge_default(const struct http_reply *reply)
{
	if (reply->rc)
		return http_is_transient(reply->rc) ? HTTP_RETRY : HTTP_DONE;
	if (reply->status == 429 || reply->status == 503)
		return HTTP_SLOW;
	if (reply->status == 408 ||
	    (reply->status >= 500 && reply->status != 501 &&
	     reply->status != 505))
		return HTTP_RETRY;
	return HTTP_DONE;
}

void http_reply_clear(struct http_reply *r)
{
	buf_clear(&r->headers);
	buf_clear(&r->body);
}
