/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes to the background: its word is the exit status of the process
 * that called it, and the group of processes is left with the word, no earlier.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "mount/background.h"
#include "suite.h"

struct seen {
	bool same_group; /* before its word */
	bool own_session; /* after it */
	bool answered;
};

/* In the background: says how it goes, and what became of it. */
static void speak(int fd, int status, pid_t group, int out)
{
	struct seen s = { .same_group = getpgrp() == group };

	background_end(fd, status);
	s.own_session = getsid(0) == getpid() && getpgrp() == getpid();
	s.answered = true;
	_exit(io_write(out, &s, sizeof(s)) ? 1 : 0);
}

/* The exit status that the caller sees. */
static int go(int status, bool dies, struct seen *out)
{
	pid_t group = getpgrp(), pid;
	int pipes[2], fd, wait_status;

	memset(out, 0, sizeof(*out));
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (background_begin(9, &fd))
			_exit(100);
		if (dies)
			raise(SIGKILL);
		speak(fd, status, group, pipes[1]);
	}
	close(pipes[1]);
	assert_int_equal(waitpid(pid, &wait_status, 0), pid);
	if (io_read(pipes[0], out, sizeof(*out)) != sizeof(*out))
		out->answered = false;
	close(pipes[0]);
	assert_true(WIFEXITED(wait_status));
	return WEXITSTATUS(wait_status);
}

static void test_group(void **state)
{
	struct seen s;

	assert_int_equal(go(0, false, &s), 0);
	assert_true(s.answered && s.same_group && s.own_session);
	/* what fails stays with its caller, who may still be reading */
	assert_int_equal(go(7, false, &s), 7);
	assert_true(s.answered && s.same_group && !s.own_session);
	assert_int_equal(go(0, true, &s), 9);
	assert_false(s.answered);
}

SUITE(background)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
