/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other processes, as /proc shows them: to which one a thread belongs, and what
 * it has open. None of this touches the files themselves: a program that serves
 * a file system must not ask it for anything. Nor is anything asked that waits
 * for a process in execve(2), which may be waiting for us (its links, `stat`,
 * `wchan`, `syscall`). May be called on any thread.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Are its numbers those of the processes that we see? */
bool proc_shows_us(void);

/* The start of /proc/TID/name as a string: its length or -errno. */
ssize_t proc_read(pid_t tid, const char *name, char *text, size_t size);

/* The number behind a name at the start of a line of such a text. */
bool proc_field(const char *text, const char *name, int base, uint64_t *out);

/* The process that a thread belongs to; 0: it cannot be known. */
pid_t proc_process(pid_t tid);

/*
 * Is a process a child of `from`, or a child's child, so that it may have
 * inherited what that one opened? 0: no, as it seems; -ESRCH: `from` has ended,
 * and its children have another parent; -errno: it cannot be known.
 */
int proc_descends(pid_t process, pid_t from);

struct proc_mount {
	const char *device; /* "0:42" */
	int id; /* in our own mount namespace */
};

#define PROC_DESCRIPTORS_MAX 1024 /* that are looked at: some 5 ms */

/*
 * How many descriptors the process of a thread has that are open for writing on
 * inode ino of a mount, through whichever bind mount or namespace it came to
 * it. 0 also when the process has ended. -errno when it cannot be known:
 * -EACCES it is another user's, -E2BIG it has more than PROC_DESCRIPTORS_MAX.
 */
int proc_writers(pid_t tid, uint64_t ino, const struct proc_mount *m);

/* A number for the program that a process runs, by its name: another one after
 * an execve(2) of another; 0: it cannot be known. */
uint64_t proc_program(pid_t process);

/* Has the process of a thread closed all that it had? It is at its end then, or
 * has ended. */
bool proc_ending(pid_t tid);

/* From the text of one /proc/PID/fdinfo/N: is it open for writing on ino, and
 * in which mount? Pure. */
bool proc_fdinfo(const char *text, uint64_t ino, int *mount);

#endif
