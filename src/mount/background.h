/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Going to the background with the truth: the parent leaves only when the
 * child has said how it went.
 */
#ifndef MOUNT_BACKGROUND_H
#define MOUNT_BACKGROUND_H

/*
 * Forks. In the parent: waits for the child's word and exits with it (with
 * `failed` when the child dies without one). In the child: returns 0, with the
 * pipe in *fd. -errno when there was no fork.
 * Before any thread.
 */
int background_begin(int failed, int *fd);

/* The child's word, once: after 0 it is in a session of its own, and has let go
 * of the terminal. fd -1: no parent. */
void background_end(int fd, int status);

#endif
