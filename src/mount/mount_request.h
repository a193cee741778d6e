/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of a mount: by hand, as mount.fuse3 calls it for
 * `-t fuse.stagefs`, and as mount(8) calls a helper for `-t stagefs`. Pure.
 */
#ifndef MOUNT_MOUNT_REQUEST_H
#define MOUNT_MOUNT_REQUEST_H

#include <stdbool.h>

#include "base/buf.h"

struct mount_request {
	const char *source; /* NULL: the default configuration */
	const char *mountpoint;
	bool foreground; /* -f by hand */
	bool fake; /* -f of mount(8): check, do not mount */
	bool remount; /* a mount that is there is to change */
	char *config; /* -o config=FILE or --config; NULL: none */
	char *fsname; /* -o fsname=; NULL: the source */
	struct buf flags; /* for the kernel: "noexec,noatime" */
	bool labels; /* SELinux's among them: context= and its kin */
	char **settings; /* `name=value` or `name`: the configuration's */
	unsigned n_settings;
	size_t cap_settings;
};

/*
 * argv without the program's name. helper: called as mount.stagefs. 0, or
 * -EINVAL with why set. mount_request_clear() frees, after a failure too.
 */
int mount_request_parse(int argc, char **argv, bool helper,
			struct mount_request *out, struct buf *why);
void mount_request_clear(struct mount_request *r);

#endif
