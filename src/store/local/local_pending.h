/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folders of uploads.
 */
#ifndef STORE_LOCAL_LOCAL_PENDING_H
#define STORE_LOCAL_LOCAL_PENDING_H

#include <stdint.h>

#include "store/local/local_file.h"

struct local;

#define LOCAL_DATA "data" /* ... in which this becomes the object */
#define LOCAL_UPLOAD_KEY "key" /* beside it: whose upload it is */

/* Makes one, with a record of its key; *dir itself, *fd its LOCAL_DATA; -1 when
 * it fails. */
int local_pending_make(struct local *l, const char *key, char id[LOCAL_ID_SIZE],
		       int *dir, int *fd);
/* 0 also when it is gone. */
int local_pending_drop(struct local *l, const char *id);

/* Removes what dead processes have left; old_s: from which age on a name that
 * should not last counts as left. */
void local_pending_sweep(struct local *l, int64_t old_s);

#endif
