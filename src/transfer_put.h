/*
 * One file, from this machine to a pre-signed URL.
 */
#ifndef TRANSFER_PUT_H
#define TRANSFER_PUT_H

#include "transfer.h"

/* A struct transfer_job's run(). */
int transfer_put(struct transfer *t, struct transfer_job *job, struct buf *why);

/* One request with a range of a file as its body. */
struct transfer_send {
	struct http_call http; /* first */
	const struct transfer_row *row; /* borrowed */
};
/* fd -1: no bytes. 0, or -EINVAL (the row's method) with why. */
int transfer_send_init(struct transfer_send *s, const struct transfer_row *row,
		       int fd, uint64_t offset, uint64_t len, struct buf *why);

/* A file in parts, to a stage: begun and completed by the store, the parts by
 * a pre-signed URL each. A failure leaves nothing behind. */
int transfer_parts(struct transfer *t, const struct transfer_remote *r, int fd,
		   uint64_t size, struct buf *why);

#endif
