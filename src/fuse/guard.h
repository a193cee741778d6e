/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guard stands at a mountpoint whose mount was detached while its daemon
 * still works: a file system without anything in it, in which every name is
 * busy. So nothing is written into the directory below, which the next mount
 * would hide, or find in its way.
 */
#ifndef FUSE_GUARD_H
#define FUSE_GUARD_H

struct guard;

/* What /proc/self/mountinfo calls it. */
#define GUARD_TYPE "fuse.stagefs-ending"

/* Mounts it, served by a thread of its own. NULL: it cannot be. */
struct guard *guard_new(const char *mountpoint);
/*
 * Detaches it by detach(), and waits for its thread. Where something else was
 * mounted over it meanwhile that stays, and the guard dies with the process.
 * NULL is fine.
 */
void guard_free(struct guard *g, int (*detach)(const char *mountpoint));

#endif
