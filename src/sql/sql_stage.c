/*
 * CREATE STAGE and ALTER STAGE. Databend wants the clauses in one order; here
 * they come in any, each once. The older CREDENTIALS and ENCRYPTION are
 * CONNECTION by other names.
 */
#include "sql/sql_parse.h"

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

static int expect_pair_value(struct sql_parser *p, struct sql_text *out)
{
	const char *text = p->script->text;
	int rc;

	if (sql_is_word(text, &p->token, "TRUE") ||
	    sql_is_word(text, &p->token, "FALSE"))
		return take_text(p, out);
	rc = expect_string(p, out);
	return rc ? rc : expand_text(p, out);
}

static int parse_pair(struct sql_parser *p, struct sql_statement *out)
{
	struct sql_pair *pair;
	int rc;

	if (out->n_connection == SQL_PAIRS_MAX)
		return refuse(p, 1005, p->token.span,
			      "more than %d connection parameters",
			      SQL_PAIRS_MAX);
	pair = realloc(out->connection,
		       (out->n_connection + 1) * sizeof(*pair));
	if (!pair)
		return -ENOMEM;
	out->connection = pair;
	pair += out->n_connection++;
	*pair = (struct sql_pair){ 0 };
	rc = take_text(p, &pair->name);
	if (!rc)
		rc = expect_punct(p, '=');
	return rc ? rc : expect_pair_value(p, &pair->value);
}

static int parse_pairs(struct sql_parser *p, struct sql_statement *out)
{
	int rc = expect_punct(p, '=');

	if (!rc)
		rc = expect_punct(p, '(');
	out->has_connection = true;
	while (!rc && !accept_punct(p, ')')) {
		if (!at_kind(p, SQL_WORD, "a connection parameter"))
			return unexpected(p);
		rc = parse_pair(p, out);
		if (!rc)
			accept_punct(p, ',');
	}
	return rc;
}

/* ---- ( what is kept as it is ) ---- */

/* The token as it is written, behind a blank. */
static void keep_token(struct sql_parser *p, struct buf *out)
{
	if (out->len && !sql_is_punct(p->script->text, &p->token, ',') &&
	    !sql_is_punct(p->script->text, &p->token, ')') &&
	    out->data[out->len - 1] != '(' && out->data[out->len - 1] != '-')
		buf_addc(out, ' ');
	buf_add(out, p->script->text + p->token.span.at, p->token.span.len);
	take_token(p);
}

static bool at_literal(struct sql_parser *p)
{
	return at_kind(p, SQL_STRING, "a string") ||
	       at_kind(p, SQL_NUMBER, "a number") ||
	       at_kind(p, SQL_WORD, "a word");
}

static int keep_value(struct sql_parser *p, struct buf *out)
{
	const char *text = p->script->text;

	if (sql_is_punct(text, &p->token, '-')) {
		keep_token(p, out);
		if (!at_kind(p, SQL_NUMBER, "a number"))
			return unexpected(p);
	}
	if (at_literal(p)) {
		keep_token(p, out);
		return 0;
	}
	if (!sql_is_punct(text, &p->token, '('))
		return unexpected(p);
	keep_token(p, out);
	while (at_literal(p)) {
		keep_token(p, out);
		if (!sql_is_punct(text, &p->token, ','))
			break;
		keep_token(p, out);
	}
	if (!sql_is_punct(text, &p->token, ')')) {
		accept_punct(p, ')');
		return unexpected(p);
	}
	keep_token(p, out);
	return 0;
}

/* `key = value`: the key is the token. */
static int keep_setting(struct sql_parser *p, struct buf *out)
{
	keep_token(p, out);
	if (!sql_is_punct(p->script->text, &p->token, '='))
		return expect_punct(p, '=');
	keep_token(p, out);
	return keep_value(p, out);
}

/* Control bytes, as line ends in a string, have no place in what is kept. */
static int keep(struct sql_parser *p, struct buf *text, size_t from,
		struct sql_text *out)
{
	struct sql_span span = { from, p->last_end - from };

	if (buf_err(text) == -EMSGSIZE)
		return refuse(p, 1005, span, "more than %zu bytes", text->max);
	for (size_t i = 0; i < text->len; i++)
		if ((unsigned char)text->data[i] < ' ')
			return refuse(p, 1006, span,
				      "a control byte in an option; write it "
				      "as an escape");
	free(out->s);
	*out = (struct sql_text){
		.s = text->len ? buf_detach(text) : strdup(""),
		.span = span,
	};
	return out->s ? 0 : -ENOMEM;
}

