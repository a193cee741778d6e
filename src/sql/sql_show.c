/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement shown to a person. It may hold secrets, and what is shown is
 * often wrong: a quote that is not closed, a key that is misspelt, a value
 * without quotes. So it is not the grammar that says what a secret is: every
 * literal is one, unless the word before it is known to be harmless.
 */
#include "base/number.h"
#include "base/text.h"
#include "sql/sql_lex.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WINDOW 100 /* characters of a line that are shown */
#define QUOTE_MAX 60

/* Words whose value may be seen, and statements whose operand may. */
static const char *const harmless[] = {
	"url",          "location",
	"endpoint_url", "public_endpoint_url",
	"region",       "enable_virtual_host_style",
	"addressing",   "pattern",
	"comment",      "comments",
	"content_type", "expire",
	"like",         "limit",
	"type",         "presign",
	"download",     "upload",
	"list",         "remove",
	NULL,
};
static const char *const secretive[] = {
	"key", "secret", "token", "password", "credential", NULL,
};

struct masker {
	const char *text;
	size_t len, at;
	struct sql_token token, word; /* this one; the last word before it */
	bool assigned; /* an `=` stands between them */
	bool fresh; /* nothing else does */
	bool lost; /* a quote closed where none can: what follows is unclear */
};

static bool show_is_harmless(const struct masker *m)
{
	for (const char *const *h = harmless; *h; h++)
		if (sql_lex_is_word(m->text, &m->word, *h))
			return m->fresh;
	return false;
}

static bool show_is_secretive(const struct masker *m)
{
	for (const char *const *s = secretive; *s; s++)
		for (size_t i = 0; i + strlen(*s) <= m->word.span.len; i++)
			if (!strncasecmp(m->text + m->word.span.at + i, *s,
					 strlen(*s)))
				return true;
	return false;
}

/* A URL with a user or a query in it. */
static bool show_has_secret_part(const struct masker *m)
{
	const char *s = m->text + m->token.span.at;
	size_t n = m->token.span.len;

	return memmem(s, n, "://", 3) &&
	       (memchr(s, '@', n) || memchr(s, '?', n));
}

static bool show_is_secret(const struct masker *m)
{
	char c = m->text[m->token.span.at];
	bool value = m->assigned && m->fresh;

	switch (m->token.kind) {
	case SQL_BAD:
		return m->token.span.len > 1 || (value && !show_is_harmless(m));
	case SQL_STRING:
		return !show_is_harmless(m) || show_has_secret_part(m);
	case SQL_QUOTED:
	case SQL_WORD:
	case SQL_NUMBER:
	case SQL_AT:
		if (value)
			return !show_is_harmless(m);
		return m->word.kind == SQL_WORD && m->fresh &&
		       show_is_secretive(m);
	default:
		return value &&
		       ((c == '-' && !show_is_harmless(m)) ||
			(c == '(' && show_is_secretive(m) &&
			 !sql_lex_is_word(m->text, &m->word, "credentials")));
	}
}

static bool show_ends_run(char c)
{
	return !c || strchr(" \t\r\n\v\f,();", c);
}

static bool show_is_quoted(const struct masker *m)
{
	return m->token.kind == SQL_STRING || m->token.kind == SQL_QUOTED;
}

/* The next secret at or after m->at; false: there is none. */
static bool show_next_secret(struct masker *m, struct sql_span *out)
{
	for (;;) {
		if (m->lost) {
			*out = (struct sql_span){ m->at, m->len - m->at };
			m->at = m->len;
			m->lost = false;
			return true;
		}
		sql_lex(m->text, m->len, &m->at, &m->token);
		if (m->token.kind == SQL_END)
			return false;
		m->lost = show_is_quoted(m) && m->at < m->len &&
			  !show_ends_run(m->text[m->at]);
		if (show_is_secret(m)) {
			while (!m->lost && m->at < m->len &&
			       !show_ends_run(m->text[m->at]))
				m->at++;
			*out = m->token.span;
			out->len = m->at - out->at;
			m->fresh = false;
			return true;
		}
		if (m->token.kind == SQL_WORD) {
			m->word = m->token;
			m->fresh = true;
			m->assigned = false;
		} else if (sql_lex_is_punct(m->text, &m->token, '=')) {
			m->assigned = true;
		} else {
			m->fresh = false;
		}
	}
}

/* ---- places ---- */

void sql_show_place(const char *text, size_t len, size_t at, unsigned *line,
		    unsigned *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < at && i < len; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (!text_utf8_continues(text[i])) {
			++*column;
		}
	}
}

/* ---- lines ---- */

/* A line with its secrets gone; where the span has come to stand. */
struct shown {
	struct buf text;
	size_t from, to; /* characters */
	size_t n; /* characters so far */
};

