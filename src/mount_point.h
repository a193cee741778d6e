/*
 * The place to mount on: is it fit, and is the last daemon there done?
 */
#ifndef MOUNT_POINT_H
#define MOUNT_POINT_H

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

/*
 * umount(8) returns before the daemon has published everything. A daemon
 * holds the lock of its source and mountpoint until then; who mounts the same
 * again waits, says so once on stderr, and gives up after MOUNT_LOCK_WAIT_S.
 */
#define MOUNT_LOCK_WAIT_S 600

/* *fd: the lock, held until closed in this process and its children; -1 where
 * there is no directory for locks. -errno with why in err. */
int mount_lock_take(const char *source, const char *mountpoint, int *fd,
		    struct buf *err);

#endif
