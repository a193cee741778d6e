/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the clauses of CREATE STAGE and ALTER STAGE to connection settings.
 */
#ifndef CLIENT_STAGES_CONN_H
#define CLIENT_STAGES_CONN_H

struct conn;
struct failure;
struct sql_statement;

/* All of a new stage's; out is to be cleared by option_clear() in either
 * case. 0 or -errno with the words to blame in f. */
int stages_conn_new(const struct sql_statement *q, struct conn *out,
		    struct failure *f);
/* Changes what the statement names. */
int stages_conn_alter(const struct sql_statement *q, struct conn *c,
		      struct failure *f);
/* The same of an internal stage, which has nothing but COMMENT, FILE_FORMAT
 * and COPY_OPTIONS. */
int stages_conn_alter_properties(const struct sql_statement *q, struct conn *c,
				 struct failure *f);

#endif
