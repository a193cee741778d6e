/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `mount -o remount,OPTION MOUNTPOINT`: what `stagefs reload` does, with
 * options that can change.
 */
#ifndef MOUNT_MOUNT_REMOUNT_H
#define MOUNT_MOUNT_REMOUNT_H

struct buf;
struct mount_request;

/*
 * Has the daemon read its configuration again; said: what has changed, and what
 * another mount is needed for. 0 or -errno with why set: a mount that is
 * writable does not become read-only. Blocks until it has answered.
 */
int mount_remount(const struct mount_request *r, struct buf *said,
		  struct buf *why);

#endif
