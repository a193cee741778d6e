/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every function walks its bytes once, by tables of what may stay; nothing
 * here asks <ctype.h>, which follows the locale.
 */
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

static const char hex_digits[] = "0123456789ABCDEF";

static bool text_is_alnum(char c)
{
	return text_is_alpha(c) || text_is_digit(c);
}

static bool text_is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

int parse_u64(const char *s, uint64_t max, uint64_t *out)
{
	return parse_u64n(s, strlen(s), max, out);
}

int parse_u64n(const char *s, size_t n, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	bool over = false;

	if (!n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (!text_is_digit(s[i]))
			return -EINVAL;
		over |= __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, s[i] - '0', &value);
	}
	if (over || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/* The shift of "K", "KiB", ... in any case; -1 when it is none of them. */
static int text_unit_shift(const char *s)
{
	static const char units[] = "kmgt";
	const char *unit;

	if (!*s)
		return 0;
	unit = strchr(units, *s | 0x20);
	if (!unit || (s[1] && strcasecmp(s + 1, "ib")))
		return -1;
	return (int)(unit - units + 1) * 10;
}

int parse_size(const char *s, uint64_t max, uint64_t *out)
{
	size_t digits = strspn(s, "0123456789");
	int shift = text_unit_shift(s + digits);
	uint64_t value;
	int rc;

	if (shift < 0)
		return -EINVAL;
	rc = parse_u64n(s, digits, max >> shift, &value);
	if (!rc)
		*out = value << shift;
	return rc;
}

int parse_duration(const char *s, size_t n, uint64_t max, uint64_t *out)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 's', 1 },
		      { 'm', 60 },
		      { 'h', 3600 },
		      { 'd', 86400 },
		      { 'w', 604800 } };
	uint64_t factor = 1, value;
	int rc;

	for (size_t i = 0; n && i < sizeof(units) / sizeof(*units); i++) {
		if (text_lower(s[n - 1]) != units[i].unit)
			continue;
		factor = units[i].seconds;
		n--;
		break;
	}
	rc = parse_u64n(s, n, max / factor, &value);
	if (!rc)
		*out = value * factor;
	return rc;
}

