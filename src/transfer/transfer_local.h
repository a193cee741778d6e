/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a stage that is a directory of this machine: copied, without a URL
 * and without a gateway.
 */
#ifndef TRANSFER_TRANSFER_LOCAL_H
#define TRANSFER_TRANSFER_LOCAL_H

#include "transfer/transfer_sink.h"

struct buf;
struct transfer;
struct transfer_remote;

bool transfer_local_is(const struct transfer_remote *r);

/* One file into the sink. *info: the object's; *done: the bytes that came. 0
 * or -errno with why. */
int transfer_local_get(struct transfer *t, struct transfer_remote *r,
		       struct transfer_sink *sink, struct object_info *info,
		       uint64_t *done, struct buf *why);

/* A file of store_scratch() with the bytes of that one, for store_put(). 0 or
 * -errno. */
int transfer_local_fill(struct transfer *t, struct transfer_remote *r, int fd,
			uint64_t size, int *out);
/* What a copy of that mode gets here, as from cp: a file that is closed to
 * others stays so. */
mode_t transfer_local_mode(mode_t mode);

/* Has the object the bytes of this file? 0, also when there is no object, or
 * -errno. */
int transfer_local_equal(const struct transfer_remote *r, int fd, uint64_t size,
			 bool *equal);

#endif
