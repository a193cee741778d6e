/*
 * Everything that differs from type to type stands in option_type.c; here
 * nothing looks further than the row.
 */
#include "base/option.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/option_type.h"
#include "base/text.h"

#define SHOWN_MAX 64 /* bytes of a bad value in a message */

static void *field(const struct option *row, void *target)
{
	return (char *)target + row->offset;
}

static const void *const_field(const struct option *row, const void *target)
{
	return (const char *)target + row->offset;
}

int option_defaults(const struct option *table, void *target)
{
	int err = 0;

	for (const struct option *row = table; row->name && !err; row++) {
		if (row->def && !row->alias_of)
			err = option_ops[row->type].set(row, field(row, target),
							row->def);
	}
	return err;
}

char **option_reference(const struct option *row, const void *target)
{
	if (!row->reference)
		return NULL;
	return (char **)((char *)target + row->reference);
}

static void forget_reference(const struct option *row, void *target)
{
	char **reference = option_reference(row, target);

	if (reference)
		option_free_string(row, reference);
}

static const struct option *find_row(const struct option *table,
				     const char *name)
{
	for (const struct option *row = table; row->name; row++) {
		if (!strcasecmp(row->name, name))
			return row;
	}
	return NULL;
}

const struct option *option_find(const struct option *table, const char *name)
{
	const struct option *row = find_row(table, name);

	return row && row->alias_of ? find_row(table, row->alias_of) : row;
}

unsigned option_index(const struct option *table, const struct option *row)
{
	return (unsigned)(row - table);
}

static void add_value(const struct option *row, const char *value,
		      struct buf *out)
{
	char shown[SHOWN_MAX + 1] = "";

	if (row->flags & OPTION_SECRET) {
		buf_adds(out, "***");
		return;
	}
	strncat(shown, value, SHOWN_MAX);
	text_one_line(out, shown);
	if (strlen(value) > SHOWN_MAX)
		buf_adds(out, "...");
}

int option_set(const struct option *row, void *target, const char *value,
	       struct buf *err)
{
	int result = option_ops[row->type].set(row, field(row, target), value);

	if (!result) {
		forget_reference(row, target);
		return 0;
	}
	buf_addf(err, "%s = ", row->name);
	add_value(row, value, err);
	buf_adds(err, ": ");
	if (result == -ENOMEM) {
		buf_adds(err, "no memory");
		return result;
	}
	option_ops[row->type].want(row, err);
	return -EINVAL;
}

void option_show(const struct option *row, const void *target, struct buf *out)
{
	option_ops[row->type].show(row, const_field(row, target), out);
}

void option_clear(const struct option *table, void *target)
{
	for (const struct option *row = table; row->name; row++) {
		if (row->type == OPTION_STRING && !row->alias_of)
			option_free_string(row, field(row, target));
		forget_reference(row, target);
	}
}
