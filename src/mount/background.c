/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte through a pipe is the exit status. The child keeps stderr until it
 * has spoken, so that its message comes before the shell's prompt. It also
 * stays as long in the group of processes of mount(8), which systemd begins in
 * its own: autofs lets only that group pass the directory on which it is to
 * mount, all others wait there for the mount.
 */
#include "mount/background.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/io.h"

static void background_parent(int fd, int failed)
{
	unsigned char status;

	_exit(io_read(fd, &status, 1) == 1 ? status : failed);
}

int background_begin(int failed, int *fd)
{
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(pipes[0]);
		close(pipes[1]);
		return -errno;
	}
	if (pid) {
		close(pipes[1]);
		background_parent(pipes[0], failed);
	}
	close(pipes[0]);
	*fd = pipes[1];
	return 0;
}

void background_end(int fd, int status)
{
	unsigned char byte = (unsigned char)status;
	int null;

	if (fd < 0)
		return;
	if (!status)
		setsid();
	if (!status && !chdir("/")) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int i = 0; null >= 0 && i < 3; i++)
			dup2(null, i);
		if (null > 2)
			close(null);
	}
	io_write(fd, &byte, 1);
	close(fd);
}
