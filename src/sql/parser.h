/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A parser at work: one token of look-ahead, and what could have stood there.
 * For sql.c (statements), parser.c (the pieces) and sql_stage.c (clauses).
 */
#ifndef SQL_PARSER_H
#define SQL_PARSER_H

#include "sql/sql_lex.h"

struct sql_parser {
	struct sql_script *script;
	struct sql_token token; /* the next one */
	size_t at; /* behind it */
	size_t last_end; /* of the last one taken */
	struct buf expected; /* what was tried at token */
	unsigned n_expected;
	struct sql_error *error;
};

void parser_begin(struct sql_parser *p, struct sql_script *s,
		  struct sql_error *error);
void parser_clear(struct sql_parser *p);

/* Takes the token if it is that, and notes that it was looked for if not. */
bool parser_accept(struct sql_parser *p, const char *word);
bool parser_accept_punct(struct sql_parser *p, char c);
/* Is it one? Nothing is taken. */
bool parser_is_at(struct sql_parser *p, enum sql_token_kind kind,
		  const char *name);
void parser_take(struct sql_parser *p);

/* 0 and taken, or -EINVAL and said so. */
int parser_expect(struct sql_parser *p, const char *word);
int parser_expect_punct(struct sql_parser *p, char c);
int parser_expect_string(struct sql_parser *p, struct sql_text *out);
/* `= 'text'`; references in it are expanded when the script wants that. */
int parser_expect_value(struct sql_parser *p, struct sql_text *out);
int parser_expect_number(struct sql_parser *p, uint64_t *out,
			 struct sql_span *span);
/* The bytes that the token means; takes it. */
int parser_take_text(struct sql_parser *p, struct sql_text *out);
int parser_expand(struct sql_parser *p, struct sql_text *t);

/* -EINVAL: `unexpected X, expecting A, B or C`. */
int parser_unexpected(struct sql_parser *p);
/* -EINVAL, with words of its own. */
int parser_refuse(struct sql_parser *p, int code, struct sql_span span,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* What follows CREATE [OR REPLACE] STAGE ..., ALTER STAGE. */
int sql_stage_create(struct sql_parser *p, struct sql_statement *out);
int sql_stage_alter(struct sql_parser *p, struct sql_statement *out);
/* A stage's name; quoted: "name" too. */
int parser_expect_name(struct sql_parser *p, bool quoted, struct sql_text *out);

#endif
