/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount with `attributes = posix` on a store in memory, and what stands there
 * of attributes.
 */
#ifndef TESTS_LIB_POSIX_RIG_H
#define TESTS_LIB_POSIX_RIG_H

#include "fs_fixture.h"

struct store_attr;

/* With the prefix p/. */
void posix_up(struct mount *m, unsigned ttl_s);
/* An object of another program, whose owner is 7 and time 1000.000000005. */
void posix_has(struct mount *m, const char *key, const char *text,
	       unsigned mode);
/* What the object says. */
void posix_said(struct mount *m, const char *key, struct store_attr *a);

#endif
