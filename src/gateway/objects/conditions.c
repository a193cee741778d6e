/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's word about what it has (ETag, time) is compared with what there
 * is. A time that cannot be read is as if it had not come (RFC 9110, 13.1.3),
 * a range that cannot be read too (14.2); a range that can be read and has no
 * byte in the object is refused.
 */
#include "gateway/objects/conditions.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"

static const char *conditions_skip_blank(const char *s)
{
	return s + strspn(s, " \t");
}

/* The next tag of a list: its bytes, quotes and all. *p moves behind it. */
static size_t conditions_next_tag(const char **p, const char **tag,
				  bool *is_weak)
{
	const char *s = *p + strspn(*p, " \t,");
	size_t n;

	*is_weak = s[0] == 'W' && s[1] == '/';
	s += *is_weak ? 2 : 0;
	*tag = s;
	/* What is in quotes may hold commas. */
	if (*s == '"') {
		n = strcspn(s + 1, "\"") + 1;
		n += s[n] == '"';
	} else {
		n = strcspn(s, " \t,");
	}
	*p = s + n;
	return n;
}

/* Is the ETag (with its quotes) in a list as If-Match has it? `*` has any.
 * weak: `W/"a"` is `"a"`. */
static bool conditions_etag_in(const char *list, const char *etag, bool weak)
{
	size_t len = strlen(etag), n;
	const char *tag;
	bool is_weak;

	if (!strcmp(list, "*"))
		return true;
	while ((n = conditions_next_tag(&list, &tag, &is_weak))) {
		if (is_weak && !weak)
			continue;
		if (n == len && !memcmp(tag, etag, n))
			return true;
		/* Some clients leave the quotes out. */
		if (*tag != '"' && n + 2 == len && !memcmp(tag, etag + 1, n))
			return true;
	}
	return false;
}

/* ---- ranges ---- */

static const char *conditions_digits(const char *s, uint64_t *out, bool *any)
{
	size_t n = strspn(s, "0123456789");

	*any = n;
	/* More than there can be is as good as the most. */
	if (n && parse_u64n(s, n, INT64_MAX, out))
		*out = INT64_MAX;
	return s + n;
}

/* One range of bytes, or nothing that we take. */
static enum conditions_outcome conditions_judge_range(const char *range,
						      uint64_t size,
						      uint64_t *first,
						      uint64_t *len)
{
	uint64_t from = 0, to = INT64_MAX;
	bool has_from, has_to;
	const char *p = range;

	if (strncasecmp(p, "bytes=", 6) != 0)
		return CONDITIONS_WHOLE;
	p = conditions_digits(conditions_skip_blank(p + 6), &from, &has_from);
	if (*p != '-')
		return CONDITIONS_WHOLE;
	p = conditions_skip_blank(conditions_digits(p + 1, &to, &has_to));
	if (*p || (!has_from && !has_to) || (has_from && to < from))
		return CONDITIONS_WHOLE;
	if (!has_from) {
		if (!to || !size)
			return CONDITIONS_NO_RANGE;
		*len = number_min(to, size);
		*first = size - *len;
		return CONDITIONS_PART;
	}
	if (from >= size)
		return CONDITIONS_NO_RANGE;
	*first = from;
	*len = number_min(to, size - 1) - from + 1;
	return CONDITIONS_PART;
}

/* If-Range: is what the client has part of still what there is? */
static bool conditions_same(const char *if_range, const char *etag,
			    int64_t mtime)
{
	int64_t t;

	if (*if_range == '"' || (if_range[0] == 'W' && if_range[1] == '/'))
		return conditions_etag_in(if_range, etag, false);
	return !clock_parse_http(if_range, &t) && t == mtime;
}

/* ---- all together ---- */

enum conditions_outcome conditions_judge(const struct conditions *c,
					 const char *etag, int64_t mtime,
					 uint64_t size, uint64_t *first,
					 uint64_t *len)
{
	int64_t t;

	*first = 0;
	*len = size;
	if (c->if_match) {
		if (!conditions_etag_in(c->if_match, etag, false))
			return CONDITIONS_FAILED;
	} else if (c->if_unmodified_since) {
		if (!clock_parse_http(c->if_unmodified_since, &t) && mtime > t)
			return CONDITIONS_FAILED;
	}
	if (c->if_none_match) {
		if (conditions_etag_in(c->if_none_match, etag, true))
			return CONDITIONS_NOT_MODIFIED;
	} else if (c->if_modified_since) {
		if (!clock_parse_http(c->if_modified_since, &t) && mtime <= t)
			return CONDITIONS_NOT_MODIFIED;
	}
	if (!c->range ||
	    (c->if_range && !conditions_same(c->if_range, etag, mtime)))
		return CONDITIONS_WHOLE;
	return conditions_judge_range(c->range, size, first, len);
}
