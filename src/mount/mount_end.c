/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   serving --signal--> leaving --no file is written any more--> over
 *                               --quiet for stop_timeout-->
 *                               --another signal---------->
 *   either one --the kernel let go: umount, abort--> over
 *
 * SIGUSR1 is mount_end_stop()'s word that it is over; another process's is
 * nothing.
 */
#include "mount/mount_end.h"

#include <signal.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/thread.h"
#include "fs/fs.h"
#include "fuse/guard.h"
#include "fuse/session.h"
#include "mount/mount_lock.h"
#include "mount/mount_point.h"
#include "mount/mount_reload.h"

/*
 * A writer that has sent nothing for stop_timeout is not copying: it keeps a
 * file open, as a daemon does its log. A copy pauses for what it reads from,
 * and what is slow there, a disk that spins up or a connection that must be
 * made again, is back within a minute; and a machine that shuts down waits for
 * a service that long (systemd: 90 s).
 */
#define LOOK_MS 100
/* How often it is looked whether files that keys are in have changed. */
#define FILES_LOOK_S 2
/* timeout(1) and closing terminals send the same signal twice. */
#define ECHO_MS 1000

static void mount_end_signals(sigset_t *out)
{
	sigemptyset(out);
	sigaddset(out, SIGTERM);
	sigaddset(out, SIGINT);
	sigaddset(out, SIGHUP);
	sigaddset(out, SIGUSR1);
}

void mount_end_block(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	mount_end_signals(&set);
	sigdelset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

/* Files that are open for writing. */
static unsigned mount_end_writers(struct mount_end *e)
{
	struct fs_writers w;

	fs_writers(e->set.fs, &w);
	return w.open;
}

/* Which file is waited for: for the log, and for the next mount's message. */
static void mount_end_note(struct mount_end *e, struct buf *name)
{
	fs_writer_name(e->set.fs, name);
	mount_lock_record(e->set.lock, session_device(e->set.session),
			  buf_str(name));
}

/* From here on until the process ends others find the place busy. */
static void mount_end_guard(struct mount_end *e)
{
	e->guard = guard_new(e->set.mountpoint);
	if (!e->guard)
		log_warn("%s cannot be guarded: what is written there now goes "
			 "into the directory below",
			 e->set.mountpoint);
}

static void mount_end_detach(struct mount_end *e)
{
	const char *mountpoint = e->set.mountpoint;
	BUF_LOCAL name = BUF_INIT(BUF_MESSAGE);
	unsigned n = mount_end_writers(e);

	if (session_mounted(e->set.session) && mount_point_detach(mountpoint))
		log_warn("%s cannot be detached: others may still come in",
			 mountpoint);
	else if (n)
		mount_end_guard(e);
	if (n) {
		mount_end_note(e, &name);
		log_warn("%s ends: waiting until %u file%s open for writing "
			 "%s closed: %s%s (a second signal ends it at once)",
			 mountpoint, n, n == 1 ? " that is" : "s that are",
			 n == 1 ? "is" : "are", buf_str(&name),
			 n == 1 ? "" : ", ...");
	}
	e->n_waits = n;
}

/* Since the first signal or the last request of a writer. */
static bool mount_end_quiet(struct mount_end *e)
{
	BUF_LOCAL name = BUF_INIT(BUF_MESSAGE);
	struct fs_writers w;
	int64_t since;

	fs_writers(e->set.fs, &w);
	since = number_max(w.last_ms, e->signal_ms);
	if (clock_mono_ms() - since < (int64_t)e->set.stop_timeout * 1000)
		return false;
	fs_writer_name(e->set.fs, &name);
	log_warn("%s ends: nothing was written for %llu s (stop_timeout), and "
		 "%u file%s still open for writing: %s%s",
		 e->set.mountpoint, (unsigned long long)e->set.stop_timeout,
		 w.open, w.open == 1 ? " is" : "s are", buf_str(&name),
		 w.open > 1 ? ", ..." : "");
	return true;
}

/* Are there any? Another one may be the one that is waited for. */
static bool mount_end_waits(struct mount_end *e)
{
	BUF_LOCAL name = BUF_INIT(BUF_MESSAGE);
	unsigned n = mount_end_writers(e);

	if (n != e->n_waits)
		mount_end_note(e, &name);
	e->n_waits = n;
	return n;
}

/* A moment of waiting; false: it is over. */
static bool mount_end_wait_on(struct mount_end *e, const sigset_t *set)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	int sig = sigtimedwait(set, NULL, &look);

	if (atomic_load(&e->over))
		return false;
	if (sig > 0 && sig != SIGUSR1 && !(sig == SIGHUP && e->set.reload) &&
	    clock_mono_ms() - e->signal_ms >= ECHO_MS) {
		log_warn("%s ends: a second signal", e->set.mountpoint);
		return false;
	}
	return mount_end_waits(e) && !mount_end_quiet(e);
}

/* A hang-up, or no signal for a while. */
static void mount_end_reload(struct mount_end *e, int sig)
{
	BUF_LOCAL said = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);

	if (e->set.reload && sig == SIGHUP)
		mount_reload(e->set.reload, "", &said, &why);
	else if (e->set.reload && sig < 0)
		mount_reload_look(e->set.reload);
}

static void *mount_end_run(void *arg)
{
	const struct timespec look = { .tv_sec = FILES_LOOK_S };
	struct mount_end *e = arg;
	sigset_t set;
	int sig;

	mount_end_signals(&set);
	do {
		sig = sigtimedwait(&set, NULL, &look);
		if (atomic_load(&e->over))
			return NULL;
		mount_end_reload(e, sig);
	} while (sig < 0 || sig == SIGUSR1 || (sig == SIGHUP && e->set.reload));
	e->signal_ms = clock_mono_ms();
	atomic_store(&e->began, true);
	mount_end_detach(e);
	while (mount_end_wait_on(e, &set))
		;
	session_stop(e->set.session);
	return NULL;
}

int mount_end_start(struct mount_end *e, const struct mount_end_settings *set)
{
	*e = (struct mount_end){ .set = *set };
	return thread_start(&e->thread, "end", mount_end_run, e);
}

bool mount_end_stop(struct mount_end *e)
{
	atomic_store(&e->over, true);
	pthread_kill(e->thread, SIGUSR1);
	pthread_join(e->thread, NULL);
	return atomic_load(&e->began);
}
