/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a disk cache, in a folder of its own. */
#ifndef TESTS_LIB_DISK_DIR_H
#define TESTS_LIB_DISK_DIR_H

#include <stdint.h>

struct disk_dir {
	char path[64];
	int fd;
};

void disk_dir_make(struct disk_dir *d);
void disk_dir_remove(struct disk_dir *d);
/* What its segments, and those that are being made, take of the disk. */
int64_t disk_dir_bytes(struct disk_dir *d);
unsigned disk_dir_files(struct disk_dir *d);

#endif
