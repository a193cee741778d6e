/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept beside a download that is under way, so that the next run can
 * go on; and what ETags tell of bytes. Pure.
 */
#ifndef TRANSFER_TRANSFER_STATE_H
#define TRANSFER_TRANSFER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct buf;

#define TRANSFER_STATE_MAX 512 /* bytes of its text */
#define TRANSFER_UNKNOWN UINT64_MAX /* a size that is not known yet */

struct transfer_state {
	char etag[STORE_ETAG_SIZE]; /* "" not known: nothing can go on */
	uint64_t size; /* of the object */
	uint64_t done; /* bytes from the start that are there */
};

void transfer_state_write(const struct transfer_state *s, struct buf *out);
/* False when it is no such text. */
bool transfer_state_read(const char *text, size_t n,
			 struct transfer_state *out);

/*
 * From which byte to go on. part_bytes: length of the part that is there.
 * now: what is known of the object (etag "" and TRANSFER_UNKNOWN: nothing).
 */
uint64_t transfer_state_resume(const struct transfer_state *saved,
			       uint64_t part_bytes,
			       const struct object_info *now);

/* An ETag that is an MD5 of the bytes, or of parts' MD5s, by its form: *parts
 * 0 for the plain one. */
bool transfer_state_md5(const char *etag, char hex[33], unsigned *parts);

#endif