static void show_put_char(struct shown *s, char c)
{
	bool odd = (unsigned char)c < ' ' || c == 0x7f;

	buf_addc(&s->text, c == '\t' ? ' ' : odd ? '?' : c);
	s->n += !text_utf8_continues(c);
}

static void show_put_stars(struct shown *s)
{
	for (int i = 0; i < 3; i++)
		show_put_char(s, '*');
}

static void show_mark(struct shown *s, struct sql_span span, size_t at,
		      size_t n)
{
	if (at <= span.at && span.at < at + n)
		s->from = s->n;
}

/* Shows the bytes from..to; marks where span stands in them. */
static void show_bytes(const char *text, size_t len, size_t from, size_t to,
		       struct sql_span span, struct shown *out)
{
	struct masker m = { .text = text, .len = len };
	struct sql_span secret = { 0, 0 };
	bool more = true;
	size_t i = from;

	out->from = out->to = SIZE_MAX;
	while (i < to) {
		size_t n = 1;

		while (more && secret.at + secret.len <= i)
			more = show_next_secret(&m, &secret);
		if (more && secret.at <= i) {
			n = secret.at + secret.len - i;
			if (n > to - i)
				n = to - i;
			show_mark(out, span, i, n);
			show_put_stars(out);
		} else {
			show_mark(out, span, i, n);
			show_put_char(out, text[i]);
		}
		i += n;
		if (i >= span.at + span.len && out->to == SIZE_MAX)
			out->to = out->n;
	}
	if (out->from == SIZE_MAX)
		out->from = out->n;
	if (out->to == SIZE_MAX || out->to <= out->from)
		out->to = out->to == SIZE_MAX ? out->n : out->from + 1;
}

/* Bytes of the first n characters. */
static size_t show_prefix(const char *s, size_t len, size_t n)
{
	size_t i = 0;

	while (i < len && n) {
		i++;
		while (i < len && text_utf8_continues(s[i]))
			i++;
		n--;
	}
	return i;
}

/* A window of a long line round the caret. */
static void show_cut(struct shown *s, struct buf *out, size_t *from, size_t *to)
{
	size_t start = 0, a, b;

	if (s->n > WINDOW && s->from > WINDOW / 2)
		start = s->from - WINDOW / 2;
	if (start)
		buf_adds(out, "...");
	a = show_prefix(buf_str(&s->text), s->text.len, start);
	b = show_prefix(buf_str(&s->text) + a, s->text.len - a, WINDOW);
	buf_add(out, buf_str(&s->text) + a, b);
	if (a + b < s->text.len)
		buf_adds(out, "...");
	*from = s->from - start + (start ? 3 : 0);
	*to = s->to - start;
	if (*to > WINDOW)
		*to = WINDOW;
	*to += start ? 3 : 0;
	if (*to <= *from)
		*to = *from + 1;
}

static void show_put_many(struct buf *out, char c, size_t n)
{
	while (n--)
		buf_addc(out, c);
}

void sql_show(const char *text, size_t len, struct sql_span span,
	      struct buf *out)
{
	struct shown line = { .text = BUF_INIT(4 * BUF_LINE) };
	BUF_LOCAL window = BUF_INIT(4 * WINDOW + 16);
	size_t at = number_min(span.at, len), from = at, to = at, a, b;
	unsigned number, column;
	char digits[24];
	int width;

	while (from && text[from - 1] != '\n')
		from--;
	while (to < len && text[to] != '\n')
		to++;
	/* Lines without end are shown from near the caret on. */
	if (at - from > BUF_LINE)
		from = at - BUF_LINE;
	if (to - from > 2 * BUF_LINE)
		to = from + 2 * BUF_LINE;
	sql_show_place(text, len, at, &number, &column);
	width = snprintf(digits, sizeof(digits), "%u", number);
	show_bytes(text, len, from, to, span, &line);
	show_cut(&line, &window, &a, &b);
	buf_addf(out, "%*s |\n%s | %s\n%*s | ", width, "", digits,
		 buf_str(&window), width, "");
	show_put_many(out, ' ', a);
	show_put_many(out, '^', b - a);
	buf_addc(out, '\n');
	buf_wipe(&line.text);
}

void sql_show_quote(const char *text, size_t len, struct sql_span span,
		    struct buf *out)
{
	struct shown word = { .text = BUF_INIT(4 * BUF_LINE) };
	size_t n = number_min(span.len, 2 * BUF_LINE);

	show_bytes(text, len, span.at, span.at + n, span, &word);
	n = show_prefix(buf_str(&word.text), word.text.len, QUOTE_MAX);
	buf_add(out, buf_str(&word.text), n);
	if (n < word.text.len)
		buf_adds(out, "...");
	buf_wipe(&word.text);
}
