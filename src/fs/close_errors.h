/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of publications that no close could return: by the key of the object,
 * for the next open of it to say, once. At most CLOSE_ERRORS_MAX; the oldest
 * goes first (each stands in the log as well). Any thread; never blocks.
 */
#ifndef FS_CLOSE_ERRORS_H
#define FS_CLOSE_ERRORS_H

#include <stdbool.h>

#include "fs/handle.h"

#define CLOSE_ERRORS_MAX 1024

struct close_errors;

struct close_errors *close_errors_new(void); /* NULL without memory */
void close_errors_free(struct close_errors *u); /* NULL is fine */

/* Replaces what is there for that key. */
void close_errors_add(struct close_errors *u, const char *stage,
		      const char *key, int rc);
/* The error of that key, which is then forgotten; 0: there is none. */
int close_errors_take(struct close_errors *u, const char *stage,
		      const char *key);
/* Costs nothing. */
bool close_errors_any(struct close_errors *u);

/* What the last publication of i, or of name in i, failed with when no close
 * could say so: once. An open with O_TRUNC does what was not done. */
int close_errors_tell(struct fs *fs, struct inode *i, const char *name,
		      int flags);
/* The publication of h's content has failed, and nothing will say so; it has
 * succeeded. */
void close_errors_failed(struct fs *fs, struct handle *h, int rc);
void close_errors_done(struct fs *fs, struct handle *h);

#endif
