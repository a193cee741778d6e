/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many files, several at a time, by threads that take jobs from a
 * bounded queue, says each failure in one line, shows how far it is, and ends
 * early on SIGINT and SIGTERM. What a job does is its own.
 */
#ifndef TRANSFER_TRANSFER_H
#define TRANSFER_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "transfer/transfer_index.h"
#include "transfer/transfer_progress.h"
#include "transfer/transfer_remote.h"
#include "transfer/transfer_state.h"

struct buf;
struct transfer;

#define TRANSFER_PARALLEL_MAX 256

enum transfer_action {
	TRANSFER_DOWNLOAD,
	TRANSFER_UPLOAD,
	TRANSFER_COPY,
	TRANSFER_REMOVE, /* of remote, or of local when there is none */
};

struct transfer_job {
	enum transfer_action action; /* what run() does */
	/* 0; -EEXIST: left as it is, on purpose; or -errno with why. Blocks. */
	int (*run)(struct transfer *t, struct transfer_job *job,
		   struct buf *why);
	struct transfer_remote remote; /* owned */
	char *local; /* a path; "-": a standard stream */
	/* What is known of the object (get): "" and TRANSFER_UNKNOWN: not. */
	struct object_info info;
	/* put: is there an object already, and which? */
	enum transfer_there there;
	struct object_info found;
	bool directory; /* put: an empty one, which becomes a marker */
	bool move; /* what it came from goes when it has arrived */
	int removed; /* TRANSFER_REMOVE in a batch: what became of it */
	struct transfer_remote to; /* transfer_copy()'s; local is its label */
	struct transfer_job *prev, *next; /* in the queue */
};
void transfer_job_free(struct transfer_job *job);

/* What jobs run. */
int transfer_get(struct transfer *t, struct transfer_job *job, struct buf *why);
int transfer_put(struct transfer *t, struct transfer_job *job, struct buf *why);
int transfer_copy(struct transfer *t, struct transfer_job *job,
		  struct buf *why);

struct transfer_settings {
	uint64_t parallel; /* requests at once */
	unsigned workers; /* files at once; 0: as many */
	bool quiet; /* no progress */
	bool no_clobber, skip_existing;
	bool abort; /* put: ends what an earlier run left, and sends nothing */
	const char *uploads; /* put: where open ones are kept; NULL: nowhere */
	bool dry_run; /* jobs are shown, and not done */
	bool json; /* a row for each job on standard output, with its end */
	uint64_t rate; /* bytes a second, all together; 0: no limit */
};

/* Starts the threads. 0 or -errno. */
int transfer_new(const struct transfer_settings *set, struct transfer **out);
const struct transfer_settings *transfer_settings(const struct transfer *t);

/* Queues a job, which is taken over; waits while the queue is full. -EINTR:
 * the person has had enough. */
int transfer_add(struct transfer *t, struct transfer_job *job);
/* Counts a failure and says it: `stagefs: what: why`. Any thread. */
void transfer_fail(struct transfer *t, const char *why, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* Has anything failed so far? */
bool transfer_failed(struct transfer *t);

/* For jobs: bytes that have moved (negative: were not, after all), and how
 * many requests one file may have under way now. */
void transfer_moved(struct transfer *t, int64_t bytes);
unsigned transfer_width(struct transfer *t);
/* Waits until so many bytes may travel (settings.rate). 0 or -EINTR. */
int transfer_pace(struct transfer *t, uint64_t bytes);
/* A job that need not be done: it is counted, and freed. */
void transfer_skip(struct transfer *t, struct transfer_job *job);

/* Waits for all, ends the threads. What became of the jobs. */
void transfer_end(struct transfer *t, struct transfer_count *out);

#endif
