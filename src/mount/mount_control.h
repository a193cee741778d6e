/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's end of its mount's socket (client/daemon.h).
 */
#ifndef MOUNT_MOUNT_CONTROL_H
#define MOUNT_MOUNT_CONTROL_H

struct buf;
struct mount_control;

/* Answers one request: a word, and what follows it after a tab (else ""). 0
 * with the text in out, or -errno with one line in `why`. On the socket's
 * thread. */
struct mount_control_command {
	const char *word;
	int (*run)(void *arg, const char *rest, struct buf *out,
		   struct buf *why);
};

/* device: session_device(). commands end with a NULL word, and outlive it.
 * NULL: there is no place for it, or it cannot be made. */
struct mount_control *mount_control_new(
	const char *device, const struct mount_control_command *commands,
	void *arg);
void mount_control_free(struct mount_control *c); /* NULL is fine */

#endif
