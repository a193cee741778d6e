/* SPDX-License-Identifier: Apache-2.0 */
/* What a value of each type must look like, and how it is kept and written. */
#include "base/option_type.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/option.h"
#include "base/text.h"

static uint64_t type_upper(const struct option *row)
{
	return row->max ? row->max : UINT64_MAX;
}

void option_type_free(const struct option *row, char **s)
{
	if (row->flags & OPTION_SECRET)
		wipe_free(*s);
	else
		free(*s);
	*s = NULL;
}

static int type_set_string(const struct option *row, void *to,
			   const char *value)
{
	const char *old = *(char **)to;
	size_t n = strlen(value);
	char *copy;

	if (text_has_control(value) || n < row->min || n > type_upper(row))
		return -EINVAL;
	if (!(row->flags & OPTION_REPEATED) || !old)
		copy = strdup(value);
	else if (asprintf(&copy, "%s\n%s", old, value) < 0)
		copy = NULL;
	if (!copy)
		return -ENOMEM;
	option_type_free(row, to);
	*(char **)to = copy;
	return 0;
}

static int type_set_bool(const struct option *row, void *to, const char *value)
{
	return parse_bool(value, to);
}

static int type_set_uint(const struct option *row, void *to, const char *value)
{
	uint64_t number = 0;
	int rc = row->type == OPTION_SIZE
			 ? parse_size(value, type_upper(row), &number)
		 : row->type == OPTION_DURATION
			 ? parse_duration(value, strlen(value), type_upper(row),
					  &number)
			 : parse_u64(value, type_upper(row), &number);

	if (!rc && number < row->min)
		rc = -ERANGE;
	if (!rc)
		*(uint64_t *)to = number;
	return rc;
}

static int type_set_octal(const struct option *row, void *to, const char *value)
{
	return parse_octal(value, row->max ? (unsigned)row->max : 07777, to);
}

/* The nth of "a|b|c", and its length; NULL past the last. */
static const char *type_choice(const struct option *row, int n, size_t *len)
{
	const char *s = row->choices;

	for (; s; s = s[*len] ? s + *len + 1 : NULL) {
		*len = strcspn(s, "|");
		if (!n--)
			return s;
	}
	return NULL;
}

static int type_set_choice(const struct option *row, void *to,
			   const char *value)
{
	const char *word;
	size_t len;

	for (int i = 0; (word = type_choice(row, i, &len)); i++) {
		if (strlen(value) == len && !strncasecmp(value, word, len)) {
			*(int *)to = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int type_set_id(const struct option *row, void *to, const char *value)
{
	struct passwd user, *u = NULL;
	struct group group, *g = NULL;
	uint64_t number = 0;
	char room[16384];

	/* The last number means "leave it unchanged" to chown(2). */
	if (parse_u64(value, UINT32_MAX - 1, &number)) {
		if (row->type == OPTION_USER)
			getpwnam_r(value, &user, room, sizeof(room), &u);
		else
			getgrnam_r(value, &group, room, sizeof(room), &g);
		if (!u && !g)
			return -EINVAL;
		number = u ? u->pw_uid : g->gr_gid;
	}
	*(unsigned *)to = (unsigned)number;
	return 0;
}

static void type_add_size(struct buf *out, uint64_t size)
{
	static const char units[] = "\0KMGT";
	int unit = 0;

	while (size && size % 1024 == 0 && units[unit + 1]) {
		size /= 1024;
		unit++;
	}
	buf_addf(out, "%llu", (unsigned long long)size);
	buf_add(out, units + unit, unit > 0);
}

static void type_add_uint(struct buf *out, uint64_t number)
{
	buf_addf(out, "%llu", (unsigned long long)number);
}

static void type_show_string(const struct option *row, const void *from,
			     struct buf *out)
{
	const char *s = *(char *const *)from;

	if (s)
		buf_adds(out, row->flags & OPTION_SECRET ? "***" : s);
}

static void type_show_bool(const struct option *row, const void *from,
			   struct buf *out)
{
	buf_adds(out, *(const bool *)from ? "yes" : "no");
}

static void type_show_uint(const struct option *row, const void *from,
			   struct buf *out)
{
	type_add_uint(out, *(const uint64_t *)from);
}

static void type_show_size(const struct option *row, const void *from,
			   struct buf *out)
{
	type_add_size(out, *(const uint64_t *)from);
}

static void type_show_octal(const struct option *row, const void *from,
			    struct buf *out)
{
	buf_addf(out, "%04o", *(const unsigned *)from);
}

static void type_show_choice(const struct option *row, const void *from,
			     struct buf *out)
{
	size_t len;
	const char *word = type_choice(row, *(const int *)from, &len);

	if (word)
		buf_add(out, word, len);
}

static void type_show_id(const struct option *row, const void *from,
			 struct buf *out)
{
	buf_addf(out, "%u", *(const unsigned *)from);
}

/* ` of 0 to 86400`, ` of at least 32M`, or nothing. */
static void type_want_range(const struct option *row, struct buf *out)
{
	bool size = row->type == OPTION_SIZE;
	void (*add)(struct buf * out, uint64_t number) =
		size ? type_add_size : type_add_uint;

	if (!row->min && !row->max)
		return;
	if (size || row->type == OPTION_DURATION)
		buf_addc(out, ',');
	buf_adds(out, row->max ? " of " : " of at least ");
	add(out, row->min);
	if (row->max) {
		buf_adds(out, " to ");
		add(out, row->max);
	}
	if (row->type == OPTION_STRING)
		buf_adds(out, " bytes");
}

static void type_want_octal(const struct option *row, struct buf *out)
{
	buf_addf(out, " of at most %04o",
		 row->max ? (unsigned)row->max : 07777);
}

static void type_want_choice(const struct option *row, struct buf *out)
{
	const char *word;
	size_t len, next;

	for (int i = 0; (word = type_choice(row, i, &len)); i++) {
		if (i)
			buf_adds(out, type_choice(row, i + 1, &next) ? ", "
								     : " or ");
		buf_add(out, word, len);
	}
}

const struct option_ops option_ops[] = {
	[OPTION_STRING] = { type_set_string, type_show_string,
			    "text without control bytes", type_want_range },
	[OPTION_BOOL] = { type_set_bool, type_show_bool, "yes or no" },
	[OPTION_UINT] = { type_set_uint, type_show_uint, "a whole number",
			  type_want_range },
	[OPTION_SIZE] = { type_set_uint, type_show_size,
			  "a number of bytes, or with K, M, G or T",
			  type_want_range },
	[OPTION_DURATION] = { type_set_uint, type_show_uint,
			      "seconds, or with s, m, h, d or w",
			      type_want_range },
	[OPTION_OCTAL] = { type_set_octal, type_show_octal, "an octal mode",
			   type_want_octal },
	[OPTION_CHOICE] = { type_set_choice, type_show_choice, "one of ",
			    type_want_choice },
	[OPTION_USER] = { type_set_id, type_show_id,
			  "a user's name or number" },
	[OPTION_GROUP] = { type_set_id, type_show_id,
			   "a group's name or number" },
};
