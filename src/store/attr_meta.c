/* SPDX-License-Identifier: Apache-2.0 */
#include "store/attr_meta.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/text.h"

#define SECONDS_MAX (UINT64_C(1) << 40)

/* What is kept, and where it stands in a struct store_attr. */
static const struct attr_row {
	const char *name;
	unsigned bit;
	size_t offset;
	bool is_time;
} attr_rows[ATTR_META_FIELDS] = {
	{ PROP_META "mode", STORE_SET_MODE, offsetof(struct store_attr, mode),
	  false },
	{ PROP_META "uid", STORE_SET_UID, offsetof(struct store_attr, uid),
	  false },
	{ PROP_META "gid", STORE_SET_GID, offsetof(struct store_attr, gid),
	  false },
	{ PROP_META "atime", STORE_SET_ATIME,
	  offsetof(struct store_attr, atime), true },
	{ PROP_META "mtime", STORE_SET_MTIME,
	  offsetof(struct store_attr, mtime), true },
	{ PROP_META "ctime", STORE_SET_CTIME,
	  offsetof(struct store_attr, ctime), true },
};

static bool meta_is_row(const char *name)
{
	for (size_t k = 0; k < ATTR_META_FIELDS; k++)
		if (!strcmp(name, attr_rows[k].name))
			return true;
	return false;
}

bool attr_meta_is_all(const struct field *headers, size_t n)
{
	while (n && meta_is_row(headers[n - 1].name))
		n--;
	return !n;
}

static bool meta_read_time(const char *text, struct timespec *out)
{
	bool before = *text == '-'; /* 1970 */
	size_t n = strcspn(text += before, ".");
	const char *rest = text + n;
	uint64_t s;
	long nsec;

	if (parse_u64n(text, n, SECONDS_MAX, &s))
		return false;
	rest += *rest == '.';
	nsec = clock_take_nanoseconds(&rest);
	if (*rest)
		return false;
	out->tv_sec = before ? -(time_t)s : (time_t)s;
	out->tv_nsec = nsec;
	return true;
}

static bool meta_read_row(const struct attr_row *row, const char *text,
			  struct store_attr *out)
{
	char *at = (char *)out + row->offset;
	uint64_t number;

	if (row->is_time)
		return meta_read_time(text, (struct timespec *)at);
	if (parse_u64(text, UINT32_MAX, &number))
		return false;
	*(uint32_t *)at = (uint32_t)number;
	return true;
}

void attr_meta_read(const struct props *p, bool is_dir, struct store_attr *out)
{
	mode_t type;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < ATTR_META_FIELDS; i++) {
		const struct attr_row *row = &attr_rows[i];
		const char *text = props_get(p, row->name);

		if (text && meta_read_row(row, text, out))
			out->which |= row->bit;
	}
	type = is_dir ? S_IFDIR : S_ISLNK(out->mode) ? S_IFLNK : S_IFREG;
	if (out->which & STORE_SET_MODE)
		out->mode = (out->mode & 07777) | type;
}

void attr_meta_write(const struct store_attr *a, struct attr_meta *out)
{
	out->n = 0;
	for (size_t i = 0; i < ATTR_META_FIELDS; i++) {
		const struct attr_row *row = &attr_rows[i];
		const char *at = (const char *)a + row->offset;
		const struct timespec *t = (const struct timespec *)at;
		char *text = out->text[out->n];

		if (!(a->which & row->bit))
			continue;
		if (row->is_time)
			snprintf(text, sizeof(*out->text), "%" PRId64 ".%09ld",
				 (int64_t)t->tv_sec, (long)t->tv_nsec);
		else
			snprintf(text, sizeof(*out->text), "%" PRIu32,
				 *(const uint32_t *)at);
		out->fields[out->n++] = (struct field){ row->name, text };
	}
}

int attr_meta_set(struct props *p, const struct store_attr *a)
{
	struct attr_meta m;
	int rc = 0;

	attr_meta_write(a, &m);
	for (unsigned i = 0; !rc && i < m.n; i++)
		rc = props_set(p, m.fields[i].name, m.fields[i].value);
	return rc;
}

void attr_meta_drop_times(struct props *p)
{
	for (size_t i = 0; i < ATTR_META_FIELDS; i++)
		if (attr_rows[i].is_time)
			props_set(p, attr_rows[i].name, NULL);
}
