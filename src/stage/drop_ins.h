/* SPDX-License-Identifier: Apache-2.0 */
/*
 * External stages that statements made: one INI file each in `stages.d`
 * beside the configuration, NAME.conf with a section [stage NAME], which takes
 * the keys of any other. They are written whole or not at all, closed to
 * others. Blocks on files.
 */
#ifndef STAGE_DROP_INS_H
#define STAGE_DROP_INS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "stage/conf/conn.h"

#define DROP_INS_DIR "stages.d"
#define DROP_INS_MAX 4096

struct drop_in {
	char *name;
	/* FILE:LINE: why it cannot be used; conn is empty then. Else NULL. */
	char *fault;
	struct conn conn; /* checked, and completed from the environment */
};

struct drop_ins {
	struct drop_in *list; /* in byte order */
	unsigned n;
	unsigned left_out; /* files beyond DROP_INS_MAX */
};

/* What changes when a stage comes, goes or is written anew. */
struct drop_ins_stamp {
	uint64_t device, inode; /* 0: no folder */
	struct timespec changed;
	/* It changed so short a while before it was looked at that one more
	 * change might not show. */
	bool unsettled;
};

void drop_ins_stamp(const char *dir, struct drop_ins_stamp *out);
bool drop_ins_changed(const struct drop_ins_stamp *before,
		      const struct drop_ins_stamp *now);

/*
 * As many as there are, up to DROP_INS_MAX; no folder, or one that we may not
 * enter, is none. A file that cannot be used is among them, with its fault,
 * and so is one whose name no stage can have. 0, or -errno with why set:
 * the folder itself cannot be read.
 */
int drop_ins_read(const char *dir, struct drop_ins *out, struct buf *why);
void drop_ins_clear(struct drop_ins *d);

/* One of them as it is written, without the environment and unchecked; out is
 * to be cleared by option_clear() in either case. 0 or -errno, why set. */
int drop_ins_get(const char *dir, const char *name, struct conn *out,
		 struct buf *why);

/*
 * Holds off other writers, in this process and others; makes the folder, and
 * those above it.
 * 0 and a descriptor for drop_ins_unlock(), or -errno with why set.
 */
int drop_ins_lock(const char *dir, int *lock, struct buf *why);
void drop_ins_unlock(int lock);

/*
 * Writes, or replaces, the file of one stage: it is there, durably and whole,
 * when this returns 0, and drop_ins_read() has understood it before it took
 * its place. -EINVAL: it would not; -ENOSPC: there are DROP_INS_MAX others.
 */
int drop_ins_put(const char *dir, const char *name, const struct conn *conn,
		 struct buf *why);
/* -ENOENT when there is none. */
int drop_ins_remove(const char *dir, const char *name, struct buf *why);

#endif
