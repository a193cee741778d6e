/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What writes are made of: bytes, conditions, and the parts of an upload. Part
 * of store.h.
 */
#ifndef STORE_STORE_UPLOAD_H
#define STORE_STORE_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

struct store;

#define STORE_ETAG_SIZE 80 /* with its quotes and the NUL */

/* Memory, or a range of a file, as it stands while the call is under way. */
struct store_body {
	const void *data; /* NULL: fd */
	int fd;
	uint64_t offset;
	uint64_t len;
	/* Of all of them, when has_crc32c: a store that sends it along reads
	 * nothing for it. */
	uint32_t crc32c;
	bool has_crc32c;
	/* fd is a whole file of store_scratch(), which itself becomes the
	 * object: no byte is copied. No program writes to it any more. */
	bool adopt;
};

/* A write that holds only if; NULL and false: no condition. */
struct store_cond {
	const char *if_match; /* ETag that must be there */
	bool if_absent; /* nothing may be there */
	bool looked; /* ... and that was so just now, so that a store that
			cannot tie a copy or a removal to it need not look */
};

struct store_upload {
	struct store *store;
	char *key;
};

/*
 * A part. Numbers are 1..10000, in any order; the same number again replaces.
 * offset is where the part stands in the object (a local store writes there).
 * Caller-owned; lives until done().
 */
struct store_part {
	struct store_upload *upload;
	unsigned number;
	uint64_t offset;
	struct store_body body;
	void (*done)(struct store_part *part, int rc);
	char etag[STORE_ETAG_SIZE]; /* set before done(0) */
	void *state; /* the store's */
};

/* Bytes of an object that is there. */
struct store_range {
	const char *key;
	const char *etag; /* If-Match; NULL: whatever is there */
	uint64_t offset, len;
};

/* What completes an upload: ascending numbers. */
struct store_part_done {
	unsigned number;
	char etag[STORE_ETAG_SIZE];
};

/* An upload that was begun and not completed. */
struct store_pending {
	char *key;
	char *id;
};

/* A part that the store has of one. */
struct store_part_there {
	unsigned number;
	uint64_t size;
	char etag[STORE_ETAG_SIZE];
};

#endif
