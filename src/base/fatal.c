/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signal that kills a process is at once pending as SIGKILL in each of its
 * threads. Those that also dump core (SIGQUIT, SIGABRT ...) are not: such a
 * signal is pending as itself, neither blocked, nor caught, nor ignored, until
 * the thread that sleeps takes it. While a debugger is attached it decides, so
 * then only SIGKILL counts, as in the kernel's own killable waits.
 */
#include "base/fatal.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/proc.h"

#define STATUS_MAX 8191 /* bytes: all masks stand within the first 2 KiB */
#define BIT(sig) (UINT64_C(1) << ((sig)-1))

/* Those whose default is not to end the process. */
#define HARMLESS \
	(BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH) | \
	 BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))

enum fatal fatal_in_status(const char *text)
{
	uint64_t own, shared, blocked, ignored, caught, tracer, fatal;

	if (!proc_field(text, "SigPnd:", 16, &own) ||
	    !proc_field(text, "ShdPnd:", 16, &shared) ||
	    !proc_field(text, "SigBlk:", 16, &blocked) ||
	    !proc_field(text, "SigIgn:", 16, &ignored) ||
	    !proc_field(text, "SigCgt:", 16, &caught) ||
	    !proc_field(text, "TracerPid:", 10, &tracer))
		return FATAL_UNKNOWN;
	fatal = tracer ? 0 : ~(blocked | ignored | caught | HARMLESS);
	fatal |= BIT(SIGKILL);
	return (own | shared) & fatal ? FATAL_YES : FATAL_NO;
}

enum fatal fatal_signal(pid_t tid)
{
	char text[STATUS_MAX + 1];

	if (tid <= 0)
		return FATAL_UNKNOWN;
	if (proc_shows_us() &&
	    proc_read(tid, "status", text, sizeof(text)) >= 0)
		return fatal_in_status(text);
	/* hidepid= hides what is there, kill() does not */
	return kill(tid, 0) && errno == ESRCH ? FATAL_YES : FATAL_UNKNOWN;
}
