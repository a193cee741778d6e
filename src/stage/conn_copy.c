/*
 * Settings as plain values, by their table.
 */
#include "stage/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static const char *given(const char *s)
{
	return s && *s ? s : NULL;
}

static char **string_at(const struct option *row, struct conn *c)
{
	return (char **)((char *)c + row->offset);
}

static bool is_string(const struct option *row)
{
	return row->type == OPTION_STRING && !row->alias_of;
}

int conn_copy(const struct conn *from, struct conn *out)
{
	int rc = 0;

	*out = *from;
	for (const struct option *row = conn_options; row->name; row++) {
		char **s;

		if (!is_string(row))
			continue;
		s = string_at(row, out);
		if (*s && !(*s = strdup(*s)))
			rc = -ENOMEM;
	}
	return rc;
}

static bool same_string(const struct option *row, const struct conn *a,
			const struct conn *b)
{
	const char *x = *string_at(row, (struct conn *)a);
	const char *y = *string_at(row, (struct conn *)b);

	return !strcmp(x ? x : "", y ? y : "");
}

static bool same_value(const struct option *row, const struct conn *a,
		       const struct conn *b)
{
	struct buf x = BUF_INIT(BUF_LINE), y = BUF_INIT(BUF_LINE);
	bool same;

	option_show(row, a, &x);
	option_show(row, b, &y);
	same = !strcmp(buf_str(&x), buf_str(&y));
	buf_clear(&x);
	buf_clear(&y);
	return same;
}

bool conn_equal(const struct conn *a, const struct conn *b)
{
	for (const struct option *row = conn_options; row->name; row++) {
		if (row->alias_of)
			continue;
		if (!(is_string(row) ? same_string : same_value)(row, a, b))
			return false;
	}
	return true;
}

const char *conn_sql_credentials(const struct conn *c)
{
	if (conn_is_local(c))
		return "auto"; /* that is: as nobody had said anything */
	if (given(c->access_key_id))
		return "static";
	return given(c->role_arn) ? "auto" : "anonymous";
}
