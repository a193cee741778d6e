/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces of the grammar. Each attempt at a token is noted until one is
 * taken, so an error lists all that could have stood there.
 */
#include "sql/parser.h"

#include <errno.h>
#include <string.h>

#include "base/digest.h"

static void parser_lex(struct sql_parser *p)
{
	sql_lex(p->script->text, p->script->len, &p->at, &p->token);
}

void parser_begin(struct sql_parser *p, struct sql_script *s,
		  struct sql_error *error)
{
	*p = (struct sql_parser){ .script = s, .at = s->at, .error = error };
	buf_init(&p->expected, BUF_MESSAGE);
	parser_lex(p);
}

void parser_clear(struct sql_parser *p)
{
	buf_clear(&p->expected);
}

void parser_take(struct sql_parser *p)
{
	p->last_end = p->token.span.at + p->token.span.len;
	p->n_expected = 0;
	buf_reset(&p->expected);
	parser_lex(p);
}

/* Expectations stand in the buffer each with a NUL. */
static void parser_note(struct sql_parser *p, const char *what, bool literal)
{
	if (literal)
		buf_addc(&p->expected, '`');
	buf_adds(&p->expected, what);
	if (literal)
		buf_addc(&p->expected, '`');
	buf_addc(&p->expected, '\0');
	p->n_expected++;
}

bool parser_accept(struct sql_parser *p, const char *word)
{
	if (sql_lex_is_word(p->script->text, &p->token, word)) {
		parser_take(p);
		return true;
	}
	parser_note(p, word, true);
	return false;
}

bool parser_accept_punct(struct sql_parser *p, char c)
{
	const char word[] = { c, '\0' };

	if (sql_lex_is_punct(p->script->text, &p->token, c)) {
		parser_take(p);
		return true;
	}
	parser_note(p, word, true);
	return false;
}

bool parser_is_at(struct sql_parser *p, enum sql_token_kind kind,
		  const char *name)
{
	if (p->token.kind == kind)
		return true;
	parser_note(p, name, false);
	return false;
}

/* ---- errors ---- */

int parser_refuse(struct sql_parser *p, int code, struct sql_span span,
		  const char *fmt, ...)
{
	va_list ap;

	p->error->code = code;
	p->error->span = span;
	buf_reset(&p->error->message);
	va_start(ap, fmt);
	buf_vaddf(&p->error->message, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static void parser_add_expected(struct sql_parser *p, struct buf *out)
{
	const char *what = buf_str(&p->expected);

	for (unsigned i = 0; i < p->n_expected; i++) {
		if (buf_err(&p->expected))
			return;
		buf_adds(out, !i                      ? ", expecting "
			      : i + 1 < p->n_expected ? ", "
						      : " or ");
		buf_adds(out, what);
		what += strlen(what) + 1;
	}
}

int parser_unexpected(struct sql_parser *p)
{
	struct buf *out = &p->error->message;
	const struct sql_token *t = &p->token;

	if (t->kind == SQL_BAD)
		return parser_refuse(p, 1005, t->span, "%s", t->fault);
	parser_refuse(p, 1005, t->span, "unexpected ");
	if (t->kind == SQL_END) {
		buf_adds(out, "end of input");
	} else {
		buf_addc(out, '`');
		sql_show_quote(p->script->text, p->script->len, t->span, out);
		buf_addc(out, '`');
	}
	parser_add_expected(p, out);
	return -EINVAL;
}

/* ---- what must be there ---- */

int parser_expect(struct sql_parser *p, const char *word)
{
	return parser_accept(p, word) ? 0 : parser_unexpected(p);
}

int parser_expect_punct(struct sql_parser *p, char c)
{
	return parser_accept_punct(p, c) ? 0 : parser_unexpected(p);
}

/* The last one given counts. */
static int parser_set_text(struct sql_text *out, struct buf *text,
			   struct sql_span span)
{
	char *s = text->len ? buf_detach(text) : strdup("");

	if (!s)
		return -ENOMEM;
	wipe_free(out->s);
	*out = (struct sql_text){ s, span };
	return 0;
}

int parser_take_text(struct sql_parser *p, struct sql_text *out)
{
	const struct sql_token t = p->token;
	BUF_SECRET text = BUF_INIT(BUF_LINE);
	const char *fault = NULL;
	int rc = 0;

	if (t.kind == SQL_WORD)
		buf_add(&text, p->script->text + t.span.at, t.span.len);
	else
		rc = sql_lex_unescape(p->script->text, &t, &text, &fault);
	if (!rc)
		rc = buf_err(&text);
	if (rc == -EINVAL)
		parser_refuse(p, 1005, t.span, "%s", fault);
	else if (rc == -EMSGSIZE)
		rc = parser_refuse(p, 1005, t.span, "more than %d bytes",
				   BUF_LINE);
	if (!rc)
		rc = parser_set_text(out, &text, t.span);
	if (!rc)
		parser_take(p);
	return rc;
}

int parser_expect_string(struct sql_parser *p, struct sql_text *out)
{
	if (!parser_is_at(p, SQL_STRING, "a string"))
		return parser_unexpected(p);
	return parser_take_text(p, out);
}

int parser_expand(struct sql_parser *p, struct sql_text *t)
{
	BUF_SECRET text = BUF_INIT(BUF_LINE);
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if (!p->script->expand)
		return 0;
	rc = p->script->expand(t->s, &text, &why);
	if (!rc)
		rc = buf_err(&text);
	if (!rc)
		rc = parser_set_text(t, &text, t->span);
	else if (rc != -ENOMEM)
		rc = parser_refuse(p, 1006, t->span, "%s",
				   why.len ? buf_str(&why) : strerror(-rc));
	return rc;
}

int parser_expect_value(struct sql_parser *p, struct sql_text *out)
{
	int rc = parser_expect_punct(p, '=');

	if (!rc)
		rc = parser_expect_string(p, out);
	return rc ? rc : parser_expand(p, out);
}

int parser_expect_number(struct sql_parser *p, uint64_t *out,
			 struct sql_span *span)
{
	int rc;

	if (!parser_is_at(p, SQL_NUMBER, "a whole number"))
		return parser_unexpected(p);
	rc = sql_lex_number(p->script->text, &p->token, out);
	if (rc)
		return parser_refuse(
			p, 1005, p->token.span,
			rc == -ERANGE ? "this number has more than 64 bits"
				      : "a number has digits only");
	*span = p->token.span;
	parser_take(p);
	return 0;
}

int parser_expect_name(struct sql_parser *p, bool quoted, struct sql_text *out)
{
	int rc;

	if (sql_lex_is_punct(p->script->text, &p->token, '~')) {
		BUF_LOCAL name = BUF_INIT(2);

		buf_addc(&name, '~');
		rc = parser_set_text(out, &name, p->token.span);
		parser_take(p);
		return rc;
	}
	if (parser_is_at(p, SQL_WORD, "the name of a stage") ||
	    (quoted && p->token.kind == SQL_QUOTED))
		return parser_take_text(p, out);
	return parser_unexpected(p);
}
