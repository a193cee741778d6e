/* SPDX-License-Identifier: Apache-2.0 */
#include "store/xattrs.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"

/* *out: the object that is there, or an empty one. */
static int xattrs_read(const struct props *p, json_t **out)
{
	const char *value = props_get(p, XATTRS_HEADER);
	BUF_LOCAL text = BUF_INIT(PROPS_BYTES);
	int rc = 0;

	*out = NULL;
	if (value)
		rc = text_percent_decode(&text, value, strlen(value));
	if (!rc)
		rc = buf_err(&text);
	if (!rc)
		*out = text.len ? json_loadb(text.data, text.len, 0, NULL)
				: json_object();
	if (!rc && !json_is_object(*out))
		rc = -EIO;
	if (rc && *out) {
		json_decref(*out);
		*out = NULL;
	}
	return rc == -EINVAL ? -EIO : rc;
}

/* Nothing instead of an empty one, as s3fs has it. */
static int xattrs_write(struct props *p, const json_t *all)
{
	BUF_LOCAL value = BUF_INIT(PROPS_BYTES);
	char *text;
	int rc;

	if (!json_object_size(all))
		return props_set(p, XATTRS_HEADER, NULL);
	text = json_dumps(all, JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (!text)
		return -ENOMEM;
	text_percent_encode(&value, text, strlen(text), false);
	free(text);
	rc = buf_err(&value);
	if (!rc)
		rc = props_set(p, XATTRS_HEADER, buf_str(&value));
	return rc == -EMSGSIZE ? -E2BIG : rc;
}

int xattrs_get(const struct props *p, const char *name, struct buf *out)
{
	const char *value;
	json_t *all;
	int rc = xattrs_read(p, &all);

	if (rc)
		return rc;
	value = json_string_value(json_object_get(all, name));
	if (!value)
		rc = json_object_get(all, name) ? -EIO : -ENODATA;
	else if (base64_decode(value, strlen(value), out))
		rc = -EIO;
	json_decref(all);
	return rc ? rc : buf_err(out);
}

static int xattrs_put(json_t *all, const char *name, const void *value,
		      size_t n)
{
	BUF_LOCAL text = BUF_INIT(PROPS_BYTES);
	int rc;

	base64_encode(value, n, &text);
	rc = buf_err(&text);
	if (rc == -EMSGSIZE)
		rc = -E2BIG;
	if (!rc && json_object_set_new(all, name, json_string(buf_str(&text))))
		rc = -ENOMEM;
	return rc;
}

int xattrs_set(struct props *p, const char *name, const void *value, size_t n,
	       enum xattrs_how how)
{
	json_t *all;
	bool there;
	int rc;

	if (!text_is_utf8(name))
		return value ? -EINVAL : -ENODATA;
	rc = xattrs_read(p, &all);
	if (rc)
		return rc;
	there = json_object_get(all, name);
	if (there ? how == XATTRS_CREATE : how == XATTRS_REPLACE || !value)
		rc = there ? -EEXIST : -ENODATA;
	else if (value)
		rc = xattrs_put(all, name, value, n);
	else
		json_object_del(all, name);
	if (!rc)
		rc = xattrs_write(p, all);
	json_decref(all);
	return rc;
}

int xattrs_list(const struct props *p, struct buf *out)
{
	const char *name;
	json_t *all, *value;
	int rc = xattrs_read(p, &all);

	if (rc)
		return rc;
	json_object_foreach(all, name, value)
		buf_add(out, name, strlen(name) + 1);
	json_decref(all);
	return buf_err(out);
}
