/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name that exists is asked itself. For one that does not, its nearest
 * directory that does is asked with `?path=`, which takes the rest of the
 * attribute's name; the kernel ends that at 255 bytes.
 */
#include "client/mount_presign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/field.h"

#define NAME_MAX_BYTES 255
#define VALUE_MAX 65536

/* Cuts path at what exists: base gets that, *rest what is left, or NULL. */
static int mount_presign_find_base(const char *path, struct buf *base,
				   const char **rest)
{
	struct stat st;
	size_t n = strlen(path);

	buf_adds(base, path);
	*rest = NULL;
	while (!buf_err(base) && lstat(buf_str(base), &st)) {
		if (errno != ENOENT)
			return -errno;
		while (n && path[n - 1] == '/')
			n--;
		while (n && path[n - 1] != '/')
			n--;
		*rest = path + n;
		buf_truncate(base, n);
		if (!n) {
			buf_adds(base, ".");
			break;
		}
	}
	return buf_err(base);
}

static void mount_presign_add_argument(struct buf *name, const char *key,
				       const char *value)
{
	buf_addc(name, strchr(buf_str(name), '?') ? '&' : '?');
	buf_addf(name, "%s=%s", key, value);
}

static void mount_presign_make_name(const struct mount_presign *ask,
				    const char *rest, struct buf *name)
{
	char number[24];

	buf_addf(name, "user.presign.%s.json",
		 ask->action == PRESIGN_UPLOAD ? "upload" : "download");
	if (ask->expire) {
		snprintf(number, sizeof(number), "%lld",
			 (long long)ask->expire);
		mount_presign_add_argument(name, "expire", number);
	}
	if (ask->content_type)
		mount_presign_add_argument(name, "content_type",
					   ask->content_type);
	/* It is a name, whatever is in it. */
	if (rest)
		mount_presign_add_argument(
			name, strchr(rest, '&') ? "literal_path" : "path",
			rest);
}

static int mount_presign_get(const char *path, const char *name,
			     struct buf *out)
{
	char *room = buf_reserve(out, VALUE_MAX);
	ssize_t n;

	if (!room)
		return buf_err(out);
	n = getxattr(path, name, room, VALUE_MAX);
	if (n < 0)
		return -errno;
	out->len += n;
	out->data[out->len] = '\0';
	return 0;
}

static bool mount_presign_is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static const struct {
	int rc;
	const char *why;
} reasons[] = {
	{ -ENODATA, "it is not on a mount of stagefs (a location in a stage "
		    "begins with @)" },
	{ -EOPNOTSUPP, "it is not on a mount of stagefs (a location in a "
		       "stage begins with @)" },
	{ -EROFS, "the mount or the stage is read-only: no URL for uploads" },
	{ -EISDIR, "a directory, and only files have URLs" },
	{ -EINVAL, "the mount refuses it: the expiry is over its maximum, or "
		   "the path is none" },
	{ -EACCES, "permission denied" },
};

static int mount_presign_tell(int rc, struct buf *why)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		if (reasons[i].rc == rc)
			return buf_fail(why, rc, "%s", reasons[i].why);
	}
	return buf_fail(why, rc, "%s", strerror(-rc));
}

static int mount_presign_ask(const struct mount_presign *ask, struct buf *out,
			     struct buf *why)
{
	BUF_LOCAL base = BUF_INIT(BUF_LINE), name = BUF_INIT(BUF_LINE);
	const char *rest;
	int rc;

	if (ask->content_type && strpbrk(ask->content_type, "&"))
		return buf_fail(why, -EINVAL, "a `&` in the content type");
	rc = mount_presign_find_base(ask->path, &base, &rest);
	if (rc) {
		mount_presign_tell(rc, why);
		return rc;
	}
	mount_presign_make_name(ask, rest, &name);
	if (name.len > NAME_MAX_BYTES || buf_err(&name))
		return buf_fail(
			why, -ENAMETOOLONG,
			"the path is too long for a mount, where %d bytes "
			"are all: name it as @stage/path",
			NAME_MAX_BYTES);
	rc = mount_presign_get(buf_str(&base), buf_str(&name), out);
	if (rc == -EINVAL && !rest &&
	    mount_presign_is_directory(buf_str(&base)))
		rc = -EISDIR;
	if (rc)
		mount_presign_tell(rc, why);
	return rc;
}

static int mount_presign_read_headers(const json_t *headers,
				      struct store_presigned *row)
{
	struct field list[PRESIGN_FIELDS_MAX];
	const char *name;
	json_t *value;
	size_t n = 0;

	json_object_foreach((json_t *)headers, name, value)
	{
		if (n == PRESIGN_FIELDS_MAX || !json_is_string(value))
			return -EPROTO;
		list[n++] = (struct field){ name, json_string_value(value) };
	}
	return store_presign_headers(row, list, n);
}

static int mount_presign_read_row(const json_t *v, struct store_presigned *row)
{
	const char *ends = json_string_value(json_object_get(v, "expires_at"));
	const char *warning = json_string_value(
		json_array_get(json_object_get(v, "warnings"), 0));
	const char *url = json_string_value(json_object_get(v, "url"));
	struct timespec at;
	int rc;

	if (!url)
		return -EPROTO;
	rc = mount_presign_read_headers(json_object_get(v, "headers"), row);
	if (!rc && ends && !clock_parse_iso8601(ends, &at))
		row->expires_at = at.tv_sec;
	row->url = strdup(url);
	row->warning = warning ? strdup(warning) : NULL;
	return rc ? rc : row->url && (row->warning || !warning) ? 0 : -ENOMEM;
}

int mount_presign(const struct mount_presign *ask, struct store_presigned *row,
		  struct buf *why)
{
	BUF_SECRET text = BUF_INIT(VALUE_MAX);
	json_t *v = NULL;
	int rc = mount_presign_ask(ask, &text, why);

	if (rc)
		return rc;
	*row = (struct store_presigned){
		.method = store_presign_method(ask->action),
	};
	v = json_loadb(text.data, text.len, 0, NULL);
	rc = mount_presign_read_row(v, row);
	json_decref(v);
	if (rc) {
		store_presign_clear(row);
		mount_presign_tell(rc, why);
	}
	return rc;
}
