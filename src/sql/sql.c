/*
 * The statements: a table of first words, and a function for each. Options
 * come in any order and the last one wins, as Databend has it.
 */
#include "sql/sql_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- PRESIGN, LIST, REMOVE ---- */

static int expect_location(struct sql_parser *p, struct sql_statement *out)
{
	int rc;

	if (!at_kind(p, SQL_AT, "a location (@stage/path)") &&
	    !at_kind(p, SQL_STRING, "a string"))
		return unexpected(p);
	rc = take_text(p, &out->location);
	if (!rc && out->location.s[0] != '@')
		rc = refuse(p, 1005, out->location.span,
			    "expect stage location, got uri location");
	return rc;
}

static int parse_pattern(struct sql_parser *p, struct sql_statement *out)
{
	int rc = expect_location(p, out);

	if (!rc && accept_word(p, "PATTERN")) {
		rc = expect_punct(p, '=');
		if (!rc)
			rc = expect_string(p, &out->pattern);
	}
	return rc;
}

static int parse_presign(struct sql_parser *p, struct sql_statement *out)
{
	int rc;

	if (accept_word(p, "UPLOAD"))
		out->upload = true;
	else
		accept_word(p, "DOWNLOAD");
	rc = expect_location(p, out);
	while (!rc) {
		if (accept_word(p, "EXPIRE")) {
			out->has_expire = true;
			rc = expect_punct(p, '=');
			if (!rc)
				rc = expect_number(p, &out->expire,
						   &out->expire_span);
		} else if (accept_word(p, "CONTENT_TYPE")) {
			rc = expect_punct(p, '=');
			if (!rc)
				rc = expect_string(p, &out->content_type);
		} else {
			break;
		}
	}
	return rc;
}

/* ---- stages ---- */

static int parse_show(struct sql_parser *p, struct sql_statement *out)
{
	struct sql_span span;
	int rc = expect_word(p, "STAGES");

	if (!rc && accept_word(p, "LIKE"))
		rc = expect_string(p, &out->like);
	if (!rc && accept_word(p, "LIMIT")) {
		out->has_limit = true;
		rc = expect_number(p, &out->limit, &span);
	}
	return rc;
}

static int parse_desc(struct sql_parser *p, struct sql_statement *out)
{
	int rc = expect_word(p, "STAGE");

	return rc ? rc : expect_name(p, true, &out->name);
}

static int parse_drop(struct sql_parser *p, struct sql_statement *out)
{
	int rc = expect_word(p, "STAGE");

	if (!rc && accept_word(p, "IF")) {
		out->if_exists = true;
		rc = expect_word(p, "EXISTS");
	}
	return rc ? rc : expect_name(p, true, &out->name);
}

static const struct {
	const char *word;
	enum sql_kind kind;
	int (*parse)(struct sql_parser *p, struct sql_statement *out);
} statements[] = {
	{ "PRESIGN", SQL_PRESIGN, parse_presign },
	{ "LIST", SQL_LIST, parse_pattern },
	{ "REMOVE", SQL_REMOVE, parse_pattern },
	{ "SHOW", SQL_SHOW_STAGES, parse_show },
	{ "DESC", SQL_DESC_STAGE, parse_desc },
	{ "DESCRIBE", SQL_DESC_STAGE, parse_desc },
	{ "CREATE", SQL_CREATE_STAGE, parse_create_stage },
	{ "ALTER", SQL_ALTER_STAGE, parse_alter_stage },
	{ "DROP", SQL_DROP_STAGE, parse_drop },
};

static int parse_statement(struct sql_parser *p, struct sql_statement *out)
{
	size_t n = sizeof(statements) / sizeof(*statements), i = 0;
	int rc;

	while (i < n && !accept_word(p, statements[i].word))
		i++;
	if (i == n)
		return unexpected(p);
	out->kind = statements[i].kind;
	rc = statements[i].parse(p, out);
	if (!rc && p->token.kind != SQL_END && !accept_punct(p, ';'))
		rc = unexpected(p);
	return rc;
}

int sql_next(struct sql_script *s, struct sql_statement *out,
	     struct sql_error *err)
{
	struct sql_parser p;
	int rc = 0;

	*out = (struct sql_statement){ 0 };
	parser_begin(&p, s, err);
	while (accept_punct(&p, ';'))
		;
	p.n_expected = 0;
	buf_reset(&p.expected);
	if (p.token.kind != SQL_END) {
		out->span.at = p.token.span.at;
		rc = parse_statement(&p, out);
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

static void clear_text(struct sql_text *t)
{
	if (t->s)
		explicit_bzero(t->s, strlen(t->s));
	free(t->s);
}

void sql_statement_clear(struct sql_statement *s)
{
	for (unsigned i = 0; i < s->n_connection; i++) {
		clear_text(&s->connection[i].name);
		clear_text(&s->connection[i].value);
	}
	free(s->connection);
	clear_text(&s->location);
	clear_text(&s->content_type);
	clear_text(&s->pattern);
	clear_text(&s->like);
	clear_text(&s->name);
	clear_text(&s->url);
	clear_text(&s->comment);
	clear_text(&s->file_format);
	clear_text(&s->copy_options);
	*s = (struct sql_statement){ 0 };
}
