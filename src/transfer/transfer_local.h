/*
 * Files of a stage that is a directory of this machine: copied, without a URL
 * and without a gateway.
 */
#ifndef TRANSFER_TRANSFER_LOCAL_H
#define TRANSFER_TRANSFER_LOCAL_H

#include "transfer/transfer_sink.h"

struct buf;
struct stat;
struct transfer;
struct transfer_remote;

bool transfer_local_is(const struct transfer_remote *r);

/* One file into the sink. *info: the object's; *done: the bytes that came. 0
 * or -errno with why. */
int transfer_local_get(struct transfer *t, const struct transfer_remote *r,
		       struct transfer_sink *sink, struct object_info *info,
		       uint64_t *done, struct buf *why);

/* One file of that size from fd; -1: no bytes. It appears whole or not. like:
 * a new one gets its permissions, less the umask, as from cp; NULL: those of
 * any new file. */
int transfer_local_put(struct transfer *t, const struct transfer_remote *r,
		       int fd, uint64_t size, const struct stat *like,
		       struct buf *why);

/* Has the object the bytes of this file? 0, also when there is no object, or
 * -errno. */
int transfer_local_equal(const struct transfer_remote *r, int fd, uint64_t size,
			 bool *equal);

#endif
