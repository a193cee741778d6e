/*
 * Starting a thread. It takes no signal: those are for the thread that waits
 * for them.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* name: what ps(1) shows, at most 15 bytes. 0 or -errno. */
int thread_start(pthread_t *out, const char *name, void *(*run)(void *arg),
		 void *arg);

#endif