int parse_bool(const char *s, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "yes", true }, { "no", false },  { "true", true },
		{ "on", true },  { "off", false }, { "false", false },
		{ "1", true },   { "0", false },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcasecmp(s, words[i].word)) {
			*out = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

int parse_octal(const char *s, unsigned max, unsigned *out)
{
	size_t n = strspn(s, "01234567");
	unsigned value = 0;

	if (!n || n > 4 || s[n])
		return -EINVAL;
	for (; *s; s++)
		value = value * 8 + (unsigned)(*s - '0');
	if (value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/* RFC 3986's unreserved characters. */
static const bool unreserved[256] = {
	['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true,
	['-'] = true,         ['.'] = true,         ['_'] = true,
	['~'] = true,
};

void text_percent_encode(struct buf *out, const char *s, size_t n,
			 bool keep_slash)
{
	size_t done = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = s[i];
		char escape[3] = "%";

		if (unreserved[c] || (c == '/' && keep_slash))
			continue;
		escape[1] = hex_digits[c >> 4];
		escape[2] = hex_digits[c & 15];
		buf_add(out, s + done, i - done);
		buf_add(out, escape, sizeof(escape));
		done = i + 1;
	}
	buf_add(out, s + done, n - done);
}

int text_percent_decode(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high, low;
		char c = s[i];

		if (c == '%') {
			if (n - i < 3)
				return -EINVAL;
			high = text_hex_value(s[i + 1]);
			low = text_hex_value(s[i + 2]);
			if (high < 0 || low < 0)
				return -EINVAL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (!c)
			return -EINVAL;
		buf_addc(out, c);
	}
	return buf_err(out);
}

static bool text_is_shell_harmless(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		if (!text_is_alnum(*s) && !text_is_one_of(*s, "_@%+:,./-"))
			return false;
	}
	return true;
}

void text_shell_quote(struct buf *out, const char *s)
{
	if (text_is_shell_harmless(s)) {
		buf_adds(out, s);
		return;
	}
	buf_addc(out, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *s);
	}
	buf_addc(out, '\'');
}

/*
 * The length of the character at s and its code point; 0 when the bytes are
 * no UTF-8 (RFC 3629: no overlong form, no surrogate, nothing past U+10FFFF).
 */
static size_t text_utf8_length(const char *s, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = *s;
	size_t len;

	if (first < 0x80) {
		*code = first;
		return 1;
	}
	len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	*code = first & (0xff >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

size_t text_utf8_char(const char *s, size_t n, uint32_t *code)
{
	char whole[5] = { 0 };

	memcpy(whole, s, n < 4 ? n : 4);
	return n ? text_utf8_length(whole, code) : 0;
}

/* The letter of a two-byte escape that C and JSON share; 0 if none. */
static char text_short_escape(uint32_t code)
{
	switch (code) {
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	case '"':
	case '\\':
		return (char)code;
	default:
		return '\0';
	}
}

void text_json_string(struct buf *out, const char *s)
{
	uint32_t code;
	size_t len;
	char escape;

	buf_addc(out, '"');
	for (; *s; s += len ? len : 1) {
		len = text_utf8_length(s, &code);
		escape = len ? text_short_escape(code) : '\0';
		if (!len)
			buf_adds(out, "\xef\xbf\xbd");
		else if (escape)
			buf_addf(out, "\\%c", escape);
		else if (code < 0x20 || code == 0x7f)
			buf_addf(out, "\\u%04x", (unsigned)code);
		else
			buf_add(out, s, len);
	}
	buf_addc(out, '"');
}

static void text_add_escaped(struct buf *out, const char *s, const char *keep)
{
	uint32_t code;
	size_t len;
	char escape;

	for (; *s; s += len ? len : 1) {
		len = text_utf8_length(s, &code);
		escape = len ? text_short_escape(code) : '\0';
		if (!len || (!escape &&
			     (code < 0x20 || (code >= 0x7f && code < 0xa0)))) {
			for (size_t i = 0; i < (len ? len : 1); i++)
				buf_addf(out, "\\x%02x", (unsigned char)s[i]);
		} else if (escape && !text_is_one_of(escape, keep)) {
			buf_addf(out, "\\%c", escape);
		} else {
			buf_add(out, s, len);
		}
	}
}

void text_printable(struct buf *out, const char *s)
{
	text_add_escaped(out, s, "");
}

void text_one_line(struct buf *out, const char *s)
{
	text_add_escaped(out, s, "\"\\");
}

/* A password may have any byte in it, so the last `@` ends it. */
void text_masked_url(struct buf *out, const char *url)
{
	const char *from = strstr(url, "://"), *at = strrchr(url, '@');
	BUF_SECRET shown = BUF_INIT(BUF_LINE);

	from = from ? from + 3 : url;
	if (at && at >= from) {
		buf_add(&shown, url, from - url);
		buf_adds(&shown, "***");
		from = at;
	} else {
		from = url;
	}
	buf_add(&shown, from, strcspn(from, "?"));
	if (strchr(from, '?'))
		buf_adds(&shown, "?***");
	text_printable(out, buf_str(&shown));
}

bool text_is_utf8(const char *s)
{
	uint32_t code;
	size_t len;

	for (; *s; s += len) {
		len = text_utf8_length(s, &code);
		if (!len)
			return false;
	}
	return true;
}

bool text_is_ascii(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s > 0x7f)
			return false;
	}
	return true;
}

static bool text_is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void text_unescape_octal(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\' && text_is_octal(s[1]) && text_is_octal(s[2]) &&
		    text_is_octal(s[3])) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
				       (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

bool text_has_control(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	}
	return false;
}

bool text_is_field_value(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f)
			return false;
	return true;
}

size_t text_token_len(const char *s)
{
	static const bool token[256] = {
		['A' ... 'Z'] = true,  ['a' ... 'z'] = true,
		['0' ... '9'] = true,  ['!'] = true,
		['#' ... '\''] = true, ['*'] = true,
		['+'] = true,          ['-'] = true,
		['.'] = true,          ['^' ... '`'] = true,
		['|'] = true,          ['~'] = true,
	};
	size_t n = 0;

	while (token[(unsigned char)s[n]])
		n++;
	return n;
}

bool text_starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool text_ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += !text_utf8_continues(*s);
	return n;
}

void text_bytes(struct buf *out, uint64_t bytes)
{
	static const char *const units[] = { "B",   "KiB", "MiB",
					     "GiB", "TiB", "PiB" };
	unsigned unit = 0;
	uint64_t tenths = bytes > UINT64_MAX / 10 ? UINT64_MAX : bytes * 10;

	while (tenths >= 10240 && unit < 5) {
		tenths /= 1024;
		unit++;
	}
	if (!unit)
		buf_addf(out, "%llu B", (unsigned long long)bytes);
	else
		buf_addf(out, "%llu.%llu %s", (unsigned long long)tenths / 10,
			 (unsigned long long)tenths % 10, units[unit]);
}

void text_xml(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			buf_adds(out, "&amp;");
		else if (*s == '<')
			buf_adds(out, "&lt;");
		else if (*s == '>')
			buf_adds(out, "&gt;");
		else if (*s == '"')
			buf_adds(out, "&quot;");
		else if ((unsigned char)*s < ' ')
			buf_addc(out, ' ');
		else
			buf_addc(out, *s);
	}
}
