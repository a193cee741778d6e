/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PRESIGN for many locations: one output, one row each, in the order in which
 * they are given. Memory does not grow with their number.
 */
#ifndef CLIENT_PRESIGN_JOB_H
#define CLIENT_PRESIGN_JOB_H

#include <stdbool.h>

#include "store/store_presign.h"

struct buf;
struct session;
struct failure;
struct location;
struct output;
struct presign_job;
struct presign_request;

/* Borrows all three while it lives. verbose: each URL, its secrets cut, on
 * stderr. NULL without memory. */
struct presign_job *presign_job_new(struct session *s,
				    const struct presign_request *request,
				    const struct output *o, bool verbose);
/*
 * One row. 0 or -errno, why in f; *go_on says that the fault is this
 * location's, so others may do.
 */
int presign_job_row(struct presign_job *j, const struct location *where,
		    struct failure *f, bool *go_on);
/* What is waiting goes out. 0 or -errno. */
int presign_job_flush(struct presign_job *j);
/*
 * Ends the output and frees. failed: something went wrong, so an output
 * without a single row stays empty. 0 or -errno, why in f.
 */
int presign_job_end(struct presign_job *j, bool failed, struct failure *f);

/* Which rows one location has; zero: that of the one file. */
struct presign_scope {
	bool tree; /* of each file of the directory, or of the stage */
	unsigned parts; /* of the parts of an upload, which begins; as JSON */
	bool verbose; /* as presign_job_new() */
};

/* All of PRESIGN for one location. request->expire 0: the configuration's; the
 * bound is the configuration's too. scope NULL: zero. */
int presign_job_run(struct session *s, const struct location *where,
		    const struct presign_request *request,
		    const struct presign_scope *scope, const struct output *o,
		    struct failure *f);

/* One row on standard output, wherever it comes from; name: of its file.
 * verbose as presign_job_new(). 0 or -errno. */
int presign_job_print(const struct store_presigned *row, const char *name,
		      enum presign_action action, const struct output *o,
		      bool verbose);

#endif
