/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The longest match wins, as in Databend: in a location a backslash with what
 * it may escape is one unit, so `@~/a\ b` is one token. A token never spans
 * more than the text; its bytes stay where they are.
 */
#include "sql/sql_lex.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static bool lex_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool lex_is_word_start(char c)
{
	unsigned char u = c;

	return u >= 0x80 || u == '_' || (u >= 'a' && u <= 'z') ||
	       (u >= 'A' && u <= 'Z');
}

/* ---- what lies between tokens ---- */

/* false: a comment that does not end begins at *at. */
static bool lex_skip_blank(const char *s, size_t len, size_t *at)
{
	size_t i = *at;

	for (;;) {
		while (i < len && lex_is_space(s[i]))
			i++;
		*at = i;
		if (i + 1 < len && s[i] == '-' && s[i + 1] == '-') {
			while (i < len && s[i] != '\n')
				i++;
		} else if (i + 1 < len && s[i] == '/' && s[i + 1] == '*') {
			const char *end =
				memmem(s + i + 2, len - i - 2, "*/", 2);

			if (!end)
				return false;
			i = end + 2 - s;
		} else {
			return true;
		}
	}
}

/* ---- tokens: each returns where its token ends ---- */

/* 0: it does not end. */
static size_t lex_quoted_end(const char *s, size_t len, size_t i)
{
	char quote = s[i++];

	while (i < len) {
		if (s[i] == '\\' && quote != '`')
			i += 2;
		else if (s[i] != quote)
			i++;
		else if (i + 1 < len && s[i + 1] == quote)
			i += 2;
		else
			return i + 1;
	}
	return 0;
}

static bool lex_may_escape(char c)
{
	return lex_is_space(c) || c == '\'' || c == '"' || c == '\\';
}

static size_t lex_at_end(const char *s, size_t len, size_t i)
{
	for (i++; i < len; i++) {
		if (s[i] == '\\' && i + 1 < len && lex_may_escape(s[i + 1]))
			i++;
		else if (lex_is_space(s[i]) || !s[i] ||
			 strchr(",`;'\"()", s[i]))
			break;
	}
	return i;
}

static size_t lex_number_end(const char *s, size_t len, size_t i)
{
	if (s[i] == '0' && i + 2 < len && (s[i + 1] | 0x20) == 'x' &&
	    text_hex_value(s[i + 2]) >= 0) {
		for (i += 2; i < len && text_hex_value(s[i]) >= 0; i++)
			;
		return i;
	}
	while (i < len && (text_is_digit(s[i]) || s[i] == '_'))
		i++;
	return i;
}

/* x'1f': 0 when it is none. */
static size_t lex_hex_end(const char *s, size_t len, size_t i)
{
	if (i + 1 >= len || (s[i] | 0x20) != 'x' || s[i + 1] != '\'')
		return 0;
	for (i += 2; i < len && text_hex_value(s[i]) >= 0; i++)
		;
	return i < len && s[i] == '\'' ? i + 1 : 0;
}

static size_t lex_word_end(const char *s, size_t len, size_t i)
{
	while (i < len &&
	       (lex_is_word_start(s[i]) || text_is_digit(s[i]) || s[i] == '$'))
		i++;
	return i;
}

static size_t lex_bad(struct sql_token *out, const char *fault, size_t end)
{
	out->kind = SQL_BAD;
	out->fault = fault;
	return end;
}

static size_t lex_quoted(const char *s, size_t len, size_t i,
			 struct sql_token *out)
{
	size_t end = lex_quoted_end(s, len, i);

	out->kind = s[i] == '\'' ? SQL_STRING : SQL_QUOTED;
	return end ? end : lex_bad(out, "this quote is not closed", len);
}

static size_t lex_at(const char *s, size_t len, size_t i, struct sql_token *out)
{
	size_t end = lex_at_end(s, len, i);

	out->kind = SQL_AT;
	return end > i + 1
		       ? end
		       : lex_bad(out, "a stage's name must follow the @", end);
}

void sql_lex(const char *s, size_t len, size_t *at, struct sql_token *out)
{
	bool closed = lex_skip_blank(s, len, at);
	size_t i = *at, end;

	*out = (struct sql_token){ .kind = SQL_END, .span = { i, 0 } };
	if (!closed)
		end = lex_bad(out, "this comment is not closed", len);
	else if (i == len)
		end = len;
	else if (strchr("'\"`", s[i]) && s[i])
		end = lex_quoted(s, len, i, out);
	else if (s[i] == '@')
		end = lex_at(s, len, i, out);
	else if (text_is_digit(s[i]) || lex_hex_end(s, len, i)) {
		out->kind = SQL_NUMBER;
		end = text_is_digit(s[i]) ? lex_number_end(s, len, i)
					  : lex_hex_end(s, len, i);
	} else if (lex_is_word_start(s[i])) {
		out->kind = SQL_WORD;
		end = lex_word_end(s, len, i);
	} else if (s[i] && strchr(",;=()~-", s[i])) {
		out->kind = SQL_PUNCT;
		end = i + 1;
	} else {
		end = lex_bad(out, "no statement has this character", i + 1);
	}
	out->span.len = end - i;
	*at = end;
}

