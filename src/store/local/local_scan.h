/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder's names in order, in bounded memory.
 */
#ifndef STORE_LOCAL_LOCAL_SCAN_H
#define STORE_LOCAL_LOCAL_SCAN_H

#include <stddef.h>

struct local_scan;
/* Names that begin with match, folders with a '/' at their end, without those
 * of stores; budget: bytes. */
struct local_scan *local_scan_new(const char *match, size_t budget);
void local_scan_free(struct local_scan *s);
/* The next name, "" at the end, which lives until the call after. dir: the
 * folder, open for reading, for when names must be read. 0 or -errno. */
int local_scan_next(struct local_scan *s, int dir, const char **name);
/* Bytes of names that it has in memory. */
size_t local_scan_held(const struct local_scan *s);

#endif
