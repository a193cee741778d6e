/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the headers of an answer tell about an object.
 */
#include "store/s3/s3_info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/s3/s3_etag.h"
#include "store/storage_class.h"

static void info_etag(const struct http_reply *reply, struct object_info *out)
{
	BUF_LOCAL text = BUF_INIT(HTTP_HEADERS_MAX);

	if (http_reply_header(reply, "etag", &text))
		s3_etag_keep(buf_str(&text), text.len, out->etag);
}

/* Amazon and others tell of every class but the usual one. */
static uint8_t info_class(const struct http_reply *reply)
{
	BUF_LOCAL text = BUF_INIT(256);

	return http_reply_header(reply, PROP_CLASS, &text)
		       ? storage_class(buf_str(&text))
		       : STORAGE_CLASS_STANDARD;
}

static int64_t info_time(const struct http_reply *reply, const char *name)
{
	BUF_LOCAL text = BUF_INIT(256);
	int64_t t = 0;

	if (!http_reply_header(reply, name, &text) ||
	    clock_parse_http(buf_str(&text), &t))
		t = 0;
	return t;
}

bool s3_info_range(const struct http_reply *reply, struct s3_range *out)
{
	BUF_LOCAL text = BUF_INIT(256);
	const char *s, *slash, *dash;

	*out = (struct s3_range){ .total = STORE_SIZE_UNKNOWN };
	if (!http_reply_header(reply, "content-range", &text))
		return false;
	s = buf_str(&text);
	slash = strchr(s, '/');
	if (strncmp(s, "bytes ", 6) || !slash ||
	    (strcmp(slash, "/*") &&
	     parse_u64(slash + 1, INT64_MAX, &out->total)))
		return false;
	s += 6;
	dash = memchr(s, '-', slash - s);
	return *s == '*' ||
	       (dash && !parse_u64n(s, dash - s, INT64_MAX, &out->first) &&
		!parse_u64n(dash + 1, slash - dash - 1, INT64_MAX,
			    &out->last) &&
		out->first <= out->last);
}

void s3_info_read(const struct http_reply *reply, struct object_info *out)
{
	struct s3_range range;

	memset(out, 0, sizeof(*out));
	out->size = STORE_SIZE_UNKNOWN;
	if (s3_info_range(reply, &range))
		out->size = range.total;
	else if (reply->status != 206)
		http_reply_number(reply, "content-length", &out->size);
	out->mtime.tv_sec = info_time(reply, "last-modified");
	out->class = info_class(reply);
	info_etag(reply, out);
}

void s3_info_written(const struct http_reply *reply, uint64_t size,
		     struct object_info *out)
{
	memset(out, 0, sizeof(*out));
	out->size = size;
	out->mtime.tv_sec = info_time(reply, "date");
	if (!out->mtime.tv_sec)
		out->mtime = clock_now();
	info_etag(reply, out);
}

/* A coding of the request, which some servers keep: no bytes are in it. */
static void info_strip_chunked(char *value)
{
	static const char chunked[] = "aws-chunked";
	char *at = strcasestr(value, chunked), *end;

	if (!at)
		return;
	end = at + strlen(chunked);
	end += strspn(end, " ,");
	memmove(at, end, strlen(end) + 1);
	for (size_t n = strlen(value); n && strchr(" ,", value[n - 1]); n--)
		value[n - 1] = '\0';
}

/* One line of the answer's; of two with a name the first counts. */
static int info_prop(char *line, struct props *out)
{
	char *value = strstr(line, ": ");

	if (!value)
		return 0;
	*value = '\0';
	value += 2;
	if (!props_kind(line) || props_get(out, line))
		return 0;
	if (!strcmp(line, PROP_ENCODING))
		info_strip_chunked(value);
	return *value || text_starts_with(line, PROP_META)
		       ? props_set(out, line, value)
		       : 0;
}

int s3_info_props(const struct http_reply *reply, struct props *out)
{
	const char *at = buf_str(&reply->headers);
	int rc = 0;

	out->len = 0;
	while (*at) {
		size_t n = strcspn(at, "\n");
		char *line = strndup(at, n);
		int one = line ? info_prop(line, out) : -ENOMEM;

		/* What has control bytes is no header for another request. */
		rc = rc || one == -EINVAL ? rc : one;
		free(line);
		at += at[n] ? n + 1 : n;
	}
	return rc;
}
