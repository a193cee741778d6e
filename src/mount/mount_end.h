/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a mount by a signal (SIGTERM, SIGINT; SIGHUP has the
 * configuration read again): one thread waits
 * for them, all others have them blocked, so no code of ours runs in a signal
 * handler.
 *
 * The first one detaches the mount, so that no process comes in any more; one
 * that has a file open for writing is served until it is closed, and a guard
 * (fuse/guard.h) stands in the place meanwhile. Readers, and processes that
 * merely stand in a directory, do not hold it up.
 */
#ifndef MOUNT_MOUNT_END_H
#define MOUNT_MOUNT_END_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fs;
struct guard;
struct mount_reload;
struct session;

/* All outlive it. */
struct mount_end_settings {
	const char *mountpoint;
	struct fs *fs;
	struct session *session;
	int lock; /* mount_lock_take()'s, or -1 */
	struct mount_reload *reload; /* for SIGHUP; NULL: that ends it too */
	uint64_t stop_timeout; /* s without a write */
};

struct mount_end {
	struct mount_end_settings set;
	pthread_t thread;
	int64_t signal_ms; /* when the first came */
	unsigned n_waits; /* files that were waited for when it last looked */
	/* After mount_end_stop() the caller's, for guard_free(); NULL: none. */
	struct guard *guard;
	_Atomic(bool) began; /* a signal came */
	_Atomic(bool) over; /* SIGUSR1 came from mount_end_stop() */
};

/* Before any thread is made. What comes from here on is kept for _start(). */
void mount_end_block(void);

/* 0 or -errno. */
int mount_end_start(struct mount_end *e, const struct mount_end_settings *set);
/* session_run() has returned. True when a signal was why. */
bool mount_end_stop(struct mount_end *e);

#endif
