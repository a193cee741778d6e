/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock is flock(2)'s, of a file named after source and mountpoint. What is
 * in the file is for people only: `PID DEVICE` of the daemon that has it, and
 * in a second line the file that it waits for. DEVICE is looked for in the
 * mountinfo of each mount namespace: umount(8) in one of them leaves the copies
 * that others have, as a container made while the mount stood, and their
 * daemon.
 */
#include "mount/mount_lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mountinfo.h"
#include "base/text.h"
#include "client/daemon.h"

#define WAITS_MAX 1023
#define RECORD_MAX (63 + WAITS_MAX)
#define NAMED_MAX 3 /* processes in a message */
#define NAMESPACES_MAX 256 /* looked at, each once */
#define PAUSE_MS 100

static void mount_lock_write_record(int fd, const char *device,
				    const char *waits)
{
	char record[RECORD_MAX + 1];
	int n = snprintf(record, sizeof(record), "%ld %s\n%.*s\n",
			 (long)getpid(), device, WAITS_MAX, waits);

	/* A note that is missing costs a message its names, nothing else. */
	if (n > 0 && (size_t)n < sizeof(record) && !ftruncate(fd, 0))
		io_pwrite(fd, record, (size_t)n, 0);
}

void mount_lock_record(int fd, const char *device, const char *waits)
{
	if (fd >= 0)
		mount_lock_write_record(fd, device, waits);
}

struct owner {
	long pid; /* 0: not known */
	char device[32]; /* "": not known */
	char waits[WAITS_MAX + 1]; /* for that file; "": for none */
};

static void mount_lock_read_owner(int fd, struct owner *o)
{
	char record[RECORD_MAX + 1], *line;
	ssize_t n = io_pread(fd, record, RECORD_MAX, 0);

	memset(o, 0, sizeof(*o));
	if (n <= 0)
		return;
	record[n] = '\0';
	if (sscanf(record, "%ld %31s", &o->pid, o->device) < 1 || o->pid < 0) {
		memset(o, 0, sizeof(*o));
		return;
	}
	line = strchr(record, '\n');
	if (line)
		snprintf(o->waits, sizeof(o->waits), "%.*s",
			 (int)strcspn(line + 1, "\n"), line + 1);
}

/* ---- which namespaces have a mount ---- */

#define PATH_SIZE 4097

/* The first place that a process sees the device at; false: it does not. */
static bool mount_lock_sees(const char *pid, const char *device,
			    char where[PATH_SIZE])
{
	struct mountinfo_row row;
	MOUNTINFO_LOCAL table = { 0 };
	bool found = false;

	mountinfo_open(&table, pid);
	while (!found && mountinfo_next(&table, &row))
		found = !strcmp(row.device, device);
	if (found)
		snprintf(where, PATH_SIZE, "%s", row.point);
	return found;
}

/*
 * A number for the mount namespace of a process: that of its first mount, which
 * no other namespace has; 0: not known. Its link in /proc/PID/ns waits for a
 * process in execve(2), which may be waiting for the daemon that we wait for.
 */
static unsigned long mount_lock_namespace(const char *pid)
{
	unsigned long first = 0;
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/mountinfo", pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%lu", &first) != 1)
		first = 0;
	if (f)
		fclose(f);
	return first;
}

static void mount_lock_add_process(struct buf *out, const char *pid)
{
	char path[300], name[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (f && fgets(name, sizeof(name), f))
		name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
	buf_addf(out, " %s (%s)", pid, *name ? name : "?");
}

struct search {
	const char *device;
	unsigned long seen[NAMESPACES_MAX];
	unsigned n_seen, found;
};

static bool mount_lock_seen_before(struct search *s, unsigned long ns)
{
	for (unsigned k = 0; k < s->n_seen; k++)
		if (s->seen[k] == ns)
			return true;
	if (s->n_seen < NAMESPACES_MAX)
		s->seen[s->n_seen++] = ns;
	return false;
}

/* A process of each other namespace that has the device mounted. */
static void mount_lock_add_others(struct search *s, struct buf *out)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	char where[PATH_SIZE];

	while (proc && s->found < NAMED_MAX && (e = readdir(proc))) {
		unsigned long ns;

		if (strspn(e->d_name, "0123456789") != strlen(e->d_name))
			continue;
		ns = mount_lock_namespace(e->d_name);
		if (!ns || mount_lock_seen_before(s, ns) ||
		    !mount_lock_sees(e->d_name, s->device, where))
			continue;
		buf_adds(out, s->found++ ? ","
					 : "another mount namespace still "
					   "holds its mount, that of process");
		mount_lock_add_process(out, e->d_name);
	}
	if (proc)
		closedir(proc);
}

