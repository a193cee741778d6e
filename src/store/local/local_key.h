/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of the signing key.
 */
#ifndef STORE_LOCAL_LOCAL_KEY_H
#define STORE_LOCAL_LOCAL_KEY_H

#include <stdbool.h>

struct local;

/* Another one; replace: in the place of one that is there. 0 or -errno. */
int local_key_write(struct local *l, bool replace);

#endif
