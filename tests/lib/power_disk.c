/* SPDX-License-Identifier: Apache-2.0 */
#include "power_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "local_rig.h"

#define SHUTDOWN _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH 2

static char *base, *path;

static bool run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool run(const char *format, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	return !system(command);
}

int power_disk_start(void)
{
	const char *tmp = getenv("TMPDIR");

	/* Mounts of ours are seen by no other process; a user who may not make
	 * any sees `mount` fail. */
	if (!unshare(CLONE_NEWNS))
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (asprintf(&base, "%s/stagefs-power-XXXXXX", tmp ? tmp : "/tmp") < 0)
		return -1;
	return !mkdtemp(base) || asprintf(&path, "%s/disk", base) < 0 ? -1 : 0;
}

void power_disk_stop(void)
{
	power_disk_unmount();
	local_rig_wipe(base);
	free(base);
	free(path);
}

const char *power_disk_path(void)
{
	return path;
}

bool power_disk_make(const char *kind)
{
	power_disk_unmount(); /* a round before that failed */
	return run("truncate -s 320M %s/image && mkfs.%s -q %s %s/image "
		   "2>/dev/null && mkdir -p %s",
		   base, kind, strcmp(kind, "xfs") ? "-F" : "-f", base, path) &&
	       power_disk_mount();
}

bool power_disk_mount(void)
{
	return run("mount -o loop %s/image %s 2>/dev/null", base, path);
}

bool power_disk_unmount(void)
{
	return run("umount %s 2>/dev/null", path);
}

bool power_disk_cut(void)
{
	uint32_t how = NO_LOG_FLUSH;
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	int rc = ioctl(fd, SHUTDOWN, &how);

	close(fd);
	return !rc;
}
