/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work in pieces on threads that are made for it and end with it.
 */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

#define PARALLEL_MAX 8 /* threads for work with bytes */
#define PARALLEL_MOST 64 /* for what only waits */

/*
 * Calls work(arg, k) for every k below n, several at once; blocks until all
 * have ended. The first failure stops it: no further piece is begun, and it is
 * the result. interruptible: an interrupt of the calling operation reaches the
 * pieces under way and ends it with -EINTR; else it is not noticed. The pieces
 * belong to the work of the calling thread (waiter_set_began()).
 */
int parallel_run(unsigned threads, size_t n, int (*work)(void *arg, size_t k),
		 void *arg, bool interruptible);

#endif
