/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The place to mount on: is it fit? (mount_lock.h: is it free?)
 */
#ifndef MOUNT_MOUNT_POINT_H
#define MOUNT_MOUNT_POINT_H

#include <stdbool.h>

struct buf;

/*
 * The mountpoint's absolute path, which the caller frees. It must be a
 * directory, an empty one unless nonempty, that nothing is mounted on but an
 * automount's trigger or the guard of a mount that ends; a mount whose daemon
 * has died (ENOTCONN) is detached first. -errno with why set.
 */
int mount_point_prepare(const char *path, bool nonempty, char **out,
			struct buf *why);

/* Once the lock is taken: is there a guard, or what a killed one left? That is
 * detached. 0, or -EBUSY with why set. */
int mount_point_unguarded(const char *path, struct buf *why);

/* Detaches a mount, busy or not: by umount2 or, for users, fusermount3. */
int mount_point_detach(const char *path);

#endif
