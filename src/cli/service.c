/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_listen_fds(3) and sd_notify(3), in the few lines of their protocols.
 */
#include "cli/service.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

#define FIRST_FD 3

unsigned service_sockets(int fds[SERVICE_SOCKETS_MAX])
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	uint64_t owner = 0, n = 0;

	if (!pid || parse_u64(pid, INT32_MAX, &owner) ||
	    owner != (uint64_t)getpid() || !count ||
	    parse_u64(count, SERVICE_SOCKETS_MAX, &n))
		n = 0;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (unsigned i = 0; i < n; i++) {
		fds[i] = FIRST_FD + (int)i;
		fcntl(fds[i], F_SETFD, FD_CLOEXEC);
	}
	return (unsigned)n;
}

void service_say(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n < 2 || n >= sizeof(to.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	       (const struct sockaddr *)&to,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}
