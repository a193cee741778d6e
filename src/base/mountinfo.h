/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/mountinfo: what is mounted where, told without asking the mounts
 * themselves, one of which may be dead.
 */
#ifndef BASE_MOUNTINFO_H
#define BASE_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct mountinfo {
	FILE *file;
	char *line;
	size_t cap;
};

struct mountinfo_row {
	uint64_t id;
	const char *device; /* "0:42" */
	const char *root; /* what of the file system is mounted ... */
	const char *point; /* ... where */
	const char *type;
	const char *source;
	uint64_t user; /* FUSE: whose mount it is, a number; 0: root's */
};

/* process: "self", or a number as text. What cannot be opened has no rows. */
void mountinfo_open(struct mountinfo *m, const char *process);
/* False at the end. The row's strings live until the next call. */
bool mountinfo_next(struct mountinfo *m, struct mountinfo_row *row);
void mountinfo_close(struct mountinfo *m);
#define MOUNTINFO_LOCAL \
	__attribute__((cleanup(mountinfo_close))) struct mountinfo

/* What this process sees mounted at a place, the uppermost; false: nothing. */
struct mountinfo_place {
	uint64_t id;
	char device[32], type[64];
	uint64_t user;
};
bool mountinfo_at(const char *point, struct mountinfo_place *out);

/* One line, whose bytes become the row's strings. False: it is none. Pure. */
bool mountinfo_parse(char *line, struct mountinfo_row *row);

#endif
