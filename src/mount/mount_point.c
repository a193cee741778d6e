/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/self/mountinfo says what is mounted where without asking the mounts
 * themselves: one of them may be dead.
 */
#include "mount/mount_point.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mountinfo.h"
#include "base/text.h"
#include "fuse/guard.h"

extern char **environ;

int mount_point_detach(const char *path)
{
	char *argv[] = { (char *)"fusermount3", (char *)"-uz", (char *)"--",
			 (char *)path, NULL };
	int status = -1;
	pid_t pid;

	if (!umount2(path, MNT_DETACH))
		return 0;
	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ))
		return -EPERM;
	if (waitpid(pid, &status, 0) != pid || status)
		return -EPERM;
	return 0;
}

/* *found: a name that is in the directory, or "". */
static int mount_point_look_into(const char *path, char found[NAME_MAX + 1])
{
	DIR *d = opendir(path);
	struct dirent *e;

	*found = '\0';
	if (!d)
		return -errno;
	while (!*found && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			snprintf(found, NAME_MAX + 1, "%s", e->d_name);
	closedir(d);
	return 0;
}

static int mount_point_check_empty(const char *path, struct buf *why)
{
	char found[NAME_MAX + 1];
	int rc = mount_point_look_into(path, found);

	if (rc) {
		buf_addf(why, "cannot read the directory: %s", strerror(-rc));
	} else if (*found) {
		buf_adds(why, "the directory is not empty: `");
		text_printable(why, found);
		rc = buf_fail(why, -ENOTEMPTY,
			      "` is in it (-o nonempty mounts over it)");
	}
	return rc;
}

/* realpath() asks the last component too, and a dead mount answers ENOTCONN:
 * resolve the directory that it is in. */
static char *mount_point_absolute(const char *path)
{
	char *copy = strdup(path), *slash, *dir = NULL, *full = NULL;
	size_t len = copy ? strlen(copy) : 0;

	if (copy && !len) {
		free(copy);
		errno = ENOENT;
		return NULL;
	}
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	slash = copy ? strrchr(copy, '/') : NULL;
	if (!copy || !strcmp(copy, "/") || !strcmp(copy, ".") ||
	    !strcmp(copy, "..")) {
		full = copy ? realpath(copy, NULL) : NULL;
		goto out;
	}
	if (slash)
		*slash = '\0';
	dir = realpath(!slash ? "." : *copy ? copy : "/", NULL);
	if (dir && asprintf(&full, "%s/%s", strcmp(dir, "/") ? dir : "",
			    slash ? slash + 1 : copy) < 0)
		full = NULL;
out:
	free(dir);
	free(copy);
	return full;
}

static bool mount_point_is_ours(const char *type)
{
	return !strcmp(type, "fuse.stagefs") || !strcmp(type, GUARD_TYPE);
}

/* The kernel answers stat() of a dead mount from its cache for a while, and
 * statfs() never: that goes to the daemon, and ours answers it at once. */
static bool mount_point_is_dead(const char *full)
{
	struct statvfs fs;
	struct stat st;
	struct mountinfo_place there;

	if (lstat(full, &st))
		return errno == ENOTCONN;
	return mountinfo_at(full, &there) && mount_point_is_ours(there.type) &&
	       statvfs(full, &fs) && errno == ENOTCONN;
}

static int mount_point_detach_dead(const char *full, struct buf *why)
{
	fprintf(stderr, "%sstagefs: %s: its daemon has died, detaching it\n",
		log_priority(LOG_LEVEL_WARN), full);
	if (mount_point_detach(full))
		return buf_fail(why, -EPERM,
				"a dead mount that cannot be detached");
	return 0;
}

static int mount_point_check_place(const char *full, bool nonempty,
				   struct buf *why)
{
	struct mountinfo_place there;
	struct stat st;
	int rc;

	/* A guard may stand above a dead mount, or be one. */
	while (mount_point_is_dead(full)) {
		rc = mount_point_detach_dead(full, why);
		if (rc)
			return rc;
	}
	if (stat(full, &st)) {
		rc = -errno;
		return buf_fail(why, rc, "%s", strerror(-rc));
	}
	if (!S_ISDIR(st.st_mode))
		return buf_fail(why, -ENOTDIR, "not a directory");
	if (mountinfo_at(full, &there)) {
		if (!strcmp(there.type, "autofs") ||
		    !strcmp(there.type, GUARD_TYPE))
			return 0;
		return buf_fail(why, -EBUSY, "in use: %s is mounted there",
				there.type);
	}
	return nonempty ? 0 : mount_point_check_empty(full, why);
}

int mount_point_unguarded(const char *path, struct buf *why)
{
	struct mountinfo_place there;
	int rc = 0;

	while (!rc && mount_point_is_dead(path))
		rc = mount_point_detach_dead(path, why);
	if (!rc && mountinfo_at(path, &there) &&
	    !strcmp(there.type, GUARD_TYPE))
		rc = buf_fail(why, -EBUSY,
			      "in use: a mount of another source ends there, "
			      "and waits for what is being written");
	return rc;
}

int mount_point_prepare(const char *path, bool nonempty, char **out,
			struct buf *why)
{
	char *full = mount_point_absolute(path), *real = NULL;
	int rc;

	if (!full) {
		rc = -errno;
		return buf_fail(why, rc, "%s", strerror(-rc));
	}
	rc = mount_point_check_place(full, nonempty, why);
	if (!rc) {
		real = realpath(full, NULL);
		rc = real ? 0 : -errno;
	}
	free(full);
	*out = real;
	return rc;
}
