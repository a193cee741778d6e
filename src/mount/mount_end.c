/*
 *   serving --signal--> leaving --no file is written any more--> over
 *                               --quiet for QUIET_MS------>
 *                               --another signal---------->
 *   either one --the kernel let go: umount, abort--> over
 *
 * SIGUSR1 is mount_end_stop()'s word that it is over; another process's is
 * nothing.
 */
#include "mount/mount_end.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "fs/fs.h"
#include "fuse/session.h"
#include "mount/mount_point.h"

/*
 * A writer that has sent nothing for so long is not copying: it keeps a file
 * open, as a daemon does its log. A copy pauses for what it reads from, and
 * what is slow there, a disk that spins up or a connection that must be made
 * again, is back within a minute; and a machine that shuts down waits for a
 * service that long (systemd: 90 s).
 */
#define QUIET_MS 60000
#define LOOK_MS 100
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

	fs_writers(e->fs, &w);
	return w.open;
}

static void mount_end_detach(struct mount_end *e)
{
	unsigned n = mount_end_writers(e);

	if (session_mounted(e->session) && mount_point_detach(e->mountpoint))
		log_warn("%s cannot be detached: others may still come in",
			 e->mountpoint);
	if (n)
		log_info("%s ends: waiting until %u file%s open for writing "
			 "%s closed (a second signal ends it at once)",
			 e->mountpoint, n, n == 1 ? " that is" : "s that are",
			 n == 1 ? "is" : "are");
}

/* Since the first signal or the last request of a writer. */
static bool mount_end_quiet(struct mount_end *e)
{
	struct fs_writers w;
	int64_t since;

	fs_writers(e->fs, &w);
	since = w.last_ms > e->signal_ms ? w.last_ms : e->signal_ms;
	if (clock_mono_ms() - since < QUIET_MS)
		return false;
	log_warn("%s ends: nothing was written for %d s, and %u file%s still "
		 "open for writing",
		 e->mountpoint, QUIET_MS / 1000, w.open,
		 w.open == 1 ? " is" : "s are");
	return true;
}

/* A moment of waiting; false: it is over. */
static bool mount_end_wait_on(struct mount_end *e, const sigset_t *set)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	int sig = sigtimedwait(set, NULL, &look);

	if (atomic_load(&e->over))
		return false;
	if (sig > 0 && sig != SIGUSR1 &&
	    clock_mono_ms() - e->signal_ms >= ECHO_MS) {
		log_warn("%s ends: a second signal", e->mountpoint);
		return false;
	}
	return mount_end_writers(e) && !mount_end_quiet(e);
}

static void *mount_end_run(void *arg)
{
	struct mount_end *e = arg;
	sigset_t set;
	int sig;

	mount_end_signals(&set);
	do {
		sig = sigwaitinfo(&set, NULL);
		if (atomic_load(&e->over))
			return NULL;
	} while (sig < 0 || sig == SIGUSR1);
	e->signal_ms = clock_mono_ms();
	atomic_store(&e->began, true);
	mount_end_detach(e);
	while (mount_end_wait_on(e, &set))
		;
	session_stop(e->session);
	return NULL;
}

int mount_end_start(struct mount_end *e, const char *mountpoint, struct fs *fs,
		    struct session *session)
{
	*e = (struct mount_end){ .mountpoint = mountpoint,
				 .fs = fs,
				 .session = session };
	return thread_start(&e->thread, "end", mount_end_run, e);
}

bool mount_end_stop(struct mount_end *e)
{
	atomic_store(&e->over, true);
	pthread_kill(e->thread, SIGUSR1);
	pthread_join(e->thread, NULL);
	return atomic_load(&e->began);
}
