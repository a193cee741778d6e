/*
 * One request with a range of a file as its body.
 */
#ifndef TRANSFER_TRANSFER_SEND_H
#define TRANSFER_TRANSFER_SEND_H

#include "transfer/transfer.h"

struct transfer_send {
	struct http_call http; /* first */
	const struct transfer_row *row; /* borrowed */
};
/* fd -1: no bytes. 0, or -EINVAL (the row's method) with why. */
int transfer_send_init(struct transfer_send *s, const struct transfer_row *row,
		       int fd, uint64_t offset, uint64_t len, struct buf *why);

#endif
