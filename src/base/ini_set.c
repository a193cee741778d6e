/*
 * Where INI files and option tables meet.
 */
#include "base/ini.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/option.h"
#include "base/text.h"

/* True unless the whole value is one reference to where the secret is. */
static bool holds_secret(const char *value)
{
	const char *end = strchr(value, '}');

	return *value && !(text_starts_with(value, "${") && end && !end[1]);
}

/* What is set now was read by a reference: it may be other another time. */
static int keep_reference(const struct option *row, void *target,
			  const char *value)
{
	char **to = option_reference(row, target);

	if (!to || !ini_has_reference(value))
		return 0;
	*to = strdup(value);
	return *to ? 0 : -ENOMEM;
}

int ini_set(const struct option *row, void *target, const char *name,
	    const char *value, const struct ini_place *place, struct buf *err)
{
	struct buf text = BUF_INIT(BUF_LINE), why = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if ((row->flags & OPTION_SECRET) && holds_secret(value))
		rc = file_private(place->st, &why);
	if (!rc)
		rc = ini_expand(value, &text, &why);
	if (rc)
		buf_addf(err, "%s: %s", name, buf_str(&why));
	else
		rc = option_set(row, target, buf_str(&text), err);
	if (!rc)
		rc = keep_reference(row, target, value);
	buf_wipe(&text);
	buf_clear(&why);
	return rc;
}

int ini_take(const struct ini_section *section, const char *name,
	     const char *value, const struct ini_place *place, struct buf *err)
{
	const struct option *row = option_find(section->table, name);
	uint32_t *line;

	if (place->continued) {
		text_printable(err, name);
		buf_adds(err, ": a value is one line; this one is indented");
		return -EINVAL;
	}
	if (!row) {
		option_unknown(section->table, name, err);
		return -EINVAL;
	}
	line = &section->lines[option_index(section->table, row)];
	if (*line) {
		buf_addf(err, "%s is given a second time (first in line %u)",
			 row->name, *line);
		return -EINVAL;
	}
	*line = place->line;
	return ini_set(row, section->target, name, value, place, err);
}
