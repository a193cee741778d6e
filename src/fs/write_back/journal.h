/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of a mount: which changes of its stores are accepted and not yet
 * sent, so that they outlive the process and a power cut. Changes have numbers;
 * what is known of one is its latest record, and where it was moved to since.
 *
 * Records of threads that come together are written and flushed together. All
 * calls may block on the local disk, none on anything else; none is
 * interrupted.
 */
#ifndef FS_WRITE_BACK_JOURNAL_H
#define FS_WRITE_BACK_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/content/spill.h"
#include "fs/write_back/record.h"

struct journal;

/* Makes or finds the journal of that mount below spill_dir. -EBUSY: a process
 * that lives has it. What stands in it is read, and written anew. */
int journal_open(const char *spill_dir, const char *mount_name,
		 struct journal **out);
/* One that is there, at its path. *busy: another process has it, so it is only
 * looked at, and may change meanwhile. mount_name: appended. */
int journal_look(const char *path, struct journal **out, bool *busy,
		 struct buf *mount_name);
/* It stays on the disk while a change is left. NULL is fine. */
void journal_close(struct journal *j);

/* A change's number, new. */
uint64_t journal_id(struct journal *j);
/* A name for a file with bytes, and the folder where it is to stand. */
void journal_data_name(struct journal *j, uint64_t id,
		       char out[SPILL_NAME_SIZE]);
int journal_dir(struct journal *j);

/* Written when it returns 0, and flushed if sync. The record's number is the
 * journal's. After a failure it is as if it had not been. */
int journal_add(struct journal *j, const struct record *r, bool sync);
/* A change is none any more; a failure is logged. */
void journal_gone(struct journal *j, uint64_t id);
/* What was written is flushed. */
int journal_flush(struct journal *j);

/* Each change that is left, by its number: its record, with the key that it has
 * now. Before the first journal_add(). */
int journal_each(struct journal *j,
		 int (*each)(void *arg, const struct record *r), void *arg);
/* Opens a change's file with bytes. */
int journal_data_open(struct journal *j, const char *name, int *fd);

struct journal_counts {
	unsigned changes;
	uint64_t size; /* of the journal's file */
};
void journal_counts(struct journal *j, struct journal_counts *out);

#endif
