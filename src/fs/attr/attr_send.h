/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing attributes that callers have changed, for a name whose bytes are in
 * the store already: its HEAD, and a copy of it onto itself with the headers
 * that it had and the new attributes; a directory without an object gets one.
 */
#ifndef FS_ATTR_ATTR_SEND_H
#define FS_ATTR_ATTR_SEND_H

#include "fs/names/inode.h"

/* What is dirty of i; nothing when it is not, or its name is gone, or it has
 * bytes that are yet to be published, with which they go. Blocks, and waits for
 * a thread that publishes, moves or removes it. 0, -EINTR, or why it cannot be
 * stored: then the change is forgotten. */
int attr_send(struct tree *t, struct inode *i);
/* The same by a thread that has claimed i (claims_publish_begin()), so that
 * nothing else is published at its key meanwhile. Of a directory that waits to
 * be sent the change is not forgotten. */
int attr_send_claimed(struct tree *t, struct inode *i, const char *key);

#endif
