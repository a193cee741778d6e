/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls on single files that do more than the kernel's: beneath a directory,
 * without a way out; with an owner; with a name for what has none; with bytes
 * from elsewhere. The kernel copies from file to file (on disks that share
 * blocks nothing is copied at all); where it cannot, a buffer does.
 */
#include "store/local/local_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/random.h"
#include "store/local/local_root.h"

int local_file_openat(int at, const char *path, int flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = (flags & O_TMPFILE) == O_TMPFILE ? 0666 : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd =
		syscall(SYS_openat2, at, *path ? path : ".", &how, sizeof(how));

	if (fd >= 0)
		return fd;
	return errno == ELOOP || errno == EXDEV ? -EACCES : -errno;
}

int local_file_own(int fd, const struct store_owner *owner, bool mode)
{
	struct stat st;

	if (!owner)
		return 0;
	if (fstat(fd, &st))
		return -errno;
	/* Only root gives files away; another user's stay that user's. */
	if (!geteuid() &&
	    (st.st_uid != owner->uid || st.st_gid != owner->gid) &&
	    fchown(fd, owner->uid, owner->gid))
		return -errno;
	if (mode && fchmod(fd, owner->mode & 07777))
		return -errno;
	return 0;
}

bool local_file_is_made(int fd, const struct timespec *since)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_UID | STATX_BTIME, &st) ||
	    st.stx_uid != geteuid())
		return false;
	if (!(st.stx_mask & STATX_BTIME))
		return true; /* a disk that does not keep it */
	return st.stx_btime.tv_sec != since->tv_sec
		       ? st.stx_btime.tv_sec > since->tv_sec
		       : st.stx_btime.tv_nsec >= since->tv_nsec;
}

int local_file_mkdir(int at, const char *name, const struct store_owner *owner,
		     bool mode, bool *made)
{
	struct timespec since;
	int fd, rc;

	/* The clock of a disk's times. */
	clock_gettime(CLOCK_REALTIME_COARSE, &since);
	*made = !mkdirat(at, name, 0777);
	if (!*made && errno != EEXIST)
		return -errno;
	fd = local_file_openat(at, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || !*made || !owner)
		return fd;
	*made = local_file_is_made(fd, &since);
	rc = *made ? local_file_own(fd, owner, mode) : 0;
	if (!rc)
		return fd;
	close(fd);
	unlinkat(at, name, AT_REMOVEDIR);
	return rc;
}

int local_file_link(int fd, int dir, const char *name)
{
	char path[32];

	if (!linkat(fd, "", dir, name, AT_EMPTY_PATH))
		return 0;
	if (errno != ENOENT && errno != EPERM)
		return -errno;
	/* Without CAP_DAC_READ_SEARCH, on kernels before 6.10. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) ? -errno
								    : 0;
}

void local_file_random_id(char out[LOCAL_ID_SIZE])
{
	random_hex(out, LOCAL_ID_SIZE / 2);
}

int local_file_copy(int from, uint64_t from_at, int to, uint64_t to_at,
		    uint64_t len)
{
	int rc = io_copy(from, from_at, to, to_at, len);

	return rc == -ENODATA ? -EIO : rc;
}

int local_file_write(const struct store_body *body, int to, uint64_t to_at)
{
	if (body->data)
		return io_pwrite(to, body->data, body->len, to_at);
	return local_file_copy(body->fd, body->offset, to, to_at, body->len);
}

/* A folder that is removed just then, or an open root: ext4 says EPERM. */
static bool file_is_folder_gone(struct local *l, const char *path)
{
	FD_LOCAL dir =
		local_file_openat(l->root_fd, path, O_PATH | O_DIRECTORY);
	struct stat st;

	return dir < 0 ? dir == -ENOENT : !fstat(dir, &st) && !st.st_nlink;
}

int local_file_make(struct local *l, const char *key)
{
	char path[STORE_KEY_MAX + 1];
	int fd = -ENOENT;

	/* In the folder where it will be, or in the nearest that there is. */
	strcpy(path, key);
	while (fd == -ENOENT && *path) {
		char *slash = strrchr(path, '/');

		*(slash ? slash : path) = '\0';
		fd = local_file_openat(l->root_fd, path, O_TMPFILE | O_RDWR);
		if (fd == -EPERM && file_is_folder_gone(l, path))
			fd = -ENOENT;
	}
	/* Not even the root. */
	return fd == -ENOENT ? -ENODEV : fd;
}
