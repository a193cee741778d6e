/*
 * One file, from a pre-signed URL to a name of this machine.
 */
#ifndef TRANSFER_TRANSFER_GET_H
#define TRANSFER_TRANSFER_GET_H

#include "transfer/transfer.h"

/* A struct transfer_job's run(). */
int transfer_get(struct transfer *t, struct transfer_job *job, struct buf *why);

/* ---- transfer_piece.c: a range of it, by one request ---- */

/* The first request tells size and ETag, which every later one must meet. */
struct transfer_piece {
	struct http_call http; /* first */
	struct transfer *t;
	const struct transfer_row *row;
	int fd;
	uint64_t base; /* the object's byte that is fd's first */
	uint64_t offset; /* the range: [offset, offset + len) */
	uint64_t len; /* TRANSFER_UNKNOWN: to the end, whatever that is */
	bool ranged; /* ask for it by Range; else for the whole object */
	struct object_info info; /* pinned: "" and TRANSFER_UNKNOWN not yet */

	uint64_t delivered; /* bytes of the range that are in fd */
	uint64_t skip; /* of this attempt's body */
	bool whole; /* the answer was the whole object: offset is 0 now */
	bool ended; /* all that was asked for came */
	bool stale; /* another object answered */
	const char
		*bad; /* what is wrong with the answer: no bytes of it count */
	bool empty; /* there is nothing in the range (416) */
	unsigned short_answers; /* that ended well, with too little */
	int64_t moved_ms; /* when something last came */
	int write_err;
};

void transfer_piece_init(struct transfer_piece *p, struct transfer *t,
			 const struct transfer_row *row, enum http_verb verb);
/* http_perform()'s result and reply, as 0 or -errno: -ESTALE another object
 * than the pinned one answered. */
int transfer_piece_outcome(const struct transfer_piece *p, int rc,
			   const struct http_reply *reply, struct buf *why);

#endif
