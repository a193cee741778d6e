/*
 * PRESIGN for many locations: one output, one row each, in the order in which
 * they are given. Memory does not grow with their number.
 */
#ifndef CLIENT_PRESIGN_JOB_H
#define CLIENT_PRESIGN_JOB_H

#include <stdbool.h>

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
/* A row for each file of a directory (or of the stage). */
int presign_job_tree(struct presign_job *j, const struct location *where,
		     struct failure *f);
/* What is waiting goes out. 0 or -errno. */
int presign_job_flush(struct presign_job *j);
/*
 * Ends the output and frees. failed: something went wrong, so an output
 * without a single row stays empty. 0 or -errno, why in f.
 */
int presign_job_end(struct presign_job *j, bool failed, struct failure *f);

/* Multipart: begins the upload and prints the row of its URLs as JSON. */
int presign_job_parts(struct session *s, const struct location *where,
		      const struct presign_request *request, unsigned parts,
		      const struct output *o, struct failure *f);

#endif
