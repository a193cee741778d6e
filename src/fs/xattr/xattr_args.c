/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/xattr/xattr_args.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "stage/location.h"

static int xattr_args_set_expire(struct xattr_args *a, const char *value,
				 int64_t max)
{
	uint64_t n;

	if (a->expire || parse_duration(value, strlen(value), max, &n) || !n)
		return -EINVAL;
	a->expire = n;
	return 0;
}

static int xattr_args_set_content_type(struct xattr_args *a, const char *value,
				       int64_t max)
{
	if (a->content_type || text_has_control(value))
		return -EINVAL;
	a->content_type = value;
	return 0;
}

/* Every component must be one that a directory can show. */
static int xattr_args_set_path(struct xattr_args *a, const char *value,
			       int64_t max)
{
	for (const char *p = value;; p++) {
		size_t len = strcspn(p, "/");

		if (!location_name_visible(p, len))
			return -EINVAL;
		p += len;
		if (!*p)
			break;
	}
	a->path = value;
	return 0;
}

static int xattr_args_set_last_path(struct xattr_args *a, const char *value,
				    int64_t max)
{
	return location_argument(value) ? -EINVAL
					: xattr_args_set_path(a, value, max);
}

bool xattr_args_explain(const char *text, struct buf *out)
{
	const char *path =
		text_starts_with(text, "path=") ? text : strstr(text, "&path=");
	const char *first = path ? location_argument(path + 1) : NULL;

	if (!first)
		return false;
	buf_adds(out, "?");
	if (path > text)
		buf_addf(out, "%.*s&", (int)(path - text), text);
	path += *path == '&';
	buf_addf(out, "%s&%.*s", first + 1, (int)(first - path), path);
	return true;
}

static const struct {
	const char *name;
	int (*set)(struct xattr_args *a, const char *value, int64_t max);
	int takes_rest;
} arguments[] = {
	{ "expire=", xattr_args_set_expire },
	{ "content_type=", xattr_args_set_content_type },
	{ "path=", xattr_args_set_last_path, 1 },
	{ "literal_path=", xattr_args_set_path, 1 },
};

/* One `name=value`; *next is behind its `&`, or NULL after the last. */
static int xattr_args_take(struct xattr_args *a, char *at, int64_t max,
			   char **next)
{
	for (size_t k = 0; k < sizeof(arguments) / sizeof(*arguments); k++) {
		char *value = at + strlen(arguments[k].name), *end;

		if (!text_starts_with(at, arguments[k].name))
			continue;
		end = arguments[k].takes_rest ? NULL : strchr(value, '&');
		if (end)
			*end++ = '\0';
		*next = end;
		return *value ? arguments[k].set(a, value, max) : -EINVAL;
	}
	return -EINVAL;
}

int xattr_args_parse(const char *text, int64_t expire_max,
		     struct xattr_args *out)
{
	char *at = out->bytes;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (strlen(text) >= sizeof(out->bytes))
		return -ERANGE;
	strcpy(out->bytes, text);
	while (at && !rc)
		rc = xattr_args_take(out, at, expire_max, &at);
	return rc;
}
