/*
 * Settings as plain values, by their table.
 */
#include "base/text.h"
#include "stage/conf/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static char **string_at(const struct option *row, struct conn *c)
{
	return (char **)((char *)c + row->offset);
}

static bool is_string(const struct option *row)
{
	return row->type == OPTION_STRING && !row->alias_of;
}

static int own(char **s)
{
	return *s && !(*s = strdup(*s)) ? -1 : 0;
}

int conn_copy(const struct conn *from, struct conn *out)
{
	int rc = 0;

	*out = *from;
	for (const struct option *row = conn_options; row->name; row++) {
		char **reference = option_reference(row, out);

		if (is_string(row))
			rc |= own(string_at(row, out));
		if (reference)
			rc |= own(reference);
	}
	return rc ? -ENOMEM : 0;
}

static bool same_text(const char *x, const char *y)
{
	return !strcmp(x ? x : "", y ? y : "");
}

static bool same_string(const struct option *row, const struct conn *a,
			const struct conn *b)
{
	char **x = option_reference(row, a), **y = option_reference(row, b);

	return same_text(*string_at(row, (struct conn *)a),
			 *string_at(row, (struct conn *)b)) &&
	       (!x || same_text(*x, *y));
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
	if (text_given(c->access_key_id))
		return "static";
	return text_given(c->role_arn) ? "auto" : "anonymous";
}
