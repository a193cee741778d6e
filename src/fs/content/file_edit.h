/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other headers for a file.
 */
#ifndef FS_CONTENT_FILE_EDIT_H
#define FS_CONTENT_FILE_EDIT_H

#include "fs/content/file.h"

/*
 * What edit() makes of those that the file has. What is yet to be stored takes
 * them along, the others the store's object gets at once. -ESTALE: that is
 * another by now; else edit()'s error, or the store's.
 */
typedef int file_edit_fn(void *arg, struct props *p);
int file_edit_props(struct file *f, file_edit_fn *edit, void *arg);

#endif
