/*
 * The place to mount on: is it fit? (mount_lock.h: is it free?)
 */
#ifndef MOUNT_MOUNT_POINT_H
#define MOUNT_MOUNT_POINT_H

#include <stdbool.h>

struct buf;

/*
 * The mountpoint's absolute path, which the caller frees. It must be an empty
 * directory that nothing is mounted on, an automount's trigger apart; a mount
 * whose daemon has died (ENOTCONN) is detached first. -errno with why in err.
 */
int mount_point_prepare(const char *path, char **out, struct buf *err);

/* Detaches a mount, busy or not: by umount2 or, for users, fusermount3. */
int mount_point_detach(const char *path);

#endif
