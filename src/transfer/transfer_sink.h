/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local side: a download gathers in NAME.part, with its state in
 * NAME.part.state, and takes its name only when it is whole.
 */
#ifndef TRANSFER_TRANSFER_SINK_H
#define TRANSFER_TRANSFER_SINK_H

#include <stdbool.h>
#include <sys/types.h>

#include "transfer/transfer_state.h"

struct buf;

struct transfer_sink {
	int fd; /* -1: none */
	/* What comes out is copied there in order and not kept: a pipe, a
	 * device; -1: a file of that name. */
	int out_fd;
	bool close_out;
	char *target, *part, *state;
	bool replaces; /* a file is there */
	mode_t mode; /* its mode then */
	uint64_t base; /* the object's byte that is fd's first */
	struct transfer_state saved; /* of an earlier run */
	uint64_t part_bytes; /* what it left */
};

/*
 * Opens the sink for a file's name ("-": standard output). -EEXIST: it is
 * there and shall stay (no_clobber). Else 0 or -errno, with why.
 */
int transfer_sink_open(const char *target, bool no_clobber,
		       struct transfer_sink *out, struct buf *why);
/* Notes how far it is; bytes before done are in fd. Pipes are fed here. */
int transfer_sink_note(struct transfer_sink *s, const struct object_info *info,
		       uint64_t done, struct buf *why);
/* The whole is there: it takes its name. -EEXIST as above. */
int transfer_sink_finish(struct transfer_sink *s, bool no_clobber,
			 struct buf *why);
/* keep: for the next run to go on. After finish it only frees. */
void transfer_sink_close(struct transfer_sink *s, bool keep);

#endif
