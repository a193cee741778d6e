/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of the statements, as Databend's lexer has them.
 */
#ifndef SQL_SQL_LEX_H
#define SQL_SQL_LEX_H

#include <stdbool.h>
#include <stdint.h>

#include "sql/sql.h"

enum sql_token_kind {
	SQL_END,
	SQL_WORD, /* a keyword or a plain name */
	SQL_QUOTED, /* "name" or `name` */
	SQL_STRING, /* 'text' */
	SQL_NUMBER, /* 12, 0x1f, x'1f' */
	SQL_AT, /* @stage/path */
	SQL_PUNCT, /* one of , ; = ( ) ~ - */
	SQL_BAD, /* fault says what is wrong with it */
};

struct sql_token {
	enum sql_token_kind kind;
	struct sql_span span;
	const char *fault;
};

/* The token at or after *at, which moves behind it. */
void sql_lex(const char *text, size_t len, size_t *at, struct sql_token *out);

/* The bytes that a STRING, a QUOTED or an AT means. 0 or -EINVAL: a broken
 * escape, a NUL; fault says what. Or buf_err(out). */
int sql_lex_unescape(const char *text, const struct sql_token *t,
		     struct buf *out, const char **fault);

/* The value of a NUMBER. 0, -EINVAL (an underscore), -ERANGE. */
int sql_lex_number(const char *text, const struct sql_token *t, uint64_t *out);

bool sql_lex_is_word(const char *text, const struct sql_token *t,
		     const char *word);
bool sql_lex_is_punct(const char *text, const struct sql_token *t, char c);

#endif
