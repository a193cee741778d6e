/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the latest records of each change stand in a journal. No I/O; the
 * caller's lock.
 */
#ifndef FS_WRITE_BACK_JOURNAL_INDEX_H
#define FS_WRITE_BACK_JOURNAL_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/content/spill.h"
#include "fs/write_back/record.h"

/* Where a record stands; len 0: nowhere. */
struct span {
	uint64_t at;
	size_t len;
};

struct change;

struct journal_index {
	struct change *changes; /* in the order of their coming */
	struct change *by_id; /* uthash */
	unsigned n;
	uint64_t live; /* bytes of their records */
	uint64_t last_id;
};

/* What a record that stands in the journal changes. */
struct journal_step {
	enum record_kind kind;
	uint64_t id;
	struct span span;
	char data[SPILL_NAME_SIZE];
	struct change *fresh; /* for a new change; NULL: it was needed */
};

/* -ENOMEM. */
int journal_step_init(struct journal_step *s, const struct record *r,
		      struct span span);
void journal_step_clear(struct journal_step *s);

/* It is written. stale: a file with bytes that nothing wants any more, or
 * "". */
void journal_index_apply(struct journal_index *x, struct journal_step *s,
			 char stale[SPILL_NAME_SIZE]);
/*
 * The same while a journal is read, and at its end: of two changes that have
 * one key then the one that came there later counts. -ENOMEM.
 */
int journal_index_replay(struct journal_index *x, struct journal_step *s,
			 const struct record *r);
void journal_index_replayed(struct journal_index *x);
/* Where the record of a change is; of length 0 without one. */
struct span journal_index_made(const struct journal_index *x, uint64_t id);
bool journal_index_wants(const struct journal_index *x, const char *data);

struct journal_kept {
	uint64_t id;
	struct span made, moved;
};
/* All, in order; to be freed. -ENOMEM. */
int journal_index_list(const struct journal_index *x, struct journal_kept **out,
		       size_t *n);
/* Their records stand there now. */
void journal_index_moved(struct journal_index *x,
			 const struct journal_kept *list, size_t n);
void journal_index_clear(struct journal_index *x);

#endif
