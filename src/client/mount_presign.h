/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-signed URLs from a mount, by its extended attributes: the mount's own
 * keys sign, and its permissions hold. Blocks as a system call on it does.
 */
#ifndef CLIENT_MOUNT_PRESIGN_H
#define CLIENT_MOUNT_PRESIGN_H

#include "presign/presign.h"

struct buf;

struct mount_presign {
	const char *path; /* of a file that need not exist */
	enum presign_action action;
	int64_t expire; /* s; 0: the mount's */
	const char *content_type; /* NULL: none */
};

/* The row; 0 or -errno with why in why. store_presign_clear() after 0. */
int mount_presign(const struct mount_presign *ask, struct store_presigned *row,
		  struct buf *why);

#endif
