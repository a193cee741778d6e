/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/names/likeness.h"

#include <ctype.h>
#include <string.h>

/* What is behind the last dot; "" where that is the first byte, or there is
 * none. */
static const char *likeness_extension(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name ? dot + 1 : "";
}

static const char *likeness_skip_digits(const char *s)
{
	while (isdigit((unsigned char)*s))
		s++;
	return s;
}

static const char *likeness_skip_word(const char *s)
{
	while (isalpha((unsigned char)*s) || (unsigned char)*s >= 0x80)
		s++;
	return s;
}

/* The same but for the numbers in it, and in words but for the words. */
static bool likeness_of_texts(const char *a, const char *b, bool words)
{
	while (*a && *b) {
		const char *a_end = likeness_skip_digits(a);
		const char *b_end = likeness_skip_digits(b);

		if (words && a == a_end && b == b_end) {
			a_end = likeness_skip_word(a);
			b_end = likeness_skip_word(b);
		}
		if ((a == a_end) != (b == b_end))
			return false;
		if (a == a_end && *a_end++ != *b_end++)
			return false;
		a = a_end;
		b = b_end;
	}
	return !*a && !*b;
}

static bool likeness_has_digit(const char *s)
{
	return s[strcspn(s, "0123456789")];
}

/* As long, as hashes are. */
static bool likeness_of_lengths(const char *a, const char *b)
{
	return strlen(a) == strlen(b) &&
	       likeness_has_digit(a) == likeness_has_digit(b);
}

bool likeness_of_names(const char *a, const char *b)
{
	const char *a_ext = likeness_extension(a);
	const char *b_ext = likeness_extension(b);

	if (*a_ext || *b_ext)
		return likeness_of_texts(a_ext, b_ext, false);
	if ((*a == '.') != (*b == '.'))
		return false;
	return likeness_of_lengths(a, b) || likeness_of_texts(a, b, true);
}
