/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of an upload of several parts while it is under way, so that the
 * next run can go on with it, or abort it: DIR/HASH.put, one for each object
 * that is uploaded, locked (flock) as long as that lasts.
 */
#ifndef TRANSFER_TRANSFER_RESUME_H
#define TRANSFER_TRANSFER_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include "store/upload_record.h"

/* Which bytes an upload is of, and how they are cut: only the same goes on. */
struct transfer_source {
	uint64_t part_size;
	uint64_t dev, ino, size;
	struct timespec mtime;
	const char *content_type; /* NULL: none */
};

struct transfer_resume {
	char *path;
	int fd; /* -1: nothing is kept */
	bool saved; /* the record is of an upload that is open */
	struct upload_record record;
	char *source; /* the line of its bytes */
};
#define TRANSFER_RESUME_INIT \
	{ \
		.fd = -1, .record = UPLOAD_RECORD_INIT \
	}

/* No transfer goes on with what is older than that. */
#define TRANSFER_RESUME_AGE_S (7 * 86400)
/* Aborts what was left in that store so long ago, and drops the records.
 * Blocks; what cannot be aborted stays, and is tried again by the next. */
void transfer_resume_sweep(const char *dir, struct store *s);

/* 0; -EBUSY: another process is at it; -errno. */
int transfer_resume_open(struct transfer_resume *r, const char *dir,
			 struct store *s, const char *key);
bool transfer_resume_is_of(const struct transfer_resume *r,
			   const struct transfer_source *source);
/* That upload is open from now on. What cannot be written is not kept. */
void transfer_resume_keep(struct transfer_resume *r, struct store *s,
			  const char *key, const char *id,
			  const struct transfer_source *source);
/* It is not open any more. */
void transfer_resume_forget(struct transfer_resume *r);
void transfer_resume_close(struct transfer_resume *r);

#endif
