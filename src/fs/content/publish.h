/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the store's object of content that is kept remotely. With the turn.
 */
#ifndef FS_CONTENT_PUBLISH_H
#define FS_CONTENT_PUBLISH_H

#include "fs/content/turn.h"

/* As struct content_ops has it. */
int publish_remote(struct file *f, const char *key, struct object_info *result)
	REQUIRES(f->turn);

#endif
