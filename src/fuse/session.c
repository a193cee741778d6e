/*
 * Mount, loop, unmount.
 *
 * Workers grow on demand to WORKERS_MAX and are never let go: each may wait on
 * the network, and two hundred readers of a dead stage must not keep `ls` of
 * another waiting. Their stacks are small, so that a thousand are cheap.
 *
 * When the kernel has taken our INIT reply the mount works: only then is its
 * read-ahead raised (it has just been set) and the caller told.
 */
#define FUSE_USE_VERSION 312
#include "fuse/session.h"

#include <ctype.h>
#include <errno.h>
#include <fuse_log.h>
#include <fuse_lowlevel.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "fuse/init_patch.h"
#include "fuse/notify.h"
#include "fuse/ops.h"

#define WORKERS_MAX 1000
#define WORKER_STACK "524288" /* bytes */
#define READ_AHEAD_KIB 1024 /* of the kernel: its largest request */

struct session {
	struct fuse_session *se;
	struct fs *fs;
	char *mountpoint;
	void (*ready)(void *arg);
	void *arg;
};

/*
 * Where libfuse's messages go while it mounts: to who mounts. NULL: to the log,
 * which is not stderr in the background. Its callback has no argument; a
 * process mounts once, and no other thread runs then.
 */
static struct buf *mount_says;

__attribute__((format(printf, 2, 0))) static void fuse_says(
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
static void add_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == ',' || *s == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *s);
	}
}

static struct fuse_session *new_session(const struct session_settings *set,
					struct fs *fs)
{
	struct buf o = BUF_INIT(BUF_LINE);
	struct fuse_session *se = NULL;
	char *argv[] = { (char *)"stagefs", (char *)"-o", NULL, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);

	buf_adds(&o, "subtype=stagefs,default_permissions,fsname=");
	add_escaped(&o, set->fsname);
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
	buf_clear(&o);
	return se;
}

/* "36 35 0:42 / /mnt ..." of /proc/self/mountinfo: the device of our mount,
 * found without asking the mount itself. The last one of a place counts. */
static bool find_device(const char *mountpoint, char *device, size_t size)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, dev[32], where[4097];
	size_t cap = 0;
	bool found = false;

	while (f && getline(&line, &cap, f) > 0) {
		if (sscanf(line, "%*d %*d %31s %*s %4096s", dev, where) != 2)
			continue;
		text_unescape_octal(where);
		if (strcmp(where, mountpoint))
			continue;
		snprintf(device, size, "%s", dev);
		found = true;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* The default of 128 KiB is 12 MiB/s at 20 ms; only root may raise it. */
static void raise_read_ahead(const char *mountpoint)
{
	char device[32], path[96];
	FILE *f;

	if (!find_device(mountpoint, device, sizeof(device)))
		return;
	snprintf(path, sizeof(path), "/sys/class/bdi/%s/read_ahead_kb", device);
	f = fopen(path, "we");
	if (!f)
		return;
	fprintf(f, "%d\n", READ_AHEAD_KIB);
	fclose(f);
}

static void after_init(void *arg)
{
	struct session *s = arg;

	raise_read_ahead(s->mountpoint);
	s->ready(s->arg);
}

int session_new(const struct session_settings *set, struct fs *fs,
		struct session **out, struct buf *err)
{
	struct session *s = calloc(1, sizeof(*s));
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = -ENOMEM;

	if (!s)
		goto out;
	mount_says = &why;
	fuse_set_log_func(fuse_says);
	s->fs = fs;
	s->mountpoint = strdup(set->mountpoint);
	if (!s->mountpoint)
		goto out;
	s->se = new_session(set, fs);
	rc = -EINVAL;
	if (!s->se) {
		buf_addf(err, "libfuse refused the mount options: %s",
			 why.len ? buf_str(&why) : "it does not say why");
		goto out;
	}
	rc = -EIO;
	if (fuse_session_mount(s->se, s->mountpoint)) {
		buf_addf(err, "%s: %s", set->mountpoint,
			 why.len ? buf_str(&why) : "fusermount3 refused");
		goto out;
	}
	*out = s;
	rc = 0;
out:
	mount_says = NULL;
	buf_clear(&why);
	if (!rc)
		return 0;
	if (s && s->se)
		fuse_session_destroy(s->se);
	if (s)
		free(s->mountpoint);
	free(s);
	return rc;
}

int session_run(struct session *s, void (*ready)(void *arg), void *arg)
{
	struct fuse_loop_config *cfg = fuse_loop_cfg_create();
	struct notify *notify;
	int rc = -ENOMEM;

	s->ready = ready;
	s->arg = arg;
	if (!cfg)
		return rc;
	fuse_loop_cfg_set_max_threads(cfg, WORKERS_MAX);
	setenv("FUSE_THREAD_STACK", WORKER_STACK, 0);
	rc = init_patch(s->se, after_init, s);
	if (!rc) {
		notify = notify_start(s->se, s->fs);
		rc = fuse_session_loop_mt(s->se, cfg);
		notify_stop(notify);
	}
	fuse_loop_cfg_destroy(cfg);
	/* A positive value is the signal that ended the loop. */
	return rc < 0 ? rc : 0;
}

void session_stop(struct session *s)
{
	fuse_session_exit(s->se);
}

void session_free(struct session *s)
{
	if (!s)
		return;
	fuse_session_unmount(s->se);
	fuse_session_destroy(s->se);
	free(s->mountpoint);
	free(s);
}
