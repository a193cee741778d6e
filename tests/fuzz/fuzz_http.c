/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes to the server itself, over a loopback socket: it answers or ends
 * the connection, gives away nothing that takes a signature, and the next
 * client is served. Built for libFuzzer by `make fuzz`; as a unit test it runs
 * over the corpus.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "gateway_rig.h"

#define SECRET_TEXT "what-is-only-for-who-has-signed"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct gateway_rig rig;

static void end(void)
{
	gateway_rig_close(&rig);
}

static void start(void)
{
	log_open("stderr", 0);
	gateway_rig_open(&rig, NULL);
	local_rig_put(rig.disk.s, "stage/user/root/a", SECRET_TEXT);
	atexit(end);
}

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static int dial(void)
{
	const struct timeval patience = { .tv_sec = 10 };
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(rig.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct linger at_once = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	must(!connect(fd, (const struct sockaddr *)&to, sizeof(to)),
	     "the server is gone");
	/* No port waits for packets of the past. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char answer[1 << 20];
	size_t n = 0;
	ssize_t got;
	int fd;

	if (!rig.gateway)
		start();
	fd = dial();
	if (len)
		send(fd, data, len, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	while ((got = recv(fd, answer + n, sizeof(answer) - n, 0)) > 0)
		n += got;
	/* A connection that is closed with bytes unread is reset: an end
	 * too. */
	must(!got || n || errno == ECONNRESET, "no answer and no end");
	must(!n || !strncmp(answer, "HTTP/1.", 7 < n ? 7 : n), "no HTTP");
	/* Unless it was sent: errors name what they are about. */
	must(memmem(data, len, SECRET_TEXT, strlen(SECRET_TEXT)) ||
		     !memmem(answer, n, SECRET_TEXT, strlen(SECRET_TEXT)),
	     "a file without a signature");
	close(fd);
	return 0;
}
