/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record of the journal: what is to be done in a store, as bytes. Pure.
 *
 * Each has a length, a number that is greater than that of the one before, and
 * a checksum over all of it; so what a power cut tears is found to be torn.
 */
#ifndef FS_WRITE_BACK_RECORD_H
#define FS_WRITE_BACK_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/extents.h"
#include "fs/content/seal.h"

struct buf;

#define RECORD_ALIGN 8
#define RECORD_HEAD 32 /* bytes in front of what follows */
#define RECORD_MAX (SEAL_INLINE + (256U << 10))

enum record_kind {
	RECORD_FILE = 1, /* an object is to be made: a new change, or again */
	RECORD_DIR, /* a directory's marker is */
	RECORD_MOVE, /* a change is at another key from now on */
	RECORD_GONE, /* a change is none any more */
	/* What the store has at a change's key is about to be removed, or
	 * replaced: the change is none once that has happened. Ends with the
	 * next record of the change. */
	RECORD_ENDING,
};

struct record {
	enum record_kind kind;
	uint64_t id; /* the change's, the same in all its records */
	uint64_t seq; /* the record's own */
	/* FILE and DIR. */
	const char *stage;
	const char *place; /* where its keys are, as store_locate() says */
	const char *key; /* MOVE and ENDING too */
	/* ENDING: the ETag of what the store has there, "" if nothing; NULL in
	 * all others as they are written. */
	const char *ending;
	uint64_t skip; /* of key, in front of the path in the stage */
	uint32_t mode, uid, gid;
	/* FILE; of a DIR the times only. */
	struct seal seal;
	const char *data; /* the file with its bytes; "": they are in seal */
};

/* Appends it, aligned. 0, or out's failure. */
int record_write(const struct record *r, struct buf *out);

/*
 * What stands at the beginning of n bytes: its length, and *out borrows from
 * it; the extents are *extents', to be freed. 0: no record, or only a part of
 * one. -ENOMEM.
 */
long record_read(const void *bytes, size_t n, struct record *out,
		 struct extent **extents);
/* The length that its head claims, if it may be one; 0: it is none. */
size_t record_length(const void *head);
/* One that record_read() takes becomes the end of its change, as long as it was
 * and with its number: only the RECORD_HEAD bytes change. */
void record_set_gone(void *bytes);

#endif
