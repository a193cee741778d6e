/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spill file: an unlinked temporary file with the bytes of one open file
 * that are not in memory. Made at the first need. It leaves the disk some
 * room: past that, -ENOSPC.
 *
 * Bytes that could be done without are kept behind the caller's back
 * (spill_keep()), from memory that stays until they are written; reading finds
 * them there. All else is for one thread at a time, the owner of the open
 * file's turn, but for reading, which any thread may do at any time.
 */
#ifndef FS_CONTENT_SPILL_H
#define FS_CONTENT_SPILL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/extents.h"
#include "base/lock.h"
#include "base/metric.h"
#include "base/waiter.h"

struct buf;
struct spill_kept;

#define SPILL_NAME_SIZE 48

enum spill_direct { SPILL_DIRECT_UNTRIED, SPILL_DIRECT_ON, SPILL_DIRECT_OFF };

struct spill_locked {
	struct spill_kept *queue; /* in order; the first is being written */
	struct spill_kept *lost; /* what could not be kept */
	bool over; /* the thread is to end */
	struct waiter_list waiters; /* the thread, and those that wait for it */
};

struct spill {
	unsigned refs; /* atomic: readers and parts under way have some too */
	int fd;
	/* The thread's own. */
	enum spill_direct direct;
	int direct_fd; /* the same file past the page cache, when ON */
	char name[SPILL_NAME_SIZE]; /* that it was given; "": none */
	/* The owner's own. */
	bool started;
	pthread_t thread;
	unsigned n_lost; /* atomic */
	bool hurry; /* atomic */
	metric disk_bytes; /* that it was last seen to take */
	struct lock lock;
	struct spill_locked guarded_;
};

/* With a reference. dir is made (0700) when it is missing. 0 or -errno, logged
 * by the caller with the file's name. */
int spill_new(const char *dir, struct spill **out);
/* The same of a file that has a name; fd is taken over, also in failure. */
int spill_adopt(int fd, const char *name, struct spill **out);
/*
 * What was written so far outlives a power cut: in dir, as `name` (which is
 * free), or as what it was named before, *out. Later writes go there too; where
 * the file system cannot name it, that is a copy, and the next call makes
 * another.
 */
int spill_name(struct spill *s, int dir, const char *name,
	       char out[SPILL_NAME_SIZE]);
bool spill_is_named(const struct spill *s);
struct spill *spill_ref(struct spill *s);
void spill_unref(struct spill *s); /* NULL is fine */

/* All of it or -errno. Nothing of it is being kept (spill_wait()). */
int spill_write(struct spill *s, uint64_t offset, const void *bytes,
		size_t len);
/*
 * Keeps bytes that we could do without, and for which a twentieth of the disk
 * is left free: written later, by a thread of the file's own. The memory stays
 * as it is until ended(arg), on that thread or in spill_stop(), under no lock.
 * 0, or -errno: ended() is not called then.
 */
int spill_keep(struct spill *s, uint64_t offset, const void *bytes, size_t len,
	       void (*ended)(void *arg), void *arg);
/* The memory of what is being kept is waited for. */
void spill_hurry(struct spill *s);
/* Until nothing of [start, end) is being kept: it is in the file, or lost. */
void spill_wait(struct spill *s, uint64_t start, uint64_t end);
/* Bytes that could not be kept; false: there are none that were not told. */
bool spill_next_lost(struct spill *s, struct extent *out);
void spill_lost_reported(struct spill *s); /* of that one */
/*
 * For when the bytes are not needed any more, before the owner gives them up:
 * what is being kept ends before this returns. NULL is fine.
 */
void spill_stop(struct spill *s);

/* Holes and what lies beyond the end read as zeros. -ENOSPC: lost; -EAGAIN: it
 * was stopped, and is not the content any more. */
int spill_read(struct spill *s, uint64_t offset, void *bytes, size_t len);
/* Nothing from there on is being kept. */
int spill_truncate(struct spill *s, uint64_t size);
/* The bytes of [start, end) are zeros from now on, and there. */
int spill_zero(struct spill *s, uint64_t start, uint64_t end);

/* Appends what all of this process take of the disk, and what dir's would still
 * give, as metric.h has it. */
void spill_write_metrics(const char *dir, struct buf *out);

#endif
