/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mounted file system: from fuse_session_new() to the last reply.
 */
#ifndef FUSE_SESSION_H
#define FUSE_SESSION_H

#include <stdbool.h>

struct buf;
struct fs;
struct session;

struct session_settings {
	const char *mountpoint; /* absolute */
	const char *fsname; /* shown in /proc/mounts */
	const char *flags; /* further mount flags: "ro,noatime"; or NULL */
	bool allow_other;
	bool allow_suid; /* else nosuid,nodev */
};

/*
 * Mounts. Starts no thread. 0, or -errno with a sentence in why. fs outlives
 * the session.
 */
int session_new(const struct session_settings *set, struct fs *fs,
		struct session **out, struct buf *why);

/*
 * Answers the kernel until the mount is gone or session_stop(). ready(arg) is
 * called once, when the kernel has taken our INIT reply: only then does the
 * mount work. 0 or -errno.
 */
int session_run(struct session *s, void (*ready)(void *arg), void *arg);

/* Ends session_run(), and returns when it has let go of its workers: requests
 * under way are answered. From another thread, or before session_run(). */
void session_stop(struct session *s);

/* The mount's, as /proc/PID/mountinfo has it: "0:42"; "": not known. */
const char *session_device(const struct session *s);
/* Is it our mount that one sees at the mountpoint? Detached ones are not. */
bool session_mounted(struct session *s);
/* After session_run(): has the kernel let go of the mount, so that no program
 * has a file of it open? False when its connection was merely aborted, or we
 * stopped. */
bool session_gone(struct session *s);

/*
 * Unmounts (at once for new users, also when busy), frees. Another mount that
 * has come to the mountpoint meanwhile stays.
 */
void session_free(struct session *s);

/* The version of libfuse. Static. */
const char *session_library(void);

#endif
