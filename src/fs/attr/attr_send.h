/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing attributes that callers have changed, for a name whose bytes are in
 * the store already: its HEAD (not of what was stored just before), and a copy
 * of it onto itself with the headers that it had and the new attributes; a
 * directory without an object gets one.
 */
#ifndef FS_ATTR_ATTR_SEND_H
#define FS_ATTR_ATTR_SEND_H

#include "fs/names/inode.h"

struct object_details;
struct store;
struct store_attr;

/* The headers of the object of i, at key in s, with these attributes; those
 * that it has are asked for, unless it was stored here just before. 0 or
 * -errno. */
int attr_send_props(struct tree *t, struct inode *i, struct store *s,
		    const char *key, const struct store_attr *a,
		    struct object_details *d);
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
