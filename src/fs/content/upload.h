/*
 * The upload of an open file (struct upload_parts), of which there is a record
 * on disk as long as it is open. With the turn.
 */
#ifndef FS_CONTENT_UPLOAD_H
#define FS_CONTENT_UPLOAD_H

#include "fs/content/turn.h"
#include "store/upload_parts.h"

struct inflight_part;

#define UPLOAD_WIDTH 16 /* parts of one file under way at once */

/* Begins the upload for key. */
int upload_open(struct file *f, const char *key) REQUIRES(f->turn);
/* What a part needs that is to leave, so that it cannot fail to; -ENOMEM. */
int upload_part_new(struct file *f, const struct part_range *part,
		    struct inflight_part **out) REQUIRES(f->turn);
void upload_part_free(struct inflight_part *p); /* one that did not leave */
/* The tail's memory leaves, and goes back to the pool at the end. There is room
 * for it. */
void upload_send_tail(struct file *f, struct inflight_part *p,
		      const struct tail *t) REQUIRES(f->turn);
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
