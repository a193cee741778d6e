#include "base/thread.h"

#include <signal.h>
#include <stddef.h>

int thread_start(pthread_t *out, const char *name, void *(*run)(void *arg),
		 void *arg)
{
	static const int faults[] = { SIGSEGV, SIGBUS,  SIGFPE,
				      SIGILL,  SIGTRAP, SIGABRT };
	sigset_t all, before;
	int rc;

	/* A thread inherits its starter's mask. What it causes itself stays,
	 * so that a debugger or a sanitizer sees it. */
	sigfillset(&all);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(out, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		pthread_setname_np(*out, name);
	return rc;
}
