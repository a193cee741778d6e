/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system of our own, on an image, whose power can be cut: it is shut
 * down without what it has not written yet (FS_IOC_SHUTDOWN, as xfstests do).
 */
#ifndef TESTS_LIB_POWER_DISK_H
#define TESTS_LIB_POWER_DISK_H

#include <stdbool.h>

/* A folder for it, and mounts that are this process's. 0, or -1. */
int power_disk_start(void);
void power_disk_stop(void);
/* Where it is mounted. */
const char *power_disk_path(void);
/* kind: "ext4", "xfs". False: there is no such here. Mounts it. */
bool power_disk_make(const char *kind);
bool power_disk_mount(void);
bool power_disk_unmount(void);
/* From here on nothing is written. False: this kernel or file system cannot. */
bool power_disk_cut(void);

#endif
