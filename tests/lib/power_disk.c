/* SPDX-License-Identifier: Apache-2.0 */
#include "power_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/log.h"
#include "local_rig.h"
#include "unit.h"

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

/* A folder for it, and mounts that are this process's. 0, or -1. */
static int power_disk_start(void)
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

static void power_disk_stop(void)
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

int power_disk_open_probe(void)
{
	char probe[256];

	snprintf(probe, sizeof(probe), "%s/probe", path);
	return open(probe, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

bool power_disk_is_cut(int probe)
{
	return fsync(probe) != 0;
}

static bool power_disk_shut_down(void)
{
	uint32_t how = NO_LOG_FLUSH;
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	int rc = ioctl(fd, SHUTDOWN, &how);

	close(fd);
	return !rc;
}

bool power_disk_cut(pid_t pid, int *status)
{
	bool possible = power_disk_shut_down();

	kill(pid, SIGKILL);
	waitpid(pid, status, 0);
	assert_true(power_disk_unmount());
	return possible;
}

/* ---- a suite ---- */

static void **shared;
static size_t shared_size;

static int start(void **state)
{
	*shared = mmap(NULL, shared_size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return *shared == MAP_FAILED ? -1 : power_disk_start();
}

static int stop(void **state)
{
	power_disk_stop();
	return 0;
}

int power_disk_suite(const char *name, const char *sentence,
		     void (*rounds)(void **state), void **memory, size_t size)
{
	static char ext4[] = "ext4", xfs[] = "xfs";
	char names[2][64];
	const struct CMUnitTest tests[] = {
		{ names[0], rounds, NULL, NULL, ext4 },
		{ names[1], rounds, NULL, NULL, xfs },
	};

	snprintf(names[0], sizeof(names[0]), "%s %s", ext4, sentence);
	snprintf(names[1], sizeof(names[1]), "%s %s", xfs, sentence);
	shared = memory;
	shared_size = size;
	log_open("/dev/null", LOG_LEVEL_ERROR);
	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name(name, tests, start, stop);
}
