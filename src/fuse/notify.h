/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread that tells the kernel what was not changed through the mount
 * (inval_queue_next()). It may wait in the kernel for requests of its own to be
 * answered, so it holds nothing and is never inside an operation.
 */
#ifndef FUSE_NOTIFY_H
#define FUSE_NOTIFY_H

struct fs;
struct fuse_session;
struct notify;

/* After the fork. NULL without memory or thread: the kernel then learns of
 * changes when what it knows has aged. */
struct notify *notify_start(struct fuse_session *se, struct fs *fs);
/*
 * Ends the thread, once the session's loop has ended and before its end: what
 * the thread may wait for is answered here meanwhile. NULL is fine.
 */
void notify_stop(struct notify *n);

#endif
