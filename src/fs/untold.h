/*
 * Errors of publications that no close could return: by the key of the object,
 * for the next open of it to say, once. At most UNTOLD_MAX; the oldest goes
 * first (each stands in the log as well). Any thread; never blocks.
 */
#ifndef FS_UNTOLD_H
#define FS_UNTOLD_H

#include <stdbool.h>

#define UNTOLD_MAX 1024

struct untold;

struct untold *untold_new(void); /* NULL without memory */
void untold_free(struct untold *u); /* NULL is fine */

/* Replaces what is there for that key. */
void untold_add(struct untold *u, const char *stage, const char *key, int err);
/* The error of that key, which is then forgotten; 0: there is none. */
int untold_take(struct untold *u, const char *stage, const char *key);
/* Costs nothing. */
bool untold_any(struct untold *u);

#endif
