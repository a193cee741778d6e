/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A location's first '/' ends the stage's name; what follows is taken byte by
 * byte. Databend drops and merges slashes and refuses `..`; here whatever a
 * directory could not show is refused, so that a name means the same on the
 * command line, in a statement and under a mount.
 */
#include "stage/location.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

bool location_name_visible(const char *name, unsigned long len)
{
	if (!len || len > NAME_BYTES_MAX)
		return false;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return false;
	return !memchr(name, '/', len) && !memchr(name, '\0', len);
}

static int location_refuse(struct buf *why, const char *text,
			   const char *reason)
{
	buf_addc(why, '"');
	text_printable(why, text);
	return buf_fail(why, -EINVAL, "\": %s", reason);
}

/* Why a path inside a stage cannot be, or NULL. */
static const char *location_path_fault(const char *path)
{
	const char *p = path;

	while (*p) {
		size_t n = strcspn(p, "/");

		if (!n)
			return "an empty name between slashes";
		if (n == 1 && p[0] == '.')
			return "`.` is not a name in a stage";
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return "`..` is not a name in a stage";
		p += n;
		if (*p)
			p++;
	}
	return NULL;
}

const char *location_argument(const char *text)
{
	const char *expire = strstr(text, "&expire=");
	const char *type = strstr(text, "&content_type=");

	return !expire || (type && type < expire) ? type : expire;
}

int location_parse(const char *text, struct location *out, struct buf *why)
{
	const char *name = text + 1, *path, *fault;
	size_t n;

	*out = (struct location){ 0 };
	if (text[0] != '@')
		return location_refuse(
			why, text, "a location begins with @, as @stage/path");
	n = strcspn(name, "/");
	if (!n)
		return location_refuse(why, text,
				       "the name of the stage is missing");
	if (!location_name_visible(name, n))
		return location_refuse(why, text,
				       "this cannot be the name of a stage");
	path = name[n] ? name + n + 1 : "";
	fault = location_path_fault(path);
	if (fault)
		return location_refuse(why, text, fault);
	out->stage = strndup(name, n);
	out->path = strdup(path);
	if (out->stage && out->path)
		return 0;
	location_clear(out);
	return -ENOMEM;
}

int location_check(const char *text, struct buf *why)
{
	LOCATION_LOCAL where = { 0 };

	return location_parse(text, &where, why);
}

void location_clear(struct location *l)
{
	free(l->stage);
	free(l->path);
	*l = (struct location){ 0 };
}
