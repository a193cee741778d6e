/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a close the last one that counts? A descriptor is closed once for each
 * process that has it, and for each duplicate: a child that only inherited it,
 * or a shell that moves it to another number, must not publish what is half
 * written.
 *
 *   the caller has another descriptor of the handle       wait for that one
 *   the caller inherited it, and the opener still has one wait for the opener
 *   (of a descriptor that came to it otherwise, from no
 *   process above it, the opener may think itself rid)
 *   the caller wrote                                      publish: the answer
 *                                                         is its close's
 *   others wrote, and one of them still has the file open wait for that one
 *   else                                                  publish
 *
 * What is waited for comes: the last close publishes in any case, or else the
 * release does.
 */
#ifndef FS_CLOSING_H
#define FS_CLOSING_H

#include <sys/types.h>

enum closing_holds { HOLDS_NO, HOLDS_YES, HOLDS_UNKNOWN };

enum closing_answer {
	CLOSING_WAITS, /* for a later close */
	CLOSING_PUBLISHES,
	CLOSING_UNKNOWN, /* it cannot be told: publish, to be sure */
};

struct closing {
	pid_t caller, opener; /* processes; 0: not known */
	const pid_t *writers; /* of what is not published yet */
	unsigned n_writers;
	/* Has a process a descriptor of the handle that is closed; one of the
	 * file, by any handle that can write? */
	enum closing_holds (*handle)(void *arg, pid_t process);
	enum closing_holds (*file)(void *arg, pid_t process);
	/* May the caller have inherited what `from` has opened? */
	enum closing_holds (*inherits)(void *arg, pid_t from);
	void *arg;
};

/* Asks no more than it needs. */
enum closing_answer closing_judge(const struct closing *c);

#endif
