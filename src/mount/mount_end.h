/*
 * The end of a mount by a signal (SIGTERM, SIGINT, SIGHUP): one thread waits
 * for them, all others have them blocked, so no code of ours runs in a signal
 * handler.
 *
 * The first one detaches the mount, so that no process comes in any more; one
 * that has a file open for writing is served until it is closed. Readers, and
 * processes that merely stand in a directory, do not hold it up.
 */
#ifndef MOUNT_MOUNT_END_H
#define MOUNT_MOUNT_END_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fs;
struct session;

struct mount_end {
	const char *mountpoint;
	struct fs *fs;
	struct session *session;
	pthread_t thread;
	int64_t signal_ms; /* when the first came */
	_Atomic(bool) began; /* a signal came */
	_Atomic(bool) over; /* SIGUSR1 came from mount_end_stop() */
};

/* Before any thread is made. What comes from here on is kept for _start(). */
void mount_end_block(void);

/* fs and session outlive it. 0 or -errno. */
int mount_end_start(struct mount_end *e, const char *mountpoint, struct fs *fs,
		    struct session *session);
/* session_run() has returned. True when a signal was why. */
bool mount_end_stop(struct mount_end *e);

#endif
