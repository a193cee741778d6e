/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What statements do, for `stagefs sql` and the verbs alike: one
 * implementation underneath. Nothing here prints a message: a failure is
 * handed back, and each front end says it in its own manner.
 */
#ifndef CLIENT_STATEMENT_H
#define CLIENT_STATEMENT_H

#include "client/failure.h"
#include "client/table.h"
#include "sql/sql.h"

struct session;
struct location;
struct pattern;
struct stage;

/* Whatever the statement is. */
int statement_run(struct session *s, const struct sql_statement *q,
		  const struct output *o, struct failure *f);
/* The first secret that stands in the statement itself, or NULL. */
const struct sql_text *statement_secret(const struct sql_statement *q);

/* LIST: rows as the listing comes, unless they are to be sorted. pattern: as
 * below. */
int statement_list(struct session *s, const struct location *where,
		   struct pattern *pattern, const struct sql_statement *q,
		   const struct output *o, struct failure *f);
/*
 * REMOVE: in batches, goes on after failures, and prints how many files went
 * and how many did not; any of those is a failure. pattern: for what follows
 * the location; NULL: all.
 */
int statement_remove(struct session *s, const struct location *where,
		     struct pattern *pattern, const struct sql_statement *q,
		     const struct output *o, struct failure *f);
/* Everything in a stage but its own marker, without output. */
int statement_remove_all(struct stage *stage, struct failure *f);

#endif
