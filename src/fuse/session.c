/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount, loop, unmount.
 *
 * Workers grow on demand to WORKERS_MAX and are never let go: each may wait on
 * the network, and two hundred readers of a dead stage must not keep `ls` of
 * another waiting. Their stacks are small, so that a thousand are cheap.
 *
 * When the kernel has taken our INIT reply the mount works: only then is its
 * read-ahead raised (it has just been set) and the caller told.
 *
 * The loop's own thread sleeps until a signal interrupts it, and only then sees
 * that it is to end; session_stop() sends it SIGUSR1 for that.
 */
#define FUSE_USE_VERSION 312
#include "fuse/session.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_log.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mountinfo.h"
#include "base/proc.h"
#include "base/text.h"
#include "fuse/init_patch.h"
#include "fuse/notify.h"
#include "fuse/ops.h"

#define WORKERS_MAX 1000
#define WORKER_STACK "524288" /* bytes */
#define READ_AHEAD_KIB 1024 /* of the kernel: its largest request */
#define WAKE_MS 20

struct session {
	struct fuse_session *se;
	struct fs *fs;
	char *mountpoint;
	char device[32]; /* of the mount: "0:42"; empty: not known */
	struct proc_mount mount; /* of that device */
	pthread_t runner; /* whose loop it is */
	_Atomic(bool) looping; /* it has yet to end */
	void (*ready)(void *arg);
	void *arg;
};

/*
 * Where libfuse's messages go while it mounts: to the caller that mounts. NULL:
 * to the log, which is not stderr in the background. Its callback has no
 * argument; a process mounts once, and no other thread runs then.
 */
static struct buf *mount_says;

__attribute__((format(printf, 2, 0))) static void session_log_fuse(
	enum fuse_log_level level, const char *fmt, va_list ap)
{
	const char *text;
	char line[512];
	size_t len;

	vsnprintf(line, sizeof(line), fmt, ap);
	text = line + (text_starts_with(line, "fuse: ") ? 6 : 0);
	for (len = strlen(line); len && isspace((unsigned char)line[len - 1]);)
		line[--len] = '\0';
	if (mount_says)
		buf_addf(mount_says, "%s%s", mount_says->len ? "; " : "", text);
	else
		log_at(level <= FUSE_LOG_WARNING ? LOG_LEVEL_WARN
						 : LOG_LEVEL_DEBUG,
		       NULL, "libfuse: %s", text);
}

/* A comma or a backslash within a value of -o. */
static void session_add_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == ',' || *s == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *s);
	}
}

static struct fuse_session *session_new_fuse(const struct session_settings *set,
					     struct fs *fs)
{
	BUF_LOCAL o = BUF_INIT(BUF_LINE);
	struct fuse_session *se = NULL;
	char *argv[] = { (char *)"stagefs", (char *)"-o", NULL, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);

	buf_adds(&o, "subtype=stagefs,default_permissions,fsname=");
	session_add_escaped(&o, set->fsname);
	if (set->allow_other)
		buf_adds(&o, ",allow_other");
	buf_adds(&o, set->allow_suid ? ",suid,dev" : ",nosuid,nodev");
	if (set->flags && *set->flags)
		buf_addf(&o, ",%s", set->flags);
	if (!buf_err(&o)) {
		argv[2] = o.data;
		se = fuse_session_new(&args, &ops, sizeof(ops), fs);
	}
	fuse_opt_free_args(&args);
	return se;
}

static pid_t session_process_of(void *arg, pid_t thread)
{
	return proc_process(thread);
}

static int session_writers_of(void *arg, pid_t thread, uint64_t ino)
{
	struct session *s = arg;

	return proc_writers(thread, ino, &s->mount);
}

static int session_descends(void *arg, pid_t process, pid_t from)
{
	return proc_descends(process, from);
}

static uint64_t session_program_of(void *arg, pid_t process)
{
	return proc_program(process);
}

static bool session_is_ending(void *arg, pid_t thread)
{
	return proc_ending(thread);
}

/* Files of the mount can be told from others in /proc. */
static void session_know_processes(struct session *s)
{
	const struct fs_processes p = { session_process_of, session_writers_of,
					session_descends,   session_program_of,
					session_is_ending,  s };

	s->mount.device = s->device;
	fs_set_processes(s->fs, &p);
}

/* The default of 128 KiB is 12 MiB/s at 20 ms; only root may raise it. */
static void session_raise_read_ahead(const char *device)
{
	char path[96];
	FILE *f;

	if (!*device)
		return;
	snprintf(path, sizeof(path), "/sys/class/bdi/%s/read_ahead_kb", device);
	f = fopen(path, "we");
	if (!f)
		return;
	fprintf(f, "%d\n", READ_AHEAD_KIB);
	fclose(f);
}

