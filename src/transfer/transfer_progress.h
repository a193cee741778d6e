/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a transfer is, as a line on a terminal. Pure but for show.
 */
#ifndef TRANSFER_TRANSFER_PROGRESS_H
#define TRANSFER_TRANSFER_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

struct transfer_count {
	uint64_t found, found_bytes; /* so far */
	uint64_t done, skipped, failed; /* files */
	uint64_t moved; /* bytes */
	int64_t elapsed_ms;
	bool all_found; /* found is all there will be */
	bool interrupted;
	char current[256]; /* the file that was begun last; "" none */
};

/* `3/12 files, 1.5 GiB of 7.2 GiB [####    ] 21%, 34.1 MiB/s, 2:51 left  name`,
 * at most width columns: what does not fit goes, the name first. Appends. */
void transfer_progress_line(const struct transfer_count *c, unsigned width,
			    struct buf *out);
/* `12 files, 7.2 GiB in 12.3 s`: the end. Appends. */
void transfer_progress_sum(const struct transfer_count *c, struct buf *out);

#endif
