/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a file is on the far side, and how its bytes get there: by pre-signed
 * URLs (store/s3/s3_url.h), or by the stage's own store where that knows none.
 */
#ifndef TRANSFER_TRANSFER_REMOTE_H
#define TRANSFER_TRANSFER_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "transfer/transfer_row.h"

struct buf;
struct http_lane;
struct stage;
struct store;

struct transfer_remote {
	struct http_lane *lane; /* borrowed */
	/* A stage's file ... */
	struct stage *stage; /* a reference; NULL: the row */
	char *key; /* the store's; of a row any */
	char *content_type; /* of an upload; NULL: none */
	uint64_t part_size; /* of a large upload; 0: auto */
	/* ... or a row that was handed over, which signs this alone. */
	struct transfer_row row;
	char *label; /* what a person calls it: @stage/path, or the row's key */
	/* That has its bytes, while a job runs. */
	struct store *store;
	bool by_url;
};

/* Opens r->store; r->key is the object in it. 0 or -errno with why. */
int transfer_remote_open(struct transfer_remote *r, struct buf *why);
/* Says on stderr what is better set than found out again, and frees. */
void transfer_remote_clear(struct transfer_remote *r);

/* A call on r->store failed (rc is not 0): appends why. Returns rc. */
int transfer_remote_fail(struct transfer_remote *r, int rc, struct buf *why);

#endif
