/*
 * Within a component one star is remembered: when what follows does not fit,
 * that star takes one character more. An earlier star need not be tried again,
 * so time is at most the product of the lengths.
 */
#include "transfer_glob.h"

#include <string.h>

#include "base/buf.h"

static bool is_wild(char c)
{
	return c == '*' || c == '?' || c == '[';
}

bool transfer_glob_is(const char *text)
{
	for (; *text; text++) {
		if (is_wild(*text))
			return true;
		if (*text == '\\' && text[1])
			text++;
	}
	return false;
}

void transfer_glob_unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\' && is_wild(text[1]))
			text++;
		*to++ = *text;
	}
	*to = '\0';
}

void transfer_glob_prefix(const char *pattern, struct buf *out)
{
	for (const char *p = pattern; *p && !is_wild(*p); p++) {
		if (*p == '\\' && p[1])
			p++;
		buf_addc(out, *p);
	}
}

/* One character of UTF-8, or a byte that is none, at s before end. */
static unsigned long take(const char **s, const char *end)
{
	const unsigned char *u = (const unsigned char *)*s;
	unsigned more = u[0] >= 0xf0 && u[0] < 0xf8   ? 3
			: u[0] >= 0xe0 && u[0] < 0xf0 ? 2
			: u[0] >= 0xc0 && u[0] < 0xe0 ? 1
						      : 0;
	unsigned long c = more ? u[0] & (0x3f >> more) : u[0];

	for (unsigned i = 1; i <= more; i++) {
		if (*s + i >= end || (u[i] & 0xc0) != 0x80) {
			more = 0;
			c = u[0] | 0x80000000UL; /* no character's number */
			break;
		}
		c = c << 6 | (u[i] & 0x3f);
	}
	if (!more && u[0] >= 0x80)
		c = u[0] | 0x80000000UL;
	*s += 1 + more;
	return c;
}

/* Where a set that begins behind its `[` ends: at its `]`, or NULL. */
static const char *set_end(const char *p, const char *end)
{
	if (p < end && (*p == '!' || *p == '^'))
		p++;
	if (p < end && *p == ']')
		p++;
	for (; p < end; p++) {
		if (*p == ']')
			return p;
		if (*p == '\\' && p + 1 < end)
			p++;
	}
	return NULL;
}

static unsigned long take_set(const char **p, const char *end)
{
	if (**p == '\\' && *p + 1 < end)
		++*p;
	return take(p, end);
}

static bool in_set(const char *p, const char *end, unsigned long c)
{
	bool not = *p == '!' || *p == '^', found = false;

	p += not ;
	while (p < end) {
		unsigned long low = take_set(&p, end), high = low;

		if (p + 1 < end && *p == '-') {
			p++;
			high = take_set(&p, end);
		}
		found = found || (low <= c && c <= high);
	}
	return found != not ;
}

/* One element of the pattern (no star) against one character. */
static bool one(const char **p, const char *end, unsigned long c)
{
	const char *close;

	if (**p == '?') {
		++*p;
		return true;
	}
	close = **p == '[' ? set_end(*p + 1, end) : NULL;
	if (close) {
		const char *set = *p + 1;

		*p = close + 1;
		return in_set(set, close, c);
	}
	return take_set(p, end) == c;
}

static bool component(const char *p, const char *p_end, const char *s,
		      const char *s_end)
{
	const char *star = NULL, *from = NULL;

	for (;;) {
		const char *p1 = p, *s1 = s;

		if (p < p_end && *p == '*') {
			star = ++p;
			from = s;
			continue;
		}
		if (p == p_end && s == s_end)
			return true;
		if (p < p_end && s < s_end &&
		    one(&p1, p_end, take(&s1, s_end))) {
			p = p1;
			s = s1;
			continue;
		}
		if (!star || from >= s_end)
			return false;
		take(&from, s_end);
		p = star;
		s = from;
	}
}

/* The end of the pattern's first component: a set may hold no '/'. */
static const char *component_end(const char *s)
{
	return s + strcspn(s, "/");
}

size_t transfer_glob_match(const char *pattern, const char *name)
{
	const char *s = name;

	for (;;) {
		const char *p_end = component_end(pattern);
		const char *s_end = component_end(s);

		if (!component(pattern, p_end, s, s_end))
			return 0;
		if (!*p_end || !p_end[1])
			return s_end - name;
		if (!*s_end)
			return 0;
		pattern = p_end + 1;
		s = s_end + 1;
	}
}
