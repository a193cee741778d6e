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
struct presign_request;
struct stage;
struct store_presigned;

/* ---- PRESIGN, LIST ---- */

/* Signs for one location and prints the row. request->expire 0: the
 * configuration's; the bound is the configuration's too. */
int presign_job_once(struct session *s, const struct location *where,
		     const struct presign_request *request,
		     const struct output *o, struct failure *f);
/* One row on standard output, wherever it comes from. 0 or -errno. */
int presign_job_print(const struct store_presigned *row, int action,
		      const struct output *o);
/* What is in the buffer, as a line on standard output. 0 or -errno. */
int presign_job_print_text(struct buf *b);

/* Prints the files whose names begin with the location; one page of the
 * listing is in memory at a time. pattern NULL: all. */
int statement_list(struct session *s, const struct location *where,
		   struct pattern *pattern, const struct output *o,
		   struct failure *f);

/* ---- REMOVE ---- */

enum remove_scope {
	REMOVE_FILE, /* the one file of that name */
	REMOVE_TREE, /* a directory, and a file of that name */
	REMOVE_PREFIX, /* what begins with it, as Databend's REMOVE */
};

struct remove_request {
	enum remove_scope scope;
	struct pattern *pattern; /* for what follows the location; NULL: all */
	bool dry_run; /* prints names and sizes instead */
};

/* Removes in batches, goes on after failures, and prints how many files went
 * and how many did not; any of those is a failure. */
int statement_remove(struct session *s, const struct location *where,
		     const struct remove_request *r, const struct output *o,
		     struct failure *f);
/* Everything in a stage but its own marker, without output. */
int statement_remove_all(struct stage *stage, struct failure *f);

/* ---- SQL ---- */

/* Whatever the statement is. */
int statement_run(struct session *s, const struct sql_statement *q,
		  const struct output *o, struct failure *f);
/* The first secret that stands in the statement itself, or NULL. */
const struct sql_text *statement_secret(const struct sql_statement *q);

#endif
