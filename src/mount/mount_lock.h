/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One daemon at a time for a source and a mountpoint.
 *
 * umount(8) returns before the daemon has published everything. A daemon holds
 * the lock of its source and mountpoint until then; the next mount of the same
 * waits for it, so that it sees what was written. A daemon lives as long as any
 * mount namespace has its mount, so the wait has a bound.
 */
#ifndef MOUNT_MOUNT_LOCK_H
#define MOUNT_MOUNT_LOCK_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Blocks for wait_s at most, and says once on stderr what it waits for. *fd:
 * the lock, held until it is closed in this process and its children; -1 where
 * there is no directory for locks. -ETIMEDOUT, -EINTR (a signal that ends a
 * mount is pending) or another -errno, with why set.
 */
int mount_lock_take(const char *source, const char *mountpoint, uint64_t wait_s,
		    int *fd, struct buf *why);

/* For the next one's message: the mount's device, as session_device() has it,
 * and the file that its end waits for, or "". */
void mount_lock_record(int fd, const char *device, const char *waits);

#endif
