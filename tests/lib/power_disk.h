/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system of our own, on an image, whose power can be cut: it is shut
 * down without what it has not written yet (FS_IOC_SHUTDOWN, as xfstests do).
 * Test programs that work on it in a process of their own, until the cut.
 */
#ifndef TESTS_LIB_POWER_DISK_H
#define TESTS_LIB_POWER_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * A suite of one test on ext4 and one on xfs, each named `ext4 SENTENCE`:
 * rounds() has the kind as its *state, and begins with power_disk_make().
 * *shared is memory of that size which the process that works shares with the
 * test. Nothing is logged. Returns how many failed.
 */
int power_disk_suite(const char *name, const char *sentence,
		     void (*rounds)(void **state), void **shared, size_t size);
/* Where it is mounted. */
const char *power_disk_path(void);
/* kind: "ext4", "xfs". False: there is no such here. Mounts it. */
bool power_disk_make(const char *kind);
bool power_disk_mount(void);
bool power_disk_unmount(void);

/*
 * Has the power gone? A shutdown is no power cut in one thing: the kernel runs
 * on, and XFS says 0 to the fsync of a folder whose changes it has just thrown
 * away. Of a regular file it says EIO; so what was answered counts if one of
 * these, the probe, still works afterwards.
 */
int power_disk_open_probe(void);
bool power_disk_is_cut(int probe);
/*
 * From here on nothing is written: the power is cut while pid works, which is
 * killed, and the disk unmounted. *status: of waitpid(2). False: this kernel or
 * file system cannot.
 */
bool power_disk_cut(pid_t pid, int *status);

#endif
