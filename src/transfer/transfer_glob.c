/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fnmatch(3) on the components of a path, one by one, so that the pattern may
 * have fewer than the name.
 */
#include "transfer/transfer_glob.h"

#include <fnmatch.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static bool glob_is_wild(char c)
{
	return c == '*' || c == '?' || c == '[';
}

bool transfer_glob_is(const char *text)
{
	for (; *text; text++) {
		if (glob_is_wild(*text))
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
		if (*text == '\\' && glob_is_wild(text[1]))
			text++;
		*to++ = *text;
	}
	*to = '\0';
}

void transfer_glob_prefix(const char *pattern, struct buf *out)
{
	for (const char *p = pattern; *p && !glob_is_wild(*p); p++) {
		if (*p == '\\' && p[1])
			p++;
		buf_addc(out, *p);
	}
}

static locale_t glob_locale;
static pthread_once_t glob_once = PTHREAD_ONCE_INIT;

static void glob_make_locale(void)
{
	glob_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* fnmatch(3) takes text as the thread's locale has it; the program's is C. */
static bool glob_component(const char *p, size_t p_len, const char *s,
			   size_t s_len)
{
	char *pattern = strndup(p, p_len), *name = strndup(s, s_len);
	locale_t before;
	bool matches;

	pthread_once(&glob_once, glob_make_locale);
	before = glob_locale ? uselocale(glob_locale) : (locale_t)0;
	matches = pattern && name && !fnmatch(pattern, name, 0);
	if (before)
		uselocale(before);
	free(pattern);
	free(name);
	return matches;
}

/* The end of the pattern's first component: a set may hold no '/'. */
static const char *glob_component_end(const char *s)
{
	return s + strcspn(s, "/");
}

size_t transfer_glob_match(const char *pattern, const char *name)
{
	const char *s = name;

	for (;;) {
		const char *p_end = glob_component_end(pattern);
		const char *s_end = glob_component_end(s);

		if (!glob_component(pattern, p_end - pattern, s, s_end - s))
			return 0;
		if (!*p_end || !p_end[1])
			return s_end - name;
		if (!*s_end)
			return 0;
		pattern = p_end + 1;
		s = s_end + 1;
	}
}
