/*
 * One file, from this machine to a pre-signed URL.
 */
#ifndef TRANSFER_TRANSFER_PUT_H
#define TRANSFER_TRANSFER_PUT_H

#include "transfer/transfer.h"

/* A struct transfer_job's run(). */
int transfer_put(struct transfer *t, struct transfer_job *job, struct buf *why);

/* A file in parts, to a stage: begun and completed by the store, the parts by
 * a pre-signed URL each. A failure leaves nothing behind. */
int transfer_parts(struct transfer *t, const struct transfer_remote *r, int fd,
		   uint64_t size, struct buf *why);

#endif
