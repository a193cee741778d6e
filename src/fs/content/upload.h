/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The upload of an open file (struct upload_parts), of which there is a record
 * on disk as long as it is open. With the turn.
 */
#ifndef FS_CONTENT_UPLOAD_H
#define FS_CONTENT_UPLOAD_H

#include "fs/content/turn.h"
#include "store/upload_parts.h"

#define UPLOAD_WIDTH 16 /* parts of one file under way at once */

/* Begins the upload for key. */
int upload_open(struct file *f, const char *key) REQUIRES(f->turn);
/* The first len bytes of a tail, with their sum if it is known. */
void upload_tail_body(const struct tail *t, uint64_t len,
		      struct store_body *body);
/*
 * The tail leaves as a part, for which there is room, and is written to the
 * spill file meanwhile (s NULL: there is none); its memory goes back to the
 * pool when both are done. What could not be written is not retained. 0 or
 * -ENOMEM: then the tail stays.
 */
int upload_leave_tail(struct file *f, struct spill *s) REQUIRES(f->turn);
/* Until nothing of [start, end) is being written to the spill file; what could
 * not be is not retained. 0 or -ENOMEM. */
int upload_settle(struct file *f, uint64_t start, uint64_t end)
	REQUIRES(f->turn);
/* Bytes of the caller's that stay until the part has ended, or is recalled; or
 * of the spill file. 0, -EINTR or -ENOMEM. */
int upload_send_part(struct file *f, const struct part_range *part,
		     const struct store_body *body) REQUIRES(f->turn);
/* Ends parts and upload: it is aborted. */
void upload_give_up(struct file *f) REQUIRES(f->turn);
/* The upload was completed: it is no more. */
void upload_completed(struct file *f) REQUIRES(f->turn);
/* What was sent of [start, end) is not the content any more. Under the file's
 * lock or not. */
void upload_stale(struct file *f, uint64_t start, uint64_t end)
	REQUIRES(f->turn);

#endif
