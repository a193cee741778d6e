/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CREATE STAGE and ALTER STAGE. Databend wants the clauses in one order; here
 * they come in any, each once. The older CREDENTIALS and ENCRYPTION are
 * CONNECTION by other names.
 */
#include "base/array.h"
#include "sql/parser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Clauses that were given. */
enum clause {
	CLAUSE_URL = 1,
	CLAUSE_CONNECTION = 2,
	CLAUSE_CREDENTIALS = 4,
	CLAUSE_ENCRYPTION = 8,
	CLAUSE_FILE_FORMAT = 16,
	CLAUSE_COPY_OPTIONS = 32,
	CLAUSE_COMMENT = 64,
};

/* ---- ( key = 'value', ... ) ---- */

struct sql_pair *sql_stage_pair(struct sql_statement *s)
{
	if (ARRAY_RESERVE(s->connection, s->cap_connection,
			  s->n_connection + 1))
		return NULL;
	return &s->connection[s->n_connection++];
}

static int stage_expect_pair_value(struct sql_parser *p, struct sql_text *out)
{
	const char *text = p->script->text;
	int rc;

	if (sql_lex_is_word(text, &p->token, "TRUE") ||
	    sql_lex_is_word(text, &p->token, "FALSE"))
		return parser_take_text(p, out);
	rc = parser_expect_string(p, out);
	return rc ? rc : parser_expand(p, out);
}

static int stage_parse_pair(struct sql_parser *p, struct sql_statement *out)
{
	struct sql_pair *pair;
	int rc;

	if (out->n_connection == SQL_PAIRS_MAX)
		return parser_refuse(p, 1005, p->token.span,
				     "more than %d connection parameters",
				     SQL_PAIRS_MAX);
	pair = sql_stage_pair(out);
	if (!pair)
		return -ENOMEM;
	rc = parser_take_text(p, &pair->name);
	if (!rc)
		rc = parser_expect_punct(p, '=');
	return rc ? rc : stage_expect_pair_value(p, &pair->value);
}

static int stage_parse_pairs(struct sql_parser *p, struct sql_statement *out)
{
	int rc = parser_expect_punct(p, '=');

	if (!rc)
		rc = parser_expect_punct(p, '(');
	out->has_connection = true;
	while (!rc && !parser_accept_punct(p, ')')) {
		if (!parser_is_at(p, SQL_WORD, "a connection parameter"))
			return parser_unexpected(p);
		rc = stage_parse_pair(p, out);
		if (!rc)
			parser_accept_punct(p, ',');
	}
	return rc;
}

/* ---- ( what is kept as it is ) ---- */

/* The token as it is written, behind a blank. */
static void stage_keep_token(struct sql_parser *p, struct buf *out)
{
	if (out->len && !sql_lex_is_punct(p->script->text, &p->token, ',') &&
	    !sql_lex_is_punct(p->script->text, &p->token, ')') &&
	    out->data[out->len - 1] != '(' && out->data[out->len - 1] != '-')
		buf_addc(out, ' ');
	buf_add(out, p->script->text + p->token.span.at, p->token.span.len);
	parser_take(p);
}

static bool stage_at_literal(struct sql_parser *p)
{
	return parser_is_at(p, SQL_STRING, "a string") ||
	       parser_is_at(p, SQL_NUMBER, "a number") ||
	       parser_is_at(p, SQL_WORD, "a word");
}

static int stage_keep_value(struct sql_parser *p, struct buf *out)
{
	const char *text = p->script->text;

	if (sql_lex_is_punct(text, &p->token, '-')) {
		stage_keep_token(p, out);
		if (!parser_is_at(p, SQL_NUMBER, "a number"))
			return parser_unexpected(p);
	}
	if (stage_at_literal(p)) {
		stage_keep_token(p, out);
		return 0;
	}
	if (!sql_lex_is_punct(text, &p->token, '('))
		return parser_unexpected(p);
	stage_keep_token(p, out);
	while (stage_at_literal(p)) {
		stage_keep_token(p, out);
		if (!sql_lex_is_punct(text, &p->token, ','))
			break;
		stage_keep_token(p, out);
	}
	if (!sql_lex_is_punct(text, &p->token, ')')) {
		parser_accept_punct(p, ')');
		return parser_unexpected(p);
	}
	stage_keep_token(p, out);
	return 0;
}

/* `key = value`: the key is the token. */
static int stage_keep_setting(struct sql_parser *p, struct buf *out)
{
	stage_keep_token(p, out);
	if (!sql_lex_is_punct(p->script->text, &p->token, '='))
		return parser_expect_punct(p, '=');
	stage_keep_token(p, out);
	return stage_keep_value(p, out);
}

/* Control bytes, as line ends in a string, have no place in what is kept. */
static int stage_keep(struct sql_parser *p, struct buf *text, size_t from,
		      struct sql_text *out)
{
	struct sql_span span = { from, p->last_end - from };

	if (buf_err(text) == -EMSGSIZE)
		return parser_refuse(p, 1005, span, "more than %zu bytes",
				     text->max);
	for (size_t i = 0; i < text->len; i++)
		if ((unsigned char)text->data[i] < ' ')
			return parser_refuse(
				p, 1006, span,
				"a control byte in an option; write it "
				"as an escape");
	free(out->s);
	*out = (struct sql_text){
		.s = text->len ? buf_detach(text) : strdup(""),
		.span = span,
	};
	return out->s ? 0 : -ENOMEM;
}

