/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a thread of another process about to die of a signal? A thread that works
 * for it may then give up; a signal that it handles is no reason to.
 */
#ifndef BASE_FATAL_H
#define BASE_FATAL_H

#include <sys/types.h>

enum fatal {
	FATAL_NO,
	FATAL_YES, /* it is dying, or gone */
	FATAL_UNKNOWN, /* /proc does not show it */
};

/* Reads /proc. tid: a thread's id as we see it; 0: it is not known. */
enum fatal fatal_signal(pid_t tid);

/* The same from the text of /proc/TID/status. Pure. */
enum fatal fatal_in_status(const char *text);

#endif
