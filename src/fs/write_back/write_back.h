/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that are accepted, and sent to the store later: `write_back` of a
 * stage. What is accepted is in the journal (journal.h); what it is made of is
 * still the open content of its file, dirty, which this keeps open; or a
 * directory of the tree that the store does not have yet. So all that is asked
 * of such a name meanwhile is answered as of any file that is being written.
 *
 *   waiting  until its time comes: short-lived names never travel
 *   sending  by one of the workers, which does what a close would have done
 *   failed   it is tried again, ever more seldom, and when it is flushed
 *   (gone)   the store has it, or it was removed here
 *
 * All calls may block on the local disk, but for those that only look.
 */
#ifndef FS_WRITE_BACK_WRITE_BACK_H
#define FS_WRITE_BACK_WRITE_BACK_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/content/file.h"

struct buf;
struct inode;
struct journal;
struct stage;
struct write_back;

#define WRITE_BACK_WIDTH 32 /* changes that are sent at once */
#define WRITE_BACK_NAMES 16384 /* that may wait, when it is not said */
#define WRITE_BACK_DELAY_MS 500 /* for what may be removed or renamed soon */

struct write_back_settings {
	const struct file_env *env;
	const char *spill_dir; /* NULL: nothing can be accepted */
	const char *mount_name; /* the mount; NULL: the same */
	uint64_t bytes_max;
	unsigned names_max; /* 0: WRITE_BACK_NAMES */
	unsigned delay_ms; /* 0: WRITE_BACK_DELAY_MS */
	/* Writes a directory's marker. */
	int (*make_dir)(void *arg, struct inode *dir);
	/* The root of a stage in the tree, referenced, and the stage,
	 * referenced; without asking a store. -ENOENT. */
	int (*find_root)(void *arg, const char *stage, struct inode **root,
			 struct stage **out);
	void *arg;
};

struct write_back *write_back_new(const struct write_back_settings *s);
/* What is left stays in the journal. After the last request. NULL is fine. */
void write_back_free(struct write_back *w);

/* What an earlier daemon left is accepted again: its names are there at once.
 * Before the first request. -errno, and where it is in why: it cannot be read.
 * Without it, a later mount may send it over what is newer. */
int write_back_restore(struct write_back *w, struct buf *why);

/*
 * What is dirty of f is accepted; 0 when it outlives a power cut from now on.
 * -EINTR: there was no room. -EOPNOTSUPP: it is to be published.
 */
int write_back_file(struct write_back *w, struct file *f);
/* The same of a directory that was made in the tree; not flushed. */
int write_back_dir(struct write_back *w, struct inode *dir);
/*
 * i, a file that the caller has claimed, is about to be removed or replaced,
 * and so is what the store has at its name, by a request of this mount;
 * write_back_sync() comes before that one. After a crash the change is none if
 * the store has done it, and waits as before if not. Its number; 0: none waits.
 */
uint64_t write_back_ending(struct write_back *w, struct inode *i);
/* It was not: the change goes on. */
void write_back_stays(struct write_back *w, struct inode *i);
/* Nothing of it is sent, but the store is yet to do it; and it has, or has
 * refused to. */
void write_back_leave(struct write_back *w, struct inode *i);
void write_back_left(struct write_back *w, uint64_t id);
/* i, which was claimed, has been removed or replaced: nothing of it is sent. */
void write_back_gone(struct write_back *w, struct inode *i);
/* The same of a directory, which no claim keeps from being sent: waits for
 * that. False: the store has its marker, or may have. */
bool write_back_take(struct write_back *w, struct inode *i);
/* A caller has changed attributes of a directory, which may wait. */
int write_back_dir_changed(struct write_back *w, struct inode *dir);
/* i, claimed, has moved, with all that is below it. */
int write_back_moved(struct write_back *w, struct inode *i);
/* The store has the content of i (file_env.published). */
void write_back_published(struct write_back *w, struct inode *i);
/* What was moved, removed and published is on the disk. */
int write_back_sync(struct write_back *w);

/*
 * All that waits is sent now, also what had failed; waits for it. The first
 * failure, or -EINTR. ends: gives up when a store does not answer.
 */
int write_back_flush(struct write_back *w, bool ends);

/* Is a change of i waiting? 0: none is; 1; or why it could not be sent. */
int write_back_state(struct write_back *w, struct inode *i);
struct write_back_counts {
	unsigned names, failed;
	uint64_t bytes;
	unsigned files; /* of the names, those with a file of their own */
	/* How much of these may wait; files: 0 before the first change. */
	unsigned names_max, files_max;
	uint64_t bytes_max;
	uint64_t journal_bytes; /* of its file */
};
void write_back_counts(struct write_back *w, struct write_back_counts *out);
/* Appends the first failed ones: `: location: why; location: why`. */
void write_back_names(struct write_back *w, unsigned most, struct buf *out);

#endif
