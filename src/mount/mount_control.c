/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection after the other: a line comes in, `ok` or `error` and a text
 * go out. The socket is named after the device of the mount, which
 * /proc/self/mountinfo tells of a path without asking the mount itself.
 */
#include "mount/mount_control.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
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
#include "base/mountinfo.h"
#include "base/text.h"
#include "base/thread.h"
#include "mount/mount_lock.h"

#define WORD_MAX 63
#define ANSWER_MAX (4u << 20)
#define CLIENT_S 10 /* for a client to send its word, or take the answer */

struct mount_control {
	const struct mount_control_command *commands;
	void *arg;
	int fd;
	pthread_t thread;
	struct sockaddr_un at;
};

/* -ENOENT: no place; -ENAMETOOLONG. */
static int control_address(const char *device, struct sockaddr_un *out)
{
	char dir[PATH_MAX];
	int rc = mount_lock_directory(dir, sizeof(dir)), n;

	if (rc)
		return rc;
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(out->sun_path, sizeof(out->sun_path), "%s/%s.sock", dir,
		     device);
	return n > 0 && (size_t)n < sizeof(out->sun_path) ? 0 : -ENAMETOOLONG;
}

static void control_limit(int fd)
{
	const struct timeval limit = { .tv_sec = CLIENT_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

/* ---- the daemon's end ---- */

static int control_run(struct mount_control *c, const char *word,
		       struct buf *out, struct buf *why)
{
	for (const struct mount_control_command *k = c->commands; k->word; k++)
		if (!strcmp(k->word, word))
			return k->run(c->arg, out, why);
	return buf_fail(why, -EINVAL, "this daemon does not know that");
}

static void control_serve(struct mount_control *c, int fd)
{
	BUF_LOCAL out = BUF_INIT(ANSWER_MAX), why = BUF_INIT(BUF_MESSAGE);
	char word[WORD_MAX + 1];
	ssize_t n;
	int rc;

	control_limit(fd);
	n = recv(fd, word, WORD_MAX, 0);
	if (n > 0) {
		word[n] = '\0';
		word[strcspn(word, "\n")] = '\0';
		buf_adds(&out, "ok\n");
		rc = control_run(c, word, &out, &why);
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
	int rc = control_address(device, &c->at);

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

/* ---- a client's ---- */

static int control_connect(const char *path, int *fd, struct buf *why)
{
	char *full = realpath(path, NULL);
	struct mountinfo_place place;
	struct sockaddr_un at;
	int rc = full ? 0 : -errno;

	if (rc)
		buf_adds(why, strerror(-rc));
	else if (!mountinfo_at(full, &place) ||
		 strcmp(place.type, "fuse.stagefs") != 0)
		rc = buf_fail(why, -EINVAL, "no mount of stagefs");
	free(full);
	if (rc)
		return rc;
	*fd = -1;
	rc = control_address(place.device, &at);
	if (!rc) {
		*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		rc = *fd < 0 ? -errno : 0;
	}
	if (!rc && connect(*fd, (struct sockaddr *)&at, sizeof(at)))
		rc = -errno;
	if (rc) {
		buf_addf(why,
			 "its daemon cannot be reached (only the user who "
			 "mounted it can): %s",
			 strerror(-rc));
		if (*fd >= 0)
			close(*fd);
	}
	return rc;
}

int mount_control_ask(const char *path, const char *word, struct buf *out,
		      struct buf *why)
{
	BUF_LOCAL answer = BUF_INIT(ANSWER_MAX);
	char room[4096];
	ssize_t n;
	int fd, rc = control_connect(path, &fd, why);

	if (rc)
		return rc;
	rc = io_write(fd, word, strlen(word));
	while (!rc && (n = io_read(fd, room, sizeof(room))) != 0) {
		if (n < 0)
			rc = (int)n;
		else
			buf_add(&answer, room, (size_t)n);
	}
	close(fd);
	if (!rc)
		rc = buf_err(&answer);
	if (rc) {
		buf_addf(why, "its daemon has not answered: %s", strerror(-rc));
	} else if (text_starts_with(buf_str(&answer), "ok\n")) {
		buf_adds(out, buf_str(&answer) + 3);
	} else {
		n = (ssize_t)strcspn(buf_str(&answer), "\n");
		buf_adds(why, buf_str(&answer) + n + (answer.len > (size_t)n));
		if (why->len && why->data[why->len - 1] == '\n')
			buf_truncate(why, why->len - 1);
		rc = -EIO;
	}
	return rc;
}
