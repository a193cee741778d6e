/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: `@stage/path`, stage names, and the map between a path in a stage
 * and a key in its store. Pure.
 */
#ifndef STAGE_LOCATION_H
#define STAGE_LOCATION_H

#include <stdbool.h>

struct buf;

#define NAME_BYTES_MAX 255 /* of one path component, as the kernel has it */

/* A key's component that a directory can show: 1..255 bytes, not . or .. */
bool location_name_visible(const char *name, unsigned long len);

struct location {
	char *stage; /* "~" or a name; not checked against any catalog */
	char *path; /* "" or relative, a trailing '/' kept */
};

/*
 * `@stage`, `@stage/`, `@stage/a/b`, as it is written on a command line:
 * literal, no escapes. A component `..`, `.` or an empty one inside is
 * -EINVAL, as is a missing `@` or name; why set.
 */
int location_parse(const char *text, struct location *out, struct buf *why);
/* The same, of what is only to be one. */
int location_check(const char *text, struct buf *why);
/* `&expire=...` or `&content_type=...` behind a path, which an attribute's name
 * has in front of it: perhaps an argument, perhaps a name's own. NULL: none. */
const char *location_argument(const char *text);
void location_clear(struct location *l);
#define LOCATION_LOCAL __attribute__((cleanup(location_clear))) struct location

#endif
