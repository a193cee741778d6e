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
/*
 * Several statements of one kind, LIST or REMOVE, that differ in their location
 * and are one output: begun before the first, with o->several set, and ended
 * after the last. Tables stand below each other, a heading on each; else all
 * rows are of one output, and their names locations (@stage/path). REMOVE's
 * counts are sums.
 */
struct several {
	struct table *table; /* of all rows; NULL: none, or one of each */
	uint64_t begun; /* of those */
	uint64_t removed, failed;
	bool refused; /* a location */
};

/* Sets o->several. 0 or -ENOMEM. */
int statement_several_begin(const struct sql_statement *q, struct output *o,
			    struct several *out);
int statement_several_end(const struct sql_statement *q, const struct output *o,
			  struct failure *f);

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
/* The tables that their rows go to; NULL without memory. */
struct table *statement_list_table(const struct sql_statement *q,
				   const struct output *o);
struct table *statement_remove_table(const struct output *o);
/* What REMOVE answers. 0 or -errno. */
int statement_remove_print(uint64_t removed, uint64_t failed,
			   const struct output *o, struct failure *f);
/* Everything in a stage but its own marker, without output. */
int statement_remove_all(struct stage *stage, struct failure *f);

#endif
