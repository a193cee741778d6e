/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements: a table of first words, and a function for each. Options
 * come in any order and the last one wins, as Databend has it.
 */
#include "base/digest.h"
#include "base/text.h"
#include "sql/parser.h"

#include <stdlib.h>
#include <string.h>

/* ---- PRESIGN, LIST, REMOVE ---- */

static int sql_expect_location(struct sql_parser *p, struct sql_statement *out)
{
	int rc;

	if (!parser_is_at(p, SQL_AT, "a location (@stage/path)") &&
	    !parser_is_at(p, SQL_STRING, "a string"))
		return parser_unexpected(p);
	rc = parser_take_text(p, &out->location);
	if (!rc && out->location.s[0] != '@')
		rc = parser_refuse(p, 1005, out->location.span,
				   "expect stage location, got uri location");
	return rc;
}

static int sql_parse_pattern(struct sql_parser *p, struct sql_statement *out)
{
	int rc = sql_expect_location(p, out);

	if (!rc && parser_accept(p, "PATTERN")) {
		rc = parser_expect_punct(p, '=');
		if (!rc)
			rc = parser_expect_string(p, &out->pattern);
	}
	return rc;
}

static int sql_parse_presign(struct sql_parser *p, struct sql_statement *out)
{
	int rc;

	if (parser_accept(p, "UPLOAD"))
		out->upload = true;
	else
		parser_accept(p, "DOWNLOAD");
	rc = sql_expect_location(p, out);
	while (!rc) {
		if (parser_accept(p, "EXPIRE")) {
			out->has_expire = true;
			rc = parser_expect_punct(p, '=');
			if (!rc)
				rc = parser_expect_number(p, &out->expire,
							  &out->expire_span);
		} else if (parser_accept(p, "CONTENT_TYPE")) {
			rc = parser_expect_punct(p, '=');
			if (!rc)
				rc = parser_expect_string(p,
							  &out->content_type);
		} else {
			break;
		}
	}
	return rc;
}

/* ---- stages ---- */

static int sql_parse_show(struct sql_parser *p, struct sql_statement *out)
{
	struct sql_span span;
	int rc = parser_expect(p, "STAGES");

	if (!rc && parser_accept(p, "LIKE"))
		rc = parser_expect_string(p, &out->like);
	if (!rc && parser_accept(p, "LIMIT")) {
		out->has_limit = true;
		rc = parser_expect_number(p, &out->limit, &span);
	}
	return rc;
}

static int sql_parse_desc(struct sql_parser *p, struct sql_statement *out)
{
	int rc = parser_expect(p, "STAGE");

	return rc ? rc : parser_expect_name(p, true, &out->name);
}

static int sql_parse_drop(struct sql_parser *p, struct sql_statement *out)
{
	int rc = parser_expect(p, "STAGE");

	if (!rc && parser_accept(p, "IF")) {
		out->if_exists = true;
		rc = parser_expect(p, "EXISTS");
	}
	return rc ? rc : parser_expect_name(p, true, &out->name);
}

static const struct {
	const char *word;
	enum sql_kind kind;
	int (*parse)(struct sql_parser *p, struct sql_statement *out);
} statements[] = {
	{ "PRESIGN", SQL_PRESIGN, sql_parse_presign },
	{ "LIST", SQL_LIST, sql_parse_pattern },
	{ "REMOVE", SQL_REMOVE, sql_parse_pattern },
	{ "SHOW", SQL_SHOW_STAGES, sql_parse_show },
	{ "DESC", SQL_DESC_STAGE, sql_parse_desc },
	{ "DESCRIBE", SQL_DESC_STAGE, sql_parse_desc },
	{ "CREATE", SQL_CREATE_STAGE, sql_stage_create },
	{ "ALTER", SQL_ALTER_STAGE, sql_stage_alter },
	{ "DROP", SQL_DROP_STAGE, sql_parse_drop },
};

static int sql_parse_statement(struct sql_parser *p, struct sql_statement *out)
{
	size_t n = sizeof(statements) / sizeof(*statements), i = 0;
	int rc;

	while (i < n && !parser_accept(p, statements[i].word))
		i++;
	if (i == n)
		return parser_unexpected(p);
	out->kind = statements[i].kind;
	rc = statements[i].parse(p, out);
	if (!rc && p->token.kind != SQL_END && !parser_accept_punct(p, ';'))
		rc = parser_unexpected(p);
	return rc;
}

int sql_next(struct sql_script *s, struct sql_statement *out,
	     struct sql_error *error)
{
	struct sql_parser p;
	int rc = 0;

	*out = (struct sql_statement){ 0 };
	parser_begin(&p, s, error);
	while (parser_accept_punct(&p, ';'))
		;
	p.n_expected = 0;
	buf_reset(&p.expected);
	if (p.token.kind != SQL_END) {
		out->span.at = p.token.span.at;
		rc = sql_parse_statement(&p, out);
		out->span.len = p.last_end - out->span.at;
		s->at = p.last_end;
		if (!rc)
			rc = 1;
	}
	parser_clear(&p);
	if (rc < 0)
		sql_statement_clear(out);
	return rc;
}

/* ---- the end of a statement ---- */

void sql_statement_clear(struct sql_statement *s)
{
	for (unsigned i = 0; i < s->n_connection; i++) {
		wipe_free(s->connection[i].name.s);
		wipe_free(s->connection[i].value.s);
	}
	free(s->connection);
	wipe_free(s->location.s);
	wipe_free(s->content_type.s);
	wipe_free(s->pattern.s);
	wipe_free(s->like.s);
	wipe_free(s->name.s);
	wipe_free(s->url.s);
	wipe_free(s->comment.s);
	wipe_free(s->file_format.s);
	wipe_free(s->copy_options.s);
	*s = (struct sql_statement){ 0 };
}

/* ---- LIKE ---- */

static size_t sql_char_len(const char *s)
{
	size_t n = 1;

	while (text_utf8_continues(s[n]))
		n++;
	return n;
}

/* The last % is the only one that is ever gone back to. */
bool sql_like(const char *p, const char *s)
{
	const char *star = NULL, *retry = NULL;

	while (*s) {
		if (*p == '%') {
			star = ++p;
			retry = s;
		} else if (*p == '_') {
			p++;
			s += sql_char_len(s);
		} else if (*p && (p[0] == '\\' && p[1] ? p[1] : p[0]) == *s) {
			p += p[0] == '\\' && p[1] ? 2 : 1;
			s++;
		} else if (star) {
			p = star;
			retry += sql_char_len(retry);
			s = retry;
		} else {
			return false;
		}
	}
	while (*p == '%')
		p++;
	return !*p;
}
