/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libfuse 3.14 cannot negotiate: FUSE_PARALLEL_DIROPS (lookups in one
 * directory side by side), FUSE_HANDLE_KILLPRIV_V2 (no getxattr before every
 * write; set-id bits are then ours to clear, see killpriv.h) and
 * FUSE_NO_EXPORT_SUPPORT (no file handles for NFS: ours are numbers of memory,
 * which would be another file's one day). Our read and writev see the INIT
 * exchange pass and put those bits into the reply, if the kernel offered them.
 *
 * Source: <linux/fuse.h>, struct fuse_init_in and fuse_init_out. From libfuse
 * 3.17 on the library does it itself (fuse_set_feature_flag).
 */
#ifndef FUSE_INIT_PATCH_H
#define FUSE_INIT_PATCH_H

struct fuse_session;

/*
 * Puts the hooks into a session that is mounted. after(arg) is called once,
 * when the kernel has taken the INIT reply. 0 or -errno.
 */
int init_patch(struct fuse_session *se, void (*after)(void *arg), void *arg);

#endif
