/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's requests: how many of each kind, how they ended and how long
 * they took. With log_level = debug each is a line in the log, with its number.
 *
 * Called by the hooks that see each request and each answer pass; libfuse
 * answers a request on the thread that has read it. Does not block.
 */
#ifndef FUSE_OP_COUNTS_H
#define FUSE_OP_COUNTS_H

#include <stddef.h>

struct buf;
struct iovec;

/* A request has been read: its bytes as <linux/fuse.h> has them. */
void op_counts_begin(const void *request, size_t len);
/* Its answer is about to leave: a struct fuse_out_header, and what follows
 * it. */
void op_counts_end(const struct iovec *answer, int count);

/* Appends it in Prometheus' format. */
void op_counts_write(struct buf *out);

#endif
