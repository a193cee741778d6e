/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the words of get and put mean: which files there are, and where each
 * goes. Everything that is found is queued at once.
 */
#ifndef TRANSFER_TRANSFER_PLAN_H
#define TRANSFER_TRANSFER_PLAN_H

#include <stdbool.h>

#include "stage/location.h"
#include "transfer/transfer.h"
#include "transfer/transfer_filter.h"
#include "transfer/transfer_row.h"

struct session;

struct transfer_index;
struct transfer_lane; /* one a store */
struct transfer_name;

struct transfer_plan {
	struct session *session;
	struct transfer *t;
	struct transfer_lane *lanes;
	unsigned connections; /* of a lane */
	const char *ca_file, *proxy; /* win over the configuration's */
	bool recursive, literal; /* no wildcards */
	const char *content_type; /* of uploads; NULL: by their names */
	struct transfer_filter filter;
	struct transfer_sync *sync; /* transfer_sync_free() frees it; NULL */
	bool dry_run; /* no directory is made */
	bool move;
	/* Without a directory at the far end a tree takes its name, as cp -r
	 * has it. */
	bool as_cp;
	/* Where files of stages go; local names are paths in it. NULL: to this
	 * machine. A reference. */
	struct stage *to;
	bool unique; /* several words or a glob: names may meet */
	unsigned n_words; /* put: how many files are named, if not more */
	struct transfer_index *index; /* put: of what is there; NULL: no need */
	struct transfer_name *names; /* of the side that is written, taken */
};
void transfer_plan_clear(struct transfer_plan *p);

/* The stage that a word names, and the place in it: 1, and both are the
 * caller's; 0: a failure was said, `cannot VERB word`; -EINTR, -ENOMEM. */
int transfer_plan_stage(struct transfer_plan *p, const char *verb,
			const char *word, struct location *where,
			struct stage **out);

/* A job with its remote filled for a file of a stage. NULL without memory. */
struct transfer_job *transfer_plan_job(struct transfer_plan *p,
				       struct stage *stage, const char *path,
				       const char *local);
/* From there to that path in p->to. */
struct transfer_job *transfer_plan_copy(struct transfer_plan *p,
					struct stage *stage, const char *path,
					const char *to);
/* The same for a row, which is taken over. */
struct transfer_job *transfer_plan_row(struct transfer_plan *p,
				       struct transfer_row *row,
				       const char *local);

/* One of this machine alone. */
struct transfer_job *transfer_plan_local(const char *local);

/* Notes a name that will be written. False when another file has it already. */
bool transfer_plan_take(struct transfer_plan *p, const char *name);

/*
 * Finds what one word names on the far side and queues its downloads.
 * into: local is a directory and names are put below it. Failures are said
 * and counted; -EINTR and -ENOMEM end it all.
 */
int transfer_find(struct transfer_plan *p, const char *word, const char *local,
		  bool into);

/* The same for a word of this side: a path or a glob(3) pattern. exact: the
 * location is the file's own name. */
int transfer_walk(struct transfer_plan *p, const char *word,
		  struct stage *stage, const char *path, bool exact);
/* Removes the directories of a tree of this machine that are empty. */
void transfer_walk_clear(const char *top);

#endif
