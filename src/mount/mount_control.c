/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection after the other: a line comes in, `ok` or `error` and a text
 * go out.
 */
#include "mount/mount_control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "base/thread.h"
#include "client/daemon.h"

#define REQUEST_MAX 4095
#define ANSWER_MAX (4u << 20)
#define CLIENT_S 10 /* for a client to send its word, or take the answer */

struct mount_control {
	const struct mount_control_command *commands;
	void *arg;
	int fd;
	pthread_t thread;
	struct sockaddr_un at;
};

static void control_limit(int fd)
{
	const struct timeval limit = { .tv_sec = CLIENT_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int mount_control_run(struct mount_control *c, const char *request,
			     struct buf *out, struct buf *why)
{
	size_t n = strcspn(request, "\t");

	for (const struct mount_control_command *k = c->commands; k->word; k++)
		if (strlen(k->word) == n && !memcmp(k->word, request, n))
			return k->run(c->arg, request + n + (request[n] != 0),
				      out, why);
	return buf_fail(why, -EINVAL, "this daemon does not know that");
}

static void control_serve(struct mount_control *c, int fd)
{
	BUF_LOCAL out = BUF_INIT(ANSWER_MAX), why = BUF_INIT(BUF_MESSAGE);
	char request[REQUEST_MAX + 1];
	ssize_t n;
	int rc;

	control_limit(fd);
	n = recv(fd, request, REQUEST_MAX, 0);
	if (n > 0) {
		request[n] = '\0';
		request[strcspn(request, "\n")] = '\0';
		buf_adds(&out, "ok\n");
		rc = mount_control_run(c, request, &out, &why);
		if (rc) {
			buf_reset(&out);
			buf_addf(&out, "error\n%s\n",
				 why.len ? buf_str(&why) : strerror(-rc));
		}
		io_write(fd, buf_str(&out), out.len);
	}
	close(fd);
}

static void *control_loop(void *arg)
{
	struct mount_control *c = arg;
	int fd;

	/* shutdown(2) ends it. */
	for (;;) {
		fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			control_serve(c, fd);
		else if (errno != EINTR && errno != ECONNABORTED &&
			 errno != EMFILE && errno != ENFILE)
			return NULL;
	}
}

static int control_listen(struct mount_control *c, const char *device)
{
	int rc = daemon_address(device, 0, &c->at);

	if (rc)
		return rc;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	/* A daemon that was killed has left its own. */
	unlink(c->at.sun_path);
	if (bind(c->fd, (struct sockaddr *)&c->at, sizeof(c->at)) ||
	    chmod(c->at.sun_path, 0600) || listen(c->fd, 8))
		return -errno;
	return thread_start(&c->thread, "control", control_loop, c);
}

struct mount_control *mount_control_new(
	const char *device, const struct mount_control_command *commands,
	void *arg)
{
	struct mount_control *c = calloc(1, sizeof(*c));
	int rc;

	if (!c || !*device) {
		free(c);
		return NULL;
	}
	c->commands = commands;
	c->arg = arg;
	c->fd = -1;
	rc = control_listen(c, device);
	if (!rc)
		return c;
	log_info("`stagefs reload` and `stagefs stats` cannot reach this "
		 "mount: %s",
		 strerror(-rc));
	if (c->fd >= 0)
		close(c->fd);
	free(c);
	return NULL;
}

void mount_control_free(struct mount_control *c)
{
	if (!c)
		return;
	unlink(c->at.sun_path);
	shutdown(c->fd, SHUT_RDWR);
	pthread_join(c->thread, NULL);
	close(c->fd);
	free(c);
}
