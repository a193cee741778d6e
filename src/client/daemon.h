/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemons of this user's mounts: each has a Unix socket beside its lock, by
 * which `stagefs reload` and others reach it. One line goes there, a word, for
 * some with more behind tabs; `ok` or `error` and a text come back.
 */
#ifndef CLIENT_DAEMON_H
#define CLIENT_DAEMON_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct sockaddr_un;

/* How long a verb waits for what a mount has gathered. */
#define DAEMON_SETTLE_MS 3000

/* Where a user's mounts have their locks and sockets: made, if need be. 0 or
 * -errno; -ENOENT: there is none. */
int daemon_directory(char *dir, size_t size);
/* device, user: the mount's, as mountinfo has them ("0:42"; user 0: the
 * caller's own). -ENOENT: no place; -ENAMETOOLONG. */
int daemon_address(const char *device, uint64_t user, struct sockaddr_un *out);

/* Asks the daemon of the mount at path: what it answered in out. 0 or -errno,
 * with why set. Blocks until it has answered. */
int daemon_ask(const char *path, const char *word, struct buf *out,
	       struct buf *why);

/*
 * What this user's mounts have gathered (fs/burst) is sent, so that what comes
 * next finds it done: a batch that left later would take away what a verb has
 * put there. All are asked side by side; one that has not answered within
 * DAEMON_SETTLE_MS is said on stderr, one that cannot be reached is not.
 */
void daemon_settle(void);

#endif
