/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage statements of Databend as plain structures: one grammar, pure
 * (no I/O, no clock, no catalog), bounded. The caller decides what a name
 * means; every part knows its place in the text, for errors.
 */
#ifndef SQL_SQL_H
#define SQL_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SQL_TEXT_MAX ((size_t)16 << 20) /* bytes of a script */
#define SQL_PAIRS_MAX 64 /* of one CONNECTION = (...) */

/* Bytes of the source. */
struct sql_span {
	size_t at, len;
};

/* A name or a value; s is owned, NULL where it was not given. */
struct sql_text {
	char *s;
	struct sql_span span;
};

struct sql_pair {
	struct sql_text name, value;
};

enum sql_kind {
	SQL_PRESIGN,
	SQL_LIST,
	SQL_REMOVE,
	SQL_SHOW_STAGES,
	SQL_DESC_STAGE,
	SQL_CREATE_STAGE,
	SQL_ALTER_STAGE,
	SQL_DROP_STAGE,
};

enum sql_unset {
	SQL_UNSET_COMMENT = 1,
	SQL_UNSET_FILE_FORMAT = 2,
	SQL_UNSET_COPY_OPTIONS = 4,
};

/* What REMOVE means by its location. */
enum sql_scope {
	SQL_SCOPE_PREFIX, /* what begins with it, as Databend has it */
	SQL_SCOPE_FILE, /* the one file of that name */
	SQL_SCOPE_TREE, /* a directory, and a file of that name */
};

/* LIST: names as they come, the largest or the youngest first. */
enum sql_sort { SQL_SORT_NAME, SQL_SORT_SIZE, SQL_SORT_TIME };

/* Which fields a statement has is its grammar's; the others are zero. */
struct sql_statement {
	enum sql_kind kind;
	struct sql_span span; /* without its `;` */

	/* PRESIGN, LIST, REMOVE: with its '@', escapes resolved. */
	struct sql_text location;
	bool upload; /* PRESIGN UPLOAD */
	bool has_expire;
	uint64_t expire; /* s, as it was written: any number */
	struct sql_span expire_span;
	struct sql_text content_type, pattern;

	/* SHOW STAGES */
	struct sql_text like;
	bool has_limit;
	uint64_t limit;

	/* DESC, CREATE, ALTER, DROP: the stage's name, perhaps "~" */
	struct sql_text name;
	bool or_replace, if_exists, if_not_exists;
	struct sql_text url, comment;
	/* CONNECTION, CREDENTIALS and ENCRYPTION; names as written. */
	struct sql_pair *connection;
	unsigned n_connection;
	size_t cap_connection;
	bool has_connection; /* one of the clauses, perhaps empty */
	/* What stands in the parentheses, a blank between tokens. */
	struct sql_text file_format, copy_options;
	unsigned unset; /* enum sql_unset, ALTER ... UNSET */

	/* What no grammar says, but a verb that fills this may mean. */
	enum sql_scope scope;
	bool one_level; /* LIST: directories, not what is in them */
	enum sql_sort sort; /* LIST */
	bool human; /* LIST: sizes as 1.5 GiB in a table, TSV and CSV */
	bool dry_run; /* REMOVE: prints names and sizes instead */
	bool must_exist; /* DESC: it is an error when there is none */
	bool keep_files; /* DROP: an internal stage must be empty */
};

/* One more of the connection's, empty; NULL without memory. */
struct sql_pair *sql_stage_pair(struct sql_statement *s);

/* Frees; overwrites what may be secret. */
void sql_statement_clear(struct sql_statement *s);

/* Where and why; the message names no secret. */
struct sql_error {
	int code; /* Databend's: 1005 */
	struct sql_span span;
	struct buf message;
};

#define SQL_ERROR_INIT \
	{ \
		.message = BUF_INIT(BUF_MESSAGE) \
	}

/* A script, read statement by statement. Borrows the text. */
struct sql_script {
	const char *text;
	size_t len;
	size_t at; /* of the next statement */
	/*
	 * What references in values (of URL, COMMENT and connection keys)
	 * become; NULL: they are taken as they are. As ini_expand().
	 */
	int (*expand)(const char *value, struct buf *out, struct buf *why);
};

/*
 * 1 and a statement to clear, 0 at the end, -EINVAL with error set (code, span
 * and message), -ENOMEM. Empty statements are skipped.
 */
int sql_next(struct sql_script *s, struct sql_statement *out,
	     struct sql_error *error);

/* Where a byte of the text is, from 1; columns are characters. */
void sql_show_place(const char *text, size_t len, size_t at, unsigned *line,
		    unsigned *column);

/*
 * The line of the text with a caret under the span, as
 *
 *   |
 * 2 | PRESIGN @s/a EXPIRE = 0
 *   |                       ^
 *
 * Whatever may be a secret is shown as ***.
 */
void sql_show(const char *text, size_t len, struct sql_span span,
	      struct buf *out);

/* The words of one span, for a message: secrets as ***, cut when long. */
void sql_show_quote(const char *text, size_t len, struct sql_span span,
		    struct buf *out);

/* A name in SHOW ... LIKE: % is any run, _ any character, \ escapes. */
bool sql_like(const char *pattern, const char *name);

#endif
