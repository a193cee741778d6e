/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd gives a service, and hears from it: by table. */
#include "cli/service.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void test_sockets(void **state)
{
	static const struct {
		const char *sentence, *pid, *fds; /* pid "": ours */
		unsigned n;
	} rows[] = {
		{ "nothing is given", NULL, NULL, 0 },
		{ "to another process", "1", "1", 0 },
		{ "to none", NULL, "1", 0 },
		{ "to what is no process", "x", "1", 0 },
		{ "no number", "", "one", 0 },
		{ "more than there is room for", "", "17", 0 },
		{ "a negative number", "", "-1", 0 },
		{ "one", "", "1", 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int fds[SERVICE_SOCKETS_MAX] = { -1 };
		char self[16];

		snprintf(self, sizeof(self), "%d", (int)getpid());
		if (rows[i].pid)
			setenv("LISTEN_PID", *rows[i].pid ? rows[i].pid : self,
			       1);
		if (rows[i].fds)
			setenv("LISTEN_FDS", rows[i].fds, 1);
		row_number(rows[i].sentence, service_sockets(fds), rows[i].n);
		row_number(rows[i].sentence, fds[0], rows[i].n ? 3 : -1);
		row_check(rows[i].sentence, !getenv("LISTEN_PID"));
		row_check(rows[i].sentence, !getenv("LISTEN_FDS"));
	}
}

/* A socket that says what it was sent; its name begins with a NUL. */
static int listener(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	size_t n = strlen(name);

	assert_true(fd >= 0 && n < sizeof(at.sun_path));
	memcpy(at.sun_path, name, n);
	at.sun_path[0] = '\0';
	assert_int_equal(
		bind(fd, (struct sockaddr *)&at,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
		0);
	return fd;
}

static void test_say(void **state)
{
	char name[64], got[64];
	int fd;

	snprintf(name, sizeof(name), "@stagefs-test-%d", (int)getpid());
	fd = listener(name);
	unsetenv("NOTIFY_SOCKET");
	service_say("READY=1");
	setenv("NOTIFY_SOCKET", name + 1, 1); /* no path */
	service_say("READY=1");
	setenv("NOTIFY_SOCKET", "", 1);
	service_say("READY=1");
	assert_int_equal(recv(fd, got, sizeof(got), 0), -1);
	setenv("NOTIFY_SOCKET", name, 1);
	service_say("STOPPING=1");
	assert_int_equal(recv(fd, got, sizeof(got), 0), 10);
	assert_memory_equal(got, "STOPPING=1", 10);
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

SUITE(service)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_say),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
