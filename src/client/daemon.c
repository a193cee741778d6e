/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket is named after the device of the mount, which
 * /proc/self/mountinfo tells of a path without asking the mount itself.
 */
#include "client/daemon.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mountinfo.h"
#include "base/text.h"
#include "client/message.h"

#define ANSWER_MAX (4u << 20)
#define TYPE "fuse.stagefs"
/* For the answer to come, once the daemon has waited for as long as it does. */
#define SETTLE_MS (DAEMON_SETTLE_MS + 500)
/* A person is told what is waited for. */
#define SETTLE_QUIET_MS 500

int daemon_directory(char *dir, size_t size)
{
	const char *base = getenv("XDG_RUNTIME_DIR");

	if (!geteuid())
		base = "/run";
	if (!base || !*base)
		return -ENOENT;
	snprintf(dir, size, "%s/stagefs", base);
	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	return 0;
}

/* Root reaches a user's daemon too, where logins have their sockets. */
int daemon_address(const char *device, uint64_t user, struct sockaddr_un *out)
{
	char dir[PATH_MAX];
	int rc = 0, n;

	if (user && !geteuid())
		snprintf(dir, sizeof(dir), "/run/user/%llu/stagefs",
			 (unsigned long long)user);
	else
		rc = daemon_directory(dir, sizeof(dir));
	if (rc)
		return rc;
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(out->sun_path, sizeof(out->sun_path), "%s/%s.sock", dir,
		     device);
	return n > 0 && (size_t)n < sizeof(out->sun_path) ? 0 : -ENAMETOOLONG;
}

/* For each call from here on. */
static void daemon_limit(int fd, int64_t ms)
{
	const struct timeval limit = { .tv_sec = ms / 1000,
				       .tv_usec = ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* Has the word on its way. limit_ms: of each call; 0: none. */
static int daemon_send(const char *device, uint64_t user, const char *word,
		       int64_t limit_ms, int *out)
{
	struct sockaddr_un at;
	int fd, rc = daemon_address(device, user, &at);

	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	daemon_limit(fd, limit_ms);
	rc = connect(fd, (struct sockaddr *)&at, sizeof(at)) ? -errno : 0;
	if (!rc)
		rc = io_write(fd, word, strlen(word));
	if (rc)
		close(fd);
	else
		*out = fd;
	return rc;
}

static int daemon_receive(int fd, struct buf *answer)
{
	char room[4096];
	ssize_t n;

	while ((n = io_read(fd, room, sizeof(room))) > 0)
		buf_add(answer, room, (size_t)n);
	return n < 0 ? (int)n : buf_err(answer);
}

/* ---- one ---- */

static int daemon_find(const char *path, struct mountinfo_place *place,
		       struct buf *why)
{
	char *full = realpath(path, NULL);
	int rc = full ? 0 : -errno;

	if (rc)
		buf_adds(why, strerror(-rc));
	else if (!mountinfo_at(full, place) || strcmp(place->type, TYPE) != 0)
		rc = buf_fail(why, -EINVAL, "no mount of stagefs");
	free(full);
	return rc;
}

static int daemon_read_answer(const struct buf *answer, struct buf *out,
			      struct buf *why)
{
	size_t n;

	if (text_starts_with(buf_str(answer), "ok\n")) {
		buf_adds(out, buf_str(answer) + 3);
		return buf_err(out);
	}
	n = strcspn(buf_str(answer), "\n");
	buf_adds(why, buf_str(answer) + n + (answer->len > n));
	if (why->len && why->data[why->len - 1] == '\n')
		buf_truncate(why, why->len - 1);
	return -EIO;
}

int daemon_ask(const char *path, const char *word, struct buf *out,
	       struct buf *why)
{
	BUF_LOCAL answer = BUF_INIT(ANSWER_MAX);
	struct mountinfo_place place;
	int fd, rc = daemon_find(path, &place, why);

	if (rc)
		return rc;
	rc = daemon_send(place.device, place.user, word, 0, &fd);
	if (rc)
		return buf_fail(why, rc,
				"its daemon cannot be reached (only the user "
				"who mounted it can, and root where that "
				"user has /run/user): %s",
				strerror(-rc));
	rc = daemon_receive(fd, &answer);
	close(fd);
	if (rc)
		return buf_fail(why, rc, "its daemon has not answered: %s",
				strerror(-rc));
	return daemon_read_answer(&answer, out, why);
}

/* ---- all ---- */

struct asked {
	int fd;
	char point[PATH_MAX];
};

static void daemon_tell_silent(const char *point, int rc)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);

	buf_addf(&why,
		 "its daemon does not say that it has sent what was changed "
		 "there: %s",
		 strerror(rc == -EAGAIN ? ETIMEDOUT : -rc));
	message(point, buf_str(&why));
}

/* For the next call, which may wait. */
static int64_t daemon_left_ms(int64_t until_ms)
{
	int64_t left_ms = until_ms - clock_mono_ms();

	return left_ms > 0 ? left_ms : 1;
}

/* A daemon that hangs has room for a few connections, and then for none. */
static unsigned daemon_send_all(const char *word, int64_t until_ms,
				struct asked **list)
{
	struct mountinfo mounts;
	struct mountinfo_row row;
	struct asked *one;
	size_t cap = 0;
	unsigned n = 0;
	int rc;

	*list = NULL;
	mountinfo_open(&mounts, "self");
	while (mountinfo_next(&mounts, &row)) {
		if (strcmp(row.type, TYPE) != 0 ||
		    ARRAY_RESERVE(*list, cap, n + 1))
			continue;
		one = *list + n;
		rc = daemon_send(row.device, 0, word, daemon_left_ms(until_ms),
				 &one->fd);
		if (rc == -EAGAIN)
			daemon_tell_silent(row.point, rc);
		if (rc)
			continue;
		snprintf(one->point, sizeof(one->point), "%s", row.point);
		n++;
	}
	mountinfo_close(&mounts);
	return n;
}

/* As daemon_receive(), with a word to a person who waits. */
static int daemon_receive_settled(const struct asked *a, int64_t until_ms,
				  struct buf *answer)
{
	int rc;

	if (daemon_left_ms(until_ms) > SETTLE_QUIET_MS &&
	    isatty(STDERR_FILENO)) {
		daemon_limit(a->fd, SETTLE_QUIET_MS);
		rc = daemon_receive(a->fd, answer);
		if (rc != -EAGAIN)
			return rc;
		message(a->point,
			"waiting for its daemon, which may have changes of "
			"names to send");
	}
	daemon_limit(a->fd, daemon_left_ms(until_ms));
	return daemon_receive(a->fd, answer);
}

static void daemon_await_settled(const struct asked *a, int64_t until_ms)
{
	BUF_LOCAL answer = BUF_INIT(ANSWER_MAX), why = BUF_INIT(BUF_MESSAGE);
	int rc = daemon_receive_settled(a, until_ms, &answer);

	if (rc)
		daemon_tell_silent(a->point, rc);
	else if (daemon_read_answer(&answer, &why, &why))
		message(a->point, buf_str(&why));
}

void daemon_settle(void)
{
	int64_t until_ms = clock_mono_ms() + SETTLE_MS;
	struct asked *list;
	unsigned n = daemon_send_all("settle", until_ms, &list);

	for (unsigned i = 0; i < n; i++) {
		daemon_await_settled(&list[i], until_ms);
		close(list[i].fd);
	}
	free(list);
}
