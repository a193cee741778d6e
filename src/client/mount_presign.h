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

/*
 * form: "" the URL, ".headers", ".method", ".json" or ".curl". 0 with the
 * value in out, or -errno with why in why.
 */
int mount_presign(const struct mount_presign *ask, const char *form,
		  struct buf *out, struct buf *why);

#endif
