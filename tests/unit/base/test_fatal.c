/* SPDX-License-Identifier: Apache-2.0 */
/* Which pending signals are a process's end. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fatal.h"

#define NONE "0000000000000000"
#define BIT_INT "0000000000000002"
#define BIT_QUIT "0000000000000004"
#define BIT_KILL "0000000000000100"
#define BIT_ALRM "0000000000002000"
#define BIT_CHLD "0000000000010000"
#define BIT_TSTP "0000000000080000"
#define BIT_RT "8000000000000000"

static const struct {
	const char *sentence;
	const char *own, *shared, *blocked, *ignored, *caught;
	int tracer;
	enum fatal wanted;
} rows[] = {
	{ "nothing is pending", NONE, NONE, NONE, NONE, NONE, 0, FATAL_NO },
	{ "SIGKILL of the thread", BIT_KILL, NONE, NONE, NONE, NONE, 0,
	  FATAL_YES },
	{ "SIGKILL of the process", NONE, BIT_KILL, NONE, NONE, NONE, 0,
	  FATAL_YES },
	{ "SIGALRM that is caught", NONE, BIT_ALRM, NONE, NONE, BIT_ALRM, 0,
	  FATAL_NO },
	{ "SIGALRM that is not", NONE, BIT_ALRM, NONE, NONE, NONE, 0,
	  FATAL_YES },
	{ "SIGQUIT, which is no SIGKILL", NONE, BIT_QUIT, NONE, NONE, NONE, 0,
	  FATAL_YES },
	{ "SIGINT that is blocked", BIT_INT, NONE, BIT_INT, NONE, NONE, 0,
	  FATAL_NO },
	{ "SIGINT that is ignored", BIT_INT, NONE, NONE, BIT_INT, NONE, 0,
	  FATAL_NO },
	{ "SIGCHLD", NONE, BIT_CHLD, NONE, NONE, NONE, 0, FATAL_NO },
	{ "SIGTSTP", NONE, BIT_TSTP, NONE, NONE, NONE, 0, FATAL_NO },
	{ "the last real-time signal", NONE, BIT_RT, NONE, NONE, NONE, 0,
	  FATAL_YES },
	{ "SIGINT under a debugger", NONE, BIT_INT, NONE, NONE, NONE, 7,
	  FATAL_NO },
	{ "SIGKILL under a debugger", BIT_KILL, NONE, NONE, NONE, NONE, 7,
	  FATAL_YES },
	{ "SIGKILL beside one that is caught", BIT_KILL, BIT_ALRM, NONE, NONE,
	  BIT_ALRM, 0, FATAL_YES },
};

static void test_status(void **state)
{
	char text[1024];

	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text),
			 "Name:\tSigPnd:\nTracerPid:\t%d\nSigQ:\t0/15\n"
			 "SigPnd:\t%s\nShdPnd:\t%s\nSigBlk:\t%s\nSigIgn:\t%s\n"
			 "SigCgt:\t%s\n",
			 rows[i].tracer, rows[i].own, rows[i].shared,
			 rows[i].blocked, rows[i].ignored, rows[i].caught);
		row_number(rows[i].sentence, fatal_in_status(text),
			   rows[i].wanted);
	}
	assert_int_equal(fatal_in_status(""), FATAL_UNKNOWN);
	assert_int_equal(fatal_in_status("\nSigPnd:\t0\n"), FATAL_UNKNOWN);
}

static void test_processes(void **state)
{
	pid_t child = fork();

	if (!child) {
		pause();
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(fatal_signal(0), FATAL_UNKNOWN);
	assert_int_equal(fatal_signal(getpid()), FATAL_NO);
	assert_int_equal(fatal_signal(child), FATAL_NO);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(fatal_signal(child), FATAL_YES);
}

SUITE(fatal)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_processes),
	};

	return cmocka_run_group_tests_name("fatal", tests, NULL, NULL);
}