static void session_after_init(void *arg)
{
	struct session *s = arg;

	session_raise_read_ahead(s->device);
	s->ready(s->arg);
}

/* Its coming alone ends a sleep. */
static void session_woken(int sig)
{
}

int session_new(const struct session_settings *set, struct fs *fs,
		struct session **out, struct buf *why)
{
	struct sigaction wake = { .sa_handler = session_woken };
	struct session *s = calloc(1, sizeof(*s));
	BUF_LOCAL said = BUF_INIT(BUF_MESSAGE);
	struct mountinfo_place place;
	int rc = -ENOMEM;

	if (!s)
		goto out;
	mount_says = &said;
	fuse_set_log_func(session_log_fuse);
	s->fs = fs;
	s->mountpoint = strdup(set->mountpoint);
	if (!s->mountpoint)
		goto out;
	s->se = session_new_fuse(set, fs);
	rc = -EINVAL;
	if (!s->se) {
		buf_addf(why, "libfuse refused the mount options: %s",
			 said.len ? buf_str(&said) : "it does not say why");
		goto out;
	}
	rc = -EIO;
	if (fuse_session_mount(s->se, s->mountpoint)) {
		buf_addf(why, "%s: %s", set->mountpoint,
			 said.len ? buf_str(&said) : "fusermount3 refused");
		goto out;
	}
	/* Found without asking the mount itself. */
	if (mountinfo_at(s->mountpoint, &place)) {
		strcpy(s->device, place.device);
		s->mount.id = (int)place.id;
		session_know_processes(s);
	}
	s->runner = pthread_self();
	atomic_store(&s->looping, true);
	sigaction(SIGUSR1, &wake, NULL);
	*out = s;
	rc = 0;
out:
	mount_says = NULL;
	if (!rc)
		return 0;
	if (s && s->se)
		fuse_session_destroy(s->se);
	if (s)
		free(s->mountpoint);
	free(s);
	return rc;
}

static int session_loop(struct session *s, struct fuse_loop_config *cfg)
{
	struct notify *notify;
	int rc = init_patch(s->se, session_after_init, s);

	if (rc)
		return rc;
	notify = notify_start(s->se, s->fs);
	rc = fuse_session_loop_mt(s->se, cfg);
	notify_stop(notify);
	/* A positive value is the signal that ended the loop. */
	return rc < 0 ? rc : 0;
}

int session_run(struct session *s, void (*ready)(void *arg), void *arg)
{
	struct fuse_loop_config *cfg = fuse_loop_cfg_create();
	int rc = -ENOMEM;

	s->ready = ready;
	s->arg = arg;
	if (cfg) {
		fuse_loop_cfg_set_max_threads(cfg, WORKERS_MAX);
		setenv("FUSE_THREAD_STACK", WORKER_STACK, 0);
		rc = session_loop(s, cfg);
		fuse_loop_cfg_destroy(cfg);
	}
	atomic_store(&s->looping, false);
	return rc;
}

void session_stop(struct session *s)
{
	const struct timespec moment = { .tv_nsec = WAKE_MS * 1000000L };

	/* It may be about to sleep just now, so once may not be enough. */
	fuse_session_exit(s->se);
	while (atomic_load(&s->looping)) {
		pthread_kill(s->runner, SIGUSR1);
		nanosleep(&moment, NULL);
	}
}

const char *session_device(const struct session *s)
{
	return s->device;
}

bool session_mounted(struct session *s)
{
	struct mountinfo_place place;

	return !*s->device || (mountinfo_at(s->mountpoint, &place) &&
			       !strcmp(place.device, s->device));
}

/* The root's inode lives as long as the mount, and the kernel says whether it
 * has one: telling it to forget its attributes costs nothing. */
bool session_gone(struct session *s)
{
	return fuse_lowlevel_notify_inval_inode(s->se, FUSE_ROOT_ID, -1, 0) ==
	       -ENOENT;
}

/*
 * libfuse unmounts whatever stands at the mountpoint, unless its device says
 * POLLERR: it takes that for a mount which is gone. So our connection is closed
 * here, and a pipe whose reader has left stands in its place.
 */
static void session_close_device(struct session *s)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return;
	close(ends[0]);
	dup2(ends[1], fuse_session_fd(s->se));
	close(ends[1]);
}

void session_free(struct session *s)
{
	if (!s)
		return;
	/* What is released at the end is not closed by a program any more. */
	fs_set_processes(s->fs, &(struct fs_processes){ 0 });
	if (!session_mounted(s))
		session_close_device(s);
	fuse_session_unmount(s->se);
	fuse_session_destroy(s->se);
	free(s->mountpoint);
	free(s);
}

const char *session_library(void)
{
	return fuse_pkgversion();
}
