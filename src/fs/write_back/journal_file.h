/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of a journal: whose it is, the journal itself, and the files with
 * bytes that are too many for it. One process at a time has it.
 */
#ifndef FS_WRITE_BACK_JOURNAL_FILE_H
#define FS_WRITE_BACK_JOURNAL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct record;

struct journal_file {
	int dir;
	int owner; /* the file that is locked */
	int fd; /* the journal */
	uint64_t size; /* the next record is written there */
	uint64_t allocated; /* so far it has room, of zeros */
};

/* Below a spill_dir; `mount_name` names the mount. Appends the path. */
void journal_file_path(const char *spill_dir, const char *mount_name,
		       struct buf *out);
/* Makes it if need be and locks it. -EBUSY: another process has it. */
int journal_file_open(const char *path, const char *mount_name,
		      struct journal_file *out);
/* One that is there, to be read; locked too unless *busy: then it is another's,
 * and may change. -ENOENT: there is none. mount_name: appended. */
int journal_file_look(const char *path, struct journal_file *out, bool *busy,
		      struct buf *mount_name);
/* empty: nothing is left in it, so it is removed. */
void journal_file_close(struct journal_file *f, const char *path, bool empty);

/*
 * Calls each() for every record that is whole and newer than the one before, in
 * order; the next one is written behind them. What is torn, or damaged, is
 * passed over: *lost counts those bytes that other records follow.
 */
int journal_file_each(struct journal_file *f,
		      int (*each)(void *arg, const struct record *r,
				  uint64_t at, size_t len),
		      void *arg, uint64_t *lost);
/* At its end, flushed when sync. It is not longer after a failure. */
int journal_file_append(struct journal_file *f, const void *bytes, size_t n,
			bool sync);
/* The record that stands there becomes the end of its change, flushed. */
int journal_file_end(struct journal_file *f, uint64_t at, uint64_t len);
/* A new journal beside it, and its taking the old one's place, flushed: f is
 * the new one then, also when it is only the flush of its name that fails. Or
 * it is given up. */
int journal_file_fresh(struct journal_file *f, struct journal_file *fresh);
int journal_file_replace(struct journal_file *f, struct journal_file *fresh);
void journal_file_discard(struct journal_file *f, struct journal_file *fresh);
/* The one that was read is written on, behind its last record; it is flushed,
 * since the process that wrote it may not have come to that. Needs no room. */
int journal_file_keep(struct journal_file *f);
/* Removes files with bytes but for those that keep() wants. */
void journal_file_sweep(struct journal_file *f,
			bool (*keep)(void *arg, const char *name), void *arg);

#endif
