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

#include "stage/conn.h"

#define DROP_INS_DIR "stages.d"

struct drop_in {
	char *name;
	bool bad; /* the file is not to be understood; conn is empty */
	struct conn conn; /* checked, and completed from the environment */
};

struct drop_ins {
	struct drop_in *list; /* in byte order */
	unsigned n;
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
 * All of them; no folder, or one that we may not enter, is none. 0, or -errno with the first failure in err
 * as FILE:LINE: why; those that could be read are given all the same.
 */
int drop_ins_read(const char *dir, struct drop_ins *out, struct buf *err);
void drop_ins_clear(struct drop_ins *d);

/* One of them as it is written, without the environment and unchecked; out is
 * to be cleared by option_clear() in either case. 0 or -errno, why in err. */
int drop_in_read(const char *dir, const char *name, struct conn *out,
		 struct buf *err);

/*
 * Holds off other writers, in this process and others; makes the folder, and
 * those above it.
 * 0 and a descriptor for drop_ins_unlock(), or -errno with why in err.
 */
int drop_ins_lock(const char *dir, int *lock, struct buf *err);
void drop_ins_unlock(int lock);

/*
 * Writes, or replaces, the file of one stage: it is there, durably and whole,
 * when this returns 0. -EINVAL: a value that a line of a file cannot hold.
 */
int drop_in_write(const char *dir, const char *name, const struct conn *conn,
		  struct buf *err);
/* -ENOENT when there is none. */
int drop_in_remove(const char *dir, const char *name, struct buf *err);

#endif
