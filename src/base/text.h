/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that crosses a border: numbers with bounds, percent-encoding, and
 * quoting for shells, JSON and log lines. Pure, locale-free.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf;

/* Whole string, decimal digits only, no sign, no space. 0, -EINVAL, -ERANGE. */
int parse_u64(const char *s, uint64_t max, uint64_t *out);
/* As parse_u64() over n bytes that need not end in NUL. */
int parse_u64n(const char *s, size_t n, uint64_t max, uint64_t *out);
/* Digits with an optional K, M, G or T (powers of 1024; also KiB, MiB ...). */
int parse_size(const char *s, uint64_t max, uint64_t *out);
/* Seconds: digits with an optional s, m, h, d or w, as in 90, 15m, 1h, 7d. */
int parse_duration(const char *s, size_t n, uint64_t max, uint64_t *out);
/* yes no true false on off 1 0, any case. 0 or -EINVAL. */
int parse_bool(const char *s, bool *out);
/* 1 to 4 octal digits. 0, -EINVAL, -ERANGE. */
int parse_octal(const char *s, unsigned max, unsigned *out);

/*
 * RFC 3986 with AWS' set: A-Z a-z 0-9 - . _ ~ stay, the rest is %XX with
 * upper-case digits; keep_slash leaves '/' alone as well (paths).
 */
void text_percent_encode(struct buf *out, const char *s, size_t n,
			 bool keep_slash);
/* %XX only ('+' stays). 0, or -EINVAL for a broken escape or an encoded NUL. */
int text_percent_decode(struct buf *out, const char *s, size_t n);

/* One word for sh: bare when harmless, else in single quotes. */
void text_shell_quote(struct buf *out, const char *s);
/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void text_json_string(struct buf *out, const char *s);
/*
 * For log lines and messages: control bytes (U+0080 to U+009F too), bytes that
 * are no UTF-8, '"' and '\\' escaped.
 */
void text_printable(struct buf *out, const char *s);
/* text_printable() of a URL that is refused: what comes before an `@`, and what
 * follows a `?`, may be a secret and is `***`. */
void text_masked_url(struct buf *out, const char *url);
/* text_printable() for whole sentences: '"' and '\\' stay as they are. */
void text_one_line(struct buf *out, const char *s);

static inline bool text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool text_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* n bytes, one at least: letters, digits, and what stands in more. */
static inline bool text_is_word(const char *s, size_t n, const char *more)
{
	for (size_t i = 0; i < n; i++)
		if (!text_is_alpha(s[i]) && !text_is_digit(s[i]) &&
		    (!s[i] || !strchr(more, s[i])))
			return false;
	return n;
}

static inline bool text_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A byte of a character of UTF-8, but not its first. */
static inline bool text_utf8_continues(char c)
{
	return (c & 0xc0) == 0x80;
}

static inline char text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* 0 to 15, or -1. */
static inline int text_hex_value(char c)
{
	if (text_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A string that says something, or NULL: it is NULL or empty. */
static inline const char *text_given(const char *s)
{
	return s && *s ? s : NULL;
}

size_t text_width(const char *s); /* characters, not bytes */
/* `1.5 GiB`. */
void text_bytes(struct buf *out, uint64_t bytes);

/* \040 and its like, as /proc/self/mountinfo writes white space: in place. */
void text_unescape_octal(char *s);

/* True when a byte below 0x20 or 0x7f is in s. */
bool text_has_control(const char *s);
/* What a header's value may be made of (RFC 9110): no control byte but tabs. */
bool text_is_field_value(const char *s, size_t n);
/* Of a header's name: how many bytes of s are a token's (RFC 9110, 5.6.2). */
size_t text_token_len(const char *s);
bool text_is_ascii(const char *s); /* no byte above 0x7f */
bool text_is_utf8(const char *s); /* RFC 3629 */
/* The character that n bytes begin with: its length, or 0 when they are
 * none. */
size_t text_utf8_char(const char *s, size_t n, uint32_t *code);
/* Text between tags and in an attribute's double quotes, of HTML as well. */
void text_xml(struct buf *out, const char *s);
bool text_starts_with(const char *s, const char *prefix);
bool text_ends_with(const char *s, const char *suffix);

#endif
