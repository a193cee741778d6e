/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories and what is missing above them.
 */
#ifndef BASE_DIRS_H
#define BASE_DIRS_H

#include <sys/types.h>

/*
 * Makes path with mode, and what is missing above it with
 * mode above; both by the umask. 0 also when it is there. Blocks on the disk.
 */
int dirs_make(const char *path, mode_t above, mode_t mode);

#endif
