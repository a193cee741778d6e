/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upload/upload_name.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "stage/location.h"
#include "store/store.h"

static int upload_name_refuse(struct buf *why, int rc, const char *what,
			      const char *text, const char *reason)
{
	buf_addf(why, "%s \"", what);
	text_printable(why, text);
	return buf_fail(why, rc, "\" %s", reason);
}

/* One name between slashes. */
static const char *upload_name_bad_segment(const char *s, size_t n, int *rc)
{
	*rc = -EINVAL;
	if (n == 2 && !memcmp(s, "..", 2)) {
		*rc = -EPERM;
		return "leads out of its folder: it has `..`";
	}
	if (n == 1 && *s == '.')
		return "has `.` in it";
	if (!n)
		return "has an empty name in it";
	if (n > NAME_BYTES_MAX)
		return "has a name of more than 255 bytes in it";
	return NULL;
}

static const char *upload_name_bad_text(const char *s)
{
	if (strchr(s, '\\'))
		return "has a backslash in it";
	if (text_has_control(s))
		return "has a control character in it";
	if (!text_is_utf8(s))
		return "is not UTF-8";
	return NULL;
}

static int upload_name_add_path(const char *what, const char *text, bool folder,
				struct buf *out, struct buf *why)
{
	const char *s = text + strspn(text, "/"),
		   *reason = upload_name_bad_text(text);
	size_t len = strlen(s);
	int rc = -EINVAL;

	while (folder && len && s[len - 1] == '/')
		len--;
	for (size_t at = 0, n; !reason && at <= len && len; at += n + 1) {
		n = strcspn(s + at, "/");
		if (n > len - at)
			n = len - at;
		reason = upload_name_bad_segment(s + at, n, &rc);
	}
	if (reason)
		return upload_name_refuse(why, rc, what, text, reason);
	buf_add(out, s, len);
	if (folder && len)
		buf_addc(out, '/');
	return 0;
}

int upload_name(const char *folder, const char *filename, struct buf *out,
		struct buf *why)
{
	size_t before = out->len;
	int rc = 0;

	if (folder)
		rc = upload_name_add_path("relative_path", folder, true, out,
					  why);
	if (!rc && !filename[strspn(filename, "/")])
		rc = upload_name_refuse(why, -EINVAL, "filename", filename,
					"is no name");
	if (!rc)
		rc = upload_name_add_path("filename", filename, false, out,
					  why);
	if (!rc && (buf_err(out) || out->len - before > STORE_KEY_MAX))
		rc = upload_name_refuse(why, -EINVAL, "filename", filename,
					"is too long");
	return rc;
}
