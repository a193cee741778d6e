/*
 * Is a name the folder of a store? A disk may take more than one spelling for
 * it: XFS made with ascii-ci folds the case of ASCII, ext4, F2FS and tmpfs in
 * a folder with +F that of Unicode, where U+017F is an `s` and U+FB06 `st`, and
 * where characters that show nothing do not count at all. What one of them
 * takes for it counts on all, so that a store may move from one to another.
 */
#include <string.h>

#include "store/local/local.h"

/* A character of UTF-8; its bytes, or 0: the name is no UTF-8 there. */
static size_t decode(const char *s, size_t n, unsigned *out)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	unsigned char c = *s;
	size_t len = c < 0x80   ? 1
		     : c < 0xc0 ? 0
		     : c < 0xe0 ? 2
		     : c < 0xf0 ? 3
				: 4;

	if (len > n)
		return 0;
	*out = c - lead[len];
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*out = *out << 6 | (s[i] & 0x3f);
	}
	return len;
}

/* Default_Ignorable_Code_Point of Unicode, and the byte order mark. */
static bool shows_nothing(unsigned c)
{
	static const struct {
		unsigned from, to;
	} ranges[] = {
		{ 0xad, 0xad },       { 0x34f, 0x34f },
		{ 0x61c, 0x61c },     { 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
		{ 0x200b, 0x200f },   { 0x202a, 0x202e },
		{ 0x2060, 0x206f },   { 0x3164, 0x3164 },
		{ 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfff8 },
		{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return false;
}

/* What a character is with its case folded: one or two letters of ASCII. */
static const char *folded(unsigned c, char one[2])
{
	if (c == 0x17f)
		return "s";
	if (c == 0xfb05 || c == 0xfb06)
		return "st";
	one[0] = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c < 0x80 ? c : '\0';
	one[1] = '\0';
	return one;
}

bool local_is_folder(const char *name, size_t n)
{
	const char *want = LOCAL_FOLDER;

	while (n) {
		char one[2];
		const char *have;
		unsigned c;
		size_t len = decode(name, n, &c);

		if (!len)
			return false;
		name += len;
		n -= len;
		if (shows_nothing(c))
			continue;
		have = folded(c, one);
		len = strlen(have);
		if (!len || strncmp(want, have, len))
			return false;
		want += len;
	}
	return !*want;
}
