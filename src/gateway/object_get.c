/*
 * GET and HEAD. What the store says of the object and the file that is sent
 * belong together: the file is opened by the ETag that the answer will name,
 * and when somebody was quicker both are asked again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "gateway/counters.h"
#include "gateway/exchange.h"
#include "gateway/gateway_impl.h"
#include "gateway/http_text.h"
#include "gateway/object.h"

#define TRIES 10

/* Parameters, signed like the rest, that say what the answer shall say. */
static const struct {
	const char *parameter, *header;
} overrides[] = {
	{ "response-content-type", "Content-Type" },
	{ "response-content-language", "Content-Language" },
	{ "response-content-encoding", "Content-Encoding" },
	{ "response-content-disposition", "Content-Disposition" },
	{ "response-cache-control", "Cache-Control" },
	{ "response-expires", "Expires" },
};

static bool overrides_hold(const struct object *o)
{
	for (size_t i = 0; i < sizeof(overrides) / sizeof(*overrides); i++) {
		const char *value =
			query_get(&o->query, overrides[i].parameter);

		if (value && text_has_control(value))
			return false;
	}
	return true;
}

static void add_overrides(struct exchange *x, const struct object *o,
			  const char **type)
{
	for (size_t i = 0; i < sizeof(overrides) / sizeof(*overrides); i++) {
		const char *value =
			query_get(&o->query, overrides[i].parameter);

		if (!value)
			continue;
		if (!i)
			*type = value;
		else
			exchange_add(x, overrides[i].header, value);
	}
}

/* `name: value` lines. */
static void add_metadata(struct exchange *x, char *lines)
{
	for (char *line = strtok_r(lines, "\n", &lines); line;
	     line = strtok_r(NULL, "\n", &lines)) {
		char name[sizeof(STORE_METADATA_PREFIX) + 256];
		char *colon = strstr(line, ": ");

		if (!colon || colon - line > 255)
			continue;
		*colon = '\0';
		snprintf(name, sizeof(name), STORE_METADATA_PREFIX "%s", line);
		exchange_add(x, name, colon + 2);
	}
}

/* What is there now, and its file; fd -1: HEAD, or a directory. */
static int open_now(struct exchange *x, struct object_details *d, int *fd)
{
	struct object *o = x->state;
	const char *key = buf_str(&o->key);
	const bool file = key[strlen(key) - 1] != '/';
	int rc = -ESTALE;

	*fd = -1;
	for (int i = 0; i < TRIES && rc == -ESTALE; i++) {
		uint64_t since = counters_now_us();

		rc = store_head(o->in.store, key, d);
		if (!rc && file && strcmp(x->method, "HEAD") != 0)
			rc = store_open(o->in.store, key, d->info.etag, fd,
					&d->info);
		counters_store(x->gateway->counters, COUNTERS_OPEN,
			       counters_now_us() - since, rc);
	}
	/* Whoever changes it that often. */
	return rc == -ESTALE ? -ETIMEDOUT : rc;
}

static void answer_bytes(struct exchange *x, struct object_details *d, int fd,
			 enum http_outcome what, uint64_t first, uint64_t len)
{
	const char *type = d->content_type;
	char range[80];

	if (what == HTTP_PART) {
		snprintf(range, sizeof(range), "bytes %llu-%llu/%llu",
			 (unsigned long long)first,
			 (unsigned long long)(first + len - 1),
			 (unsigned long long)d->info.size);
		exchange_add(x, "Content-Range", range);
	}
	add_metadata(x, d->metadata);
	add_overrides(x, x->state, &type);
	if (fd >= 0)
		exchange_answer_fd(x, what == HTTP_PART ? 206 : 200, type, fd,
				   first, len);
	else
		exchange_answer_head(x, what == HTTP_PART ? 206 : 200, type,
				     len);
}

static void answer(struct exchange *x, struct object_details *d, int fd)
{
	const struct http_conditions conditions = {
		.if_match = exchange_header(x, "If-Match"),
		.if_none_match = exchange_header(x, "If-None-Match"),
		.if_modified_since = exchange_header(x, "If-Modified-Since"),
		.if_unmodified_since =
			exchange_header(x, "If-Unmodified-Since"),
		.if_range = exchange_header(x, "If-Range"),
		.range = exchange_header(x, "Range"),
	};
	const struct object_info *info = &d->info;
	char date[HTTP_DATE_SIZE], all[40];
	uint64_t first, len;
	enum http_outcome what =
		http_judge(&conditions, info->etag, info->mtime.tv_sec,
			   info->size, &first, &len);

	http_date(info->mtime.tv_sec, date);
	exchange_add(x, "ETag", info->etag);
	exchange_add(x, "Last-Modified", date);
	switch (what) {
	case HTTP_WHOLE:
	case HTTP_PART:
		answer_bytes(x, d, fd, what, first, len);
		return;
	case HTTP_NOT_MODIFIED:
		exchange_answer_head(x, 304, NULL, info->size);
		break;
	case HTTP_FAILED:
		object_fail(x, -ESTALE);
		break;
	case HTTP_NO_RANGE:
		snprintf(all, sizeof(all), "bytes */%llu",
			 (unsigned long long)info->size);
		exchange_add(x, "Content-Range", all);
		exchange_refuse(x, 416, "InvalidRange",
				"The requested range is not satisfiable");
		break;
	}
	if (fd >= 0)
		close(fd);
}

void object_get(struct exchange *x)
{
	struct object_details d = { 0 };
	int fd, rc;

	if (!overrides_hold(x->state)) {
		exchange_refuse(x, 400, "InvalidArgument",
				"a response-* parameter has control bytes");
		return;
	}
	rc = open_now(x, &d, &fd);
	if (rc)
		object_fail(x, rc);
	else
		answer(x, &d, fd);
}