static int stage_parse_kept(struct sql_parser *p, struct sql_text *out)
{
	BUF_LOCAL text = BUF_INIT(BUF_MESSAGE);
	int rc = parser_expect_punct(p, '=');
	size_t from = p->token.span.at;

	if (!rc)
		rc = parser_expect_punct(p, '(');
	while (!rc && !parser_accept_punct(p, ')')) {
		if (!parser_is_at(p, SQL_WORD, "an option"))
			rc = parser_unexpected(p);
		else
			rc = stage_keep_setting(p, &text);
		if (!rc && parser_accept_punct(p, ','))
			buf_addc(&text, ',');
	}
	return rc ? rc : stage_keep(p, &text, from, out);
}

/* ---- clauses ---- */

static const struct {
	const char *word;
	enum clause clause;
} clauses[] = {
	{ "URL", CLAUSE_URL },
	{ "LOCATION", CLAUSE_URL },
	{ "CONNECTION", CLAUSE_CONNECTION },
	{ "CREDENTIALS", CLAUSE_CREDENTIALS },
	{ "ENCRYPTION", CLAUSE_ENCRYPTION },
	{ "FILE_FORMAT", CLAUSE_FILE_FORMAT },
	{ "COPY_OPTIONS", CLAUSE_COPY_OPTIONS },
	{ "COMMENT", CLAUSE_COMMENT },
	{ "COMMENTS", CLAUSE_COMMENT },
};

static int stage_parse_clause(struct sql_parser *p, enum clause clause,
			      struct sql_statement *out)
{
	switch (clause) {
	case CLAUSE_URL:
		return parser_expect_value(p, &out->url);
	case CLAUSE_CONNECTION:
	case CLAUSE_CREDENTIALS:
	case CLAUSE_ENCRYPTION:
		return stage_parse_pairs(p, out);
	case CLAUSE_FILE_FORMAT:
		return stage_parse_kept(p, &out->file_format);
	case CLAUSE_COPY_OPTIONS:
		return stage_parse_kept(p, &out->copy_options);
	case CLAUSE_COMMENT:
		return parser_expect_value(p, &out->comment);
	}
	return parser_unexpected(p);
}

/* Which clause begins here; 0: none. */
static enum clause stage_next_clause(struct sql_parser *p)
{
	for (size_t i = 0; i < sizeof(clauses) / sizeof(*clauses); i++)
		if (parser_accept(p, clauses[i].word))
			return clauses[i].clause;
	return 0;
}

static int stage_parse_clauses(struct sql_parser *p, struct sql_statement *out,
			       unsigned *given)
{
	*given = 0;
	if (parser_is_at(p, SQL_STRING, "a url")) {
		int rc = parser_expect_string(p, &out->url);

		if (!rc)
			rc = parser_expand(p, &out->url);
		if (rc)
			return rc;
		*given |= CLAUSE_URL;
	}
	for (;;) {
		struct sql_span span = p->token.span;
		enum clause clause = stage_next_clause(p);
		int rc;

		if (!clause)
			return 0;
		if (*given & clause)
			return parser_refuse(
				p, 1005, span,
				"this clause is given a second time");
		*given |= clause;
		rc = stage_parse_clause(p, clause, out);
		if (rc)
			return rc;
		parser_accept_punct(p, ',');
	}
}

/* CONNECTION and the like belong to a URL. */
static int stage_check_clauses(struct sql_parser *p,
			       const struct sql_statement *s)
{
	if (s->has_connection && !s->url.s && s->kind == SQL_CREATE_STAGE)
		return parser_refuse(
			p, 1005, s->name.span,
			"CONNECTION without a URL: an internal stage has "
			"none");
	return 0;
}

int sql_stage_create(struct sql_parser *p, struct sql_statement *out)
{
	struct sql_span either = p->token.span;
	unsigned given;
	int rc = 0;

	if (parser_accept(p, "OR")) {
		out->or_replace = true;
		rc = parser_expect(p, "REPLACE");
	}
	if (!rc)
		rc = parser_expect(p, "STAGE");
	if (!rc && parser_accept(p, "IF")) {
		out->if_not_exists = true;
		rc = parser_expect(p, "NOT");
		if (!rc)
			rc = parser_expect(p, "EXISTS");
	}
	if (!rc && out->or_replace && out->if_not_exists) {
		either.len = p->last_end - either.at;
		rc = parser_refuse(
			p, 1005, either,
			"OR REPLACE and IF NOT EXISTS exclude each other");
	}
	if (!rc)
		rc = parser_expect_name(p, false, &out->name);
	if (!rc)
		rc = stage_parse_clauses(p, out, &given);
	return rc ? rc : stage_check_clauses(p, out);
}

static int stage_parse_unset(struct sql_parser *p, struct sql_statement *out)
{
	do {
		if (parser_accept(p, "COMMENT") || parser_accept(p, "COMMENTS"))
			out->unset |= SQL_UNSET_COMMENT;
		else if (parser_accept(p, "FILE_FORMAT"))
			out->unset |= SQL_UNSET_FILE_FORMAT;
		else if (parser_accept(p, "COPY_OPTIONS"))
			out->unset |= SQL_UNSET_COPY_OPTIONS;
		else
			return parser_unexpected(p);
	} while (parser_accept_punct(p, ','));
	return 0;
}

int sql_stage_alter(struct sql_parser *p, struct sql_statement *out)
{
	unsigned given = 0;
	int rc = parser_expect(p, "STAGE");

	if (!rc && parser_accept(p, "IF")) {
		out->if_exists = true;
		rc = parser_expect(p, "EXISTS");
	}
	if (!rc)
		rc = parser_expect_name(p, true, &out->name);
	if (rc)
		return rc;
	if (parser_accept(p, "UNSET"))
		return stage_parse_unset(p, out);
	rc = parser_expect(p, "SET");
	if (!rc)
		rc = stage_parse_clauses(p, out, &given);
	if (!rc && !given)
		rc = parser_unexpected(p);
	return rc;
}
