/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET and HEAD. What the store says of the object and the file that is sent
 * belong together: the file is opened by the ETag that the answer will name,
 * and when another writer was quicker both are asked again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "gateway/counters.h"
#include "gateway/exchange.h"
#include "gateway/file_body.h"
#include "gateway/context.h"
#include "gateway/objects/conditions.h"
#include "gateway/objects/object.h"

#define TRIES 10

/* What a parameter, signed like the rest, says that the answer shall say. */
static const char *object_get_override(const struct object *o, const char *name)
{
	char parameter[128];

	snprintf(parameter, sizeof(parameter), "response-%s", name);
	return query_get(&o->query, parameter);
}

static bool object_get_overrides_hold(const struct object *o)
{
	const char *name, *value;

	for (size_t i = 0; (name = props_name(PROP_CONTENT, &i));) {
		value = object_get_override(o, name);
		if (value && text_has_control(value))
			return false;
	}
	return true;
}

/* The object's headers, or what was asked for in their place. *type: that of
 * Content-Type, which is not added here. */
static void object_get_add_props(struct exchange *x, const struct props *p,
				 const char **type)
{
	const struct object *o = x->state;
	struct field at = { NULL, NULL };
	const char *name, *value;

	for (size_t i = 0; (name = props_name(PROP_CONTENT, &i));) {
		value = object_get_override(o, name);
		if (!value)
			value = props_get(p, name);
		if (!strcmp(name, PROP_TYPE))
			*type = value;
		else if (value)
			exchange_add(x, name, value);
	}
	while (props_next(p, &at))
		if (text_starts_with(at.name, PROP_META))
			exchange_add(x, at.name, at.value);
}

/* Of a 304: how long what the client has is good for from now on. */
static void object_get_add_lifetime(struct exchange *x, const struct props *p)
{
	static const char *const names[] = { PROP_CACHE, PROP_EXPIRES };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = object_get_override(x->state, names[i]);

		if (!value)
			value = props_get(p, names[i]);
		if (value)
			exchange_add(x, names[i], value);
	}
}

/* What is there now, and its file; fd -1: HEAD, or a directory. */
static int object_get_open(struct exchange *x, struct object_details *d,
			   int *fd)
{
	struct object *o = x->state;
	const char *key = buf_str(&o->key);
	const bool file = key[strlen(key) - 1] != '/';
	int rc = -ESTALE;

	*fd = -1;
	for (int i = 0; i < TRIES && rc == -ESTALE; i++) {
		uint64_t since = clock_mono_us();

		rc = store_head(o->in.store, key, d);
		if (!rc && file && strcmp(x->method, "HEAD") != 0)
			rc = store_open(o->in.store, key, d->info.etag, fd,
					&d->info);
		counters_store(x->gateway->counters, COUNTERS_OPEN,
			       clock_mono_us() - since, rc);
	}
	/* It is replaced faster than it can be opened. */
	return rc == -ESTALE ? -ETIMEDOUT : rc;
}

static void object_get_answer_bytes(struct exchange *x,
				    struct object_details *d, int fd,
				    enum conditions_outcome what,
				    uint64_t first, uint64_t len)
{
	const char *type = NULL;
	char range[80];

	if (what == CONDITIONS_PART) {
		snprintf(range, sizeof(range), "bytes %llu-%llu/%llu",
			 (unsigned long long)first,
			 (unsigned long long)(first + len - 1),
			 (unsigned long long)d->info.size);
		exchange_add(x, "Content-Range", range);
	}
	object_get_add_props(x, &d->props, &type);
	if (fd >= 0)
		exchange_answer_file(x, what == CONDITIONS_PART ? 206 : 200,
				     type,
				     &(struct file_body){
					     .fd = fd,
					     .offset = first,
					     .len = len,
					     .size = d->info.size,
					     .mtime = d->info.mtime,
				     });
	else
		exchange_answer_head(x, what == CONDITIONS_PART ? 206 : 200,
				     type, len);
}

static void object_get_answer(struct exchange *x, struct object_details *d,
			      int fd)
{
	const struct conditions conditions = {
		.if_match = exchange_header(x, "If-Match"),
		.if_none_match = exchange_header(x, "If-None-Match"),
		.if_modified_since = exchange_header(x, "If-Modified-Since"),
		.if_unmodified_since =
			exchange_header(x, "If-Unmodified-Since"),
		.if_range = exchange_header(x, "If-Range"),
		.range = exchange_header(x, "Range"),
	};
	const struct object_info *info = &d->info;
	char date[TIME_HTTP_SIZE], all[40];
	uint64_t first, len;
	enum conditions_outcome what =
		conditions_judge(&conditions, info->etag, info->mtime.tv_sec,
				 info->size, &first, &len);

	clock_http(info->mtime.tv_sec, date);
	exchange_add(x, "ETag", info->etag);
	exchange_add(x, "Last-Modified", date);
	switch (what) {
	case CONDITIONS_WHOLE:
	case CONDITIONS_PART:
		object_get_answer_bytes(x, d, fd, what, first, len);
		return;
	case CONDITIONS_NOT_MODIFIED:
		object_get_add_lifetime(x, &d->props);
		exchange_answer_head(x, 304, NULL, info->size);
		break;
	case CONDITIONS_FAILED:
		object_request_fail(x, -ESTALE);
		break;
	case CONDITIONS_NO_RANGE:
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

	if (!object_get_overrides_hold(x->state)) {
		exchange_refuse(x, 400, "InvalidArgument",
				"a response-* parameter has control bytes");
		return;
	}
	rc = object_get_open(x, &d, &fd);
	if (rc)
		object_request_fail(x, rc);
	else
		object_get_answer(x, &d, fd);
}
