/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdinfo says flags, mount and inode number of a descriptor without following
 * it. An inode number is one of many file systems', so the mount that goes with
 * it is looked up in the process's own mountinfo, unless it is the mount that
 * we know.
 */
#include "base/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "base/mountinfo.h"
#include "base/scope.h"

#define FDINFO_HEAD 255 /* bytes: what every file has comes first */
#define STATUS_HEAD 1023
#define NAME_HEAD 63
#define ANCESTORS_MAX 256

bool proc_shows_us(void)
{
	char self[32], want[32];
	ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

	if (n < 0)
		return false;
	self[n] = '\0';
	snprintf(want, sizeof(want), "%ld", (long)getpid());
	return !strcmp(self, want);
}

static ssize_t proc_read_text(int fd, char *text, size_t size)
{
	ssize_t n = io_read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	return n;
}

static int proc_open_entry(pid_t tid, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	return fd < 0 ? -errno : fd;
}

ssize_t proc_read(pid_t tid, const char *name, char *text, size_t size)
{
	int fd = proc_open_entry(tid, name, 0);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = proc_read_text(fd, text, size);
	close(fd);
	return n;
}

bool proc_field(const char *text, const char *name, int base, uint64_t *out)
{
	size_t len = strlen(name);
	char *end;

	while (text && strncmp(text, name, len)) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	if (!text)
		return false;
	*out = strtoull(text + len, &end, base);
	return end != text + len;
}

/* The number behind "NAME:" in the status of a thread, or -errno. */
static pid_t proc_status_pid(pid_t tid, const char *name)
{
	char text[STATUS_HEAD + 1];
	uint64_t pid;
	ssize_t n;

	if (tid <= 0 || !proc_shows_us())
		return -ESRCH;
	n = proc_read(tid, "status", text, sizeof(text));
	if (n < 0)
		return (pid_t)n;
	return proc_field(text, name, 10, &pid) ? (pid_t)pid : -EINVAL;
}

pid_t proc_process(pid_t tid)
{
	pid_t process = proc_status_pid(tid, "Tgid:");

	return process > 0 ? process : 0;
}

int proc_descends(pid_t process, pid_t from)
{
	pid_t p = process;

	for (int k = 0; k < ANCESTORS_MAX && p > 0; k++) {
		p = proc_status_pid(p, "PPid:");
		if (p > 0 && p == from)
			return 1;
	}
	if (p)
		return p < 0 ? p : -E2BIG;
	return kill(from, 0) && errno == ESRCH ? -ESRCH : 0;
}

bool proc_fdinfo(const char *text, uint64_t ino, int *mount)
{
	uint64_t flags, id, number;

	if (!proc_field(text, "flags:", 8, &flags) ||
	    !proc_field(text, "mnt_id:", 10, &id) ||
	    !proc_field(text, "ino:", 10, &number))
		return false;
	*mount = (int)id;
	return number == ino && (flags & O_ACCMODE) != O_RDONLY;
}

/* Has the process's mount of that id our device? */
static bool proc_same_device(pid_t tid, int id, const char *device)
{
	char process[24];
	struct mountinfo_row row;
	MOUNTINFO_LOCAL table = { 0 };
	bool same = false;

	snprintf(process, sizeof(process), "%ld", (long)tid);
	mountinfo_open(&table, process);
	while (!same && mountinfo_next(&table, &row))
		same = row.id == (uint64_t)id && !strcmp(row.device, device);
	return same;
}

/* Is descriptor `name` of the folder fd one of those? */
static bool proc_counts(pid_t tid, int dir, const char *name, uint64_t ino,
			const struct proc_mount *m)
{
	char text[FDINFO_HEAD + 1];
	FD_LOCAL fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	int mount;

	/* Unless it was closed just now. */
	return fd >= 0 && proc_read_text(fd, text, sizeof(text)) > 0 &&
	       proc_fdinfo(text, ino, &mount) &&
	       (mount == m->id || proc_same_device(tid, mount, m->device));
}

static int proc_count(pid_t tid, DIR *d, uint64_t ino,
		      const struct proc_mount *m)
{
	struct dirent *e;
	int n = 0, seen = 0;

	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (++seen > PROC_DESCRIPTORS_MAX)
			return -E2BIG;
		n += proc_counts(tid, dirfd(d), e->d_name, ino, m);
	}
	return n;
}

int proc_writers(pid_t tid, uint64_t ino, const struct proc_mount *m)
{
	DIR *d;
	int fd, n;

	if (tid <= 0 || !proc_shows_us())
		return -ESRCH;
	fd = proc_open_entry(tid, "fdinfo", O_DIRECTORY);
	if (fd == -ENOENT && kill(tid, 0) && errno == ESRCH)
		return 0;
	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	n = proc_count(tid, d, ino, m);
	closedir(d);
	return n;
}

/* Not by the link `exe`: the kernel blocks a reader while the process is in
 * execve(2), where it closes descriptors and waits for our answer. */
uint64_t proc_program(pid_t process)
{
	char name[NAME_HEAD + 1];
	ssize_t n = process > 0 && proc_shows_us()
			    ? proc_read(process, "comm", name, sizeof(name))
			    : -1;

	return n > 0 ? hash_bytes(HASH_START, name, (size_t)n) | 1 : 0;
}

bool proc_ending(pid_t tid)
{
	int fd = tid > 0 && proc_shows_us()
			 ? proc_open_entry(tid, "fdinfo", O_DIRECTORY)
			 : -ESRCH;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	bool any = false;

	if (fd == -ENOENT)
		return kill(tid, 0) && errno == ESRCH;
	if (fd >= 0 && !d)
		close(fd);
	if (!d)
		return false;
	while (!any && (e = readdir(d)))
		any = e->d_name[0] != '.';
	closedir(d);
	return !any;
}
