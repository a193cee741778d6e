/*
 * /proc/self/mountinfo says what is mounted where without asking the mounts
 * themselves: one of them may be dead.
 */
#include "mount/mount_point.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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
#include "base/mountinfo.h"

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

static int mount_point_empty_directory(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	if (!d)
		return -errno;
	while (n < 3 && (e = readdir(d)))
		n++;
	closedir(d);
	return n < 3 ? 0 : -ENOTEMPTY;
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

/* The kernel answers stat() of a dead mount from its cache for a while, and
 * statfs() never: that goes to the daemon, and ours answers it at once. */
static bool mount_point_is_dead(const char *full)
{
	struct statvfs fs;
	struct stat st;
	struct mountinfo_place there;

	if (lstat(full, &st))
		return errno == ENOTCONN;
	return mountinfo_at(full, &there) &&
	       !strcmp(there.type, "fuse.stagefs") && statvfs(full, &fs) &&
	       errno == ENOTCONN;
}

static int mount_point_check_place(const char *full, struct buf *err)
{
	struct mountinfo_place there;
	struct stat st;
	int rc;

	if (mount_point_is_dead(full)) {
		fprintf(stderr,
			"stagefs: %s: its daemon has died, detaching it\n",
			full);
		if (mount_point_detach(full)) {
			buf_addf(err, "a dead mount that cannot be detached");
			return -EPERM;
		}
	}
	if (stat(full, &st)) {
		rc = -errno;
		buf_addf(err, "%s", strerror(-rc));
		return rc;
	}
	if (!S_ISDIR(st.st_mode)) {
		buf_addf(err, "not a directory");
		return -ENOTDIR;
	}
	if (mountinfo_at(full, &there)) {
		if (!strcmp(there.type, "autofs"))
			return 0;
		buf_addf(err, "in use: %s is mounted there", there.type);
		return -EBUSY;
	}
	rc = mount_point_empty_directory(full);
	if (rc)
		buf_addf(err, rc == -ENOTEMPTY ? "the directory is not empty"
					       : "cannot read the directory");
	return rc;
}

int mount_point_prepare(const char *path, char **out, struct buf *err)
{
	char *full = mount_point_absolute(path), *real = NULL;
	int rc;

	if (!full) {
		rc = -errno;
		buf_addf(err, "%s", strerror(-rc));
		return rc;
	}
	rc = mount_point_check_place(full, err);
	if (!rc) {
		real = realpath(full, NULL);
		rc = real ? 0 : -errno;
	}
	free(full);
	*out = real;
	return rc;
}
