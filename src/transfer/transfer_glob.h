/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names with wildcards on the far side: `*`, `?` and `[...]` in the components
 * of a path; none of them stands for a '/'. `\` takes the meaning from the
 * next byte. Pure.
 */
#ifndef TRANSFER_TRANSFER_GLOB_H
#define TRANSFER_TRANSFER_GLOB_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Is there a wildcard in it? */
bool transfer_glob_is(const char *text);

/* Takes the `\` before a wildcard out of a text that has no other. */
void transfer_glob_unescape(char *text);

/* What every name that can match begins with. Appends. */
void transfer_glob_prefix(const char *pattern, struct buf *out);

/*
 * The pattern against the first components of a name, as many as it has
 * itself: the bytes of the name that they are, or 0. All of the name, or the
 * part before a '/'. `?` is one character of UTF-8.
 */
size_t transfer_glob_match(const char *pattern, const char *name);

#endif
