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

static uint64_t upper(const struct option *row)
{
	return row->max ? row->max : UINT64_MAX;
}

void option_free_string(const struct option *row, char **s)
{
	if (*s && (row->flags & OPTION_SECRET))
		wipe(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

static int set_string(const struct option *row, void *to, const char *value)
{
	const char *old = *(char **)to;
	size_t n = strlen(value);
	char *copy;

	if (text_has_control(value) || n < row->min || n > upper(row))
		return -EINVAL;
	if (!(row->flags & OPTION_REPEATED) || !old)
		copy = strdup(value);
	else if (asprintf(&copy, "%s\n%s", old, value) < 0)
		copy = NULL;
	if (!copy)
		return -ENOMEM;
	option_free_string(row, to);
	*(char **)to = copy;
	return 0;
}

static int set_bool(const struct option *row, void *to, const char *value)
{
	return parse_bool(value, to);
}

static int check_least(const struct option *row, void *to, uint64_t value)
{
	if (value < row->min)
		return -ERANGE;
	*(uint64_t *)to = value;
	return 0;
}

static int set_uint(const struct option *row, void *to, const char *value)
{
	uint64_t number = 0;
	int err = parse_u64(value, upper(row), &number);

	return err ? err : check_least(row, to, number);
}

static int set_size(const struct option *row, void *to, const char *value)
{
	uint64_t number = 0;
	int err = parse_size(value, upper(row), &number);

	return err ? err : check_least(row, to, number);
}

static int set_octal(const struct option *row, void *to, const char *value)
{
	return parse_octal(value, row->max ? (unsigned)row->max : 07777, to);
}

/* The nth of "a|b|c", and its length; NULL past the last. */
static const char *choice(const struct option *row, int n, size_t *len)
{
	const char *s = row->choices;

	for (; s; s = s[*len] ? s + *len + 1 : NULL) {
		*len = strcspn(s, "|");
		if (!n--)
			return s;
	}
	return NULL;
}

static int set_choice(const struct option *row, void *to, const char *value)
{
	const char *word;
	size_t len;

	for (int i = 0; (word = choice(row, i, &len)); i++) {
		if (strlen(value) == len && !strncasecmp(value, word, len)) {
			*(int *)to = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_user(const struct option *row, void *to, const char *value)
{
	char room[16384];
	struct passwd entry, *found = NULL;
	uint64_t number;

	/* The last number means "nobody in particular" to chown(2). */
	if (!parse_u64(value, UINT32_MAX - 1, &number)) {
		*(unsigned *)to = (unsigned)number;
		return 0;
	}
	getpwnam_r(value, &entry, room, sizeof(room), &found);
	if (!found)
		return -EINVAL;
	*(unsigned *)to = found->pw_uid;
	return 0;
}

static int set_group(const struct option *row, void *to, const char *value)
{
	char room[16384];
	struct group entry, *found = NULL;
	uint64_t number;

	if (!parse_u64(value, UINT32_MAX - 1, &number)) {
		*(unsigned *)to = (unsigned)number;
		return 0;
	}
	getgrnam_r(value, &entry, room, sizeof(room), &found);
	if (!found)
		return -EINVAL;
	*(unsigned *)to = found->gr_gid;
	return 0;
}

static void add_size(struct buf *out, uint64_t size)
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

static void add_uint(struct buf *out, uint64_t number)
{
	buf_addf(out, "%llu", (unsigned long long)number);
}

static void show_string(const struct option *row, const void *from,
			struct buf *out)
{
	const char *s = *(char *const *)from;

	if (s)
		buf_adds(out, row->flags & OPTION_SECRET ? "***" : s);
}

static void show_bool(const struct option *row, const void *from,
		      struct buf *out)
{
	buf_adds(out, *(const bool *)from ? "yes" : "no");
}

static void show_uint(const struct option *row, const void *from,
		      struct buf *out)
{
	add_uint(out, *(const uint64_t *)from);
}

static void show_size(const struct option *row, const void *from,
		      struct buf *out)
{
	add_size(out, *(const uint64_t *)from);
}

static void show_octal(const struct option *row, const void *from,
		       struct buf *out)
{
	buf_addf(out, "%04o", *(const unsigned *)from);
}

static void show_choice(const struct option *row, const void *from,
			struct buf *out)
{
	size_t len;
	const char *word = choice(row, *(const int *)from, &len);

	if (word)
		buf_add(out, word, len);
}

static void show_id(const struct option *row, const void *from, struct buf *out)
{
	buf_addf(out, "%u", *(const unsigned *)from);
}

/* ` of 0 to 86400`, ` of at least 32M`, or nothing. */
static void want_range(const struct option *row, struct buf *out,
		       void (*add)(struct buf *out, uint64_t number))
{
	if (!row->min && !row->max)
		return;
	buf_adds(out, row->max ? " of " : " of at least ");
	add(out, row->min);
	if (row->max) {
		buf_adds(out, " to ");
		add(out, row->max);
	}
}

static void want_string(const struct option *row, struct buf *out)
{
	buf_adds(out, "text without control bytes");
	if (row->min || row->max) {
		want_range(row, out, add_uint);
		buf_adds(out, " bytes");
	}
}

static void want_bool(const struct option *row, struct buf *out)
{
	buf_adds(out, "yes or no");
}

static void want_uint(const struct option *row, struct buf *out)
{
	buf_adds(out, "a whole number");
	want_range(row, out, add_uint);
}

static void want_size(const struct option *row, struct buf *out)
{
	buf_adds(out, "a number of bytes, or with K, M, G or T,");
	want_range(row, out, add_size);
	if (out->len && out->data[out->len - 1] == ',')
		buf_truncate(out, out->len - 1);
}

static void want_octal(const struct option *row, struct buf *out)
{
	buf_addf(out, "an octal mode of at most %04o",
		 row->max ? (unsigned)row->max : 07777);
}

static void want_choice(const struct option *row, struct buf *out)
{
	const char *word;
	size_t len, next;

	buf_adds(out, "one of ");
	for (int i = 0; (word = choice(row, i, &len)); i++) {
		if (i)
			buf_adds(out,
				 choice(row, i + 1, &next) ? ", " : " or ");
		buf_add(out, word, len);
	}
}

static void want_user(const struct option *row, struct buf *out)
{
	buf_adds(out, "a user's name or number");
}

static void want_group(const struct option *row, struct buf *out)
{
	buf_adds(out, "a group's name or number");
}

const struct option_ops option_ops[] = {
	[OPTION_STRING] = { set_string, show_string, want_string },
	[OPTION_BOOL] = { set_bool, show_bool, want_bool },
	[OPTION_UINT] = { set_uint, show_uint, want_uint },
	[OPTION_SIZE] = { set_size, show_size, want_size },
	[OPTION_OCTAL] = { set_octal, show_octal, want_octal },
	[OPTION_CHOICE] = { set_choice, show_choice, want_choice },
	[OPTION_USER] = { set_user, show_id, want_user },
	[OPTION_GROUP] = { set_group, show_id, want_group },
};