bool sql_lex_is_word(const char *text, const struct sql_token *t,
		     const char *word)
{
	return t->kind == SQL_WORD && strlen(word) == t->span.len &&
	       !strncasecmp(text + t->span.at, word, t->span.len);
}

bool sql_lex_is_punct(const char *text, const struct sql_token *t, char c)
{
	return t->kind == SQL_PUNCT && text[t->span.at] == c;
}

/* ---- what they mean ---- */

int sql_lex_number(const char *text, const struct sql_token *t, uint64_t *out)
{
	const char *s = text + t->span.at;
	size_t n = t->span.len;
	uint64_t value = 0;
	bool hex = n > 2 && ((s[0] | 0x20) == 'x' || (s[1] | 0x20) == 'x');

	if (!hex)
		return parse_u64n(s, n, UINT64_MAX, out);
	n -= s[1] == '\'';
	for (size_t i = 2; i < n; i++) {
		if (value >> 60)
			return -ERANGE;
		value = value << 4 | (unsigned)text_hex_value(s[i]);
	}
	*out = value;
	return 0;
}

static void lex_add_utf8(struct buf *out, unsigned c)
{
	if (c < 0x80) {
		buf_addc(out, c);
	} else if (c < 0x800) {
		buf_addc(out, 0xc0 | c >> 6);
		buf_addc(out, 0x80 | (c & 0x3f));
	} else {
		buf_addc(out, 0xe0 | c >> 12);
		buf_addc(out, 0x80 | (c >> 6 & 0x3f));
		buf_addc(out, 0x80 | (c & 0x3f));
	}
}

/* Up to max digits of base 8 or 16 at s. How many there are. */
static size_t lex_digits(const char *s, const char *end, int base, size_t max,
			 unsigned *out)
{
	size_t n = 0;

	for (*out = 0; n < max && s + n < end; n++) {
		int d = text_hex_value(s[n]);

		if (d < 0 || d >= base)
			break;
		*out = *out * base + d;
	}
	return n;
}

/* The escape whose backslash is before s. How many bytes it has; 0: broken. */
static size_t lex_add_escape(const char *s, const char *end, struct buf *out,
			     const char **fault)
{
	static const char letters[] = "bfnrt'\"\\", means[] = "\b\f\n\r\t'\"\\";
	const char *at = *s ? strchr(letters, *s) : NULL;
	unsigned c;
	size_t n;

	if (at) {
		buf_addc(out, means[at - letters]);
		return 1;
	}
	if (!*s) {
		*fault = "a NUL byte in a string";
		return 0;
	}
	if (*s == 'x' || *s == 'u') {
		size_t want = *s == 'x' ? 2 : 4;

		n = 1 + lex_digits(s + 1, end, 16, want, &c);
		if (n != 1 + want || (c >= 0xd800 && c < 0xe000)) {
			*fault = "a broken escape: \\xHH, \\uXXXX";
			return 0;
		}
	} else {
		n = lex_digits(s, end, 8, 3, &c);
	}
	if (!n) { /* both stay, as in '[.]csv' written '\.csv' */
		buf_addc(out, '\\');
		buf_addc(out, *s);
		return 1;
	}
	if (!c) {
		*fault = "a NUL byte in a string";
		return 0;
	}
	lex_add_utf8(out, c);
	return n;
}

static int lex_unescape_quoted(const char *s, const char *end, struct buf *out,
			       const char **fault)
{
	char quote = *s++;

	for (end--; s < end;) {
		size_t n = 1;

		if (*s == '\\' && quote != '`') {
			n = lex_add_escape(s + 1, end, out, fault);
			if (!n++)
				return -EINVAL;
		} else if (!*s) {
			*fault = "a NUL byte in a string";
			return -EINVAL;
		} else {
			buf_addc(out, *s);
			n += *s == quote;
		}
		s += n;
	}
	return buf_err(out);
}

int sql_lex_unescape(const char *text, const struct sql_token *t,
		     struct buf *out, const char **fault)
{
	const char *s = text + t->span.at, *end = s + t->span.len;

	if (t->kind != SQL_AT)
		return lex_unescape_quoted(s, end, out, fault);
	for (; s < end; s++) {
		if (*s == '\\' && s + 1 < end && strchr(" \t'\"\\", s[1]))
			s++;
		buf_addc(out, *s);
	}
	return buf_err(out);
}
