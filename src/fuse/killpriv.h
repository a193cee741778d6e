/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the kernel ask that a request clears set-id bits? With
 * FUSE_HANDLE_KILLPRIV_V2 that is the file system's to do, and each request of
 * a caller without CAP_FSETID says so in a flag, which libfuse (up to 3.18)
 * drops. The read hook sees the request before libfuse does, on the thread
 * that will serve it.
 *
 * Source: <linux/fuse.h>: FUSE_WRITE_KILL_SUIDGID, FATTR_KILL_SUIDGID (which
 * chown of a file always has), FUSE_OPEN_KILL_SUIDGID.
 */
#ifndef FUSE_KILLPRIV_H
#define FUSE_KILLPRIV_H

#include <stdbool.h>
#include <stddef.h>

/* A request of len bytes as it was read. */
void killpriv_note(const void *request, size_t len);
/* The flag of the request that this thread read last. */
bool killpriv_wanted(void);

#endif
