/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Unix socket for each mount, beside its lock and for its user alone, by
 * which `stagefs reload` and others reach the daemon.
 */
#ifndef MOUNT_MOUNT_CONTROL_H
#define MOUNT_MOUNT_CONTROL_H

struct buf;
struct mount_control;

/* Answers one request: a word. 0 with the text in out, or -errno with one line
 * in `why`. On the socket's thread. */
struct mount_control_command {
	const char *word;
	int (*run)(void *arg, struct buf *out, struct buf *why);
};

/* device: session_device(). commands end with a NULL word, and outlive it.
 * NULL: there is no place for it, or it cannot be made. */
struct mount_control *mount_control_new(
	const char *device, const struct mount_control_command *commands,
	void *arg);
void mount_control_free(struct mount_control *c); /* NULL is fine */

/* Asks the daemon of the mount at path: what it answered in out. 0 or -errno,
 * with why set. Blocks until it has answered. */
int mount_control_ask(const char *path, const char *word, struct buf *out,
		      struct buf *why);

#endif
