/*
 * What statements do, for `stagefs sql` and the verbs alike: one
 * implementation underneath. Nothing here prints a message: a failure is
 * handed back, and each front end says it in its own manner.
 */
#ifndef CLIENT_STATEMENT_H
#define CLIENT_STATEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sql/sql.h"
#include "client/table.h"

struct session;
struct location;
struct pattern;
struct presign_request;
struct stage;
struct store;
struct store_presigned;

/* ---- failures ---- */

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

/* All return rc, which is not 0. */
int fail(struct failure *f, int code, int rc, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A store failed: it is asked how it is. */
int fail_store(struct failure *f, struct store *s, const char *prefix, int rc);
/* Standard output cannot be written. */
int fail_write(struct failure *f, int rc);

/* ---- output ---- */

/* Beyond table.h's: a single word of PRESIGN's row. */
#define OUTPUT_FORMATS TABLE_FORMATS "|url|curl"
enum { FORMAT_URL = TABLE_AUTO + 1, FORMAT_CURL };

struct output {
	int format; /* enum table_format and the two above */
	bool header; /* names of the columns first (TSV, CSV) */
	/* PRESIGN's headers have the host, as in Databend's documents. */
	bool compat_host;
};

/* The same, for what has rows only: FORMAT_URL and FORMAT_CURL are auto. */
struct table *output_table(const struct output *o,
			   const struct table_column *columns, unsigned n);

/* ---- stages ---- */

/* The stage of that name, with a reference. 0 or -errno. */
int statement_stage(struct session *s, const char *name, struct stage **out,
		    struct failure *f);

/* ---- PRESIGN, LIST ---- */

/* Signs for one location and prints the row. request->expire 0: the
 * configuration's; the bound is the configuration's too. */
int statement_presign(struct session *s, const struct location *where,
		      const struct presign_request *request,
		      const struct output *o, struct failure *f);
/* One row on standard output, wherever it comes from. 0 or -errno. */
int presign_print(const struct store_presigned *row, int action,
		  const struct output *o);
/* What is in the buffer, as a line on standard output. 0 or -errno. */
int presign_print_text(struct buf *b);

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
int remove_everything(struct stage *stage, struct failure *f);

/* ---- stages ---- */

/* The rows that SHOW STAGES has; like NULL: all, else a pattern. */
int statement_show(struct session *s, const char *like, uint64_t limit,
		   const struct output *o, struct failure *f);
/* One of them by name. must: it is an error when there is none. */
int statement_desc(struct session *s, const char *name, bool must,
		   const struct output *o, struct failure *f);

/* CREATE STAGE, ALTER STAGE: what the structure says. */
int statement_create(struct session *s, const struct sql_statement *q,
		     struct failure *f);
int statement_alter(struct session *s, const struct sql_statement *q,
		    struct failure *f);
/* files: an internal stage goes with its files; else it must be empty. */
int statement_drop(struct session *s, const char *name, bool if_exists,
		   bool files, struct failure *f);

/* 0, or a failure: it is an external one that the configuration has, or `~`. */
int statement_may_change(struct session *s, const char *name, const char *verb,
			 struct failure *f);

/* ---- SQL ---- */

/* Whatever the statement is. */
int statement_run(struct session *s, const struct sql_statement *q,
		  const struct output *o, struct failure *f);
/* The first secret that stands in the statement itself, or NULL. */
const struct sql_text *statement_secret(const struct sql_statement *q);

#endif
