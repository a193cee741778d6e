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
 * Mounts. Starts no thread. 0, or -errno with why in err. fs outlives the
 * session.
 */
int session_new(const struct session_settings *set, struct fs *fs,
		struct session **out, struct buf *err);

/*
 * Answers the kernel until the mount is gone or session_stop(). ready(arg) is
 * called once, when the kernel has taken our INIT reply: only then does the
 * mount work. 0 or -errno.
 */
int session_run(struct session *s, void (*ready)(void *arg), void *arg);

/* Ends session_run() soon. May be called from a signal handler. */
void session_stop(struct session *s);

/*
 * Unmounts (at once for new users, also when busy), frees. What is dirty
 * should have been published before.
 */
void session_free(struct session *s);

#endif
