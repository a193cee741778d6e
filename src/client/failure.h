/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a statement failed: a code of Databend's, a sentence, and the words to
 * blame.
 */
#ifndef CLIENT_FAILURE_H
#define CLIENT_FAILURE_H

#include "base/buf.h"
#include "sql/sql.h"

struct store;

/* Databend's codes. */
enum statement_code {
	CODE_SYNTAX = 1005,
	CODE_BAD_ARGUMENTS = 1006,
	CODE_DENIED = 1063,
	CODE_UNKNOWN_STAGE = 2501,
	CODE_STAGE_EXISTS = 2502,
	CODE_STAGE_PERMISSION = 2506,
	CODE_NOT_FOUND = 3001,
	CODE_PERMISSION = 3002,
	CODE_NO_PRESIGN = 3902,
	CODE_STORAGE = 4000,
};

struct failure {
	int code; /* enum statement_code */
	/* What failed where that is not the statement itself, as `cannot
	 * write`; NULL. */
	const char *what;
	struct buf why; /* a sentence */
	/* The words of a statement that are to blame; len 0: none. */
	struct sql_span span;
};

#define FAILURE_INIT \
	{ \
		.why = BUF_INIT(BUF_MESSAGE) \
	}
void failure_clear(struct failure *f);
#define FAILURE_LOCAL __attribute__((cleanup(failure_clear))) struct failure

/* All return rc, which is not 0. */
int failure_set(struct failure *f, int code, int rc, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A store failed: it is asked how it is. */
int failure_store(struct failure *f, struct store *s, const char *prefix,
		  int rc);
/* Standard output cannot be written. */
int failure_write(struct failure *f, int rc);

#endif