static int parse_kept(struct sql_parser *p, struct sql_text *out)
{
	struct buf text = BUF_INIT(BUF_MESSAGE);
	int rc = expect_punct(p, '=');
	size_t from = p->token.span.at;

	if (!rc)
		rc = expect_punct(p, '(');
	while (!rc && !accept_punct(p, ')')) {
		if (!at_kind(p, SQL_WORD, "an option"))
			rc = unexpected(p);
		else
			rc = keep_setting(p, &text);
		if (!rc && accept_punct(p, ','))
			buf_addc(&text, ',');
	}
	if (!rc)
		rc = keep(p, &text, from, out);
	buf_clear(&text);
	return rc;
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

static int parse_clause(struct sql_parser *p, enum clause clause,
			struct sql_statement *out)
{
	switch (clause) {
	case CLAUSE_URL:
		return expect_value(p, &out->url);
	case CLAUSE_CONNECTION:
	case CLAUSE_CREDENTIALS:
	case CLAUSE_ENCRYPTION:
		return parse_pairs(p, out);
	case CLAUSE_FILE_FORMAT:
		return parse_kept(p, &out->file_format);
	case CLAUSE_COPY_OPTIONS:
		return parse_kept(p, &out->copy_options);
	case CLAUSE_COMMENT:
		return expect_value(p, &out->comment);
	}
	return unexpected(p);
}

/* Which clause begins here; 0: none. */
static enum clause next_clause(struct sql_parser *p)
{
	for (size_t i = 0; i < sizeof(clauses) / sizeof(*clauses); i++)
		if (accept_word(p, clauses[i].word))
			return clauses[i].clause;
	return 0;
}

static int parse_clauses(struct sql_parser *p, struct sql_statement *out,
			 unsigned *given)
{
	*given = 0;
	if (at_kind(p, SQL_STRING, "a url")) {
		int rc = expect_string(p, &out->url);

		if (!rc)
			rc = expand_text(p, &out->url);
		if (rc)
			return rc;
		*given |= CLAUSE_URL;
	}
	for (;;) {
		struct sql_span span = p->token.span;
		enum clause clause = next_clause(p);
		int rc;

		if (!clause)
			return 0;
		if (*given & clause)
			return refuse(p, 1005, span,
				      "this clause is given a second time");
		*given |= clause;
		rc = parse_clause(p, clause, out);
		if (rc)
			return rc;
		accept_punct(p, ',');
	}
}

/* CONNECTION and the like belong to a URL. */
static int check_clauses(struct sql_parser *p, const struct sql_statement *s)
{
	if (s->has_connection && !s->url.s && s->kind == SQL_CREATE_STAGE)
		return refuse(p, 1005, s->name.span,
			      "CONNECTION without a URL: an internal stage has "
			      "none");
	return 0;
}

int parse_create_stage(struct sql_parser *p, struct sql_statement *out)
{
	struct sql_span either = p->token.span;
	unsigned given;
	int rc = 0;

	if (accept_word(p, "OR")) {
		out->or_replace = true;
		rc = expect_word(p, "REPLACE");
	}
	if (!rc)
		rc = expect_word(p, "STAGE");
	if (!rc && accept_word(p, "IF")) {
		out->if_not_exists = true;
		rc = expect_word(p, "NOT");
		if (!rc)
			rc = expect_word(p, "EXISTS");
	}
	if (!rc && out->or_replace && out->if_not_exists) {
		either.len = p->last_end - either.at;
		rc = refuse(p, 1005, either,
			    "OR REPLACE and IF NOT EXISTS exclude each other");
	}
	if (!rc)
		rc = expect_name(p, false, &out->name);
	if (!rc)
		rc = parse_clauses(p, out, &given);
	return rc ? rc : check_clauses(p, out);
}

static int parse_unset(struct sql_parser *p, struct sql_statement *out)
{
	do {
		if (accept_word(p, "COMMENT") || accept_word(p, "COMMENTS"))
			out->unset |= SQL_UNSET_COMMENT;
		else if (accept_word(p, "FILE_FORMAT"))
			out->unset |= SQL_UNSET_FILE_FORMAT;
		else if (accept_word(p, "COPY_OPTIONS"))
			out->unset |= SQL_UNSET_COPY_OPTIONS;
		else
			return unexpected(p);
	} while (accept_punct(p, ','));
	return 0;
}

int parse_alter_stage(struct sql_parser *p, struct sql_statement *out)
{
	unsigned given = 0;
	int rc = expect_word(p, "STAGE");

	if (!rc && accept_word(p, "IF")) {
		out->if_exists = true;
		rc = expect_word(p, "EXISTS");
	}
	if (!rc)
		rc = expect_name(p, true, &out->name);
	if (rc)
		return rc;
	if (accept_word(p, "UNSET"))
		return parse_unset(p, out);
	rc = expect_word(p, "SET");
	if (!rc)
		rc = parse_clauses(p, out, &given);
	if (!rc && !given)
		rc = unexpected(p);
	return rc;
}
