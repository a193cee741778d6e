/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing the keys of a renamed directory: the old ones when all copies stand,
 * or the copies when it was not renamed. Blocks on the store; not interrupted.
 */
#ifndef FS_RENAME_RENAME_REMOVAL_H
#define FS_RENAME_RENAME_REMOVAL_H

#include "fs/rename/rename_keys.h"

/* Removes the copies that were made, as long as they are the ones. */
void rename_removal_undo(struct rename_keys *m);
/* Removes the old ones that still are what was copied, as a listing tells of
 * less than STORE_JUST_MS ago; what cannot be removed is logged. */
int rename_removal_run(struct rename_keys *m);

#endif
