/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the journals of a spill_dir, of all mounts, without a mount.
 * Blocks on the local disk.
 */
#ifndef FS_WRITE_BACK_SALVAGE_H
#define FS_WRITE_BACK_SALVAGE_H

#include <stdbool.h>
#include <stdint.h>

struct record;
struct salvage_from;

/* A change; all of it borrowed. */
struct salvage {
	const char *mount_name; /* the mount that accepted it */
	bool busy; /* that one has it, and sends it */
	const char *stage, *path;
	bool is_dir;
	uint64_t size;
	bool in_part; /* the rest is in the store's object */
	const struct record *record;
	struct salvage_from *from;
};

/* Each change of each journal; ends by an error of each(). */
int salvage_each(const char *spill_dir,
		 int (*each)(void *arg, const struct salvage *s), void *arg);
/* Writes its bytes into an empty file, which is flushed; what is in the store
 * alone is a hole there. */
int salvage_write(const struct salvage *s, int fd);
/* It is not wanted any more. Not of one that is busy. */
void salvage_forget(const struct salvage *s);

#endif