/* Why the daemon lives, as far as we can see. */
static void mount_lock_add_reason(const struct owner *o, struct buf *out)
{
	struct search s = { .device = o->device };
	char where[PATH_SIZE];

	if (*o->device && mount_lock_sees("self", o->device, where)) {
		buf_addf(out, "it is still mounted on %s", where);
		return;
	}
	mount_lock_seen_before(&s, mount_lock_namespace("self"));
	if (*o->device)
		mount_lock_add_others(&s, out);
	if (!s.found && *o->waits) {
		buf_adds(out, "it waits until ");
		text_printable(out, o->waits);
		buf_adds(out, " is closed, which is open for writing");
	} else if (!s.found) {
		buf_adds(out, "it ends its uploads");
	}
}

static void mount_lock_add_owner(const struct owner *o, struct buf *out)
{
	if (o->pid)
		buf_addf(out, "the last mount's daemon (process %ld)", o->pid);
	else
		buf_adds(out, "the last mount's daemon");
}

/* ---- waiting ---- */

/* They are blocked, and taken later by the one thread that waits for them. */
static bool mount_lock_is_to_end(void)
{
	sigset_t pending;

	return !sigpending(&pending) && (sigismember(&pending, SIGTERM) > 0 ||
					 sigismember(&pending, SIGINT) > 0);
}

static void mount_lock_say(int fd, const char *mountpoint, uint64_t wait_s)
{
	BUF_LOCAL line = BUF_INIT(BUF_MESSAGE);
	struct owner o;

	mount_lock_read_owner(fd, &o);
	mount_lock_add_owner(&o, &line);
	buf_adds(&line, ": ");
	mount_lock_add_reason(&o, &line);
	fprintf(stderr, "%sstagefs: %s: waiting up to %llu s for %s\n",
		log_priority(LOG_LEVEL_WARN), mountpoint,
		(unsigned long long)wait_s, buf_str(&line));
}

static void mount_lock_give_up(int fd, uint64_t wait_s, struct buf *why)
{
	struct owner o;

	mount_lock_read_owner(fd, &o);
	mount_lock_add_owner(&o, why);
	buf_addf(why, " has not ended within %llu s (mount_wait): ",
		 (unsigned long long)wait_s);
	mount_lock_add_reason(&o, why);
	if (o.pid)
		buf_addf(why, " (`kill %ld` ends it, after its writers)",
			 o.pid);
}

static int mount_lock_wait_for(int fd, const char *mountpoint, uint64_t wait_s,
			       struct buf *why)
{
	int64_t until = clock_mono_ms() + (int64_t)wait_s * 1000;
	struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	bool said = false;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (mount_lock_is_to_end())
			return -EINTR;
		if (clock_mono_ms() >= until) {
			mount_lock_give_up(fd, wait_s, why);
			return -ETIMEDOUT;
		}
		if (!said)
			mount_lock_say(fd, mountpoint, wait_s);
		said = true;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int mount_lock_take(const char *source, const char *mountpoint, uint64_t wait_s,
		    int *fd, struct buf *why)
{
	char dir[PATH_MAX], hex[SHA256_HEX_SIZE];
	BUF_LOCAL name = BUF_INIT(BUF_LINE);
	int rc;

	*fd = -1;
	/* Without a place for locks there is nothing to wait for. */
	if (daemon_directory(dir, sizeof(dir)))
		return 0;
	buf_add(&name, source, strlen(source) + 1);
	buf_adds(&name, mountpoint);
	sha256_hex(buf_str(&name), name.len, hex);
	buf_reset(&name);
	buf_addf(&name, "%s/%.16s.lock", dir, hex);
	*fd = open(buf_str(&name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	rc = *fd < 0 ? -errno
		     : mount_lock_wait_for(*fd, mountpoint, wait_s, why);
	if (!rc)
		mount_lock_write_record(*fd, "", "");
	else if (rc != -ETIMEDOUT)
		buf_addf(why, "%s: %s", buf_str(&name), strerror(-rc));
	return rc;
}
